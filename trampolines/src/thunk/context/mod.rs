//! The trace context of a call: given at its entry, taken back at its exit.
//!
//! Decides: which call is another's parent, and what a call without a parent begins.
//! Trusts: the plan for paths, and that what they start from is live (I6).
//! Never does: write memory of the program. Only `write` does.
//!
//! Here: the beginning and the end of a call. `table`: contexts, and the index by which they are
//! found. `ids`: random ids. `fields`: a map of header fields. `header`: W3C's headers. `write`: a context
//! on its way out, and the start of goroutines.
//!
//! # Invariants
//!
//! Besides those of [`super`]:
//!
//! * **C1. A handle means one call.** It is never used again: P and count make it unique. A context
//!   has the handle of its call from before it is filled until it is given back or taken over.
//! * **C2. A context has one writer**: the call whose handle it has, between making the handle and
//!   publishing it in the index. So whoever reads a context by a handle reads it first, then
//!   compares the handle again, and forgets what it has read if that differs (x86-64 keeps loads,
//!   and stores, in order). Only `SHARED` and `REPLACE` are written later; each of their values is
//!   valid.
//! * **C3. The index is a hint that cannot lie.** Key and handle of a place change together
//!   (`cmpxchg16b`), and are read together (one aligned 16-byte load, atomic on processors with
//!   AVX; the key is compared again on others). A handle counts only while the context has it (C1).
//! * **C4. Nothing waits.** Searches are bounded; what finds no place goes without, and is counted.
//! * **C5. No merge by chance.** A parent is an open call, by C1: one that has ended is not found by
//!   any key. Goroutine ids are never reused by Go, and the key of a `context.Context` or of a map
//!   of headers is an address that the open call itself holds, so nothing else has it meanwhile.
//!
//! # Registers
//!
//! R13 slot, busy (I4); RSI the call's own context; RAX, RBX, RCX, RDX, RDI, R12, R15 and X15 work. All
//! of them are given back by the hook (I1). Loads and stores go to the arena, which is part of the
//! image (I5), except along the plan's paths and in `fields`, `header` and `write`.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

mod fields;
mod header;
mod ids;
mod table;
mod write;

use super::{Emitter, Labels};
use crate::arena::{context, slot, switches};
use crate::asm::at;
use crate::plan::Root;
use crate::plan::context::{Chain, ContextPlan, Open, Word};
use gopatch_protocol::wire::context::{BYTES, By, Event};
use gopatch_protocol::wire::{control, ring};
use table::Taken;

/// `context.Context`s that are looked at, from the call's own to its ancestors.
const CHAIN: u32 = 16;
/// Open calls of a goroutine that an entry or an exit may find over.
const NESTED: u32 = 16;
/// Offset in an itab of the type (see `capture`).
const ITAB_TYPE: i32 = super::capture::ITAB_TYPE;

impl Emitter<'_> {
    /// Does what the plan says about contexts. Uses all of the hook's registers; RDX brings the
    /// time stamp and has it again at the end.
    pub(super) fn context(&mut self, labels: &Labels) -> Result<(), IcedError> {
        let Some(plan) = &self.plan.context else { return Ok(()) };
        match plan {
            ContextPlan::Open(open) => self.open(open)?,
            ContextPlan::Close => self.close(true)?,
            ContextPlan::CloseDeeper => self.close(false)?,
            ContextPlan::Write(write) => self.write(write)?,
            ContextPlan::Replace(writer) => self.replace(writer)?,
            ContextPlan::Spawn { child, parent } => self.spawn(child, parent)?,
        }
        // I1: the searches used X15.
        self.asm.xorps(xmm15, xmm15)?;
        if plan.is_recorded() { self.asm.mov(rdx, qword_ptr(r13 + slot::TSC)) } else { self.asm.jmp(labels.done) }
    }

    /// Goes to `go_on` if there is nothing to do for a hook that writes no record. Uses R12, R13
    /// and R15 (I1, I9).
    pub(super) fn context_filter(&mut self, labels: &Labels) -> Result<(), IcedError> {
        match &self.plan.context {
            Some(ContextPlan::Write(write)) => {
                self.test_propagation()?;
                self.asm.je(labels.go_on)?;
                self.glance(&write.of, context::SEND, labels.go_on)
            }
            Some(ContextPlan::Replace(_)) => {
                self.asm.mov(r12, qword_ptr(r14 + self.offsets.g_goid))?;
                self.glance_at_r12(context::WRITING, labels.go_on)
            }
            Some(ContextPlan::Spawn { parent, .. }) => self.glance(parent, context::GOROUTINE, labels.go_on),
            _ => Ok(()),
        }
    }

    /// Tests whether contexts are read and written: equal if not.
    fn test_propagation(&mut self) -> Result<(), IcedError> {
        self.asm.test(byte_ptr(at(self.arena.switches() + switches::PROPAGATION)), control::PROPAGATES as i32)
    }

    /// Counts an event in the ring's producer page (I3, I4). Uses RAX.
    fn count(&mut self, event: Event) -> Result<(), IcedError> {
        self.asm.mov(rax, qword_ptr(r13 + slot::PRODUCER))?;
        self.asm.inc(qword_ptr(rax + (ring::CONTEXTS - ring::PRODUCER_POS + 8 * event as usize) as i32))
    }

    /// RAX = the word at the end of a path; goes to `fails` at nil or another type on the way.
    /// Uses RCX and RDX.
    fn word(&mut self, Word { path, is_address }: &Word, fails: CodeLabel) -> Result<(), IcedError> {
        self.follow(path, fails)?;
        match path.root {
            Root::Value { .. } | Root::Constant(_) => Ok(()),
            _ if *is_address => Ok(()),
            _ => self.asm.mov(rax, qword_ptr(rax + path.offset)),
        }
    }

    /// R15 = key of the word in RAX. Uses RDX.
    fn key_of_word(&mut self, tag: u64) -> Result<(), IcedError> {
        self.asm.mov(r15, tag << context::TAG_BIT)?;
        self.asm.or(r15, rax)
    }

    /// Gives the call a context, if there is room for one.
    fn open(&mut self, open: &Open) -> Result<(), IcedError> {
        let mut none = self.asm.create_label();
        let mut full = self.asm.create_label();
        let mut named = self.asm.create_label();

        self.asm.mov(qword_ptr(r13 + slot::OWN), 0)?;
        // A thread's g0 has goroutine 0, on every thread.
        self.asm.mov(rax, qword_ptr(r14 + self.offsets.g_goid))?;
        self.asm.test(rax, rax)?;
        self.asm.je(none)?;
        self.key_of_word(context::GOROUTINE)?;
        self.asm.mov(qword_ptr(r13 + slot::GOROUTINE), r15)?;
        self.find_outer()?;
        self.make_context(full)?;
        self.asm.mov(qword_ptr(r13 + slot::OWN), rsi)?;
        self.find_parent(open)?;
        self.random()?;
        self.hex(context::SPAN)?;
        let asm = &mut *self.asm;
        asm.mov(rax, qword_ptr(r13 + slot::OUTER))?;
        asm.mov(qword_ptr(rsi + context::OUTER), rax)?;
        asm.mov(rax, qword_ptr(r14 + self.offsets.g_goid))?;
        asm.mov(qword_ptr(rsi + context::GOID), rax)?;
        self.frame(rax)?;
        let asm = &mut *self.asm;
        asm.mov(dword_ptr(rsi + context::FRAME), eax)?;
        asm.mov(dword_ptr(rsi + context::FUNCTION), self.plan.function as i32)?;
        asm.xor(eax, eax)?;
        asm.mov(dword_ptr(rsi + context::SHARED), eax)?;
        asm.mov(qword_ptr(rsi + context::REPLACE), rax)?;

        // C2: from here on others may read it. RSI = handle.
        asm.mov(rsi, qword_ptr(rsi + context::HANDLE))?;
        asm.mov(r15, qword_ptr(r13 + slot::GOROUTINE))?;
        self.publish(Taken::Replace)?;
        if let Some(chain) = open.chain.as_ref().filter(|_| open.is_server) {
            self.publish_word(&chain.data, context::CHAIN, Taken::Replace)?;
        }
        if let Some(send) = &open.send {
            self.test_propagation()?;
            self.asm.je(named)?;
            self.publish_word(send, context::SEND, Taken::Share)?;
        }
        self.asm.set_label(&mut named)?;
        self.asm.jmp(none)?;
        self.asm.set_label(&mut full)?;
        self.count(Event::Full)?;
        self.asm.set_label(&mut none)?;
        self.asm.zero_bytes()
    }

    /// Makes the handle in RSI known under a word, unless that is nil.
    fn publish_word(&mut self, word: &Word, tag: u64, taken: Taken) -> Result<(), IcedError> {
        let mut none = self.asm.create_label();
        self.word(word, none)?;
        self.asm.test(rax, rax)?;
        self.asm.je(none)?;
        self.key_of_word(tag)?;
        self.publish(taken)?;
        self.asm.set_label(&mut none)?;
        self.asm.zero_bytes()
    }

    /// `OUTER` = the handle of the goroutine's innermost open call, or of the call within which the
    /// goroutine was started; 0 if there is none. Calls that a panic has left are closed. R15 is
    /// the goroutine's key.
    fn find_outer(&mut self) -> Result<(), IcedError> {
        let mut none = self.asm.create_label();
        let mut next = self.asm.create_label();
        let mut found = self.asm.create_label();
        self.asm.mov(qword_ptr(r13 + slot::OUTER), 0)?;
        self.look_up(none)?;
        self.frame(rbx)?;
        self.asm.mov(dword_ptr(r13 + slot::STEPS), NESTED)?;
        self.asm.set_label(&mut next)?;
        self.context_of(none)?;
        let asm = &mut *self.asm;
        asm.bt(rax, context::INHERITED)?;
        asm.jb(found)?;
        // Less deep: it is open. Else its frame is this call's now. Rules on one function have one
        // frame.
        asm.cmp(dword_ptr(rcx + context::FRAME), ebx)?;
        asm.jb(found)?;
        let mut over = asm.create_label();
        asm.jne(over)?;
        asm.cmp(dword_ptr(rcx + context::FUNCTION), self.plan.function as i32)?;
        asm.jne(found)?;
        asm.set_label(&mut over)?;
        asm.mov(rdi, qword_ptr(rcx + context::OUTER))?;
        self.give_back()?;
        let asm = &mut *self.asm;
        asm.mov(rax, rdi)?;
        asm.dec(dword_ptr(r13 + slot::STEPS))?;
        asm.jne(next)?;
        asm.jmp(none)?;
        asm.set_label(&mut found)?;
        asm.mov(qword_ptr(r13 + slot::OUTER), rax)?;
        asm.set_label(&mut none)?;
        asm.zero_bytes()
    }

    /// Fills in what the context has from the call's parent, or begins a trace.
    fn find_parent(&mut self, open: &Open) -> Result<(), IcedError> {
        let mut root = self.asm.create_label();
        let mut read = self.asm.create_label();
        let mut local = self.asm.create_label();
        let mut done = self.asm.create_label();

        if let Some(chain) = open.chain.as_ref().filter(|_| !open.is_server) {
            let mut none = self.asm.create_label();
            self.parent_by_chain(chain, none, done)?;
            self.asm.set_label(&mut none)?;
            // It is of a request that is over, so the goroutine's own is another one.
            self.asm.cmp(dword_ptr(r13 + slot::ENDED), 0)?;
            self.asm.jne(root)?;
        }
        self.asm.mov(rax, qword_ptr(r13 + slot::OUTER))?;
        self.context_of(read)?;
        self.asm.bt(rax, context::INHERITED)?;
        self.asm.mov(edi, By::Goroutine as u32)?;
        self.asm.jae(local)?;
        if open.is_server {
            // Whoever started this goroutine has nothing to do with the request.
            self.asm.jmp(read)?;
        } else {
            self.asm.mov(edi, By::Spawn as u32)?;
        }
        self.asm.set_label(&mut local)?;
        self.inherit(root)?;
        self.asm.jmp(done)?;
        self.asm.set_label(&mut read)?;
        self.asm.zero_bytes()?;
        if let Some(fields) = &open.read {
            self.test_propagation()?;
            self.asm.je(root)?;
            self.read_headers(fields, root)?;
            self.asm.test(byte_ptr(at(self.arena.switches() + switches::PROPAGATION)), control::DECIDES as i32)?;
            self.asm.je(done)?;
            self.decide()?;
            self.asm.jmp(done)?;
        }
        self.asm.set_label(&mut root)?;
        self.begin_trace()?;
        self.asm.set_label(&mut done)?;
        self.asm.zero_bytes()
    }

    /// Finds the parent by the call's `context.Context` and goes to `done`, or to `none`. If the
    /// goroutine's innermost open call is in the same trace, that is the parent: it lies between.
    /// `ENDED` is 1 if one of the `context.Context`s was known as that of a call that is over: or its
    /// address was, and has been used again, but then one further up is known mostly.
    fn parent_by_chain(&mut self, chain: &Chain, none: CodeLabel, done: CodeLabel) -> Result<(), IcedError> {
        let mut next = self.asm.create_label();
        let mut missed = self.asm.create_label();
        let mut up = self.asm.create_label();
        let mut found = self.asm.create_label();
        let mut nearer = self.asm.create_label();

        // RBX = the interface's data, `WORK` = its itab.
        self.asm.mov(dword_ptr(r13 + slot::ENDED), 0)?;
        self.word(&chain.tab, none)?;
        self.asm.mov(qword_ptr(r13 + slot::WORK), rax)?;
        self.word(&chain.data, none)?;
        self.asm.mov(rbx, rax)?;
        self.asm.mov(dword_ptr(r13 + slot::STEPS), CHAIN)?;
        self.asm.set_label(&mut next)?;
        self.asm.mov(rax, rbx)?;
        self.asm.test(rax, rax)?;
        self.asm.je(none)?;
        self.key_of_word(context::CHAIN)?;
        self.look_up(missed)?;
        let mut ended = self.asm.create_label();
        self.context_of(ended)?;
        self.asm.jmp(found)?;
        let asm = &mut *self.asm;
        asm.set_label(&mut ended)?;
        asm.mov(dword_ptr(r13 + slot::ENDED), 1)?;
        asm.set_label(&mut missed)?;
        // I5: an itab that is not nil has a type, and a value of one of these types begins with an
        // interface.
        asm.mov(rdx, qword_ptr(r13 + slot::WORK))?;
        asm.test(rdx, rdx)?;
        asm.je(none)?;
        asm.mov(rdx, qword_ptr(rdx + ITAB_TYPE))?;
        for va in &chain.types {
            asm.lea(rcx, at(*va))?;
            asm.cmp(rdx, rcx)?;
            asm.je(up)?;
        }
        asm.jmp(none)?;
        asm.set_label(&mut up)?;
        asm.mov(rax, qword_ptr(rbx))?;
        asm.mov(qword_ptr(r13 + slot::WORK), rax)?;
        asm.mov(rbx, qword_ptr(rbx + 8))?;
        asm.dec(dword_ptr(r13 + slot::STEPS))?;
        asm.jne(next)?;
        asm.jmp(none)?;

        asm.set_label(&mut found)?;
        asm.mov(qword_ptr(r13 + slot::PARENT), rax)?;
        asm.mov(rbx, rcx)?;
        asm.mov(edi, By::Context as u32)?;
        asm.mov(rax, qword_ptr(r13 + slot::OUTER))?;
        let mut other = asm.create_label();
        self.context_of(other)?;
        let asm = &mut *self.asm;
        for offset in (context::TRACE..context::SPAN).step_by(8) {
            asm.mov(rdx, qword_ptr(rcx + offset))?;
            asm.cmp(rdx, qword_ptr(rbx + offset))?;
            asm.jne(other)?;
        }
        asm.jmp(nearer)?;
        asm.set_label(&mut other)?;
        asm.mov(rcx, rbx)?;
        asm.mov(rax, qword_ptr(r13 + slot::PARENT))?;
        asm.set_label(&mut nearer)?;
        self.inherit(none)?;
        self.asm.jmp(done)
    }

    /// Copies what a child has of its parent, the context in RCX with the handle in RAX; goes to
    /// `over` if its call has ended meanwhile (C2). EDI is how it was found.
    fn inherit(&mut self, over: CodeLabel) -> Result<(), IcedError> {
        let mut copied = self.asm.create_label();
        let mut block = self.asm.create_label();
        let asm = &mut *self.asm;
        for (from, to) in [
            (context::TRACE, context::TRACE),
            (context::TRACE + 16, context::TRACE + 16),
            (context::SPAN, context::PARENT),
            (context::REMOTE, context::REMOTE),
        ] {
            asm.movups(xmm15, xmmword_ptr(rcx + from))?;
            asm.movups(xmmword_ptr(rsi + to), xmm15)?;
        }
        asm.shl(edi, 8)?;
        asm.movzx(edx, byte_ptr(rcx + context::FLAGS))?;
        asm.or(rdx, rdi)?;
        asm.mov(qword_ptr(rsi + context::FLAGS), rdx)?;
        asm.mov(edx, dword_ptr(rcx + context::STATE_BYTES))?;
        asm.mov(dword_ptr(rsi + context::STATE_BYTES), edx)?;
        asm.test(edx, edx)?;
        asm.je(copied)?;
        // Whole blocks of 16 bytes, within both: they have 512, and EDX is at most that.
        self.state_of(r12, rcx)?;
        self.state_of(rbx, rsi)?;
        let asm = &mut *self.asm;
        asm.mov(edx, dword_ptr(rsi + context::STATE_BYTES))?;
        asm.xor(r15d, r15d)?;
        asm.set_label(&mut block)?;
        asm.movups(xmm15, xmmword_ptr(r12 + r15))?;
        asm.movups(xmmword_ptr(rbx + r15), xmm15)?;
        asm.add(r15d, 16)?;
        asm.cmp(r15d, edx)?;
        asm.jb(block)?;
        asm.set_label(&mut copied)?;
        asm.btr(rax, context::INHERITED)?;
        asm.cmp(qword_ptr(rcx + context::HANDLE), rax)?;
        asm.jne(over)
    }

    /// `to` = where the `tracestate` of the context at `of` lies: twice as far from the first one's.
    /// Uses RDX.
    fn state_of(&mut self, to: AsmRegister64, of: AsmRegister64) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.lea(to, at(self.arena.contexts()))?;
        asm.neg(to)?;
        asm.add(to, of)?;
        asm.shl(to, context::STATE_SHIFT - context::ENTRY_SHIFT)?;
        asm.lea(rdx, at(self.arena.states()))?;
        asm.add(to, rdx)
    }

    /// Takes contexts back: that of this call and of deeper ones, or of deeper ones alone.
    fn close(&mut self, own: bool) -> Result<(), IcedError> {
        let mut next = self.asm.create_label();
        let mut over = self.asm.create_label();
        let mut rest = self.asm.create_label();
        let mut done = self.asm.create_label();

        self.asm.mov(rax, qword_ptr(r14 + self.offsets.g_goid))?;
        self.key_of_word(context::GOROUTINE)?;
        self.look_up(done)?;
        self.frame(rbx)?;
        self.asm.mov(dword_ptr(r13 + slot::STEPS), NESTED)?;
        // RSI = handle of what remains.
        self.asm.set_label(&mut next)?;
        self.asm.mov(rsi, rax)?;
        self.context_of(rest)?;
        let asm = &mut *self.asm;
        asm.bt(rax, context::INHERITED)?;
        asm.jb(rest)?;
        asm.cmp(dword_ptr(rcx + context::FRAME), ebx)?;
        asm.ja(over)?;
        if own {
            asm.jb(rest)?;
            // Of two rules on one function each closes its own.
            asm.cmp(dword_ptr(rcx + context::FUNCTION), self.plan.function as i32)?;
            asm.jne(rest)?;
            asm.mov(rsi, qword_ptr(rcx + context::OUTER))?;
            self.give_back()?;
            self.asm.jmp(rest)?;
        } else {
            asm.jmp(rest)?;
        }
        self.asm.set_label(&mut over)?;
        self.asm.mov(rdi, qword_ptr(rcx + context::OUTER))?;
        self.give_back()?;
        let asm = &mut *self.asm;
        asm.mov(rax, rdi)?;
        asm.dec(dword_ptr(r13 + slot::STEPS))?;
        asm.jne(next)?;
        asm.mov(rsi, rax)?;
        asm.set_label(&mut rest)?;
        // A place whose handle is over needs no change.
        asm.test(rsi, rsi)?;
        asm.je(done)?;
        self.publish(Taken::Replace)?;
        self.asm.set_label(&mut done)?;
        self.asm.zero_bytes()
    }

    /// Appends the call's context to the record at R12, and advances R12. Uses RAX and X15.
    pub(super) fn record_context(&mut self) -> Result<(), IcedError> {
        let mut none = self.asm.create_label();
        let mut done = self.asm.create_label();
        let asm = &mut *self.asm;
        let blocks = (0..BYTES as u64 - 8).step_by(16);
        asm.mov(rax, qword_ptr(r13 + slot::OWN))?;
        asm.test(rax, rax)?;
        asm.je(none)?;
        for offset in blocks.clone() {
            asm.movups(xmm15, xmmword_ptr(rax + context::TRACE + offset))?;
            asm.movups(xmmword_ptr(r12 + offset), xmm15)?;
        }
        asm.mov(rax, qword_ptr(rax + context::FLAGS))?;
        asm.jmp(done)?;
        asm.set_label(&mut none)?;
        asm.xorps(xmm15, xmm15)?;
        for offset in blocks {
            asm.movups(xmmword_ptr(r12 + offset), xmm15)?;
        }
        asm.xor(eax, eax)?;
        asm.set_label(&mut done)?;
        asm.mov(qword_ptr(r12 + (BYTES as u64 - 8)), rax)?;
        asm.add(r12, BYTES as i32)
    }
}
