//! The call frame information of an output, which has some for the emitted code.
//!
//! Decides: whether it is the input's with only descriptions of the emitted code added.
//! Trusts: nothing of the writer. Never does: check what debuggers make of it, which changes nothing
//! that runs.

use std::borrow::Cow;
use std::ops::Range;

use goblin::elf::SectionHeader;
use goblin::elf::section_header::SHF_COMPRESSED;
use libdeflater::Decompressor;

use super::symbols::{File, may_extend};

/// The section that Go's linker writes, and the one for code that has no such information yet.
const NAME: &str = ".debug_frame";
const NEW: &str = ".eh_frame";
/// Of a compressed section: the size of its header, and where its type and the size of its contents
/// are.
const COMPRESSED: usize = 24;
const TYPE: Range<usize> = 0..4;
const SIZE: Range<usize> = 8..16;
const ZLIB: [u8; 4] = 1u32.to_le_bytes();
/// Most bytes from one compressed byte.
const MOST_FROM_ONE: usize = 1032;
/// In an entry, after its length: how one that others share begins, by section; and where any other
/// has the address that it describes.
const SHARED: [u8; 4] = [0xFF; 4];
const NEW_SHARED: [u8; 4] = [0; 4];
const ADDRESS: Range<usize> = 4..12;

/// Whether the output's new section of that kind, if it has one, describes only the code.
pub(super) fn only_code_was_added(input: File<'_>, output: File<'_>, code: &Range<u64>) -> bool {
    let new = output.elf.section_headers.iter().skip(input.elf.section_headers.len());
    let mut new = new.filter(|section| output.elf.shdr_strtab.get_at(section.sh_name) == Some(NEW));
    new.all(|section| output.content(section).is_some_and(|added| describe_only_code(added, NEW_SHARED, code)))
}

/// Whether section `after` is the call frame information, and extends the input's, which is
/// `before`.
pub(super) fn has_grown(
    (input, before): (File<'_>, &SectionHeader),
    (output, after): (File<'_>, &SectionHeader),
    code: &Range<u64>,
) -> bool {
    if !may_extend(input, before, after) || input.elf.shdr_strtab.get_at(before.sh_name) != Some(NAME) {
        return false;
    }
    let contents = contents(input, before).zip(contents(output, after));
    contents.is_some_and(|(before, after)| {
        after.strip_prefix(&*before).is_some_and(|added| describe_only_code(added, SHARED, code))
    })
}

fn contents<'a>(file: File<'a>, section: &SectionHeader) -> Option<Cow<'a, [u8]>> {
    let bytes = file.content(section)?;
    if section.sh_flags & u64::from(SHF_COMPRESSED) == 0 {
        return Some(Cow::Borrowed(bytes));
    }
    let (header, data) = bytes.split_at_checked(COMPRESSED)?;
    let size = usize::try_from(u64::from_le_bytes(header[SIZE].try_into().ok()?)).ok()?;
    if header[TYPE] != ZLIB || size > data.len().saturating_mul(MOST_FROM_ONE) {
        return None;
    }
    let mut contents = vec![0; size];
    let len = Decompressor::new().zlib_decompress(data, &mut contents).ok()?;
    (len == size).then_some(Cow::Owned(contents))
}

/// Whether these are whole entries, and each describes a part of the code.
fn describe_only_code(mut entries: &[u8], shared: [u8; 4], code: &Range<u64>) -> bool {
    while !entries.is_empty() {
        let Some((len, rest)) = entries.split_first_chunk() else { return false };
        let Some((entry, rest)) = rest.split_at_checked(u32::from_le_bytes(*len) as usize) else { return false };
        let address = entry.get(ADDRESS).and_then(|address| Some(u64::from_le_bytes(address.try_into().ok()?)));
        if !entry.starts_with(&shared) && !address.is_some_and(|address| code.contains(&address)) {
            return false;
        }
        entries = rest;
    }
    true
}
