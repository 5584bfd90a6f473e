//! Functions that do not run.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::*;

/// Where a function that must not run is cut: offset and size.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method's own path fixes one lifetime")]
fn cut(write: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>) -> Result<(u64, usize), Refusal> {
    let site = with_text(CONSTANT_DEPTH, write, |text, function| text.cut(function));
    site.map(|site| (site.va.0 - START, site.len)).map_err(|refused| refused.refusal)
}

#[test]
fn a_body_that_never_runs_need_not_move() {
    let may_fault = |asm: &mut CodeAssembler| {
        asm.push(qword_ptr(rax + 0x1000))?;
        asm.pop(rax)?;
        asm.ret()
    };
    assert_eq!(refused(&sites(may_fault), At::Enter), [Refusal::MayFault]);
    assert_eq!(cut(may_fault), Ok((0, 6)));
    let loops = |asm: &mut CodeAssembler| {
        let mut again = asm.create_label();
        asm.set_label(&mut again)?;
        asm.dec(rax)?;
        asm.jne(again)?;
        asm.ret()
    };
    assert_eq!(cut(loops), Ok((0, 5)));
    assert_eq!(cut(CodeAssembler::ret), Ok((0, 5)), "with padding");
    assert_eq!(cut(|asm| with_frame(asm, leave)), Ok((0, 6)), "a function that returns at once needs no stack");
}

#[test]
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method's own path fixes one lifetime")]
fn a_function_that_only_computes_may_vanish_when_inlined() {
    let may_vanish = |write: fn(&mut CodeAssembler) -> Result<(), IcedError>| {
        with_text(CONSTANT_DEPTH, write, |text, function| text.may_vanish(function))
    };
    assert!(may_vanish(|asm| {
        asm.lea(rax, ptr(iced_x86::Register::RIP) + START)?;
        asm.mov(ebx, 3)?;
        asm.ret()
    }));
    assert!(!may_vanish(|asm| {
        asm.mov(rax, qword_ptr(iced_x86::Register::RIP) + START)?;
        asm.ret()
    }));
    assert!(!may_vanish(|asm| with_frame(asm, leave)));
}
