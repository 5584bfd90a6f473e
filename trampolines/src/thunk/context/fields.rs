//! Header fields in a map of Go's.
//!
//! Decides: where the values of a field lie.
//! Trusts: the layout of maps in this version of Go. Never does: hash, write, or look at more than
//! [`SLOTS`] entries.
//!
//! A map of header fields is small, so it is searched entry by entry, which needs no hash. Names are
//! compared without regard to case.
//!
//! **Why it cannot fault (I5).** Pointers are compared with nil. While PC is in a thunk the garbage
//! collector cannot finish a phase, so what a pointer led to when it was loaded stays allocated (I3). Of
//! a map that another goroutine is changing, which Go forbids and the map's flag shows, nothing is
//! followed; and the two words that must agree, the directory and its length, are loaded again after
//! both were loaded.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::Emitter;
use crate::plan::context::MapLayout;

/// Most entries of a map that is searched.
const SLOTS: u32 = 128;

/// Entries of a group, and of a bucket.
const ENTRIES: u32 = 8;

/// `internal/runtime/maps` of Go 1.24 to 1.27: `Map`, `table`, and a group of a
/// `map[string][]string`: eight bytes that say which entries are used, then keys with their values.
mod groups {
    pub(super) const USED: i32 = 0;
    pub(super) const DIRECTORY: i32 = 16;
    pub(super) const DIRECTORY_LENGTH: i32 = 24;
    pub(super) const WRITING: i32 = 34;
    pub(super) const TABLE_GROUPS: i32 = 16;
    pub(super) const TABLE_MASK: i32 = 24;
    pub(super) const ENTRY: i32 = 40;
    pub(super) const VALUE: i32 = 16;
    pub(super) const BYTES: i32 = 8 + 8 * ENTRY;
}

/// `runtime.hmap` and a bucket of a `map[string][]string`: eight bytes, eight keys, eight values, and the
/// next bucket (Go's `src/runtime/map.go`, 1.18 to 1.23).
mod buckets {
    pub(super) const COUNT: i32 = 0;
    pub(super) const FLAGS: i32 = 8;
    pub(super) const WRITING: i32 = 4;
    pub(super) const B: i32 = 9;
    pub(super) const BUCKETS: i32 = 16;
    pub(super) const OLD: i32 = 24;
    pub(super) const FIRST_FULL: i32 = 5;
    pub(super) const KEYS: i32 = 8;
    pub(super) const VALUES: i32 = KEYS + 8 * 16;
    pub(super) const NEXT: i32 = VALUES + 8 * 24;
    pub(super) const BYTES: i32 = NEXT + 8;
}

impl Emitter<'_> {
    /// RAX, RCX = the values of a field, and how many there are, in the map in RAX; goes to `none`
    /// if it has no such field, to `unreadable` if that cannot be known. `name` is in lower case and has
    /// 10 or 11 letters. Uses RBX, RDX, RDI, R12 and R15.
    pub(super) fn find_field(
        &mut self,
        layout: MapLayout,
        name: &[u8],
        none: CodeLabel,
        unreadable: CodeLabel,
    ) -> Result<(), IcedError> {
        self.asm.test(rax, rax)?;
        self.asm.je(none)?;
        match layout {
            MapLayout::Groups => self.find_in_groups(name, none, unreadable),
            MapLayout::Buckets => self.find_in_buckets(name, none, unreadable),
        }
    }

    fn find_in_groups(&mut self, name: &[u8], none: CodeLabel, unreadable: CodeLabel) -> Result<(), IcedError> {
        let mut table = self.asm.create_label();
        let mut group = self.asm.create_label();
        let mut entry = self.asm.create_label();
        let mut other = self.asm.create_label();
        let mut last = self.asm.create_label();

        let asm = &mut *self.asm;
        asm.cmp(qword_ptr(rax + groups::USED), 0)?;
        asm.je(none)?;
        asm.mov(rdi, qword_ptr(rax + groups::DIRECTORY))?;
        asm.mov(rcx, qword_ptr(rax + groups::DIRECTORY_LENGTH))?;
        asm.cmp(byte_ptr(rax + groups::WRITING), 0)?;
        asm.jne(unreadable)?;
        asm.cmp(qword_ptr(rax + groups::DIRECTORY), rdi)?;
        asm.jne(unreadable)?;
        asm.test(rdi, rdi)?;
        asm.je(none)?;
        asm.mov(r15d, 1)?;
        asm.test(rcx, rcx)?;
        asm.je(group)?;
        // A directory of one table. Several have hundreds of entries.
        asm.set_label(&mut table)?;
        asm.cmp(rcx, 1)?;
        asm.jne(unreadable)?;
        asm.mov(rdi, qword_ptr(rdi))?;
        asm.test(rdi, rdi)?;
        asm.je(none)?;
        asm.mov(r15, qword_ptr(rdi + groups::TABLE_MASK))?;
        asm.cmp(r15, (SLOTS / ENTRIES - 1) as i32)?;
        asm.ja(unreadable)?;
        asm.inc(r15d)?;
        asm.mov(rdi, qword_ptr(rdi + groups::TABLE_GROUPS))?;
        asm.test(rdi, rdi)?;
        asm.je(none)?;

        // RCX = a bit for each used entry of the group in RDI; R15D = groups left.
        asm.set_label(&mut group)?;
        asm.mov(rcx, qword_ptr(rdi))?;
        asm.not(rcx)?;
        asm.mov(rdx, 0x8080_8080_8080_8080u64)?;
        asm.and(rcx, rdx)?;
        asm.je(last)?;
        asm.set_label(&mut entry)?;
        asm.bsf(r12, rcx)?;
        asm.shr(r12d, 3)?;
        asm.lea(r12, ptr(r12 + r12 * 4))?;
        asm.lea(r12, ptr(rdi + r12 * 8 + (groups::BYTES - 8 * groups::ENTRY)))?;
        self.compare_name(name, other)?;
        let asm = &mut *self.asm;
        let mut found = asm.create_label();
        asm.jmp(found)?;
        asm.set_label(&mut other)?;
        asm.lea(rdx, ptr(rcx - 1))?;
        asm.and(rcx, rdx)?;
        asm.jne(entry)?;
        asm.set_label(&mut last)?;
        asm.add(rdi, groups::BYTES)?;
        asm.dec(r15d)?;
        asm.jne(group)?;
        asm.jmp(none)?;
        asm.set_label(&mut found)?;
        asm.mov(rax, qword_ptr(r12 + groups::VALUE))?;
        asm.mov(rcx, qword_ptr(r12 + groups::VALUE + 8))
    }

    fn find_in_buckets(&mut self, name: &[u8], none: CodeLabel, unreadable: CodeLabel) -> Result<(), IcedError> {
        let mut bucket = self.asm.create_label();
        let mut chained = self.asm.create_label();
        let mut entry = self.asm.create_label();
        let mut other = self.asm.create_label();
        let mut found = self.asm.create_label();

        let asm = &mut *self.asm;
        asm.cmp(qword_ptr(rax + buckets::COUNT), 0)?;
        asm.je(none)?;
        asm.cmp(qword_ptr(rax + buckets::COUNT), SLOTS as i32)?;
        asm.ja(unreadable)?;
        asm.test(byte_ptr(rax + buckets::FLAGS), buckets::WRITING)?;
        asm.jne(unreadable)?;
        // Growing: some entries are still in the old buckets.
        asm.cmp(qword_ptr(rax + buckets::OLD), 0)?;
        asm.jne(unreadable)?;
        asm.movzx(ecx, byte_ptr(rax + buckets::B))?;
        asm.cmp(ecx, (SLOTS / ENTRIES).trailing_zeros() as i32)?;
        asm.ja(unreadable)?;
        asm.mov(rdi, qword_ptr(rax + buckets::BUCKETS))?;
        asm.test(rdi, rdi)?;
        asm.je(none)?;
        // R15D = buckets left, without those that are chained to one. In its high half, the
        // buckets left of all.
        asm.mov(r15d, 1)?;
        asm.shl(r15d, cl)?;
        asm.or(r15d, ((2 * SLOTS / ENTRIES) << 16) as i32)?;
        asm.set_label(&mut bucket)?;
        asm.mov(r12, rdi)?;
        asm.set_label(&mut chained)?;
        asm.sub(r15d, 1 << 16)?;
        asm.js(unreadable)?;
        asm.xor(ecx, ecx)?;
        asm.set_label(&mut entry)?;
        asm.cmp(byte_ptr(r12 + rcx), buckets::FIRST_FULL)?;
        asm.jb(other)?;
        // RDX = the key; R12 is the bucket, and `compare_name` wants the key there.
        asm.mov(rdx, rcx)?;
        asm.shl(edx, 4)?;
        asm.lea(r12, ptr(r12 + rdx + buckets::KEYS))?;
        let mut differs = asm.create_label();
        self.compare_name(name, differs)?;
        let asm = &mut *self.asm;
        asm.jmp(found)?;
        asm.set_label(&mut differs)?;
        asm.mov(rdx, rcx)?;
        asm.shl(edx, 4)?;
        asm.sub(r12, rdx)?;
        asm.sub(r12, buckets::KEYS)?;
        asm.set_label(&mut other)?;
        asm.inc(ecx)?;
        asm.cmp(ecx, ENTRIES as i32)?;
        asm.jb(entry)?;
        asm.mov(r12, qword_ptr(r12 + buckets::NEXT))?;
        asm.test(r12, r12)?;
        asm.jne(chained)?;
        asm.add(rdi, buckets::BYTES)?;
        asm.dec(r15d)?;
        asm.test(r15d, 0xFFFF)?;
        asm.jne(bucket)?;
        asm.jmp(none)?;
        // R12 = bucket + 8 + 16 * entry; the value is at bucket + 136 + 24 * entry.
        asm.set_label(&mut found)?;
        asm.mov(rax, qword_ptr(r12 + rcx * 8 + (buckets::VALUES - buckets::KEYS)))?;
        asm.mov(rcx, qword_ptr(r12 + rcx * 8 + (buckets::VALUES - buckets::KEYS + 8)))
    }

    /// Falls through if the string at R12 is `name`, without regard to case, else goes to `other`.
    /// Uses RAX, RBX and RDX. Reads only within the string (I7).
    fn compare_name(&mut self, name: &[u8], other: CodeLabel) -> Result<(), IcedError> {
        let word = |at: usize, len: usize| {
            name[at..at + len].iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte))
        };
        let asm = &mut *self.asm;
        asm.cmp(qword_ptr(r12 + 8), name.len() as i32)?;
        asm.jne(other)?;
        asm.mov(rax, qword_ptr(r12))?;
        asm.test(rax, rax)?;
        asm.je(other)?;
        // 0x20 makes a capital letter small, and nothing else a letter.
        asm.mov(rbx, qword_ptr(rax))?;
        asm.mov(rdx, 0x2020_2020_2020_2020u64)?;
        asm.or(rbx, rdx)?;
        asm.mov(rdx, word(0, 8))?;
        asm.cmp(rbx, rdx)?;
        asm.jne(other)?;
        asm.mov(ebx, dword_ptr(rax + (name.len() - 4) as i32))?;
        asm.or(ebx, 0x2020_2020)?;
        asm.cmp(ebx, word(name.len() - 4, 4) as i32)?;
        asm.jne(other)
    }
}
