//! W3C Trace Context: `traceparent` and `tracestate` of a request.
//!
//! Decides: what is a valid `traceparent`, and how much of a `tracestate` is kept.
//! Trusts: nothing in the values. Never does: read past a string's length (I7).
//!
//! `traceparent` is `00-` and 32 hex digits, `-` and 16, `-` and 2, in lower case; neither id is of
//! zeros alone. A later version than 00 may have more after another `-`; ff is no version. A request
//! with an invalid one, or with several, counts as one without.
//!
//! Of `tracestate` only what may stand in a header field is kept, since it is written into others: with
//! any other byte it is dropped. It is not parsed: members beyond the limit go as a whole.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::Emitter;
use crate::arena::{context, slot};
use crate::plan::context::Fields;
use gopatch_protocol::wire::context::{By, Event};

/// Bytes of a `traceparent` of version 00.
const BYTES: i32 = 55;
/// Where its parts begin, each after a `-`, but for the first.
const TRACE: i32 = 3;
const SPAN: i32 = 36;
const FLAGS: i32 = 53;
/// Eight zeros, as digits.
const ZEROS: u64 = 0x3030_3030_3030_3030;
/// Most header fields of one name that are joined.
const STRINGS: i32 = 32;

impl Emitter<'_> {
    /// Reads the call's parent from a request; goes to `root` if that has none. Uses RAX, RBX, RCX,
    /// RDX, RDI, R12, R15 and X15.
    pub(super) fn read_headers(&mut self, fields: &Fields, root: CodeLabel) -> Result<(), IcedError> {
        let mut invalid = self.asm.create_label();
        let mut unreadable = self.asm.create_label();
        let mut no_state = self.asm.create_label();
        let mut done = self.asm.create_label();

        self.word(&fields.map, root)?;
        self.asm.mov(qword_ptr(r13 + slot::WORK), rax)?;
        self.find_field(fields.layout, b"traceparent", root, unreadable)?;
        self.parse(invalid)?;
        self.count(Event::Read)?;
        self.asm.mov(dword_ptr(rsi + context::STATE_BYTES), 0)?;
        self.asm.mov(rax, qword_ptr(r13 + slot::WORK))?;
        self.find_field(fields.layout, b"tracestate", no_state, no_state)?;
        self.copy_state()?;
        self.asm.set_label(&mut no_state)?;
        self.asm.jmp(done)?;
        self.asm.set_label(&mut unreadable)?;
        self.count(Event::Unreadable)?;
        self.asm.jmp(root)?;
        self.asm.set_label(&mut invalid)?;
        self.count(Event::Invalid)?;
        self.asm.jmp(root)?;
        self.asm.set_label(&mut done)?;
        self.asm.zero_bytes()
    }

    /// Fills in what the context in RSI has of its parent from the RCX strings at RAX; goes to
    /// `invalid` unless they are one valid `traceparent`.
    fn parse(&mut self, invalid: CodeLabel) -> Result<(), IcedError> {
        let mut later = self.asm.create_label();
        let mut fields = self.asm.create_label();
        let mut nonzero = self.asm.create_label();
        let asm = &mut *self.asm;
        asm.cmp(rcx, 1)?;
        asm.jne(invalid)?;
        asm.test(rax, rax)?;
        asm.je(invalid)?;
        // RBX = the string, RDI = its length. All of it that is read lies within 55 bytes, or 56.
        asm.mov(rbx, qword_ptr(rax))?;
        asm.mov(rdi, qword_ptr(rax + 8))?;
        asm.test(rbx, rbx)?;
        asm.je(invalid)?;
        asm.cmp(rdi, BYTES)?;
        asm.jl(invalid)?;
        asm.movzx(eax, word_ptr(rbx))?;
        asm.cmp(eax, i32::from(u16::from_le_bytes(*b"00")))?;
        asm.jne(later)?;
        asm.cmp(rdi, BYTES)?;
        asm.jne(invalid)?;
        asm.jmp(fields)?;
        asm.set_label(&mut later)?;
        asm.cmp(eax, i32::from(u16::from_le_bytes(*b"ff")))?;
        asm.je(invalid)?;
        self.are_two_digits(invalid)?;
        let asm = &mut *self.asm;
        asm.cmp(rdi, BYTES)?;
        asm.je(fields)?;
        asm.cmp(byte_ptr(rbx + BYTES), i32::from(b'-'))?;
        asm.jne(invalid)?;
        asm.set_label(&mut fields)?;
        for part in [TRACE, SPAN, FLAGS] {
            asm.cmp(byte_ptr(rbx + part - 1), i32::from(b'-'))?;
            asm.jne(invalid)?;
        }
        for digits in (TRACE..TRACE + 32).step_by(8).chain([SPAN, SPAN + 8]) {
            self.asm.mov(rax, qword_ptr(rbx + digits))?;
            self.are_digits(invalid)?;
        }
        self.asm.movzx(eax, word_ptr(rbx + FLAGS))?;
        self.are_two_digits(invalid)?;
        let asm = &mut *self.asm;
        asm.mov(rcx, ZEROS)?;
        for digits in (TRACE..TRACE + 32).step_by(8) {
            asm.cmp(qword_ptr(rbx + digits), rcx)?;
            asm.jne(nonzero)?;
        }
        asm.jmp(invalid)?;
        asm.set_label(&mut nonzero)?;
        let mut valid = asm.create_label();
        for digits in [SPAN, SPAN + 8] {
            asm.cmp(qword_ptr(rbx + digits), rcx)?;
            asm.jne(valid)?;
        }
        asm.jmp(invalid)?;
        asm.set_label(&mut valid)?;
        for (from, to) in [
            (TRACE, context::TRACE),
            (TRACE + 16, context::TRACE + 16),
            (SPAN, context::PARENT),
            (SPAN, context::REMOTE),
        ] {
            asm.movups(xmm15, xmmword_ptr(rbx + from))?;
            asm.movups(xmmword_ptr(rsi + to), xmm15)?;
        }
        // Bit 0 of the last digit, the only flag that is kept: the letters' codes begin with 0x61
        // for 10, so theirs is the other way round.
        asm.movzx(eax, byte_ptr(rbx + FLAGS + 1))?;
        asm.mov(ecx, eax)?;
        asm.shr(ecx, 6)?;
        asm.xor(eax, ecx)?;
        asm.and(eax, 1)?;
        asm.or(eax, (By::Header as i32) << 8)?;
        asm.mov(qword_ptr(rsi + context::FLAGS), rax)
    }

    /// The same as [`Self::are_digits`] of the two bytes in EAX. Uses RCX, RDX, R12 and R15.
    fn are_two_digits(&mut self, invalid: CodeLabel) -> Result<(), IcedError> {
        self.asm.mov(rcx, ZEROS << 16)?;
        self.asm.or(rax, rcx)?;
        self.are_digits(invalid)
    }

    /// Goes to `invalid` unless the eight bytes in RAX are hex digits in lower case. Uses RCX, RDX,
    /// R12 and R15.
    ///
    /// All bytes are below 0x80, so the sums below do not carry from one to the next, and the high
    /// bit of each tells whether it reached a limit.
    fn are_digits(&mut self, invalid: CodeLabel) -> Result<(), IcedError> {
        let each = |byte: u8| u64::from_le_bytes([byte; 8]);
        let at_least = |digit: u8| each(0x80 - digit);
        let asm = &mut *self.asm;
        asm.mov(r15, each(0x80))?;
        asm.test(rax, r15)?;
        asm.jne(invalid)?;
        asm.mov(rcx, at_least(b'0'))?;
        asm.add(rcx, rax)?;
        asm.mov(rdx, at_least(b'9' + 1))?;
        asm.add(rdx, rax)?;
        asm.not(rdx)?;
        asm.and(rcx, rdx)?;
        asm.mov(rdx, at_least(b'a'))?;
        asm.add(rdx, rax)?;
        asm.mov(r12, at_least(b'f' + 1))?;
        asm.add(r12, rax)?;
        asm.not(r12)?;
        asm.and(rdx, r12)?;
        asm.or(rcx, rdx)?;
        asm.not(rcx)?;
        asm.test(rcx, r15)?;
        asm.jne(invalid)
    }

    /// Joins the RCX strings at RAX into the `tracestate` of the context in RSI. Uses RAX, RBX, RCX,
    /// RDX, RDI, R12 and R15.
    fn copy_state(&mut self) -> Result<(), IcedError> {
        let mut few = self.asm.create_label();
        let mut next = self.asm.create_label();
        let mut first = self.asm.create_label();
        let mut byte = self.asm.create_label();
        let mut cut = self.asm.create_label();
        let mut back = self.asm.create_label();
        let mut invalid = self.asm.create_label();
        let mut end = self.asm.create_label();

        // RDI = strings, ECX = how many are left, RBX = the copy, R15D = its bytes.
        self.asm.mov(rdi, rax)?;
        self.asm.cmp(rcx, STRINGS)?;
        self.asm.jbe(few)?;
        self.asm.mov(ecx, STRINGS)?;
        self.asm.set_label(&mut few)?;
        self.state_of(rbx, rsi)?;
        let asm = &mut *self.asm;
        asm.xor(r15d, r15d)?;
        asm.set_label(&mut next)?;
        asm.test(ecx, ecx)?;
        asm.je(end)?;
        asm.test(rdi, rdi)?;
        asm.je(end)?;
        asm.mov(rax, qword_ptr(rdi))?;
        asm.mov(r12, qword_ptr(rdi + 8))?;
        asm.add(rdi, 16)?;
        asm.dec(ecx)?;
        asm.test(rax, rax)?;
        asm.je(next)?;
        asm.test(r12, r12)?;
        asm.jle(next)?;
        asm.test(r15d, r15d)?;
        asm.je(first)?;
        asm.cmp(r15d, context::STATE as i32)?;
        asm.jae(cut)?;
        asm.mov(byte_ptr(rbx + r15), i32::from(b','))?;
        asm.inc(r15d)?;
        asm.set_label(&mut first)?;
        asm.zero_bytes()?;
        asm.set_label(&mut byte)?;
        asm.cmp(r15d, context::STATE as i32)?;
        asm.jae(cut)?;
        asm.movzx(edx, byte_ptr(rax))?;
        asm.cmp(dl, i32::from(b' '))?;
        asm.jb(invalid)?;
        asm.cmp(dl, i32::from(b'~'))?;
        asm.ja(invalid)?;
        asm.mov(byte_ptr(rbx + r15), dl)?;
        asm.inc(r15d)?;
        asm.inc(rax)?;
        asm.dec(r12)?;
        asm.jne(byte)?;
        asm.jmp(next)?;

        // The member at the end is not whole.
        asm.set_label(&mut cut)?;
        asm.zero_bytes()?;
        self.count(Event::StateDropped)?;
        let asm = &mut *self.asm;
        asm.set_label(&mut back)?;
        asm.test(r15d, r15d)?;
        asm.je(end)?;
        asm.dec(r15d)?;
        asm.cmp(byte_ptr(rbx + r15), i32::from(b','))?;
        asm.jne(back)?;
        asm.jmp(end)?;
        asm.set_label(&mut invalid)?;
        asm.xor(r15d, r15d)?;
        asm.set_label(&mut end)?;
        asm.mov(dword_ptr(rsi + context::STATE_BYTES), r15d)
    }
}
