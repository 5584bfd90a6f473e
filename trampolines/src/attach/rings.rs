//! The reply: checking it, mapping the control page and the rings that come with it, and unmapping
//! them.
//!
//! Decides: which reply is valid. Trusts: nothing that was not checked (A5), but that an anonymous
//! inode that the kernel maps is a BPF map, which cannot shrink.
//! Never does: leave a descriptor open, whatever the reply (A4).

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::sys::{
    self, CMSG_HEADER, F_GET_SEALS, F_SEAL_SHRINK, MADV_DONTFORK, MAP_FIXED, MAP_RESERVE, MAP_SHARED,
    MAP_SHARED_POPULATE, MSG_DONTWAIT_CMSG_CLOEXEC, MSG_TRUNC_CTRUNC, PROT_NONE, PROT_READ, PROT_READ_WRITE,
    SCM_RIGHTS, msghdr, stat,
};
use super::{Emitter, RETRY};
use crate::arena::{Phase, SLOT_SHIFT, session, slot, switches};
use crate::asm::{GOLDEN, at};
use gopatch_protocol::wire::{MAGIC, MAX_RINGS, PAGE, Reply, control, ring};

impl Emitter<'_> {
    /// `mmap` with address RDI, length RSI, file R8D, offset R9; RAX = address or a negative error.
    /// Uses RDX and R10.
    fn mmap(&mut self, protection: i32, flags: i32) -> Result<(), IcedError> {
        self.asm.mov(edx, protection)?;
        self.asm.mov(r10d, flags)?;
        self.syscall(sys::MMAP)
    }

    /// Routine: takes gopatchd's reply, and maps what came with it. EAX = 1 if the process is
    /// attached then, else 0. Uses all registers but RBX and R12.
    ///
    /// The socket and every file that came are closed, whatever the reply (A4).
    pub(super) fn take_reply(&mut self) -> Result<(), IcedError> {
        let mut failed = self.asm.create_label();
        let mut close_all = self.asm.create_label();
        let mut close_next = self.asm.create_label();
        let mut closed = self.asm.create_label();
        let mut no_old_rings = self.asm.create_label();
        let mut map_next = self.asm.create_label();
        let mut unmap_failed = self.asm.create_label();

        self.message_header()?;
        let asm = &mut *self.asm;
        asm.lea(rax, ptr(rbx + session::FDS))?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL), rax)?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL_LEN), session::FDS_BYTES as i32)?;
        asm.xor(eax, eax)?;
        asm.mov(qword_ptr(rbx + session::FDS), rax)?;
        asm.mov(qword_ptr(rbx + session::MESSAGE), rax)?;
        asm.mov(edi, dword_ptr(rbx + session::SOCKET))?;
        asm.lea(rsi, ptr(rbx + session::MSGHDR))?;
        asm.mov(edx, MSG_DONTWAIT_CMSG_CLOEXEC)?;
        self.syscall(sys::RECVMSG)?;
        // R13D = number of descriptors that came, R14 = bytes that came, R15D = 1 once all is
        // mapped.
        let asm = &mut *self.asm;
        asm.mov(r14, rax)?;
        asm.xor(r13d, r13d)?;
        asm.xor(r15d, r15d)?;
        // A6: a call that failed, also for want of a reply, brought no descriptors and left the
        // header as it was.
        asm.test(rax, rax)?;
        asm.js(failed)?;
        self.find_files()?;
        self.check_reply(failed)?;
        self.check_files(failed)?;

        // No thunk has used the rings of an earlier session since the tick counted their losses.
        self.asm.cmp(dword_ptr(rbx + session::MAPPED), 0)?;
        self.asm.je(no_old_rings)?;
        self.asm.mov(rbp, r12)?;
        self.run(self.parts.unmap)?;
        self.asm.mov(r12, rbp)?;
        self.asm.set_label(&mut no_old_rings)?;
        let asm = &mut *self.asm;
        for (to, from) in [(session::RING_BYTES, Reply::RING_BYTES), (session::CONTROL_BYTES, Reply::CONTROL_BYTES)] {
            asm.mov(eax, dword_ptr(rbx + session::MESSAGE + from))?;
            asm.mov(qword_ptr(rbx + to), rax)?;
        }
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::RINGS))?;
        asm.mov(dword_ptr(rbx + session::RINGS), eax)?;

        asm.xor(edi, edi)?;
        asm.mov(rsi, qword_ptr(rbx + session::CONTROL_BYTES))?;
        asm.mov(rax, qword_ptr(rbx + session::FILES))?;
        asm.mov(r8d, dword_ptr(rax))?;
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
        self.begin_session()?;
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
        self.asm.mov(rax, qword_ptr(rbx + session::FILES))?;
        self.asm.mov(eax, dword_ptr(rax + r13 * 4))?;
        self.close(eax)?;
        self.asm.jmp(close_next)?;
        self.asm.set_label(&mut closed)?;
        self.asm.mov(eax, r15d)?;
        self.asm.jmp(r12)
    }

    /// R13D = number of files that came, and `FILES` = where their descriptors are. The kernel
    /// puts all files of a message into one control message. Others may lie before it.
    fn find_files(&mut self) -> Result<(), IcedError> {
        let mut next = self.asm.create_label();
        let mut skip = self.asm.create_label();
        let mut done = self.asm.create_label();
        let asm = &mut *self.asm;
        // RSI = control message, RDX = end of all.
        asm.lea(rsi, ptr(rbx + session::FDS))?;
        asm.mov(rdx, qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL_LEN))?;
        asm.cmp(rdx, session::FDS_BYTES as i32)?;
        asm.ja(done)?;
        asm.add(rdx, rsi)?;
        asm.set_label(&mut next)?;
        asm.mov(rcx, rdx)?;
        asm.sub(rcx, rsi)?;
        asm.cmp(rcx, CMSG_HEADER as i32)?;
        asm.jb(done)?;
        // RAX = its length, within what is left.
        asm.mov(rax, qword_ptr(rsi))?;
        asm.cmp(rax, CMSG_HEADER as i32)?;
        asm.jb(done)?;
        asm.cmp(rax, rcx)?;
        asm.ja(done)?;
        asm.mov(rcx, SCM_RIGHTS)?;
        asm.cmp(qword_ptr(rsi + 8), rcx)?;
        asm.jne(skip)?;
        asm.lea(r13, ptr(rax - CMSG_HEADER as i32))?;
        asm.shr(r13, 2)?;
        asm.add(rsi, CMSG_HEADER as i32)?;
        asm.mov(qword_ptr(rbx + session::FILES), rsi)?;
        asm.jmp(done)?;
        asm.set_label(&mut skip)?;
        asm.add(rax, 7)?;
        asm.and(rax, -8)?;
        asm.add(rsi, rax)?;
        // The last one's padding may reach past the end.
        asm.cmp(rsi, rdx)?;
        asm.jb(next)?;
        asm.set_label(&mut done)?;
        asm.zero_bytes()
    }

    /// Goes to `failed` unless the reply, of R14 bytes and with R13 files, is a valid grant (A5).
    fn check_reply(&mut self, failed: CodeLabel) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.test(dword_ptr(rbx + session::MSGHDR + msghdr::FLAGS), MSG_TRUNC_CTRUNC)?;
        asm.jne(failed)?;
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
        asm.inc(eax)?;
        asm.cmp(eax, r13d)?;
        asm.jne(failed)?;
        // Ring bytes: a power of two of at least one page, at most 1 GiB.
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::RING_BYTES))?;
        asm.lea(ecx, ptr(rax - 1))?;
        asm.test(ecx, eax)?;
        asm.jne(failed)?;
        asm.sub(eax, PAGE as i32)?;
        asm.cmp(eax, 1 << 30)?;
        asm.jae(failed)?;
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::CONTROL_BYTES))?;
        asm.cmp(rax, (control::ENABLE as u64 + self.arena.functions()) as i32)?;
        asm.jb(failed)
    }

    /// Goes to `failed` unless each of the R13D files has the size that the reply states and keeps
    /// it: a memory file that is sealed against shrinking, or a BPF map. Uses R14.
    ///
    /// A BPF map has no size that `fstat` knows. It is known by its mode, which has no file type,
    /// as that of every anonymous inode. The kernel maps none of those beyond its end.
    fn check_files(&mut self, failed: CodeLabel) -> Result<(), IcedError> {
        let mut next = self.asm.create_label();
        let mut checked = self.asm.create_label();
        let mut is_ring = self.asm.create_label();
        let asm = &mut *self.asm;
        asm.xor(r14d, r14d)?;
        asm.set_label(&mut next)?;
        asm.mov(rax, qword_ptr(rbx + session::FILES))?;
        asm.mov(edi, dword_ptr(rax + r14 * 4))?;
        asm.mov(dword_ptr(rbx + session::STAT + stat::MODE), -1)?;
        asm.lea(rsi, ptr(rbx + session::STAT))?;
        self.syscall(sys::FSTAT)?;
        let asm = &mut *self.asm;
        asm.test(eax, eax)?;
        asm.jne(failed)?;
        asm.mov(eax, dword_ptr(rbx + session::STAT + stat::MODE))?;
        asm.and(eax, stat::TYPE)?;
        asm.je(checked)?;
        asm.cmp(eax, stat::REGULAR)?;
        asm.jne(failed)?;
        asm.mov(esi, F_GET_SEALS)?;
        asm.xor(edx, edx)?;
        self.syscall(sys::FCNTL)?;
        let asm = &mut *self.asm;
        asm.test(eax, eax)?;
        asm.js(failed)?;
        asm.test(eax, F_SEAL_SHRINK)?;
        asm.je(failed)?;
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::CONTROL_BYTES))?;
        asm.mov(ecx, dword_ptr(rbx + session::MESSAGE + Reply::RING_BYTES))?;
        asm.add(rcx, ring::DATA as i32)?;
        asm.test(r14d, r14d)?;
        asm.jne(is_ring)?;
        asm.mov(rcx, rax)?;
        asm.set_label(&mut is_ring)?;
        asm.cmp(qword_ptr(rbx + session::STAT + stat::SIZE), rcx)?;
        asm.jl(failed)?;
        asm.set_label(&mut checked)?;
        asm.inc(r14d)?;
        asm.cmp(r14d, r13d)?;
        asm.jb(next)
    }

    /// All is mapped: hooks may use it. Keeps R12 in RBP.
    fn begin_session(&mut self) -> Result<(), IcedError> {
        let switches_va = self.arena.switches();
        let asm = &mut *self.asm;
        asm.inc(dword_ptr(rbx + session::SESSIONS))?;
        asm.mov(dword_ptr(rbx + session::MAPPED), 1)?;
        asm.xor(eax, eax)?;
        asm.mov(dword_ptr(rbx + session::SEEN_IDLE), eax)?;
        // The losses of the old session have been reported, and the next search begins afresh.
        asm.mov(qword_ptr(rbx + session::LOST_UNCONSUMED), rax)?;
        asm.mov(qword_ptr(rbx + session::LOST_RING_FULL), rax)?;
        asm.mov(qword_ptr(rbx + session::LOST_NO_RING), rax)?;
        asm.mov(dword_ptr(rbx + session::ATTEMPTS), eax)?;
        asm.mov(rax, RETRY)?;
        asm.mov(qword_ptr(rbx + session::DISTANCE), rax)?;
        asm.mov(eax, dword_ptr(rbx + session::RINGS))?;
        asm.mov(dword_ptr(at(switches_va + switches::RINGS)), eax)?;
        asm.mov(rcx, qword_ptr(rbx + session::CONTROL))?;
        // Note anything but the heartbeat, so that the next tick sees a change and notes its time.
        asm.mov(rax, qword_ptr(rcx + control::HEARTBEAT))?;
        asm.not(rax)?;
        asm.mov(qword_ptr(rbx + session::HEARTBEAT), rax)?;
        // A7: slots, then ATTACHED, then the enable bytes.
        asm.mov(dword_ptr(at(switches_va + switches::ATTACHED)), 1)?;
        asm.mov(rbp, r12)?;
        self.run(self.parts.copy_enables)?;
        self.asm.mov(r12, rbp)?;
        self.set_phase(Phase::Attached)
    }

    /// Goes to `failed` unless RAX is an address that `mmap` can have chosen (A6). Uses RCX.
    fn fail_if_error(&mut self, failed: CodeLabel) -> Result<(), IcedError> {
        // The kernel's errors are -4095 to -1. No mapping lies there, nor in the first page.
        let page = PAGE as i32;
        self.asm.lea(rcx, ptr(rax - page))?;
        self.asm.cmp(rcx, -2 * page)?;
        self.asm.ja(failed)
    }

    /// `mmap` at the address in RDI, over a part of our reservation; goes to `failed` unless it is
    /// mapped there (A6).
    fn mmap_fixed(&mut self, protection: i32, flags: i32, failed: CodeLabel) -> Result<(), IcedError> {
        self.mmap(protection, flags | MAP_FIXED)?;
        self.asm.cmp(rax, rdi)?;
        self.asm.jne(failed)
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
        self.mmap_fixed(PROT_READ, MAP_SHARED_POPULATE, failed)?;

        self.asm.lea(rdi, ptr(rbp + page))?;
        self.asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        self.asm.add(rsi, page)?;
        self.ring_part(ring::PRODUCER_POS as i32)?;
        // Not populated: memory that no record reaches costs nothing; the first record on a page
        // waits for a page fault.
        self.mmap_fixed(PROT_READ_WRITE, MAP_SHARED, failed)?;

        self.asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        self.asm.lea(rdi, ptr(rbp + rsi + 2 * page))?;
        self.ring_part(ring::DATA as i32)?;
        self.mmap_fixed(PROT_READ_WRITE, MAP_SHARED, failed)?;

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

    /// R8D, R9 = file and offset of a part of ring R14. Uses RAX.
    fn ring_part(&mut self, offset: i32) -> Result<(), IcedError> {
        self.asm.mov(rax, qword_ptr(rbx + session::FILES))?;
        self.asm.mov(r8d, dword_ptr(rax + r14 * 4 + 4))?;
        self.asm.mov(r9d, offset)
    }

    /// Routine: unmaps the control page and all rings of the session. No thunk uses them any more
    /// (I4). If a call fails, something stays mapped that nothing uses (A6). Uses R14, not RBP or
    /// R13.
    pub(super) fn unmap(&mut self) -> Result<(), IcedError> {
        let mut next = self.asm.create_label();
        let mut done = self.asm.create_label();
        self.asm.mov(dword_ptr(rbx + session::MAPPED), 0)?;
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
