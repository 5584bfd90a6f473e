//! The entry stub: what runs before the program does.
//!
//! Decides: whether to attach, to which socket, and how many rings to request.
//! Trusts: the kernel for the initial stack. Never does: wait longer than [`START_WAIT_MILLIS`]
//! (A3).
//!
//! It runs at the file's entry point, on the kernel's initial stack, after the dynamic loader, if
//! there is one, and before the first instruction of C or Go. It reads `GOPATCH_SOCKET`,
//! `GOPATCH_ATTACH` and `GOMAXPROCS`, tries once to attach, waits at most [`START_WAIT_MILLIS`] if
//! a collector is listening, makes a session of its own if it got none, and jumps to the original
//! entry point with every register restored (A2).

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::sys::{self, AF_UNIX, AT_SECURE, MADV_WIPEONFORK, RLIMIT_AS};
use super::{Emitter, MAX_SOCKET_PATH, READ_WAIT_MILLIS, SAVED, START_WAIT_MILLIS};
use crate::arena::{AttachMode, session};
use crate::asm::at;
use gopatch_protocol::wire::{ATTACH_ENV, SOCKET_ENV};

impl Emitter<'_> {
    /// The entry stub. Goes to the program on every path (A6).
    pub(super) fn stub(&mut self) -> Result<(), IcedError> {
        let mut start = self.asm.create_label();
        let mut unsent = self.asm.create_label();
        let mut unanswered = self.asm.create_label();
        let mut no_session = self.asm.create_label();
        let mut off = self.asm.create_label();
        self.asm.pushfq()?;
        for register in SAVED.into_iter().chain([r12, r13, r15]) {
            self.asm.push(register)?;
        }
        // The kernel guarantees DF = 0 at the first instruction; the dynamic loader might not.
        self.asm.cld()?;
        self.asm.lea(rbx, at(self.arena.session()))?;
        // R15 = argc's address, 16 pushes above.
        self.asm.lea(r15, ptr(rsp + 8 * (SAVED.len() as i32 + 4)))?;
        self.defaults()?;
        self.count_processors()?;
        self.environment()?;

        self.asm.cmp(dword_ptr(rbx + session::MODE), AttachMode::Never as i32)?;
        self.asm.je(off)?;
        self.asm.cmp(dword_ptr(rbx + session::OFF), 0)?;
        self.asm.jne(start)?;
        self.probe(off)?;
        // A program with a limit of address space needs it for itself.
        self.check_unlimited(RLIMIT_AS, off)?;
        // A forked child has no rings (MADV_DONTFORK), so its switches must be off. Without that
        // the process must not attach (A6).
        self.asm.lea(rdi, at(self.arena.switches()))?;
        self.asm.mov(esi, self.arena.switches_bytes() as i32)?;
        self.madvise(MADV_WIPEONFORK)?;
        self.asm.test(eax, eax)?;
        self.asm.jne(off)?;
        self.exchange(START_WAIT_MILLIS, Some(READ_WAIT_MILLIS), unsent, unanswered)?;
        self.asm.jmp(start)?;
        self.asm.set_label(&mut unanswered)?;
        self.run(self.parts.make_session)?;
        self.asm.test(eax, eax)?;
        self.asm.je(no_session)?;
        self.begin_unanswered()?;
        self.asm.jmp(start)?;
        self.asm.set_label(&mut unsent)?;
        self.run(self.parts.make_session)?;
        self.asm.test(eax, eax)?;
        self.asm.jne(start)?;
        self.asm.set_label(&mut no_session)?;
        self.asm.cmp(dword_ptr(rbx + session::MODE), AttachMode::Start as i32)?;
        self.asm.jne(start)?;
        self.asm.set_label(&mut off)?;
        self.asm.mov(dword_ptr(rbx + session::OFF), 1)?;

        self.asm.set_label(&mut start)?;
        for register in SAVED.into_iter().chain([r12, r13, r15]).rev() {
            self.asm.pop(register)?;
        }
        self.asm.popfq()?;
        self.asm.jmp(self.plan.entry)
    }

    /// Stores the mode and the socket's address that were chosen when the file was patched. Uses
    /// RCX, RSI and RDI.
    fn defaults(&mut self) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.mov(dword_ptr(rbx + session::MODE), self.plan.mode as i32)?;
        asm.mov(word_ptr(rbx + session::ADDRESS), AF_UNIX)?;
        asm.lea(rsi, at(self.constants.socket))?;
        asm.lea(rdi, ptr(rbx + session::ADDRESS + 2))?;
        asm.mov(ecx, self.plan.socket.len() as u32 + 1)?;
        asm.rep().movsb()?;
        asm.mov(dword_ptr(rbx + session::ADDRESS_BYTES), self.plan.socket.len() as u32 + 3)
    }

    /// Rings wanted = processors that this thread may run on, at least 1. If the system call fails,
    /// the mask stays zero (A6).
    fn count_processors(&mut self) -> Result<(), IcedError> {
        let mut word = self.asm.create_label();
        let mut bit = self.asm.create_label();
        let mut done = self.asm.create_label();
        let mut some = self.asm.create_label();
        self.asm.xor(edi, edi)?;
        self.asm.mov(esi, session::CPU_MASK_BYTES as i32)?;
        self.asm.lea(rdx, ptr(rbx + session::CPU_MASK))?;
        self.syscall(sys::SCHED_GETAFFINITY)?;
        let asm = &mut *self.asm;
        // EDX = count, ECX = words left. The mask was zero before, so words that the kernel did not
        // write add nothing.
        asm.xor(edx, edx)?;
        asm.mov(ecx, (session::CPU_MASK_BYTES / 8) as u32)?;
        asm.set_label(&mut word)?;
        asm.mov(rax, qword_ptr(rbx + rcx * 8 + (session::CPU_MASK - 8)))?;
        asm.set_label(&mut bit)?;
        asm.test(rax, rax)?;
        asm.je(done)?;
        // Clear the lowest bit that is set.
        asm.lea(rsi, ptr(rax - 1))?;
        asm.and(rax, rsi)?;
        asm.inc(edx)?;
        asm.jmp(bit)?;
        asm.set_label(&mut done)?;
        asm.dec(ecx)?;
        asm.jne(word)?;
        asm.test(edx, edx)?;
        asm.jne(some)?;
        asm.inc(edx)?;
        asm.set_label(&mut some)?;
        asm.mov(dword_ptr(rbx + session::RINGS_WANTED), edx)
    }

    /// Reads the environment. R15 = address of argc. Follows only the pointers that the kernel put
    /// on the initial stack, and reads each string only up to its final zero (A8).
    fn environment(&mut self) -> Result<(), IcedError> {
        let mut next = self.asm.create_label();
        let mut not_socket = self.asm.create_label();
        let mut not_attach = self.asm.create_label();
        let mut copy = self.asm.create_label();
        let mut too_long = self.asm.create_label();
        let mut digit = self.asm.create_label();
        let mut number = self.asm.create_label();
        let mut done = self.asm.create_label();
        let mut end = self.asm.create_label();

        // R14 = address of the first pointer to the environment: after argc, the arguments and a
        // nil.
        let asm = &mut *self.asm;
        asm.mov(rax, qword_ptr(r15))?;
        asm.lea(r14, ptr(r15 + rax * 8 + 16))?;
        asm.set_label(&mut next)?;
        asm.mov(rsi, qword_ptr(r14))?;
        asm.add(r14, 8)?;
        asm.test(rsi, rsi)?;
        asm.je(done)?;

        self.starts_with(self.constants.socket_env, SOCKET_ENV.len() + 1, not_socket)?;
        let asm = &mut *self.asm;
        // RSI = value. Empty: off.
        asm.cmp(byte_ptr(rsi), 0)?;
        asm.sete(al)?;
        asm.movzx(eax, al)?;
        asm.mov(dword_ptr(rbx + session::OFF), eax)?;
        asm.xor(ecx, ecx)?;
        asm.set_label(&mut copy)?;
        asm.cmp(ecx, MAX_SOCKET_PATH as i32)?;
        asm.je(too_long)?;
        asm.mov(al, byte_ptr(rsi + rcx))?;
        asm.mov(byte_ptr(rbx + rcx + (session::ADDRESS + 2)), al)?;
        asm.inc(ecx)?;
        asm.test(al, al)?;
        asm.jne(copy)?;
        asm.add(ecx, 2)?;
        asm.mov(dword_ptr(rbx + session::ADDRESS_BYTES), ecx)?;
        asm.jmp(next)?;
        asm.set_label(&mut too_long)?;
        // No socket can have such a path.
        asm.mov(dword_ptr(rbx + session::OFF), 1)?;
        asm.jmp(next)?;

        asm.set_label(&mut not_socket)?;
        asm.mov(rsi, qword_ptr(r14 - 8))?;
        self.starts_with(self.constants.attach_env, ATTACH_ENV.len() + 1, not_attach)?;
        // R8 = value.
        self.asm.mov(r8, rsi)?;
        for (mode, word) in AttachMode::ALL.into_iter().zip(self.constants.attach_words) {
            let mut other = self.asm.create_label();
            self.asm.mov(rsi, r8)?;
            // With its final zero. A word that differs before that ends the comparison (A8).
            self.starts_with(word, mode.word().len() + 1, other)?;
            self.asm.mov(dword_ptr(rbx + session::MODE), mode as i32)?;
            self.asm.jmp(next)?;
            self.asm.set_label(&mut other)?;
        }
        // Another word changes nothing.
        self.asm.jmp(next)?;

        let asm = &mut *self.asm;
        asm.set_label(&mut not_attach)?;
        asm.mov(rsi, qword_ptr(r14 - 8))?;
        self.starts_with(self.constants.gomaxprocs_env, "GOMAXPROCS=".len(), next)?;
        let asm = &mut *self.asm;
        asm.xor(eax, eax)?;
        asm.set_label(&mut digit)?;
        asm.movzx(ecx, byte_ptr(rsi))?;
        asm.sub(ecx, i32::from(b'0'))?;
        asm.cmp(ecx, 9)?;
        asm.ja(number)?;
        // Far above the largest number of rings, further digits change nothing.
        asm.cmp(eax, 1_000_000)?;
        asm.ja(number)?;
        asm.imul_3(eax, eax, 10)?;
        asm.add(eax, ecx)?;
        asm.inc(rsi)?;
        asm.jmp(digit)?;
        asm.set_label(&mut number)?;
        asm.cmp(eax, dword_ptr(rbx + session::RINGS_WANTED))?;
        asm.jbe(next)?;
        asm.mov(dword_ptr(rbx + session::RINGS_WANTED), eax)?;
        asm.jmp(next)?;

        // After the environment lies the auxiliary vector: pairs, up to AT_NULL. In a program that
        // gives its user further rights (AT_SECURE), the user must not choose which collector sees
        // its records, or when.
        asm.set_label(&mut done)?;
        asm.mov(rax, qword_ptr(r14))?;
        asm.mov(rcx, qword_ptr(r14 + 8))?;
        asm.add(r14, 16)?;
        asm.test(rax, rax)?;
        asm.je(end)?;
        asm.cmp(rax, AT_SECURE)?;
        asm.jne(done)?;
        asm.test(rcx, rcx)?;
        asm.je(end)?;
        asm.mov(dword_ptr(rbx + session::OFF), 0)?;
        self.defaults()?;
        self.asm.set_label(&mut end)?;
        self.asm.zero_bytes()
    }

    /// Goes to `otherwise` unless the string at RSI starts with the `bytes` at `prefix`, else moves
    /// RSI past them. A string ends with a zero, which no prefix has, so nothing past the string is
    /// read (A8). Uses RDI and RCX.
    fn starts_with(&mut self, prefix: u64, bytes: usize, otherwise: CodeLabel) -> Result<(), IcedError> {
        self.asm.lea(rdi, at(prefix))?;
        self.asm.mov(ecx, bytes as u32)?;
        self.asm.repe().cmpsb()?;
        self.asm.jne(otherwise)
    }
}
