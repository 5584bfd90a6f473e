//! Facts about single instructions, and about runs of them.
//!
//! Trusts: iced's decoding, and that Go's compiler writes each construct as the sources named here
//! show.

use iced_x86::{Code, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpKind, Register};

use super::Refusal;
use crate::address::Va;
use crate::golang::pclntab::FunctionTable;

/// Whether an instruction jumps through a table inside its function. The compiler jumps through
/// memory with an index (`JUMPTABLE` in Go's `src/cmd/compile/internal/amd64/ssa.go`), for a tail
/// call through a register.
pub(super) fn is_jump_table(instruction: &Instruction) -> bool {
    instruction.flow_control() == FlowControl::IndirectBranch
        && instruction.op0_kind() == OpKind::Memory
        && instruction.memory_index() != Register::None
        && instruction.memory_index_scale() == 8
}

/// Refuses to move a whole loop, since a goroutine cannot be preempted in a thunk.
pub(super) fn stays_preemptible(displaced: &[Instruction]) -> Result<(), Refusal> {
    let Some(first) = displaced.first() else { return Ok(()) };
    let is_loop = displaced.iter().any(|branch| {
        branch.flow_control() == FlowControl::ConditionalBranch && branch.near_branch_target() == first.ip()
    });
    if is_loop { Err(Refusal::FlowControl) } else { Ok(()) }
}

pub(super) fn is_morestack(instruction: &Instruction, functions: &FunctionTable<'_>) -> bool {
    calls(instruction, "runtime.morestack", functions)
}

/// Whether an instruction calls a function whose name begins with `name`.
pub(super) fn calls(instruction: &Instruction, name: &str, functions: &FunctionTable<'_>) -> bool {
    instruction.code() == Code::Call_rel32_64
        && functions
            .containing(Va(instruction.near_branch_target()))
            .is_some_and(|callee| callee.name.starts_with(name))
}

/// Whether an instruction computes the limit for a stack check.
pub(super) fn is_limit(instruction: &Instruction) -> bool {
    instruction.op0_register() == Register::R12
}

/// Target of a direct branch.
pub(super) fn branch_target(instruction: &Instruction) -> Option<u64> {
    let is_branch =
        matches!(instruction.flow_control(), FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch);
    is_branch.then(|| instruction.near_branch_target())
}

/// Whether control can return to an instruction that it has passed. The instructions are in order.
pub(super) fn has_loop(instructions: &[Instruction]) -> bool {
    let index_of = |va: u64| instructions.binary_search_by_key(&va, Instruction::ip).ok();
    let next = |index: usize| {
        let instruction = &instructions[index];
        let falls_through =
            !matches!(instruction.flow_control(), FlowControl::Return | FlowControl::UnconditionalBranch);
        let onward = (falls_through && index + 1 < instructions.len()).then_some(index + 1);
        let tries_again = index > 0
            && instruction.mnemonic() == Mnemonic::Jne
            && instructions[index - 1].mnemonic() == Mnemonic::Cmpxchg
            && instructions[index - 1].has_lock_prefix();
        let branch = branch_target(instruction).filter(|_| !tries_again).and_then(index_of);
        onward.into_iter().chain(branch).collect::<Vec<_>>()
    };
    // Depth first: an instruction on the path that is reached again closes a loop.
    let mut is_done = vec![false; instructions.len()];
    let mut is_on_path = vec![false; instructions.len()];
    let mut path = vec![(0, next(0))];
    is_on_path[0] = true;
    while let Some((index, ahead)) = path.last_mut() {
        match ahead.pop() {
            Some(further) if is_on_path[further] => return true,
            Some(further) if !is_done[further] => {
                is_on_path[further] = true;
                path.push((further, next(further)));
            }
            Some(_) => {}
            None => {
                is_done[*index] = true;
                is_on_path[*index] = false;
                path.pop();
            }
        }
    }
    false
}

/// Whether an instruction makes or unmakes a frame, or is a nop.
pub(super) fn is_frame_instruction(instruction: &Instruction) -> bool {
    let first = instruction.op0_register();
    match instruction.mnemonic() {
        Mnemonic::Push | Mnemonic::Pop => first == Register::RBP,
        Mnemonic::Sub | Mnemonic::Add => first == Register::RSP && instruction.op1_kind() != OpKind::Register,
        Mnemonic::Mov if first == Register::RBP => {
            instruction.op1_register() == Register::RSP || instruction.memory_base() == Register::RSP
        }
        Mnemonic::Mov => {
            instruction.op0_kind() == OpKind::Memory
                && instruction.memory_base() == Register::RSP
                && instruction.op1_register() == Register::RBP
        }
        Mnemonic::Lea => first == Register::RBP && instruction.memory_base() == Register::RSP,
        _ => is_nop(instruction),
    }
}

/// Whether an instruction is a nop; `xchg ax, ax` is the two-byte one.
pub(super) fn is_nop(instruction: &Instruction) -> bool {
    let is_ax = |register| register == Register::AX;
    instruction.mnemonic() == Mnemonic::Nop
        || instruction.mnemonic() == Mnemonic::Xchg
            && is_ax(instruction.op0_register())
            && is_ax(instruction.op1_register())
}

/// Whether a jump out of the function reads a register that the thunk does not restore.
pub(super) fn leaves_by_thunk_register(instruction: &Instruction) -> bool {
    if instruction.flow_control() == FlowControl::Return {
        return false;
    }
    let mut factory = InstructionInfoFactory::new();
    factory.info(instruction).used_registers().iter().any(|used| {
        matches!(used.register().full_register(), Register::R12 | Register::R13 | Register::R15 | Register::XMM15)
    })
}
