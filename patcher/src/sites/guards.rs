//! Which displaced instructions may fault, and the register that a guard uses there.
//!
//! Decides: which instructions cannot fault, and where a register and the flags are free.
//! Trusts: Go's ABIInternal, and that the compiler checks every divisor. Never does: emit code.
//!
//! A guard (`gopatch_trampolines`, `moved`) puts the instruction's address on the stack while it
//! runs, for which it needs a register; where the flags are free too, it also compares the
//! instruction's operand with nil. At an entry R12, R13, R15 and the flags hold nothing (Go's
//! `src/cmd/compile/abi-internal.md`), until a displaced instruction writes to them. Before a return
//! they hold nothing after the last displaced instruction that reads them.

use std::ops::Range;

use gopatch_trampolines::plan::{Guard, SigPanic};
use iced_x86::code_asm::{AsmRegister64, r12, r13, r15};
use iced_x86::{FlowControl, Instruction, InstructionInfoFactory, OpAccess, OpKind, Register, RflagsBits};

use super::Refusal;

/// Registers that hold no argument and no result, and that thunks use.
const SCRATCH: [AsmRegister64; 3] = [r12, r13, r15];
/// For how many instructions the flags are followed.
const LONGEST_WAY: usize = 64;
/// The flags that arithmetic writes.
const STATUS: u32 = RflagsBits::OF | RflagsBits::SF | RflagsBits::ZF | RflagsBits::AF | RflagsBits::CF | RflagsBits::PF;

/// Guards for the instructions of an entry's site.
pub(super) fn at_entry(
    instructions: &[Instruction],
    displaced: Range<usize>,
    sigpanic: Option<SigPanic>,
) -> Result<Vec<Guard>, Refusal> {
    let first = displaced.start;
    guards(instructions, displaced, sigpanic, |index| {
        (first..index + 1, (first..index).all(|earlier| !writes_flags(instructions, earlier)))
    })
}

/// Guards for all instructions of a function that moves as a whole, in whatever order they run.
pub(super) fn in_whole(
    instructions: &[Instruction],
    displaced: Range<usize>,
    sigpanic: Option<SigPanic>,
) -> Result<Vec<Guard>, Refusal> {
    let all = displaced.clone();
    guards(instructions, displaced, sigpanic, |_| (all.clone(), false))
}

/// Guards for the instructions before a way out, which is the instruction after them.
pub(super) fn at_exit(
    instructions: &[Instruction],
    displaced: Range<usize>,
    sigpanic: Option<SigPanic>,
) -> Result<Vec<Guard>, Refusal> {
    let way_out = displaced.end;
    guards(instructions, displaced, sigpanic, |index| (index..way_out + 1, false))
}

/// `free` returns the instructions that must not use the register, and whether the flags are known
/// to be free.
fn guards(
    instructions: &[Instruction],
    displaced: Range<usize>,
    sigpanic: Option<SigPanic>,
    free: impl Fn(usize) -> (Range<usize>, bool),
) -> Result<Vec<Guard>, Refusal> {
    let mut guards = Vec::new();
    for index in displaced {
        let instruction = &instructions[index];
        if !may_fault(instruction) {
            continue;
        }
        let (concerned, flags_are_free) = free(index);
        let can_compare =
            has_one_address(instruction) && (flags_are_free || flags_are_overwritten(instructions, index));
        let is_free = |scratch: &AsmRegister64| {
            !instructions[concerned.clone()].iter().any(|other| mentions(other, Register::from(*scratch)))
        };
        let scratch = SCRATCH.into_iter().find(is_free).ok_or(Refusal::MayFault)?;
        guards.push(Guard { ip: instruction.ip(), scratch, sigpanic: sigpanic.filter(|_| can_compare) });
    }
    Ok(guards)
}

/// Whether a guard can be put around an instruction: it must run the same with one more word on the
/// stack.
pub(super) fn can_be_guarded(instruction: &Instruction) -> bool {
    !instruction.is_privileged() && !instruction.is_stack_instruction() && !mentions(instruction, Register::RSP)
}

/// Whether an instruction that may fault can do so only by one address, which a guard can compute.
fn has_one_address(instruction: &Instruction) -> bool {
    let operands = (0..instruction.op_count()).map(|operand| instruction.op_kind(operand));
    let memory =
        operands.filter(|kind| !matches!(kind, OpKind::Register | OpKind::NearBranch64) && !is_immediate(*kind));
    let is_whole = |register: Register| register == Register::None || register.is_gpr64();
    let mut factory = InstructionInfoFactory::new();
    memory.eq([OpKind::Memory])
        && factory.info(instruction).used_memory().len() == 1
        && instruction.segment_prefix() == Register::None
        && is_whole(instruction.memory_base())
        && is_whole(instruction.memory_index())
}

fn is_immediate(kind: OpKind) -> bool {
    matches!(
        kind,
        OpKind::Immediate8
            | OpKind::Immediate16
            | OpKind::Immediate32
            | OpKind::Immediate64
            | OpKind::Immediate8to16
            | OpKind::Immediate8to32
            | OpKind::Immediate8to64
            | OpKind::Immediate32to64
    )
}

/// Whether an instruction may fault: it is privileged, or accesses memory other than the stack, the
/// goroutine's own structure (R14) or a fixed address.
///
/// A division cannot: the compiler compares the divisor with zero before it, and calls
/// `panicdivide` itself (`intDivide`, Go's `src/cmd/compile/internal/ssagen/ssa.go`).
pub(super) fn may_fault(instruction: &Instruction) -> bool {
    if instruction.is_privileged() {
        return true;
    }
    let mut factory = InstructionInfoFactory::new();
    factory.info(instruction).used_memory().iter().any(|memory| {
        let is_access = !matches!(memory.access(), OpAccess::None | OpAccess::NoMemAccess);
        let is_known = matches!(memory.base(), Register::RSP | Register::R14) && memory.index() == Register::None;
        is_access && !is_known && !instruction.is_ip_rel_memory_operand()
    })
}

fn mentions(instruction: &Instruction, register: Register) -> bool {
    let mut factory = InstructionInfoFactory::new();
    factory.info(instruction).used_registers().iter().any(|used| used.register().full_register() == register)
}

fn writes_flags(instructions: &[Instruction], index: usize) -> bool {
    instructions[index].rflags_modified() != 0
}

/// Whether every flag is written before any is read, from instruction `index` on.
fn flags_are_overwritten(instructions: &[Instruction], mut index: usize) -> bool {
    let mut live = u32::MAX;
    for _ in 0..LONGEST_WAY {
        let Some(instruction) = instructions.get(index) else { return false };
        if instruction.rflags_read() & live != 0 {
            return false;
        }
        live &= !instruction.rflags_modified();
        if live & STATUS == 0 {
            return true;
        }
        index = match instruction.flow_control() {
            FlowControl::Next => index + 1,
            // No function takes or returns anything in the flags.
            FlowControl::Call | FlowControl::IndirectCall | FlowControl::Return => return true,
            FlowControl::UnconditionalBranch => {
                let target = instruction.near_branch_target();
                match instructions.binary_search_by_key(&target, Instruction::ip) {
                    Ok(index) => index,
                    Err(_) => return true,
                }
            }
            _ => return false,
        };
    }
    false
}
