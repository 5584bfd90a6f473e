//! Captures: from a register or a kept word along a path to a value in the record.
//!
//! Decides: how a path is followed and how its value is copied.
//! Trusts: the plan for offsets, and that what a path starts from is live (I6).
//! Never does: follow nil (I5), or read a string's bytes past its length (I7).
//!
//! Registers: R13 slot, busy (I4); R15 record; R12 where the next string goes; RAX, RCX, RDX and
//! X15 work, all of them given back by the hook (I1). Each store goes to the record, in which the
//! hook reserved room for the longest value (I7).

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::Emitter;
use super::record::field;
use crate::arena::slot;
use crate::asm::at;
use crate::plan::{CapturePlan, Leaf, Path, Root, Step, TypeData, descriptor};
use gopatch_protocol::wire::record;

/// Offset in an itab of the pointer to `abi.Type` (`abi.ITab.Type`, Go's
/// `src/internal/abi/iface.go`).
pub(super) const ITAB_TYPE: i32 = 8;

impl Emitter<'_> {
    /// Captures value `index`: that of the first path that can be followed to its end.
    pub(super) fn capture(&mut self, index: usize, capture: &CapturePlan) -> Result<(), IcedError> {
        let word = field(record::WORDS + 8 * index);
        let mut done = self.asm.create_label();
        for path in &capture.paths {
            let mut fails = self.asm.create_label();
            self.follow(path, fails)?;
            self.leaf(path, word, fails)?;
            let asm = &mut *self.asm;
            if path.can_fail() {
                asm.or(dword_ptr(r15 + field(record::PRESENT)), (1u32 << index) as i32)?;
                asm.jmp(done)?;
                asm.set_label(&mut fails)?;
            } else {
                // No further path is needed.
                break;
            }
        }
        let asm = &mut *self.asm;
        if !capture.always_present() {
            // No path could be followed. The ring is reused memory, so store zero.
            asm.mov(qword_ptr(r15 + word), 0)?;
        }
        asm.set_label(&mut done)?;
        asm.zero_bytes()
    }

    /// RAX = the pointer from which the leaf is read, or the value itself (with RDX, its second
    /// word); goes to `fails` at nil or another type. Uses RCX and RDX.
    pub(super) fn follow(&mut self, path: &Path, fails: CodeLabel) -> Result<(), IcedError> {
        match path.root {
            Root::Value { first, second } => {
                if let Some(second) = second {
                    self.load(rdx, second)?;
                }
                self.load(rax, first)?;
                if first.is_kept() {
                    self.asm.cmp(byte_ptr(r13 + slot::KEPT), 0)?;
                    self.asm.je(fails)?;
                    if second.is_some() {
                        // I6: of bytes on the goroutine's stack the length was kept and the pointer
                        // was not.
                        let mut empty = self.asm.create_label();
                        self.asm.test(rdx, rdx)?;
                        self.asm.je(empty)?;
                        self.guard_nil(fails)?;
                        self.asm.set_label(&mut empty)?;
                        self.asm.zero_bytes()?;
                    }
                }
                return Ok(());
            }
            Root::Constant(number) => return self.asm.mov(rax, number),
            Root::Frame(offset) => return self.asm.lea(rax, ptr(rsp + 8 + self.depth + offset)),
            Root::Pointer(source) => self.load(rax, source)?,
            Root::Interface { tab, data, empty, type_va } => {
                self.load(rcx, tab)?;
                self.compare_type(empty, type_va, fails)?;
                self.load(rax, data)?;
            }
        }
        // I5: RAX is compared with nil before each step, and once more before the leaf.
        for step in &path.steps {
            self.guard_nil(fails)?;
            match *step {
                Step::Load { offset } => self.asm.mov(rax, qword_ptr(rax + offset))?,
                Step::Assert { offset, empty, type_va } => {
                    self.asm.mov(rcx, qword_ptr(rax + offset))?;
                    self.compare_type(empty, type_va, fails)?;
                    self.asm.mov(rax, qword_ptr(rax + offset + 8))?;
                }
            }
        }
        self.guard_nil(fails)
    }

    /// Goes to `fails` if RAX is nil (I5).
    fn guard_nil(&mut self, fails: CodeLabel) -> Result<(), IcedError> {
        self.asm.test(rax, rax)?;
        self.asm.je(fails)
    }

    /// Goes to `fails` unless the interface word in RCX stands for the type at `type_va`. Uses RDX.
    /// Follows RCX only if it is an itab, and not nil (I5).
    fn compare_type(&mut self, empty: bool, type_va: u64, fails: CodeLabel) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.lea(rdx, at(type_va))?;
        if empty {
            asm.cmp(rcx, rdx)?;
        } else {
            asm.test(rcx, rcx)?;
            asm.je(fails)?;
            asm.cmp(qword_ptr(rcx + ITAB_TYPE), rdx)?;
        }
        asm.jne(fails)
    }

    /// Reads the leaf from RAX, not nil if it is in memory (I5), and stores its word (and a
    /// string's bytes) into the record. Uses RCX and RDX.
    fn leaf(&mut self, path: &Path, word: i32, fails: CodeLabel) -> Result<(), IcedError> {
        let in_register = matches!(path.root, Root::Value { .. } | Root::Constant(_));
        let asm = &mut *self.asm;
        match path.leaf {
            Leaf::Int { size, signed } => {
                let memory = rax + path.offset;
                match (in_register, size, signed) {
                    // The ABI leaves the upper bits of a register that holds a small value
                    // unspecified.
                    (true, 1, true) => asm.movsx(rax, al)?,
                    (true, 1, false) => asm.movzx(eax, al)?,
                    (true, 2, true) => asm.movsx(rax, ax)?,
                    (true, 2, false) => asm.movzx(eax, ax)?,
                    (true, 4, true) => asm.movsxd(rax, eax)?,
                    (true, 4, false) => asm.mov(eax, eax)?,
                    (true, ..) => {}
                    (false, 1, true) => asm.movsx(rax, byte_ptr(memory))?,
                    (false, 1, false) => asm.movzx(eax, byte_ptr(memory))?,
                    (false, 2, true) => asm.movsx(rax, word_ptr(memory))?,
                    (false, 2, false) => asm.movzx(eax, word_ptr(memory))?,
                    (false, 4, true) => asm.movsxd(rax, dword_ptr(memory))?,
                    (false, 4, false) => asm.mov(eax, dword_ptr(memory))?,
                    (false, ..) => asm.mov(rax, qword_ptr(memory))?,
                }
                asm.mov(qword_ptr(r15 + word), rax)
            }
            Leaf::Nil { is_nil } => {
                asm.xor(ecx, ecx)?;
                if in_register {
                    asm.test(rax, rax)?;
                } else {
                    asm.cmp(qword_ptr(rax + path.offset), 0)?;
                }
                if is_nil {
                    asm.sete(cl)?;
                } else {
                    asm.setne(cl)?;
                }
                asm.mov(qword_ptr(r15 + word), rcx)
            }
            Leaf::String { max } => {
                if !in_register {
                    asm.mov(rdx, qword_ptr(rax + path.offset + 8))?;
                    asm.mov(rax, qword_ptr(rax + path.offset))?;
                }
                self.string(word, max)
            }
            Leaf::Bytes { len, max } => {
                if !in_register {
                    if path.offset != 0 {
                        asm.add(rax, path.offset)?;
                    }
                    asm.mov(edx, len)?;
                    return self.string(word, max);
                }
                asm.mov(byte_ptr(r12), al)?;
                asm.inc(r12)?;
                asm.mov(dword_ptr(r15 + word), 1)?;
                asm.mov(dword_ptr(r15 + word + 4), 1)
            }
            Leaf::TypeName { empty, max, types } => {
                if !in_register {
                    asm.mov(rax, qword_ptr(rax + path.offset))?;
                }
                self.guard_nil(fails)?;
                if !empty {
                    self.asm.mov(rax, qword_ptr(rax + ITAB_TYPE))?;
                }
                self.type_name(word, types, fails)?;
                self.string(word, max)
            }
        }
    }

    /// RAX, RDX = the name, and its length, of the type that RAX points to; goes to `fails` unless
    /// the program's own type data describe it. Uses RCX, and the record's word for want of a
    /// register.
    ///
    /// Follows RAX only if a whole descriptor lies there within the type data, and the name's
    /// offset only if it does too: both are part of the image (I5).
    fn type_name(&mut self, word: i32, types: TypeData, fails: CodeLabel) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        let mut short = asm.create_label();
        asm.lea(rdx, at(types.va))?;
        asm.mov(rcx, rax)?;
        asm.sub(rcx, rdx)?;
        asm.cmp(rcx, types.size.saturating_sub(descriptor::COMMON as u32) as i32)?;
        asm.jae(fails)?;
        // A type without a name has 0.
        asm.mov(ecx, dword_ptr(rax + descriptor::NAME))?;
        asm.test(ecx, ecx)?;
        asm.je(fails)?;
        asm.cmp(ecx, types.size as i32)?;
        asm.jae(fails)?;
        // 1 if the star that the name begins with is not part of it. There is no register left for
        // it.
        asm.movzx(eax, byte_ptr(rax + descriptor::FLAGS))?;
        asm.shr(eax, descriptor::EXTRA_STAR.trailing_zeros())?;
        asm.and(eax, 1)?;
        asm.mov(qword_ptr(r15 + word), rax)?;
        // After the name's flags, its length: one byte, or two of seven bits each, the low ones
        // first.
        asm.lea(rdx, ptr(rdx + rcx + 1))?;
        asm.movzx(ecx, byte_ptr(rdx))?;
        asm.inc(rdx)?;
        asm.test(cl, cl)?;
        asm.jns(short)?;
        asm.movzx(eax, byte_ptr(rdx))?;
        asm.inc(rdx)?;
        asm.test(al, al)?;
        asm.js(fails)?;
        asm.shl(eax, 7)?;
        asm.and(ecx, 0x7f)?;
        asm.or(ecx, eax)?;
        asm.set_label(&mut short)?;
        asm.mov(rax, qword_ptr(r15 + word))?;
        asm.sub(rcx, rax)?;
        asm.jb(fails)?;
        asm.add(rax, rdx)?;
        asm.mov(rdx, rcx)
    }

    /// Copies the string at RAX of RDX bytes to R12 (at most `max` bytes), advances R12, and stores
    /// both lengths.
    ///
    /// Reads and writes only within the bytes that are copied (I7): blocks overlap at the end
    /// instead of running past it. Nil has length 0, so none of its bytes are read (I5). Uses RCX
    /// and X15.
    fn string(&mut self, word: i32, max: u16) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        let mut fits_u32 = asm.create_label();
        let mut fits = asm.create_label();
        let mut small = asm.create_label();
        let mut block = asm.create_label();
        let mut four = asm.create_label();
        let mut bytes = asm.create_label();
        let mut done = asm.create_label();

        // Full length, clamped to 32 bits (a length is never negative).
        asm.mov(ecx, -1)?;
        asm.cmp(rdx, rcx)?;
        asm.jbe(fits_u32)?;
        asm.mov(edx, ecx)?;
        asm.set_label(&mut fits_u32)?;
        asm.mov(dword_ptr(r15 + word + 4), edx)?;
        asm.cmp(edx, i32::from(max))?;
        asm.jbe(fits)?;
        asm.mov(edx, i32::from(max))?;
        asm.set_label(&mut fits)?;
        asm.mov(dword_ptr(r15 + word), edx)?;

        asm.cmp(edx, 16)?;
        asm.jb(small)?;
        asm.movups(xmm15, xmmword_ptr(rax + rdx - 16))?;
        asm.movups(xmmword_ptr(r12 + rdx - 16), xmm15)?;
        // The rest, in whole blocks from the start, the highest first.
        asm.lea(ecx, ptr(rdx - 1))?;
        asm.and(ecx, -16)?;
        asm.je(done)?;
        asm.set_label(&mut block)?;
        asm.movups(xmm15, xmmword_ptr(rax + rcx - 16))?;
        asm.movups(xmmword_ptr(r12 + rcx - 16), xmm15)?;
        asm.sub(ecx, 16)?;
        asm.jne(block)?;
        asm.jmp(done)?;

        asm.set_label(&mut small)?;
        asm.cmp(edx, 8)?;
        asm.jb(four)?;
        asm.mov(rcx, qword_ptr(rax + rdx - 8))?;
        asm.mov(qword_ptr(r12 + rdx - 8), rcx)?;
        asm.mov(rcx, qword_ptr(rax))?;
        asm.mov(qword_ptr(r12), rcx)?;
        asm.jmp(done)?;

        asm.set_label(&mut four)?;
        asm.cmp(edx, 4)?;
        asm.jb(bytes)?;
        asm.mov(ecx, dword_ptr(rax + rdx - 4))?;
        asm.mov(dword_ptr(r12 + rdx - 4), ecx)?;
        asm.mov(ecx, dword_ptr(rax))?;
        asm.mov(dword_ptr(r12), ecx)?;
        asm.jmp(done)?;

        // One to three bytes: the first, the middle and the last cover them.
        asm.set_label(&mut bytes)?;
        asm.test(edx, edx)?;
        asm.je(done)?;
        asm.movzx(ecx, byte_ptr(rax))?;
        asm.mov(byte_ptr(r12), cl)?;
        asm.movzx(ecx, byte_ptr(rax + rdx - 1))?;
        asm.mov(byte_ptr(r12 + rdx - 1), cl)?;
        asm.mov(ecx, edx)?;
        asm.shr(ecx, 1)?;
        asm.movzx(eax, byte_ptr(rax + rcx))?;
        asm.mov(byte_ptr(r12 + rcx), al)?;

        asm.set_label(&mut done)?;
        asm.add(r12, rdx)
    }
}
