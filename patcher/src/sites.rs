//! Where a function can be hooked: one place at its entry, one at each way out.
//!
//! Decides: which bytes may be overwritten with a jump, and which instructions that displaces.
//! Trusts: the function's bounds (pclntab) and iced's decoding of it.
//! Never does: guess. What cannot be shown to be safe is a [`Refusal`].
//!
//! # What makes a site safe
//!
//! * The overwritten bytes are whole instructions of one basic block: no branch, no jump table and no return address
//!   leads into them except to the first. Calls are never displaced, so return addresses and the places where the
//!   runtime resumes a function after a recovered panic (`deferreturn`) stay where they are.
//! * The displaced instructions cannot fault. A fault in a thunk would be reported in the caller, since the runtime
//!   does not know the thunk's PC.
//! * An entry site lies behind the stack check, which can send the function back to its first byte, and no branch leads
//!   to it: it is passed exactly once a call.
//! * Jump tables are not resolved here. In a function that has one, only the instructions that make and unmake the
//!   frame are displaced: the compiler emits each of these sequences as one unit and branches at most to its start.

use std::collections::BTreeSet;
use std::ops::Range;

use gopatch_trampolines::manifest::At;
use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind,
    Register,
};

use crate::address::Va;
use crate::golang::pclntab::{Function, FunctionTable};

/// Bytes of `jmp rel32`.
pub const NEAR_JUMP: usize = 5;
/// How many instructions a stack check has at most: `mov`, `sub`, `jb`, `cmp`, `jbe`.
const LONGEST_STACK_CHECK: usize = 6;
/// How many instructions lie at most between a stack check's target and its call of `morestack`: register spills.
const LONGEST_SPILL: usize = 40;
/// `g.stackguard0`, which a stack check compares with: behind the two words of `g.stack` since Go 1.4.
const STACKGUARD0: u64 = 0x10;
/// What Go's linker fills the room between functions with.
const PADDING: u8 = 0xCC;

/// Why a place is not hooked. The code is stable: reports and policies name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The function has bytes that are not instructions.
    Undecodable,
    /// Written in assembly: its registers follow no ABI that gopatch knows.
    Assembly,
    /// A stack check that gopatch does not know.
    StackCheck,
    /// A branch leads into the bytes, or (entry) back to them.
    BranchTarget,
    /// A call, or a branch, stands in the bytes.
    FlowControl,
    /// A displaced instruction might fault.
    MayFault,
    /// A jump table might lead into the bytes.
    JumpTable,
    /// Too few bytes for a jump.
    NoRoom,
    /// The bytes belong to another site.
    Overlap,
    /// A tail jump needs a register that the thunk uses.
    RegisterInUse,
    /// A jump through a register might leave the function.
    IndirectJump,
    /// The program checks a digest over these bytes.
    Fips140,
    /// A function of the runtime without a stack check may run where no P is held.
    RuntimeNosplit,
}

impl Refusal {
    /// Stable code, as it stands in reports.
    pub fn code(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::Assembly => "assembly",
            Self::StackCheck => "stack-check",
            Self::BranchTarget => "branch-target",
            Self::FlowControl => "flow-control",
            Self::MayFault => "may-fault",
            Self::JumpTable => "jump-table",
            Self::NoRoom => "no-room",
            Self::Overlap => "overlap",
            Self::RegisterInUse => "register-in-use",
            Self::IndirectJump => "indirect-jump",
            Self::Fips140 => "fips-140",
            Self::RuntimeNosplit => "runtime-nosplit",
        }
    }

    /// What a person should know.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Undecodable => "the function has bytes that are no instructions",
            Self::Assembly => "the function is written in assembly",
            Self::StackCheck => "the function begins with a stack check of an unknown form",
            Self::BranchTarget => "a branch leads into the bytes that a jump would need",
            Self::FlowControl => "a call or a branch stands in the bytes that a jump would need",
            Self::MayFault => "an instruction that would have to move might fault",
            Self::JumpTable => "a jump table might lead into the bytes that a jump would need",
            Self::NoRoom => "there are too few bytes for a jump",
            Self::Overlap => "the bytes that a jump would need belong to another site",
            Self::RegisterInUse => "the tail jump needs a register that the thunk uses",
            Self::Fips140 => "the program checks a digest over these bytes (FIPS 140)",
            Self::RuntimeNosplit => "a function of the runtime without a stack check may run where no P is held",
            Self::IndirectJump => "a jump through a register might be a way out that no hook would see",
        }
    }
}

/// A place that can be hooked.
#[derive(Debug, Clone)]
pub struct Site {
    /// Which end of the call.
    pub at: At,
    /// First byte that is overwritten.
    pub va: Va,
    /// Bytes that are overwritten.
    pub len: usize,
    /// Displaced instructions in front of the hook.
    pub before: Vec<Instruction>,
    /// Displaced instructions behind it.
    pub after: Vec<Instruction>,
    /// Where the function goes on; `None` when `after` leaves it.
    pub resume: Option<Va>,
}

/// A place that cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedSite {
    /// Which end of the call.
    pub at: At,
    /// Where: for whoever wants to put a uprobe there.
    pub va: Va,
    /// Why.
    pub refusal: Refusal,
}

/// All places of a function.
#[derive(Debug, Clone, Default)]
pub struct FunctionSites {
    /// Those that can be hooked.
    pub sites: Vec<Site>,
    /// Those that cannot.
    pub refused: Vec<RefusedSite>,
}

/// Which ends of a function are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The entry.
    pub enter: bool,
    /// Every way out.
    pub exit: bool,
}

/// The text as a whole, as far as sites need it.
pub struct Text<'a> {
    /// All functions.
    pub functions: &'a FunctionTable<'a>,
    /// Bytes of a function, `end` excluded.
    pub bytes: &'a dyn Fn(Va, Va) -> Option<&'a [u8]>,
    /// Bytes that must stay as they are, since the program checks a digest over them.
    pub checked: &'a [Range<Va>],
}

impl<'a> Text<'a> {
    /// The text of `functions`, whose bytes `bytes` gives, and of which `checked` must not be changed.
    pub fn new(
        functions: &'a FunctionTable<'a>,
        bytes: &'a dyn Fn(Va, Va) -> Option<&'a [u8]>,
        checked: &'a [Range<Va>],
    ) -> Self {
        Self { functions, bytes, checked }
    }

    /// Finds the sites of `function`.
    pub fn sites(&self, function: &Function<'a>, wanted: Wanted) -> FunctionSites {
        let refuse_all = |refusal| FunctionSites {
            sites: Vec::new(),
            refused: vec![RefusedSite { at: At::Enter, va: function.start, refusal }],
        };
        if function.flags.is_assembly() {
            return refuse_all(Refusal::Assembly);
        }
        let Some(body) = (self.bytes)(function.start, function.end).and_then(|bytes| Body::decode(bytes, *function))
        else {
            return refuse_all(Refusal::Undecodable);
        };
        if self.checked.iter().any(|range| function.start < range.end && range.start < function.end) {
            return refuse_all(Refusal::Fips140);
        }
        let entry = body.behind_stack_check(self.functions);
        if entry == Ok(0) && may_run_without_p(function.name) {
            return refuse_all(Refusal::RuntimeNosplit);
        }
        let mut found = FunctionSites::default();
        let mut taken: Vec<(Va, Va)> = Vec::new();
        let mut add = |at, va, result: Result<Site, Refusal>| match result {
            Ok(site) => {
                let end = Va(site.va.0 + site.len as u64);
                if taken.iter().any(|&(start, stop)| site.va < stop && start < end) {
                    found.refused.push(RefusedSite { at, va, refusal: Refusal::Overlap });
                } else {
                    taken.push((site.va, end));
                    found.sites.push(site);
                }
            }
            Err(refusal) => found.refused.push(RefusedSite { at, va, refusal }),
        };
        if wanted.enter {
            match entry {
                Ok(index) => add(At::Enter, body.va(index), body.enter(index)),
                Err(refusal) => add(At::Enter, function.start, Err(refusal)),
            }
        }
        if wanted.exit {
            for index in body.indirect_jumps() {
                add(At::Exit, body.va(index), Err(Refusal::IndirectJump));
            }
            for index in body.exits() {
                // No islands in the padding: the runtime takes padding for part of the function but has no tables
                // for it, so a profile's tick on an island would end the program ("invalid pc-encoded table").
                add(At::Exit, body.va(index), body.exit(index));
            }
        }
        found
    }
}

/// A decoded function.
struct Body<'a> {
    function: Function<'a>,
    instructions: Vec<Instruction>,
    /// Targets of the function's own branches.
    targets: BTreeSet<u64>,
    /// Whether it has a jump through memory or a register that stays inside, as far as one can tell.
    has_jump_table: bool,
    /// Bytes of padding behind the last instruction.
    padding: usize,
}

impl<'a> Body<'a> {
    fn decode(bytes: &[u8], function: Function<'a>) -> Option<Self> {
        let padding = bytes.iter().rev().take_while(|&&byte| byte == PADDING).count();
        let code = &bytes[..bytes.len() - padding];
        let mut decoder = Decoder::with_ip(64, code, function.start.0, DecoderOptions::NONE);
        let mut instructions = Vec::with_capacity(code.len() / 4);
        let mut targets = BTreeSet::new();
        let mut has_jump_table = false;
        while decoder.can_decode() {
            let instruction = decoder.decode();
            if instruction.is_invalid() {
                return None;
            }
            match instruction.flow_control() {
                FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch | FlowControl::XbeginXabortXend => {
                    targets.insert(instruction.near_branch_target());
                }
                FlowControl::IndirectBranch => has_jump_table = true,
                _ => {}
            }
            instructions.push(instruction);
        }
        if instructions.is_empty() {
            return None;
        }
        Some(Self { function, instructions, targets, has_jump_table, padding })
    }

    fn va(&self, index: usize) -> Va {
        Va(self.instructions[index].ip())
    }

    /// Index of the first instruction behind the stack check; 0 when there is none.
    ///
    /// The forms (Go's `src/cmd/internal/obj/x86/obj6.go`, `stacksplit`): `cmp rsp, [r14+16]; jbe`, with a large frame
    /// `lea r12, [rsp-n]; cmp r12, [r14+16]; jbe`, with a huge one `mov r12, rsp; sub r12, n; jb; cmp ...; jbe`.
    fn behind_stack_check(&self, functions: &FunctionTable<'_>) -> Result<usize, Refusal> {
        let is_guard = |instruction: &Instruction| {
            instruction.mnemonic() == Mnemonic::Cmp
                && instruction.op1_kind() == OpKind::Memory
                && instruction.memory_base() == Register::R14
                && instruction.memory_displacement64() == STACKGUARD0
                && matches!(instruction.op0_register(), Register::RSP | Register::R12)
        };
        let Some(guard) = self.instructions.iter().take(LONGEST_STACK_CHECK).position(is_guard) else {
            // Without a check the function must not call one either.
            return if self.calls_morestack(functions) { Err(Refusal::StackCheck) } else { Ok(0) };
        };
        let jump = self.instructions.get(guard + 1).ok_or(Refusal::StackCheck)?;
        let only_computes_the_limit = self.instructions[..guard].iter().all(|instruction| {
            matches!(instruction.mnemonic(), Mnemonic::Lea | Mnemonic::Mov | Mnemonic::Sub)
                && instruction.op0_register() == Register::R12
                || instruction.mnemonic() == Mnemonic::Jb
        });
        if jump.mnemonic() != Mnemonic::Jbe || !only_computes_the_limit {
            return Err(Refusal::StackCheck);
        }
        let target = jump.near_branch_target();
        let grows = self.instructions.binary_search_by_key(&target, Instruction::ip).is_ok_and(|first| {
            self.instructions[first..]
                .iter()
                .take(LONGEST_SPILL)
                .find(|instruction| instruction.flow_control() != FlowControl::Next)
                .is_some_and(|call| is_morestack(call, functions))
        });
        if grows { Ok(guard + 2) } else { Err(Refusal::StackCheck) }
    }

    fn calls_morestack(&self, functions: &FunctionTable<'_>) -> bool {
        self.instructions.iter().any(|instruction| is_morestack(instruction, functions))
    }

    fn enter(&self, index: usize) -> Result<Site, Refusal> {
        let va = self.instructions.get(index).ok_or(Refusal::NoRoom)?.ip();
        if self.targets.contains(&va) {
            return Err(Refusal::BranchTarget);
        }
        let mut len = 0;
        let mut end = index;
        while len < NEAR_JUMP {
            let instruction = self.instructions.get(end).ok_or(Refusal::NoRoom)?;
            if end > index {
                self.inside(instruction)?;
            }
            self.movable(instruction)?;
            len += instruction.len();
            end += 1;
        }
        Ok(Site {
            at: At::Enter,
            va: Va(va),
            len,
            before: Vec::new(),
            after: self.instructions[index..end].to_vec(),
            resume: Some(Va(va + len as u64)),
        })
    }

    /// Indices of the instructions that leave the function: returns, and jumps out of it.
    fn exits(&self) -> impl Iterator<Item = usize> {
        self.instructions.iter().enumerate().filter_map(|(index, instruction)| {
            let leaves = match instruction.flow_control() {
                FlowControl::Return => true,
                FlowControl::UnconditionalBranch => {
                    let target = instruction.near_branch_target();
                    !(self.function.start.0..self.function.end.0).contains(&target)
                }
                _ => false,
            };
            leaves.then_some(index)
        })
    }

    /// Indices of jumps through a register. The compiler's jump tables jump through memory with an index
    /// (`JUMPTABLE` in Go's `src/cmd/compile/internal/amd64/ssa.go`); through a register goes a tail call.
    fn indirect_jumps(&self) -> impl Iterator<Item = usize> {
        self.instructions.iter().enumerate().filter_map(|(index, instruction)| {
            let through_table = instruction.op0_kind() == OpKind::Memory
                && instruction.memory_index() != Register::None
                && instruction.memory_index_scale() == 8;
            (instruction.flow_control() == FlowControl::IndirectBranch && !through_table).then_some(index)
        })
    }

    fn exit(&self, index: usize) -> Result<Site, Refusal> {
        self.exit_window(index, NEAR_JUMP)
    }

    /// The site that ends with instruction `index` and has room for `needed` bytes.
    fn exit_window(&self, index: usize, needed: usize) -> Result<Site, Refusal> {
        let last = &self.instructions[index];
        let mut len = last.len();
        let mut start = index;
        let mut refusal = Refusal::NoRoom;
        while len < needed && start > 0 {
            let previous = &self.instructions[start - 1];
            // The one that stands first so far would come to lie inside.
            let step = self.inside(&self.instructions[start]).and_then(|()| self.movable(previous));
            if let Err(why) = step {
                refusal = why;
                break;
            }
            start -= 1;
            len += previous.len();
        }
        let is_last = index + 1 == self.instructions.len();
        if len < needed && is_last && len + self.padding >= needed {
            len = needed;
        }
        if len < needed {
            return Err(refusal);
        }
        if last.flow_control() != FlowControl::Return && uses_thunk_registers(last) {
            return Err(Refusal::RegisterInUse);
        }
        Ok(Site {
            at: At::Exit,
            va: self.va(start),
            len,
            before: self.instructions[start..index].to_vec(),
            after: vec![*last],
            resume: None,
        })
    }

    /// Whether an instruction may come to lie inside the overwritten bytes, not first.
    fn inside(&self, instruction: &Instruction) -> Result<(), Refusal> {
        if self.targets.contains(&instruction.ip()) { Err(Refusal::BranchTarget) } else { Ok(()) }
    }

    /// Whether an instruction may move into a thunk.
    fn movable(&self, instruction: &Instruction) -> Result<(), Refusal> {
        if instruction.flow_control() != FlowControl::Next {
            return Err(Refusal::FlowControl);
        }
        if may_fault(instruction) {
            return Err(Refusal::MayFault);
        }
        if self.has_jump_table && !is_frame_instruction(instruction) {
            return Err(Refusal::JumpTable);
        }
        Ok(())
    }
}

/// Whether a function that has no stack check may be `//go:nosplit` because it runs where there is no P to hold: on
/// the way into and out of a system call or a signal handler, or in the child of a fork.
fn may_run_without_p(name: &str) -> bool {
    ["runtime.", "runtime/internal/", "internal/runtime/", "syscall."].iter().any(|package| name.starts_with(package))
}

fn is_morestack(instruction: &Instruction, functions: &FunctionTable<'_>) -> bool {
    instruction.code() == Code::Call_rel32_64
        && functions
            .containing(Va(instruction.near_branch_target()))
            .is_some_and(|callee| callee.name.starts_with("runtime.morestack"))
}

/// Whether an instruction could raise a fault: a memory access that is not to the stack or at a fixed address, a
/// division, or something that is not for user code.
fn may_fault(instruction: &Instruction) -> bool {
    if instruction.is_privileged() || matches!(instruction.mnemonic(), Mnemonic::Div | Mnemonic::Idiv) {
        return true;
    }
    let mut factory = InstructionInfoFactory::new();
    factory.info(instruction).used_memory().iter().any(|memory| {
        let is_access = !matches!(memory.access(), OpAccess::None | OpAccess::NoMemAccess);
        let on_stack = memory.base() == Register::RSP && memory.index() == Register::None;
        is_access && !on_stack && !instruction.is_ip_rel_memory_operand()
    })
}

/// Whether an instruction belongs to the making or unmaking of a frame, or does nothing.
fn is_frame_instruction(instruction: &Instruction) -> bool {
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
        Mnemonic::Nop => true,
        // `xchg ax, ax`, the two-byte nop.
        Mnemonic::Xchg => first == Register::AX && instruction.op1_register() == Register::AX,
        _ => false,
    }
}

/// Whether an instruction reads a register that the thunk does not give back.
fn uses_thunk_registers(instruction: &Instruction) -> bool {
    let mut factory = InstructionInfoFactory::new();
    factory.info(instruction).used_registers().iter().any(|used| {
        matches!(used.register().full_register(), Register::R12 | Register::R13 | Register::R15 | Register::XMM15)
    })
}

#[cfg(test)]
mod tests;
