//! Contexts and their index.
//!
//! Decides: which context a call gets, and where a key's handle lies.
//! Trusts: nothing in the index (C3). Never does: wait (C4), or touch memory outside the arena.
//!
//! # Contexts
//!
//! A P keeps the context that it gave back last, reserved for the next call on it: most calls need
//! no locked instruction for a context. Other contexts are claimed by compare-and-swap, at random
//! places. A call that never ends, as a panic has left it and no boundary closes it, keeps its context
//! until another call takes it over: not before it is [`context::OLD`], by its time stamp.
//!
//! **Giving back.** A call's own context is given back by a plain store while it is younger than
//! [`context::AGING`], since then no other thread takes it over: the difference of the two limits,
//! some seconds, is more than the time stamp counters of two processors differ. Later it is given back
//! by compare-and-swap.
//!
//! # The index
//!
//! Open addressing within a bucket. A key's place is the first in its bucket that has the key, or is
//! free, or has a handle of a call that is over. Nothing removes keys: a handle that is over makes
//! its place usable.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::Emitter;
use crate::arena::{SLOT_SHIFT, context, slot};
use crate::asm::{GOLDEN, at};
use crate::plan::Root;
use crate::plan::context::Word;
use gopatch_protocol::wire::context::Event;

/// What to do if the key has a handle of an open call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Take its place.
    Replace,
    /// Leave it to a call of another goroutine, and have neither written.
    Share,
}

/// Attempts to change a place.
const ATTEMPTS: u32 = 4;

impl Emitter<'_> {
    /// R12 = the bucket of the key in R15. Uses RDX.
    fn bucket(&mut self) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.mov(r12, GOLDEN)?;
        asm.imul_2(r12, r15)?;
        asm.shr(r12, 64 - context::BUCKETS.trailing_zeros())?;
        asm.shl(r12, context::BUCKET_SHIFT)?;
        asm.lea(rdx, at(self.arena.context_index()))?;
        asm.add(r12, rdx)
    }

    /// RAX = the handle of the key in R15; goes to `none` if it has none. Uses RDX, R12 and X15.
    pub(super) fn look_up(&mut self, none: CodeLabel) -> Result<(), IcedError> {
        let mut found = self.asm.create_label();
        self.bucket()?;
        let asm = &mut *self.asm;
        for place in 0..context::PLACES {
            if place > 0 {
                asm.add(r12, 16)?;
            }
            asm.cmp(qword_ptr(r12), r15)?;
            asm.je(found)?;
        }
        asm.jmp(none)?;
        // C3: both at once. Places are aligned.
        asm.set_label(&mut found)?;
        asm.movaps(xmm15, xmmword_ptr(r12))?;
        asm.movq(rdx, xmm15)?;
        asm.psrldq(xmm15, 8)?;
        asm.movq(rax, xmm15)?;
        asm.cmp(rdx, r15)?;
        asm.jne(none)?;
        asm.cmp(qword_ptr(r12), r15)?;
        asm.jne(none)
    }

    /// RCX = the context of the open call with the handle in RAX; goes to `none` if there is no such
    /// call (C1). Uses RDX.
    pub(super) fn context_of(&mut self, none: CodeLabel) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.test(rax, rax)?;
        asm.je(none)?;
        asm.mov(ecx, eax)?;
        asm.and(ecx, context::ENTRIES as i32 - 1)?;
        asm.shl(ecx, context::ENTRY_SHIFT)?;
        asm.lea(rdx, at(self.arena.contexts()))?;
        asm.add(rcx, rdx)?;
        asm.mov(rdx, rax)?;
        asm.and(rdx, !(1i32 << context::INHERITED))?;
        asm.cmp(qword_ptr(rcx + context::HANDLE), rdx)?;
        asm.jne(none)
    }

    /// Gives the key in R15 the handle in RSI. Uses RAX, RBX, RCX, RDX, RDI and R12.
    pub(super) fn publish(&mut self, taken: Taken) -> Result<(), IcedError> {
        let mut again = self.asm.create_label();
        let mut same = self.asm.create_label();
        let mut take = self.asm.create_label();
        let mut full = self.asm.create_label();
        let mut done = self.asm.create_label();

        self.asm.mov(dword_ptr(r13 + slot::STEPS), ATTEMPTS)?;
        self.asm.set_label(&mut again)?;
        self.asm.dec(dword_ptr(r13 + slot::STEPS))?;
        self.asm.js(full)?;
        self.bucket()?;
        let asm = &mut *self.asm;
        for place in 0..context::PLACES {
            if place > 0 {
                asm.add(r12, 16)?;
            }
            asm.cmp(qword_ptr(r12), r15)?;
            asm.je(same)?;
        }
        asm.sub(r12, 16 * (context::PLACES as i32 - 1))?;
        for place in 0..context::PLACES {
            if place > 0 {
                self.asm.add(r12, 16)?;
            }
            // RBX, RDI = key and handle that may give way. That they belong together is compared
            // when they do.
            let asm = &mut *self.asm;
            asm.mov(rbx, qword_ptr(r12))?;
            asm.mov(rdi, qword_ptr(r12 + 8))?;
            asm.mov(rax, rdi)?;
            self.context_of(take)?;
        }
        self.asm.jmp(full)?;

        let asm = &mut *self.asm;
        asm.set_label(&mut same)?;
        asm.mov(rbx, r15)?;
        asm.mov(rdi, qword_ptr(r12 + 8))?;
        if taken == Taken::Share {
            self.asm.mov(rax, rdi)?;
            self.context_of(take)?;
            let asm = &mut *self.asm;
            asm.mov(rax, qword_ptr(r14 + self.offsets.g_goid))?;
            asm.cmp(qword_ptr(rcx + context::GOID), rax)?;
            asm.je(take)?;
            // If that call ends now, another may have its context, and be left out once.
            asm.mov(dword_ptr(rcx + context::SHARED), 1)?;
            self.count(Event::Shared)?;
            self.asm.jmp(done)?;
        }
        let asm = &mut *self.asm;
        asm.set_label(&mut take)?;
        asm.mov(rax, rbx)?;
        asm.mov(rdx, rdi)?;
        asm.mov(rbx, r15)?;
        asm.mov(rcx, rsi)?;
        asm.lock().cmpxchg16b(xmmword_ptr(r12))?;
        asm.jne(again)?;
        asm.jmp(done)?;
        asm.set_label(&mut full)?;
        self.count(Event::Full)?;
        self.asm.set_label(&mut done)?;
        self.asm.zero_bytes()
    }

    /// RSI = a context for this call, with its handle; goes to `full` if there is none. Uses RAX,
    /// RCX, RDX, RDI and R12.
    pub(super) fn make_context(&mut self, full: CodeLabel) -> Result<(), IcedError> {
        let mut claim = self.asm.create_label();
        let mut next = self.asm.create_label();
        let mut free = self.asm.create_label();
        let mut made = self.asm.create_label();
        let asm = &mut *self.asm;
        // C1: R12 = handle without index.
        asm.lea(rdx, at(self.arena.slots()))?;
        asm.mov(rcx, r13)?;
        asm.sub(rcx, rdx)?;
        asm.shl(rcx, context::P_BIT - SLOT_SHIFT)?;
        asm.mov(r12, 1u64 << context::COUNT_BIT)?;
        asm.add(r12, qword_ptr(r13 + slot::HANDLES))?;
        asm.mov(qword_ptr(r13 + slot::HANDLES), r12)?;
        asm.or(r12, rcx)?;
        asm.mov(eax, dword_ptr(r13 + slot::STASH))?;
        asm.sub(eax, 1)?;
        asm.jb(claim)?;
        // It is this P's (I3): no other thread claims a reserved one.
        asm.mov(dword_ptr(r13 + slot::STASH), 0)?;
        asm.or(r12, rax)?;
        asm.shl(eax, context::ENTRY_SHIFT)?;
        asm.lea(rsi, at(self.arena.contexts()))?;
        asm.add(rsi, rax)?;
        asm.mov(qword_ptr(rsi + context::HANDLE), r12)?;
        asm.jmp(made)?;

        asm.set_label(&mut claim)?;
        asm.mov(dword_ptr(r13 + slot::STEPS), context::TRIES)?;
        asm.set_label(&mut next)?;
        asm.dec(dword_ptr(r13 + slot::STEPS))?;
        asm.js(full)?;
        self.random()?;
        let asm = &mut *self.asm;
        asm.and(eax, context::ENTRIES as i32 - 1)?;
        asm.mov(edi, eax)?;
        asm.shl(eax, context::ENTRY_SHIFT)?;
        asm.lea(rsi, at(self.arena.contexts()))?;
        asm.add(rsi, rax)?;
        asm.mov(rax, qword_ptr(rsi + context::HANDLE))?;
        asm.test(rax, rax)?;
        asm.je(free)?;
        asm.js(next)?;
        asm.mov(rdx, qword_ptr(r13 + slot::TSC))?;
        asm.sub(rdx, qword_ptr(rsi + context::TSC))?;
        asm.sar(rdx, 32)?;
        asm.cmp(rdx, context::OLD)?;
        asm.jl(next)?;
        asm.set_label(&mut free)?;
        asm.or(rdi, r12)?;
        asm.lock().cmpxchg(qword_ptr(rsi + context::HANDLE), rdi)?;
        asm.jne(next)?;
        asm.set_label(&mut made)?;
        asm.mov(rdx, qword_ptr(r13 + slot::TSC))?;
        asm.mov(qword_ptr(rsi + context::TSC), rdx)
    }

    /// Gives back the context in RCX, of a call of this goroutine with the handle in RAX. Uses RAX
    /// and RDX.
    pub(super) fn give_back(&mut self) -> Result<(), IcedError> {
        let mut aged = self.asm.create_label();
        let mut plain = self.asm.create_label();
        let mut done = self.asm.create_label();
        let asm = &mut *self.asm;
        asm.mov(rdx, qword_ptr(r13 + slot::TSC))?;
        asm.sub(rdx, qword_ptr(rcx + context::TSC))?;
        asm.sar(rdx, 32)?;
        asm.cmp(rdx, context::AGING)?;
        asm.jge(aged)?;
        asm.cmp(dword_ptr(r13 + slot::STASH), 0)?;
        asm.jne(plain)?;
        asm.and(eax, context::ENTRIES as i32 - 1)?;
        asm.inc(eax)?;
        asm.mov(dword_ptr(r13 + slot::STASH), eax)?;
        asm.mov(qword_ptr(rcx + context::HANDLE), context::RESERVED)?;
        asm.jmp(done)?;
        asm.set_label(&mut plain)?;
        asm.mov(qword_ptr(rcx + context::HANDLE), context::FREE)?;
        asm.jmp(done)?;
        asm.set_label(&mut aged)?;
        asm.xor(edx, edx)?;
        asm.lock().cmpxchg(qword_ptr(rcx + context::HANDLE), rdx)?;
        asm.set_label(&mut done)?;
        asm.zero_bytes()
    }

    /// Goes to `none` unless the index has the word at the end of a path as a key. Uses R12, R13
    /// and R15, before the slot is taken (I9). What it has found may be over by the time that the
    /// slot is.
    pub(super) fn glance(&mut self, word: &Word, tag: u64, none: CodeLabel) -> Result<(), IcedError> {
        let Word { path, is_address } = word;
        self.walk(path, none)?;
        match path.root {
            Root::Value { first, .. } => self.fetch(r12, first)?,
            Root::Constant(_) => {}
            _ if *is_address => {}
            _ => self.asm.mov(r12, qword_ptr(r12 + path.offset))?,
        }
        self.glance_at_r12(tag, none)
    }

    /// The same for the word in R12.
    pub(super) fn glance_at_r12(&mut self, tag: u64, none: CodeLabel) -> Result<(), IcedError> {
        let mut found = self.asm.create_label();
        let asm = &mut *self.asm;
        asm.mov(r15, tag << context::TAG_BIT)?;
        asm.or(r15, r12)?;
        asm.mov(r12, GOLDEN)?;
        asm.imul_2(r12, r15)?;
        asm.shr(r12, 64 - context::BUCKETS.trailing_zeros())?;
        asm.shl(r12, context::BUCKET_SHIFT)?;
        asm.lea(r13, at(self.arena.context_index()))?;
        for place in 0..context::PLACES {
            asm.cmp(qword_ptr(r12 + r13 + 16 * place), r15)?;
            asm.je(found)?;
        }
        asm.jmp(none)?;
        asm.set_label(&mut found)?;
        asm.zero_bytes()
    }
}
