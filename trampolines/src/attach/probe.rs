//! The probe: whether a system call filter that the process was started under leaves this code alone.
//!
//! Decides: which of the attach code's calls this process may make: all, those of a start, or none.
//! Trusts: the kernel's `/proc`. Never does: make a call in this process that could be its last.
//!
//! A filter can kill for any call, and cannot be read. `/proc/self/status` states whether there is
//! one. If there is, a child process makes each call once, and the process looks how far it has
//! come. The calls by which it does so are those that Go's runtime makes before its first goroutine:
//! `openat`, `read` and `close` (for the size of huge pages), `rt_sigaction` (for each signal) and
//! `clone` (for its threads; in programs with cgo glibc's `clone3`). `clone` has flags of its own here, which a filter can tell from those
//! of a thread: see [the parent](super#what-remains).
//!
//! # What the child can and cannot change
//!
//! It has its own memory, descriptors, limits and signal dispositions: without `CLONE_VM`, since
//! Linux before 5.16 kills all processes of an address space when one of them dumps core. So the
//! child runs the real routines, and all that they make ends with it. Its socket is never connected
//! and its control page names no socket, so no gopatchd takes it for a program. It first limits its
//! core files to one byte, which is too small for one.
//!
//! The parent knows what the child has done by the place at which it goes on reading a file that both
//! have open: `/proc/self/status`, which begins with `Name:`. The child reads one letter after each
//! stage, see [`Stage`]. That leaves nothing to undo in the parent.
//!
//! # The end of the child
//!
//! A child that has ended stays a zombie until its parent waits for it, which a filter may forbid.
//! The kernel lets it go by itself if its parent ignores SIGCHLD at that moment (`do_notify_parent`,
//! `kernel/signal.c`). That would also let go of other children, which a process can have before its
//! first instruction, if a shell has become it. So:
//!
//! * Without other children (`/proc/thread-self/children` is empty), SIGCHLD is ignored from before
//!   the child until the list is empty again, and then has its old disposition. A child leaves that
//!   list after the kernel has looked at the disposition (`exit_notify`, `kernel/exit.c`).
//! * With others, or without that list, the child is one that sends no signal and that only
//!   `wait4` with `__WCLONE` finds, and its first stage is that `wait4` is allowed.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::sys::{
    self, AF_UNIX, AT_FDCWD, CLONE_HELPER, CLONE_PROBE, ENOSYS, F_GET_SEALS, FUTEX_WAIT, FUTEX_WAKE, MADV_WIPEONFORK,
    MSG_DONTWAIT_CMSG_CLOEXEC, MSG_NOSIGNAL, O_RDONLY_CLOEXEC, POLLIN, RLIMIT_CORE, SIG_BLOCK, SIG_SETMASK, SIGCHLD,
    SIGSET_BYTES, SIOCOUTQ, SOCK_SEQPACKET_NONBLOCK_CLOEXEC, WCLONE, WNOHANG, clone_args,
};
use super::{Emitter, MAX_LOOKS, SECCOMP};
use crate::arena::{AttachMode, session};
use crate::asm::at;
use gopatch_protocol::wire::control;

/// How far a child has come: the next letter of `Name:`.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Stage {
    /// It can be waited for.
    Awaitable = b'a',
    /// All calls of a start.
    Start = b'm',
    /// All calls.
    All = b'e',
}

impl Emitter<'_> {
    /// Falls through if this process may make further calls of ours, and lowers its mode to
    /// [`AttachMode::Start`] if it may make only those of a start; else goes to `off`. No descriptor
    /// is open afterwards (A4). Uses all registers but RBX.
    pub(super) fn probe(&mut self, off: CodeLabel) -> Result<(), IcedError> {
        let mut done = self.asm.create_label();
        let mut child = self.asm.create_label();
        let mut no_others = self.asm.create_label();
        let mut ready = self.asm.create_label();
        let mut restore = self.asm.create_label();
        let mut not_awaitable = self.asm.create_label();
        let mut decide = self.asm.create_label();

        self.look_for_filter(done, off)?;
        // R12D = the signal that the child sends.
        self.has_children()?;
        self.asm.test(eax, eax)?;
        self.asm.je(no_others)?;
        self.asm.xor(r12d, r12d)?;
        self.asm.jmp(ready)?;
        self.asm.set_label(&mut no_others)?;
        self.asm.mov(r12d, SIGCHLD)?;
        self.asm.lea(rsi, at(self.constants.ignored))?;
        self.asm.lea(rdx, ptr(rbx + session::OLD_ACTION))?;
        self.sigaction_of_children()?;
        self.asm.test(eax, eax)?;
        self.asm.jne(off)?;

        // EBP = the stage reached. Without a child the first letter is unread: not enough (A6).
        self.asm.set_label(&mut ready)?;
        self.asm.xor(ebp, ebp)?;
        self.open(self.constants.status)?;
        self.asm.test(eax, eax)?;
        self.asm.js(restore)?;
        self.asm.mov(r13d, eax)?;
        self.asm.mov(dword_ptr(rbx + session::CHILD), 0)?;
        self.make_child()?;
        // The kernel has stored its id in the child's memory alone: a 0 without that is no child (A6).
        self.asm.cmp(dword_ptr(rbx + session::CHILD), 0)?;
        self.asm.jne(child)?;
        // The child has ended: CLONE_VFORK.
        self.asm.mov(r14d, eax)?;
        self.asm.mov(byte_ptr(rbx + session::CPU_MASK), 0)?;
        self.read_letter()?;
        self.asm.movzx(ebp, byte_ptr(rbx + session::CPU_MASK))?;
        self.close(r13d)?;

        self.asm.set_label(&mut restore)?;
        let asm = &mut *self.asm;
        asm.test(r12d, r12d)?;
        asm.je(not_awaitable)?;
        self.wait_until_gone()?;
        self.asm.lea(rsi, ptr(rbx + session::OLD_ACTION))?;
        self.asm.xor(edx, edx)?;
        // It succeeded just now (A6).
        self.sigaction_of_children()?;
        self.asm.jmp(decide)?;
        self.asm.set_label(&mut not_awaitable)?;
        // A child that has shown that it can be waited for.
        self.asm.cmp(ebp, Stage::Awaitable as i32)?;
        self.asm.jb(decide)?;
        self.asm.mov(edi, r14d)?;
        self.asm.mov(edx, WCLONE)?;
        self.wait()?;
        self.asm.set_label(&mut decide)?;
        self.asm.cmp(ebp, Stage::All as i32)?;
        self.asm.je(done)?;
        self.asm.cmp(ebp, Stage::Start as i32)?;
        self.asm.jne(off)?;
        self.asm.mov(dword_ptr(rbx + session::MODE), AttachMode::Start as i32)?;
        self.asm.jmp(done)?;

        self.asm.set_label(&mut child)?;
        self.child()?;
        self.asm.set_label(&mut done)?;
        self.asm.zero_bytes()
    }

    /// Goes to `unfiltered` if no filter is installed, to `off` if that cannot be known, and else
    /// falls through: looks for the line `Seccomp:` of `/proc/self/status`, which a kernel without
    /// filters does not have. Uses all registers but RBX.
    fn look_for_filter(&mut self, unfiltered: CodeLabel, off: CodeLabel) -> Result<(), IcedError> {
        let mut next_chunk = self.asm.create_label();
        let mut next = self.asm.create_label();
        let mut other = self.asm.create_label();
        let mut compared = self.asm.create_label();
        let mut end = self.asm.create_label();
        let mut close = self.asm.create_label();

        self.open(self.constants.status)?;
        self.asm.test(eax, eax)?;
        self.asm.js(off)?;
        // R13D = file, R14 = characters of the line's head that came last, EBP = 1 once some text
        // came, R12D = the character after the head; '0' if there is no filter.
        self.asm.mov(r13d, eax)?;
        self.asm.xor(r14d, r14d)?;
        self.asm.xor(ebp, ebp)?;
        self.asm.set_label(&mut next_chunk)?;
        self.asm.mov(edi, r13d)?;
        self.asm.lea(rsi, ptr(rbx + session::CPU_MASK))?;
        self.asm.mov(edx, session::CPU_MASK_BYTES as i32)?;
        self.syscall(sys::READ)?;
        let asm = &mut *self.asm;
        asm.xor(r12d, r12d)?;
        asm.test(rax, rax)?;
        asm.je(end)?;
        // An error, or more than there was room for (A6).
        asm.cmp(rax, session::CPU_MASK_BYTES as i32)?;
        asm.ja(close)?;
        asm.mov(ebp, 1)?;
        asm.lea(rcx, at(self.constants.seccomp))?;
        asm.lea(rsi, ptr(rbx + session::CPU_MASK))?;
        asm.lea(rdi, ptr(rsi + rax))?;
        asm.set_label(&mut next)?;
        asm.movzx(eax, byte_ptr(rsi))?;
        asm.inc(rsi)?;
        asm.mov(r12d, eax)?;
        asm.cmp(r14d, SECCOMP.len() as i32)?;
        asm.je(close)?;
        asm.cmp(al, byte_ptr(rcx + r14))?;
        asm.jne(other)?;
        asm.inc(r14d)?;
        asm.jmp(compared)?;
        // The head begins with a line feed, and has no other.
        asm.set_label(&mut other)?;
        asm.xor(r14d, r14d)?;
        asm.cmp(al, i32::from(b'\n'))?;
        asm.sete(r14b)?;
        asm.set_label(&mut compared)?;
        asm.cmp(rsi, rdi)?;
        asm.jb(next)?;
        asm.jmp(next_chunk)?;

        // All was read, and the line is not there. Of no text at all nothing is known (A6).
        asm.set_label(&mut end)?;
        asm.test(ebp, ebp)?;
        asm.je(close)?;
        asm.mov(r12d, i32::from(b'0'))?;
        asm.set_label(&mut close)?;
        self.close(r13d)?;
        self.asm.cmp(r12d, i32::from(b'0'))?;
        self.asm.je(unfiltered)?;
        self.asm.test(r12d, r12d)?;
        self.asm.je(off)
    }

    /// EAX = 0 if this process has no children, else it has some or that is not known. Uses RCX, RDX,
    /// RSI, RDI, R11 and R13.
    fn has_children(&mut self) -> Result<(), IcedError> {
        let mut unknown = self.asm.create_label();
        self.open(self.constants.children)?;
        self.asm.test(eax, eax)?;
        self.asm.js(unknown)?;
        self.asm.mov(r13d, eax)?;
        self.read_letter()?;
        self.asm.mov(dword_ptr(rbx + session::CHILD), eax)?;
        self.close(r13d)?;
        self.asm.mov(eax, dword_ptr(rbx + session::CHILD))?;
        self.asm.set_label(&mut unknown)?;
        self.asm.zero_bytes()
    }

    /// Looks until there is no child, at most [`MAX_LOOKS`] times: a child holds its parent up until
    /// it has given up its memory, and ends a little later. Uses all registers but RBX, RBP and R12.
    fn wait_until_gone(&mut self) -> Result<(), IcedError> {
        let mut again = self.asm.create_label();
        let mut gone = self.asm.create_label();
        self.asm.mov(r14d, MAX_LOOKS)?;
        self.asm.set_label(&mut again)?;
        self.has_children()?;
        self.asm.test(eax, eax)?;
        self.asm.je(gone)?;
        self.asm.dec(r14d)?;
        self.asm.jne(again)?;
        self.asm.set_label(&mut gone)?;
        self.asm.zero_bytes()
    }

    /// Makes the child by the call by which the program's own threads are made, or as glibc does where
    /// there is no `clone3`. EAX = its id, 0 or an error. Uses RDX, RSI, RDI, R8, R10 and R11.
    fn make_child(&mut self) -> Result<(), IcedError> {
        let mut made = self.asm.create_label();
        if self.plan.clone3 {
            let arguments = session::STAT;
            let asm = &mut *self.asm;
            asm.xor(eax, eax)?;
            for offset in (0..clone_args::BYTES).step_by(8) {
                asm.mov(qword_ptr(rbx + arguments + offset), rax)?;
            }
            asm.mov(qword_ptr(rbx + arguments + clone_args::FLAGS), CLONE_PROBE)?;
            asm.lea(rax, ptr(rbx + session::CHILD))?;
            asm.mov(qword_ptr(rbx + arguments + clone_args::CHILD_TID), rax)?;
            asm.mov(dword_ptr(rbx + arguments + clone_args::EXIT_SIGNAL), r12d)?;
            asm.lea(rdi, ptr(rbx + arguments))?;
            asm.mov(esi, clone_args::BYTES as i32)?;
            self.syscall(sys::CLONE3)?;
            self.asm.cmp(eax, -ENOSYS)?;
            self.asm.jne(made)?;
        }
        let asm = &mut *self.asm;
        asm.mov(edi, CLONE_PROBE)?;
        asm.or(edi, r12d)?;
        asm.xor(esi, esi)?;
        asm.xor(edx, edx)?;
        asm.lea(r10, ptr(rbx + session::CHILD))?;
        asm.xor(r8d, r8d)?;
        self.syscall(sys::CLONE)?;
        self.asm.set_label(&mut made)?;
        self.asm.zero_bytes()
    }

    /// The child: makes each call and does not return. Uses all registers but RBX.
    fn child(&mut self) -> Result<(), IcedError> {
        let mut signalled = self.asm.create_label();
        let mut end = self.asm.create_label();

        self.asm.mov(dword_ptr(rbx + session::PROBED), r13d)?;
        self.asm.test(r12d, r12d)?;
        self.asm.jne(signalled)?;
        self.asm.mov(edi, -1)?;
        self.asm.mov(edx, WCLONE | WNOHANG)?;
        self.wait()?;
        self.asm.set_label(&mut signalled)?;
        self.next_stage()?;

        // One byte, not none: a program that receives core files gets them whatever the limit is,
        // unless it is 1 (`do_coredump`, `fs/coredump.c`).
        let asm = &mut *self.asm;
        asm.xor(edi, edi)?;
        asm.mov(esi, RLIMIT_CORE)?;
        asm.lea(rdx, ptr(rbx + session::STAT))?;
        asm.mov(qword_ptr(rdx), 1)?;
        asm.mov(qword_ptr(rdx + 8), 1)?;
        asm.xor(r10d, r10d)?;
        self.syscall(sys::PRLIMIT64)?;
        // No socket has this path, so that nothing finds this child.
        self.asm.mov(byte_ptr(rbx + (session::ADDRESS + 2)), 0)?;
        self.asm.mov(dword_ptr(rbx + session::ADDRESS_BYTES), 3)?;
        self.asm.lea(rdi, at(self.arena.switches()))?;
        self.asm.mov(esi, self.arena.switches_bytes() as i32)?;
        self.madvise(MADV_WIPEONFORK)?;
        self.try_exchange()?;
        self.run(self.parts.make_session)?;
        // Without a session these fail.
        self.asm.mov(rdi, qword_ptr(rbx + session::CONTROL))?;
        self.asm.add(rdi, control::ASLEEP as i32)?;
        self.asm.mov(esi, FUTEX_WAKE)?;
        self.asm.mov(edx, i32::MAX)?;
        self.syscall(sys::FUTEX)?;
        self.run(self.parts.unmap)?;
        self.next_stage()?;

        self.asm.cmp(dword_ptr(rbx + session::MODE), AttachMode::Late as i32)?;
        self.asm.jne(end)?;
        self.try_search()?;
        self.next_stage()?;
        self.asm.set_label(&mut end)?;
        self.asm.xor(edi, edi)?;
        self.syscall(sys::EXIT_GROUP)?;
        self.end_thread()
    }

    /// The calls of `exchange`, on a socket that is connected to nothing. Uses all registers but RBX.
    fn try_exchange(&mut self) -> Result<(), IcedError> {
        self.asm.mov(edi, AF_UNIX)?;
        self.asm.mov(esi, SOCK_SEQPACKET_NONBLOCK_CLOEXEC)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::SOCKET)?;
        self.asm.mov(r13d, eax)?;
        // An address of a family and no path is none.
        self.asm.mov(edi, r13d)?;
        self.asm.lea(rsi, ptr(rbx + session::ADDRESS))?;
        self.asm.mov(edx, 2)?;
        self.syscall(sys::CONNECT)?;
        self.open(self.constants.executable)?;
        self.asm.mov(r14d, eax)?;
        self.message_header()?;
        self.asm.mov(edi, r13d)?;
        self.asm.lea(rsi, ptr(rbx + session::MSGHDR))?;
        self.asm.mov(edx, MSG_NOSIGNAL)?;
        self.syscall(sys::SENDMSG)?;
        self.asm.mov(dword_ptr(rbx + session::POLLFD), r13d)?;
        self.asm.mov(dword_ptr(rbx + session::POLLFD + 4), POLLIN)?;
        self.asm.lea(rdi, ptr(rbx + session::POLLFD))?;
        self.asm.mov(esi, 1)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::POLL)?;
        self.asm.mov(edi, r13d)?;
        self.asm.mov(esi, SIOCOUTQ)?;
        self.asm.lea(rdx, ptr(rbx + session::STAT))?;
        self.syscall(sys::IOCTL)?;
        self.asm.mov(edi, r13d)?;
        self.asm.lea(rsi, ptr(rbx + session::MSGHDR))?;
        self.asm.mov(edx, MSG_DONTWAIT_CMSG_CLOEXEC)?;
        self.syscall(sys::RECVMSG)?;
        self.asm.mov(edi, r14d)?;
        self.asm.lea(rsi, ptr(rbx + session::STAT))?;
        self.syscall(sys::FSTAT)?;
        self.asm.mov(edi, r14d)?;
        self.asm.mov(esi, F_GET_SEALS)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::FCNTL)?;
        self.close(r14d)?;
        self.close(r13d)
    }

    /// The calls of `search`. The thread ends at once: what a helper does in between, this child has
    /// done. Uses all registers but RBX.
    fn try_search(&mut self) -> Result<(), IcedError> {
        let mut started = self.asm.create_label();
        let mut wait = self.asm.create_label();
        let mut ended = self.asm.create_label();

        let asm = &mut *self.asm;
        asm.mov(edi, AT_FDCWD)?;
        asm.lea(rsi, ptr(rbx + session::ADDRESS + 2))?;
        asm.lea(rdx, ptr(rbx + session::STAT))?;
        asm.xor(r10d, r10d)?;
        self.syscall(sys::NEWFSTATAT)?;
        // Of descriptors that cannot be.
        self.asm.mov(edi, -1)?;
        self.asm.mov(esi, -1)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::CLOSE_RANGE)?;
        self.asm.mov(edi, SIG_BLOCK)?;
        self.asm.lea(rsi, at(self.constants.all_signals))?;
        self.asm.lea(rdx, ptr(rbx + session::OLD_MASK))?;
        self.asm.mov(r10d, SIGSET_BYTES)?;
        self.syscall(sys::RT_SIGPROCMASK)?;
        let asm = &mut *self.asm;
        asm.mov(dword_ptr(rbx + session::HELPER), 0)?;
        asm.mov(edi, CLONE_HELPER)?;
        asm.xor(esi, esi)?;
        asm.lea(rdx, ptr(rbx + session::HELPER))?;
        asm.mov(r10, rdx)?;
        asm.xor(r8d, r8d)?;
        self.syscall(sys::CLONE)?;
        self.asm.test(eax, eax)?;
        self.asm.jne(started)?;
        // A6: without an id there is no thread.
        self.asm.cmp(dword_ptr(rbx + session::HELPER), 0)?;
        self.asm.je(started)?;
        self.end_thread()?;

        self.asm.set_label(&mut started)?;
        self.asm.mov(edi, SIG_SETMASK)?;
        self.asm.lea(rsi, ptr(rbx + session::OLD_MASK))?;
        self.asm.xor(edx, edx)?;
        self.asm.mov(r10d, SIGSET_BYTES)?;
        self.syscall(sys::RT_SIGPROCMASK)?;
        // A filter may kill this child for the thread's end.
        self.asm.set_label(&mut wait)?;
        self.asm.mov(edx, dword_ptr(rbx + session::HELPER))?;
        self.asm.test(edx, edx)?;
        self.asm.je(ended)?;
        self.asm.lea(rdi, ptr(rbx + session::HELPER))?;
        self.asm.mov(esi, FUTEX_WAIT)?;
        self.asm.xor(r10d, r10d)?;
        self.syscall(sys::FUTEX)?;
        self.asm.jmp(wait)?;
        self.asm.set_label(&mut ended)?;
        self.asm.zero_bytes()
    }

    /// Ends this thread of the child. If the kernel does not, the child dies of an invalid
    /// instruction (A6).
    fn end_thread(&mut self) -> Result<(), IcedError> {
        self.asm.xor(edi, edi)?;
        self.syscall(sys::EXIT)?;
        self.asm.ud2()
    }

    /// The child has come to the next [`Stage`]. Uses RDX, RSI, RDI and R13.
    fn next_stage(&mut self) -> Result<(), IcedError> {
        self.asm.mov(r13d, dword_ptr(rbx + session::PROBED))?;
        self.read_letter()
    }

    /// Reads one byte of file R13D. Uses RDX, RSI and RDI.
    fn read_letter(&mut self) -> Result<(), IcedError> {
        self.asm.mov(edi, r13d)?;
        self.asm.lea(rsi, ptr(rbx + session::CPU_MASK))?;
        self.asm.mov(edx, 1)?;
        self.syscall(sys::READ)
    }

    /// EAX = a descriptor of the file with that path, to be read, or an error. Uses RDX, RSI and RDI.
    fn open(&mut self, path: u64) -> Result<(), IcedError> {
        self.asm.mov(edi, AT_FDCWD)?;
        self.asm.lea(rsi, at(path))?;
        self.asm.mov(edx, O_RDONLY_CLOEXEC)?;
        self.syscall(sys::OPENAT)
    }

    /// `rt_sigaction` of SIGCHLD, with the new action at RSI and room for the old one at RDX.
    fn sigaction_of_children(&mut self) -> Result<(), IcedError> {
        self.asm.mov(edi, SIGCHLD)?;
        self.asm.mov(r10d, SIGSET_BYTES)?;
        self.syscall(sys::RT_SIGACTION)
    }

    /// `wait4` of EDI with the options in EDX.
    fn wait(&mut self) -> Result<(), IcedError> {
        self.asm.xor(esi, esi)?;
        self.asm.xor(r10d, r10d)?;
        self.syscall(sys::WAIT4)
    }
}
