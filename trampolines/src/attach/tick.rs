//! The tick: a step of the session, ten times a second, or more often while gopatchd sleeps
//! (`bell`).
//!
//! Decides: when to connect, that gopatchd is gone, and when the rings can be unmapped.
//! Trusts: the runtime to call `retake` on one thread. Never does: block.
//!
//! Hooks never look at the time. The runtime does: its `sysmon` thread calls `runtime.retake(now)`
//! every 20 µs to 10 ms while goroutines run (Go's `src/runtime/proc.go`), with `nanotime()` in
//! RAX. The hook at its entry compares `now` with the time of the next tick and, when that has
//! come, runs one step of the session:
//!
//! ```text
//!        connect, hello          reply, map           dead, or FLAG_DETACH
//! Idle ────────────────▶ Waiting ───────────▶ Attached ────────────────────▶ Leaving ──▶ Idle
//!   ▲                       │ no reply in 2 s                                 all thunks out:
//!   └───────────────────────┘                                                 count losses, unmap
//! ```
//!
//! `sysmon` has no P, runs on its thread's system stack, and is one thread; the stub runs before
//! there is any other (A1). Each step is a handful of system calls that do not block (A3).
//!
//! # Leaving the rings
//!
//! This is the proof of I4. A thunk stores `BUSY = 1` in its slot and then loads `ATTACHED`; the
//! tick stores `ATTACHED = 0`, runs `membarrier(PRIVATE_EXPEDITED)`, which puts a full barrier into
//! every running thread, and then loads each `BUSY`. If a thunk's load came before the barrier, its
//! store did too and the tick sees `BUSY = 1`; if after, it saw `ATTACHED = 0`. So when all are 0,
//! no thunk uses the rings and none will. Where the kernel has no such membarrier the mappings stay
//! for good.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::rings::taken;
use super::{Emitter, REPLY_WAIT, RETRY, SAVED, SHORT_TICK, STALE, TICK};
use crate::arena::{Phase, SLOT_BYTES, session, slot, switches};
use crate::asm::at;
use crate::moved::{Mover, Onward};
use gopatch_protocol::wire::{MAX_RINGS, control, ring};

impl Emitter<'_> {
    /// The tick's thunk: RAX = now. Until a tick is due it writes only the flags; then it saves the
    /// registers that it uses (A2).
    pub(super) fn tick(&mut self) -> Result<(), IcedError> {
        let session_va = self.arena.session();
        let mut due = self.asm.create_label();
        let mut go_on = self.asm.create_label();
        let mut leave = self.asm.create_label();
        let mut idle = self.asm.create_label();
        let mut waiting = self.asm.create_label();
        let mut attached = self.asm.create_label();
        let mut leaving = self.asm.create_label();

        self.asm.cmp(rax, qword_ptr(at(session_va + session::NEXT_TICK)))?;
        self.asm.jge(due)?;
        self.asm.set_label(&mut go_on)?;
        Mover::new(&[]).emit(self.asm, self.plan.tick_after, Onward::Leave)?;
        self.asm.jmp(self.plan.tick_resume)?;

        self.asm.set_label(&mut due)?;
        for (index, register) in SAVED.into_iter().enumerate() {
            self.asm.mov(qword_ptr(at(session_va + session::SAVED + 8 * index as u64)), register)?;
        }
        self.asm.lea(rbx, at(session_va))?;
        self.next_tick(TICK)?;
        let asm = &mut *self.asm;
        asm.mov(eax, dword_ptr(rbx + session::PHASE))?;
        asm.cmp(eax, Phase::Waiting as i32)?;
        asm.je(waiting)?;
        asm.cmp(eax, Phase::Attached as i32)?;
        asm.je(attached)?;
        asm.cmp(eax, Phase::Leaving as i32)?;
        asm.je(leaving)?;

        asm.set_label(&mut idle)?;
        asm.cmp(dword_ptr(rbx + session::OFF), 0)?;
        asm.jne(leave)?;
        self.now_to_rax()?;
        self.asm.cmp(rax, qword_ptr(rbx + session::NEXT_ATTEMPT))?;
        self.asm.jl(leave)?;
        self.add_to_rax(RETRY)?;
        self.asm.mov(qword_ptr(rbx + session::NEXT_ATTEMPT), rax)?;
        self.run(self.parts.connect)?;
        self.asm.test(eax, eax)?;
        self.asm.je(leave)?;
        self.now_to_rax()?;
        self.add_to_rax(REPLY_WAIT)?;
        self.asm.mov(qword_ptr(rbx + session::DEADLINE), rax)?;
        self.next_tick(SHORT_TICK)?;
        self.asm.jmp(leave)?;

        self.asm.set_label(&mut waiting)?;
        self.tick_waiting(leave)?;
        self.asm.set_label(&mut attached)?;
        self.tick_attached(leave)?;
        self.asm.set_label(&mut leaving)?;
        self.tick_leaving(leave)?;
        self.asm.jmp(idle)?;

        self.asm.set_label(&mut leave)?;
        for (index, register) in SAVED.into_iter().enumerate() {
            self.asm.mov(register, qword_ptr(at(session_va + session::SAVED + 8 * index as u64)))?;
        }
        self.asm.jmp(go_on)
    }

    /// RAX = the tick's `now`.
    fn now_to_rax(&mut self) -> Result<(), IcedError> {
        self.asm.mov(rax, qword_ptr(rbx + session::SAVED))
    }

    /// Makes the next tick come this long after `now`. Uses RAX and RCX.
    pub(super) fn next_tick(&mut self, nanoseconds: u64) -> Result<(), IcedError> {
        self.now_to_rax()?;
        self.add_to_rax(nanoseconds)?;
        self.asm.mov(qword_ptr(rbx + session::NEXT_TICK), rax)
    }

    /// The hello was sent: takes the reply if it has arrived, and gives up at the deadline.
    fn tick_waiting(&mut self, leave: CodeLabel) -> Result<(), IcedError> {
        self.run(self.parts.take_reply)?;
        self.asm.cmp(eax, taken::ATTACHED)?;
        self.asm.je(leave)?;
        self.asm.cmp(eax, taken::FAILED)?;
        self.asm.je(leave)?;
        self.next_tick(SHORT_TICK)?;
        self.now_to_rax()?;
        self.asm.cmp(rax, qword_ptr(rbx + session::DEADLINE))?;
        self.asm.jl(leave)?;
        self.asm.mov(eax, dword_ptr(rbx + session::SOCKET))?;
        self.close(eax)?;
        self.set_phase(Phase::Idle)?;
        self.asm.jmp(leave)
    }

    /// The rings are in use: checks that gopatchd is alive, and copies what it has changed, or
    /// detaches.
    fn tick_attached(&mut self, leave: CodeLabel) -> Result<(), IcedError> {
        let switches_va = self.arena.switches();
        let mut same = self.asm.create_label();
        let mut alive = self.asm.create_label();
        let mut enough_rings = self.asm.create_label();
        let mut detach = self.asm.create_label();
        let mut no_membarrier = self.asm.create_label();

        self.asm.mov(rdx, qword_ptr(rbx + session::CONTROL))?;
        self.asm.mov(rax, qword_ptr(rdx + control::HEARTBEAT))?;
        self.asm.cmp(rax, qword_ptr(rbx + session::HEARTBEAT))?;
        self.asm.je(same)?;
        self.asm.mov(qword_ptr(rbx + session::HEARTBEAT), rax)?;
        self.now_to_rax()?;
        self.asm.mov(qword_ptr(rbx + session::HEARTBEAT_AT), rax)?;
        self.asm.jmp(alive)?;
        self.asm.set_label(&mut same)?;
        self.now_to_rax()?;
        self.asm.sub(rax, qword_ptr(rbx + session::HEARTBEAT_AT))?;
        self.asm.mov(rcx, STALE)?;
        self.asm.cmp(rax, rcx)?;
        self.asm.jg(detach)?;
        self.asm.set_label(&mut alive)?;
        let asm = &mut *self.asm;
        asm.test(dword_ptr(rdx + control::FLAGS), control::FLAG_DETACH)?;
        asm.jne(detach)?;
        // A P had no ring: detach, and request twice as many as it needs, unless there are as many
        // as can be.
        asm.mov(eax, dword_ptr(rbx + session::RINGS_MISSED))?;
        asm.cmp(eax, dword_ptr(rbx + session::RINGS_WANTED))?;
        asm.jbe(enough_rings)?;
        asm.add(eax, eax)?;
        asm.mov(dword_ptr(rbx + session::RINGS_WANTED), eax)?;
        asm.cmp(dword_ptr(rbx + session::RINGS), MAX_RINGS)?;
        asm.jb(detach)?;
        asm.set_label(&mut enough_rings)?;
        self.clear_table()?;
        self.ring_bell()?;
        let asm = &mut *self.asm;
        asm.mov(rdx, qword_ptr(rbx + session::CONTROL))?;
        asm.mov(eax, dword_ptr(rdx + control::ENABLE_GENERATION))?;
        asm.cmp(eax, dword_ptr(rbx + session::ENABLE_GENERATION))?;
        asm.je(leave)?;
        self.run(self.parts.copy_enables)?;
        self.asm.jmp(leave)?;

        // A7: enable bytes, ATTACHED, membarrier.
        self.asm.set_label(&mut detach)?;
        let asm = &mut *self.asm;
        asm.lea(rdi, at(switches_va + switches::ENABLE))?;
        asm.mov(ecx, self.arena.functions() as u32)?;
        asm.xor(eax, eax)?;
        asm.rep().stosb()?;
        asm.mov(dword_ptr(at(switches_va + switches::ATTACHED)), 0)?;
        asm.cmp(dword_ptr(rbx + session::MEMBARRIER), 0)?;
        asm.je(no_membarrier)?;
        self.membarrier()?;
        self.asm.set_label(&mut no_membarrier)?;
        self.set_phase(Phase::Leaving)?;
        self.next_tick(SHORT_TICK)?;
        self.asm.jmp(leave)
    }

    /// Goes to `leave` while a thunk is still busy (I4); else counts what was lost, unmaps, and
    /// falls through, idle.
    fn tick_leaving(&mut self, leave: CodeLabel) -> Result<(), IcedError> {
        let mut next_slot = self.asm.create_label();
        let mut next_ring = self.asm.create_label();
        let mut next_record = self.asm.create_label();
        let mut ring_done = self.asm.create_label();
        let mut keep_mapped = self.asm.create_label();
        let mut idle = self.asm.create_label();

        self.next_tick(SHORT_TICK)?;
        let asm = &mut *self.asm;
        asm.lea(rbp, at(self.arena.slots()))?;
        asm.mov(ecx, dword_ptr(rbx + session::RINGS))?;
        asm.set_label(&mut next_slot)?;
        asm.cmp(byte_ptr(rbp + slot::BUSY), 0)?;
        asm.jne(leave)?;
        asm.add(rbp, SLOT_BYTES as i32)?;
        asm.dec(ecx)?;
        asm.jne(next_slot)?;

        // Records that were published and never consumed are lost: R8 walks from the consumer's
        // position to the producer's.
        asm.lea(rbp, at(self.arena.slots()))?;
        asm.mov(ecx, dword_ptr(rbx + session::RINGS))?;
        asm.set_label(&mut next_ring)?;
        asm.mov(rax, qword_ptr(rbp + slot::PRODUCER))?;
        asm.mov(rax, qword_ptr(rax + (ring::DROPPED - ring::PRODUCER_POS) as i32))?;
        asm.add(qword_ptr(rbx + session::LOST_RING_FULL), rax)?;
        asm.mov(rsi, qword_ptr(rbp + slot::CONSUMER))?;
        asm.mov(r8, qword_ptr(rsi))?;
        asm.mov(rdi, qword_ptr(rbp + slot::DATA))?;
        asm.set_label(&mut next_record)?;
        asm.cmp(r8, qword_ptr(rbp + slot::POSITION))?;
        asm.jae(ring_done)?;
        asm.mov(rax, r8)?;
        asm.and(rax, qword_ptr(rbp + slot::MASK))?;
        // A5: gopatchd can have written anything to the ring. The offset is masked to a multiple of
        // eight within the data, and each round moves on by eight bytes or more.
        asm.and(rax, -8)?;
        asm.mov(eax, dword_ptr(rdi + rax))?;
        asm.and(eax, !(ring::BUSY | ring::DISCARD))?;
        asm.add(eax, ring::HEADER as i32 + 7)?;
        asm.and(eax, -8)?;
        asm.add(r8, rax)?;
        asm.inc(qword_ptr(rbx + session::LOST_UNCONSUMED))?;
        asm.jmp(next_record)?;
        asm.set_label(&mut ring_done)?;
        asm.add(rbp, SLOT_BYTES as i32)?;
        asm.dec(ecx)?;
        asm.jne(next_ring)?;

        asm.cmp(dword_ptr(rbx + session::MEMBARRIER), 0)?;
        asm.je(keep_mapped)?;
        self.run(self.parts.unmap)?;
        self.asm.jmp(idle)?;
        self.asm.set_label(&mut keep_mapped)?;
        self.asm.nop()?;
        self.asm.set_label(&mut idle)?;
        self.set_phase(Phase::Idle)
    }
}
