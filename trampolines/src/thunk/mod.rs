//! The hook thunk: the code that a site jumps to.
//!
//! Decides: the code that checks whether the hook is enabled, writes a record into the P's ring,
//! and resumes the program.
//! Trusts: the plan (offsets come from the binary's own DWARF) and the state of a goroutine at an
//! ABIInternal entry or return. Never does: call, push, write to the goroutine's stack, wait, or
//! enter the kernel.
//!
//! Here: the frame of a hook, and the registers that it borrows. `condition`: which calls are
//! recorded. `words`: what an entry keeps for its exit. `record`: the place in the ring, the fixed
//! part, and the rare paths. `capture`: the values. `context`: trace contexts.
//!
//! # State at a site
//!
//! | | entry (after the stack check) | exit (RSP at the return address) |
//! |---|---|---|
//! | R14 | g | g |
//! | X15 | zero | zero |
//! | RAX RBX RCX RDI RSI R8 R9 R10 R11 | arguments | results |
//! | RDX | closure context | scratch |
//! | R12 R13 R15, flags | scratch | scratch |
//!
//! (Go's `src/cmd/compile/abi-internal.md`; R15 is the GOT only under `-dynlink`, which the patcher
//! refuses.) RSP + 8 + depth is the frame address (CFA). At a return the frame is gone and the depth
//! is 0. At an entry it is 0 after the stack check; in a function without a check, whose entry is
//! within its prologue, RBP may already lie above.
//!
//! # Registers
//!
//! Before the slot is taken, a thunk works in R12, R13, R15 and the flags. Then R13 is the slot,
//! R15 the record (its ring header), R12 where the next string goes, and RAX, RCX, RDX, RBX, RSI, RDI
//! are work registers, the last four only in hooks that need them.
//!
//! # Invariants
//!
//! The code cites these by number where it relies on one or upholds one.
//! `tests/thunks/invariants.rs` checks those that can be seen in the instructions.
//!
//! * **I1. Every register is given back.** R12, R13, R15 and the flags are scratch at a site. RAX,
//!   RCX, RDX, RBX, RSI and RDI are saved in the slot before they are written (without a slot: RAX in X15)
//!   and restored on every way out. X15 is zeroed after its last use. No other register is written.
//!   The displaced instructions (`after`) then run as they would have in place.
//! * **I2. No stack.** A thunk does not call, push or write to the goroutine's stack, since Go's
//!   unwinder throws on a return address that it does not know. It reads the caller's frame only at
//!   the frame address and above, where the plan says that an argument or a result lies. (A
//!   displaced call, and a displaced instruction that may fault, push an address in the program that
//!   the program itself or the signal handler would have pushed there: see `moved`.)
//! * **I3. One producer.** `isAsyncSafePoint` (Go's `src/runtime/preempt.go`) refuses a PC that
//!   `findfunc` does not know, and a thunk has no cooperative preemption point, so while PC is in a
//!   thunk this thread keeps its P. No function is hooked that runs where `m.p` may be another
//!   thread's (the patcher's `reach`). So of all threads, only this one uses the slot and the ring
//!   of that P, and plain loads and stores will do. On this thread, I13 holds.
//! * **I4. No use after unmap.** The ring is used only between `BUSY = 1` and `BUSY = 0`, and only
//!   if `ATTACHED`, loaded after `BUSY` was stored, is 1. The tick stores `ATTACHED = 0`, and the
//!   rings are unmapped only after every `BUSY` was seen 0 later (see [`crate::attach`]). The same
//!   holds for a hook that finds the slot busy: this thread stored that 1 before, and stores 0 after.
//!   The slots, the switches and the words table are never unmapped.
//! * **I5. Never fault.** A pointer is compared with nil before it is followed, and the word of an
//!   interface is compared with the expected type before its data are. Only g and `g.m` are
//!   followed unchecked: a running goroutine has both. All else that a thunk touches is part of the
//!   image, or a ring, which I4 keeps mapped and whose file cannot shrink (a sealed memfd or a BPF
//!   map).
//! * **I6. Only live pointers.** What a thunk follows is either an argument at entry or a result at
//!   exit, or was kept by the entry of the same call (I11), and the rule vouches that the caller
//!   keeps it alive. A pointer into the goroutine's own stack is never kept, since the stack may
//!   move.
//! * **I7. Only within bounds.** The bytes of a string are read within `[pointer, pointer +
//!   length)`. The largest record of the plan fits below the slot's `LIMIT` before the first store,
//!   is smaller than the ring, and the data are mapped twice in a row, so every store of a record
//!   lands in the ring, on bytes that the consumer has freed.
//! * **I8. Published last.** The producer position is stored after the whole record. x86-64 keeps
//!   stores in order, so with I3 a plain store is enough.
//! * **I9. A call that is left out pays for nothing.** A condition, a sample, and whether the entry
//!   was recorded are evaluated before the slot is busy and before any register is borrowed,
//!   without a clock and without a locked instruction. (Only an entry that finds an earlier call's
//!   words in its place must still free them, for I11.)
//! * **I10. One writer for each place in the words table** (proof in `words`).
//! * **I11. An exit finds the words of its own call or none** (proof in `words`).
//! * **I12. Never wait.** A thunk makes no system call and takes no lock. Every loop is bounded,
//!   except the search for a free place in `words`, which starts again only when another thread has
//!   just claimed that place.
//! * **I13. No hook over a hook.** Only a signal handler can run hooks while this thread is in a
//!   thunk, and it ends before the thunk goes on. The patcher refuses what it finds that Go's handler
//!   calls; a hook that runs there nevertheless tests `BUSY` before it stores it.
//!   - If it is 1, the interrupted thunk is between its stores of 1 and 0. The hook goes back and
//!     writes nothing that the thunk uses: it counts the loss in `SLOT_BUSY` of the ring.
//!   - If it is 0, the interrupted thunk has yet to store 1, be it between its test and its store, or
//!     has stored 0. So the slot holds nothing that it needs, all its registers have their values,
//!     and the hook gives the slot back before it goes on. That is why the test and the store need
//!     not be one instruction.
//!
//!   Outside of the slot's time a thunk writes only `RANDOM`, of which every value is valid, and the
//!   words table, where a handler's hook does nothing: its goroutine id is 0. A thread without a P
//!   has no slot. If something leaves a slot busy for ever, such as a handler of C's that jumps out
//!   of a thunk, each record that its P then loses is counted.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

mod capture;
mod condition;
mod context;
mod record;
mod words;

use crate::arena::{Arena, SLOT_SHIFT, slot, switches};
use crate::asm::{EmitError, at, finish};
use crate::moved::{Mover, Onward};
use crate::plan::{CapturePlan, Gpr, HookPlan, Leaf, Path, Root, RuntimeOffsets, SitePlan, Source, Step};
use gopatch_protocol::manifest::At;
use gopatch_protocol::wire::context::BYTES as CONTEXT_BYTES;
use gopatch_protocol::wire::{record as fields, ring};

/// Emits the whole thunk of a site, for address `va`.
pub fn emit(
    plan: &HookPlan,
    site: &SitePlan,
    offsets: &RuntimeOffsets,
    arena: &Arena,
    va: u64,
) -> Result<Vec<u8>, EmitError> {
    assemble(plan, offsets, arena, (va, site.depth), |emitter| emitter.thunk(site))
}

/// Emits the part that all returns of a function share, for address `va`: it writes the record and
/// returns.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method's own path fixes one lifetime")]
pub fn emit_return_body(
    plan: &HookPlan,
    offsets: &RuntimeOffsets,
    arena: &Arena,
    va: u64,
) -> Result<Vec<u8>, EmitError> {
    assemble(plan, offsets, arena, (va, 0), |emitter| emitter.return_body())
}

/// Emits the part that each return has for itself, for address `va`: it checks whether the hook is
/// enabled, and returns or jumps to the shared part at `body`.
pub fn emit_return_head(
    plan: &HookPlan,
    site: &SitePlan,
    offsets: &RuntimeOffsets,
    arena: &Arena,
    (va, body): (u64, u64),
) -> Result<Vec<u8>, EmitError> {
    assemble(plan, offsets, arena, (va, 0), |emitter| emitter.return_head(site, body))
}

/// Most bytes that a record with these captures, and perhaps a context, takes in a ring (I7).
pub fn max_record(captures: &[CapturePlan], has_context: bool) -> usize {
    let strings: usize = captures.iter().map(CapturePlan::max_string).sum();
    let context = if has_context { CONTEXT_BYTES } else { 0 };
    ring::HEADER + (fields::WORDS + 8 * captures.len() + strings + context).next_multiple_of(8)
}

fn assemble(
    plan: &HookPlan,
    offsets: &RuntimeOffsets,
    arena: &Arena,
    (va, depth): (u64, i32),
    template: impl FnOnce(&mut Emitter<'_>) -> Result<(), IcedError>,
) -> Result<Vec<u8>, EmitError> {
    let encode = |source| EmitError::Encode { va, source };
    let mut asm = CodeAssembler::new(64).map_err(encode)?;
    template(&mut Emitter { asm: &mut asm, depth, plan, offsets, arena }).map_err(encode)?;
    finish(&mut asm, va)
}

/// The labels that parts of a hook jump to.
struct Labels {
    /// Runs `after` and resumes the program.
    go_on: CodeLabel,
    /// Gives the registers back, then `go_on`.
    done: CodeLabel,
    /// The record fits.
    room: CodeLabel,
    // The rest is rare and comes last, so that the common path is contiguous.
    /// The P has no ring.
    no_ring: CodeLabel,
    /// There is no P.
    no_p: CodeLabel,
    /// The slot is another hook's.
    slot_busy: CodeLabel,
    /// The process detached after the hook had found its enable byte set.
    detached: CodeLabel,
    /// The record might not fit.
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
            slot_busy: label(),
            detached: label(),
            refill: label(),
            left_out: label(),
        }
    }
}

struct Emitter<'a> {
    asm: &'a mut CodeAssembler,
    /// Bytes between RSP and the return address while the hook runs.
    depth: i32,
    plan: &'a HookPlan,
    offsets: &'a RuntimeOffsets,
    arena: &'a Arena,
}

impl Emitter<'_> {
    /// The whole thunk. Disabled, it runs a comparison, a branch and the displaced instructions,
    /// and writes only the flags (I1).
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
        self.rare_paths(&mut labels)?;
        moved.faults(self.asm)
    }

    /// The part of one return. Uses the flags only, and the stack only in the displaced
    /// instructions.
    fn return_head(&mut self, site: &SitePlan, body: u64) -> Result<(), IcedError> {
        let mut moved = Mover::new(&site.guards);
        self.before(site, &mut moved)?;
        self.test_enabled()?;
        self.asm.jne(body)?;
        moved.emit(self.asm, &site.after, Onward::Leave)?;
        moved.faults(self.asm)
    }

    /// The displaced instructions that run before the hook; a return among them leads to the hook.
    fn before<'s>(&mut self, site: &'s SitePlan, moved: &mut Mover<'s>) -> Result<(), IcedError> {
        let mut hook = self.asm.create_label();
        moved.emit(self.asm, &site.before, Onward::Label(hook))?;
        self.asm.set_label(&mut hook)
    }

    /// The part that all returns share. RSP is at the return address, so `ret` is all that is left
    /// to run.
    fn return_body(&mut self) -> Result<(), IcedError> {
        let mut labels = Labels::new(self.asm);
        self.active(&mut labels)?;
        self.asm.set_label(&mut labels.go_on)?;
        self.asm.rep().ret()?;
        self.rare_paths(&mut labels)
    }

    /// Compares the function's enable byte with 0. Equal: no collector wants this function. Writes
    /// only the flags; the byte lies in the image, so the load cannot fault (I5).
    fn test_enabled(&mut self) -> Result<(), IcedError> {
        self.asm.cmp(byte_ptr(at(self.arena.enable(self.plan.function))), 0)
    }

    /// What an enabled hook does. Falls through when done; goes to `go_on` when there is nothing to
    /// do. All registers are as at the site on every way out (I1).
    fn active(&mut self, labels: &mut Labels) -> Result<(), IcedError> {
        // I9: all that can leave a call out comes before the slot is taken. An entry that is left
        // out may first have to free an earlier call's place in the words table (I11).
        self.filter(if self.marks() { labels.left_out } else { labels.go_on })?;
        self.context_filter(labels)?;
        if self.plan.marked && self.plan.at == At::Exit {
            self.look_for_mark(labels)?;
        }
        self.take_slot(labels)?;
        match self.plan.at {
            At::Enter if self.plan.uses_table() => self.keep_words(labels)?,
            At::Exit if self.plan.uses_table() => self.recall_words()?,
            At::Enter | At::Exit => {}
        }
        self.context(labels)?;
        if self.plan.is_recorded() {
            self.record(labels)?;
        }
        // I1. BUSY is 0 last (I4): the saved registers are in the slot, and the next hook of this P
        // overwrites them.
        self.asm.set_label(&mut labels.done)?;
        if self.borrows_rbx() {
            self.asm.mov(rbx, qword_ptr(r13 + slot::SAVED_RBX))?;
        }
        self.asm.mov(rax, qword_ptr(r13 + slot::SAVED_RAX))?;
        if self.borrows_rcx() {
            self.asm.mov(rcx, qword_ptr(r13 + slot::SAVED_RCX))?;
        }
        if self.borrows_rsi_rdi() {
            self.asm.mov(rsi, qword_ptr(r13 + slot::SAVED_RSI))?;
            self.asm.mov(rdi, qword_ptr(r13 + slot::SAVED_RDI))?;
        }
        self.asm.mov(rdx, qword_ptr(r13 + slot::SAVED_RDX))?;
        self.asm.mov(byte_ptr(r13 + slot::BUSY), 0)
    }

    /// Finds this P's slot (R13), marks it busy, saves the registers to borrow, and notes the time
    /// (RDX and the slot).
    ///
    /// Uses R12 and R13 until the slot is taken (I1). Follows g and `g.m`, which are never nil, and
    /// `m.p`, which is checked (I5).
    fn take_slot(&mut self, labels: &Labels) -> Result<(), IcedError> {
        let (asm, offsets) = (&mut *self.asm, self.offsets);
        asm.mov(r12, qword_ptr(r14 + offsets.g_m))?;
        asm.mov(r12, qword_ptr(r12 + offsets.m_p))?;
        // Without a P there is no slot that this thread may write (I3).
        asm.test(r12, r12)?;
        asm.je(labels.no_p)?;
        asm.mov(r12d, dword_ptr(r12 + offsets.p_id))?;
        asm.cmp(r12d, dword_ptr(at(self.arena.switches() + switches::RINGS)))?;
        asm.jae(labels.no_ring)?;
        // There are at least as many slots as rings, so the slot lies in the image (I5).
        asm.shl(r12d, SLOT_SHIFT)?;
        asm.lea(r13, at(self.arena.slots()))?;
        asm.add(r13, r12)?;
        // I13: this test, then that store.
        asm.cmp(byte_ptr(r13 + slot::BUSY), 0)?;
        asm.jne(labels.slot_busy)?;
        // I4: this store, then this load.
        asm.mov(byte_ptr(r13 + slot::BUSY), 1)?;
        asm.cmp(dword_ptr(at(self.arena.switches() + switches::ATTACHED)), 0)?;
        asm.je(labels.detached)?;
        // I1: from here on RAX, RDX and, where they are saved, RCX and RBX are free.
        asm.mov(qword_ptr(r13 + slot::SAVED_RAX), rax)?;
        asm.mov(qword_ptr(r13 + slot::SAVED_RDX), rdx)?;
        if self.borrows_rcx() {
            self.asm.mov(qword_ptr(r13 + slot::SAVED_RCX), rcx)?;
        }
        if self.borrows_rbx() {
            self.asm.mov(qword_ptr(r13 + slot::SAVED_RBX), rbx)?;
        }
        if self.borrows_rsi_rdi() {
            self.asm.mov(qword_ptr(r13 + slot::SAVED_RSI), rsi)?;
            self.asm.mov(qword_ptr(r13 + slot::SAVED_RDI), rdi)?;
        }
        if !self.plan.is_recorded() {
            return Ok(());
        }
        self.asm.rdtsc()?;
        self.asm.shl(rdx, 32)?;
        self.asm.or(rdx, rax)?;
        if self.plan.uses_table() || self.plan.context.is_some() {
            self.asm.mov(qword_ptr(r13 + slot::TSC), rdx)?;
        }
        Ok(())
    }

    /// Whether the hook needs RCX: for the words table, contexts, strings, types or comparisons with
    /// nil.
    fn borrows_rcx(&self) -> bool {
        let is_number = |path: &Path| {
            matches!(path.leaf, Leaf::Int { .. })
                && !matches!(path.root, Root::Interface { .. })
                && path.steps.iter().all(|step| matches!(step, Step::Load { .. }))
        };
        self.borrows_rbx() || !self.plan.captures.iter().flat_map(|capture| &capture.paths).all(is_number)
    }

    /// Whether the hook needs RBX: only the words table and contexts need a fourth work register.
    fn borrows_rbx(&self) -> bool {
        self.plan.uses_table() || self.plan.context.is_some()
    }

    /// Whether the hook needs RSI and RDI.
    fn borrows_rsi_rdi(&self) -> bool {
        self.plan.context.is_some()
    }

    /// Whether this is an entry whose exits are recorded only with its mark.
    fn marks(&self) -> bool {
        self.plan.marked && self.plan.at == At::Enter
    }

    /// `to` = the frame: bytes from the high end of the stack to the call's frame address (CFA).
    fn frame(&mut self, to: AsmRegister64) -> Result<(), IcedError> {
        self.asm.mov(to, qword_ptr(r14 + self.offsets.g_stack_hi))?;
        self.asm.sub(to, rsp)?;
        self.asm.sub(to, 8 + self.depth)
    }

    /// Loads a source into RAX, RCX or RDX. Reads a borrowed register where it was saved (I1), and
    /// the stack only in the caller's frame (I2).
    fn load(&mut self, target: AsmRegister64, source: Source) -> Result<(), IcedError> {
        let (borrows_rcx, borrows_rbx, depth) = (self.borrows_rcx(), self.borrows_rbx(), self.depth);
        let borrows_rsi_rdi = self.borrows_rsi_rdi();
        let asm = &mut *self.asm;
        match source {
            Source::Register(Gpr::Rax) => asm.mov(target, qword_ptr(r13 + slot::SAVED_RAX)),
            Source::Register(Gpr::Rcx) if borrows_rcx => asm.mov(target, qword_ptr(r13 + slot::SAVED_RCX)),
            Source::Register(Gpr::Rbx) if borrows_rbx => asm.mov(target, qword_ptr(r13 + slot::SAVED_RBX)),
            Source::Register(Gpr::Rsi) if borrows_rsi_rdi => asm.mov(target, qword_ptr(r13 + slot::SAVED_RSI)),
            Source::Register(Gpr::Rdi) if borrows_rsi_rdi => asm.mov(target, qword_ptr(r13 + slot::SAVED_RDI)),
            Source::Register(gpr) => asm.mov(target, register(gpr)),
            Source::Stack(offset) => asm.mov(target, qword_ptr(rsp + 8 + depth + offset)),
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
