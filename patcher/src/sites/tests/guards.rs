//! Instructions that may fault.

#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::*;

#[test]
fn an_instruction_that_may_meet_nil_is_guarded() {
    let found = sites(|asm| {
        asm.mov(r12, qword_ptr(rax))?;
        asm.mov(rbx, qword_ptr(r12 + rax * 8))?;
        asm.call(MORESTACK + 0x100)?;
        asm.add(rcx, 0x1000)?;
        asm.mov(rax, qword_ptr(rcx + 8))?;
        asm.ret()?;
        asm.ud2()
    });
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    let guards: Vec<_> = found.sites.iter().flat_map(|site| &site.guards).collect();
    // The second needs the value that the first loads into R12; a return needs neither registers
    // nor flags.
    let places: Vec<_> = guards.iter().map(|it| (it.ip, it.scratch)).collect();
    assert_eq!(places, [(START, r13), (START + 3, r13), (START + 19, r12)]);
    assert!(guards.iter().all(|it| it.sigpanic == Some(SIGPANIC)));
}

#[test]
fn an_operand_is_compared_with_nil_only_where_that_changes_nothing() {
    // The flags of the comparison are read after the load; and two addresses.
    for write in [
        |asm: &mut CodeAssembler| {
            asm.cmp(rbx, rcx)?;
            asm.mov(rax, qword_ptr(rax))?;
            asm.sete(al)
        },
        |asm: &mut CodeAssembler| {
            asm.movsq()?;
            asm.movsq()?;
            asm.movsq()
        },
    ] {
        let found = sites(|asm| {
            write(asm)?;
            asm.call(MORESTACK + 0x100)?;
            asm.add(rsp, 0x1000)?;
            asm.ret()
        });
        assert!(found.refused.is_empty(), "{:?}", found.refused);
        let guards = &found.sites[0].guards;
        assert!(!guards.is_empty() && guards.iter().all(|it| it.sigpanic.is_none()), "{guards:?}");
    }
}

#[test]
fn a_way_out_with_room_elsewhere_leaves_what_may_fault_in_place() {
    let found = sites(|asm| {
        asm.call(MORESTACK + 0x100)?;
        asm.mov(edx, 1)?;
        asm.mov(ecx, 1)?;
        asm.call(MORESTACK + 0x100)?;
        asm.mov(rax, qword_ptr(rcx + 8))?;
        asm.pop(rbp)?;
        asm.ret()?;
        asm.ud2()
    });
    let exit = found.sites.iter().find(|site| site.at == At::Exit).expect("a way out");
    assert_eq!(text_of(&exit.before), ["pop rbp"]);
    assert!(exit.island.is_some() && exit.guards.is_empty(), "{exit:?}");
}

#[test]
fn an_instruction_stays_where_a_guard_would_change_the_program() {
    // It uses the stack, on which the guard puts a word; or all registers that a guard might use.
    for write in [
        |asm: &mut CodeAssembler| asm.push(qword_ptr(rax + 0x1000)),
        |asm: &mut CodeAssembler| {
            asm.mov(r12, r13)?;
            asm.mov(r15, qword_ptr(r12))
        },
    ] {
        let found = sites(|asm| {
            write(asm)?;
            asm.call(MORESTACK + 0x100)?;
            asm.add(rsp, 0x1000)?;
            asm.ret()
        });
        assert_eq!(refused(&found, At::Enter), [Refusal::MayFault]);
    }
}
