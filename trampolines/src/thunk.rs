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
//!   argument at entry) or was kept under this very call's goroutine, frame, function and session, and the rule vouches
//!   that the caller keeps it alive. A pointer into the goroutine's own stack is never kept: the stack may move.
//!   String bytes are read within `[pointer, pointer + length)` only.
//! * **Words are this call's.** See below.
//! * **Nothing is left changed.** RAX, RCX, RDX (and RBX) are borrowed through the slot and given back; X15 is used for
//!   copies and zeroed again; `after` then runs as it would have in place.
//!
//! # The words table
//!
//! What an exit follows must have been kept by the entry of the same call, since the rule vouches for no other. The table
//! has a row of places for each key, goroutine and frame; a place bears also an owner, the function and the epoch in which
//! its words were kept. Epochs are counted by the tick (see [`crate::attach`]).
//!
//! *A place has one writer.* A free one is claimed by compare-and-swap, filled, and only then given its key. From then on
//! it is touched by hooks with this key and owner, that is by one goroutine, one after the other, and needs no lock; the
//! last frees it. Once its epoch has passed and no hook is left that has loaded it, it is the tick's.
//!
//! *No exit X finds words of an earlier call S of the same goroutine, frame and function.* These are there when S left by a
//! panic or X's like was not seen. Let N be the entry of X's call. S, N and X come one after the other, so their
//! epochs do not decrease, and X can find S's words only if all three are of one epoch. Then
//!
//! * if N kept words, it took the first place in its row that was free or S's. X searches in the same order, meets N's
//!   words first, and frees them. S's own may be left behind them, for the next call's N;
//! * if N found its row full, S's place was not in it, or N would have taken that;
//! * if N had no P or its P no ring, it freed S's place;
//! * if N did nothing, it saw the enable byte 0, or `ATTACHED` 0, which follows it. S saw the byte 1 *after* it had
//!   loaded its epoch, X saw it 1 *before*. The tick adds one to the epoch before it stores any 1, so they are not of one
//!   epoch. (That is why an entry looks at the byte once more.)
//!
//! Register use: R13 slot; R15 record (its ring header); R12 where the next string goes; RAX, RCX, RDX work. RCX (and
//! RBX) are borrowed only by hooks that need them.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use crate::arena::{Arena, SLOT_SHIFT, session, slot, switches, table};
use crate::asm::{EmitError, at, displaced, finish};
use crate::manifest::At;
use crate::plan::{CapturePlan, Gpr, HookPlan, Leaf, Path, Root, RuntimeOffsets, SitePlan, Source, Step};
use crate::wire::{record, ring};

/// Bytes from the record's ring header to a field of its payload.
const fn field(offset: usize) -> i32 {
    (ring::HEADER + offset) as i32
}

/// How far ahead of a record the ring's memory is fetched: a few records. Measured: 256 to 1024 are alike.
const FETCH_AHEAD: i32 = 384;

/// Bytes of a pointer to `abi.Type` behind the start of an itab (`abi.ITab.Type`, Go's `src/internal/abi/iface.go`).
const ITAB_TYPE: i32 = 8;

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

/// The largest number of bytes that a record of these captures takes in a ring.
pub fn max_record(captures: &[CapturePlan]) -> usize {
    let strings: usize = captures.iter().map(CapturePlan::max_string).sum();
    ring::HEADER + (record::WORDS + 8 * captures.len() + strings).next_multiple_of(8)
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
        displaced(self.asm, &site.before)?;
        self.test_enabled()?;
        self.asm.jne(active)?;
        self.asm.set_label(&mut labels.go_on)?;
        displaced(self.asm, &site.after)?;
        if let Some(resume) = site.resume {
            self.asm.jmp(resume)?;
        }
        self.asm.set_label(&mut active)?;
        self.active(&mut labels)?;
        self.asm.jmp(labels.go_on)?;
        self.seldom(&mut labels)
    }

    fn return_head(&mut self, site: &SitePlan, body: u64) -> Result<(), IcedError> {
        displaced(self.asm, &site.before)?;
        self.test_enabled()?;
        self.asm.jne(body)?;
        displaced(self.asm, &site.after)
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
        self.take_slot(labels)?;
        match self.plan.at {
            At::Enter if !self.plan.keep.is_empty() => self.keep_words()?,
            At::Exit if !self.plan.keep.is_empty() => self.recall_words()?,
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
        if !self.plan.keep.is_empty() {
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
        !self.plan.keep.is_empty() || !self.plan.captures.iter().flat_map(|capture| &capture.paths).all(is_number)
    }

    /// Only the search in the words table needs a fourth work register.
    fn borrows_rbx(&self) -> bool {
        !self.plan.keep.is_empty()
    }

    /// The frame: bytes from the high end of the stack to the call's frame address.
    fn frame(&mut self, to: AsmRegister64) -> Result<(), IcedError> {
        self.asm.mov(to, qword_ptr(r14 + self.offsets.g_stack_hi))?;
        self.asm.sub(to, rsp)?;
        self.asm.sub(to, 8)
    }

    /// R15 = key of this call, `place` = its first place in the table, `owner` = epoch and function; goes to `none` where
    /// there is no goroutine.
    fn key(&mut self, [place, owner, work]: [AsmRegister64; 3], none: CodeLabel) -> Result<(), IcedError> {
        self.asm.mov(r15, qword_ptr(r14 + self.offsets.g_goid))?;
        // Each thread has a g0, and all of them have this id.
        self.asm.test(r15, r15)?;
        self.asm.je(none)?;
        self.frame(work)?;
        let asm = &mut *self.asm;
        asm.shr(work, 3)?;
        asm.shl(r15, table::FRAME_BITS)?;
        asm.or(r15, work)?;
        // Fibonacci hashing: the high bits of the product with 2^64 / phi.
        asm.mov(place, 0x9E37_79B9_7F4A_7C15u64)?;
        asm.imul_2(place, r15)?;
        asm.shr(place, 64 - table::ENTRIES.trailing_zeros())?;
        asm.shl(place, table::ENTRY_SHIFT)?;
        asm.lea(work, at(self.arena.table()))?;
        asm.add(place, work)?;
        asm.mov(owner, qword_ptr(at(self.arena.switches() + switches::EPOCH)))?;
        asm.or(owner, self.plan.function as i32)
    }

    /// Puts the words that the exit will want into the table, or nothing when there is no place for them.
    fn keep_words(&mut self) -> Result<(), IcedError> {
        let mut nothing = self.asm.create_label();
        self.key([rbx, rcx, rax], nothing)?;
        // See the header: what is kept now is void once this byte has been 0.
        self.test_enabled()?;
        let asm = &mut *self.asm;
        asm.je(nothing)?;
        let mut retry = asm.create_label();
        let mut probe = asm.create_label();
        let mut free = asm.create_label();
        let mut next = asm.create_label();
        let mut found = asm.create_label();
        let mut kept = asm.create_label();

        asm.set_label(&mut retry)?;
        asm.xor(r12d, r12d)?;
        asm.set_label(&mut probe)?;
        asm.mov(rax, qword_ptr(rbx + r12 + table::KEY))?;
        asm.test(rax, rax)?;
        asm.je(free)?;
        asm.cmp(rax, r15)?;
        asm.jne(next)?;
        // An earlier call's, which left by a panic or whose exit was not seen.
        asm.cmp(qword_ptr(rbx + r12 + table::OWNER), rcx)?;
        asm.je(found)?;
        asm.set_label(&mut next)?;
        asm.add(r12, table::ENTRY_BYTES as i32)?;
        asm.cmp(r12, (table::PROBES * table::ENTRY_BYTES) as i32)?;
        asm.jb(probe)?;
        asm.mov(dword_ptr(at(self.arena.session() + session::CROWDED)), 1)?;
        asm.set_label(&mut nothing)?;
        asm.mov(rdx, qword_ptr(r13 + slot::TSC))?;
        asm.jmp(kept)?;

        asm.set_label(&mut free)?;
        // RAX is what the key must still be.
        asm.mov(edx, table::CLAIMED)?;
        asm.lock().cmpxchg(qword_ptr(rbx + r12 + table::KEY), rdx)?;
        asm.jne(retry)?;
        asm.set_label(&mut found)?;
        asm.add(rbx, r12)?;
        asm.mov(qword_ptr(rbx + table::OWNER), rcx)?;
        asm.mov(rdx, qword_ptr(r13 + slot::TSC))?;
        for (index, source) in self.plan.keep.iter().enumerate() {
            self.load(rax, *source)?;
            let asm = &mut *self.asm;
            // A pointer into this goroutine's stack would be wrong once the stack has moved: keep nil instead.
            let mut outside = asm.create_label();
            asm.cmp(rax, qword_ptr(r14 + self.offsets.g_stack_lo))?;
            asm.jb(outside)?;
            asm.cmp(rax, qword_ptr(r14 + self.offsets.g_stack_hi))?;
            asm.jae(outside)?;
            asm.xor(eax, eax)?;
            asm.set_label(&mut outside)?;
            asm.mov(qword_ptr(rbx + table::WORDS + 8 * index as u64), rax)?;
        }
        self.asm.mov(qword_ptr(rbx + table::KEY), r15)?;
        self.asm.set_label(&mut kept)?;
        self.asm.zero_bytes()
    }

    /// Copies the words that this call's entry kept into the slot, or zeros when there are none, and frees the entry.
    fn recall_words(&mut self) -> Result<(), IcedError> {
        let mut missing = self.asm.create_label();
        self.key([rbx, rcx, rax], missing)?;
        let asm = &mut *self.asm;
        let mut probe = asm.create_label();
        let mut next = asm.create_label();
        let mut recalled = asm.create_label();

        asm.xor(r12d, r12d)?;
        asm.set_label(&mut probe)?;
        asm.cmp(qword_ptr(rbx + r12 + table::KEY), r15)?;
        asm.jne(next)?;
        asm.cmp(qword_ptr(rbx + r12 + table::OWNER), rcx)?;
        asm.jne(next)?;
        for index in 0..self.plan.keep.len() as u64 {
            asm.mov(rax, qword_ptr(rbx + r12 + table::WORDS + 8 * index))?;
            asm.mov(qword_ptr(r13 + slot::WORDS + 8 * index), rax)?;
        }
        asm.mov(qword_ptr(rbx + r12 + table::KEY), table::FREE as i32)?;
        asm.mov(byte_ptr(r13 + slot::KEPT), 1)?;
        asm.jmp(recalled)?;
        asm.set_label(&mut next)?;
        asm.add(r12, table::ENTRY_BYTES as i32)?;
        asm.cmp(r12, (table::PROBES * table::ENTRY_BYTES) as i32)?;
        asm.jb(probe)?;

        asm.set_label(&mut missing)?;
        asm.mov(rax, qword_ptr(r13 + slot::PRODUCER))?;
        asm.inc(qword_ptr(rax + (ring::WORDS_MISSING - ring::PRODUCER_POS) as i32))?;
        asm.xor(eax, eax)?;
        asm.mov(byte_ptr(r13 + slot::KEPT), al)?;
        for index in 0..self.plan.keep.len() as u64 {
            asm.mov(qword_ptr(r13 + slot::WORDS + 8 * index), rax)?;
        }
        asm.set_label(&mut recalled)?;
        asm.mov(rdx, qword_ptr(r13 + slot::TSC))
    }

    /// Frees what this call or an earlier one has kept under this key, without a slot: works in R12, R13, R15 and RAX.
    fn forget_words(&mut self) -> Result<(), IcedError> {
        let ringless = self.arena.session() + session::RINGLESS;
        let mut probe = self.asm.create_label();
        let mut next = self.asm.create_label();
        let mut forgotten = self.asm.create_label();

        self.asm.lock().inc(dword_ptr(at(ringless)))?;
        self.asm.movq(xmm15, rax)?;
        self.key([r13, rax, r12], forgotten)?;
        let asm = &mut *self.asm;
        asm.xor(r12d, r12d)?;
        asm.set_label(&mut probe)?;
        asm.cmp(qword_ptr(r13 + r12 + table::KEY), r15)?;
        asm.jne(next)?;
        asm.cmp(qword_ptr(r13 + r12 + table::OWNER), rax)?;
        asm.jne(next)?;
        asm.mov(qword_ptr(r13 + r12 + table::KEY), table::FREE as i32)?;
        asm.set_label(&mut next)?;
        asm.add(r12, table::ENTRY_BYTES as i32)?;
        asm.cmp(r12, (table::PROBES * table::ENTRY_BYTES) as i32)?;
        asm.jb(probe)?;
        asm.set_label(&mut forgotten)?;
        asm.movq(rax, xmm15)?;
        asm.xorps(xmm15, xmm15)?;
        asm.lock().dec(dword_ptr(at(ringless)))
    }

    /// Makes the record and publishes it. RDX is the time stamp.
    fn record(&mut self, labels: &mut Labels) -> Result<(), IcedError> {
        let captures = &self.plan.captures;
        let has_strings = captures.iter().any(|capture| capture.max_string() > 0);
        let words_end = record::WORDS + 8 * captures.len();
        self.reserve(labels)?;

        let asm = &mut *self.asm;
        asm.mov(qword_ptr(r15 + field(record::TSC)), rdx)?;
        asm.mov(dword_ptr(r15 + field(record::POINT)), self.plan.point as i32)?;
        asm.mov(rax, qword_ptr(r14 + self.offsets.g_goid))?;
        asm.mov(qword_ptr(r15 + field(record::GOID)), rax)?;
        self.frame(rax)?;
        let asm = &mut *self.asm;
        asm.mov(dword_ptr(r15 + field(record::FRAME)), eax)?;
        let always = captures
            .iter()
            .enumerate()
            .filter(|(_, capture)| always_present(capture))
            .fold(0u32, |bits, (index, _)| bits | 1 << index);
        asm.mov(dword_ptr(r15 + field(record::PRESENT)), always as i32)?;
        if has_strings {
            asm.lea(r12, ptr(r15 + field(words_end)))?;
        }
        for (index, capture) in captures.iter().enumerate() {
            self.capture(index, capture)?;
        }

        let asm = &mut *self.asm;
        if has_strings {
            // The copies used X15, which Go keeps at zero.
            asm.xorps(xmm15, xmm15)?;
            asm.sub(r12, r15)?;
            asm.sub(r12d, ring::HEADER as i32)?;
            asm.mov(dword_ptr(r15 + field(record::SIZE)), r12d)?;
            asm.mov(qword_ptr(r15), r12)?;
            asm.add(r12d, ring::HEADER as i32 + 7)?;
            asm.and(r12d, -8)?;
        } else {
            asm.mov(dword_ptr(r15 + field(record::SIZE)), words_end as i32)?;
            asm.mov(qword_ptr(r15), words_end as i32)?;
            asm.mov(r12d, (ring::HEADER + words_end) as i32)?;
        }
        asm.add(r12, qword_ptr(r13 + slot::POSITION))?;
        asm.mov(qword_ptr(r13 + slot::POSITION), r12)?;
        asm.mov(rax, qword_ptr(r13 + slot::PRODUCER))?;
        // Published: the record's stores come before this one.
        asm.mov(qword_ptr(rax), r12)
    }

    /// R15 = where the next record goes; a record that might not fit is dropped and counted.
    fn reserve(&mut self, labels: &mut Labels) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.mov(r15, qword_ptr(r13 + slot::POSITION))?;
        asm.lea(rax, ptr(r15 + max_record(&self.plan.captures) as i32))?;
        asm.cmp(rax, qword_ptr(r13 + slot::LIMIT))?;
        asm.ja(labels.refill)?;
        asm.set_label(&mut labels.room)?;
        // The data are mapped twice in a row, so a record that begins before the end runs on behind it.
        asm.and(r15, qword_ptr(r13 + slot::MASK))?;
        asm.add(r15, qword_ptr(r13 + slot::DATA))?;
        // Whoever consumed what lay here before has these lines in his cache. Those of the next records are asked for now,
        // so that their stores need not wait. A prefetch never faults.
        asm.prefetchw(byte_ptr(r15 + FETCH_AHEAD))
    }

    /// What is seldom run.
    fn seldom(&mut self, labels: &mut Labels) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        // GOMAXPROCS has grown. The loss is counted, and the tick asks for more rings. Two threads may race for the
        // largest id; the loser's is noted at its next hook.
        asm.set_label(&mut labels.no_ring)?;
        asm.inc(r12d)?;
        asm.mov(dword_ptr(at(self.arena.session() + session::RINGS_MISSED)), r12d)?;
        asm.lock().inc(qword_ptr(at(self.arena.session() + session::LOST_NO_RING)))?;
        asm.set_label(&mut labels.no_p)?;
        if !self.plan.keep.is_empty() {
            self.forget_words()?;
        }
        let asm = &mut *self.asm;
        asm.jmp(labels.go_on)?;

        asm.set_label(&mut labels.detached)?;
        asm.mov(byte_ptr(r13 + slot::BUSY), 0)?;
        asm.jmp(labels.go_on)?;

        // The consumer's position is read only here, so its cache line is left alone while there is room. RAX is where
        // the record might end.
        asm.set_label(&mut labels.refill)?;
        asm.mov(r12, qword_ptr(r13 + slot::CONSUMER))?;
        asm.mov(r12, qword_ptr(r12))?;
        asm.add(r12, qword_ptr(r13 + slot::MASK))?;
        asm.inc(r12)?;
        asm.mov(qword_ptr(r13 + slot::LIMIT), r12)?;
        asm.cmp(rax, r12)?;
        asm.jbe(labels.room)?;
        asm.mov(r12, qword_ptr(r13 + slot::PRODUCER))?;
        asm.inc(qword_ptr(r12 + (ring::DROPPED - ring::PRODUCER_POS) as i32))?;
        asm.jmp(labels.done)
    }

    /// Captures value `index`: the first path that leads to its end.
    fn capture(&mut self, index: usize, capture: &CapturePlan) -> Result<(), IcedError> {
        let word = field(record::WORDS + 8 * index);
        let mut done = self.asm.create_label();
        for path in &capture.paths {
            let mut fails = self.asm.create_label();
            self.follow(path, fails)?;
            self.leaf(path, word)?;
            let asm = &mut *self.asm;
            if can_fail(path) {
                asm.or(dword_ptr(r15 + field(record::PRESENT)), (1u32 << index) as i32)?;
                asm.jmp(done)?;
                asm.set_label(&mut fails)?;
            } else {
                // No further path can be needed.
                break;
            }
        }
        let asm = &mut *self.asm;
        if !always_present(capture) {
            // No path led anywhere. The ring is reused memory: say zero.
            asm.mov(qword_ptr(r15 + word), 0)?;
        }
        asm.set_label(&mut done)?;
        asm.zero_bytes()
    }

    /// RAX = the pointer from which the leaf is read, or the value itself; jumps to `fails` at a nil or another type.
    fn follow(&mut self, path: &Path, fails: CodeLabel) -> Result<(), IcedError> {
        match path.root {
            Root::Value { first, second } => {
                if let Some(second) = second {
                    self.load(rdx, second)?;
                }
                self.load(rax, first)?;
                if is_kept(first) {
                    self.asm.cmp(byte_ptr(r13 + slot::KEPT), 0)?;
                    self.asm.je(fails)?;
                    if second.is_some() {
                        // Bytes on the goroutine's stack: the length was kept and the pointer was not.
                        let mut empty = self.asm.create_label();
                        self.asm.test(rdx, rdx)?;
                        self.asm.je(empty)?;
                        self.guard_nil(fails)?;
                        self.asm.set_label(&mut empty)?;
                        self.asm.zero_bytes()?;
                    }
                }
                return Ok(());
            }
            Root::Pointer(source) => self.load(rax, source)?,
            Root::Interface { tab, data, empty, type_va } => {
                self.load(rcx, tab)?;
                self.compare_type(empty, type_va, fails)?;
                self.load(rax, data)?;
            }
        }
        for step in &path.steps {
            self.guard_nil(fails)?;
            match *step {
                Step::Load { offset } => self.asm.mov(rax, qword_ptr(rax + offset))?,
                Step::Assert { offset, empty, type_va } => {
                    self.asm.mov(rcx, qword_ptr(rax + offset))?;
                    self.compare_type(empty, type_va, fails)?;
                    self.asm.mov(rax, qword_ptr(rax + offset + 8))?;
                }
            }
        }
        self.guard_nil(fails)
    }

    fn guard_nil(&mut self, fails: CodeLabel) -> Result<(), IcedError> {
        self.asm.test(rax, rax)?;
        self.asm.je(fails)
    }

    /// Goes to `fails` unless the interface word in RCX stands for the type at `type_va`. Uses RDX.
    fn compare_type(&mut self, empty: bool, type_va: u64, fails: CodeLabel) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.lea(rdx, at(type_va))?;
        if empty {
            asm.cmp(rcx, rdx)?;
        } else {
            asm.test(rcx, rcx)?;
            asm.je(fails)?;
            asm.cmp(qword_ptr(rcx + ITAB_TYPE), rdx)?;
        }
        asm.jne(fails)
    }

    /// Reads the leaf and stores its word (and a string's bytes) into the record.
    fn leaf(&mut self, path: &Path, word: i32) -> Result<(), IcedError> {
        let in_register = matches!(path.root, Root::Value { .. });
        let asm = &mut *self.asm;
        match path.leaf {
            Leaf::Int { size, signed } => {
                let memory = rax + path.offset;
                match (in_register, size, signed) {
                    // The upper bits of a register that holds a small value are not specified.
                    (true, 1, true) => asm.movsx(rax, al)?,
                    (true, 1, false) => asm.movzx(eax, al)?,
                    (true, 2, true) => asm.movsx(rax, ax)?,
                    (true, 2, false) => asm.movzx(eax, ax)?,
                    (true, 4, true) => asm.movsxd(rax, eax)?,
                    (true, 4, false) => asm.mov(eax, eax)?,
                    (true, ..) => {}
                    (false, 1, true) => asm.movsx(rax, byte_ptr(memory))?,
                    (false, 1, false) => asm.movzx(eax, byte_ptr(memory))?,
                    (false, 2, true) => asm.movsx(rax, word_ptr(memory))?,
                    (false, 2, false) => asm.movzx(eax, word_ptr(memory))?,
                    (false, 4, true) => asm.movsxd(rax, dword_ptr(memory))?,
                    (false, 4, false) => asm.mov(eax, dword_ptr(memory))?,
                    (false, ..) => asm.mov(rax, qword_ptr(memory))?,
                }
                asm.mov(qword_ptr(r15 + word), rax)
            }
            Leaf::Nil { is_nil } => {
                asm.xor(ecx, ecx)?;
                if in_register {
                    asm.test(rax, rax)?;
                } else {
                    asm.cmp(qword_ptr(rax + path.offset), 0)?;
                }
                if is_nil {
                    asm.sete(cl)?;
                } else {
                    asm.setne(cl)?;
                }
                asm.mov(qword_ptr(r15 + word), rcx)
            }
            Leaf::String { max } => {
                if !in_register {
                    asm.mov(rdx, qword_ptr(rax + path.offset + 8))?;
                    asm.mov(rax, qword_ptr(rax + path.offset))?;
                }
                self.string(word, max)
            }
        }
    }

    /// Copies the string at RAX of RDX bytes to R12 (at most `max` bytes), advances R12, and stores both lengths.
    ///
    /// Reads and writes only within the bytes that are copied: blocks overlap at the end instead of running over it.
    fn string(&mut self, word: i32, max: u16) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        let mut fits_u32 = asm.create_label();
        let mut fits = asm.create_label();
        let mut small = asm.create_label();
        let mut block = asm.create_label();
        let mut four = asm.create_label();
        let mut bytes = asm.create_label();
        let mut done = asm.create_label();

        // Full length, clamped to 32 bits (a length is never negative).
        asm.mov(ecx, -1)?;
        asm.cmp(rdx, rcx)?;
        asm.jbe(fits_u32)?;
        asm.mov(edx, ecx)?;
        asm.set_label(&mut fits_u32)?;
        asm.mov(dword_ptr(r15 + word + 4), edx)?;
        asm.cmp(edx, i32::from(max))?;
        asm.jbe(fits)?;
        asm.mov(edx, i32::from(max))?;
        asm.set_label(&mut fits)?;
        asm.mov(dword_ptr(r15 + word), edx)?;

        asm.cmp(edx, 16)?;
        asm.jb(small)?;
        asm.movups(xmm15, xmmword_ptr(rax + rdx - 16))?;
        asm.movups(xmmword_ptr(r12 + rdx - 16), xmm15)?;
        // What is left in front of the last block, in whole blocks from the start.
        asm.lea(ecx, ptr(rdx - 1))?;
        asm.and(ecx, -16)?;
        asm.je(done)?;
        asm.set_label(&mut block)?;
        asm.movups(xmm15, xmmword_ptr(rax + rcx - 16))?;
        asm.movups(xmmword_ptr(r12 + rcx - 16), xmm15)?;
        asm.sub(ecx, 16)?;
        asm.jne(block)?;
        asm.jmp(done)?;

        asm.set_label(&mut small)?;
        asm.cmp(edx, 8)?;
        asm.jb(four)?;
        asm.mov(rcx, qword_ptr(rax + rdx - 8))?;
        asm.mov(qword_ptr(r12 + rdx - 8), rcx)?;
        asm.mov(rcx, qword_ptr(rax))?;
        asm.mov(qword_ptr(r12), rcx)?;
        asm.jmp(done)?;

        asm.set_label(&mut four)?;
        asm.cmp(edx, 4)?;
        asm.jb(bytes)?;
        asm.mov(ecx, dword_ptr(rax + rdx - 4))?;
        asm.mov(dword_ptr(r12 + rdx - 4), ecx)?;
        asm.mov(ecx, dword_ptr(rax))?;
        asm.mov(dword_ptr(r12), ecx)?;
        asm.jmp(done)?;

        // One to three bytes: the first, the middle and the last are all there are.
        asm.set_label(&mut bytes)?;
        asm.test(edx, edx)?;
        asm.je(done)?;
        asm.movzx(ecx, byte_ptr(rax))?;
        asm.mov(byte_ptr(r12), cl)?;
        asm.movzx(ecx, byte_ptr(rax + rdx - 1))?;
        asm.mov(byte_ptr(r12 + rdx - 1), cl)?;
        asm.mov(ecx, edx)?;
        asm.shr(ecx, 1)?;
        asm.movzx(eax, byte_ptr(rax + rcx))?;
        asm.mov(byte_ptr(r12 + rcx), al)?;

        asm.set_label(&mut done)?;
        asm.add(r12, rdx)
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

/// Whether a path can end before its leaf.
fn can_fail(path: &Path) -> bool {
    !matches!(path.root, Root::Value { first, .. } if !is_kept(first))
}

fn is_kept(source: Source) -> bool {
    matches!(source, Source::Kept(_))
}

fn always_present(capture: &CapturePlan) -> bool {
    capture.paths.iter().any(|path| !can_fail(path))
}
