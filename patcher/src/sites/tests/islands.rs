//! Ways out that are too short for a jump.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::*;

/// A function whose frame is its saved RBP alone, whose `middle` ends with a call, and whose last
/// two bytes are its way out.
fn with_short_tail(
    asm: &mut CodeAssembler,
    middle: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>,
) -> Result<(), IcedError> {
    asm.push(rbp)?;
    asm.mov(rbp, rsp)?;
    asm.test(rax, rax)?;
    middle(asm)?;
    asm.call(MORESTACK + 0x100)?;
    asm.pop(rbp)?;
    asm.ret()?;
    // Code after it, so that the return has no padding to grow into.
    asm.mov(eax, 1)?;
    asm.ud2()
}

/// The one short way out of `found`, and its island.
#[track_caller]
fn island(found: &FunctionSites) -> (&Site, u64) {
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    let short = found.sites.iter().find(|site| site.island.is_some()).expect("a short way out");
    assert_eq!(
        (text_of(&short.before), text_of(&short.after), short.len),
        (vec!["pop rbp".to_owned()], vec!["ret".to_owned()], 2)
    );
    (short, short.island.map(|va| va.0).expect("it has one"))
}

#[test]
fn a_short_tail_has_its_island_where_no_debugger_stops() {
    let found = sites(|asm| with_short_tail(asm, |asm| asm.mov(rcx, 0x1122_3344_5566_7788_u64)));
    let (_, island) = island(&found);
    assert_eq!(island, START + 12);
    let [relay] = found.relays.as_slice() else { panic!("one relay: {found:?}") };
    assert_eq!(text_of(&relay.after), ["mov rcx,1122334455667788h"]);
}

#[test]
fn a_short_tail_has_its_island_after_the_entrys_jump_if_there_is_no_other_place() {
    let found = sites(|asm| with_short_tail(asm, |asm| asm.mov(ecx, 1)));
    let (_, island) = island(&found);
    assert_eq!(island, START + 6);
    assert!(found.relays.is_empty());
    assert_eq!(text_of(&found.sites[0].after), ["mov rbp,rsp", "test rax,rax", "mov ecx,1"]);
    assert_eq!((found.sites[0].va, found.sites[0].depth), (Va(START + 1), 8), "the entry takes one more instruction");
}

#[test]
fn where_the_entry_has_no_room_another_run_of_instructions_makes_it() {
    let found = sites(|asm| {
        with_short_tail(asm, |asm| {
            asm.call(MORESTACK + 0x100)?;
            asm.mov(rcx, qword_ptr(rsp + 8))?;
            asm.xor(edx, edx)?;
            asm.mov(rdi, qword_ptr(rsp + 16))
        })
    });
    let (_, island) = island(&found);
    let [relay] = found.relays.as_slice() else { panic!("one relay: {found:?}") };
    assert_eq!(relay.va, Va(START + 12), "after the call");
    assert_eq!(text_of(&relay.after), ["mov rcx,[rsp+8]", "xor edx,edx", "mov rdi,[rsp+10h]"]);
    assert_eq!((island, relay.resume), (START + 17, Some(Va(START + 24))));
}

#[test]
fn an_island_has_the_stack_depth_of_its_way_out() {
    let body = |asm: &mut CodeAssembler| with_short_tail(asm, |asm| asm.mov(rcx, 0x1122_3344_5566_7788_u64));
    // 0 for the first byte, then 8, as after a push: (+1, 1), (+8, 4095).
    assert_eq!(island(&sites_at_depths(&[0, 2, 1, 16, 0xff, 0x1f, 0], body)).1, START + 12);
    // 8 only from the tail on: no other place has that depth.
    let found = sites_at_depths(&[0, 2, 22, 16, 0x80, 0x20, 0], body);
    assert_eq!(refused(&found, At::Exit), [Refusal::FlowControl]);
    // The table ends before the tail.
    let found = sites_at_depths(&[0, 2, 10, 0], body);
    assert_eq!(refused(&found, At::Exit), [Refusal::FlowControl]);
}

#[test]
fn an_island_out_of_reach_is_none() {
    let found = sites(|asm| {
        with_short_tail(asm, |asm| {
            for _ in 0..30 {
                asm.call(MORESTACK + 0x100)?;
            }
            Ok(())
        })
    });
    assert_eq!(refused(&found, At::Exit), [Refusal::FlowControl]);
}

#[test]
fn two_short_tails_have_two_islands() {
    let found = sites(|asm| {
        with_short_tail(asm, |asm| {
            let mut other = asm.create_label();
            asm.mov(rcx, 0x1122_3344_5566_7788_u64)?;
            asm.je(other)?;
            asm.call(MORESTACK + 0x100)?;
            asm.pop(rbp)?;
            asm.ret()?;
            asm.set_label(&mut other)?;
            asm.mov(rcx, 0x1122_3344_5566_7788_u64)
        })
    });
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    let islands: Vec<_> = found.sites.iter().filter_map(|site| site.island).collect();
    assert_eq!(islands, [Va(START + 12), Va(START + 31)]);
}

#[test]
fn a_short_tail_that_is_branched_to_is_hooked_at_its_first_byte() {
    let found = sites(|asm| {
        with_short_tail(asm, |asm| {
            asm.mov(rcx, 0x1122_3344_5566_7788_u64)?;
            asm.je(START + 24)
        })
    });
    let (short, _) = island(&found);
    assert_eq!(short.va, Va(START + 24));
}

#[test]
fn a_function_that_only_calls_another_makes_room_with_that_call() {
    // 0 through `push`, 8 through `pop`, then 0.
    let depths = &[0, 2, 7, 16, 9, 15, 0x70, 0];
    let found = sites_at_depths(depths, |asm| {
        let mut grow = asm.create_label();
        asm.cmp(rsp, qword_ptr(r14 + 16))?;
        asm.jbe(grow)?;
        asm.push(rbp)?;
        asm.mov(rbp, rsp)?;
        asm.call(CALLEE)?;
        asm.pop(rbp)?;
        asm.ret()?;
        asm.set_label(&mut grow)?;
        asm.call(MORESTACK)?;
        asm.jmp(START)
    });
    assert!(found.refused.is_empty(), "{found:?}");
    let [entry, exit] = found.sites.as_slice() else { panic!("an entry and an exit: {found:?}") };
    assert_eq!((entry.va, entry.len, entry.resume), (Va(START), 15, None));
    assert_eq!(text_of(&entry.after), ["push rbp", "mov rbp,rsp", "call 0000000000002100h"]);
    assert_eq!((exit.va, exit.island), (Va(START + 15), Some(Va(START + 10))), "as deep as at the exit");
}

#[test]
fn an_instruction_that_makes_room_is_not_the_way_out_itself() {
    // `compress/flate.(*tokens).Reset`: after the entry comes a branch, with which the way out
    // begins.
    let found = sites(|asm| {
        let mut clear = asm.create_label();
        asm.cmp(word_ptr(rax + 0x288), 0)?;
        asm.jne(clear)?;
        asm.ret()?;
        asm.set_label(&mut clear)?;
        asm.call(CALLEE)?;
        asm.mov(rcx, 0x1122_3344_5566_7788_u64)?;
        asm.mov(rdx, 0x1122_3344_5566_7788_u64)?;
        asm.add(rsp, 0x1000)?;
        asm.ret()
    });
    assert!(found.refused.is_empty(), "{found:?}");
    let short = found.sites.iter().find(|site| site.island.is_some()).expect("the first return is short");
    assert_eq!((short.va, text_of(&short.before)), (Va(START + 8), vec!["jne short 000000000000100Bh".to_owned()]));
}
