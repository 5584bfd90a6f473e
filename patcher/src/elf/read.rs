//! Reading the ELF header and its two tables.
//!
//! Decides: what is refused, from the most basic fault on, so that the message names the real one.
//! Trusts: nothing. Parts past the end of the file are found here, once, and not checked again.
//! Never does: read the contents of a segment or a section.

use object::LittleEndian as LE;
use object::elf::{self, FileHeader64};
use object::pod;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};

use crate::address::{FileOffset, Va};

use super::{ElfError, Section, Segment};

/// Checks the ELF header, from the most basic fault on.
pub(super) fn header(data: &[u8]) -> Result<&FileHeader64<LE>, ElfError> {
    if !data.starts_with(&elf::ELFMAG) {
        return Err(ElfError::NotElf);
    }
    let (header, _) = pod::from_bytes::<FileHeader64<LE>>(data)
        .map_err(|()| truncated("the ELF header".to_owned(), FileOffset(size_of::<FileHeader64<LE>>() as u64), data))?;
    // The class and the encoding come first: they decide where the fields below are and how to read
    // them.
    if !header.is_class_64() {
        return Err(ElfError::Not64Bit);
    }
    if !header.is_little_endian() {
        return Err(ElfError::BigEndian);
    }
    match header.e_machine(LE) {
        elf::EM_X86_64 => {}
        elf::EM_AARCH64 => return Err(ElfError::Machine("arm64".to_owned())),
        elf::EM_RISCV => return Err(ElfError::Machine("riscv64".to_owned())),
        elf::EM_PPC64 => return Err(ElfError::Machine("ppc64le".to_owned())),
        elf::EM_LOONGARCH => return Err(ElfError::Machine("loong64".to_owned())),
        elf::EM_MIPS => return Err(ElfError::Machine("mips64le".to_owned())),
        other => return Err(ElfError::Machine(format!("another machine (ELF number {})", other.0))),
    }
    match header.e_type(LE) {
        elf::ET_EXEC | elf::ET_DYN => Ok(header),
        elf::ET_REL => Err(ElfError::Relocatable),
        elf::ET_CORE => Err(ElfError::CoreDump),
        other => Err(ElfError::FileType(other.0)),
    }
}

pub(super) fn segments(data: &[u8], header: &FileHeader64<LE>) -> Result<Vec<Segment>, ElfError> {
    let what = "the program header table";
    let count = header.phnum(LE, data).map_err(|_| malformed(what, "its number of entries is invalid"))?;
    check_table(data, what, header.e_phoff(LE), u64::from(count), size_of::<elf::ProgramHeader64<LE>>())?;
    let headers = header.program_headers(LE, data).map_err(|_| malformed(what, "its entries have the wrong size"))?;
    let mut segments = Vec::with_capacity(headers.len());
    for (index, header) in headers.iter().enumerate() {
        let segment = Segment {
            kind: header.p_type(LE),
            flags: header.p_flags(LE),
            offset: FileOffset(header.p_offset(LE)),
            va: Va(header.p_vaddr(LE)),
            file_size: header.p_filesz(LE),
            mem_size: header.p_memsz(LE),
            align: header.p_align(LE),
        };
        let what = || format!("segment {index}");
        check_range(data, what, segment.offset, segment.file_size)?;
        if segment.kind == elf::PT_LOAD {
            if segment.va.checked_add(segment.mem_size).is_none() {
                return Err(malformed(&what(), "it ends past the address space"));
            }
            if segment.file_size > segment.mem_size {
                return Err(malformed(&what(), "it is larger in the file than in memory"));
            }
        }
        segments.push(segment);
    }
    Ok(segments)
}

pub(super) fn sections<'a>(data: &'a [u8], header: &'a FileHeader64<LE>) -> Result<Vec<Section<'a>>, ElfError> {
    let what = "the section header table";
    let shoff = header.e_shoff(LE);
    // Entry 0 may hold the number of entries.
    check_table(data, what, shoff, u64::from(shoff != 0), size_of::<elf::SectionHeader64<LE>>())?;
    let count = header.shnum(LE, data).map_err(|_| malformed(what, "its number of entries is invalid"))?;
    check_table(data, what, shoff, u64::from(count), size_of::<elf::SectionHeader64<LE>>())?;
    let headers = header.section_headers(LE, data).map_err(|_| malformed(what, "its entries have the wrong size"))?;
    if headers.is_empty() {
        return Ok(Vec::new());
    }
    // Entry 0 describes no section, whatever patchelf writes there.
    for (index, section) in headers.iter().enumerate().skip(1) {
        if let Some((offset, size)) = section.file_range(LE) {
            let name = || match header.section_strings(LE, data, headers).map(|names| section.name(LE, names)) {
                Ok(Ok(name)) => format!("section {index} ({})", String::from_utf8_lossy(name)),
                _ => format!("section {index}"),
            };
            check_range(data, name, FileOffset(offset), size)?;
        }
    }
    let names = header
        .section_strings(LE, data, headers)
        .map_err(|_| malformed(what, "it does not say which section holds the names"))?;
    headers
        .iter()
        .enumerate()
        .map(|(index, section)| {
            let name = section.name(LE, names).ok().and_then(|name| std::str::from_utf8(name).ok());
            Ok(Section {
                index,
                name: name.ok_or_else(|| malformed(&format!("section {index}"), "its name is invalid"))?,
                kind: section.sh_type(LE),
                flags: section.sh_flags(LE),
                va: Va(section.sh_addr(LE)),
                offset: FileOffset(section.sh_offset(LE)),
                size: section.sh_size(LE),
                link: section.sh_link(LE),
                info: section.sh_info(LE),
                align: section.sh_addralign(LE),
                entry_size: section.sh_entsize(LE),
            })
        })
        .collect()
}

fn check_table(data: &[u8], what: &str, offset: u64, count: u64, entry: usize) -> Result<(), ElfError> {
    let size = count.checked_mul(entry as u64).ok_or_else(|| malformed(what, "it has too many entries"))?;
    check_range(data, || what.to_owned(), FileOffset(offset), size)
}

fn check_range(data: &[u8], what: impl Fn() -> String, offset: FileOffset, size: u64) -> Result<(), ElfError> {
    let end = offset.checked_add(size).ok_or_else(|| malformed(&what(), "it ends past the largest offset"))?;
    // An empty range may be anywhere: it is never read.
    if size > 0 && end.0 > data.len() as u64 {
        return Err(truncated(what(), end, data));
    }
    Ok(())
}

fn truncated(what: String, end: FileOffset, data: &[u8]) -> ElfError {
    ElfError::Truncated { what, end, size: FileOffset(data.len() as u64) }
}

pub(super) fn malformed(what: &str, why: &'static str) -> ElfError {
    ElfError::Malformed { what: what.to_owned(), why }
}
