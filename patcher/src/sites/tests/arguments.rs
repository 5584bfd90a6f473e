use gopatch_trampolines::plan::Gpr;

use super::*;

#[expect(clippy::redundant_closure_for_method_calls, reason = "the method alone has no such lifetimes")]
fn lost(write: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>) -> Vec<Gpr> {
    with_text(CONSTANT_DEPTH, write, |text, function| text.lost_arguments(function))
}

#[test]
fn arguments_that_are_not_saved_for_morestack_are_lost() {
    let lost = lost(|asm| with_frame(asm, leave));
    assert_eq!(lost, Gpr::ALL[1..], "only RAX is saved");
}

#[test]
fn a_function_that_never_grows_its_stack_loses_nothing() {
    assert_eq!(lost(CodeAssembler::ret), []);
}
