//! The hook thunk: what a site jumps to.
//!
//! Decides: the code that looks whether anybody listens, makes a record in the P's ring, and goes on in the program.
//! Trusts: the plan (offsets come from the binary's own DWARF) and the state of a goroutine at an ABIInternal entry
//! or return. Never does: call, push, touch the goroutine's stack, block, or enter the kernel.
//!
//! # What holds at a site
//!
//! | | entry (after the stack check) | exit (RSP at the return address) |
//! |---|---|---|
//! | R14 | g | g |
//! | X15 | zero | zero |
//! | RAX RBX RCX RDI RSI R8 R9 R10 R11 | arguments | results |
//! | RDX | closure context | scratch |
//! | R12 R13 R15, flags | scratch | scratch |
//!
//! (Go's `src/cmd/compile/abi-internal.md`; R15 is the GOT only under `-dynlink`, which the patcher refuses.)
//! In both places RSP + 8 is the frame address (CFA): a site lies either before the frame is made or after it is gone.
//!
//! # Invariants
//!
//! * **Single producer.** `isAsyncSafePoint` (Go's `src/runtime/preempt.go`) refuses a PC that `findfunc` does not
//!   know, and a thunk has no cooperative preemption point, so while PC is in a thunk this thread keeps its P. The
//!   slot and the ring of that P are ours; plain stores publish, since x86-64 keeps stores in order.
//! * **No use after unmap.** `BUSY` is stored before `ATTACHED` is loaded for good. Who leaves the rings stores
//!   `ATTACHED = 0`, runs a `membarrier` on all threads, and unmaps only when every `BUSY` is 0 (see [`crate::attach`]).
//! * **Never fault.** Each pointer is compared with nil before it is followed. What a thunk follows is either live (an
//!   argument at entry) or was kept by this very call's entry (proof in `words`), and the rule vouches that the caller
//!   keeps it alive. A pointer into the goroutine's own stack is never kept: the stack may move.
//!   String bytes are read within `[pointer, pointer + length)` only.
//! * **A call that is left out pays for nothing.** What a rule asks of a call (`condition`), and whether its entry was
//!   recorded (`words`), is found out in R12, R13, R15 and the flags, before the slot is busy and anything is borrowed.
//! * **Nothing is left changed.** RAX, RCX, RDX (and RBX) are borrowed through the slot and given back; X15 is used for
//!   copies and zeroed again; `after` then runs as it would have in place.
//!
//! # Where things are
//!
//! Here: the frame of a hook, and the registers that it borrows. `words`: what an entry keeps for its exit. `record`: the record's
//! place in the ring, its fixed part, and what is seldom run. `capture`: the values. `condition`: which calls are recorded.
//!
//! Register use: R13 slot; R15 record (its ring header); R12 where the next string goes; RAX, RCX, RDX work. RCX (and
//! RBX) are borrowed only by hooks that need them.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

mod capture;
mod condition;
mod record;
mod words;

use crate::arena::{Arena, SLOT_SHIFT, slot, switches};
use crate::asm::{EmitError, at, finish};
use crate::moved::{Mover, Onward};
use crate::plan::{CapturePlan, Gpr, HookPlan, Leaf, Path, Root, RuntimeOffsets, SitePlan, Source, Step};
use gopatch_protocol::manifest::At;
use gopatch_protocol::wire::{record as fields, ring};

/// Emits the whole thunk of a site, to lie at `va`.
pub fn emit(
    plan: &HookPlan,
    site: &SitePlan,
    offsets: &RuntimeOffsets,
    arena: &Arena,
    va: u64,
) -> Result<Vec<u8>, EmitError> {
    assemble(plan, offsets, arena, va, |emitter| emitter.thunk(site))
}

/// Emits the part that all returns of a function share, to lie at `va`: it makes the record and returns.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method's own path fixes one lifetime")]
pub fn emit_return_body(
    plan: &HookPlan,
    offsets: &RuntimeOffsets,
    arena: &Arena,
    va: u64,
) -> Result<Vec<u8>, EmitError> {
    assemble(plan, offsets, arena, va, |emitter| emitter.return_body())
}

/// Emits the part that each return has for itself, to lie at `va`: it looks whether anybody listens, and returns or
/// goes to the shared part at `body`.
pub fn emit_return_head(
    plan: &HookPlan,
    site: &SitePlan,
    offsets: &RuntimeOffsets,
    arena: &Arena,
    (va, body): (u64, u64),
) -> Result<Vec<u8>, EmitError> {
    assemble(plan, offsets, arena, va, |emitter| emitter.return_head(site, body))
}

/// The largest number of bytes that a record of these captures takes in a ring.
pub fn max_record(captures: &[CapturePlan]) -> usize {
    let strings: usize = captures.iter().map(CapturePlan::max_string).sum();
    ring::HEADER + (fields::WORDS + 8 * captures.len() + strings).next_multiple_of(8)
}

fn assemble(
    plan: &HookPlan,
    offsets: &RuntimeOffsets,
    arena: &Arena,
    va: u64,
    template: impl FnOnce(&mut Emitter<'_>) -> Result<(), IcedError>,
) -> Result<Vec<u8>, EmitError> {
    let encode = |source| EmitError::Encode { va, source };
    let mut asm = CodeAssembler::new(64).map_err(encode)?;
    template(&mut Emitter { asm: &mut asm, plan, offsets, arena }).map_err(encode)?;
    finish(&mut asm, va)
}

/// The labels that parts of a hook jump to.
struct Labels {
    /// Runs `after` and goes on in the program.
    go_on: CodeLabel,
    /// Gives the registers back, then `go_on`.
    done: CodeLabel,
    /// There is room for the record.
    room: CodeLabel,
    // The rest is seldom run and comes last, so that what usually runs does so in a row.
    /// The P has no ring.
    no_ring: CodeLabel,
    /// There is no P.
    no_p: CodeLabel,
    /// The rings were left between the two looks.
    detached: CodeLabel,
    /// There might be no room for the record.
    refill: CodeLabel,
    /// The call is not to be recorded.
    left_out: CodeLabel,
}

impl Labels {
    fn new(asm: &mut CodeAssembler) -> Self {
        let mut label = || asm.create_label();
        Self {
            go_on: label(),
            done: label(),
            room: label(),
            no_ring: label(),
            no_p: label(),
            detached: label(),
            refill: label(),
            left_out: label(),
        }
    }
}

struct Emitter<'a> {
    asm: &'a mut CodeAssembler,
    plan: &'a HookPlan,
    offsets: &'a RuntimeOffsets,
    arena: &'a Arena,
}

impl Emitter<'_> {
    fn thunk(&mut self, site: &SitePlan) -> Result<(), IcedError> {
        let mut active = self.asm.create_label();
        let mut labels = Labels::new(self.asm);
        let mut moved = Mover::new(&site.guards);
        self.before(site, &mut moved)?;
        self.test_enabled()?;
        self.asm.jne(active)?;
        self.asm.set_label(&mut labels.go_on)?;
        moved.emit(self.asm, &site.after, site.resume.map_or(Onward::Leave, Onward::At))?;
        if let Some(resume) = site.resume {
            self.asm.jmp(resume)?;
        }
        self.asm.set_label(&mut active)?;
        self.active(&mut labels)?;
        self.asm.jmp(labels.go_on)?;
        self.seldom(&mut labels)?;
        moved.faults(self.asm)
    }

    fn return_head(&mut self, site: &SitePlan, body: u64) -> Result<(), IcedError> {
        let mut moved = Mover::new(&site.guards);
        self.before(site, &mut moved)?;
        self.test_enabled()?;
        self.asm.jne(body)?;
        moved.emit(self.asm, &site.after, Onward::Leave)?;
        moved.faults(self.asm)
    }

    /// What runs before the hook; a return in it leads to the hook.
    fn before<'s>(&mut self, site: &'s SitePlan, moved: &mut Mover<'s>) -> Result<(), IcedError> {
        let mut hook = self.asm.create_label();
        moved.emit(self.asm, &site.before, Onward::Label(hook))?;
        self.asm.set_label(&mut hook)
    }

    fn return_body(&mut self) -> Result<(), IcedError> {
        let mut labels = Labels::new(self.asm);
        self.active(&mut labels)?;
        self.asm.set_label(&mut labels.go_on)?;
        self.asm.ret()?;
        self.seldom(&mut labels)
    }

    /// Nobody listens, or not to this function: the usual case falls through.
    fn test_enabled(&mut self) -> Result<(), IcedError> {
        self.asm.cmp(byte_ptr(at(self.arena.enable(self.plan.function))), 0)
    }

    /// What is done while somebody listens. Falls through when done; goes to `go_on` when there is nothing to do.
    fn active(&mut self, labels: &mut Labels) -> Result<(), IcedError> {
        // An entry that is left out may have to see to the words table first.
        self.filter(if self.marks() { labels.left_out } else { labels.go_on })?;
        if self.plan.marked && self.plan.at == At::Exit {
            self.look_for_mark(labels)?;
        }
        self.take_slot(labels)?;
        match self.plan.at {
            At::Enter if self.plan.uses_table() => self.keep_words(labels)?,
            At::Exit if self.plan.uses_table() => self.recall_words()?,
            At::Enter | At::Exit => {}
        }
        self.record(labels)?;
        self.asm.set_label(&mut labels.done)?;
        if self.borrows_rbx() {
            self.asm.mov(rbx, qword_ptr(r13 + slot::SAVED_RBX))?;
        }
        self.asm.mov(rax, qword_ptr(r13 + slot::SAVED_RAX))?;
        if self.borrows_rcx() {
            self.asm.mov(rcx, qword_ptr(r13 + slot::SAVED_RCX))?;
        }
        self.asm.mov(rdx, qword_ptr(r13 + slot::SAVED_RDX))?;
        self.asm.mov(byte_ptr(r13 + slot::BUSY), 0)
    }

    /// Finds this P's slot (R13), marks it busy, borrows registers, and notes the time (RDX and the slot).
    fn take_slot(&mut self, labels: &Labels) -> Result<(), IcedError> {
        let (asm, offsets) = (&mut *self.asm, self.offsets);
        asm.mov(r12, qword_ptr(r14 + offsets.g_m))?;
        asm.mov(r12, qword_ptr(r12 + offsets.m_p))?;
        // No P: nothing that is ours can be written.
        asm.test(r12, r12)?;
        asm.je(labels.no_p)?;
        asm.mov(r12d, dword_ptr(r12 + offsets.p_id))?;
        asm.cmp(r12d, dword_ptr(at(self.arena.switches() + switches::RINGS)))?;
        asm.jae(labels.no_ring)?;
        asm.shl(r12d, SLOT_SHIFT)?;
        asm.lea(r13, at(self.arena.slots()))?;
        asm.add(r13, r12)?;
        asm.mov(byte_ptr(r13 + slot::BUSY), 1)?;
        asm.cmp(dword_ptr(at(self.arena.switches() + switches::ATTACHED)), 0)?;
        asm.je(labels.detached)?;
        asm.mov(qword_ptr(r13 + slot::SAVED_RAX), rax)?;
        asm.mov(qword_ptr(r13 + slot::SAVED_RDX), rdx)?;
        if self.borrows_rcx() {
            self.asm.mov(qword_ptr(r13 + slot::SAVED_RCX), rcx)?;
        }
        if self.borrows_rbx() {
            self.asm.mov(qword_ptr(r13 + slot::SAVED_RBX), rbx)?;
        }
        self.asm.rdtsc()?;
        self.asm.shl(rdx, 32)?;
        self.asm.or(rdx, rax)?;
        if self.plan.uses_table() {
            self.asm.mov(qword_ptr(r13 + slot::TSC), rdx)?;
        }
        Ok(())
    }

    /// Whether RCX is needed: by the words table, strings, types and comparisons with nil.
    fn borrows_rcx(&self) -> bool {
        let is_number = |path: &Path| {
            matches!(path.leaf, Leaf::Int { .. })
                && !matches!(path.root, Root::Interface { .. })
                && path.steps.iter().all(|step| matches!(step, Step::Load { .. }))
        };
        self.plan.uses_table() || !self.plan.captures.iter().flat_map(|capture| &capture.paths).all(is_number)
    }

    /// Only the search in the words table needs a fourth work register.
    fn borrows_rbx(&self) -> bool {
        self.plan.uses_table()
    }

    /// Whether this is an entry whose exits are recorded only with its mark.
    fn marks(&self) -> bool {
        self.plan.marked && self.plan.at == At::Enter
    }

    /// The frame: bytes from the high end of the stack to the call's frame address.
    fn frame(&mut self, to: AsmRegister64) -> Result<(), IcedError> {
        self.asm.mov(to, qword_ptr(r14 + self.offsets.g_stack_hi))?;
        self.asm.sub(to, rsp)?;
        self.asm.sub(to, 8)
    }

    /// Loads a source into RAX, RCX or RDX. Borrowed registers are read where they were saved.
    fn load(&mut self, target: AsmRegister64, source: Source) -> Result<(), IcedError> {
        let (borrows_rcx, borrows_rbx) = (self.borrows_rcx(), self.borrows_rbx());
        let asm = &mut *self.asm;
        match source {
            Source::Register(Gpr::Rax) => asm.mov(target, qword_ptr(r13 + slot::SAVED_RAX)),
            Source::Register(Gpr::Rcx) if borrows_rcx => asm.mov(target, qword_ptr(r13 + slot::SAVED_RCX)),
            Source::Register(Gpr::Rbx) if borrows_rbx => asm.mov(target, qword_ptr(r13 + slot::SAVED_RBX)),
            Source::Register(gpr) => asm.mov(target, register(gpr)),
            Source::Stack(offset) => asm.mov(target, qword_ptr(rsp + 8 + offset)),
            Source::Kept(index) => asm.mov(target, qword_ptr(r13 + slot::WORDS + 8 * u64::from(index))),
        }
    }
}

fn register(gpr: Gpr) -> AsmRegister64 {
    match gpr {
        Gpr::Rax => rax,
        Gpr::Rbx => rbx,
        Gpr::Rcx => rcx,
        Gpr::Rdi => rdi,
        Gpr::Rsi => rsi,
        Gpr::R8 => r8,
        Gpr::R9 => r9,
        Gpr::R10 => r10,
        Gpr::R11 => r11,
    }
}
