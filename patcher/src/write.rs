//! Puts the output together: the input, what overwrites its sites and headers, and the new parts
//! after it.
//!
//! Decides: nothing; [`crate::layout`] and [`crate::sites`] did. Notes every byte that it
//! overwrites.
//! Trusts: the layout. Never does: copy the input; the caller writes the file.

use std::ops::Range;

use gopatch_protocol::manifest::{self, Manifest, Patch};
use gopatch_trampolines::attach::MANIFEST_ID_BYTES;
use object::elf::{
    self, FileHeader64, ProgramFlags, ProgramHeader64, ProgramType, SectionHeader64, SectionType, SymbolSection,
};
use object::endian::{LittleEndian as LE, U16, U32, U64};
use object::pod;
use sha2::{Digest, Sha256};

use crate::address::{FileOffset, Va};
use crate::elf::Elf;
use crate::layout::{Layout, PROGRAM_HEADER, ProgramHeaders, SECTION_HEADER};
use crate::sites::{NEAR_JUMP, SHORT_JUMP, Site};
use crate::symbols::frames::{self, Contents};
use crate::symbols::{self, CodeSymbol, Tables};

/// Name of the section for the new text.
pub const TEXT_SECTION: &str = ".gopatch.text";
/// Name of the section for the arena.
pub const ARENA_SECTION: &str = ".gopatch.arena";

/// Fills the bytes of a site after its jump: `int3`, never reached.
const FILL: u8 = 0xCC;

/// Offsets in the ELF header: of e_entry, followed by e_phoff and e_shoff; of e_shoff; of e_phnum,
/// followed by e_shentsize, e_shnum and e_shstrndx; of its end.
const ENTRY: u64 = 24;
const SECTIONS_AT: u64 = 40;
const SEGMENTS: u64 = 56;
const HEADER_END: u64 = 64;

/// Bytes of the program headers in one entry of the manifest, which takes about as much itself, in
/// hex.
const NOTED_AT_ONCE: usize = PROGRAM_HEADER as usize;

/// Why the output cannot be put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A site is not in the file.
    #[error("the site at {0} is not in the file")]
    NotInFile(Va),
    /// A jump does not reach its target.
    #[error("a jump from {from} to {to:#x} does not reach")]
    OutOfReach {
        /// Where the jump is.
        from: Va,
        /// Its target.
        to: u64,
    },
    /// The file has as many sections or segments as a header can count.
    #[error("the file has too many sections or segments to add more")]
    TooMany,
    /// Symbols and sections share their names, so the one cannot be extended without the other.
    #[error(
        "symbols and sections share one section of names, which --symbols cannot extend\nhint: leave out --symbols"
    )]
    SharedNames,
    /// The manifest cannot be made JSON.
    #[error("cannot write the manifest")]
    Manifest(#[from] serde_json::Error),
}

/// New bytes in place of old ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overwrite {
    /// Offset in the file.
    pub offset: FileOffset,
    /// The new bytes.
    pub bytes: Vec<u8>,
}

/// The bytes that make `site` jump to `thunk`. An island's come second: they lie within those of
/// another site.
pub fn jumps(elf: &Elf<'_>, site: &Site, thunk: u64) -> Result<Vec<Overwrite>, WriteError> {
    let at = |va: Va, bytes| {
        let offset = elf.offset_of(va).ok_or(WriteError::NotInFile(va))?;
        Ok::<_, WriteError>(Overwrite { offset, bytes })
    };
    let filled = |jump: &[u8]| {
        let mut bytes = jump.to_vec();
        bytes.resize(site.len, FILL);
        bytes
    };
    match site.island {
        None => Ok(vec![at(site.va, filled(&near_jump(site.va, thunk)?))?]),
        Some(island) => Ok(vec![
            at(site.va, filled(&short_jump(site.va, island)?))?,
            at(island, near_jump(island, thunk)?.to_vec())?,
        ]),
    }
}

/// `jmp rel8` at `from` to `to`.
fn short_jump(from: Va, to: Va) -> Result<[u8; SHORT_JUMP], WriteError> {
    let distance = to.0.wrapping_sub(from.0 + SHORT_JUMP as u64) as i64;
    let distance = i8::try_from(distance).map_err(|_| WriteError::OutOfReach { from, to: to.0 })?;
    Ok([0xEB, distance as u8])
}

/// `jmp rel32` at `from` to `to`.
fn near_jump(from: Va, to: u64) -> Result<[u8; NEAR_JUMP], WriteError> {
    let distance = to.wrapping_sub(from.0 + NEAR_JUMP as u64) as i64;
    let distance = i32::try_from(distance).map_err(|_| WriteError::OutOfReach { from, to })?;
    let mut bytes = [0xE9, 0, 0, 0, 0];
    bytes[1..].copy_from_slice(&distance.to_le_bytes());
    Ok(bytes)
}

/// Everything in the output that is not in the input.
pub struct Additions<'a, 'i> {
    /// The layout.
    pub layout: &'a Layout,
    /// Jumps at the sites.
    pub overwrites: Vec<Overwrite>,
    /// The emitted code, for the layout's `code_va`.
    pub code: &'a [u8],
    /// The new entry point.
    pub entry: u64,
    /// What the symbol table gets beside the input's symbols; `None` leaves it as it is.
    pub symbols: Option<Vec<CodeSymbol>>,
    /// The end of the input, a copy of which must end the output.
    pub trailing: &'i [u8],
    /// Call frame information for the code.
    pub frames: Option<Contents>,
}

/// An output file, by its differences from its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output<'a> {
    input: &'a [u8],
    /// What overwrites the input's bytes. Where two overlap, the later counts.
    pub overwrites: Vec<Overwrite>,
    /// What follows the input.
    pub tail: Vec<u8>,
}

impl Output<'_> {
    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        (self.input.len() + self.tail.len()) as u64
    }

    /// The whole file.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = [self.input, &self.tail].concat();
        for Overwrite { offset, bytes: new } in &self.overwrites {
            let start = offset.0 as usize;
            bytes[start..start + new.len()].copy_from_slice(new);
        }
        bytes
    }
}

/// The output without its manifest and section headers.
pub struct Unfinished<'a> {
    output: Output<'a>,
    /// Offset of the emitted code in the file.
    pub code_offset: usize,
    /// Parts of the input's headers that differ now.
    pub patches: Vec<Patch>,
    header: FileHeader64<LE>,
    sections: SectionTable,
    trailing: &'a [u8],
}

/// The output, complete but for its input's digest.
pub struct Unsigned<'a> {
    output: Output<'a>,
    /// Where the manifest is in the tail.
    manifest: Range<usize>,
    /// Where the manifest's id goes in the tail.
    id: usize,
}

/// Placeholder in the manifest until its input's digest is known; of the same length.
pub const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The section headers of the output and their names. The manifest and the names have no offset
/// yet.
struct SectionTable {
    headers: Vec<SectionHeader64<LE>>,
    names: Vec<u8>,
    /// Index of the names' own section.
    names_index: usize,
    /// The new symbol table, with the indices of its section and of its names' section.
    symbols: Option<(Tables, usize, usize)>,
    /// Call frame information, with the index of its section.
    frames: Option<(Vec<u8>, usize)>,
}

/// Puts together everything but the manifest, which lists what is overwritten here.
pub fn write<'a>(elf: &Elf<'a>, additions: Additions<'_, 'a>) -> Result<Unfinished<'a>, WriteError> {
    let layout = additions.layout;
    let input = elf.data();
    let mut output = Output { input, overwrites: additions.overwrites, tail: Vec::new() };
    output.fill_to(layout.text_offset.0);
    let headers_at = match layout.program_headers {
        ProgramHeaders::InPlace => elf.header().e_phoff.get(LE),
        ProgramHeaders::Moved => layout.text_offset.0,
    };
    let code_offset = layout.text_offset.0 + layout.code_va().0 - layout.text_va.0;
    output.fill_to(code_offset);
    output.tail.extend_from_slice(additions.code);
    let text_size = output.size() - layout.text_offset.0;

    let mut header = *elf.header();
    let segments = u16::try_from(layout.segments).map_err(|_| WriteError::TooMany)?;
    header.e_entry = U64::new(LE, additions.entry);
    header.e_phoff = U64::new(LE, headers_at);
    header.e_phnum = U16::new(LE, segments);
    let program_headers = program_headers(elf, layout, headers_at, text_size);
    let mut patches = Vec::new();
    let mut note = |at: u64, len: u64| {
        let old = input.get(at as usize..(at + len) as usize);
        patches.extend(old.map(|old| Patch { offset: at, original: manifest::to_hex(old) }));
    };
    // Addresses, offsets and numbers: the rest of the header stays.
    note(ENTRY, SECTIONS_AT + 8 - ENTRY);
    note(SEGMENTS, HEADER_END - SEGMENTS);
    match layout.program_headers {
        ProgramHeaders::InPlace => {
            // Most segments' headers stay the same.
            let old = input.get(headers_at as usize..).unwrap_or_default();
            for range in differing(old, &program_headers) {
                note(headers_at + range.start as u64, range.len() as u64);
            }
            output.overwrites.push(Overwrite { offset: FileOffset(headers_at), bytes: program_headers });
        }
        ProgramHeaders::Moved => {
            let start = headers_at as usize - input.len();
            output.tail[start..start + program_headers.len()].copy_from_slice(&program_headers);
        }
    }

    let sections = section_headers(elf, layout, text_size, (additions.symbols.as_deref(), additions.frames))?;
    let trailing = additions.trailing;
    Ok(Unfinished { output, code_offset: code_offset as usize, patches, header, sections, trailing })
}

impl Output<'_> {
    fn fill_to(&mut self, offset: u64) {
        self.tail.resize(offset as usize - self.input.len(), 0);
    }

    /// Fills up so that `trailing`, right after the section headers, lies as far from a page's start
    /// as in the input: programs may map it, or find it at the end of their ELF file.
    fn make_place_for(&mut self, trailing: &[u8], headers: u64) {
        let start = (self.input.len() - trailing.len()) as u64;
        // Section headers are aligned.
        if !trailing.is_empty() && start.is_multiple_of(8) {
            let page = gopatch_protocol::wire::PAGE as u64;
            let ahead = (start % page + page - (self.size() + headers) % page) % page;
            self.fill_to(self.size() + ahead);
        }
    }

    /// Fills up to the next multiple of `align` in the file, and returns that offset.
    fn align(&mut self, align: u64) -> u64 {
        let offset = self.size().next_multiple_of(align);
        self.fill_to(offset);
        offset
    }
}

impl<'a> Unfinished<'a> {
    /// Appends the manifest, whose input has [`NO_DIGEST`], and the section headers.
    pub fn finish(self, manifest: &Manifest) -> Result<Unsigned<'a>, WriteError> {
        let Self { mut output, code_offset, mut header, sections, trailing, .. } = self;
        let json = serde_json::to_vec(manifest)?;
        let input_size = output.input.len();
        let id = code_offset - input_size + manifest.code.id_offset as usize;
        output.align(16);
        let SectionTable { mut headers, names, names_index, symbols, frames } = sections;
        // The manifest's section is the last.
        let manifest_index = headers.len() - 1;
        let mut contents = vec![(manifest_index, &json[..], 1), (names_index, &names[..], 1)];
        if let Some((tables, index, names_index)) = &symbols {
            contents.extend([(*names_index, &tables.names[..], 1), (*index, &tables.symbols[..], 8)]);
        }
        contents.extend(frames.iter().map(|(content, index)| (*index, &content[..], 8)));
        for (index, content, align) in contents {
            headers[index].sh_offset = U64::new(LE, output.align(align));
            headers[index].sh_size = U64::new(LE, content.len() as u64);
            output.tail.extend_from_slice(content);
        }
        let start = headers[manifest_index].sh_offset.get(LE) as usize - input_size;
        output.align(8);
        output.make_place_for(trailing, headers.len() as u64 * SECTION_HEADER);
        header.e_shoff = U64::new(LE, output.size());
        for section in &headers {
            output.tail.extend_from_slice(pod::bytes_of(section));
        }
        output.tail.extend_from_slice(trailing);
        header.e_shentsize = U16::new(LE, SECTION_HEADER as u16);
        header.e_shnum = U16::new(LE, u16::try_from(headers.len()).map_err(|_| WriteError::TooMany)?);
        let names_index = u16::try_from(names_index).map_err(|_| WriteError::TooMany)?;
        header.e_shstrndx = U16::new(LE, SymbolSection(names_index));
        output.overwrites.push(Overwrite { offset: FileOffset(0), bytes: pod::bytes_of(&header).to_vec() });
        Ok(Unsigned { output, manifest: start..start + json.len(), id })
    }
}

impl<'a> Unsigned<'a> {
    /// What overwrites the input's bytes.
    pub fn overwrites(&self) -> &[Overwrite] {
        &self.output.overwrites
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.output.size()
    }

    /// Puts the input's digest, in hex, into the manifest, and the manifest's id into the code:
    /// gopatchd compares the id of a process with that of its file.
    pub fn sign(self, input_sha256: &str) -> Output<'a> {
        let Self { mut output, manifest, id } = self;
        let json = &mut output.tail[manifest];
        let digest = json.windows(NO_DIGEST.len()).position(|bytes| bytes == NO_DIGEST.as_bytes());
        let digest = digest.expect("the manifest was written with the placeholder");
        json[digest..digest + NO_DIGEST.len()].copy_from_slice(input_sha256.as_bytes());
        let manifest_id: [u8; 32] = Sha256::digest(&*json).into();
        output.tail[id..id + MANIFEST_ID_BYTES].copy_from_slice(&manifest_id[..MANIFEST_ID_BYTES]);
        output
    }
}

/// Where `new` differs from `old`: each range ends at equal blocks or at the end.
fn differing(old: &[u8], new: &[u8]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (index, (old, new)) in old.chunks(NOTED_AT_ONCE).zip(new.chunks(NOTED_AT_ONCE)).enumerate() {
        let start = index * NOTED_AT_ONCE;
        match ranges.last_mut() {
            _ if old.starts_with(new) => {}
            Some(range) if range.end == start => range.end += new.len(),
            _ => ranges.push(start..start + new.len()),
        }
    }
    ranges
}

/// The program header table of the output.
fn program_headers(elf: &Elf<'_>, layout: &Layout, headers_at: u64, text_size: u64) -> Vec<u8> {
    let table_bytes = layout.segments * PROGRAM_HEADER;
    let mut table = Vec::with_capacity(table_bytes as usize);
    let mut add = |kind: ProgramType, flags: ProgramFlags, offset, va, file_size, mem_size, align| {
        table.extend_from_slice(pod::bytes_of(&ProgramHeader64::<LE> {
            p_type: U32::new(LE, kind),
            p_flags: U32::new(LE, flags),
            p_offset: U64::new(LE, offset),
            p_vaddr: U64::new(LE, va),
            p_paddr: U64::new(LE, va),
            p_filesz: U64::new(LE, file_size),
            p_memsz: U64::new(LE, mem_size),
            p_align: U64::new(LE, align),
        }));
    };
    for segment in elf.segments() {
        let (mut offset, mut va, mut file_size, mut mem_size) =
            (segment.offset.0, segment.va.0, segment.file_size, segment.mem_size);
        if segment.kind == elf::PT_PHDR {
            (file_size, mem_size) = (table_bytes, table_bytes);
            if layout.program_headers == ProgramHeaders::Moved {
                (offset, va) = (headers_at, layout.text_va.0);
            }
        }
        add(segment.kind, segment.flags, offset, va, file_size, mem_size, segment.align);
    }
    let arena_bytes = layout.arena.bytes();
    let page = gopatch_protocol::wire::PAGE as u64;
    add(elf::PT_LOAD, elf::PF_R | elf::PF_W, 0, layout.arena_va.0, 0, arena_bytes, page);
    add(elf::PT_LOAD, elf::PF_R | elf::PF_X, layout.text_offset.0, layout.text_va.0, text_size, text_size, page);
    table
}

/// The input's sections and the new ones. The table of all their names is new.
fn section_headers(
    elf: &Elf<'_>,
    layout: &Layout,
    text_size: u64,
    (symbols, frames): (Option<&[CodeSymbol]>, Option<Contents>),
) -> Result<SectionTable, WriteError> {
    let mut names: Vec<u8> = vec![0];
    let mut headers = Vec::with_capacity(elf.sections().len() + 4);
    let mut add = |name: &str, kind: SectionType, flags, va, offset, size, align| {
        headers.push(SectionHeader64::<LE> {
            sh_name: U32::new(LE, if name.is_empty() { 0 } else { names.len() as u32 }),
            sh_type: U32::new(LE, kind),
            sh_flags: U64::new(LE, flags),
            sh_addr: U64::new(LE, va),
            sh_offset: U64::new(LE, offset),
            sh_size: U64::new(LE, size),
            sh_link: U32::new(LE, 0),
            sh_info: U32::new(LE, 0),
            sh_addralign: U64::new(LE, align),
            sh_entsize: U64::new(LE, 0),
        });
        if !name.is_empty() {
            names.extend_from_slice(name.as_bytes());
            names.push(0);
        }
    };
    let none = elf::SectionFlags::default();
    for old in elf.sections() {
        add(old.name, old.kind, old.flags, old.va.0, old.offset.0, old.size, old.align);
    }
    // A file without section headers gets the two that every table needs: the null section and the
    // names.
    let mut names_index = usize::from(elf.header().e_shstrndx.get(LE).0);
    if elf.sections().is_empty() {
        names_index = 1;
        add("", elf::SHT_NULL, none, 0, 0, 0, 0);
        add(".shstrtab", elf::SHT_STRTAB, none, 0, 0, 0, 1);
    }
    let (arena_va, arena_bytes) = (layout.arena_va.0, layout.arena.bytes());
    let (text_va, text_offset) = (layout.text_va.0, layout.text_offset.0);
    add(ARENA_SECTION, elf::SHT_NOBITS, elf::SHF_ALLOC | elf::SHF_WRITE, arena_va, text_offset, arena_bytes, 4096);
    let text_flags = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
    add(TEXT_SECTION, elf::SHT_PROGBITS, text_flags, text_va, text_offset, text_size, 16);
    let first_new = if elf.sections().is_empty() { 2 } else { elf.sections().len() };
    let old_table = symbols::table_of(elf).map(|table| (table.index, table.link as usize));
    if symbols.is_some() && old_table.is_none() {
        add(".symtab", elf::SHT_SYMTAB, none, 0, 0, 0, 8);
        add(".strtab", elf::SHT_STRTAB, none, 0, 0, 0, 1);
    }
    if frames.as_ref().is_some_and(|frames| frames.replaces.is_none()) {
        add(frames::SECTION, elf::SHT_PROGBITS, none, 0, 0, 0, 8);
    }
    add(manifest::SECTION, elf::SHT_PROGBITS, none, 0, 0, 0, 1);
    // The last but the manifest's.
    let new_frames = headers.len() - 2;
    for (header, old) in headers.iter_mut().zip(elf.sections()) {
        header.sh_link = U32::new(LE, old.link);
        header.sh_info = U32::new(LE, old.info);
        header.sh_entsize = U64::new(LE, old.entry_size);
    }
    let symbols = match symbols {
        Some(_) if old_table.is_some_and(|(_, its_names)| its_names == names_index) => {
            return Err(WriteError::SharedNames);
        }
        Some(added) => {
            let text = u16::try_from(first_new + 1).map_err(|_| WriteError::TooMany)?;
            let tables = symbols::tables(elf, added, text);
            let (index, its_names) = old_table.unwrap_or((first_new + 2, first_new + 3));
            headers[index].sh_info = U32::new(LE, tables.locals);
            headers[index].sh_link = U32::new(LE, its_names as u32);
            headers[index].sh_entsize = U64::new(LE, symbols::SYMBOL as u64);
            Some((tables, index, its_names))
        }
        None => None,
    };
    let frames = frames.map(|frames| (frames.bytes, frames.replaces.unwrap_or(new_frames)));
    Ok(SectionTable { headers, names, names_index, symbols, frames })
}
