//! A patched file: its headers, its manifest, and the original bytes of each overwritten place.
//!
//! Trusts: nothing in the file. Never does: decode instructions.

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::program_header::{PT_LOAD, ProgramHeader};
use goblin::elf::{Elf, SectionHeader};
use goblin::strtab::Strtab;
use gopatch_protocol::manifest::{self, Manifest, ManifestError};

/// Why a patched file cannot be read or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// Not an ELF file.
    #[error("not an ELF file")]
    Elf(#[from] goblin::error::Error),
    /// No manifest.
    #[error("not patched by gopatch: no section {}", manifest::SECTION)]
    NotPatched,
    /// A manifest of another format.
    #[error("patched by another version of gopatch: {0}\nhint: use that version, or patch the program again")]
    Format(ManifestError),
    /// A manifest that cannot be read or contradicts the file.
    #[error("invalid manifest: {0}")]
    Manifest(String),
    /// The restored bytes are not the input.
    #[error("the restored bytes differ from the input: the file was changed after gopatch wrote it")]
    Digest,
}

/// Whether a file has gopatch's manifest.
pub fn is_patched(file: &[u8]) -> bool {
    headers_of(file).is_ok_and(|elf| !matches!(read_manifest(&elf, file), Err(RestoreError::NotPatched)))
}

/// The headers and the names of the sections; the rest of the ELF file is not parsed.
pub(crate) fn headers_of(file: &[u8]) -> Result<Elf<'_>, goblin::error::Error> {
    let mut elf = Elf::lazy_parse(Elf::parse_header(file)?)?;
    let (header, ctx) = (&elf.header, Ctx::new(Container::Big, Endian::Little));
    let tables = [(header.e_phoff, header.e_phnum), (header.e_shoff, header.e_shnum)];
    let [(segments_at, segments), (sections_at, sections)] =
        tables.map(|(offset, count)| (usize::try_from(offset).unwrap_or(usize::MAX), usize::from(count)));
    elf.program_headers = ProgramHeader::parse(file, segments_at, segments, ctx)?;
    elf.section_headers = SectionHeader::parse(file, sections_at, sections, ctx)?;
    let names = elf.section_headers.get(usize::from(header.e_shstrndx)).and_then(SectionHeader::file_range);
    if let Some(range) = names.filter(|range| range.end <= file.len()) {
        elf.shdr_strtab = Strtab::parse(file, range.start, range.len(), 0)?;
    }
    Ok(elf)
}

/// The manifest of a patched file, and its bytes.
pub fn read_manifest<'a>(elf: &Elf<'_>, output: &'a [u8]) -> Result<(Manifest, &'a [u8]), RestoreError> {
    let section = elf
        .section_headers
        .iter()
        .find(|section| elf.shdr_strtab.get_at(section.sh_name) == Some(manifest::SECTION))
        .ok_or(RestoreError::NotPatched)?;
    let bytes = section
        .file_range()
        .and_then(|range| output.get(range))
        .ok_or_else(|| RestoreError::Manifest("its section lies outside the file".to_owned()))?;
    let manifest = Manifest::parse(bytes).map_err(|error| match error {
        ManifestError::Format(_) => RestoreError::Format(error),
        error => RestoreError::Manifest(error.to_string()),
    })?;
    Ok((manifest, bytes))
}

/// Every overwritten place of a patched file: its offset and its original bytes.
pub(crate) fn overwritten(elf: &Elf<'_>, manifest: &Manifest) -> Result<Vec<(usize, Vec<u8>)>, RestoreError> {
    let offset_of = |va: u64| {
        elf.program_headers.iter().filter(|segment| segment.p_type == PT_LOAD).find_map(|segment| {
            let within = va.checked_sub(segment.p_vaddr).filter(|within| *within < segment.p_filesz)?;
            segment.p_offset.checked_add(within)
        })
    };
    let places = manifest.overwritten(offset_of);
    let places = places.ok_or_else(|| RestoreError::Manifest("it lists a site outside the file".to_owned()))?;
    let bytes = |(offset, original)| {
        usize::try_from(offset).ok().zip(manifest::from_hex(original)).ok_or_else(|| misplaced(offset))
    };
    places.into_iter().map(bytes).collect()
}

pub(crate) fn misplaced(offset: u64) -> RestoreError {
    RestoreError::Manifest(format!("it lists bytes at {offset:#x}, outside the file"))
}
