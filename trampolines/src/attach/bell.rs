//! The bell: the tick wakes a gopatchd that sleeps, when it has something to read.
//!
//! Decides: when to ring. Trusts: the control page, for whether gopatchd sleeps. Never does: write anything, or wait.
//!
//! A gopatchd that has found nothing for a while sets `ASLEEP` in the control page and no longer looks at the rings. Hooks do
//! not know of that. The tick does: it comes every [`ALERT_TICK`] then, compares what was published in each ring with what was
//! consumed, and where they differ wakes whoever waits for `ASLEEP`. FUTEX_WAKE writes nothing and needs no right to, so a page
//! that is mapped read-only will do: the kernel knows a shared word by its file and place (`get_futex_key` with `FUTEX_READ`,
//! `kernel/futex/core.c`).
//!
//! No barrier is needed on either side, as nothing hangs on one look. The tick rings again each time while `ASLEEP` is set and a ring
//! is not empty; a store of either side is seen by some later look, as all stores are. So a bell that rings before gopatchd has lain down, or
//! a record that is published just behind a look, costs one tick more. What is left is a program that goes idle, and its `sysmon`
//! with it, right behind its last record: gopatchd looks for that itself, at each of its heartbeats.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::sys::{self, FUTEX_WAKE};
use super::{ALERT_TICK, Emitter};
use crate::arena::{SLOT_BYTES, session, slot};
use crate::asm::at;
use gopatch_protocol::wire::control;

impl Emitter<'_> {
    /// Wakes gopatchd if it sleeps and a ring has something for it, and has the next tick come soon if it sleeps. Uses all but
    /// RBX.
    pub(super) fn ring_bell(&mut self) -> Result<(), IcedError> {
        let mut next_ring = self.asm.create_label();
        let mut ring = self.asm.create_label();
        let mut done = self.asm.create_label();

        let asm = &mut *self.asm;
        asm.mov(rdi, qword_ptr(rbx + session::CONTROL))?;
        asm.cmp(dword_ptr(rdi + control::ASLEEP), 0)?;
        asm.je(done)?;
        self.next_tick(ALERT_TICK)?;
        let asm = &mut *self.asm;
        asm.lea(rbp, at(self.arena.slots()))?;
        asm.mov(ecx, dword_ptr(rbx + session::RINGS))?;
        asm.set_label(&mut next_ring)?;
        asm.mov(rax, qword_ptr(rbp + slot::PRODUCER))?;
        asm.mov(rax, qword_ptr(rax))?;
        asm.mov(rdx, qword_ptr(rbp + slot::CONSUMER))?;
        asm.cmp(rax, qword_ptr(rdx))?;
        asm.jne(ring)?;
        asm.add(rbp, SLOT_BYTES as i32)?;
        asm.dec(ecx)?;
        asm.jne(next_ring)?;
        asm.jmp(done)?;

        asm.set_label(&mut ring)?;
        asm.add(rdi, control::ASLEEP as i32)?;
        asm.mov(esi, FUTEX_WAKE)?;
        asm.mov(edx, i32::MAX)?;
        self.syscall(sys::FUTEX)?;
        self.asm.set_label(&mut done)?;
        self.asm.zero_bytes()
    }
}
