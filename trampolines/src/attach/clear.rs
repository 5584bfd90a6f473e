//! Clearing the words table when it is crowded.
//!
//! Decides: when words become void, and when their places can be used again.
//! Trusts: hooks to mark their slots busy. Never does: touch a place that a hook may be using
//! (I10).
//!
//! A call that leaves by a panic never frees its place in the words table, and neither does one
//! whose exit does nothing. Once an entry has found no place, the tick increments `EPOCH`, which
//! makes all words void, waits for [`SETTLE`], and frees the places of older epochs after it has
//! seen each slot idle. From then on they are the tick's alone: entries and exits touch only places
//! of the epoch that they have loaded (see [`crate::thunk`]). A hook that loaded an older epoch had
//! stored its `BUSY = 1` before, so after the wait the tick sees that store (A9), and the hook's
//! last store comes before its `BUSY = 0`. Hooks without a ring have no slot: they count themselves
//! in and out of `RINGLESS` with locked instructions, which are barriers.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::{Emitter, SETTLE, SHORT_TICK};
use crate::arena::{SLOT_BYTES, SLOT_SHIFT, session, slot, switches, table};
use crate::asm::at;

impl Emitter<'_> {
    /// Makes all words void that entries have kept so far (I11). Only this thread writes `EPOCH`
    /// (A1). Uses RAX.
    pub(super) fn next_epoch(&mut self) -> Result<(), IcedError> {
        self.asm.mov(rax, 1u64 << table::FUNCTION_BITS)?;
        self.asm.add(qword_ptr(at(self.arena.switches() + switches::EPOCH)), rax)
    }

    /// Clears the words table if it is crowded, as soon as no thunk uses the old words. Uses all
    /// registers but RBX. Touches only the session, the slots and the table, which are part of the
    /// image (A8).
    pub(super) fn clear_table(&mut self) -> Result<(), IcedError> {
        if !self.arena.has_table() {
            return Ok(());
        }
        let mut look = self.asm.create_label();
        let mut next_slot = self.asm.create_label();
        let mut next_place = self.asm.create_label();
        let mut skip = self.asm.create_label();
        let mut slots_idle = self.asm.create_label();
        let mut not_yet = self.asm.create_label();
        let mut done = self.asm.create_label();

        let asm = &mut *self.asm;
        asm.cmp(dword_ptr(rbx + session::SEEN_IDLE), 0)?;
        asm.jne(look)?;
        asm.cmp(dword_ptr(rbx + session::CROWDED), 0)?;
        asm.je(done)?;
        asm.mov(dword_ptr(rbx + session::SEEN_IDLE), 1)?;
        self.next_epoch()?;
        self.now_to_rax()?;
        self.add_to_rax(SETTLE)?;
        self.asm.mov(qword_ptr(rbx + session::CLEAR_AT), rax)?;
        self.asm.jmp(done)?;

        // I10: each slot must be seen idle once. RCX = slots seen idle so far, plus one.
        self.asm.set_label(&mut look)?;
        self.now_to_rax()?;
        let asm = &mut *self.asm;
        asm.cmp(rax, qword_ptr(rbx + session::CLEAR_AT))?;
        asm.jl(done)?;
        asm.mov(ecx, dword_ptr(rbx + session::SEEN_IDLE))?;
        asm.lea(eax, ptr(rcx - 1))?;
        asm.shl(eax, SLOT_SHIFT)?;
        asm.lea(rbp, at(self.arena.slots()))?;
        asm.add(rbp, rax)?;
        asm.set_label(&mut next_slot)?;
        asm.cmp(ecx, dword_ptr(rbx + session::RINGS))?;
        asm.ja(slots_idle)?;
        asm.cmp(byte_ptr(rbp + slot::BUSY), 0)?;
        asm.jne(not_yet)?;
        asm.add(rbp, SLOT_BYTES as i32)?;
        asm.inc(ecx)?;
        asm.jmp(next_slot)?;

        asm.set_label(&mut not_yet)?;
        asm.mov(dword_ptr(rbx + session::SEEN_IDLE), ecx)?;
        self.next_tick(SHORT_TICK)?;
        self.asm.jmp(done)?;

        let asm = &mut *self.asm;
        asm.set_label(&mut slots_idle)?;
        asm.cmp(dword_ptr(rbx + session::RINGLESS), 0)?;
        asm.jne(not_yet)?;
        // An entry that finds no place from now on asks for another clearing.
        asm.mov(dword_ptr(rbx + session::CROWDED), 0)?;
        asm.mov(dword_ptr(rbx + session::SEEN_IDLE), 0)?;
        asm.mov(edx, dword_ptr(at(self.arena.switches() + switches::EPOCH + 4)))?;
        asm.lea(rbp, at(self.arena.table()))?;
        asm.mov(ecx, (table::ENTRIES + table::PROBES) as u32)?;
        asm.set_label(&mut next_place)?;
        asm.cmp(qword_ptr(rbp + table::KEY), table::CLAIMED)?;
        asm.jbe(skip)?;
        asm.cmp(dword_ptr(rbp + table::OWNER + 4), edx)?;
        asm.je(skip)?;
        asm.mov(qword_ptr(rbp + table::KEY), table::FREE as i32)?;
        asm.set_label(&mut skip)?;
        asm.add(rbp, table::ENTRY_BYTES as i32)?;
        asm.dec(ecx)?;
        asm.jne(next_place)?;
        asm.set_label(&mut done)?;
        asm.zero_bytes()
    }
}
