//! Where the new parts of the file and of the image go.
//!
//! Decides: addresses and file offsets of the arena and of the new text, and where the program
//! headers go.
//! Trusts: [`Elf`], which has checked the headers. Never does: write.
//!
//! ```text
//! image   [ the program's segments ... bss ][ arena: zero-filled ][ new text ]
//! file    [ the input, byte for byte but for the headers and the sites ][ new text ][ manifest ]
//!         [ names of sections ][ symbols ][ frames ][ section headers ][ trailing data ]
//! ```
//!
//! The new text lies above Go's `etext`, so the runtime attributes a profile's tick in it to
//! external code.

use gopatch_protocol::wire::PAGE;
use gopatch_trampolines::arena::Arena;
use object::elf;

use crate::address::{FileOffset, NewVa};
use crate::elf::Elf;

/// Size of an ELF-64 program header.
pub const PROGRAM_HEADER: u64 = 56;
/// Size of an ELF-64 section header.
pub const SECTION_HEADER: u64 = 64;
/// Number of added program headers: the arena's and the new text's.
pub const NEW_SEGMENTS: u64 = 2;

/// How far a branch reaches.
const REACH: u64 = 1 << 31;

/// Why nothing can be added to the image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// A branch does not reach across the image.
    #[error("image too large: it ends at {end:#x}, so jumps from its text past its end would exceed 2 GiB")]
    OutOfReach {
        /// End of the image.
        end: u64,
    },
}

/// The layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The arena.
    pub arena: Arena,
    /// Address of the arena.
    pub arena_va: NewVa,
    /// Address of the new text segment.
    pub text_va: NewVa,
    /// Its offset in the file.
    pub text_offset: FileOffset,
    /// Where the program header table is.
    pub program_headers: ProgramHeaders,
    /// Number of program headers in the output.
    pub segments: u64,
}

/// Where the program header table is in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramHeaders {
    /// Where it was. Go's own linker leaves room after it, once the section headers have moved.
    InPlace,
    /// At the start of the new text segment. Kernels before 5.18 give such a program a wrong
    /// `AT_PHDR`.
    Moved,
}

impl Layout {
    /// Lays out the additions to `elf` for `functions` hooked functions.
    pub fn new(elf: &Elf<'_>, functions: usize, has_table: bool, has_contexts: bool) -> Result<Self, LayoutError> {
        let page = PAGE as u64;
        let image_end = elf.image_end().0;
        let arena_va = image_end.next_multiple_of(page);
        let arena = Arena::new(arena_va, functions, has_table);
        let arena = if has_contexts { arena.with_contexts() } else { arena };
        let text_offset = (elf.data().len() as u64).next_multiple_of(16);
        // Offset and address agree within a page, so no padding is written.
        let text_va = arena_va + arena.bytes() + text_offset % page;
        let first = elf.loads().map(|segment| segment.va.0).min().unwrap_or(0);
        if text_va - first > REACH - (64 << 20) {
            return Err(LayoutError::OutOfReach { end: image_end });
        }
        let segments = elf.segments().len() as u64 + NEW_SEGMENTS;
        let program_headers = if has_room(elf, segments) { ProgramHeaders::InPlace } else { ProgramHeaders::Moved };
        Ok(Self {
            arena,
            arena_va: NewVa(arena_va),
            text_va: NewVa(text_va),
            text_offset: FileOffset(text_offset),
            program_headers,
            segments,
        })
    }

    /// Address of the first emitted code.
    pub fn code_va(&self) -> NewVa {
        let headers = match self.program_headers {
            ProgramHeaders::InPlace => 0,
            ProgramHeaders::Moved => self.segments * PROGRAM_HEADER,
        };
        NewVa((self.text_va.0 + headers).next_multiple_of(16))
    }
}

/// Whether `segments` program headers fit where the table is. Only section headers may be in the
/// way: they move.
fn has_room(elf: &Elf<'_>, segments: u64) -> bool {
    let start = elf.header().e_phoff.get(object::LittleEndian);
    let end = start + segments * PROGRAM_HEADER;
    let sections = elf
        .sections()
        .iter()
        .filter(|section| section.kind != elf::SHT_NOBITS && section.kind != elf::SHT_NULL && section.size > 0)
        .map(|section| section.offset.0);
    let contents = elf
        .segments()
        .iter()
        .filter(|segment| segment.kind != elf::PT_PHDR && segment.file_size > 0 && segment.offset.0 > start)
        .map(|segment| segment.offset.0);
    let is_loaded = elf.loads().any(|segment| segment.offset.0 <= start && end <= segment.offset.0 + segment.file_size);
    is_loaded && sections.chain(contents).filter(|&offset| offset >= start).all(|offset| end <= offset)
}
