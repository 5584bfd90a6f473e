//! The reply: checking it, mapping the control page and the rings that come with it, and unmapping
//! them.
//!
//! Decides: which reply is valid. Trusts: gopatchd that its files have the sizes that it states and
//! cannot shrink; nothing else that was not checked (A5).
//! Never does: leave a descriptor open, whatever the reply (A4).

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::Emitter;
use super::sys::{
    self, CMSG_HEADER, EAGAIN, MADV_DONTFORK, MAP_FIXED, MAP_RESERVE, MAP_SHARED, MAP_SHARED_POPULATE,
    MSG_DONTWAIT_CMSG_CLOEXEC, PROT_NONE, PROT_READ, PROT_READ_WRITE, SCM_RIGHTS, msghdr,
};
use crate::arena::{Phase, SLOT_SHIFT, session, slot, switches};
use crate::asm::{GOLDEN, at};
use gopatch_protocol::wire::{MAGIC, MAX_RINGS, PAGE, Reply, control, ring};

/// Result of the routine that takes the reply, in EAX.
pub(super) mod taken {
    pub(in crate::attach) const NOT_YET: i32 = 0;
    pub(in crate::attach) const ATTACHED: i32 = 1;
    pub(in crate::attach) const FAILED: i32 = 2;
}

impl Emitter<'_> {
    /// `mmap` with address RDI, length RSI, file R8D, offset R9; RAX = address or a negative error.
    /// Uses RDX and R10.
    fn mmap(&mut self, protection: i32, flags: i32) -> Result<(), IcedError> {
        self.asm.mov(edx, protection)?;
        self.asm.mov(r10d, flags)?;
        self.syscall(sys::MMAP)
    }

    /// Routine: takes gopatchd's reply if it has arrived, and maps what came with it. EAX is one of
    /// [`taken`]. Uses all registers but RBX and R12.
    ///
    /// Every file descriptor that came is closed, whatever the reply (A4). A control message for
    /// another purpose than `SCM_RIGHTS` brings none.
    pub(super) fn take_reply(&mut self) -> Result<(), IcedError> {
        let mut has_message = self.asm.create_label();
        let mut failed = self.asm.create_label();
        let mut close_all = self.asm.create_label();
        let mut close_next = self.asm.create_label();
        let mut closed = self.asm.create_label();
        let mut map_next = self.asm.create_label();
        let mut mapped = self.asm.create_label();
        let mut unmap_failed = self.asm.create_label();

        self.message_header()?;
        let asm = &mut *self.asm;
        asm.lea(rax, ptr(rbx + session::FDS))?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL), rax)?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL_LEN), session::FDS_BYTES as i32)?;
        asm.xor(eax, eax)?;
        asm.mov(qword_ptr(rbx + session::FDS), rax)?;
        asm.mov(edi, dword_ptr(rbx + session::SOCKET))?;
        asm.lea(rsi, ptr(rbx + session::MSGHDR))?;
        asm.mov(edx, MSG_DONTWAIT_CMSG_CLOEXEC)?;
        self.syscall(sys::RECVMSG)?;
        self.asm.cmp(rax, EAGAIN)?;
        self.asm.jne(has_message)?;
        self.asm.mov(eax, taken::NOT_YET)?;
        self.asm.jmp(r12)?;

        self.asm.set_label(&mut has_message)?;
        // R13D = number of descriptors that came, R15D = 1 once all is mapped.
        let asm = &mut *self.asm;
        asm.mov(r14, rax)?;
        asm.xor(r13d, r13d)?;
        asm.xor(r15d, r15d)?;
        // A6: a recvmsg that failed has left the header as it was, and brought no descriptors.
        asm.test(rax, rax)?;
        asm.js(failed)?;
        asm.cmp(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL_LEN), CMSG_HEADER as i32)?;
        asm.jb(failed)?;
        asm.mov(rax, SCM_RIGHTS)?;
        asm.cmp(qword_ptr(rbx + session::FDS + 8), rax)?;
        asm.jne(failed)?;
        asm.mov(r13, qword_ptr(rbx + session::FDS))?;
        asm.sub(r13, CMSG_HEADER as i32)?;
        asm.shr(r13, 2)?;

        // A5: size, magic, status, number of rings and of descriptors, sizes.
        asm.cmp(r14, Reply::SIZE as i32)?;
        asm.jne(failed)?;
        asm.mov(rax, MAGIC)?;
        asm.cmp(qword_ptr(rbx + session::MESSAGE), rax)?;
        asm.jne(failed)?;
        asm.cmp(dword_ptr(rbx + session::MESSAGE + Reply::STATUS), Reply::OK)?;
        asm.jne(failed)?;
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::RINGS))?;
        asm.lea(ecx, ptr(rax - 1))?;
        asm.cmp(ecx, MAX_RINGS)?;
        asm.jae(failed)?;
        asm.mov(dword_ptr(rbx + session::RINGS), eax)?;
        asm.inc(eax)?;
        asm.cmp(eax, r13d)?;
        asm.jne(failed)?;
        // Ring bytes: a power of two of at least one page, at most 1 GiB.
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::RING_BYTES))?;
        asm.mov(qword_ptr(rbx + session::RING_BYTES), rax)?;
        asm.lea(ecx, ptr(rax - 1))?;
        asm.test(ecx, eax)?;
        asm.jne(failed)?;
        asm.sub(eax, PAGE as i32)?;
        asm.cmp(eax, 1 << 30)?;
        asm.jae(failed)?;
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::CONTROL_BYTES))?;
        asm.mov(qword_ptr(rbx + session::CONTROL_BYTES), rax)?;
        asm.cmp(rax, (control::ENABLE as u64 + self.arena.functions()) as i32)?;
        asm.jb(failed)?;

        asm.xor(edi, edi)?;
        asm.mov(rsi, rax)?;
        asm.mov(r8d, dword_ptr(rbx + session::FDS + CMSG_HEADER))?;
        asm.xor(r9d, r9d)?;
        self.mmap(PROT_READ, MAP_SHARED_POPULATE)?;
        self.fail_if_error(failed)?;
        self.asm.mov(qword_ptr(rbx + session::CONTROL), rax)?;
        self.asm.mov(rdi, rax)?;
        self.asm.mov(rsi, qword_ptr(rbx + session::CONTROL_BYTES))?;
        self.madvise(MADV_DONTFORK)?;

        // R14 = ring index.
        self.asm.xor(r14d, r14d)?;
        self.asm.set_label(&mut map_next)?;
        self.map_ring(unmap_failed)?;
        self.asm.inc(r14d)?;
        self.asm.cmp(r14d, dword_ptr(rbx + session::RINGS))?;
        self.asm.jb(map_next)?;

        let switches_va = self.arena.switches();
        let asm = &mut *self.asm;
        asm.inc(dword_ptr(rbx + session::SESSIONS))?;
        asm.mov(dword_ptr(rbx + session::SEEN_IDLE), 0)?;
        asm.mov(eax, dword_ptr(rbx + session::RINGS))?;
        asm.mov(dword_ptr(at(switches_va + switches::RINGS)), eax)?;
        asm.mov(rcx, qword_ptr(rbx + session::CONTROL))?;
        // Note anything but the heartbeat, so that the next tick sees a change and notes its time.
        // The tick's `now` is too old for that: mapping large rings may have taken longer than the
        // greatest age of a heartbeat.
        asm.mov(rax, qword_ptr(rcx + control::HEARTBEAT))?;
        asm.not(rax)?;
        asm.mov(qword_ptr(rbx + session::HEARTBEAT), rax)?;
        // A7: slots, then ATTACHED, then the enable bytes.
        asm.mov(dword_ptr(at(switches_va + switches::ATTACHED)), 1)?;
        asm.mov(rbp, r12)?;
        self.run(self.parts.copy_enables)?;
        self.asm.mov(r12, rbp)?;
        self.asm.mov(r15d, 1)?;
        self.asm.jmp(close_all)?;

        self.asm.set_label(&mut unmap_failed)?;
        // Ring R14 and those after it are not mapped.
        self.asm.mov(dword_ptr(rbx + session::RINGS), r14d)?;
        self.asm.mov(rbp, r12)?;
        self.run(self.parts.unmap)?;
        self.asm.mov(r12, rbp)?;
        self.asm.set_label(&mut failed)?;
        self.asm.xor(r15d, r15d)?;

        self.asm.set_label(&mut close_all)?;
        self.asm.mov(eax, dword_ptr(rbx + session::SOCKET))?;
        self.close(eax)?;
        self.asm.set_label(&mut close_next)?;
        self.asm.test(r13d, r13d)?;
        self.asm.je(closed)?;
        self.asm.dec(r13d)?;
        self.asm.mov(eax, dword_ptr(rbx + r13 * 4 + (session::FDS + CMSG_HEADER)))?;
        self.close(eax)?;
        self.asm.jmp(close_next)?;
        self.asm.set_label(&mut closed)?;
        self.asm.test(r15d, r15d)?;
        self.asm.jne(mapped)?;
        self.set_phase(Phase::Idle)?;
        self.asm.mov(eax, taken::FAILED)?;
        self.asm.jmp(r12)?;
        self.asm.set_label(&mut mapped)?;
        self.set_phase(Phase::Attached)?;
        self.asm.mov(eax, taken::ATTACHED)?;
        self.asm.jmp(r12)
    }

    /// Goes to `failed` if RAX is an error of `mmap` (A6).
    fn fail_if_error(&mut self, failed: CodeLabel) -> Result<(), IcedError> {
        // The kernel's errors are -4095 to -1, and no mapping lies there.
        self.asm.cmp(rax, -4096)?;
        self.asm.ja(failed)
    }

    /// `madvise` of RSI bytes at RDI. If it fails, a forked child has mappings that it does not use
    /// (A6). Uses RDX.
    pub(super) fn madvise(&mut self, advice: i32) -> Result<(), IcedError> {
        self.asm.mov(edx, advice)?;
        self.syscall(sys::MADVISE)
    }

    /// Maps ring R14, its data twice in a row (I7), and sets up its slot. Uses RBP, RCX and RDX.
    fn map_ring(&mut self, unmap_failed: CodeLabel) -> Result<(), IcedError> {
        let mut failed = self.asm.create_label();
        let mut done = self.asm.create_label();
        let page = PAGE as i32;

        // Reserve room first, so that MAP_FIXED below can replace nothing else.
        let asm = &mut *self.asm;
        asm.xor(edi, edi)?;
        asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        asm.lea(rsi, ptr(rsi * 2 + 2 * page))?;
        asm.mov(r8d, -1)?;
        asm.xor(r9d, r9d)?;
        self.mmap(PROT_NONE, MAP_RESERVE)?;
        self.fail_if_error(unmap_failed)?;
        self.asm.mov(rbp, rax)?;
        self.asm.mov(qword_ptr(rbx + r14 * 8 + session::RING_BASES), rax)?;

        self.asm.mov(rdi, rbp)?;
        self.asm.mov(esi, page)?;
        self.ring_part(0)?;
        self.mmap(PROT_READ, MAP_SHARED_POPULATE | MAP_FIXED)?;
        self.fail_if_error(failed)?;

        self.asm.lea(rdi, ptr(rbp + page))?;
        self.asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        self.asm.add(rsi, page)?;
        self.ring_part(ring::PRODUCER_POS as i32)?;
        // Not populated: memory that no record reaches costs nothing; the first record on a page
        // waits for a page fault.
        self.mmap(PROT_READ_WRITE, MAP_SHARED | MAP_FIXED)?;
        self.fail_if_error(failed)?;

        self.asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        self.asm.lea(rdi, ptr(rbp + rsi + 2 * page))?;
        self.ring_part(ring::DATA as i32)?;
        self.mmap(PROT_READ_WRITE, MAP_SHARED | MAP_FIXED)?;
        self.fail_if_error(failed)?;

        self.asm.mov(rdi, rbp)?;
        self.asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        self.asm.lea(rsi, ptr(rsi * 2 + 2 * page))?;
        self.madvise(MADV_DONTFORK)?;

        // RCX = slot. Its thunks do not use it before ATTACHED is 1 (A7).
        let asm = &mut *self.asm;
        asm.mov(ecx, r14d)?;
        asm.shl(ecx, SLOT_SHIFT)?;
        asm.lea(rax, at(self.arena.slots()))?;
        asm.add(rcx, rax)?;
        asm.mov(qword_ptr(rcx + slot::CONSUMER), rbp)?;
        asm.lea(rax, ptr(rbp + page))?;
        asm.mov(qword_ptr(rcx + slot::PRODUCER), rax)?;
        asm.mov(rdx, qword_ptr(rax))?;
        asm.mov(qword_ptr(rcx + slot::POSITION), rdx)?;
        asm.add(rax, page)?;
        asm.mov(qword_ptr(rcx + slot::DATA), rax)?;
        asm.mov(rdx, qword_ptr(rbx + session::RING_BYTES))?;
        asm.mov(rax, qword_ptr(rbp))?;
        asm.add(rax, rdx)?;
        asm.mov(qword_ptr(rcx + slot::LIMIT), rax)?;
        asm.dec(rdx)?;
        asm.mov(qword_ptr(rcx + slot::MASK), rdx)?;
        // Start each P's random numbers at a different place: time and slot, spread by a
        // multiplication with 2^64 / phi.
        asm.rdtsc()?;
        asm.shl(rdx, 32)?;
        asm.or(rax, rdx)?;
        asm.add(rax, rcx)?;
        asm.mov(rdx, GOLDEN)?;
        asm.imul_2(rax, rdx)?;
        asm.mov(qword_ptr(rcx + slot::RANDOM), rax)?;
        asm.jmp(done)?;

        asm.set_label(&mut failed)?;
        asm.mov(rdi, rbp)?;
        asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        asm.lea(rsi, ptr(rsi * 2 + 2 * page))?;
        self.syscall(sys::MUNMAP)?;
        self.asm.jmp(unmap_failed)?;
        self.asm.set_label(&mut done)?;
        self.asm.zero_bytes()
    }

    /// R8D, R9 = file and offset of a part of ring R14.
    fn ring_part(&mut self, offset: i32) -> Result<(), IcedError> {
        self.asm.mov(r8d, dword_ptr(rbx + r14 * 4 + (session::FDS + CMSG_HEADER + 4)))?;
        self.asm.mov(r9d, offset)
    }

    /// Routine: unmaps the control page and all rings of the session. No thunk uses them any more
    /// (I4). Uses R14.
    pub(super) fn unmap(&mut self) -> Result<(), IcedError> {
        let mut next = self.asm.create_label();
        let mut done = self.asm.create_label();
        self.asm.mov(rdi, qword_ptr(rbx + session::CONTROL))?;
        self.asm.mov(rsi, qword_ptr(rbx + session::CONTROL_BYTES))?;
        self.syscall(sys::MUNMAP)?;
        self.asm.mov(r14d, dword_ptr(rbx + session::RINGS))?;
        self.asm.set_label(&mut next)?;
        self.asm.test(r14d, r14d)?;
        self.asm.je(done)?;
        self.asm.dec(r14d)?;
        self.asm.mov(rdi, qword_ptr(rbx + r14 * 8 + session::RING_BASES))?;
        self.asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        self.asm.lea(rsi, ptr(rsi * 2 + 2 * PAGE as i32))?;
        self.syscall(sys::MUNMAP)?;
        self.asm.jmp(next)?;
        self.asm.set_label(&mut done)?;
        self.asm.jmp(r12)
    }

    /// Routine: copies the enable bytes from the control page, and notes their generation.
    ///
    /// The words of a function that was disabled in between may be those of an earlier call, so
    /// they become void before any byte is 1 (A7, I11). The page has a byte for each function (A5).
    pub(super) fn copy_enables(&mut self) -> Result<(), IcedError> {
        self.next_epoch()?;
        let asm = &mut *self.asm;
        asm.mov(rsi, qword_ptr(rbx + session::CONTROL))?;
        // The generation first: a change that comes in between is copied at the next tick.
        asm.mov(eax, dword_ptr(rsi + control::ENABLE_GENERATION))?;
        asm.mov(dword_ptr(rbx + session::ENABLE_GENERATION), eax)?;
        asm.add(rsi, control::ENABLE as i32)?;
        asm.lea(rdi, at(self.arena.switches() + switches::ENABLE))?;
        asm.mov(ecx, self.arena.functions() as u32)?;
        asm.rep().movsb()?;
        asm.jmp(r12)
    }
}
