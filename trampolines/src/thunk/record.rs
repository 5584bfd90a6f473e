//! The record: its place in the ring, its fixed part, and its publication.
//!
//! Decides: what is written in which order, and what happens to a record without a ring or without
//! room.
//! Trusts: the slot, which the tick has filled. Never does: write past the free part of the ring.
//!
//! Registers: R13 slot; R15 record; R12 where the next string goes; RAX and RDX work (RDX brings
//! the time stamp). Every store goes to the slot, to the ring's mapping (I4, I7) or to the session,
//! which is part of the image: none faults (I5).

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::{Emitter, Labels, max_record};
use crate::arena::{session, slot, switches};
use crate::asm::at;
use gopatch_protocol::wire::{record, ring};

/// Bytes from the record's ring header to a field of its payload.
pub(super) const fn field(offset: usize) -> i32 {
    (ring::HEADER + offset) as i32
}

/// How far ahead of a record the ring's memory is prefetched: a few records. Measured: 256 to 1024
/// make no difference.
const FETCH_AHEAD: i32 = 384;

impl Emitter<'_> {
    /// Writes the record and publishes it. RDX is the time stamp. Expects a busy slot (I4) in R13.
    pub(super) fn record(&mut self, labels: &mut Labels) -> Result<(), IcedError> {
        let captures = &self.plan.captures;
        let has_context = self.plan.records_context();
        let copies_strings = captures.iter().any(|capture| capture.max_string() > 0);
        let has_strings = copies_strings || has_context;
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
            .filter(|(_, capture)| capture.always_present())
            .fold(0u32, |bits, (index, _)| bits | 1 << index);
        asm.mov(dword_ptr(r15 + field(record::PRESENT)), always as i32)?;
        if has_strings {
            asm.lea(r12, ptr(r15 + field(words_end)))?;
        }
        for (index, capture) in captures.iter().enumerate() {
            self.capture(index, capture)?;
        }
        if has_context {
            self.record_context()?;
        }

        let asm = &mut *self.asm;
        if has_strings {
            // I1: the copies used X15, which Go keeps at zero.
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
        // I8: all of the record's stores come before this one.
        asm.mov(qword_ptr(rax), r12)
    }

    /// R15 = where the next record goes; a record that might not fit is dropped and counted. Uses
    /// RAX.
    fn reserve(&mut self, labels: &mut Labels) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        // I7: the largest record that this plan can make must fit. I3: no other thread moves
        // POSITION or LIMIT.
        asm.mov(r15, qword_ptr(r13 + slot::POSITION))?;
        asm.lea(rax, ptr(r15 + max_record(&self.plan.captures, self.plan.records_context()) as i32))?;
        asm.cmp(rax, qword_ptr(r13 + slot::LIMIT))?;
        asm.ja(labels.refill)?;
        asm.set_label(&mut labels.room)?;
        // I7: the data are mapped twice in a row, so a record that begins before their end may run
        // past it.
        asm.and(r15, qword_ptr(r13 + slot::MASK))?;
        asm.add(r15, qword_ptr(r13 + slot::DATA))?;
        // The consumer's processor has these lines in its cache, from the records that lay here
        // before. Fetch those of the next records now, so that their stores need not wait. A
        // prefetch never faults (I5).
        asm.prefetchw(byte_ptr(r15 + FETCH_AHEAD))
    }

    /// The rare paths, after the common one. Each restores what it borrowed by way of `done`, or
    /// has borrowed nothing (I1).
    pub(super) fn rare_paths(&mut self, labels: &mut Labels) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        // GOMAXPROCS has grown. Count the loss; the tick will request more rings. Two threads may
        // race to store the largest id; the loser stores its own at its next hook. The P has no
        // ring here, so the count needs a lock (I3).
        asm.set_label(&mut labels.no_ring)?;
        if !self.plan.is_recorded() {
            asm.jmp(labels.go_on)?;
        }
        asm.inc(r12d)?;
        asm.mov(dword_ptr(at(self.arena.session() + session::RINGS_MISSED)), r12d)?;
        asm.lock().inc(qword_ptr(at(self.arena.session() + session::LOST_NO_RING)))?;
        asm.jmp(labels.no_p)?;

        // I13. The hook that this one interrupts may not have seen that the process is detached (I4).
        asm.set_label(&mut labels.slot_busy)?;
        asm.cmp(dword_ptr(at(self.arena.switches() + switches::ATTACHED)), 0)?;
        asm.je(labels.no_p)?;
        if !self.plan.is_recorded() {
            asm.jmp(labels.go_on)?;
        }
        asm.mov(r12, qword_ptr(r13 + slot::PRODUCER))?;
        asm.inc(qword_ptr(r12 + (ring::SLOT_BUSY - ring::PRODUCER_POS) as i32))?;
        // An entry that keeps nothing frees the words of an earlier call (I11).
        asm.set_label(&mut labels.no_p)?;
        if self.plan.uses_table() {
            self.forget_words()?;
        }
        let asm = &mut *self.asm;
        asm.jmp(labels.go_on)?;

        // I4: ATTACHED was 0, so the ring must not be touched. Nothing is borrowed yet.
        asm.set_label(&mut labels.detached)?;
        asm.mov(byte_ptr(r13 + slot::BUSY), 0)?;
        asm.jmp(labels.go_on)?;

        if !self.plan.is_recorded() {
            // Nothing is reserved.
            return Ok(());
        }
        // The consumer's position is read only here, so its cache line is left alone while there is
        // room. RAX is where the largest record would end (I7).
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
        if self.marks() {
            self.take_mark_back(labels)?;
        }
        self.asm.jmp(labels.done)?;

        // An entry that its filter left out frees the words of an earlier call with the same key
        // (I11).
        if self.marks() {
            self.asm.set_label(&mut labels.left_out)?;
            self.find_words(labels.no_p)?;
            self.asm.jmp(labels.go_on)?;
        }
        Ok(())
    }
}
