//! The code that a FIPS 140-3 build checks at its start.
//!
//! Decides: which addresses must keep their bytes. Since Go 1.24 a program built with the FIPS module compares an HMAC over
//! that module's text and data when `GODEBUG=fips140=on` (Go's `src/crypto/internal/fips140/check/check.go`), and panics
//! if a byte was changed.
//! Trusts: the section `.go.fipsinfo`, which the linker writes and the check itself reads.
//! Never does: fail. A program without that section has no such code.

use std::ops::Range;

use super::pointer_at;
use crate::address::Va;
use crate::elf::{Elf, Relative};

/// Head of the section (`fipsMagic` in Go's `src/cmd/link/internal/ld/fips140.go`).
const MAGIC: &[u8; 16] = b"\xff Go fipsinfo \xff\0";
/// Offset of the ranges: behind the magic, the sum (32 bytes) and the section's own address.
const RANGES: u64 = 16 + 32 + 8;
/// Text, read-only data, data without pointers, data.
const RANGE_COUNT: u64 = 4;

/// The ranges whose bytes are checked; none when the program checks none.
pub(super) fn checked_ranges(elf: &Elf<'_>, relocations: &[Relative]) -> Vec<Range<Va>> {
    let Some(section) = elf.section(".go.fipsinfo") else { return Vec::new() };
    if !elf.raw_data(section).starts_with(MAGIC) {
        return Vec::new();
    }
    let pointer = |index: u64| pointer_at(elf, relocations, section.va.checked_add(RANGES + 8 * index)?);
    (0..RANGE_COUNT)
        .filter_map(|range| Some(pointer(2 * range)?..pointer(2 * range + 1)?))
        .filter(|range| range.start < range.end)
        .collect()
}
