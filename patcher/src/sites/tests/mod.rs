//! Sites of functions as Go's compiler lays them out. Each file has the tests of one subject.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use iced_x86::FlowControl;

mod arguments;
mod cut;
mod frames;
mod guards;
mod islands;
mod refused;
mod whole;

use super::*;
use crate::golang::pclntab::FuncFlags;

/// Go's linker fills the room between functions with this byte.
const PADDING: u8 = 0xCC;

/// Address of the function under test.
const START: u64 = 0x1000;
const END: u64 = 0x1800;
const MORESTACK: u64 = 0x2000;
/// A function that a build with `-d=maymorestack` calls before each stack check.
const MAY_MORE_STACK: u64 = 0x2200;
/// A function that Go compiled.
const CALLEE: u64 = 0x2100;

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
        pcsp: 1,
    }
}

/// The handler of nil dereferences in these tests.
const SIGPANIC: SigPanic = SigPanic { entry: 0x3000, g_sig: 0x80, g_sigcode0: 0x98, g_sigcode1: 0xa0, g_sigpc: 0xa8 };

fn text<'a>(
    functions: &'a FunctionTable<'a>,
    bytes: &'a dyn Fn(Va, Va) -> Option<&'a [u8]>,
    checked: &'a [Range<Va>],
) -> Text<'a> {
    Text { functions, bytes, checked, sigpanic: Some(SIGPANIC), hazard: &|_| None, is_beside_a_system_call: &|_| false }
}

/// A pcsp table with one depth for the whole function. (None; +1, up to 4096; end.)
const CONSTANT_DEPTH: &[u8] = &[0, 2, 0x80, 0x20, 0];

/// Assembles a function, pads it, and finds its sites.
fn sites(write: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>) -> FunctionSites {
    sites_at_depths(CONSTANT_DEPTH, write)
}

/// Like [`sites`], with this pcsp table.
fn sites_at_depths(pcsp: &[u8], write: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>) -> FunctionSites {
    let found = with_text(pcsp, write, |text, function| text.sites(function, Wanted { enter: true, exit: true }));
    let all: Vec<_> = found.sites.iter().chain(&found.relays).collect();
    for (index, site) in all.iter().enumerate() {
        let displaced: usize = site.before.iter().chain(&site.after).map(Instruction::len).sum();
        assert!(site.len >= displaced, "a site covers the instructions that it displaces");
        let apart = |other: &&Site| other.range().end <= site.range().start || site.range().end <= other.range().start;
        assert!(all[index + 1..].iter().all(apart), "sites do not overlap: {found:?}");
    }
    found
}

/// Assembles a function, pads it, and calls `read` with it.
fn with_text<T>(
    pcsp: &[u8],
    write: impl FnOnce(&mut CodeAssembler) -> Result<(), IcedError>,
    read: impl for<'t> FnOnce(&Text<'t>, &Function<'t>) -> T,
) -> T {
    let mut asm = CodeAssembler::new(64).expect("64 bits");
    write(&mut asm).expect("assembles");
    let mut code = asm.assemble(START).expect("encodes");
    let padding = code.len().next_multiple_of(32) - code.len();
    let end = START + (code.len() + padding) as u64;
    assert!(end <= END, "the function is longer than the test allows");
    code.resize(code.len() + padding, PADDING);

    let table = FunctionTable::from_functions(
        vec![
            function(0, "main.f", START, end),
            function(1, "runtime.morestack_noctxt.abi0", MORESTACK, MORESTACK + 0x20),
            function(2, "main.callee", CALLEE, CALLEE + 0x20),
            function(3, "runtime.mayMoreStackPreempt", MAY_MORE_STACK, MAY_MORE_STACK + 0x20),
        ],
        pcsp,
    );
    let bytes = |start: Va, stop: Va| code.get((start.0 - START) as usize..(stop.0 - START) as usize);
    read(&text(&table, &bytes, &[]), &table.all()[0])
}

/// `cmp rsp, [r14+16]; jbe`, frame, `body`, and after them the call of `morestack`.
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

fn text_of(instructions: &[Instruction]) -> Vec<String> {
    instructions.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn refused(found: &FunctionSites, at: At) -> Vec<Refusal> {
    found.refused.iter().filter(|place| place.at == at).map(|place| place.refusal).collect()
}

#[test]
fn an_entry_at_a_loop_is_hooked_before_the_loop() {
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
    assert!(found.refused.is_empty(), "{found:?}");
    let entry = &found.sites[0];
    assert_eq!((entry.va, entry.len), (Va(START), 6));
    assert_eq!(text_of(&entry.before), ["cmp rsp,[r14+10h]", "jbe short 0000000000001017h"]);
    assert_eq!((entry.after.len(), entry.resume), (0, Some(Va(START + 6))));
    // Without a stack check there is no instruction before the loop.
    let found = sites(|asm| {
        let mut again = asm.create_label();
        asm.set_label(&mut again)?;
        asm.add(rax, 0x1000)?;
        asm.jne(again)?;
        asm.ret()
    });
    assert_eq!(refused(&found, At::Enter), [Refusal::BranchTarget]);
}

#[test]
fn code_of_maymorestack_before_the_check_is_known() {
    let found = sites(|asm| {
        let (mut grow, mut start) = (asm.create_label(), asm.create_label());
        asm.mov(qword_ptr(rsp + 8), rax)?;
        asm.push(rdx)?;
        asm.call(MAY_MORE_STACK)?;
        asm.pop(rdx)?;
        asm.mov(rax, qword_ptr(rsp + 8))?;
        asm.nop_1(dword_ptr(rax))?;
        asm.set_label(&mut start)?;
        asm.lea(r12, qword_ptr(rsp - 0x18))?;
        asm.cmp(r12, qword_ptr(r14 + 16))?;
        asm.jbe(grow)?;
        asm.push(rbp)?;
        asm.mov(rbp, rsp)?;
        asm.sub(rsp, 0x90)?;
        asm.call(CALLEE)?;
        asm.add(rsp, 0x90)?;
        asm.pop(rbp)?;
        asm.ret()?;
        asm.set_label(&mut grow)?;
        asm.call(MORESTACK)?;
        asm.jmp(start)
    });
    assert!(found.refused.is_empty(), "{found:?}");
    assert_eq!((found.sites[0].before.len(), found.sites[0].after.len()), (3, 0), "the check alone");
    assert!(found.sites[0].va > Va(START), "after the call");
}

#[test]
fn an_entry_with_a_call_soon_after_is_hooked_with_its_stack_check() {
    let found = sites(|asm| {
        let mut grow = asm.create_label();
        asm.cmp(rsp, qword_ptr(r14 + 16))?;
        asm.jbe(grow)?;
        asm.push(rbp)?;
        asm.mov(rbp, rsp)?;
        asm.call(MORESTACK + 0x100)?;
        asm.mov(eax, 7)?;
        asm.pop(rbp)?;
        asm.ret()?;
        asm.set_label(&mut grow)?;
        asm.call(MORESTACK)?;
        asm.jmp(START)
    });
    assert!(found.refused.is_empty(), "{found:?}");
    assert_eq!((found.sites[0].va, found.sites[0].len), (Va(START), 6));
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
fn a_tail_jump_is_a_way_out_unless_its_register_is_the_thunks() {
    let to = |target: fn(&mut CodeAssembler) -> Result<(), IcedError>| {
        sites(|asm| {
            asm.mov(rax, rbx)?;
            asm.add(rcx, 16)?;
            asm.nop_1(dword_ptr(rax + rax * 1 + 0x7f))?;
            asm.mov(rbx, rcx)?;
            target(asm)
        })
    };
    let found = to(|asm| asm.jmp(MORESTACK + 0x100));
    let exit = found.sites.iter().find(|site| site.at == At::Exit).expect("the tail jump");
    assert_eq!(exit.after[0].near_branch_target(), MORESTACK + 0x100);
    let found = to(|asm| asm.jmp(rdx));
    let exit = found.sites.iter().find(|site| site.at == At::Exit).expect("the tail jump");
    assert_eq!(
        (text_of(&exit.before).len(), text_of(&exit.after)),
        (0, vec!["jmp rdx".to_owned()]),
        "it grew into the padding"
    );
    assert_eq!(refused(&to(|asm| asm.jmp(r12)), At::Exit), [Refusal::RegisterInUse]);
    assert_eq!(refused(&to(|asm| asm.jmp(qword_ptr(rdx + 8))), At::Exit), [Refusal::IndirectJump]);
}

/// The only site of a function, which is its entry and its way out.
#[track_caller]
fn joined(found: &FunctionSites) -> (Vec<String>, String, usize) {
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    let [site] = found.sites.as_slice() else { panic!("one site: {found:?}") };
    assert!(site.is_at(At::Enter) && site.is_at(At::Exit) && site.resume.is_none());
    (text_of(&site.after), site.leaves.map(|last| last.to_string()).unwrap_or_default(), site.len)
}

#[test]
fn a_function_as_short_as_a_jump_has_one_site() {
    let empty = sites(CodeAssembler::ret);
    assert_eq!(joined(&empty), (vec![], "ret".to_owned(), 5));
    let constant = sites(|asm| {
        asm.mov(eax, 1)?;
        asm.ret()?;
        // Code after it, so that the return has no padding to grow into.
        asm.ud2()
    });
    assert_eq!(joined(&constant), (vec!["mov eax,1".to_owned()], "ret".to_owned(), 6));
    let wrapper = sites(|asm| asm.jmp(MORESTACK + 0x100));
    assert_eq!(joined(&wrapper).1, format!("jmp {:016X}h", MORESTACK + 0x100));
}

#[test]
fn an_entry_and_a_way_out_that_overlap_are_joined() {
    let found = sites(|asm| {
        asm.bt(eax, 31)?;
        asm.setb(al)?;
        asm.ret()?;
        asm.ud2()
    });
    assert_eq!(joined(&found), (vec!["bt eax,1Fh".to_owned(), "setb al".to_owned()], "ret".to_owned(), 8));
}

#[test]
fn a_short_function_with_a_second_way_out_has_a_site_for_each() {
    let found = sites(|asm| {
        let mut other = asm.create_label();
        asm.test(rax, rax)?;
        asm.je(other)?;
        asm.ret()?;
        asm.ud2()?;
        asm.set_label(&mut other)?;
        asm.mov(eax, 7)?;
        asm.ret()
    });
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    let [entry, exit] = found.sites.as_slice() else { panic!("{found:?}") };
    assert_eq!((text_of(&entry.after).len(), entry.leaves.is_some(), entry.len), (2, true, 6));
    assert_eq!((exit.at, exit.leaves.is_some()), (At::Exit, false));
}

#[test]
fn a_tail_jump_has_no_results_to_capture() {
    let mut found = sites(|asm| {
        asm.test(rax, rax)?;
        asm.mov(ecx, 7)?;
        asm.nop_1(dword_ptr(rax + rax * 1 + 0x7f))?;
        asm.jmp(MORESTACK + 0x100)
    });
    found.refuse_tail_jumps();
    assert_eq!(refused(&found, At::Exit), [Refusal::NoResults]);
    assert!(found.sites.iter().all(|site| site.at == At::Enter), "{found:?}");
    let mut found = sites(|asm| asm.jmp(MORESTACK + 0x100));
    found.refuse_tail_jumps();
    assert_eq!(refused(&found, At::Exit), [Refusal::NoResults]);
    assert_eq!((text_of(&found.sites[0].after).len(), found.sites[0].leaves), (1, None), "the entry is still hooked");
}

#[test]
fn a_conditional_branch_moves() {
    let found = sites(|asm| {
        let mut other = asm.create_label();
        asm.test(rax, rax)?;
        asm.je(other)?;
        asm.call(MORESTACK + 0x100)?;
        asm.nop_1(dword_ptr(rax + rax * 1 + 0x7f))?;
        asm.ret()?;
        asm.set_label(&mut other)?;
        asm.mov(eax, 7)?;
        asm.ret()
    });
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    let entry = &found.sites[0];
    assert_eq!((text_of(&entry.after).len(), entry.resume), (2, Some(Va(START + 5))));
    assert_eq!(entry.after[1].near_branch_target(), START + 16);
}

#[test]
fn a_loop_stays_where_it_can_be_preempted() {
    let found = sites(|asm| {
        let mut again = asm.create_label();
        asm.call(MORESTACK + 0x100)?;
        asm.set_label(&mut again)?;
        asm.dec(rax)?;
        asm.jne(again)?;
        asm.ret()?;
        asm.ud2()
    });
    assert_eq!(refused(&found, At::Exit), [Refusal::FlowControl]);
}

#[test]
fn a_displacement_that_looks_like_padding_is_code() {
    // Far enough in, `jmp` to the first byte has 0xCC for its displacement.
    let found = sites(|asm| {
        asm.sub(rsp, 0x7fff)?;
        asm.je(START + 17)?;
        asm.add(rsp, 0x7fff)?;
        asm.ret()?;
        while asm.instructions().len() < 37 {
            asm.nop()?;
        }
        asm.jmp(START)
    });
    assert_eq!(refused(&found, At::Enter), [Refusal::BranchTarget], "it was decoded: {found:?}");
}

#[test]
fn a_call_at_the_first_instructions_is_not_displaced() {
    let found = sites(|asm| {
        asm.push(rbp)?;
        asm.call(MORESTACK + 0x100)?;
        asm.pop(rbp)?;
        asm.ret()?;
        // Code after it, so that the return has no padding to grow into.
        asm.mov(eax, 1)?;
        asm.ud2()
    });
    assert_eq!(refused(&found, At::Enter), [Refusal::FlowControl]);
    for site in &found.sites {
        assert!(site.before.iter().all(|instruction| instruction.flow_control() == FlowControl::Next));
    }
}
