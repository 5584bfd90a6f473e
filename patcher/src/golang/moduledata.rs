//! The runtime's `moduledata`: where text, types and further data are (`src/runtime/symtab.go`).
//!
//! Decides: where it is, and where each field is, by version.
//! Trusts: nothing; a candidate must point to the pclntab and to text.

use std::ops::Range;

use crate::address::Va;
use crate::elf::{Elf, Relative};

use super::{GoError, GoVersion, pointer_at};

/// The part of the runtime's `moduledata` that gopatch uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleData {
    /// Where it is.
    pub va: Va,
    /// Go's text, from `runtime.text` to `runtime.etext`. C code, and what gopatch adds, is
    /// outside.
    pub text: Range<Va>,
    /// `runtime.types`: the base of run-time types' offsets.
    pub types: Va,
    /// `runtime.etypes`: where they end.
    pub end_types: Va,
    /// `go:func.*`: the base of the offsets of functions' further data.
    pub func_data: Va,
}

/// A `moduledata` of an unknown version. From Go 1.16 to 1.27 these fields have the same offsets.
pub(super) struct Found {
    va: Va,
    pub(super) text: Range<Va>,
}

const PC_HEADER: u64 = 0;
const MIN_PC: u64 = 160;
const TEXT: u64 = 176;
const END_TEXT: u64 = 184;

/// Offsets of `types`, `etypes` and `gofunc`. Go 1.20 put `covctrs` and `ecovctrs` before them; Go
/// 1.27 put `typedesclen` after the first, and `itaboffset` and `itabsize` after the second.
fn type_offsets(version: GoVersion) -> [u64; 3] {
    match version.minor {
        ..20 => [280, 288, 304],
        20..27 => [296, 304, 320],
        _ => [296, 312, 344],
    }
}

/// Finds it by its symbol or, in a stripped file, by its first word, which points to the pclntab.
pub(super) fn find(elf: &Elf<'_>, relocations: &[Relative], pclntab: Va) -> Result<Found, GoError> {
    let read = |va| Found::read_at(elf, relocations, va, pclntab);
    if let Some(found) = elf.symbol("runtime.firstmoduledata").and_then(read) {
        return Ok(found);
    }
    let relocated = relocations.iter().filter(|relocation| relocation.target == pclntab).map(|r| r.place);
    if let Some(found) = relocated.into_iter().find_map(read) {
        return Ok(found);
    }
    let writable = elf.loads().filter(|segment| segment.flags.contains(object::elf::PF_W));
    writable
        .filter_map(|segment| Some((segment.va, elf.bytes_from(segment.va)?)))
        .find_map(|(start, bytes)| {
            let words = bytes.chunks_exact(8).enumerate();
            words
                .filter(|(_, word)| **word == pclntab.0.to_le_bytes())
                .find_map(|(index, _)| read(start.checked_add(index as u64 * 8)?))
        })
        .ok_or(GoError::NoModuleData(pclntab))
}

impl Found {
    /// Reads the candidate at `va`; `None` when it is not one.
    fn read_at(elf: &Elf<'_>, relocations: &[Relative], va: Va, pclntab: Va) -> Option<Self> {
        let field = |offset| pointer_at(elf, relocations, va.checked_add(offset)?);
        let text = field(TEXT)?..field(END_TEXT)?;
        let executable = elf.loads().any(|segment| {
            segment.flags.contains(object::elf::PF_X)
                && segment.va <= text.start
                && text.end.offset_from(segment.va).is_some_and(|end| end <= segment.file_size)
        });
        let plausible = field(PC_HEADER)? == pclntab && text.contains(&field(MIN_PC)?) && executable;
        plausible.then_some(Self { va, text })
    }

    /// The newest release, `oldest` or later, with fields at the same offsets: for a toolchain
    /// whose name contains no release.
    pub(super) fn release(&self, elf: &Elf<'_>, relocations: &[Relative], oldest: GoVersion) -> Option<GoVersion> {
        let releases = [27, 26, 19].map(GoVersion::go1);
        releases.into_iter().filter(|version| (*version < GoVersion::go1(20)) == (oldest < GoVersion::go1(20))).find(
            |version| {
                self.read(elf, relocations, *version).is_some_and(|data| {
                    let size = data.end_types.offset_from(data.types).unwrap_or_default();
                    size > 0 && elf.bytes_at(data.types, size).is_some()
                })
            },
        )
    }

    /// Reads the other fields, at the offsets of that version.
    pub(super) fn read(&self, elf: &Elf<'_>, relocations: &[Relative], version: GoVersion) -> Option<ModuleData> {
        let field = |offset| pointer_at(elf, relocations, self.va.checked_add(offset)?);
        let [types, end_types, func_data] = type_offsets(version).map(field);
        let (va, text) = (self.va, self.text.clone());
        Some(ModuleData { va, text, types: types?, end_types: end_types?, func_data: func_data? })
    }
}
