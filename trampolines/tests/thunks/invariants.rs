//! The rules of rewriting, checked on the emitted instructions themselves.

use capstone::arch::BuildsCapstone;
use capstone::arch::x86::ArchMode;
use gopatch_trampolines::attach::{self, AttachPlan};
use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, Register,
};

use crate::plans;

fn decode(bytes: &[u8]) -> Vec<Instruction> {
    Decoder::with_ip(64, bytes, plans::CODE, DecoderOptions::NONE).into_iter().collect()
}

/// The thunk's instructions that are gopatch's own, each with what it accesses.
fn own(thunk: &plans::Emitted) -> Vec<Instruction> {
    let displaced: Vec<String> = thunk.displaced.iter().map(ToString::to_string).collect();
    decode(&thunk.bytes).into_iter().filter(|instruction| !displaced.contains(&instruction.to_string())).collect()
}

fn writes(access: OpAccess) -> bool {
    !matches!(access, OpAccess::None | OpAccess::NoMemAccess | OpAccess::Read | OpAccess::CondRead)
}

#[test]
fn a_thunk_never_calls_and_never_enters_the_kernel() {
    for thunk in plans::all() {
        for instruction in own(&thunk) {
            let flow = instruction.flow_control();
            assert!(
                !matches!(flow, FlowControl::Call | FlowControl::IndirectCall | FlowControl::Interrupt),
                "{}: {instruction}",
                thunk.name
            );
            assert_ne!(instruction.mnemonic(), Mnemonic::Syscall, "{}", thunk.name);
        }
    }
}

#[test]
fn a_thunk_does_not_touch_the_goroutines_stack() {
    let mut factory = InstructionInfoFactory::new();
    for thunk in plans::all() {
        let own = own(&thunk);
        for (index, instruction) in own.iter().enumerate() {
            // But where the program itself would have: for a call that moved, and for what met nil, it leaves with the
            // address of the program that it has just taken.
            if instruction.mnemonic() == Mnemonic::Push {
                let leaves = &own[index + 1];
                assert_eq!(leaves.mnemonic(), Mnemonic::Jmp, "{}: {leaves}", thunk.name);
                assert!(leaves.near_branch_target() < plans::ARENA, "{}: {leaves}", thunk.name);
                let names = |it: &&Instruction| it.mnemonic() == Mnemonic::Lea && it.op0_register() == Register::R12;
                let named = own[..index].iter().rev().take(5).find(names).expect("an address is taken");
                assert!(
                    thunk.displaced.iter().any(|it| [it.ip(), it.next_ip()].contains(&named.memory_displacement64())),
                    "{}: {named}",
                    thunk.name
                );
                continue;
            }
            assert!(!instruction.is_stack_instruction(), "{}: {instruction}", thunk.name);
            for memory in factory.info(instruction).used_memory() {
                let on_stack = matches!(memory.base(), Register::RSP | Register::RBP);
                assert!(!on_stack || !writes(memory.access()), "{}: {instruction} writes to the stack", thunk.name);
            }
        }
    }
}

#[test]
fn a_thunk_leaves_the_registers_that_go_relies_on() {
    let kept = [Register::RSP, Register::RBP, Register::R14, Register::RDI, Register::RSI].into_iter().chain([
        Register::R8,
        Register::R9,
        Register::R10,
        Register::R11,
    ]);
    let kept: Vec<_> = kept.collect();
    let mut factory = InstructionInfoFactory::new();
    for thunk in plans::all() {
        for instruction in own(&thunk) {
            for used in factory.info(&instruction).used_registers() {
                if !writes(used.access()) {
                    continue;
                }
                let full = used.register().full_register();
                if instruction.mnemonic() == Mnemonic::Push && full == Register::RSP {
                    // `a_thunk_does_not_touch_the_goroutines_stack` looks at these.
                    continue;
                }
                assert!(!kept.contains(&full), "{}: {instruction} writes {full:?}", thunk.name);
                let is_vector = used.register().is_vector_register();
                assert!(!is_vector || full == Register::ZMM15, "{}: {instruction} writes {full:?}", thunk.name);
            }
        }
    }
}

/// Nothing but the results, in their registers or in the caller's frame, and one register to work in; and then it leaves.
#[test]
fn what_stands_in_for_a_body_sets_the_results_and_leaves() {
    let results = [Register::RAX, Register::RBX, Register::RCX, Register::RDI, Register::R11, Register::R13];
    let floats = [Register::ZMM0, Register::ZMM14];
    let mut factory = InstructionInfoFactory::new();
    for thunk in plans::skips() {
        let instructions = decode(&thunk.bytes);
        let (last, rest) = instructions.split_last().expect("it has instructions");
        assert!(matches!(last.mnemonic(), Mnemonic::Ret | Mnemonic::Jmp), "{}: {last}", thunk.name);
        for instruction in rest {
            assert_eq!(instruction.flow_control(), FlowControl::Next, "{}: {instruction}", thunk.name);
            assert!(!instruction.is_stack_instruction(), "{}: {instruction}", thunk.name);
            let info = factory.info(instruction);
            for used in info.used_registers().iter().filter(|used| writes(used.access())) {
                let full = used.register().full_register();
                assert!(
                    results.contains(&full) || floats.contains(&full),
                    "{}: {instruction} writes {full:?}",
                    thunk.name
                );
            }
            for memory in info.used_memory().iter().filter(|memory| writes(memory.access())) {
                // The return address lies at RSP.
                let in_callers_frame = memory.base() == Register::RSP && memory.displacement() >= 8;
                assert!(in_callers_frame, "{}: {instruction}", thunk.name);
            }
        }
    }
}

#[test]
fn a_call_that_is_left_out_pays_for_nothing() {
    let mut factory = InstructionInfoFactory::new();
    for thunk in plans::filtered() {
        // The filter stands in a row, from where the hook is found to be enabled to where the slot is taken.
        let all = decode(&thunk.bytes);
        let active = all.iter().find(|instruction| instruction.mnemonic() == Mnemonic::Jne).expect("it is looked at");
        let active = active.near_branch_target();
        let takes_slot = all.iter().position(|instruction| {
            instruction.mnemonic() == Mnemonic::Mov
                && instruction.op0_kind() == iced_x86::OpKind::Memory
                && instruction.memory_base() == Register::R13
                && instruction.memory_displacement64() == gopatch_trampolines::arena::slot::BUSY
        });
        let filter =
            all[..takes_slot.expect("the slot is taken")].iter().filter(|instruction| instruction.ip() >= active);
        let mut looked_at = 0;
        for instruction in filter {
            looked_at += 1;
            assert_ne!(instruction.mnemonic(), Mnemonic::Rdtsc, "{}", thunk.name);
            assert!(!instruction.has_lock_prefix(), "{}: {instruction}", thunk.name);
            let info = factory.info(instruction);
            for used in info.used_registers().iter().filter(|used| writes(used.access())) {
                let free = [Register::R12, Register::R13, Register::R15];
                assert!(free.contains(&used.register().full_register()), "{}: {instruction}", thunk.name);
            }
            for memory in info.used_memory().iter().filter(|memory| writes(memory.access())) {
                let is_random =
                    memory.base() == Register::R12 && memory.displacement() == gopatch_trampolines::arena::slot::RANDOM;
                assert!(is_random, "{}: {instruction} writes to memory", thunk.name);
            }
        }
        assert!(looked_at > 20, "{}: {looked_at} instructions", thunk.name);
    }
}

#[test]
fn x15_is_zero_again_after_strings_were_copied() {
    for thunk in plans::all() {
        let instructions = decode(&thunk.bytes);
        let uses = |instruction: &Instruction| {
            (0..instruction.op_count()).any(|operand| instruction.op_register(operand) == Register::XMM15)
        };
        if let Some(last) = instructions.iter().rfind(|instruction| uses(instruction)) {
            assert_eq!(last.mnemonic(), Mnemonic::Xorps, "{}", thunk.name);
            assert_eq!((last.op0_register(), last.op1_register()), (Register::XMM15, Register::XMM15));
        }
    }
}

#[test]
fn another_decoder_reads_the_same_instructions() {
    let capstone = capstone::Capstone::new().x86().mode(ArchMode::Mode64).build().expect("capstone starts");
    let site = plans::all().remove(0);
    let plan = AttachPlan {
        socket: b"/run/gopatch/gopatchd.sock",
        entry: 0x0040_1000,
        tick_after: &site.displaced,
        tick_resume: plans::RESUME,
    };
    let attach = attach::emit(&plan, &plans::arena(), plans::CODE).expect("emits");
    let tick = (attach.tick - plans::CODE) as usize;
    let blocks = plans::all()
        .into_iter()
        .chain(plans::skips())
        .map(|thunk| (thunk.name, plans::CODE, thunk.bytes))
        .chain([("tick", attach.tick, attach.bytes[tick..].to_vec())]);
    for (name, va, bytes) in blocks {
        let theirs = capstone.disasm_all(&bytes, va).expect("capstone decodes");
        let ours = Decoder::with_ip(64, &bytes, va, DecoderOptions::NONE);
        let ours: Vec<_> = ours.into_iter().map(|instruction| instruction.ip()).collect();
        let theirs: Vec<_> = theirs.iter().map(capstone::Insn::address).collect();
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn what_a_thunk_borrows_it_saves_before_and_reads_nowhere_else() {
    // A slot's saved RCX is read only by a thunk that has stored it.
    for thunk in plans::all() {
        let saved = |instruction: &Instruction, is_store: bool| {
            let operand = if is_store { instruction.op0_kind() } else { instruction.op1_kind() };
            operand == iced_x86::OpKind::Memory
                && instruction.memory_base() == Register::R13
                && instruction.memory_displacement64() == gopatch_trampolines::arena::slot::SAVED_RCX
        };
        let instructions = decode(&thunk.bytes);
        let stores = instructions.iter().any(|instruction| saved(instruction, true));
        let loads = instructions.iter().any(|instruction| saved(instruction, false));
        assert_eq!(stores, loads, "{}", thunk.name);
        let writes_rcx = own(&thunk).iter().any(|instruction| {
            let mut factory = InstructionInfoFactory::new();
            let used = factory.info(instruction).used_registers().to_vec();
            used.iter().any(|used| used.register().full_register() == Register::RCX && writes(used.access()))
        });
        assert!(stores || !writes_rcx, "{} writes RCX and does not save it", thunk.name);
    }
}
