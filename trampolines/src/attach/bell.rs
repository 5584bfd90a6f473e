//! The bell: the tick wakes a sleeping gopatchd when there is something to read.
//!
//! Decides: when to wake it. Trusts: the control page, for whether gopatchd sleeps. Never does:
//! write anything, or wait (A3).
//!
//! A gopatchd that has found nothing for a while sets `ASLEEP` in the control page and no longer
//! looks at the rings. Hooks do not know that. The tick does: it then runs every [`ALERT_TICK`],
//! compares what was published in each ring with what was consumed, and where they differ wakes all
//! waiters on `ASLEEP`. FUTEX_WAKE writes nothing and needs no right to write, so a page that is
//! mapped read-only will do: the kernel identifies a shared word by its file and offset
//! (`get_futex_key` with `FUTEX_READ`, `kernel/futex/core.c`).
//!
//! No barrier is needed on either side, since nothing depends on a single look. The tick wakes
//! gopatchd again each time while `ASLEEP` is set and a ring is not empty; a store of either side
//! is seen by some later look, as all stores are. So a bell that rings before gopatchd has gone to
//! sleep, or a record that is published just after a look, costs one tick more. The remaining case
//! is a program that goes idle, and its `sysmon` with it, right after its last record: gopatchd
//! itself looks for that at each of its heartbeats.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::sys::{self, FUTEX_WAKE};
use super::{ALERT_TICK, Emitter};
use crate::arena::{SLOT_BYTES, session, slot};
use crate::asm::at;
use gopatch_protocol::wire::control;

impl Emitter<'_> {
    /// While gopatchd sleeps: makes the next tick come soon, and wakes gopatchd if a ring has
    /// unread records. Uses all registers but RBX. Reads only the control page and the position
    /// pages of the rings, which are mapped in this phase (A8).
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
        // A6: if this fails, the next tick tries again.
        self.syscall(sys::FUTEX)?;
        self.asm.set_label(&mut done)?;
        self.asm.zero_bytes()
    }
}
