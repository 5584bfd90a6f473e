//! Phase 1: read the input's ELF structure.
//!
//! Decides: whether gopatch can patch the file (a little-endian x86-64 Linux executable, not
//! patched before), and which byte of the file is at which address.
//! Trusts: nothing. Each offset and length is checked before use, and every header, segment and
//! section that [`Elf::parse`] accepts is inside the file.
//! Never does: I/O, or anything that needs to know Go (that is `crate::golang`).
//!
//! [`read`] checks the headers, [`content`] decompresses sections, [`error`] has the messages.

mod content;
mod error;
mod read;
#[cfg(test)]
pub(crate) mod testing;

use gopatch_protocol::manifest;
use object::LittleEndian as LE;
use object::elf::{self, DynamicTag, FileHeader64, ProgramFlags, ProgramType, SectionFlags, SectionType, Sym64};
use object::read::elf::{Dyn, FileHeader, Sym};
use object::{CompressionFormat, pod};

use crate::address::{FileOffset, Va};

pub use content::Content;
pub use error::ElfError;
use read::malformed;

/// Most bytes from one compressed byte: a zstd block of 4 bytes yields at most 128 KiB, and deflate
/// far less. A section that claims more is invalid, and is refused before memory is allocated.
const MAX_EXPANSION: u64 = 1 << 15;

/// A segment, from its program header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// PT_LOAD and so on.
    pub kind: ProgramType,
    /// PF_R, PF_W, PF_X.
    pub flags: ProgramFlags,
    /// First byte in the file.
    pub offset: FileOffset,
    /// First byte in the image.
    pub va: Va,
    /// Bytes in the file.
    pub file_size: u64,
    /// Bytes in the image; those past `file_size` are zero.
    pub mem_size: u64,
    /// Alignment.
    pub align: u64,
}

/// A section, from its section header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'a> {
    /// Index in the section header table.
    pub index: usize,
    /// Name.
    pub name: &'a str,
    /// SHT_PROGBITS and so on.
    pub kind: SectionType,
    /// SHF_ALLOC and so on.
    pub flags: SectionFlags,
    /// Address in the image; 0 when it is not loaded.
    pub va: Va,
    /// First byte in the file.
    pub offset: FileOffset,
    /// Bytes; only in the image, when `kind` is SHT_NOBITS.
    pub size: u64,
    /// Index of a related section, by `kind`.
    pub link: u32,
    /// More information, by `kind`.
    pub info: u32,
    /// Alignment.
    pub align: u64,
    /// Bytes of an entry, in a section that is a table.
    pub entry_size: u64,
}

impl Section<'_> {
    /// Whether it is part of the image.
    pub fn is_loaded(&self) -> bool {
        self.flags.contains(elf::SHF_ALLOC)
    }

    /// First address after the section.
    pub fn end(&self) -> Va {
        Va(self.va.0.saturating_add(self.size))
    }

    /// Whether it is loaded and covers `va`.
    pub fn covers(&self, va: Va) -> bool {
        self.is_loaded() && (self.va..self.end()).contains(&va)
    }
}

/// A symbol of .symtab that has an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Name.
    pub name: &'a str,
    /// Address.
    pub va: Va,
    /// Bytes; 0 when unknown.
    pub size: u64,
    /// Whether it names code.
    pub is_function: bool,
}

/// A word of a position-independent image that the loader fills with an address of that image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relative {
    /// Address of the word.
    pub place: Va,
    /// The address that it gets, before the image is moved.
    pub target: Va,
}

/// An executable that gopatch can patch.
#[derive(Debug, Clone)]
pub struct Elf<'a> {
    data: &'a [u8],
    header: &'a FileHeader64<LE>,
    segments: Vec<Segment>,
    sections: Vec<Section<'a>>,
    symbols: &'a [Sym64<LE>],
    symbol_names: &'a [u8],
}

impl<'a> Elf<'a> {
    /// Reads the file's headers; see [`ElfError`] for what is refused.
    pub fn parse(data: &'a [u8]) -> Result<Self, ElfError> {
        let header = read::header(data)?;
        let segments = read::segments(data, header)?;
        let sections = read::sections(data, header)?;
        let mut elf = Self { data, header, segments, sections, symbols: &[], symbol_names: &[] };
        if elf.header.e_type(LE) == elf::ET_DYN && !elf.is_executable_dyn() {
            return Err(ElfError::SharedLibrary);
        }
        if elf.section(manifest::SECTION).is_some() {
            return Err(ElfError::AlreadyPatched);
        }
        elf.read_symbol_table()?;
        Ok(elf)
    }

    /// The whole file.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The ELF header.
    pub fn header(&self) -> &'a FileHeader64<LE> {
        self.header
    }

    /// What follows the last byte that the ELF header, the two tables, a segment or a section
    /// describes; empty if it is only zeros, with which linkers fill files up.
    pub fn trailing_data(&self) -> &'a [u8] {
        let header = self.header;
        let tables = [
            (header.e_phoff(LE), self.segments.len() * size_of::<elf::ProgramHeader64<LE>>()),
            (header.e_shoff(LE), self.sections.len() * size_of::<elf::SectionHeader64<LE>>()),
        ];
        let tables = tables.into_iter().map(|(offset, size)| (offset, size as u64));
        let segments = self.segments.iter().map(|segment| (segment.offset.0, segment.file_size));
        let sections = self.sections.iter().skip(1).filter(|section| section.kind != elf::SHT_NOBITS);
        let parts = tables.chain(segments).chain(sections.map(|section| (section.offset.0, section.size)));
        // The parts that are not empty were checked to lie in the file.
        let end = parts.filter(|(_, size)| *size > 0).map(|(offset, size)| offset + size).max().unwrap_or(0);
        let rest = self.data.get((end as usize).max(size_of::<FileHeader64<LE>>())..).unwrap_or_default();
        if rest.iter().all(|byte| *byte == 0) { &[] } else { rest }
    }

    /// Whether the loader may move the image. Then every [`Va`] is relative to its final address.
    pub fn is_pie(&self) -> bool {
        self.header.e_type(LE) == elf::ET_DYN
    }

    /// The entry point.
    pub fn entry(&self) -> Va {
        Va(self.header.e_entry(LE))
    }

    /// Segments, in the order of the program header table.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Segments that are part of the image.
    pub fn loads(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| segment.kind == elf::PT_LOAD)
    }

    /// Sections, in the order of the section header table, with the null section.
    pub fn sections(&self) -> &[Section<'a>] {
        &self.sections
    }

    /// The first section with that name.
    pub fn section(&self, name: &str) -> Option<&Section<'a>> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// A section's bytes in the file, if it has any.
    pub fn raw_data(&self, section: &Section<'_>) -> &'a [u8] {
        if section.kind == elf::SHT_NOBITS {
            return &[];
        }
        bytes(self.data, section.offset, section.size).unwrap_or_default()
    }

    /// A section's bytes, decompressed if necessary (SHF_COMPRESSED, or the older `.zdebug_`).
    pub fn section_data(&self, section: &Section<'_>) -> Result<Content<'a>, ElfError> {
        let raw = self.raw_data(section);
        let malformed = |why| ElfError::Malformed { what: format!("section {}", section.name), why };
        let (format, uncompressed_size, data) = if section.flags.contains(elf::SHF_COMPRESSED) {
            let (header, data) = pod::from_bytes::<elf::CompressionHeader64<LE>>(raw)
                .map_err(|()| malformed("it is too short for a compression header"))?;
            let format = match header.ch_type.get(LE) {
                elf::ELFCOMPRESS_ZLIB => CompressionFormat::Zlib,
                elf::ELFCOMPRESS_ZSTD => CompressionFormat::Zstandard,
                _ => return Err(malformed("its compression is neither zlib nor zstd")),
            };
            (format, header.ch_size.get(LE), data)
        } else if let Some(rest) = raw.strip_prefix(b"ZLIB").filter(|_| section.name.starts_with(".zdebug_")) {
            let (size, data) = rest.split_first_chunk().ok_or_else(|| malformed("it is too short for its size"))?;
            (CompressionFormat::Zlib, u64::from_be_bytes(*size), data)
        } else {
            return Ok(Content::InFile(raw));
        };
        if uncompressed_size > (data.len() as u64).saturating_mul(MAX_EXPANSION) {
            return Err(malformed("it claims to decompress to more than its bytes can hold"));
        }
        content::decompress(data, format, uncompressed_size)
            .ok_or_else(|| malformed("its compressed data cannot be decompressed"))
    }

    /// The offset in the file of the byte at `va`; `None` when it is not in the image, or not in
    /// the file.
    pub fn offset_of(&self, va: Va) -> Option<FileOffset> {
        let (segment, within) = self.locate(va)?;
        segment.offset.checked_add(within)
    }

    /// The address in the image of the byte at `offset`.
    pub fn va_of(&self, offset: FileOffset) -> Option<Va> {
        self.loads().find_map(|segment| {
            let within = offset.offset_from(segment.offset)?;
            if within < segment.file_size { segment.va.checked_add(within) } else { None }
        })
    }

    /// The `len` bytes at `va`, if the file has them all, in one segment.
    pub fn bytes_at(&self, va: Va, len: u64) -> Option<&'a [u8]> {
        let (segment, within) = self.locate(va)?;
        if len > segment.file_size - within {
            return None;
        }
        bytes(self.data, segment.offset.checked_add(within)?, len)
    }

    /// The bytes from `va` to the end of its segment in the file.
    pub fn bytes_from(&self, va: Va) -> Option<&'a [u8]> {
        let (segment, within) = self.locate(va)?;
        bytes(self.data, segment.offset.checked_add(within)?, segment.file_size - within)
    }

    /// The 8-byte word at `va` in the file. In a PIE an address is often not there, but in
    /// [`Elf::relative_relocations`].
    pub fn word_at(&self, va: Va) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes_at(va, 8)?.try_into().ok()?))
    }

    /// First address after the image.
    pub fn image_end(&self) -> Va {
        self.loads().map(|segment| Va(segment.va.0.saturating_add(segment.mem_size))).max().unwrap_or_default()
    }

    /// Defined symbols of .symtab, except those with a name that is not UTF-8 (never Go's).
    pub fn symbols(&self) -> impl Iterator<Item = Symbol<'a>> {
        let names = self.symbol_names;
        self.symbols.iter().filter(|symbol| !symbol.is_undefined(LE)).filter_map(move |symbol| {
            let name = names.get(symbol.st_name(LE) as usize..)?;
            let name = std::ffi::CStr::from_bytes_until_nul(name).ok()?.to_str().ok()?;
            Some(Symbol {
                name,
                va: Va(symbol.st_value(LE)),
                size: symbol.st_size(LE),
                is_function: symbol.st_type() == elf::STT_FUNC,
            })
        })
    }

    /// The address of a symbol of .symtab. Scans the table: for a few names, not for thousands.
    pub fn symbol(&self, name: &str) -> Option<Va> {
        let has_name = |symbol: &&Sym64<LE>| {
            self.symbol_names
                .get(symbol.st_name(LE) as usize..)
                .and_then(|at| at.strip_prefix(name.as_bytes()))
                .is_some_and(|rest| rest.first() == Some(&0))
        };
        let symbol = self.symbols.iter().find(|symbol| !symbol.is_undefined(LE) && has_name(symbol))?;
        Some(Va(symbol.st_value(LE)))
    }

    /// Every word that the loader fills with an address of the image, sorted by place:
    /// R_X86_64_RELATIVE and RELR. Empty when the image is never moved.
    pub fn relative_relocations(&self) -> Result<Vec<Relative>, ElfError> {
        let mut relocations = Vec::new();
        for section in self.sections.iter().filter(|section| section.is_loaded()) {
            let raw = self.raw_data(section);
            match section.kind {
                elf::SHT_RELA => relocations.extend(
                    table::<elf::Rela64<LE>>(raw, section.name)?
                        .iter()
                        .filter(|rela| rela.r_type(LE, false) == elf::R_X86_64_RELATIVE)
                        .map(|rela| Relative {
                            place: Va(rela.r_offset.get(LE)),
                            target: Va(rela.r_addend.get(LE) as u64),
                        }),
                ),
                // RELR has the address in the word itself.
                elf::SHT_RELR => relocations.extend(
                    object::read::elf::RelrIterator::<FileHeader64<LE>>::new(LE, table(raw, section.name)?)
                        .map(Va)
                        .filter_map(|place| Some(Relative { place, target: Va(self.word_at(place)?) })),
                ),
                _ => {}
            }
        }
        relocations.sort_unstable();
        Ok(relocations)
    }

    /// The loaded segment with the byte at `va` in the file, and the offset of `va` in it.
    fn locate(&self, va: Va) -> Option<(&Segment, u64)> {
        self.loads().find_map(|segment| {
            let within = va.offset_from(segment.va)?;
            (within < segment.file_size).then_some((segment, within))
        })
    }

    /// Distinguishes a PIE from a shared library; both are ET_DYN. Every linker marks a PIE with
    /// DF_1_PIE, a static PIE too. Before that flag was common, a program was known by its
    /// PT_INTERP.
    fn is_executable_dyn(&self) -> bool {
        self.segments.iter().any(|segment| segment.kind == elf::PT_INTERP)
            || self.dynamic_entry(elf::DT_FLAGS_1).is_some_and(|flags| flags & elf::DF_1_PIE.0 != 0)
    }

    fn dynamic_entry(&self, tag: DynamicTag) -> Option<u64> {
        let segment = self.segments.iter().find(|segment| segment.kind == elf::PT_DYNAMIC)?;
        let raw = bytes(self.data, segment.offset, segment.file_size)?;
        let entries = table::<elf::Dyn64<LE>>(raw, "PT_DYNAMIC").ok()?;
        entries.iter().find(|entry| entry.tag(LE) == tag).map(|entry| entry.val(LE))
    }

    fn read_symbol_table(&mut self) -> Result<(), ElfError> {
        let Some(section) = self.sections.iter().find(|section| section.kind == elf::SHT_SYMTAB) else {
            return Ok(());
        };
        let names = self.sections.get(section.link as usize).filter(|names| names.kind == elf::SHT_STRTAB);
        let names = names.ok_or_else(|| ElfError::Malformed {
            what: format!("section {}", section.name),
            why: "it does not say which section holds the names",
        })?;
        self.symbols = table(self.raw_data(section), section.name)?;
        self.symbol_names = self.raw_data(names);
        Ok(())
    }
}

fn table<'a, T: pod::Pod>(raw: &'a [u8], name: &str) -> Result<&'a [T], ElfError> {
    pod::slice_from_all_bytes(raw)
        .map_err(|()| malformed(&format!("section {name}"), "its size is not a multiple of its entries'"))
}

fn bytes(data: &[u8], offset: FileOffset, len: u64) -> Option<&[u8]> {
    data.get(usize::try_from(offset.0).ok()?..usize::try_from(offset.checked_add(len)?.0).ok()?)
}

#[cfg(test)]
mod tests {
    use super::testing::{
        E_MACHINE, E_TYPE, FIRST_PROGRAM_HEADER, P_FILESZ, P_OFFSET, TestSection, damaged_copies, image,
    };
    use super::*;

    fn sample() -> Vec<u8> {
        image(&[
            TestSection { name: ".text", va: 0x401000, executable: true, data: vec![0xc3; 40] },
            TestSection { name: ".data", va: 0x402000, executable: false, data: (0..64).collect() },
        ])
    }

    /// The message for a copy of the sample with some bytes changed.
    fn refusal(changes: &[(usize, &[u8])]) -> String {
        let mut file = sample();
        for (offset, bytes) in changes {
            file[*offset..*offset + bytes.len()].copy_from_slice(bytes);
        }
        Elf::parse(&file).expect_err("a file that gopatch cannot patch").to_string()
    }

    #[test]
    fn addresses_map_to_the_file_and_back() {
        let file = sample();
        let elf = Elf::parse(&file).unwrap();
        let data = elf.section(".data").unwrap();
        assert_eq!(elf.offset_of(Va(0x402008)), data.offset.checked_add(8));
        assert_eq!(elf.va_of(data.offset), Some(Va(0x402000)));
        assert_eq!(elf.bytes_at(Va(0x40203c), 4), Some(&[60, 61, 62, 63][..]));
        assert_eq!(elf.bytes_at(Va(0x40203c), 5), None, "past the end of the segment");
        assert_eq!(elf.bytes_at(Va(0x402000), u64::MAX), None);
        assert_eq!(elf.offset_of(Va(0x402040)), None);
        assert_eq!(elf.word_at(Va(0x402000)), Some(0x0706050403020100));
        assert_eq!(elf.image_end(), Va(0x402040));
        assert_eq!(elf.raw_data(data).len(), 64);
    }

    #[test]
    fn files_of_another_kind_are_named() {
        assert!(refusal(&[(0, b"#!/b")]).starts_with("not an ELF file"));
        assert!(refusal(&[(4, &[1])]).starts_with("a 32-bit ELF file"));
        assert!(refusal(&[(5, &[2])]).starts_with("a big-endian ELF file"));
        assert!(refusal(&[(E_MACHINE, &[183, 0])]).starts_with("built for arm64,"));
        assert!(refusal(&[(E_TYPE, &[1, 0])]).starts_with("a relocatable object"));
        assert!(refusal(&[(E_TYPE, &[4, 0])]).starts_with("a core dump"));
        // Position-independent, but neither a loader nor DF_1_PIE.
        assert!(refusal(&[(E_TYPE, &[3, 0])]).starts_with("a shared library"));
    }

    #[test]
    fn parts_past_the_end_are_named() {
        let filesz = FIRST_PROGRAM_HEADER + P_FILESZ;
        assert!(refusal(&[(filesz, &[0xff, 0xff])]).starts_with("truncated: segment 0 ends at 0x"));
        let offset = FIRST_PROGRAM_HEADER + P_OFFSET;
        assert!(refusal(&[(offset, &[0xff; 8])]).contains("segment 0: it ends past the largest offset"));
        let file = sample();
        let message = Elf::parse(&file[..file.len() - 1]).unwrap_err().to_string();
        assert!(message.starts_with("truncated: the section header table ends at"), "{message}");
        assert!(Elf::parse(&file[..20]).unwrap_err().to_string().starts_with("truncated: the ELF header"));
        let message = Elf::parse(&file[..100]).unwrap_err().to_string();
        assert!(message.starts_with("truncated: the program header table"), "{message}");
    }

    #[test]
    fn a_patched_file_is_not_patched_again() {
        let text = TestSection { name: ".text", va: 0x401000, executable: true, data: vec![0xc3; 16] };
        let manifest = TestSection { name: manifest::SECTION, va: 0x500000, executable: false, data: b"{}".to_vec() };
        let message = Elf::parse(&image(&[text, manifest])).unwrap_err().to_string();
        assert!(message.starts_with("already patched"), "{message}");
    }

    #[test]
    fn a_compressed_section_that_lies_about_its_size_is_refused() {
        let part = TestSection {
            name: ".zdebug_info",
            va: 0x401000,
            executable: false,
            data: b"ZLIB\0\xff\0\0\0\0\0\0xx".to_vec(),
        };
        let file = image(&[part]);
        let elf = Elf::parse(&file).unwrap();
        let message = elf.section_data(elf.section(".zdebug_info").unwrap()).unwrap_err().to_string();
        assert!(message.contains("more than its bytes can hold"), "{message}");
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let file = sample();
        let mut refused = 0;
        damaged_copies(&file, std::slice::from_ref(&(0..file.len())), 20_000, |copy| match Elf::parse(copy) {
            Ok(elf) => {
                for section in elf.sections() {
                    let _ = elf.section_data(section);
                    let _ = elf.bytes_from(section.va);
                }
                let _ = (elf.image_end(), elf.symbols().count(), elf.relative_relocations());
            }
            Err(_) => refused += 1,
        });
        assert!(refused > 10_000, "{refused}");
    }
}
