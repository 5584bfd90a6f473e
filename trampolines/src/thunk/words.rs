//! What an entry keeps for its exit: the words table.
//!
//! Decides: where a call's words lie, and which call they belong to.
//! Trusts: the plan for what to keep; the tick to count epochs and to clear the table (see
//! [`crate::attach`]).
//! Never does: wait, or follow what it keeps.
//!
//! # The words table
//!
//! What an exit follows must have been kept by the entry of the same call, since the rule vouches
//! for no other (I6). The table has a row of places for each key (goroutine and frame) and
//! function. A place also has an owner: the function, and the epoch in which its words were kept.
//! The tick counts epochs (see [`crate::attach`]).
//!
//! **I10. A place has one writer.** An entry claims a free place by compare-and-swap, fills it, and
//! only then stores its key. From then on only hooks with this key and owner touch it, that is one
//! goroutine, one hook after the other, so no lock is needed; the last of them frees it. Once the
//! epoch has passed and no hook is left that loaded it, the place is the tick's.
//!
//! **I11. No exit X finds words of an earlier call S of the same goroutine, frame and function.**
//! Such words exist if S left by a panic or its exit did nothing. Let N be the entry of X's call.
//! S, N and X come one after the other, so their epochs do not decrease, and X can find S's words
//! only if all three have the same epoch. Then
//!
//! * if N kept words, it took the first place in its row that was free or S's. X searches in the
//!   same order, finds N's words first, and frees them. S's own may remain further along the row,
//!   for the next call's N;
//! * if N found its row full, S's place was not in it, or N would have taken that place;
//! * if N had no P, or its P no ring, or its slot was another hook's, N freed S's place;
//! * if N was left out by its rule's condition or by sampling, or found no room in the ring, N
//!   freed S's place as well;
//! * if N did nothing, it saw the enable byte 0, or `ATTACHED` 0, which the tick stores after it. S
//!   saw the byte 1 *after* it had loaded its epoch, and X saw it 1 *before*. The tick increments
//!   the epoch before it stores any 1, so S and X have different epochs. (That is why an entry
//!   loads the byte a second time.)
//!
//! *Words as a mark.* Where a condition or sampling leaves calls out, an exit is recorded if and
//! only if the entry of its call was: the entry's place in the table is the mark, even if it holds
//! no words. An entry that finds no place, or no room in the ring, does not record its call at all.
//! By I11 an exit finds the mark of its own call or none. A call that is left out pays for the
//! search at its entry and at its exit: eight comparisons, without a slot and without the clock
//! (I9). A mark that a new session or a cleared table has made void looks like one that never was:
//! the entry of that call was recorded and its exit is not.
//!
//! # Why the templates here cannot fault
//!
//! All loads and stores go to the table, to the session and to the slot, which are part of the
//! image, or, while the slot is busy, to the ring's producer page (I4). The hash, the row and the
//! probes stay within [`table::BYTES`]. Words are copied, never followed (I5).

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::{Emitter, Labels};
use crate::arena::{session, slot, switches, table};
use crate::asm::{GOLDEN, at};
use gopatch_protocol::wire::ring;

impl Emitter<'_> {
    /// R15 = key of this call, `place` = its first place in the table, `owner` = epoch and
    /// function; goes to `none` if there is no goroutine. Uses `work`.
    fn key(&mut self, [place, owner, work]: [AsmRegister64; 3], none: CodeLabel) -> Result<(), IcedError> {
        self.asm.mov(r15, qword_ptr(r14 + self.offsets.g_goid))?;
        // A thread's g0 has this id, on every thread.
        self.asm.test(r15, r15)?;
        self.asm.je(none)?;
        self.frame(work)?;
        let asm = &mut *self.asm;
        asm.shr(work, 3)?;
        asm.shl(r15, table::FRAME_BITS)?;
        asm.or(r15, work)?;
        // Fibonacci hashing: the high bits of the product with 2^64 / phi.
        asm.mov(place, GOLDEN)?;
        asm.imul_2(place, r15)?;
        asm.shr(place, 64 - table::ENTRIES.trailing_zeros())?;
        // Rules on one function have the same key, and there may be more of them than places in a
        // row, so each has another row.
        let bits = table::ENTRIES.trailing_zeros();
        let row = self.plan.function.wrapping_mul((GOLDEN >> 32) as u32) >> (u32::BITS - bits);
        if row != 0 {
            asm.xor(place, row as i32)?;
        }
        asm.shl(place, table::ENTRY_SHIFT)?;
        asm.lea(work, at(self.arena.table()))?;
        asm.add(place, work)?;
        // I11: an entry loads the epoch before it loads the enable byte again.
        asm.mov(owner, qword_ptr(at(self.arena.switches() + switches::EPOCH)))?;
        asm.or(owner, self.plan.function as i32)
    }

    /// Puts the words for the exit into the table, or nothing if there is no place for them; a call
    /// that needs its mark is then counted instead of recorded. Uses all of the hook's registers;
    /// RDX brings the time stamp and has it again at the end.
    pub(super) fn keep_words(&mut self, labels: &Labels) -> Result<(), IcedError> {
        let mut nothing = self.asm.create_label();
        let marked = self.plan.marked;
        self.key([rbx, rcx, rax], nothing)?;
        // I11: what is kept now is void once this byte has been 0.
        self.test_enabled()?;
        let asm = &mut *self.asm;
        asm.je(if marked { labels.done } else { nothing })?;
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
        // An earlier call's place (S in I11): take it over.
        asm.cmp(qword_ptr(rbx + r12 + table::OWNER), rcx)?;
        asm.je(found)?;
        asm.set_label(&mut next)?;
        asm.add(r12, table::ENTRY_BYTES as i32)?;
        asm.cmp(r12, (table::PROBES * table::ENTRY_BYTES) as i32)?;
        asm.jb(probe)?;
        asm.mov(dword_ptr(at(self.arena.session() + session::CROWDED)), 1)?;
        asm.set_label(&mut nothing)?;
        if marked {
            self.count_missing()?;
            self.asm.jmp(labels.done)?;
        } else {
            asm.mov(rdx, qword_ptr(r13 + slot::TSC))?;
            asm.jmp(kept)?;
        }
        let asm = &mut *self.asm;

        asm.set_label(&mut free)?;
        // I10: RAX is what the key must still be. If another thread has just claimed this place,
        // search again (I12).
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
            // I6: a pointer into this goroutine's stack would dangle once the stack has moved. Keep
            // nil instead.
            let mut outside = asm.create_label();
            asm.cmp(rax, qword_ptr(r14 + self.offsets.g_stack_lo))?;
            asm.jb(outside)?;
            asm.cmp(rax, qword_ptr(r14 + self.offsets.g_stack_hi))?;
            asm.jae(outside)?;
            asm.xor(eax, eax)?;
            asm.set_label(&mut outside)?;
            asm.mov(qword_ptr(rbx + table::WORDS + 8 * index as u64), rax)?;
        }
        // I10: the key is stored last.
        self.asm.mov(qword_ptr(rbx + table::KEY), r15)?;
        self.asm.set_label(&mut kept)?;
        self.asm.zero_bytes()
    }

    /// Copies the words that this call's entry kept into the slot, or zeros if there are none, and
    /// frees their place. If the call needed a mark, the exit has already found it, and is recorded
    /// even if the mark has become void since. Uses all of the hook's registers; RDX brings the
    /// time stamp and has it again at the end.
    pub(super) fn recall_words(&mut self) -> Result<(), IcedError> {
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
        asm.zero_bytes()?;
        if !self.plan.keep.is_empty() {
            self.count_missing()?;
            let asm = &mut *self.asm;
            asm.xor(eax, eax)?;
            asm.mov(byte_ptr(r13 + slot::KEPT), al)?;
            for index in 0..self.plan.keep.len() as u64 {
                asm.mov(qword_ptr(r13 + slot::WORDS + 8 * index), rax)?;
            }
        }
        self.asm.set_label(&mut recalled)?;
        self.asm.mov(rdx, qword_ptr(r13 + slot::TSC))
    }

    /// Counts a call without words, in the ring's producer page (I3, I4). Uses RAX.
    fn count_missing(&mut self) -> Result<(), IcedError> {
        self.asm.mov(rax, qword_ptr(r13 + slot::PRODUCER))?;
        self.asm.inc(qword_ptr(rax + (ring::WORDS_MISSING - ring::PRODUCER_POS) as i32))
    }

    /// Frees the place that this entry has just filled, since its record found no room, and with it
    /// that of an earlier call (I11).
    pub(super) fn take_mark_back(&mut self, labels: &Labels) -> Result<(), IcedError> {
        self.key([rbx, rcx, rax], labels.done)?;
        self.free_all(rbx, rcx)
    }

    /// Falls through if this call's entry left its mark, else goes to `go_on`. Uses R12, R13 and
    /// R15 (I1, I9).
    pub(super) fn look_for_mark(&mut self, labels: &Labels) -> Result<(), IcedError> {
        let mut found = self.asm.create_label();
        self.find_words(found)?;
        self.asm.jmp(labels.go_on)?;
        self.asm.set_label(&mut found)?;
        self.asm.zero_bytes()
    }

    /// Goes to `found` if the table has words of this epoch under this call's key, else falls
    /// through. Uses R12, R13 and R15.
    ///
    /// No slot is busy meanwhile, so this only reads. No other goroutine writes the place that it
    /// searches for, and the tick does not free it while the epoch lasts (I10).
    pub(super) fn find_words(&mut self, found: CodeLabel) -> Result<(), IcedError> {
        let mut none = self.asm.create_label();
        self.key([r13, r12, r12], none)?;
        for probe in 0..table::PROBES {
            let mut next = self.asm.create_label();
            let asm = &mut *self.asm;
            asm.cmp(qword_ptr(r13 + (probe * table::ENTRY_BYTES + table::KEY)), r15)?;
            asm.jne(next)?;
            asm.cmp(qword_ptr(r13 + (probe * table::ENTRY_BYTES + table::OWNER)), r12)?;
            asm.je(found)?;
            asm.set_label(&mut next)?;
            asm.zero_bytes()?;
        }
        self.asm.set_label(&mut none)?;
        self.asm.zero_bytes()
    }

    /// Frees what this call or an earlier one has kept under this key (I11), without a slot: uses
    /// R12, R13, R15, and RAX, which it saves in X15 (I1).
    ///
    /// `RINGLESS` tells the tick that this hook may use the table, in place of a slot's `BUSY`
    /// (I10).
    pub(super) fn forget_words(&mut self) -> Result<(), IcedError> {
        let ringless = self.arena.session() + session::RINGLESS;
        let mut forgotten = self.asm.create_label();

        self.asm.lock().inc(dword_ptr(at(ringless)))?;
        self.asm.movq(xmm15, rax)?;
        self.key([r13, rax, r12], forgotten)?;
        self.free_all(r13, rax)?;
        let asm = &mut *self.asm;
        asm.set_label(&mut forgotten)?;
        asm.movq(rax, xmm15)?;
        // I1: Go keeps X15 at zero.
        asm.xorps(xmm15, xmm15)?;
        asm.lock().dec(dword_ptr(at(ringless)))
    }

    /// Frees every place in the row from `place` on that has the key in R15 and this owner. Uses
    /// R12.
    fn free_all(&mut self, place: AsmRegister64, owner: AsmRegister64) -> Result<(), IcedError> {
        let mut probe = self.asm.create_label();
        let mut next = self.asm.create_label();
        let asm = &mut *self.asm;
        asm.xor(r12d, r12d)?;
        asm.set_label(&mut probe)?;
        asm.cmp(qword_ptr(place + r12 + table::KEY), r15)?;
        asm.jne(next)?;
        asm.cmp(qword_ptr(place + r12 + table::OWNER), owner)?;
        asm.jne(next)?;
        asm.mov(qword_ptr(place + r12 + table::KEY), table::FREE as i32)?;
        asm.set_label(&mut next)?;
        asm.add(r12, table::ENTRY_BYTES as i32)?;
        asm.cmp(r12, (table::PROBES * table::ENTRY_BYTES) as i32)?;
        asm.jb(probe)
    }
}
