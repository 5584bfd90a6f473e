//! The bytes that a FIPS 140-3 build checks when it starts.
//!
//! Since Go 1.24, a program with the FIPS module and `GODEBUG=fips140=on` computes an HMAC over
//! that module's text and data (Go's `src/crypto/internal/fips140/check/check.go`), and panics if a
//! byte has changed.
//! Trusts: the section `.go.fipsinfo`, which the linker writes and the check itself reads. A
//! program without it checks nothing.

use std::ops::Range;

use super::pointer_at;
use crate::address::Va;
use crate::elf::{Elf, Relative};

/// Start of the section (`fipsMagic` in Go's `src/cmd/link/internal/ld/fips140.go`).
const MAGIC: &[u8; 16] = b"\xff Go fipsinfo \xff\0";
/// Offset of the ranges: after the magic, the sum (32 bytes) and the section's own address.
const RANGES: u64 = 16 + 32 + 8;
/// Text, read-only data, data without pointers, data.
const RANGE_COUNT: u64 = 4;

/// The ranges of checked bytes; none when the program checks nothing.
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
