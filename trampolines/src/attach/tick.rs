//! The tick: a step of the session, ten times a second, or more often while gopatchd sleeps
//! (`bell`).
//!
//! Decides: that gopatchd is gone, and what was lost with it.
//! Trusts: the runtime to call `retake` on one thread. Never does: block.
//!
//! Hooks never look at the time. The runtime does: its `sysmon` thread calls `runtime.retake(now)`
//! every 20 µs to 10 ms while goroutines run (Go's `src/runtime/proc.go`), with `nanotime()` in
//! RAX. The hook at its entry compares `now` with the time of the next tick and, when that has
//! come, runs one step of the session:
//!
//! ```text
//!                    stub, or helper: map            heartbeat beats
//! Alone (no session) ──────────────▶ Mapped, idle ◀─────────────────▶ Mapped, ATTACHED = 1
//!                                                   it stands still,
//!                                                   or FLAG_DETACH
//! ```
//!
//! `sysmon` has no P, runs on its thread's system stack, and is one thread; the stub runs before
//! there is any other (A1).
//!
//! # Leaving the rings
//!
//! This is the proof of I4. A thunk stores `BUSY = 1` in its slot and then loads `ATTACHED`; the
//! tick stores `ATTACHED = 0` and loads each `BUSY` after [`SETTLE`]. A thunk that loaded 1 had
//! stored `BUSY = 1` before, so the tick sees that store (A9). When all are 0, no thunk uses the
//! rings and none will, until `ATTACHED` is 1 again. The rings stay mapped until others take their
//! place (A11).

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::{Emitter, RETRY, SAVED, SETTLE, SHORT_TICK, STALE, TICK};
use crate::arena::{AttachMode, Phase, SLOT_BYTES, session, slot, switches};
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
        let mut helped = self.asm.create_label();
        let mut unblocked = self.asm.create_label();
        let mut alone = self.asm.create_label();

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
        // A1. The kernel sets it to 0 when the helper has ended, after the helper's last store.
        self.asm.cmp(dword_ptr(rbx + session::HELPER), 0)?;
        self.asm.je(helped)?;
        self.next_tick(SHORT_TICK)?;
        self.asm.jmp(leave)?;
        self.asm.set_label(&mut helped)?;
        self.asm.cmp(dword_ptr(rbx + session::BLOCKED), 0)?;
        self.asm.je(unblocked)?;
        self.unblock_signals()?;
        self.asm.set_label(&mut unblocked)?;
        self.asm.cmp(dword_ptr(rbx + session::PHASE), Phase::Mapped as i32)?;
        self.asm.jne(alone)?;
        self.tick_mapped(leave)?;
        self.asm.set_label(&mut alone)?;
        self.asm.cmp(dword_ptr(rbx + session::OFF), 0)?;
        self.asm.jne(leave)?;
        self.search(leave)?;

        self.asm.set_label(&mut leave)?;
        for (index, register) in SAVED.into_iter().enumerate() {
            self.asm.mov(register, qword_ptr(at(session_va + session::SAVED + 8 * index as u64)))?;
        }
        self.asm.jmp(go_on)
    }

    /// RAX = the tick's `now`.
    pub(super) fn now_to_rax(&mut self) -> Result<(), IcedError> {
        self.asm.mov(rax, qword_ptr(rbx + session::SAVED))
    }

    /// Makes the next tick come this long after `now`. Uses RAX and RCX.
    pub(super) fn next_tick(&mut self, nanoseconds: u64) -> Result<(), IcedError> {
        self.now_to_rax()?;
        self.add_to_rax(nanoseconds)?;
        self.asm.mov(qword_ptr(rbx + session::NEXT_TICK), rax)
    }

    /// There are rings: checks that gopatchd is alive, and copies what it has changed; or has hooks
    /// write no more until it is, and looks for another.
    fn tick_mapped(&mut self, leave: CodeLabel) -> Result<(), IcedError> {
        let switches_va = self.arena.switches();
        let mut same = self.asm.create_label();
        let mut alive = self.asm.create_label();
        let mut enough_rings = self.asm.create_label();
        let mut more_rings = self.asm.create_label();
        let mut in_use = self.asm.create_label();
        let mut idle = self.asm.create_label();
        let mut was_idle = self.asm.create_label();

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
        self.asm.jg(idle)?;
        self.asm.set_label(&mut alive)?;
        let asm = &mut *self.asm;
        asm.test(dword_ptr(rdx + control::FLAGS), control::FLAG_DETACH)?;
        asm.jne(idle)?;
        // A P had no ring: request a session with enough, unless there are as many rings as can be,
        // or no later session.
        asm.cmp(dword_ptr(rbx + session::MODE), AttachMode::Late as i32)?;
        asm.jne(enough_rings)?;
        asm.mov(eax, dword_ptr(rbx + session::RINGS_MISSED))?;
        asm.cmp(eax, dword_ptr(rbx + session::RINGS_WANTED))?;
        asm.jbe(enough_rings)?;
        asm.mov(dword_ptr(rbx + session::RINGS_WANTED), eax)?;
        asm.cmp(dword_ptr(rbx + session::RINGS), MAX_RINGS)?;
        asm.jb(more_rings)?;
        asm.set_label(&mut enough_rings)?;
        // The heartbeat beats, for the first time or again. A7: ATTACHED, then the enable bytes.
        asm.cmp(dword_ptr(at(switches_va + switches::ATTACHED)), 0)?;
        asm.jne(in_use)?;
        // Before the first record of this time, so that a reader that sees the record sees this.
        asm.rdtsc()?;
        asm.shl(rdx, 32)?;
        asm.or(rax, rdx)?;
        asm.mov(rcx, qword_ptr(at(self.arena.slots() + slot::PRODUCER)))?;
        asm.mov(qword_ptr(rcx + (ring::RESUMED - ring::PRODUCER_POS) as i32), rax)?;
        asm.mov(dword_ptr(at(switches_va + switches::ATTACHED)), 1)?;
        asm.xor(eax, eax)?;
        // The next search begins afresh.
        asm.mov(dword_ptr(rbx + session::ATTEMPTS), eax)?;
        asm.mov(dword_ptr(rbx + session::SOCKET_SEEN), eax)?;
        self.run(self.parts.copy_enables)?;
        self.asm.set_label(&mut in_use)?;
        self.clear_table()?;
        self.ring_bell()?;
        self.copy_propagation()?;
        let asm = &mut *self.asm;
        asm.mov(eax, dword_ptr(rdx + control::ENABLE_GENERATION))?;
        asm.cmp(eax, dword_ptr(rbx + session::ENABLE_GENERATION))?;
        // It only grows. The page's is less in a session that began unanswered, until a gopatchd
        // takes it.
        asm.jbe(leave)?;
        self.run(self.parts.copy_enables)?;
        self.asm.jmp(leave)?;

        // The search looks at BUSY after SETTLE, and finds no session that it may keep.
        self.asm.set_label(&mut more_rings)?;
        self.disable_hooks()?;
        self.set_phase(Phase::Alone)?;
        self.next_tick(SETTLE)?;
        self.asm.mov(qword_ptr(rbx + session::NEXT_ATTEMPT), rax)?;
        self.asm.mov(rax, RETRY)?;
        self.asm.mov(qword_ptr(rbx + session::DISTANCE), rax)?;
        self.asm.jmp(leave)?;

        // Everything stays mapped. To notice that the heartbeat beats again takes no system call.
        self.asm.set_label(&mut idle)?;
        self.asm.cmp(dword_ptr(at(switches_va + switches::ATTACHED)), 0)?;
        self.asm.je(was_idle)?;
        self.disable_hooks()?;
        // The next search begins with its first distance, which is longer than SETTLE.
        self.asm.mov(qword_ptr(rbx + session::NEXT_ATTEMPT), rax)?;
        self.asm.set_label(&mut was_idle)?;
        self.asm.cmp(dword_ptr(rbx + session::MODE), AttachMode::Late as i32)?;
        self.asm.jne(leave)?;
        self.asm.zero_bytes()
    }

    /// A7: the enable bytes, then ATTACHED. RAX = 0. Uses RCX and RDI.
    fn disable_hooks(&mut self) -> Result<(), IcedError> {
        let switches_va = self.arena.switches();
        let asm = &mut *self.asm;
        asm.lea(rdi, at(switches_va + switches::ENABLE))?;
        asm.mov(ecx, self.arena.functions() as u32)?;
        asm.xor(eax, eax)?;
        asm.rep().stosb()?;
        asm.mov(dword_ptr(at(switches_va + switches::PROPAGATION)), eax)?;
        asm.mov(dword_ptr(at(switches_va + switches::ATTACHED)), eax)?;
        asm.mov(dword_ptr(rbx + session::UNCOUNTED), 1)
    }

    /// Counts what the rings have lost if no gopatchd reads them any more: goes to `leave` while a
    /// thunk is still busy (I4), else falls through, and no thunk uses the rings any more.
    pub(super) fn count_losses(&mut self, leave: CodeLabel) -> Result<(), IcedError> {
        let mut counted = self.asm.create_label();
        let mut next_slot = self.asm.create_label();
        let mut next_ring = self.asm.create_label();
        let mut next_record = self.asm.create_label();
        let mut ring_done = self.asm.create_label();

        self.asm.cmp(dword_ptr(rbx + session::UNCOUNTED), 0)?;
        self.asm.je(counted)?;
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

        asm.xor(eax, eax)?;
        asm.mov(qword_ptr(rbx + session::LOST_UNCONSUMED), rax)?;
        asm.mov(qword_ptr(rbx + session::LOST_RING_FULL), rax)?;
        // Records that were published and never consumed are lost: R8 walks from the consumer's
        // position to the producer's.
        asm.lea(rbp, at(self.arena.slots()))?;
        asm.mov(ecx, dword_ptr(rbx + session::RINGS))?;
        asm.set_label(&mut next_ring)?;
        asm.mov(rax, qword_ptr(rbp + slot::PRODUCER))?;
        asm.mov(rsi, qword_ptr(rax + (ring::SLOT_BUSY - ring::PRODUCER_POS) as i32))?;
        asm.add(rsi, qword_ptr(rax + (ring::DROPPED - ring::PRODUCER_POS) as i32))?;
        asm.add(qword_ptr(rbx + session::LOST_RING_FULL), rsi)?;
        asm.mov(rsi, qword_ptr(rbp + slot::CONSUMER))?;
        asm.mov(r8, qword_ptr(rsi))?;
        // A5: gopatchd can have written anything there. At most a ring's length is walked.
        asm.mov(rax, qword_ptr(rbp + slot::POSITION))?;
        asm.sub(rax, r8)?;
        // From 1 to as many bytes as the ring has.
        asm.dec(rax)?;
        asm.cmp(rax, qword_ptr(rbp + slot::MASK))?;
        asm.ja(ring_done)?;
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

        asm.mov(dword_ptr(rbx + session::UNCOUNTED), 0)?;
        asm.set_label(&mut counted)?;
        asm.zero_bytes()
    }
}
