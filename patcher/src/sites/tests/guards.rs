//! Instructions that may meet nil.

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
    let guards: Vec<_> = found.sites.iter().flat_map(|site| &site.guards).map(|it| (it.ip, it.scratch)).collect();
    // The second needs the value that the first loads into R12; a return needs neither registers
    // nor flags.
    assert_eq!(guards, [(START, r13), (START + 3, r13), (START + 19, r12)]);
}

#[test]
fn an_instruction_stays_where_a_guard_would_change_the_program() {
    // The flags of the comparison are read after the load.
    let found = sites(|asm| {
        asm.cmp(rbx, rcx)?;
        asm.mov(rax, qword_ptr(rax))?;
        asm.sete(al)?;
        asm.call(MORESTACK + 0x100)?;
        asm.add(rsp, 0x1000)?;
        asm.ret()
    });
    assert_eq!(refused(&found, At::Enter), [Refusal::MayFault]);
    // Two addresses; and one in a segment, which cannot be computed.
    for write in [|asm: &mut CodeAssembler| asm.movsq(), |asm: &mut CodeAssembler| asm.mov(rax, qword_ptr(0x28).fs())] {
        let found = sites(|asm| {
            write(asm)?;
            asm.call(MORESTACK + 0x100)?;
            asm.add(rsp, 0x1000)?;
            asm.ret()
        });
        assert_eq!(refused(&found, At::Enter), [Refusal::MayFault]);
    }
}
