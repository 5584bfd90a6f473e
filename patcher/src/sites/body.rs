//! A function's instructions, and which of them may move.
//!
//! Decides: which instructions are the stack check, which are ways out, and which runs a jump may
//! overwrite.
//! Trusts: the function's bounds, and iced's decoding.
//! Never does: consider which bytes other sites take.

use std::collections::BTreeSet;
use std::ops::Range;

use gopatch_protocol::manifest::At;
use gopatch_trampolines::plan::SigPanic;
use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind,
    Register,
};

use super::instruction::{
    branch_target, calls, has_loop, is_frame_instruction, is_jump_table, is_limit, is_morestack, is_nop,
    leaves_by_thunk_register, stays_preemptible,
};
use super::stops::{Stops, prologue_end};
use super::{NEAR_JUMP, Refusal, Site, guards};
use crate::address::Va;
use crate::golang::pclntab::{Function, FunctionTable};

/// Most instructions of a stack check (`mov`, `sub`, `jb`, `cmp`, `jbe`), with a nop.
const LONGEST_STACK_CHECK: usize = 6;
/// Most instructions between a stack check's target and its call of `morestack`: register spills.
const LONGEST_SPILL: usize = 40;
/// The linker replaces a map's initializer with this function if the map is never read. It is in
/// assembly, and only returns (Go's `src/runtime/asm.s`).
const MAP_INIT_NOOP: &str = "runtime.mapinitnoop";
/// What `push rbp` takes of the stack.
const WORD: i32 = 8;
/// Offset of `g.stackguard0`, which a stack check reads: after the two words of `g.stack`, since Go
/// 1.4.
const STACKGUARD0: u64 = 0x10;

/// A decoded function.
pub(super) struct Body<'a> {
    pub(super) function: Function<'a>,
    pub(super) instructions: Vec<Instruction>,
    /// Targets of the function's own branches.
    targets: BTreeSet<u64>,
    /// Whether it jumps through a table, to addresses that are not in `targets`.
    has_jump_table: bool,
    /// Bytes of padding after the last instruction.
    padding: usize,
    /// The runtime's handler of faults.
    pub(super) sigpanic: Option<SigPanic>,
}

impl<'a> Body<'a> {
    pub(super) fn decode(bytes: &[u8], function: Function<'a>, sigpanic: Option<SigPanic>) -> Option<Self> {
        let mut decoder = Decoder::with_ip(64, bytes, function.start.0, DecoderOptions::NONE);
        let mut instructions = Vec::with_capacity(bytes.len() / 4);
        while decoder.can_decode() {
            let instruction = decoder.decode();
            if instruction.is_invalid() {
                return None;
            }
            instructions.push(instruction);
        }
        let code = instructions.iter().rposition(|instruction| instruction.mnemonic() != Mnemonic::Int3)? + 1;
        let padding = instructions.len() - code;
        instructions.truncate(code);
        let is_branch = |instruction: &&Instruction| {
            use FlowControl::{ConditionalBranch, UnconditionalBranch, XbeginXabortXend};
            matches!(instruction.flow_control(), ConditionalBranch | UnconditionalBranch | XbeginXabortXend)
        };
        let targets = instructions.iter().filter(is_branch).map(Instruction::near_branch_target).collect();
        let has_jump_table = instructions.iter().any(is_jump_table);
        Some(Self { function, instructions, targets, has_jump_table, padding, sigpanic })
    }

    pub(super) fn va(&self, index: usize) -> Va {
        Va(self.instructions[index].ip())
    }

    /// The instructions of the stack check; an empty range at the function's beginning when there
    /// is none.
    ///
    /// The forms (Go's `src/cmd/internal/obj/x86/obj6.go`, `stacksplit`): `cmp rsp, [r14+16]; jbe`,
    /// with a large frame `lea r12, [rsp-n]; cmp r12, [r14+16]; jbe`, with a huge one `mov r12,
    /// rsp; sub r12, n; jb; cmp ...; jbe`.
    pub(super) fn stack_check(&self, functions: &FunctionTable<'_>) -> Result<Range<usize>, Refusal> {
        let is_guard = |instruction: &Instruction| {
            instruction.mnemonic() == Mnemonic::Cmp
                && instruction.op1_kind() == OpKind::Memory
                && instruction.memory_base() == Register::R14
                && instruction.memory_displacement64() == STACKGUARD0
                && matches!(instruction.op0_register(), Register::RSP | Register::R12)
        };
        let start = self.after_may_more_stack(functions);
        let Some(guard) = self.instructions[start..].iter().take(LONGEST_STACK_CHECK).position(is_guard) else {
            // A function without a check does not call `morestack` either.
            return if self.calls_morestack(functions) { Err(Refusal::StackCheck) } else { Ok(0..0) };
        };
        let guard = start + guard;
        let jump = self.instructions.get(guard + 1).ok_or(Refusal::StackCheck)?;
        let only_computes_the_limit = self.instructions[start..guard].iter().all(|instruction| {
            matches!(instruction.mnemonic(), Mnemonic::Lea | Mnemonic::Mov | Mnemonic::Sub)
                && instruction.op0_register() == Register::R12
                || instruction.mnemonic() == Mnemonic::Jb
                || is_nop(instruction)
        });
        if jump.mnemonic() != Mnemonic::Jbe || !only_computes_the_limit {
            return Err(Refusal::StackCheck);
        }
        let mut growth = self.instructions[self.growth(jump)..].iter().take(LONGEST_SPILL);
        let call = growth.find(|instruction| instruction.flow_control() != FlowControl::Next);
        if call.is_some_and(|call| is_morestack(call, functions)) {
            Ok(start..guard + 2)
        } else {
            Err(Refusal::StackCheck)
        }
    }

    /// Index of the first instruction of the code to which a stack check jumps; the number of
    /// instructions if there is none.
    pub(super) fn growth(&self, jump: &Instruction) -> usize {
        let target = jump.near_branch_target();
        self.instructions.binary_search_by_key(&target, Instruction::ip).unwrap_or(self.instructions.len())
    }

    /// Index of the first instruction after the code that `-d=maymorestack` adds before a stack
    /// check: a call, with the arguments saved around it.
    fn after_may_more_stack(&self, functions: &FunctionTable<'_>) -> usize {
        let saves = |instruction: &&Instruction| {
            // The assembler aligns jumps, and the comparisons before them.
            matches!(instruction.mnemonic(), Mnemonic::Push | Mnemonic::Pop)
                || is_nop(instruction)
                || instruction.memory_base() == Register::RSP && instruction.flow_control() == FlowControl::Next
        };
        let saved = self.instructions.iter().take(LONGEST_SPILL).take_while(saves).count();
        let is_call = self.instructions.get(saved).is_some_and(|call| calls(call, "runtime.mayMoreStack", functions));
        let restored = || self.instructions[saved + 1..].iter().take_while(|it| saves(it) && !is_limit(it)).count();
        if is_call { saved + 1 + restored() } else { 0 }
    }

    fn calls_morestack(&self, functions: &FunctionTable<'_>) -> bool {
        self.instructions.iter().any(|instruction| is_morestack(instruction, functions))
    }

    /// The site of at least `needed` bytes that begins with instruction `index`, which runs once
    /// for each call.
    pub(super) fn enter(&self, index: usize, needed: usize) -> Result<Site, Refusal> {
        if self.instructions.get(index).is_some_and(|first| self.targets.contains(&first.ip())) {
            return Err(Refusal::BranchTarget);
        }
        self.run(index, needed)
    }

    /// The site that holds only the stack check.
    ///
    /// The check sends the function back to its first byte, and so to the site; the hook runs after
    /// the check.
    pub(super) fn with_stack_check(&self, check: &Range<usize>) -> Option<Site> {
        let (start, entry) = (check.start, check.end);
        let check = self.instructions.get(start..entry)?;
        let stay_together = |instruction| self.inside(instruction).is_ok();
        let len = check.iter().map(Instruction::len).sum();
        (len >= NEAR_JUMP && check[1..].iter().all(stay_together)).then(|| Site {
            at: At::Enter,
            va: self.va(start),
            len,
            island: None,
            before: check.to_vec(),
            after: Vec::new(),
            leaves: None,
            resume: Some(self.va(entry)),
            guards: Vec::new(),
            depth: 0,
        })
    }

    /// The site that begins with the stack check and ends with the first call, if Go compiled the
    /// callee.
    ///
    /// A thunk's address must not become a return address. So the thunk pushes the address after
    /// the call itself, and jumps. For that it needs a register that holds no argument; functions
    /// in assembly may use any register.
    pub(super) fn up_to_call(&self, check: &Range<usize>, functions: &FunctionTable<'_>) -> Option<Site> {
        let (start, entry) = (check.start, check.end);
        let is_call = |instruction: &Instruction| instruction.flow_control() == FlowControl::Call;
        let call = entry + self.instructions.get(entry..)?.iter().position(is_call)?;
        let callee = functions.containing(Va(self.instructions[call].near_branch_target()))?;
        let (check, displaced) = (self.instructions.get(start..entry)?, self.instructions.get(entry..=call)?);
        let (_, before_call) = displaced.split_last()?;
        let inside = self.instructions.get(start + 1..=call)?;
        // A function that recovers continues at its own call of `deferreturn`, which must stay
        // where it is.
        let may_move = self.function.deferreturn.is_none()
            && self.instructions[call].code() == Code::Call_rel32_64
            && (callee.name == MAP_INIT_NOOP || !callee.flags.is_assembly() && callee.pcsp != 0)
            && before_call.iter().all(|instruction| self.movable(instruction).is_ok())
            && inside.iter().all(|instruction| self.inside(instruction).is_ok());
        Some(Site {
            at: At::Enter,
            va: self.va(start),
            len: (self.instructions[call].next_ip() - self.va(start).0) as usize,
            island: None,
            before: check.to_vec(),
            after: displaced.to_vec(),
            leaves: None,
            resume: None,
            guards: guards::at_entry(&self.instructions, entry..call, self.sigpanic).ok()?,
            depth: 0,
        })
        .filter(|_| may_move)
    }

    /// The site at the end of the prologue that begins at instruction `entry`, or after it, so that
    /// `push rbp` stays and no debugger stops within.
    ///
    /// The prologue changes RSP and RBP alone, so the arguments are still where the caller left
    /// them.
    pub(super) fn in_prologue(&self, entry: usize, stops: &Stops) -> Option<Site> {
        let end = prologue_end(&self.instructions, entry);
        if end == entry || self.instructions[entry..end].iter().any(|first| self.targets.contains(&first.ip())) {
            return None;
        }
        let last = &self.instructions[end];
        let frame = match last.mnemonic() {
            Mnemonic::Mov => 0,
            Mnemonic::Add => i32::try_from(last.try_immediate(1).ok()?.wrapping_neg()).ok()?,
            _ => i32::try_from(last.try_immediate(1).ok()?).ok()?,
        };
        let at = |index, depth| Some(Site { depth, ..self.enter(index, NEAR_JUMP).ok()? });
        let after = frame.checked_add(WORD).and_then(|depth| at(end + 1, depth));
        // Of equals, the first.
        at(end, WORD)
            .into_iter()
            .chain(after)
            .min_by_key(|site| (stops.are_within(&site.range()), !site.guards.is_empty()))
    }

    /// Instructions that may move only to make room: at least `needed` bytes of them, from
    /// instruction `index` on.
    pub(super) fn relay(&self, index: usize, needed: usize) -> Option<Site> {
        // In the middle of a function no register is known to be free for a guard.
        self.run(index, needed).ok().filter(|site| site.guards.is_empty())
    }

    /// The site of at least `needed` bytes that begins with instruction `index`; the function
    /// continues after it.
    fn run(&self, index: usize, needed: usize) -> Result<Site, Refusal> {
        let va = self.instructions.get(index).ok_or(Refusal::NoRoom)?.ip();
        let mut len = 0;
        let mut end = index;
        while len < needed {
            let instruction = self.instructions.get(end).ok_or(Refusal::NoRoom)?;
            if end > index {
                self.inside(instruction)?;
            }
            self.movable(instruction)?;
            len += instruction.len();
            end += 1;
        }
        stays_preemptible(&self.instructions[index..end])?;
        Ok(Site {
            at: At::Enter,
            va: Va(va),
            len,
            island: None,
            before: Vec::new(),
            after: self.instructions[index..end].to_vec(),
            leaves: None,
            resume: Some(Va(va + len as u64)),
            guards: guards::at_entry(&self.instructions, index..end, self.sigpanic)?,
            depth: 0,
        })
    }

    /// Whether the function neither calls, nor loops, nor reads memory. Given constant parameters,
    /// the compiler can compute the results of such a function.
    pub(super) fn only_computes(&self) -> bool {
        let mut factory = InstructionInfoFactory::new();
        self.instructions.iter().all(|instruction| {
            let is_back = self.targets.contains(&instruction.near_branch_target())
                && instruction.near_branch_target() <= instruction.ip();
            let reads = factory.info(instruction).used_memory().iter().any(|memory| {
                memory.base() != Register::RSP && !matches!(memory.access(), OpAccess::None | OpAccess::NoMemAccess)
            });
            instruction.flow_control() != FlowControl::Call && !is_back && !reads
        })
    }

    /// The site that begins with instruction `index`; nothing after its start will run. What runs
    /// before it must not lead into it.
    pub(super) fn cut(&self, index: usize) -> Option<Site> {
        let va = self.instructions.get(index)?.ip();
        let mut len = 0;
        for next in index..self.instructions.len() {
            if len >= NEAR_JUMP {
                break;
            }
            len += self.instructions[next].len();
            len += self.padding_after(next).min(NEAR_JUMP.saturating_sub(len));
        }
        let range = va..va + len as u64;
        let is_led_to = self.instructions[..index].iter().any(|before| range.contains(&before.near_branch_target()));
        (len >= NEAR_JUMP && !is_led_to).then(|| Site {
            at: At::Enter,
            va: Va(va),
            len,
            island: None,
            before: Vec::new(),
            after: Vec::new(),
            leaves: None,
            resume: None,
            guards: Vec::new(),
            depth: 0,
        })
    }

    /// The site that begins with instruction `entry` and holds the first way out after it, if
    /// everything up to there can move.
    pub(super) fn through(&self, entry: usize) -> Option<Site> {
        let leaves = self.exits().find(|&index| index >= entry)?;
        self.between(entry, leaves).filter(|site| !self.targets.contains(&site.va.0))
    }

    /// The site that holds all instructions from `entry` to the way out at `leaves`.
    pub(super) fn between(&self, entry: usize, leaves: usize) -> Option<Site> {
        let displaced = self.instructions.get(entry..leaves)?;
        let last = self.instructions[leaves];
        let stay_together = |instruction| self.inside(instruction).is_ok();
        if !displaced.iter().all(|instruction| self.movable(instruction).is_ok())
            || !self.instructions[entry + 1..=leaves].iter().all(stay_together)
            || leaves_by_thunk_register(&last)
        {
            return None;
        }
        let len = (last.next_ip() - self.va(entry).0) as usize;
        let len = len + self.padding_after(leaves).min(NEAR_JUMP.saturating_sub(len));
        let guards = guards::at_entry(&self.instructions, entry..leaves, self.sigpanic).ok()?;
        (len >= NEAR_JUMP).then(|| Site {
            at: At::Enter,
            va: self.va(entry),
            len,
            island: None,
            before: Vec::new(),
            after: displaced.to_vec(),
            leaves: Some(last),
            resume: None,
            guards,
            depth: 0,
        })
    }

    /// The site that holds all of a function from instruction `entry` on, if every way out of it is
    /// a return: the whole function moves.
    ///
    /// It must not loop, since a goroutine cannot be preempted in a thunk, and must not call, since
    /// a thunk's address must not become a return address. A compare-and-swap may be retried: it
    /// failed because another thread succeeded, so the retries soon end.
    pub(super) fn whole(&self, entry: usize) -> Option<Site> {
        let is_return = |instruction: &&Instruction| instruction.flow_control() == FlowControl::Return;
        let leaves = *self.instructions.iter().rfind(is_return)?;
        let all = self.instructions.get(entry..)?;
        let (last, others) = all.split_last()?;
        let in_function = self.function.start.0..self.function.end.0;
        let is_known = |instruction: &Instruction| match instruction.flow_control() {
            FlowControl::Return => true,
            FlowControl::UnconditionalBranch => in_function.contains(&instruction.near_branch_target()),
            _ => self.movable(instruction).is_ok(),
        };
        let ends = matches!(last.flow_control(), FlowControl::Return | FlowControl::UnconditionalBranch);
        let len = (last.next_ip() - self.va(entry).0) as usize;
        let len = len + self.padding.min(NEAR_JUMP.saturating_sub(len));
        if self.has_jump_table || !ends || !all.iter().all(is_known) || has_loop(all) || len < NEAR_JUMP {
            return None;
        }
        // The code before the entry is a stack check, which leads only past the end of the site.
        let leads_in =
            |instruction: &Instruction| branch_target(instruction).is_some_and(|target| target > self.va(entry).0);
        if self.instructions[..entry].iter().any(leads_in) {
            return None;
        }
        let after = if is_return(&last) { others } else { all };
        Some(Site {
            at: At::Enter,
            va: self.va(entry),
            len,
            island: None,
            before: Vec::new(),
            after: after.to_vec(),
            leaves: Some(leaves),
            resume: None,
            guards: guards::in_whole(&self.instructions, entry..self.instructions.len(), self.sigpanic).ok()?,
            depth: 0,
        })
    }

    /// Bytes of padding after an instruction.
    fn padding_after(&self, index: usize) -> usize {
        if index + 1 == self.instructions.len() { self.padding } else { 0 }
    }

    /// Indices of the instructions that begin in `range`.
    pub(super) fn indices(&self, range: Range<Va>) -> Range<usize> {
        let first = |va: Va| self.instructions.partition_point(|instruction| instruction.ip() < va.0);
        first(range.start)..first(range.end)
    }

    /// Indices of the instructions that leave the function: returns, and jumps out of it.
    pub(super) fn exits(&self) -> impl Iterator<Item = usize> {
        self.instructions.iter().enumerate().filter_map(|(index, instruction)| {
            let leaves = match instruction.flow_control() {
                FlowControl::Return => true,
                FlowControl::UnconditionalBranch => {
                    let target = instruction.near_branch_target();
                    !(self.function.start.0..self.function.end.0).contains(&target)
                }
                FlowControl::IndirectBranch => instruction.op0_kind() == OpKind::Register,
                _ => false,
            };
            leaves.then_some(index)
        })
    }

    /// Indices of jumps with unknown targets.
    pub(super) fn unknown_jumps(&self) -> impl Iterator<Item = usize> {
        self.instructions.iter().enumerate().filter_map(|(index, instruction)| {
            let is_known = is_jump_table(instruction) || instruction.op0_kind() == OpKind::Register;
            (instruction.flow_control() == FlowControl::IndirectBranch && !is_known).then_some(index)
        })
    }

    /// The site of at least `needed` bytes that ends with instruction `index`, a way out.
    pub(super) fn exit(&self, index: usize, needed: usize) -> Result<Site, Refusal> {
        let last = &self.instructions[index];
        let mut len = last.len();
        len += self.padding_after(index).min(needed.saturating_sub(len));
        let mut start = index;
        let mut refusal = Refusal::NoRoom;
        while len < needed && start > 0 {
            let previous = &self.instructions[start - 1];
            // The instruction that is first so far would then lie inside.
            let step = self.inside(&self.instructions[start]).and_then(|()| self.movable(previous));
            if let Err(why) = step {
                refusal = why;
                break;
            }
            start -= 1;
            len += previous.len();
        }
        if len < needed {
            return Err(refusal);
        }
        if leaves_by_thunk_register(last) {
            return Err(Refusal::RegisterInUse);
        }
        stays_preemptible(&self.instructions[start..index])?;
        Ok(Site {
            at: At::Exit,
            va: self.va(start),
            len,
            island: None,
            before: self.instructions[start..index].to_vec(),
            after: vec![*last],
            leaves: None,
            resume: None,
            guards: guards::at_exit(&self.instructions, start..index, self.sigpanic)?,
            depth: 0,
        })
    }

    /// Whether an instruction may lie inside the overwritten bytes, other than first.
    fn inside(&self, instruction: &Instruction) -> Result<(), Refusal> {
        if self.targets.contains(&instruction.ip()) { Err(Refusal::BranchTarget) } else { Ok(()) }
    }

    /// Whether an instruction may move into a thunk.
    fn movable(&self, instruction: &Instruction) -> Result<(), Refusal> {
        // A conditional branch may move, as its target stays the same. Those on RCX have no long
        // form.
        let is_conditional =
            instruction.flow_control() == FlowControl::ConditionalBranch && instruction.is_jcc_short_or_near();
        if instruction.flow_control() != FlowControl::Next && !is_conditional {
            return Err(Refusal::FlowControl);
        }
        if guards::may_fault(instruction) && !guards::can_be_guarded(instruction) {
            return Err(Refusal::MayFault);
        }
        if self.has_jump_table && !is_frame_instruction(instruction) {
            return Err(Refusal::JumpTable);
        }
        Ok(())
    }
}
