//! The hello: connecting to gopatchd's socket and identifying this process.
//!
//! Decides: what the hello contains. Trusts: no peer yet.
//! Never does: leave a descriptor open (A4).

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::sys::{
    self, AF_UNIX, AT_FDCWD, CMSG_HEADER, MSG_NOSIGNAL, O_RDONLY_CLOEXEC, POLLIN, SCM_RIGHTS, SIOCOUTQ,
    SOCK_SEQPACKET_NONBLOCK_CLOEXEC, msghdr,
};
use super::{Emitter, MANIFEST_ID_BYTES};
use crate::arena::session;
use crate::asm::at;
use gopatch_protocol::wire::{Hello, MAGIC};

impl Emitter<'_> {
    /// Fills in the message header for the 64 bytes of [`session::MESSAGE`], without control data.
    /// Uses RAX.
    pub(super) fn message_header(&mut self) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.lea(rax, ptr(rbx + session::MESSAGE))?;
        asm.mov(qword_ptr(rbx + session::IOVEC), rax)?;
        asm.mov(qword_ptr(rbx + session::IOVEC + 8), Hello::SIZE as i32)?;
        asm.xor(eax, eax)?;
        for offset in [msghdr::NAME, msghdr::NAME_LEN, msghdr::CONTROL, msghdr::CONTROL_LEN, msghdr::FLAGS] {
            asm.mov(qword_ptr(rbx + session::MSGHDR + offset), rax)?;
        }
        asm.lea(rax, ptr(rbx + session::IOVEC))?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::IOV), rax)?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::IOV_LEN), 1)
    }

    /// Connects, waits for the reply, and takes it: as long as `wait_millis`, and if gopatchd has read
    /// the hello by then, `once_read_millis` longer. Goes to `unsent` if no hello was sent, and to
    /// `unanswered` if no reply came in time that attaches the process. No descriptor is open
    /// afterwards (A4). Uses all registers but RBX.
    pub(super) fn exchange(
        &mut self,
        wait_millis: i32,
        once_read_millis: Option<i32>,
        unsent: CodeLabel,
        unanswered: CodeLabel,
    ) -> Result<(), IcedError> {
        let mut take = self.asm.create_label();
        self.run(self.parts.connect)?;
        self.asm.test(eax, eax)?;
        self.asm.je(unsent)?;
        self.asm.mov(eax, dword_ptr(rbx + session::SOCKET))?;
        self.asm.mov(dword_ptr(rbx + session::POLLFD), eax)?;
        self.asm.mov(dword_ptr(rbx + session::POLLFD + 4), POLLIN)?;
        self.poll(wait_millis)?;
        if let Some(millis) = once_read_millis {
            self.asm.test(eax, eax)?;
            self.asm.jne(take)?;
            self.asm.mov(edi, dword_ptr(rbx + session::SOCKET))?;
            self.asm.mov(esi, SIOCOUTQ)?;
            self.asm.lea(rdx, ptr(rbx + session::STAT))?;
            self.asm.mov(dword_ptr(rbx + session::STAT), 1)?;
            self.syscall(sys::IOCTL)?;
            self.asm.test(eax, eax)?;
            self.asm.jne(take)?;
            self.asm.cmp(dword_ptr(rbx + session::STAT), 0)?;
            self.asm.jne(take)?;
            self.poll(millis)?;
        }
        // Ready, timed out or failed (A6): the routine finds out.
        self.asm.set_label(&mut take)?;
        self.run(self.parts.take_reply)?;
        self.asm.test(eax, eax)?;
        self.asm.je(unanswered)
    }

    /// Waits for the socket as long as this. EAX is what `poll` returns.
    fn poll(&mut self, millis: i32) -> Result<(), IcedError> {
        self.asm.lea(rdi, ptr(rbx + session::POLLFD))?;
        self.asm.mov(esi, 1)?;
        self.asm.mov(edx, millis)?;
        self.syscall(sys::POLL)
    }

    /// Routine: connects and sends the hello. EAX = 1 if it was sent, else 0 and no descriptor is
    /// open (A4). Uses all registers but RBX, RBP, R12 and R15. Touches only the session and
    /// constants (A8).
    pub(super) fn connect(&mut self) -> Result<(), IcedError> {
        let mut failed = self.asm.create_label();
        let mut close_failed = self.asm.create_label();
        let mut no_file = self.asm.create_label();
        let mut sent = self.asm.create_label();

        self.asm.mov(edi, AF_UNIX)?;
        self.asm.mov(esi, SOCK_SEQPACKET_NONBLOCK_CLOEXEC)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::SOCKET)?;
        self.asm.test(eax, eax)?;
        self.asm.js(failed)?;
        self.asm.mov(dword_ptr(rbx + session::SOCKET), eax)?;
        self.asm.mov(edi, eax)?;
        self.asm.lea(rsi, ptr(rbx + session::ADDRESS))?;
        self.asm.mov(edx, dword_ptr(rbx + session::ADDRESS_BYTES))?;
        self.syscall(sys::CONNECT)?;
        self.asm.test(eax, eax)?;
        self.asm.jne(close_failed)?;

        // Send the executable along, so that gopatchd needs no right to look into this process.
        // Without it the hello goes alone (A6).
        self.asm.mov(edi, AT_FDCWD)?;
        self.asm.lea(rsi, at(self.constants.executable))?;
        self.asm.mov(edx, O_RDONLY_CLOEXEC)?;
        self.syscall(sys::OPENAT)?;
        self.asm.mov(r13d, eax)?;

        self.message_header()?;
        let asm = &mut *self.asm;
        let message = session::MESSAGE;
        asm.mov(rax, MAGIC)?;
        asm.mov(qword_ptr(rbx + message), rax)?;
        asm.mov(eax, dword_ptr(rbx + session::RINGS_WANTED))?;
        asm.mov(dword_ptr(rbx + message + Hello::RINGS_WANTED), eax)?;
        asm.mov(eax, dword_ptr(rbx + session::SESSIONS))?;
        asm.mov(dword_ptr(rbx + message + Hello::SESSIONS_BEFORE), eax)?;
        for half in (0..MANIFEST_ID_BYTES).step_by(8) {
            asm.mov(rax, qword_ptr(at(self.constants.manifest_id + half as u64)))?;
            asm.mov(qword_ptr(rbx + message + Hello::MANIFEST_ID + half), rax)?;
        }
        asm.mov(rax, qword_ptr(rbx + session::LOST_UNCONSUMED))?;
        asm.mov(qword_ptr(rbx + message + Hello::LOST_UNCONSUMED), rax)?;
        asm.mov(rax, qword_ptr(rbx + session::LOST_RING_FULL))?;
        asm.add(rax, qword_ptr(rbx + session::LOST_NO_RING))?;
        asm.mov(qword_ptr(rbx + message + Hello::LOST_RING_FULL), rax)?;
        asm.xor(eax, eax)?;
        asm.mov(qword_ptr(rbx + message + 48u64), rax)?;
        asm.mov(qword_ptr(rbx + message + 56u64), rax)?;

        asm.test(r13d, r13d)?;
        asm.js(no_file)?;
        asm.lea(rax, ptr(rbx + session::FDS))?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL), rax)?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL_LEN), 24)?;
        asm.mov(qword_ptr(rbx + session::FDS), CMSG_HEADER as i32 + 4)?;
        asm.mov(rax, SCM_RIGHTS)?;
        asm.mov(qword_ptr(rbx + session::FDS + 8), rax)?;
        asm.mov(dword_ptr(rbx + session::FDS + CMSG_HEADER), r13d)?;
        asm.set_label(&mut no_file)?;
        asm.mov(edi, dword_ptr(rbx + session::SOCKET))?;
        asm.lea(rsi, ptr(rbx + session::MSGHDR))?;
        asm.mov(edx, MSG_NOSIGNAL)?;
        self.syscall(sys::SENDMSG)?;
        self.asm.mov(r14, rax)?;
        self.asm.test(r13d, r13d)?;
        let mut closed = self.asm.create_label();
        self.asm.js(closed)?;
        self.close(r13d)?;
        self.asm.set_label(&mut closed)?;
        self.asm.cmp(r14, Hello::SIZE as i32)?;
        self.asm.je(sent)?;

        self.asm.set_label(&mut close_failed)?;
        self.asm.mov(eax, dword_ptr(rbx + session::SOCKET))?;
        self.close(eax)?;
        self.asm.set_label(&mut failed)?;
        self.asm.xor(eax, eax)?;
        self.asm.jmp(r12)?;

        self.asm.set_label(&mut sent)?;
        self.asm.mov(eax, 1)?;
        self.asm.jmp(r12)
    }
}
