//! A context on its way out of the program: into a request, or to a new goroutine.
//!
//! Decides: whether a request gets a context, and where its bytes go.
//! Trusts: the plan's offsets. Never does: write where the program has something.
//!
//! # The only memory of the program's that is written
//!
//! **W1.** Bytes of a `bufio.Writer`'s buffer beyond those in use, `buf[n:]`, and then `n`. The
//! hook is at the entry of a function that writes to that very writer, on the goroutine that does it,
//! and no writer is used by two goroutines at a time. Before the first store: the writer has no error, 0 <=
//! n, and len(buf) - n is at least what is written. The bytes hold no pointers, nor does `n`, so the
//! garbage collector need not know. `n` is stored after the bytes: until then they are unused.
//!
//! **W2.** 16 bytes of such a buffer that are in use, at the exit of that function: hex digits in the
//! place of hex digits. Between entry and exit nothing but this function wrote to the writer. Before the
//! store: the bytes before them are the name, the version and the trace id of a `traceparent`, and
//! they themselves are the parent's id that was read; all of it lies between what the buffer held at
//! the entry and `n`, which is at most len(buf). The rule vouches that the writer is alive: its
//! caller goes on to write to it.
//!
//! Every such store has RDI as its base, and no other store of a thunk has (`invariants.rs` checks
//! that).

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::table::Taken;
use super::{Emitter, NESTED};
use crate::arena::{context, slot};
use crate::plan::context::{BufioWriter, Word, Write};
use gopatch_protocol::wire::context::Event;

/// The line that is written: name, version, ids, flags.
const LINE: i32 = 70;
/// A `traceparent` of version 00.
const TRACEPARENT: i32 = 55;
/// `tracestate: `, in pieces, and its end.
const STATE_NAME: i32 = 12;

impl Emitter<'_> {
    /// Writes the context of the call that sends these header fields into the buffer to which they
    /// go, unless the program has one of its own. Uses RAX, RBX, RCX, RDX, RSI, RDI, R12, R15, X15.
    pub(super) fn write(&mut self, write: &Write) -> Result<(), IcedError> {
        let mut none = self.asm.create_label();
        let mut own = self.asm.create_label();
        let mut unreadable = self.asm.create_label();
        let mut no_room = self.asm.create_label();
        let mut free = self.asm.create_label();
        let mut no_state = self.asm.create_label();
        let mut end = self.asm.create_label();

        self.word(&write.of, none)?;
        self.key_of_word(context::SEND)?;
        self.look_up(none)?;
        self.context_of(none)?;
        self.asm.mov(qword_ptr(r13 + slot::PARENT), rax)?;
        self.asm.mov(rsi, rcx)?;
        self.asm.cmp(dword_ptr(rsi + context::SHARED), 0)?;
        self.asm.jne(none)?;
        self.word(&write.own.map, free)?;
        self.find_field(write.own.layout, b"traceparent", free, unreadable)?;
        self.is_copy(own)?;
        self.arm(write, no_room)?;
        self.asm.jmp(none)?;

        self.asm.set_label(&mut free)?;
        self.word(&write.to, no_room)?;
        // RDX = the writer, RBX = room, EAX = what is needed, RDI = where it goes (W1).
        let asm = &mut *self.asm;
        asm.mov(rdx, rax)?;
        asm.test(rdx, rdx)?;
        asm.je(no_room)?;
        asm.cmp(qword_ptr(rdx + write.writer.err), 0)?;
        asm.jne(no_room)?;
        asm.mov(rdi, qword_ptr(rdx + write.writer.buf))?;
        asm.test(rdi, rdi)?;
        asm.je(no_room)?;
        asm.mov(rcx, qword_ptr(rdx + write.writer.n))?;
        asm.test(rcx, rcx)?;
        asm.js(no_room)?;
        asm.mov(rbx, qword_ptr(rdx + write.writer.buf + 8))?;
        asm.sub(rbx, rcx)?;
        asm.add(rdi, rcx)?;
        asm.mov(eax, LINE)?;
        asm.mov(ecx, dword_ptr(rsi + context::STATE_BYTES))?;
        asm.test(ecx, ecx)?;
        asm.je(no_state)?;
        asm.lea(eax, ptr(rcx + LINE + STATE_NAME + 2))?;
        asm.set_label(&mut no_state)?;
        asm.cmp(rbx, rax)?;
        asm.jl(no_room)?;
        asm.mov(qword_ptr(r13 + slot::WORK), rax)?;

        asm.mov(rbx, u64::from_le_bytes(*b"tracepar"))?;
        asm.mov(qword_ptr(rdi), rbx)?;
        asm.mov(rbx, u64::from_le_bytes(*b"ent: 00-"))?;
        asm.mov(qword_ptr(rdi + 8), rbx)?;
        for (from, to) in [(context::TRACE, 16), (context::TRACE + 16, 32), (context::SPAN, 49)] {
            asm.movups(xmm15, xmmword_ptr(rsi + from))?;
            asm.movups(xmmword_ptr(rdi + to), xmm15)?;
        }
        asm.mov(byte_ptr(rdi + 48), i32::from(b'-'))?;
        asm.movzx(ebx, byte_ptr(rsi + context::FLAGS))?;
        asm.and(ebx, 1)?;
        asm.shl(ebx, 16)?;
        asm.add(ebx, i32::from_le_bytes(*b"-00\r"))?;
        asm.mov(dword_ptr(rdi + 65), ebx)?;
        asm.mov(byte_ptr(rdi + 69), i32::from(b'\n'))?;
        asm.test(ecx, ecx)?;
        asm.je(end)?;
        self.write_state()?;
        self.asm.set_label(&mut end)?;

        // C2: the call has not ended meanwhile, so what was copied is its own.
        let asm = &mut *self.asm;
        asm.mov(rax, qword_ptr(r13 + slot::PARENT))?;
        asm.cmp(qword_ptr(rsi + context::HANDLE), rax)?;
        asm.jne(none)?;
        asm.mov(rdi, rdx)?;
        asm.mov(rax, qword_ptr(r13 + slot::WORK))?;
        asm.add(qword_ptr(rdi + write.writer.n), rax)?;
        self.count(Event::Written)?;
        self.asm.jmp(none)?;

        for (label, event) in
            [(&mut own, Event::Own), (&mut unreadable, Event::Unreadable), (&mut no_room, Event::NoRoom)]
        {
            self.asm.set_label(label)?;
            self.count(event)?;
            if event != Event::NoRoom {
                self.asm.jmp(none)?;
            }
        }
        self.asm.set_label(&mut none)?;
        self.asm.zero_bytes()
    }

    /// Writes the `tracestate` of ECX bytes of the context in RSI after the line at RDI (W1). Uses
    /// RAX, RBX, R12, R15 and RDI; leaves RDX.
    fn write_state(&mut self) -> Result<(), IcedError> {
        let mut byte = self.asm.create_label();
        let asm = &mut *self.asm;
        asm.mov(rbx, u64::from_le_bytes(*b"tracesta"))?;
        asm.mov(qword_ptr(rdi + LINE), rbx)?;
        asm.mov(dword_ptr(rdi + LINE + 8), i32::from_le_bytes(*b"te: "))?;
        asm.mov(r15, rdx)?;
        self.state_of(r12, rsi)?;
        let asm = &mut *self.asm;
        asm.mov(rdx, r15)?;
        asm.xor(r15d, r15d)?;
        asm.set_label(&mut byte)?;
        asm.movzx(eax, byte_ptr(r12 + r15))?;
        asm.mov(byte_ptr(rdi + r15 + (LINE + STATE_NAME)), al)?;
        asm.inc(r15d)?;
        asm.cmp(r15d, ecx)?;
        asm.jb(byte)?;
        asm.mov(word_ptr(rdi + r15 + (LINE + STATE_NAME)), i32::from(u16::from_le_bytes(*b"\r\n")))
    }

    /// Falls through if the RCX strings at RAX are the one `traceparent` that the server call around
    /// this one has read, else goes to `other`. Uses RAX, RBX and RDX.
    fn is_copy(&mut self, other: CodeLabel) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.cmp(rcx, 1)?;
        asm.jne(other)?;
        asm.test(rax, rax)?;
        asm.je(other)?;
        asm.cmp(qword_ptr(rax + 8), TRACEPARENT)?;
        asm.jne(other)?;
        asm.mov(rbx, qword_ptr(rax))?;
        asm.test(rbx, rbx)?;
        asm.je(other)?;
        let trace = (0..32).step_by(8).map(|at| (3 + at as i32, context::TRACE + at));
        let parent = (0..16).step_by(8).map(|at| (36 + at as i32, context::REMOTE + at));
        for (in_text, in_context) in trace.chain(parent) {
            asm.mov(rdx, qword_ptr(rbx + in_text))?;
            asm.cmp(rdx, qword_ptr(rsi + in_context))?;
            asm.jne(other)?;
        }
        Ok(())
    }

    /// Notes for the exit which writer it has to look at, and from where on. Uses RAX, RBX, RCX, RDX,
    /// RSI, RDI, R12 and R15.
    fn arm(&mut self, write: &Write, no_room: CodeLabel) -> Result<(), IcedError> {
        self.word(&write.to, no_room)?;
        let asm = &mut *self.asm;
        asm.test(rax, rax)?;
        asm.je(no_room)?;
        asm.mov(qword_ptr(rsi + context::WRITER), rax)?;
        asm.mov(rcx, qword_ptr(rax + write.writer.n))?;
        asm.inc(rcx)?;
        asm.jle(no_room)?;
        asm.mov(qword_ptr(rsi + context::REPLACE), rcx)?;
        asm.mov(rsi, qword_ptr(r13 + slot::PARENT))?;
        asm.mov(rax, qword_ptr(r14 + self.offsets.g_goid))?;
        self.key_of_word(context::WRITING)?;
        self.publish(Taken::Replace)
    }

    /// Replaces the parent's id in a copy of a context that was just written (W2). Uses RAX, RBX,
    /// RCX, RDX, RSI, RDI, R12, R15 and X15.
    pub(super) fn replace(&mut self, writer: &BufioWriter) -> Result<(), IcedError> {
        let mut none = self.asm.create_label();
        let mut next = self.asm.create_label();
        let mut other = self.asm.create_label();
        let mut no_room = self.asm.create_label();

        self.asm.mov(rax, qword_ptr(r14 + self.offsets.g_goid))?;
        self.key_of_word(context::WRITING)?;
        self.look_up(none)?;
        self.context_of(none)?;
        let asm = &mut *self.asm;
        asm.mov(qword_ptr(r13 + slot::PARENT), rax)?;
        asm.mov(rsi, rcx)?;
        // RCX = where to look, and only once.
        asm.mov(rcx, qword_ptr(rsi + context::REPLACE))?;
        asm.test(rcx, rcx)?;
        asm.je(none)?;
        asm.mov(qword_ptr(rsi + context::REPLACE), 0)?;
        asm.dec(rcx)?;
        asm.mov(rdx, qword_ptr(rsi + context::WRITER))?;
        // RBX = where the last place is at which a whole line fits, RDI = the buffer.
        asm.mov(rbx, qword_ptr(rdx + writer.n))?;
        asm.cmp(rbx, qword_ptr(rdx + writer.buf + 8))?;
        asm.jg(no_room)?;
        asm.sub(rbx, LINE)?;
        asm.mov(rdi, qword_ptr(rdx + writer.buf))?;
        asm.test(rdi, rdi)?;
        asm.je(no_room)?;
        asm.mov(r12, u64::from_le_bytes(*b"ent: 00-"))?;
        asm.mov(r15, qword_ptr(rsi + context::TRACE))?;
        asm.set_label(&mut next)?;
        // Flushed meanwhile, or not there.
        asm.cmp(rcx, rbx)?;
        asm.jg(no_room)?;
        asm.cmp(qword_ptr(rdi + rcx + 16), r15)?;
        asm.jne(other)?;
        asm.cmp(qword_ptr(rdi + rcx + 8), r12)?;
        asm.jne(other)?;
        let trace = (8..32).step_by(8).map(|at| (16 + at as i32, context::TRACE + at));
        let parent = (0..16).step_by(8).map(|at| (49 + at as i32, context::REMOTE + at));
        for (in_buffer, in_context) in trace.chain(parent) {
            asm.mov(rax, qword_ptr(rdi + rcx + in_buffer))?;
            asm.cmp(rax, qword_ptr(rsi + in_context))?;
            asm.jne(other)?;
        }
        // C2.
        asm.movups(xmm15, xmmword_ptr(rsi + context::SPAN))?;
        asm.mov(rax, qword_ptr(r13 + slot::PARENT))?;
        asm.cmp(qword_ptr(rsi + context::HANDLE), rax)?;
        asm.jne(none)?;
        asm.movups(xmmword_ptr(rdi + rcx + 49), xmm15)?;
        self.count(Event::Replaced)?;
        let asm = &mut *self.asm;
        asm.jmp(none)?;
        asm.set_label(&mut other)?;
        asm.inc(rcx)?;
        asm.jmp(next)?;
        asm.set_label(&mut no_room)?;
        asm.zero_bytes()?;
        self.count(Event::NoRoom)?;
        self.asm.set_label(&mut none)?;
        self.asm.zero_bytes()
    }

    /// Notes that a goroutine was started within the outermost call that its parent is in: an
    /// inner one may be over long before.
    pub(super) fn spawn(&mut self, child: &Word, parent: &Word) -> Result<(), IcedError> {
        let mut none = self.asm.create_label();
        let mut next = self.asm.create_label();
        let mut outermost = self.asm.create_label();
        self.word(parent, none)?;
        self.key_of_word(context::GOROUTINE)?;
        self.look_up(none)?;
        self.context_of(none)?;
        self.asm.mov(dword_ptr(r13 + slot::STEPS), NESTED)?;
        self.asm.set_label(&mut next)?;
        self.asm.mov(rsi, rax)?;
        self.asm.mov(rax, qword_ptr(rcx + context::OUTER))?;
        self.context_of(outermost)?;
        self.asm.dec(dword_ptr(r13 + slot::STEPS))?;
        self.asm.jne(next)?;
        self.asm.set_label(&mut outermost)?;
        self.asm.bts(rsi, context::INHERITED)?;
        self.word(child, none)?;
        self.asm.test(rax, rax)?;
        self.asm.je(none)?;
        self.key_of_word(context::GOROUTINE)?;
        self.publish(Taken::Replace)?;
        self.asm.set_label(&mut none)?;
        self.asm.zero_bytes()
    }
}
