//! Gives back the input of an output.
//!
//! Decides: nothing; the manifest says what stood where. Trusts: nothing: what comes out must have the digest that the
//! manifest names, so it is the input byte for byte or an error.
//! Never does: I/O.

use goblin::elf::Elf;
use goblin::elf::program_header::PT_LOAD;
use gopatch_protocol::manifest::{self, Manifest};
use sha2::{Digest, Sha256};

use crate::verify::headers_of;

/// Why the input cannot be given back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// Not an ELF file.
    #[error("not an ELF file")]
    Elf(#[from] goblin::error::Error),
    /// No manifest.
    #[error("not patched by gopatch: it has no section {}", manifest::SECTION)]
    NotPatched,
    /// A manifest that cannot be read.
    #[error("its manifest cannot be used: {0}")]
    Manifest(String),
    /// What came out is not what went in.
    #[error("its original bytes are not the input's: it was changed after gopatch wrote it")]
    Digest,
}

/// Whether a file says that gopatch wrote it.
pub fn is_patched(file: &[u8]) -> bool {
    headers_of(file).is_ok_and(|elf| !matches!(read_manifest(&elf, file), Err(RestoreError::NotPatched)))
}

/// The input of a patched file.
pub fn input_of(output: &[u8]) -> Result<Vec<u8>, RestoreError> {
    let elf = headers_of(output)?;
    let (manifest, _) = read_manifest(&elf, output)?;
    restore(&elf, output, &manifest)
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
        .ok_or_else(|| RestoreError::Manifest("its section lies outside of the file".to_owned()))?;
    let manifest = Manifest::parse(bytes).map_err(|error| RestoreError::Manifest(error.to_string()))?;
    Ok((manifest, bytes))
}

/// Every place of a patched file that was overwritten: its offset, and what stood there.
pub(crate) fn overwritten(elf: &Elf<'_>, manifest: &Manifest) -> Result<Vec<(usize, Vec<u8>)>, RestoreError> {
    let offset_of = |va: u64| {
        elf.program_headers.iter().filter(|segment| segment.p_type == PT_LOAD).find_map(|segment| {
            let within = va.checked_sub(segment.p_vaddr).filter(|within| *within < segment.p_filesz)?;
            segment.p_offset.checked_add(within)
        })
    };
    let places = manifest.overwritten(offset_of);
    let places = places.ok_or_else(|| RestoreError::Manifest("it names a site that is not in the file".to_owned()))?;
    let bytes = |(offset, original)| {
        usize::try_from(offset).ok().zip(manifest::from_hex(original)).ok_or_else(|| misplaced(offset))
    };
    places.into_iter().map(bytes).collect()
}

/// The input of `output`, which `manifest` describes.
pub fn restore(elf: &Elf<'_>, output: &[u8], manifest: &Manifest) -> Result<Vec<u8>, RestoreError> {
    let size = usize::try_from(manifest.input.size).ok();
    let mut input = size.and_then(|size| output.get(..size)).ok_or_else(|| misplaced(manifest.input.size))?.to_vec();
    for (offset, original) in overwritten(elf, manifest)? {
        let range = offset..offset.saturating_add(original.len());
        input.get_mut(range).ok_or_else(|| misplaced(offset as u64))?.copy_from_slice(&original);
    }
    if manifest::to_hex(&Sha256::digest(&input)) == manifest.input.sha256 {
        Ok(input)
    } else {
        Err(RestoreError::Digest)
    }
}

fn misplaced(offset: u64) -> RestoreError {
    RestoreError::Manifest(format!("it names bytes at {offset:#x} that are not there"))
}
