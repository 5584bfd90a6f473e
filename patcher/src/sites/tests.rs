//! Functions as Go's compiler lays them out, and what becomes of them.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::*;
use crate::golang::pclntab::FuncFlags;

/// The function under test lies here, `runtime.morestack` at [`MORESTACK`].
const START: u64 = 0x1000;
const END: u64 = 0x1800;
const MORESTACK: u64 = 0x2000;

fn function(index: u32, name: &'static str, start: u64, end: u64) -> Function<'static> {
    Function {
        index,
        name,
        start: Va(start),
        end: Va(end),
        args: Some(0),
        deferreturn: None,
        func_id: 0,
        is_wrapper: false,
        flags: FuncFlags(0),
    }
}

/// Assembles a function, pads it, and finds its sites.
fn sites(write: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>) -> FunctionSites {
    let mut asm = CodeAssembler::new(64).expect("64 bits");
    write(&mut asm).expect("assembles");
    let mut code = asm.assemble(START).expect("encodes");
    let padding = code.len().next_multiple_of(32) - code.len();
    let end = START + (code.len() + padding) as u64;
    assert!(end <= END, "the function is longer than the test allows");
    code.resize(code.len() + padding, PADDING);

    let table = FunctionTable::of(vec![
        function(0, "main.f", START, end),
        function(1, "runtime.morestack_noctxt.abi0", MORESTACK, MORESTACK + 0x20),
    ]);
    let bytes = |start: Va, stop: Va| code.get((start.0 - START) as usize..(stop.0 - START) as usize);
    let found = Text::new(&table, &bytes, &[]).sites(&table.all()[0], Wanted { enter: true, exit: true });
    for site in &found.sites {
        let displaced: usize = site.before.iter().chain(&site.after).map(Instruction::len).sum();
        assert!(site.len >= displaced, "a site covers what it displaced");
    }
    found
}

/// `cmp rsp, [r14+16]; jbe`, frame, `body`, and the call of `morestack` behind it all.
fn with_frame(
    asm: &mut CodeAssembler,
    body: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>,
) -> Result<(), IcedError> {
    let mut grow = asm.create_label();
    let mut start = asm.create_label();
    asm.set_label(&mut start)?;
    asm.cmp(rsp, qword_ptr(r14 + 16))?;
    asm.jbe(grow)?;
    asm.push(rbp)?;
    asm.mov(rbp, rsp)?;
    asm.sub(rsp, 0x20)?;
    body(asm)?;
    asm.set_label(&mut grow)?;
    asm.mov(qword_ptr(rsp + 8), rax)?;
    asm.call(MORESTACK)?;
    asm.mov(rax, qword_ptr(rsp + 8))?;
    asm.jmp(start)
}

fn leave(asm: &mut CodeAssembler) -> Result<(), IcedError> {
    asm.add(rsp, 0x20)?;
    asm.pop(rbp)?;
    asm.ret()
}

fn shown(instructions: &[Instruction]) -> Vec<String> {
    instructions.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn refused(found: &FunctionSites, at: At) -> Vec<Refusal> {
    found.refused.iter().filter(|place| place.at == at).map(|place| place.refusal).collect()
}

#[test]
fn a_function_with_a_frame_is_hooked_behind_its_check_and_before_its_return() {
    let found = sites(|asm| {
        with_frame(asm, |asm| {
            asm.call(MORESTACK + 0x100)?;
            leave(asm)
        })
    });
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    let [entry, exit] = found.sites.as_slice() else { panic!("one entry and one exit: {found:?}") };
    assert_eq!(entry.va, Va(START + 6), "behind cmp (4 bytes) and jbe (2)");
    assert_eq!(shown(&entry.after), ["push rbp", "mov rbp,rsp", "sub rsp,20h"]);
    assert_eq!(entry.resume, Some(Va(START + 14)));
    assert_eq!(shown(&exit.before), ["add rsp,20h", "pop rbp"]);
    assert_eq!(shown(&exit.after), ["ret"]);
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
    assert_eq!(shown(&large.sites[0].after), ["sub rsp,480h"], "{large:?}");
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
    assert_eq!(shown(&huge.sites[0].after), ["sub rsp,200000h"], "{huge:?}");
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

#[test]
fn an_entry_that_a_loop_comes_back_to_is_refused() {
    let found = sites(|asm| {
        let mut grow = asm.create_label();
        let mut again = asm.create_label();
        asm.cmp(rsp, qword_ptr(r14 + 16))?;
        asm.jbe(grow)?;
        asm.set_label(&mut again)?;
        asm.add(rax, 0x1000)?;
        asm.test(rax, rax)?;
        asm.jne(again)?;
        asm.add(rsp, 0x20)?;
        asm.pop(rbp)?;
        asm.ret()?;
        asm.set_label(&mut grow)?;
        asm.call(MORESTACK)?;
        asm.jmp(START)
    });
    assert_eq!(refused(&found, At::Enter), [Refusal::BranchTarget]);
}

#[test]
fn a_short_tail_that_is_branched_to_is_refused() {
    let found = sites(|asm| {
        with_frame(asm, |asm| {
            let mut tail = asm.create_label();
            asm.test(rax, rax)?;
            asm.je(tail)?;
            asm.call(MORESTACK + 0x100)?;
            asm.set_label(&mut tail)?;
            asm.pop(rbp)?;
            asm.ret()
        })
    });
    assert_eq!(refused(&found, At::Exit), [Refusal::BranchTarget]);
}

#[test]
fn what_may_fault_stays_where_it_is() {
    let found = sites(|asm| {
        asm.mov(rax, qword_ptr(rax))?;
        asm.mov(rbx, qword_ptr(rax + 8))?;
        asm.nop_1(dword_ptr(rax + rax * 1))?;
        asm.jmp(START + 0x40)
    });
    assert_eq!(refused(&found, At::Enter), [Refusal::MayFault]);
}

#[test]
fn beside_a_jump_table_only_frames_are_displaced() {
    let found = sites(|asm| {
        with_frame(asm, |asm| {
            asm.lea(rcx, qword_ptr(0x5000))?;
            asm.jmp(qword_ptr(rcx + rax * 8))?;
            asm.mov(eax, 7)?;
            asm.ret()?;
            asm.call(MORESTACK + 0x100)?;
            leave(asm)
        })
    });
    assert_eq!(refused(&found, At::Exit), [Refusal::JumpTable], "{found:?}");
    assert_eq!(found.sites.len(), 2, "the entry and the return with a frame: {found:?}");
}

#[test]
fn a_tail_jump_is_a_way_out_and_one_through_a_register_is_refused() {
    let found = sites(|asm| {
        asm.mov(rax, rbx)?;
        asm.add(rcx, 16)?;
        asm.nop_1(dword_ptr(rax + rax * 1 + 0x7f))?;
        asm.mov(rbx, rcx)?;
        asm.jmp(MORESTACK + 0x100)
    });
    let exit = found.sites.iter().find(|site| site.at == At::Exit).expect("the tail jump");
    assert_eq!(exit.after[0].near_branch_target(), MORESTACK + 0x100);
    let found = sites(|asm| {
        asm.mov(rax, rbx)?;
        asm.mov(rcx, rdi)?;
        asm.jmp(rcx)
    });
    assert_eq!(refused(&found, At::Exit), [Refusal::IndirectJump]);
}

#[test]
fn a_call_is_never_displaced() {
    let found = sites(|asm| {
        asm.push(rbp)?;
        asm.call(MORESTACK + 0x100)?;
        asm.pop(rbp)?;
        asm.ret()?;
        // Code behind, so that the return has no padding to grow into.
        asm.mov(eax, 1)?;
        asm.ud2()
    });
    assert_eq!(refused(&found, At::Enter), [Refusal::FlowControl]);
    for site in &found.sites {
        assert!(site.before.iter().all(|instruction| instruction.flow_control() == FlowControl::Next));
    }
}

/// Why the entry of a function without a stack check is refused, if it is.
fn entry_refusals(name: &'static str, checked: Range<u64>) -> Vec<Refusal> {
    // sub rsp, 0x20; nop; add rsp, 0x20; ret
    let mut code = vec![0x48, 0x83, 0xec, 0x20, 0x90, 0x48, 0x83, 0xc4, 0x20, 0xc3];
    code.resize(32, PADDING);
    let checked = [Va(checked.start)..Va(checked.end)];
    let table = FunctionTable::of(vec![function(0, name, START, START + 32)]);
    let bytes = |_: Va, _: Va| Some(&code[..]);
    let wanted = Wanted { enter: true, exit: true };
    refused(&Text::new(&table, &bytes, &checked).sites(&table.all()[0], wanted), At::Enter)
}

#[test]
fn what_must_keep_its_bytes_is_refused() {
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
    let table = FunctionTable::of(vec![assembly]);
    let wanted = Wanted { enter: true, exit: true };
    let found = Text::new(&table, &bytes, &[]).sites(&assembly, wanted);
    assert_eq!(refused(&found, At::Enter), [Refusal::Undecodable]);
    assembly.flags = FuncFlags(4);
    let found = Text::new(&table, &bytes, &[]).sites(&assembly, wanted);
    assert_eq!(refused(&found, At::Enter), [Refusal::Assembly]);
}
