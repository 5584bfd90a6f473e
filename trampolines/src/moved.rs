//! Displaced instructions: those of the program that moved into emitted code.
//!
//! Decides: how they run there as they would in place, and what happens where one would fault.
//! Trusts: the patcher that they may move, and which register and flags are free where. Knows
//! nothing of hooks.
//!
//! # Guards
//!
//! An access that faults is a panic or the program's end in Go: the signal handler makes it look as
//! if the instruction had called `runtime.sigpanic` (`sighandler` and `preparePanic`, Go's
//! `src/runtime/signal_unix.go` and `signal_amd64.go`). In a thunk the handler finds a PC that the
//! runtime does not know. So an instruction that might fault has a *guard*, of two parts:
//!
//! * Around the instruction, the PC that it has in the program lies on the stack as if it were a
//!   return address. A handler that does not know the PC of a fault, but knows the word at RSP,
//!   takes that for the address of the call (`shouldPushSigpanic`, `src/runtime/panic.go`, in every
//!   version from 1.18 to 1.27). `sigpanic` then finds the stack that it finds in the unpatched
//!   program, to the byte, and for that PC all of the runtime's tables hold: line, stack depth,
//!   live pointers, deferred calls. So traceback, panic and `debug.SetPanicOnFault` are the same
//!   for any address and any signal. Only the number after `pc=` in the message about the signal is
//!   the thunk's.
//! * Before it, where the flags are free, the address is compared with [`NIL_PAGE`]. If it is
//!   below, the guard does what the handler does: it stores signal, code, address and PC in the
//!   goroutine, and jumps to `runtime.sigpanic0`. Then the message of a nil dereference has no
//!   difference at all.
//!
//! In both parts the word is the one that the handler would push (`pushCall`), to the same place.
//! It does not outlive the instruction, and no other code sees it: a goroutine in a thunk is not
//! preempted, its stack is not scanned, and signal handlers have a stack of their own.
//!
//! The handler ends programs that fault on the system stack or in a system call; `sigpanic` does so
//! too (`canpanic`).
//!
//! # Calls
//!
//! A displaced call is taken apart: its return address in the program is pushed, and a jump leads
//! to the callee, which returns to where it always did. (The processor mispredicts that return, so
//! the patcher moves a call only if there is no other way.) R12 holds no argument.
//!
//! # Registers
//!
//! A guard uses its scratch register and, to compare, the flags, which the patcher has proved free
//! there; a call uses R12. R14 is g.

use std::collections::BTreeSet;

use iced_x86::code_asm::{CodeAssembler, CodeLabel, dword_ptr, qword_ptr, r12, r14, rsp};
use iced_x86::{Code, FlowControl, IcedError, Instruction, MemoryOperand, Register};

use crate::asm::at;
use crate::plan::Guard;

/// Faults below this address are nil's (`sigpanic` in Go's `src/runtime/signal_unix.go`).
const NIL_PAGE: i32 = 0x1000;
/// `SIGSEGV` and `SEGV_MAPERR` (Linux's `include/uapi/asm-generic/signal.h` and `siginfo.h`).
const SIGSEGV: i32 = 11;
const SEGV_MAPERR: i32 = 1;

/// Where displaced returns lead.
#[derive(Clone, Copy)]
pub(crate) enum Onward {
    /// To the caller, as in place.
    Leave,
    /// To this address: another hook comes first.
    At(u64),
    /// To this label: the hook comes first.
    Label(CodeLabel),
}

/// Emits displaced instructions, and the code that their guards jump to.
pub(crate) struct Mover<'a> {
    guards: &'a [Guard],
    faults: Vec<(CodeLabel, &'a Guard)>,
}

impl<'a> Mover<'a> {
    /// A mover for the instructions of a site with these guards.
    pub(crate) fn new(guards: &'a [Guard]) -> Self {
        Self { guards, faults: Vec::new() }
    }

    /// Emits `instructions`. Branches and RIP-relative operands keep their targets, except that a
    /// branch to one of `instructions` follows it.
    pub(crate) fn emit(
        &mut self,
        asm: &mut CodeAssembler,
        instructions: &[Instruction],
        onward: Onward,
    ) -> Result<(), IcedError> {
        let here: BTreeSet<u64> = instructions.iter().map(Instruction::ip).collect();
        let targets: BTreeSet<u64> =
            instructions.iter().filter_map(branch_target).filter(|va| here.contains(va)).collect();
        for instruction in instructions {
            let mut moved = *instruction;
            moved.set_ip(if targets.contains(&instruction.ip()) { name(instruction.ip()) } else { 0 });
            if let Some(target) = branch_target(instruction).filter(|target| here.contains(target)) {
                moved.set_near_branch64(name(target));
            }
            let guard = self.guards.iter().find(|guard| guard.ip == instruction.ip());
            if let Some(guard) = guard {
                self.guard(asm, guard, &mut moved)?;
            }
            match onward {
                _ if instruction.flow_control() == FlowControl::Call => {
                    // What a call pushes is the address after it in the program, which the runtime
                    // knows.
                    asm.lea(r12, at(instruction.next_ip()))?;
                    asm.push(r12)?;
                    asm.jmp(instruction.near_branch_target())?;
                }
                Onward::At(va) if is_return(instruction) => {
                    let mut jump = Instruction::with_branch(Code::Jmp_rel32_64, va)?;
                    jump.set_ip(moved.ip());
                    asm.add_instruction(jump)?;
                }
                Onward::Label(label) if is_return(instruction) => {
                    // A jump to a label cannot have an address, so a branch to this return leads to
                    // a nop before the jump.
                    if moved.ip() != 0 {
                        let mut name = Instruction::with(Code::Nopd);
                        name.set_ip(moved.ip());
                        asm.add_instruction(name)?;
                    }
                    asm.jmp(label)?;
                }
                Onward::Leave | Onward::At(_) | Onward::Label(_) => {
                    moved.set_has_rep_prefix(moved.has_rep_prefix() || is_return(instruction));
                    asm.add_instruction(moved)?;
                }
            }
            if guard.is_some() {
                // Drops the PC and, unlike `add`, leaves the flags alone.
                asm.lea(rsp, qword_ptr(rsp + 8))?;
            }
        }
        Ok(())
    }

    /// Emits what comes before `moved`, and gives its first instruction the address of `moved`, so
    /// that branches lead to it.
    fn guard(&mut self, asm: &mut CodeAssembler, guard: &'a Guard, moved: &mut Instruction) -> Result<(), IcedError> {
        if guard.sigpanic.is_some() {
            self.compare_with_nil(asm, guard, moved)?;
        }
        let pc = MemoryOperand::with_base_displ(Register::RIP, guard.ip.cast_signed());
        let mut pc = Instruction::with2(Code::Lea_r64_m, Register::from(guard.scratch), pc)?;
        pc.set_ip(moved.ip());
        moved.set_ip(0);
        asm.add_instruction(pc)?;
        asm.push(guard.scratch)
    }

    fn compare_with_nil(
        &mut self,
        asm: &mut CodeAssembler,
        guard: &'a Guard,
        moved: &mut Instruction,
    ) -> Result<(), IcedError> {
        let fault = asm.create_label();
        let memory = MemoryOperand::new(
            moved.memory_base(),
            moved.memory_index(),
            moved.memory_index_scale(),
            moved.memory_displacement64().cast_signed(),
            moved.memory_displ_size(),
            false,
            Register::None,
        );
        let mut address = Instruction::with2(Code::Lea_r64_m, Register::from(guard.scratch), memory)?;
        address.set_ip(moved.ip());
        moved.set_ip(0);
        asm.add_instruction(address)?;
        asm.cmp(guard.scratch, NIL_PAGE)?;
        asm.jb(fault)?;
        self.faults.push((fault, guard));
        Ok(())
    }

    /// Emits the code that the guards jump to. Execution never falls into it or out of it. It
    /// stores to g, which is never nil, and pushes where the signal handler would.
    pub(crate) fn faults(self, asm: &mut CodeAssembler) -> Result<(), IcedError> {
        for (mut fault, guard) in self.faults {
            let Guard { ip, scratch, sigpanic: Some(sigpanic) } = *guard else { continue };
            asm.set_label(&mut fault)?;
            asm.mov(qword_ptr(r14 + sigpanic.g_sigcode1), scratch)?;
            asm.lea(scratch, at(ip))?;
            asm.mov(qword_ptr(r14 + sigpanic.g_sigpc), scratch)?;
            asm.mov(dword_ptr(r14 + sigpanic.g_sig), SIGSEGV)?;
            asm.mov(qword_ptr(r14 + sigpanic.g_sigcode0), SEGV_MAPERR)?;
            asm.push(scratch)?;
            asm.jmp(sigpanic.entry)?;
        }
        Ok(())
    }
}

/// The address by which the block encoder knows a displaced instruction. The encoder takes a branch
/// to the address of an instruction in its block for a branch to where that now lies, so this is an
/// address that no program has, and the instruction's own address still means the old place.
fn name(ip: u64) -> u64 {
    ip | 1 << 63
}

fn is_return(instruction: &Instruction) -> bool {
    instruction.flow_control() == FlowControl::Return
}

/// The target of a direct branch.
fn branch_target(instruction: &Instruction) -> Option<u64> {
    let is_branch =
        matches!(instruction.flow_control(), FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch);
    is_branch.then(|| instruction.near_branch_target())
}
