//! The filter: whether a call is one that the rule wants, found out before the hook pays for
//! anything (I9).
//!
//! Decides: how a condition is evaluated, and how a sample is drawn.
//! Trusts: the plan for offsets, and that what a path starts from is live (I6).
//! Never does: borrow a register, make the slot busy, read the clock, follow nil (I5), read a
//! string's bytes past its length (I7).
//!
//! Registers: R12, R13, R15 and the flags, which are scratch at both ends of a call (I1), so every
//! argument and result is still where the program put it. R12 is the pointer followed so far, then
//! the value; R13 and R15 are what it is compared with.
//!
//! # The sample
//!
//! Each P has its own generator in its slot, so that no two Ps write to one line: x := a * x + c
//! modulo 2^64, which has the full period from any start; the high half is the random number. The
//! tick starts each P's generator at a different place whenever it maps the P's ring.
//!
//! The slot is used here without `BUSY`. That byte guards the mappings that the slot points to
//! (I4), and none is touched: the slot itself is part of the image and is never unmapped. The
//! generator's writers are the one thread that holds the P (I3), also from a signal handler (I13),
//! and the tick, which may write at the same time if an earlier session enabled this hook. All use
//! plain stores of eight aligned bytes, and each result is a valid state.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::capture::ITAB_TYPE;
use super::{Emitter, register};
use crate::arena::{SLOT_SHIFT, slot};
use crate::asm::at;
use crate::plan::filter::{Condition, Order, Relation, Test};
use crate::plan::{Leaf, Path, Root, Source, Step};
use gopatch_protocol::wire::MAX_RINGS;

/// Multiplier of the generator, Knuth's (The Art of Computer Programming, volume 2, 3.3.4).
const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
/// Its increment: any odd number.
const INCREMENT: i32 = 0x3C6E_F35F;

impl Emitter<'_> {
    /// Goes to `out` unless the call is to be recorded. Uses R12, R13 and R15 (I1).
    pub(super) fn filter(&mut self, out: CodeLabel) -> Result<(), IcedError> {
        if let Some(condition) = &self.plan.filter.condition {
            self.jump_if(condition, false, out)?;
        }
        match self.plan.filter.sample_below {
            Some(below) => self.draw(below, out),
            None => Ok(()),
        }
    }

    /// Goes to `target` if the condition evaluates to `outcome`, else falls through.
    fn jump_if(&mut self, condition: &Condition, outcome: bool, target: CodeLabel) -> Result<(), IcedError> {
        let (parts, decisive) = match condition {
            Condition::Test(test) => return self.test(test, outcome, target),
            Condition::Not(inner) => return self.jump_if(inner, !outcome, target),
            Condition::All(parts) => (parts, false),
            Condition::Any(parts) => (parts, true),
        };
        // The first part that evaluates to `decisive` decides the whole.
        if outcome == decisive {
            return parts.iter().try_for_each(|part| self.jump_if(part, outcome, target));
        }
        let mut decided = self.asm.create_label();
        let Some((last, first)) = parts.split_last() else { return self.asm.jmp(target) };
        first.iter().try_for_each(|part| self.jump_if(part, decisive, decided))?;
        self.jump_if(last, outcome, target)?;
        self.asm.set_label(&mut decided)?;
        self.asm.zero_bytes()
    }

    /// The same for a comparison, which is false if none of its paths leads to a value.
    fn test(&mut self, test: &Test, outcome: bool, target: CodeLabel) -> Result<(), IcedError> {
        let mut done = self.asm.create_label();
        // No path is needed after the first that cannot fail.
        let needed = test.paths.iter().position(|path| !path.can_fail()).map_or(test.paths.len(), |last| last + 1);
        for (index, path) in test.paths.iter().enumerate().take(needed) {
            if index + 1 == needed {
                self.walk(path, if outcome { done } else { target })?;
                self.compare(path, &test.relation, outcome, target)?;
                break;
            }
            let mut next = self.asm.create_label();
            self.walk(path, next)?;
            self.compare(path, &test.relation, outcome, target)?;
            self.asm.jmp(done)?;
            self.asm.set_label(&mut next)?;
            self.asm.zero_bytes()?;
        }
        self.asm.set_label(&mut done)?;
        self.asm.zero_bytes()
    }

    /// R12 = the pointer from which the leaf is read, not nil (I5), or the constant. Leaves R12
    /// alone if the value itself is in registers or on the stack. Goes to `fails` at nil or another
    /// type. Uses R13 and R15.
    pub(super) fn walk(&mut self, path: &Path, fails: CodeLabel) -> Result<(), IcedError> {
        match path.root {
            Root::Value { .. } => return Ok(()),
            Root::Constant(number) => return self.asm.mov(r12, number),
            Root::Frame(offset) => return self.asm.lea(r12, ptr(rsp + 8 + self.depth + offset)),
            Root::Pointer(source) => self.fetch(r12, source)?,
            Root::Interface { tab, data, empty, type_va } => {
                self.fetch(r13, tab)?;
                self.is_of_type(empty, type_va, fails)?;
                self.fetch(r12, data)?;
            }
        }
        for step in &path.steps {
            self.guard(fails)?;
            match *step {
                Step::Load { offset } => self.asm.mov(r12, qword_ptr(r12 + offset))?,
                Step::Assert { offset, empty, type_va } => {
                    self.asm.mov(r13, qword_ptr(r12 + offset))?;
                    self.is_of_type(empty, type_va, fails)?;
                    self.asm.mov(r12, qword_ptr(r12 + offset + 8))?;
                }
            }
        }
        self.guard(fails)
    }

    /// Loads a source from where the program put it: no register is borrowed yet (I1). Reads only
    /// the caller's frame (I2).
    pub(super) fn fetch(&mut self, target: AsmRegister64, source: Source) -> Result<(), IcedError> {
        match source {
            Source::Register(gpr) => self.asm.mov(target, register(gpr)),
            Source::Stack(offset) => self.asm.mov(target, qword_ptr(rsp + 8 + self.depth + offset)),
            // The patcher never plans this. Nil is never followed (I5).
            Source::Kept(_) => self.asm.xor(target, target),
        }
    }

    /// Goes to `fails` if R12 is nil (I5).
    fn guard(&mut self, fails: CodeLabel) -> Result<(), IcedError> {
        self.asm.test(r12, r12)?;
        self.asm.je(fails)
    }

    /// Goes to `fails` unless the interface word in R13 stands for the type at `type_va`. Uses R15.
    /// Follows R13 only if it is an itab, and not nil (I5).
    fn is_of_type(&mut self, empty: bool, type_va: u64, fails: CodeLabel) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.lea(r15, at(type_va))?;
        if empty {
            asm.cmp(r13, r15)?;
        } else {
            asm.test(r13, r13)?;
            asm.je(fails)?;
            asm.cmp(qword_ptr(r13 + ITAB_TYPE), r15)?;
        }
        asm.jne(fails)
    }

    /// Goes to `target` if the comparison of the value gives `outcome`, else falls through. Uses
    /// R12 and R13.
    fn compare(&mut self, path: &Path, relation: &Relation, outcome: bool, target: CodeLabel) -> Result<(), IcedError> {
        match (relation, path.leaf) {
            (Relation::Text { bytes, prefix, is }, _) => self.text(path, bytes, *prefix, outcome == *is, target),
            (_, Leaf::Nil { is_nil }) => {
                match path.root {
                    Root::Value { first, .. } => {
                        self.fetch(r12, first)?;
                        self.asm.test(r12, r12)?;
                    }
                    _ => self.asm.cmp(qword_ptr(r12 + path.offset), 0)?,
                }
                let order = if outcome == is_nil { Order::Equal } else { Order::NotEqual };
                self.jump_by(order, false, target)
            }
            (Relation::Number { order, constant }, Leaf::Int { size, signed }) => {
                self.integer(path, size, signed)?;
                if let Ok(constant) = i32::try_from(*constant) {
                    self.asm.cmp(r12, constant)?;
                } else {
                    self.asm.mov(r13, *constant)?;
                    self.asm.cmp(r12, r13)?;
                }
                self.jump_by(if outcome { *order } else { order.opposite() }, signed, target)
            }
            // The patcher never plans this: a comparison without a meaning is false.
            _ if outcome => Ok(()),
            _ => self.asm.jmp(target),
        }
    }

    /// R12 = the integer. The ABI leaves the upper bits of a register that holds a small value
    /// unspecified.
    fn integer(&mut self, path: &Path, size: u8, signed: bool) -> Result<(), IcedError> {
        if let Root::Value { first, .. } = path.root {
            self.fetch(r12, first)?;
            let asm = &mut *self.asm;
            return match (size, signed) {
                (1, true) => asm.movsx(r12, r12b),
                (1, false) => asm.movzx(r12d, r12b),
                (2, true) => asm.movsx(r12, r12w),
                (2, false) => asm.movzx(r12d, r12w),
                (4, true) => asm.movsxd(r12, r12d),
                (4, false) => asm.mov(r12d, r12d),
                _ => Ok(()),
            };
        }
        if matches!(path.root, Root::Constant(_)) {
            return Ok(());
        }
        let (asm, memory) = (&mut *self.asm, r12 + path.offset);
        match (size, signed) {
            (1, true) => asm.movsx(r12, byte_ptr(memory)),
            (1, false) => asm.movzx(r12d, byte_ptr(memory)),
            (2, true) => asm.movsx(r12, word_ptr(memory)),
            (2, false) => asm.movzx(r12d, word_ptr(memory)),
            (4, true) => asm.movsxd(r12, dword_ptr(memory)),
            (4, false) => asm.mov(r12d, dword_ptr(memory)),
            _ => asm.mov(r12, qword_ptr(memory)),
        }
    }

    /// Goes to `target` if the preceding comparison found its operands in this order.
    fn jump_by(&mut self, order: Order, signed: bool, target: CodeLabel) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        match (order, signed) {
            (Order::Equal, _) => asm.je(target),
            (Order::NotEqual, _) => asm.jne(target),
            (Order::Less, true) => asm.jl(target),
            (Order::Less, false) => asm.jb(target),
            (Order::LessOrEqual, true) => asm.jle(target),
            (Order::LessOrEqual, false) => asm.jbe(target),
            (Order::Greater, true) => asm.jg(target),
            (Order::Greater, false) => asm.ja(target),
            (Order::GreaterOrEqual, true) => asm.jge(target),
            (Order::GreaterOrEqual, false) => asm.jae(target),
        }
    }

    /// Goes to `target` if the string equals these bytes (or begins with them), or, without
    /// `on_match`, if it does not; else falls through. Compares the length first, so that only
    /// bytes within it are read (I7): none of nil's, whose length is 0 (I5). Uses R12 and R13.
    fn text(
        &mut self,
        path: &Path,
        bytes: &[u8],
        prefix: bool,
        on_match: bool,
        target: CodeLabel,
    ) -> Result<(), IcedError> {
        let mut differs = self.asm.create_label();
        let otherwise = if on_match { differs } else { target };
        match path.root {
            Root::Value { second, .. } => match second {
                Some(second) => self.fetch(r13, second)?,
                None => self.asm.xor(r13, r13)?,
            },
            _ => self.asm.mov(r13, qword_ptr(r12 + path.offset + 8))?,
        }
        self.asm.cmp(r13, bytes.len() as i32)?;
        if prefix {
            self.asm.jb(otherwise)?;
        } else {
            self.asm.jne(otherwise)?;
        }
        match path.root {
            Root::Value { first, .. } => self.fetch(r12, first)?,
            _ => self.asm.mov(r12, qword_ptr(r12 + path.offset))?,
        }
        let mut offset = 0;
        while let Some((piece, size)) = piece(&bytes[offset..]) {
            let (asm, memory) = (&mut *self.asm, r12 + offset as i32);
            match size {
                8 => {
                    asm.mov(r13, piece)?;
                    asm.cmp(qword_ptr(memory), r13)?;
                }
                4 => asm.cmp(dword_ptr(memory), piece as u32)?,
                2 => {
                    // Not a 16-bit constant: its length-changing prefix stalls the processor's
                    // decoder.
                    asm.movzx(r13d, word_ptr(memory))?;
                    asm.cmp(r13d, piece as u32)?;
                }
                _ => asm.cmp(byte_ptr(memory), piece as u32)?,
            }
            asm.jne(otherwise)?;
            offset += size;
        }
        if on_match {
            self.asm.jmp(target)?;
        }
        self.asm.set_label(&mut differs)?;
        self.asm.zero_bytes()
    }

    /// Goes to `out` unless the P's next random number is less than `below`. Uses R12 and R13.
    /// Follows g and `g.m`, which are never nil, and `m.p`, which is checked (I5).
    fn draw(&mut self, below: u32, out: CodeLabel) -> Result<(), IcedError> {
        let mut drawn = self.asm.create_label();
        let (asm, offsets) = (&mut *self.asm, self.offsets);
        asm.mov(r12, qword_ptr(r14 + offsets.g_m))?;
        asm.mov(r12, qword_ptr(r12 + offsets.m_p))?;
        // Without a P there will be no record (I3).
        asm.test(r12, r12)?;
        asm.je(out)?;
        asm.mov(r12d, dword_ptr(r12 + offsets.p_id))?;
        // This P has no slot (I5): all of its calls are counted as lost, whether the draw would
        // have chosen them or not.
        asm.cmp(r12d, MAX_RINGS)?;
        asm.jae(drawn)?;
        asm.shl(r12d, SLOT_SHIFT)?;
        asm.lea(r13, at(self.arena.slots()))?;
        asm.add(r12, r13)?;
        asm.mov(r13, MULTIPLIER)?;
        asm.imul_2(r13, qword_ptr(r12 + slot::RANDOM))?;
        asm.add(r13, INCREMENT)?;
        asm.mov(qword_ptr(r12 + slot::RANDOM), r13)?;
        asm.shr(r13, 32)?;
        asm.cmp(r13d, below)?;
        asm.jae(out)?;
        asm.set_label(&mut drawn)?;
        asm.zero_bytes()
    }
}

/// The first 8, 4, 2 or 1 of the bytes, as a number, and how many they are.
fn piece(bytes: &[u8]) -> Option<(u64, usize)> {
    let size = [8, 4, 2, 1].into_iter().find(|size| *size <= bytes.len())?;
    let mut piece = [0; 8];
    piece[..size].copy_from_slice(&bytes[..size]);
    Some((u64::from_le_bytes(piece), size))
}
