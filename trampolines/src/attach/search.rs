//! The search: how a tick attaches to a gopatchd that may not look into this process.
//!
//! Decides: when to look for gopatchd, and when to stop for good.
//! Trusts: nothing. Never does: wait, or touch a descriptor of the program's (A4).
//!
//! An attempt first looks, by `newfstatat`, whether the path is a socket that has changed since the
//! last look. If it is not, that one call is all. A gopatchd that lives touches its socket every few
//! seconds, so one that is stopped or was killed costs nothing more. A first change only makes the
//! next look come after [`GRACE`]: a gopatchd that can find this process has found it by then, its
//! heartbeat beats, and the search is over. After a second change the attempt starts a *helper*.
//!
//! A helper is a thread that shares all with the program but its table of descriptors. It empties
//! its copy of that table, connects, sends a hello, waits for the reply, maps what came, and ends.
//! `sysmon` goes on meanwhile and looks at later ticks whether the helper has ended. All signals are
//! blocked in the helper, since Go's signal handler aborts on a thread that it does not know. The
//! helper runs with `sysmon`'s stack pointer and thread pointer, and uses neither.
//!
//! Intervals between attempts double from [`RETRY`] to [`MAX_DISTANCE`], and after [`MAX_ATTEMPTS`]
//! without a session there are none any more (A10).

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::sys::{self, AT_FDCWD, CLONE_HELPER, SIG_BLOCK, SIG_SETMASK, SIGSET_BYTES, stat};
use super::{Emitter, GRACE, HELPER_WAIT_MILLIS, MAX_ATTEMPTS, MAX_DISTANCE, RETRY};
use crate::arena::{Phase, session};
use crate::asm::at;

impl Emitter<'_> {
    /// Makes an attempt if one is due; goes to `leave`. Uses all registers but RBX.
    pub(super) fn search(&mut self, leave: CodeLabel) -> Result<(), IcedError> {
        let mut begun = self.asm.create_label();
        let mut start = self.asm.create_label();

        // A search begins. The stub, which made the first attempt, did not know the time.
        self.asm.mov(rdx, qword_ptr(rbx + session::NEXT_ATTEMPT))?;
        self.asm.test(rdx, rdx)?;
        self.asm.jne(begun)?;
        self.now_to_rax()?;
        self.add_to_rax(RETRY)?;
        self.asm.mov(qword_ptr(rbx + session::NEXT_ATTEMPT), rax)?;
        self.asm.mov(qword_ptr(rbx + session::DISTANCE), rcx)?;
        self.asm.jmp(leave)?;
        self.asm.set_label(&mut begun)?;
        self.now_to_rax()?;
        self.asm.cmp(rax, rdx)?;
        self.asm.jl(leave)?;
        self.count_losses(leave)?;

        self.asm.cmp(dword_ptr(rbx + session::ATTEMPTS), MAX_ATTEMPTS as i32)?;
        self.asm.jae(leave)?;
        self.asm.inc(dword_ptr(rbx + session::ATTEMPTS))?;
        self.now_to_rax()?;
        let asm = &mut *self.asm;
        asm.mov(rdx, qword_ptr(rbx + session::DISTANCE))?;
        asm.add(rax, rdx)?;
        asm.mov(qword_ptr(rbx + session::NEXT_ATTEMPT), rax)?;
        asm.add(rdx, rdx)?;
        asm.mov(rcx, MAX_DISTANCE)?;
        asm.cmp(rdx, rcx)?;
        asm.cmova(rdx, rcx)?;
        asm.mov(qword_ptr(rbx + session::DISTANCE), rdx)?;

        asm.mov(edi, AT_FDCWD)?;
        asm.lea(rsi, ptr(rbx + session::ADDRESS + 2))?;
        asm.lea(rdx, ptr(rbx + session::STAT))?;
        asm.xor(r10d, r10d)?;
        asm.mov(dword_ptr(rbx + session::STAT + stat::MODE), r10d)?;
        self.syscall(sys::NEWFSTATAT)?;
        let asm = &mut *self.asm;
        asm.test(eax, eax)?;
        asm.jne(leave)?;
        asm.mov(eax, dword_ptr(rbx + session::STAT + stat::MODE))?;
        asm.and(eax, stat::TYPE)?;
        asm.cmp(eax, stat::SOCKET)?;
        asm.jne(leave)?;
        // At most one helper for each change of the socket. Nanoseconds take 30 bits.
        asm.mov(rax, qword_ptr(rbx + session::STAT + stat::MTIME))?;
        asm.shl(rax, 30)?;
        asm.add(rax, qword_ptr(rbx + session::STAT + stat::MTIME + 8))?;
        asm.cmp(rax, qword_ptr(rbx + session::CHANGED))?;
        asm.je(leave)?;
        asm.mov(qword_ptr(rbx + session::CHANGED), rax)?;
        // There is a gopatchd, or there was one. If it may, it finds the session that is mapped. If
        // not, and it lives, the socket has changed again after a while.
        asm.cmp(dword_ptr(rbx + session::PHASE), Phase::Mapped as i32)?;
        asm.jne(start)?;
        asm.cmp(dword_ptr(rbx + session::SOCKET_SEEN), 0)?;
        asm.jne(start)?;
        asm.mov(dword_ptr(rbx + session::SOCKET_SEEN), 1)?;
        self.now_to_rax()?;
        self.add_to_rax(GRACE)?;
        self.asm.mov(qword_ptr(rbx + session::NEXT_ATTEMPT), rax)?;
        self.asm.jmp(leave)?;

        self.asm.set_label(&mut start)?;
        let asm = &mut *self.asm;
        asm.mov(dword_ptr(rbx + session::SOCKET_SEEN), 0)?;
        self.start_helper(leave)
    }

    /// Starts a helper and goes to `leave`.
    fn start_helper(&mut self, leave: CodeLabel) -> Result<(), IcedError> {
        let mut started = self.asm.create_label();
        let mut end = self.asm.create_label();

        // No thread has blocked all signals, as SIGKILL cannot be: the kernel overwrites this.
        self.asm.mov(qword_ptr(rbx + session::OLD_MASK), -1)?;
        self.asm.mov(edi, SIG_BLOCK)?;
        self.asm.lea(rsi, at(self.constants.all_signals))?;
        self.asm.lea(rdx, ptr(rbx + session::OLD_MASK))?;
        self.asm.mov(r10d, SIGSET_BYTES)?;
        self.syscall(sys::RT_SIGPROCMASK)?;
        let asm = &mut *self.asm;
        asm.test(eax, eax)?;
        asm.jne(leave)?;
        asm.cmp(qword_ptr(rbx + session::OLD_MASK), -1)?;
        asm.je(leave)?;
        asm.mov(dword_ptr(rbx + session::BLOCKED), 1)?;

        // The kernel stores the thread's id in HELPER before the thread runs, and 0 when it ends,
        // however it ends.
        asm.mov(dword_ptr(rbx + session::HELPER), 0)?;
        asm.mov(edi, CLONE_HELPER)?;
        asm.xor(esi, esi)?;
        asm.lea(rdx, ptr(rbx + session::HELPER))?;
        asm.mov(r10, rdx)?;
        asm.xor(r8d, r8d)?;
        self.syscall(sys::CLONE)?;
        self.asm.test(eax, eax)?;
        self.asm.jne(started)?;
        // A6: without an id there is no helper, and this is still sysmon.
        self.asm.cmp(dword_ptr(rbx + session::HELPER), 0)?;
        self.asm.je(started)?;

        // The helper. It drops the program's open files. If the kernel cannot, it holds them until
        // it ends (A6).
        self.asm.xor(edi, edi)?;
        self.asm.mov(esi, -1)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::CLOSE_RANGE)?;
        self.exchange(HELPER_WAIT_MILLIS, None, end, end)?;
        self.asm.set_label(&mut end)?;
        self.asm.xor(edi, edi)?;
        self.syscall(sys::EXIT)?;
        // Cannot fail; there is nothing else that it may do (A6).
        self.asm.jmp(end)?;

        // Here again, with an error or the helper's id. After an error HELPER is 0, so that the next
        // attempt comes in its time (A6).
        self.asm.set_label(&mut started)?;
        self.unblock_signals()?;
        self.asm.jmp(leave)
    }

    /// Gives `sysmon` its signals back. If that fails, the next tick tries again (A6).
    pub(super) fn unblock_signals(&mut self) -> Result<(), IcedError> {
        let mut failed = self.asm.create_label();
        self.asm.mov(edi, SIG_SETMASK)?;
        self.asm.lea(rsi, ptr(rbx + session::OLD_MASK))?;
        self.asm.xor(edx, edx)?;
        self.asm.mov(r10d, SIGSET_BYTES)?;
        self.syscall(sys::RT_SIGPROCMASK)?;
        self.asm.test(eax, eax)?;
        self.asm.jne(failed)?;
        self.asm.mov(dword_ptr(rbx + session::BLOCKED), 0)?;
        self.asm.set_label(&mut failed)?;
        self.asm.zero_bytes()
    }
}
