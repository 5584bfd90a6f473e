//! The reply: checking it and the control page and rings that come with it.
//!
//! Decides: which reply is valid. Trusts: nothing that was not checked (A5), but that an anonymous
//! inode that the kernel maps is a BPF map, which cannot shrink.
//! Never does: leave a descriptor open, whatever the reply (A4).

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::Emitter;
use super::sys::{
    self, CMSG_HEADER, F_GET_SEALS, F_SEAL_SHRINK, MSG_DONTWAIT_CMSG_CLOEXEC, MSG_TRUNC_CTRUNC, SCM_RIGHTS, msghdr,
    stat,
};
use crate::arena::{Phase, session, switches};
use crate::asm::at;
use gopatch_protocol::wire::{MAGIC, MAX_RINGS, PAGE, Reply, control, ring};

impl Emitter<'_> {
    /// Routine: takes gopatchd's reply, and maps what came with it. EAX = 1 if the process is
    /// attached then, else 0. Uses all registers but RBX and R12.
    ///
    /// The socket and every file that came are closed, whatever the reply (A4).
    pub(super) fn take_reply(&mut self) -> Result<(), IcedError> {
        let mut failed = self.asm.create_label();
        let mut close_all = self.asm.create_label();
        let mut no_old_rings = self.asm.create_label();

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
        // If the new ones cannot be mapped, the tick must not look for a control page (A8).
        self.set_phase(Phase::Alone)?;
        self.asm.mov(rbp, r12)?;
        self.run(self.parts.unmap)?;
        self.asm.mov(r12, rbp)?;
        self.asm.set_label(&mut no_old_rings)?;
        let asm = &mut *self.asm;
        for (to, from) in [(session::RING_BYTES, Reply::RING_BYTES), (session::CONTROL_BYTES, Reply::CONTROL_BYTES)] {
            asm.mov(eax, dword_ptr(rbx + session::MESSAGE + from))?;
            asm.mov(qword_ptr(rbx + to), rax)?;
        }
        for (to, from) in [(session::RINGS, Reply::RINGS), (session::LARGE_RINGS, Reply::LARGE_RINGS)] {
            asm.mov(eax, dword_ptr(rbx + session::MESSAGE + from))?;
            asm.mov(dword_ptr(rbx + to), eax)?;
        }
        asm.mov(r15, r12)?;
        self.run(self.parts.map_session)?;
        self.asm.mov(r12, r15)?;
        self.asm.mov(r15d, eax)?;
        self.asm.test(eax, eax)?;
        self.asm.je(close_all)?;
        self.begin_session()?;
        self.asm.mov(r15d, 1)?;
        self.asm.jmp(close_all)?;

        self.asm.set_label(&mut failed)?;
        self.asm.xor(r15d, r15d)?;
        self.asm.set_label(&mut close_all)?;
        self.asm.mov(eax, dword_ptr(rbx + session::SOCKET))?;
        self.close(eax)?;
        self.close_files()?;
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
        let mut enough_files = self.asm.create_label();
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
        // Rings: from 2 to as many as there can be. Large ones: from 1 to less than all.
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::RINGS))?;
        asm.cmp(eax, MAX_RINGS as i32)?;
        asm.ja(failed)?;
        asm.mov(ecx, dword_ptr(rbx + session::MESSAGE + Reply::LARGE_RINGS))?;
        asm.test(ecx, ecx)?;
        asm.je(failed)?;
        asm.cmp(ecx, eax)?;
        asm.jae(failed)?;
        // Three files, or one for each large ring and two more.
        asm.cmp(r13d, 3)?;
        asm.je(enough_files)?;
        asm.add(ecx, 2)?;
        asm.cmp(ecx, r13d)?;
        asm.jne(failed)?;
        asm.set_label(&mut enough_files)?;
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
    pub(super) fn check_files(&mut self, failed: CodeLabel) -> Result<(), IcedError> {
        let mut next = self.asm.create_label();
        let mut checked = self.asm.create_label();
        let mut spare = self.asm.create_label();
        let mut sized = self.asm.create_label();
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
        // RCX = bytes that the file must have: the control page's, those of one large ring or of all,
        // or those of the spare rings.
        let asm = &mut *self.asm;
        asm.mov(ecx, dword_ptr(rbx + session::MESSAGE + Reply::CONTROL_BYTES))?;
        asm.test(r14d, r14d)?;
        asm.je(sized)?;
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::LARGE_RINGS))?;
        asm.lea(ecx, ptr(r14 + 1))?;
        asm.cmp(ecx, r13d)?;
        asm.je(spare)?;
        asm.mov(ecx, dword_ptr(rbx + session::MESSAGE + Reply::RING_BYTES))?;
        asm.add(rcx, ring::DATA as i32)?;
        asm.cmp(r13d, 3)?;
        asm.jne(sized)?;
        asm.imul_2(rcx, rax)?;
        asm.jmp(sized)?;
        asm.set_label(&mut spare)?;
        asm.mov(ecx, dword_ptr(rbx + session::MESSAGE + Reply::RINGS))?;
        asm.sub(ecx, eax)?;
        asm.imul_3(rcx, rcx, ring::stride(ring::SPARE_BYTES) as i32)?;
        asm.set_label(&mut sized)?;
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
        asm.xor(eax, eax)?;
        asm.mov(dword_ptr(rbx + session::SEEN_IDLE), eax)?;
        asm.mov(dword_ptr(rbx + session::ATTEMPTS), eax)?;
        // The losses of the old session have been reported.
        asm.mov(qword_ptr(rbx + session::LOST_UNCONSUMED), rax)?;
        asm.mov(qword_ptr(rbx + session::LOST_RING_FULL), rax)?;
        asm.mov(qword_ptr(rbx + session::LOST_NO_RING), rax)?;
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
        self.set_phase(Phase::Mapped)
    }
}
