//! The invariants of `src/thunk/mod.rs` that can be seen in the emitted instructions: each test
//! names those that it checks.

use capstone::arch::BuildsCapstone;
use capstone::arch::x86::ArchMode;
use gopatch_protocol::wire::ring;
use gopatch_trampolines::arena::{slot, switches};
use gopatch_trampolines::attach::{self, AttachPlan};
use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register,
};

use crate::plans;

fn decode(bytes: &[u8]) -> Vec<Instruction> {
    Decoder::with_ip(64, bytes, plans::CODE, DecoderOptions::NONE).into_iter().collect()
}

/// The instructions of a thunk that are gopatch's own, not the program's.
fn own(thunk: &plans::Emitted) -> Vec<Instruction> {
    let displaced: Vec<String> = thunk.displaced.iter().map(ToString::to_string).collect();
    let is_displaced = |instruction: &Instruction| {
        // A return has a prefix in a thunk.
        let mut original = *instruction;
        original.set_has_rep_prefix(instruction.has_rep_prefix() && instruction.mnemonic() != Mnemonic::Ret);
        displaced.contains(&original.to_string())
    };
    decode(&thunk.bytes).into_iter().filter(|instruction| !is_displaced(instruction)).collect()
}

fn writes(access: OpAccess) -> bool {
    !matches!(access, OpAccess::None | OpAccess::NoMemAccess | OpAccess::Read | OpAccess::CondRead)
}

/// I2, I12.
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

fn drops_a_word(instruction: &Instruction) -> bool {
    instruction.mnemonic() == Mnemonic::Lea
        && instruction.op0_register() == Register::RSP
        && instruction.memory_base() == Register::RSP
        && instruction.memory_displacement64() == 8
}

/// I2.
#[test]
fn a_thunk_does_not_write_to_the_goroutines_stack() {
    let mut factory = InstructionInfoFactory::new();
    for thunk in plans::all() {
        let own = own(&thunk);
        for (index, instruction) in own.iter().enumerate() {
            // Except where the program or its signal handler would have: it pushes the address in
            // the program that it has just loaded, and either leaves (a displaced call, and a load
            // that met nil), or drops it after the next instruction, which may fault.
            if instruction.mnemonic() == Mnemonic::Push {
                let next = &own[index + 1];
                let leaves = next.mnemonic() == Mnemonic::Jmp && next.near_branch_target() < plans::ARENA;
                let all = decode(&thunk.bytes);
                let pushed = all.iter().position(|it| it.ip() == instruction.ip()).expect("it is there");
                assert!(leaves || drops_a_word(&all[pushed + 2]), "{}: {next}", thunk.name);
                let loads_address =
                    |it: &&Instruction| it.mnemonic() == Mnemonic::Lea && it.op0_register() == Register::R12;
                let address = own[..index].iter().rev().take(5).find(loads_address).expect("an address is loaded");
                assert!(
                    thunk.displaced.iter().any(|it| [it.ip(), it.next_ip()].contains(&address.memory_displacement64())),
                    "{}: {address}",
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

/// I1.
#[test]
fn a_thunk_never_writes_a_register_that_it_does_not_give_back() {
    let kept = [Register::RSP, Register::RBP, Register::R14].into_iter().chain([
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
                let is_push = instruction.mnemonic() == Mnemonic::Push || drops_a_word(&instruction);
                if is_push && full == Register::RSP {
                    // `a_thunk_does_not_write_to_the_goroutines_stack` checks these.
                    continue;
                }
                assert!(!kept.contains(&full), "{}: {instruction} writes {full:?}", thunk.name);
                let borrowed = [(Register::RSI, slot::SAVED_RSI), (Register::RDI, slot::SAVED_RDI)];
                if let Some((register, saved)) = borrowed.into_iter().find(|(register, _)| *register == full) {
                    let own = own(&thunk);
                    let is_saved = |it: &Instruction| {
                        stores_to(it, Register::R13)
                            && it.memory_displacement64() == saved
                            && it.op1_register() == register
                    };
                    let is_restored = |it: &Instruction| {
                        it.op0_register() == register
                            && it.memory_base() == Register::R13
                            && it.memory_displacement64() == saved
                    };
                    let first = own.iter().position(is_saved).expect("it is saved");
                    let last = own.iter().rposition(is_restored).expect("it is restored");
                    let here = own.iter().position(|it| it.ip() == instruction.ip()).expect("it is there");
                    assert!((first..=last).contains(&here), "{}: {instruction}", thunk.name);
                }
                let is_vector = used.register().is_vector_register();
                assert!(!is_vector || full == Register::ZMM15, "{}: {instruction} writes {full:?}", thunk.name);
            }
        }
    }
}

/// It writes only the results, in their registers or in the caller's frame, and one work register;
/// then it leaves.
#[test]
fn a_skip_thunk_sets_the_results_and_leaves() {
    let results = [Register::RAX, Register::RBX, Register::RCX, Register::RDI, Register::R11, Register::R13];
    let floats = [Register::ZMM0, Register::ZMM14];
    let mut factory = InstructionInfoFactory::new();
    for thunk in plans::skips() {
        let instructions = decode(&thunk.bytes);
        let (last, rest) = instructions.split_last().expect("a thunk has instructions");
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

/// I9.
#[test]
fn a_call_that_is_left_out_pays_for_nothing() {
    let mut factory = InstructionInfoFactory::new();
    for thunk in plans::filtered() {
        // The filter is contiguous, from where the hook is found to be enabled to where the slot is
        // taken.
        let all = decode(&thunk.bytes);
        let active =
            all.iter().find(|instruction| instruction.mnemonic() == Mnemonic::Jne).expect("the enable byte is tested");
        let active = active.near_branch_target();
        let takes_slot = all.iter().position(|instruction| {
            instruction.mnemonic() == Mnemonic::Mov
                && instruction.op0_kind() == OpKind::Memory
                && instruction.memory_base() == Register::R13
                && instruction.memory_displacement64() == slot::BUSY
        });
        let filter =
            all[..takes_slot.expect("the slot is taken")].iter().filter(|instruction| instruction.ip() >= active);
        let mut checked = 0;
        for instruction in filter {
            checked += 1;
            assert_ne!(instruction.mnemonic(), Mnemonic::Rdtsc, "{}", thunk.name);
            assert!(!instruction.has_lock_prefix(), "{}: {instruction}", thunk.name);
            let info = factory.info(instruction);
            for used in info.used_registers().iter().filter(|used| writes(used.access())) {
                let free = [Register::R12, Register::R13, Register::R15];
                assert!(free.contains(&used.register().full_register()), "{}: {instruction}", thunk.name);
            }
            for memory in info.used_memory().iter().filter(|memory| writes(memory.access())) {
                let is_random = memory.base() == Register::R12 && memory.displacement() == slot::RANDOM;
                assert!(is_random, "{}: {instruction} writes to memory", thunk.name);
            }
        }
        assert!(checked > 20, "{}: {checked} instructions", thunk.name);
    }
}

/// I1.
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
fn two_decoders_find_the_same_instructions() {
    let capstone = capstone::Capstone::new().x86().mode(ArchMode::Mode64).build().expect("capstone starts");
    let site = plans::all().remove(0);
    let plan = AttachPlan {
        socket: b"/run/gopatch/gopatchd.sock",
        mode: attach::AttachMode::Late,
        clone3: true,
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

/// Whether the instruction stores to memory at `base`.
fn stores_to(instruction: &Instruction, base: Register) -> bool {
    instruction.op0_kind() == OpKind::Memory
        && instruction.memory_base() == base
        && !matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Prefetchw)
}

/// The thunks that write a record: all but the head of a return, which leaves that to the shared
/// body.
fn recording() -> impl Iterator<Item = plans::Emitted> {
    let records = |name| !["return_head", "entry_writes", "exit_replaces", "exit_spawns"].contains(&name);
    plans::all().into_iter().filter(move |thunk| records(thunk.name))
}

/// W1, W2: only writers store through RDI: the bytes of a line, its `tracestate`, and the length; or
/// an id in the place of another.
#[test]
fn only_a_writer_writes_memory_of_the_program_and_only_its_line() {
    let mut factory = InstructionInfoFactory::new();
    for thunk in plans::all() {
        let own = own(&thunk);
        let mut stores = Vec::new();
        for (index, instruction) in own.iter().enumerate() {
            for memory in factory.info(instruction).used_memory().iter().filter(|it| writes(it.access())) {
                if memory.base() == Register::RDI {
                    stores.push((
                        index,
                        memory.displacement() as i64,
                        memory.index(),
                        instruction.memory_size().size(),
                    ));
                }
            }
        }
        if thunk.name == "exit_replaces" {
            let [(_, at, index, size)] = stores[..] else { panic!("{stores:?}") };
            assert_eq!((at, index, size), (49, Register::RCX, 16));
            continue;
        }
        if thunk.name != "entry_writes" {
            assert_eq!(stores, [], "{}", thunk.name);
            continue;
        }
        let places: Vec<_> = stores.iter().map(|(_, at, index, size)| (*at, *index, *size)).collect();
        let none = Register::None;
        let line = [(0, none, 8), (8, none, 8), (16, none, 16), (32, none, 16), (49, none, 16), (48, none, 1)];
        let end = [(65, none, 4), (69, none, 1)];
        let state = [(70, none, 8), (78, none, 4), (82, Register::R15, 1), (82, Register::R15, 2)];
        let expected: Vec<_> = line.into_iter().chain(end).chain(state).chain([(40, none, 8)]).collect();
        assert_eq!(places, expected);
        // The room is compared, signed, before the first of them; the length grows by what was
        // compared.
        let compares_room = |it: &Instruction| {
            it.mnemonic() == Mnemonic::Cmp && it.op0_register() == Register::RBX && it.op1_register() == Register::RAX
        };
        let compared = own.iter().position(compares_room).expect("the room is compared");
        assert_eq!(own[compared + 1].mnemonic(), Mnemonic::Jl);
        assert!(compared < stores[0].0, "{compared}");
        let last = &own[stores[stores.len() - 1].0];
        assert_eq!((last.mnemonic(), last.op1_register()), (Mnemonic::Add, Register::RAX));
        assert_eq!(own[compared + 2].op1_register(), Register::RAX, "it is kept for then");
    }
}

/// I4.
#[test]
fn a_thunk_touches_the_ring_only_while_its_slot_is_busy_and_attached() {
    for thunk in recording() {
        let all = decode(&thunk.bytes);
        let sets_busy = |it: &Instruction, value| {
            stores_to(it, Register::R13) && it.memory_displacement64() == slot::BUSY && it.immediate8() == value
        };
        let busy = all.iter().position(|it| sets_busy(it, 1)).expect("the slot becomes busy");
        let idle = all.iter().position(|it| sets_busy(it, 0)).expect("the slot becomes idle");
        assert_eq!(all[busy + 1].mnemonic(), Mnemonic::Cmp, "{}", thunk.name);
        assert_eq!(all[busy + 1].ip_rel_memory_address(), plans::ARENA + switches::ATTACHED, "{}", thunk.name);
        assert_eq!(all[busy + 2].mnemonic(), Mnemonic::Je, "{}", thunk.name);
        let stores: Vec<_> = (0..all.len()).filter(|index| stores_to(&all[*index], Register::R15)).collect();
        assert!(stores.len() > 5, "{}: {} stores to the ring", thunk.name, stores.len());
        assert!(stores.iter().all(|index| (busy + 3..idle).contains(index)), "{}: {stores:?}", thunk.name);
    }
}

/// I13.
#[test]
fn a_thunk_that_finds_its_slot_busy_goes_back_and_only_counts_that() {
    let is_busy = |it: &Instruction| it.memory_base() == Register::R13 && it.memory_displacement64() == slot::BUSY;
    for thunk in recording() {
        let all = decode(&thunk.bytes);
        let test = all.iter().position(|it| it.mnemonic() == Mnemonic::Cmp && is_busy(it)).expect("the slot is tested");
        assert_eq!(all[test + 1].mnemonic(), Mnemonic::Jne, "{}", thunk.name);
        assert!(stores_to(&all[test + 2], Register::R13) && is_busy(&all[test + 2]), "{}", thunk.name);
        // Nothing has been written before but scratch registers and, by a filter, `RANDOM`.
        assert!(all[..test].iter().all(|it| !stores_to(it, Register::R13)), "{}", thunk.name);
        let busy = all.iter().position(|it| it.ip() == all[test + 1].near_branch_target()).expect("a rare path");
        let [attached, leave, page, count] = &all[busy..busy + 4] else { panic!("{}: four instructions", thunk.name) };
        assert_eq!(attached.ip_rel_memory_address(), plans::ARENA + switches::ATTACHED, "{}", thunk.name);
        assert_eq!(leave.near_branch_target(), all[busy + 4].ip(), "{}", thunk.name);
        assert_eq!((page.op0_register(), page.memory_displacement64()), (Register::R12, slot::PRODUCER));
        let counter = (ring::SLOT_BUSY - ring::PRODUCER_POS) as u64;
        assert_eq!((count.mnemonic(), count.memory_base()), (Mnemonic::Inc, Register::R12), "{}", thunk.name);
        assert_eq!(count.memory_displacement64(), counter, "{}", thunk.name);
    }
}

/// I8.
#[test]
fn a_record_is_published_after_all_its_stores() {
    for thunk in recording() {
        let all = decode(&thunk.bytes);
        let loads_producer = |it: &Instruction| {
            it.op0_register() == Register::RAX
                && it.memory_base() == Register::R13
                && it.memory_displacement64() == slot::PRODUCER
        };
        let publications: Vec<_> = all
            .windows(2)
            .filter(|pair| loads_producer(&pair[0]) && pair[1].mnemonic() == Mnemonic::Mov)
            .map(|pair| pair[1].ip())
            .collect();
        let [published] = publications[..] else { panic!("{}: published at {publications:x?}", thunk.name) };
        let is_part = |it: &&Instruction| {
            let copies = matches!(it.mnemonic(), Mnemonic::Mov | Mnemonic::Movups) && stores_to(it, Register::R12);
            copies || stores_to(it, Register::R15)
        };
        let last = all.iter().rfind(is_part).expect("a record has stores");
        assert!(last.ip() < published, "{}: {last} comes after {published:#x}", thunk.name);
    }
}

/// I1.
#[test]
fn a_thunk_saves_what_it_borrows() {
    // RCX: only some thunks borrow it. The slot's copy is read only by a thunk that has stored it.
    for thunk in plans::all() {
        let saved = |instruction: &Instruction, is_store: bool| {
            let operand = if is_store { instruction.op0_kind() } else { instruction.op1_kind() };
            operand == OpKind::Memory
                && instruction.memory_base() == Register::R13
                && instruction.memory_displacement64() == slot::SAVED_RCX
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

/// A6, A10: what is not in this list is not made, whatever happens, and each of them is answered in
/// every way by the end-to-end tests (`survival`), which have the same list.
#[test]
fn the_attach_code_makes_these_system_calls_alone() {
    let known = [
        0, 3, 5, 7, 9, 11, 13, 14, 16, 18, 28, 41, 42, 46, 47, 56, 60, 61, 72, 77, 202, 204, 231, 257, 262, 302, 318,
        319, 435, 436,
    ];
    let displaced = plans::all().remove(0).displaced;
    let plan = AttachPlan {
        socket: b"/run/gopatch/gopatchd.sock",
        mode: attach::AttachMode::Late,
        clone3: true,
        entry: 0x0040_1000,
        tick_after: &displaced,
        tick_resume: plans::RESUME,
    };
    let attach = attach::emit(&plan, &plans::arena().with_contexts(), plans::CODE).expect("emits");
    // `mov eax, number; syscall`.
    let numbers: std::collections::BTreeSet<_> = attach
        .bytes
        .windows(7)
        .filter(|bytes| bytes[5..] == [0x0F, 0x05])
        .map(|bytes| {
            assert_eq!(bytes[0], 0xB8, "{bytes:x?}");
            u32::from_le_bytes(bytes[1..5].try_into().expect("4 bytes"))
        })
        .collect();
    assert_eq!(numbers.into_iter().collect::<Vec<_>>(), known);
}
