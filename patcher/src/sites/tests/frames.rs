//! Functions that make a frame, with and without a stack check.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::*;

#[test]
fn a_function_with_a_frame_is_hooked_over_its_check_and_before_its_return() {
    let found = sites(|asm| {
        with_frame(asm, |asm| {
            asm.call(MORESTACK + 0x100)?;
            leave(asm)
        })
    });
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    let [entry, exit] = found.sites.as_slice() else { panic!("one entry and one exit: {found:?}") };
    assert_eq!((entry.va, entry.len), (Va(START), 6), "cmp (4 bytes) and jbe (2)");
    assert_eq!(text_of(&entry.before), ["cmp rsp,[r14+10h]", "jbe short 0000000000001019h"]);
    assert_eq!((entry.after.len(), entry.resume), (0, Some(Va(START + 6))), "the frame is made in place");
    assert_eq!(text_of(&exit.before), ["add rsp,20h", "pop rbp"]);
    assert_eq!(text_of(&exit.after), ["ret"]);
    assert_eq!(exit.resume, None);
}

#[test]
fn the_checks_of_large_and_huge_frames_are_known() {
    let large = sites(|asm| {
        let mut grow = asm.create_label();
        asm.lea(r12, qword_ptr(rsp - 0x400))?;
        asm.cmp(r12, qword_ptr(r14 + 16))?;
        asm.jbe(grow)?;
        asm.sub(rsp, 0x480)?;
        asm.add(rsp, 0x480)?;
        asm.ret()?;
        asm.set_label(&mut grow)?;
        asm.call(MORESTACK)?;
        asm.jmp(START)
    });
    assert_eq!((large.sites[0].before.len(), large.sites[0].len), (3, 14), "{large:?}");
    let huge = sites(|asm| {
        let mut grow = asm.create_label();
        asm.mov(r12, rsp)?;
        asm.sub(r12, 0x20_0000)?;
        asm.jb(grow)?;
        asm.cmp(r12, qword_ptr(r14 + 16))?;
        asm.jbe(grow)?;
        asm.sub(rsp, 0x20_0000)?;
        asm.add(rsp, 0x20_0000)?;
        asm.ret()?;
        asm.set_label(&mut grow)?;
        asm.call(MORESTACK)?;
        asm.jmp(START)
    });
    assert_eq!(huge.sites[0].before.len(), 5, "{huge:?}");
    assert_eq!(huge.sites[0].resume.map(|va| va.0), Some(START + huge.sites[0].len as u64));
}

#[test]
fn a_frame_without_a_check_is_hooked_where_debuggers_stop() {
    // `push rbp` stays, and the site begins with the instruction that ends the prologue.
    let entry = |write: fn(&mut CodeAssembler) -> Result<(), IcedError>| {
        let found = sites(|asm| {
            asm.push(rbp)?;
            asm.mov(rbp, rsp)?;
            write(asm)
        });
        assert!(found.refused.is_empty(), "{:?}", found.refused);
        let entry = &found.sites[0];
        (entry.va.0 - START, entry.depth, text_of(&entry.after))
    };
    let with_room = entry(|asm| {
        asm.sub(rsp, 0x20)?;
        asm.xor(ecx, ecx)?;
        asm.call(MORESTACK + 0x100)?;
        leave(asm)
    });
    assert_eq!(with_room, (4, 8, vec!["sub rsp,20h".to_owned(), "xor ecx,ecx".to_owned()]));
    let without = entry(|asm| {
        asm.test(rax, rax)?;
        asm.call(MORESTACK + 0x100)?;
        asm.add(rcx, 0x1000)?;
        asm.pop(rbp)?;
        asm.ret()
    });
    assert_eq!(without, (1, 8, vec!["mov rbp,rsp".to_owned(), "test rax,rax".to_owned()]));
}

#[test]
fn a_frame_too_large_to_count_is_no_panic() {
    let found = sites(|asm| {
        asm.push(rbp)?;
        asm.mov(rbp, rsp)?;
        asm.sub(rsp, i32::MAX)?;
        asm.xor(ecx, ecx)?;
        asm.call(MORESTACK + 0x100)?;
        leave(asm)
    });
    assert_eq!((found.sites[0].va, found.sites[0].depth), (Va(START + 4), 8), "{found:?}");
}

#[test]
fn a_check_of_an_unknown_form_is_refused() {
    let found = sites(|asm| {
        let mut grow = asm.create_label();
        asm.cmp(rsp, qword_ptr(rcx + 16))?;
        asm.jbe(grow)?;
        asm.sub(rsp, 0x20)?;
        asm.add(rsp, 0x20)?;
        asm.ret()?;
        asm.set_label(&mut grow)?;
        asm.call(MORESTACK)?;
        asm.jmp(START)
    });
    assert_eq!(refused(&found, At::Enter), [Refusal::StackCheck]);
}
