//! The symbol table of an output that has its own (`--symbols`).
//!
//! Decides: whether it is the input's table with only symbols of the emitted code added.
//! Trusts: nothing of the writer. Never does: check names, which change nothing that runs.

use std::ops::Range;

use goblin::elf::section_header::{SHT_STRTAB, SHT_SYMTAB};
use goblin::elf::{Elf, SectionHeader};

/// Size of a symbol, and offset of its value.
const SYMBOL: usize = 24;
const VALUE: usize = 8;

/// A file and its headers.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) elf: &'a Elf<'a>,
}

impl<'a> File<'a> {
    pub(super) fn content(self, section: &SectionHeader) -> Option<&'a [u8]> {
        self.bytes.get(section.file_range()?)
    }

    fn symbols(self) -> Option<&'a SectionHeader> {
        self.elf.section_headers.iter().find(|section| section.sh_type == SHT_SYMTAB)
    }

    /// The symbols, and the bytes of the local ones among them.
    fn table(self) -> Option<(&'a [u8], usize)> {
        let section = self.symbols()?;
        Some((self.content(section)?, (section.sh_info as usize).checked_mul(SYMBOL)?))
    }

    fn names(self) -> Option<&'a SectionHeader> {
        self.elf.section_headers.get(self.symbols()?.sh_link as usize).filter(|names| names.sh_type == SHT_STRTAB)
    }
}

/// Whether an output's section may extend the input's: it is in the tail, and all else that its
/// header says is the same.
pub(super) fn may_extend(input: File<'_>, before: &SectionHeader, after: &SectionHeader) -> bool {
    let moved = SectionHeader {
        sh_name: before.sh_name,
        sh_offset: before.sh_offset,
        sh_size: before.sh_size,
        ..after.clone()
    };
    moved == *before && after.sh_offset >= input.bytes.len() as u64
}

/// Whether section `after` is the symbol table or its names, and extends the input's, which is
/// `before`.
pub(super) fn has_grown(
    (input, before): (File<'_>, &SectionHeader),
    (output, after): (File<'_>, &SectionHeader),
    code: &Range<u64>,
) -> bool {
    // The number of local symbols grows too.
    let as_before = SectionHeader { sh_info: before.sh_info, ..after.clone() };
    if !may_extend(input, before, &as_before) {
        return false;
    }
    if input.symbols() == Some(before) {
        return only_code_was_added(Some(input), output, code);
    }
    let names = input.content(before).zip(output.content(after));
    input.names() == Some(before) && names.is_some_and(|(before, after)| after.starts_with(before))
}

/// Whether the output's table has the input's symbols, if any, and besides them only symbols of the
/// code.
pub(super) fn only_code_was_added(input: Option<File<'_>>, output: File<'_>, code: &Range<u64>) -> bool {
    let Some((old, old_locals)) = input.map_or(Some((&[0; SYMBOL][..], SYMBOL)), File::table) else { return false };
    let Some((new, locals)) = output.table() else { return false };
    let Some((old_locals, old_others)) = old.split_at_checked(old_locals) else { return false };
    let added = new.get(..locals).and_then(|locals| locals.strip_prefix(old_locals));
    let is_of_code = |symbol: &[u8]| {
        let value = symbol.get(VALUE..).and_then(|value| value.first_chunk());
        value.is_some_and(|value| code.contains(&u64::from_le_bytes(*value)))
    };
    added.is_some_and(|added| added.len().is_multiple_of(SYMBOL) && added.chunks(SYMBOL).all(is_of_code))
        && new.get(locals..) == Some(old_others)
}
