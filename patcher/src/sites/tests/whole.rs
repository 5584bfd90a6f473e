//! Functions that move as a whole.

#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;
use iced_x86::{Code, IcedError};

use super::*;

#[test]
fn a_function_of_one_block_and_branches_moves_as_a_whole() {
    // `time.Time.After`: ways out that are branched to, and one that is too short after another.
    let found = sites(|asm| {
        let (mut other, mut out) = (asm.create_label(), asm.create_label());
        asm.cmp(rax, rbx)?;
        asm.jl(other)?;
        asm.mov(eax, 1)?;
        asm.jmp(out)?;
        asm.set_label(&mut other)?;
        asm.xor(eax, eax)?;
        asm.set_label(&mut out)?;
        asm.ret()?;
        asm.setg(al)?;
        asm.ret()
    });
    assert!(found.refused.is_empty(), "{found:?}");
    let [whole] = found.sites.as_slice() else { panic!("one site: {found:?}") };
    assert_eq!(whole.va, Va(START));
    assert_eq!(text_of(&whole.after).iter().filter(|it| *it == "ret").count(), 1, "the last is in `leaves`");
    assert!(whole.leaves.is_some_and(|last| last.code() == Code::Retnq));
    // A function that calls or loops stays.
    let stays = |write: fn(&mut CodeAssembler) -> Result<(), IcedError>| {
        let found = sites(|asm| {
            let mut out = asm.create_label();
            write(asm)?;
            asm.je(out)?;
            asm.add(eax, 2)?;
            asm.set_label(&mut out)?;
            asm.nop()?;
            asm.ret()?;
            asm.ud2()
        });
        assert_eq!(refused(&found, At::Exit).len(), 1, "{found:?}");
    };
    stays(|asm| asm.call(MORESTACK + 0x100));
    stays(|asm| asm.jne(START));
}

#[test]
fn a_compare_and_swap_may_be_retried() {
    // `sync/atomic.(*Int32).And`.
    let and = |lock: bool| {
        sites(|asm| {
            let mut again = asm.create_label();
            asm.mov(rcx, rax)?;
            asm.set_label(&mut again)?;
            asm.mov(edx, ebx)?;
            asm.mov(eax, dword_ptr(rcx))?;
            asm.and(edx, eax)?;
            if lock {
                asm.lock().cmpxchg(dword_ptr(rcx), edx)?;
            } else {
                asm.cmpxchg(dword_ptr(rcx), edx)?;
            }
            asm.jne(again)?;
            asm.ret()
        })
    };
    let moved = and(true);
    assert!(moved.refused.is_empty() && moved.sites.len() == 1, "{moved:?}");
    assert_eq!(moved.sites[0].guards.len(), 2, "the load and the exchange");
    assert_eq!(refused(&and(false), At::Enter), [Refusal::BranchTarget]);
}
