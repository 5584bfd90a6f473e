//! Functions that are refused as a whole.

use super::*;

#[test]
fn code_that_go_did_not_compile_is_refused() {
    let code = [0x90; 32];
    let mut foreign = function(0, "x_cgo_init", START, START + 32);
    foreign.pcsp = 0;
    let bytes = |_: Va, _: Va| Some(&code[..]);
    let table = FunctionTable::from_functions(vec![foreign], CONSTANT_DEPTH);
    let found = text(&table, &bytes, &[]).sites(&foreign, Wanted { enter: true, exit: true });
    assert_eq!(refused(&found, At::Enter), [Refusal::NotGo]);
}

/// Refusals of the entry of a function without a stack check.
fn entry_refusals(name: &'static str, checked: Range<u64>) -> Vec<Refusal> {
    // sub rsp, 0x20; nop; add rsp, 0x20; ret
    let mut code = vec![0x48, 0x83, 0xec, 0x20, 0x90, 0x48, 0x83, 0xc4, 0x20, 0xc3];
    code.resize(32, PADDING);
    let checked = [Va(checked.start)..Va(checked.end)];
    let table = FunctionTable::from_functions(vec![function(0, name, START, START + 32)], CONSTANT_DEPTH);
    let bytes = |_: Va, _: Va| Some(&code[..]);
    let wanted = Wanted { enter: true, exit: true };
    refused(&text(&table, &bytes, &checked).sites(&table.all()[0], wanted), At::Enter)
}

#[test]
fn a_function_under_a_digest_is_refused() {
    assert_eq!(entry_refusals("main.f", START + 31..START + 64), [Refusal::Fips140]);
    assert_eq!(entry_refusals("main.f", START + 32..START + 64), []);
}

#[test]
fn a_function_of_the_runtime_without_a_stack_check_is_refused() {
    assert_eq!(entry_refusals("runtime.nanotime", 0..0), [Refusal::RuntimeNosplit]);
    assert_eq!(entry_refusals("runtimes.nanotime", 0..0), []);
}

#[test]
fn assembly_and_garbage_are_refused() {
    let code = [0x06; 32];
    let mut assembly = function(0, "main.f", START, START + 32);
    let bytes = |_: Va, _: Va| Some(&code[..]);
    let table = FunctionTable::from_functions(vec![assembly], CONSTANT_DEPTH);
    let wanted = Wanted { enter: true, exit: true };
    let found = text(&table, &bytes, &[]).sites(&assembly, wanted);
    assert_eq!(refused(&found, At::Enter), [Refusal::Undecodable]);
    assembly.flags = FuncFlags(4);
    let found = text(&table, &bytes, &[]).sites(&assembly, wanted);
    assert_eq!(refused(&found, At::Enter), [Refusal::Assembly]);
}
