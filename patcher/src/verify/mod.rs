//! A second opinion on an output: before it is kept, and on request.
//!
//! Decides: whether nothing of the input but sites and headers has changed, whether each site leads
//! to emitted code, and whether that code leads back.
//! Trusts: nothing of the writer. Another parser (goblin) and another decoder (capstone) read what
//! it wrote.
//!
//! It shows that the output does what its manifest says; [`crate::prove`] shows that it is the one
//! file that gopatch makes. The checks, in this order:
//!
//! 1. The manifest is the one whose digest is in the code, and the code is the one whose digest is
//!    in the manifest.
//! 2. With the listed bytes put back, the file has the input's digest, or equals the input where
//!    that is available: so no other byte has changed. A file just written is compared while the
//!    other checks run, so this check then ends last.
//! 3. The ELF header, the segments and the sections are the input's, and the additions are those
//!    that the manifest lists.
//! 4. If data follow the input's ELF file and the manifest lists them, a copy ends the output.
//! 5. Each site leads to its thunk, and each thunk back ([`sites`]).

mod frames;
mod sites;
mod symbols;

use std::io;
use std::ops::Range;

use goblin::elf::program_header::{PF_W, PF_X, PT_LOAD, PT_PHDR, ProgramHeader};
use goblin::elf::section_header::SHT_SYMTAB;
use goblin::elf::{Elf, SectionHeader};
use gopatch_protocol::manifest::{self, Manifest};
use gopatch_trampolines::attach::MANIFEST_ID_BYTES;
use sha2::{Digest, Sha256};

use crate::patched_file::{RestoreError, headers_of, overwritten, read_manifest};
use crate::restore;
use symbols::File;

/// What to do when another tool has rewritten an output.
const TOOLS_FIRST: &str = "\nhint: use tools that change executables (strip, objcopy, patchelf) before gopatch";

/// Bytes compared at once. Single bytes are compared only where these differ.
const COMPARED_AT_ONCE: usize = 256;

/// What is wrong with an output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not an ELF file.
    #[error("not an ELF file")]
    Elf(#[from] goblin::error::Error),
    /// The manifest cannot be read, or the input not restored.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The written file cannot be compared with the input.
    #[error("cannot read the written file back")]
    Reread(#[source] io::Error),
    /// The manifest is not the one that was written.
    #[error("the manifest or the emitted code was changed or moved after gopatch wrote it{TOOLS_FIRST}")]
    ManifestDigest,
    /// The emitted code is not the one that was written.
    #[error("the emitted code was changed after gopatch wrote it{TOOLS_FIRST}")]
    CodeDigest,
    /// A part lies outside the file.
    #[error("{what} lies outside the file{TOOLS_FIRST}")]
    Outside {
        /// Which part.
        what: &'static str,
    },
    /// A byte differs from the input that the file should be made from.
    #[error("differs from its input at byte {offset:#x}")]
    OtherInput {
        /// Offset in the file.
        offset: usize,
    },
    /// A header field is neither the input's nor the one that gopatch writes.
    #[error("invalid ELF header: {what} differs from what gopatch wrote")]
    Header {
        /// Which field.
        what: &'static str,
    },
    /// A segment of the input was changed, or an unexpected one added.
    #[error("invalid segment {index}: changed, missing or added")]
    Segment {
        /// Index in the program header table.
        index: usize,
    },
    /// A section of the input was changed, or symbols were changed.
    #[error("invalid section {index}: changed or missing")]
    Section {
        /// Index in the section header table.
        index: usize,
    },
    /// The data after the input's ELF file, which the manifest lists, are not at the output's end.
    #[error("the data after the input's ELF file are not at the end of the file")]
    TrailingData,
    /// A site does not jump to its thunk, or the thunk does not lead back.
    #[error("invalid site at {va:#x} with thunk at {thunk:#x}: {what}")]
    Site {
        /// Address of the site.
        va: u64,
        /// Address of the thunk.
        thunk: u64,
        /// What is wrong.
        what: String,
    },
    /// A function that should return at once has no site that does so, or several.
    #[error("{name} should return at once at one site, but does so at {places}")]
    Skip {
        /// The function.
        name: String,
        /// Number of sites that replace its body.
        places: usize,
    },
    /// The decoder cannot be created.
    #[error("the decoder failed")]
    Decoder(#[from] capstone::Error),
}

/// Checks `output`, also against `input` if given, and returns its manifest.
pub fn verify(output: &[u8], input: Option<&[u8]>) -> Result<Manifest, VerifyError> {
    verify_and_restore(output, input).map(|(manifest, _)| manifest)
}

/// The same, and returns the restored input too.
pub fn verify_and_restore(output: &[u8], input: Option<&[u8]>) -> Result<(Manifest, Vec<u8>), VerifyError> {
    let elf = headers_of(output)?;
    let (manifest, manifest_bytes) = read_manifest(&elf, output)?;
    code_is_whole(output, &manifest, manifest_bytes)?;
    let restored = restore::restore(&elf, output, &manifest)?;
    if let Some(offset) = input.and_then(|input| first_difference(&restored, input)) {
        return Err(VerifyError::OtherInput { offset });
    }
    let original = headers_of(&restored)?;
    same_headers(File { bytes: &restored, elf: &original }, File { bytes: output, elf: &elf }, &manifest)?;
    ends_like(&restored, output, &manifest)?;
    sites::check(output, &restored, &elf, &manifest)?;
    Ok((manifest, restored))
}

/// Checks an output just made from `input`. `differences` returns where the two differ
/// ([`differences`]); as every byte was compared, no digest is needed. It is called last, since
/// another thread may still be comparing.
pub fn verify_written(
    output: &[u8],
    input: &[u8],
    differences: impl FnOnce() -> io::Result<Vec<Range<usize>>>,
) -> Result<Manifest, VerifyError> {
    let elf = headers_of(output)?;
    let (manifest, manifest_bytes) = read_manifest(&elf, output)?;
    code_is_whole(output, &manifest, manifest_bytes)?;
    let listed = overwritten(&elf, &manifest)?;
    originals_are_inputs(input, &manifest, &listed)?;
    let original = headers_of(input)?;
    same_headers(File { bytes: input, elf: &original }, File { bytes: output, elf: &elf }, &manifest)?;
    ends_like(input, output, &manifest)?;
    sites::check(output, input, &elf, &manifest)?;
    only_listed_differ(&listed, &differences().map_err(VerifyError::Reread)?)?;
    Ok(manifest)
}

/// Where two files differ, in order, within parts of both that begin at `offset` and are of the
/// same length.
pub fn differences(ours: &[u8], theirs: &[u8], offset: usize) -> Vec<Range<usize>> {
    let mut differences: Vec<Range<usize>> = Vec::new();
    let blocks = ours.chunks(COMPARED_AT_ONCE).zip(theirs.chunks(COMPARED_AT_ONCE)).enumerate();
    for (index, (ours, theirs)) in blocks.filter(|(_, (ours, theirs))| ours != theirs) {
        let start = offset + index * COMPARED_AT_ONCE;
        let pairs = ours.iter().zip(theirs).enumerate();
        for at in pairs.filter(|(_, (ours, theirs))| ours != theirs).map(|(within, _)| start + within) {
            match differences.last_mut() {
                Some(last) if last.end == at => last.end += 1,
                _ => differences.push(at..at + 1),
            }
        }
    }
    differences
}

/// The first offset at which two files differ, which is the end of the shorter one if it begins the
/// other.
pub(crate) fn first_difference(ours: &[u8], theirs: &[u8]) -> Option<usize> {
    if ours == theirs {
        return None;
    }
    let differs = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
    Some(differs.unwrap_or(ours.len().min(theirs.len())))
}

/// Checks that the output ends with the data after the input's ELF file, if the manifest says so.
fn ends_like(input: &[u8], output: &[u8], manifest: &Manifest) -> Result<(), VerifyError> {
    let start = usize::try_from(manifest.trailing).ok().and_then(|bytes| input.len().checked_sub(bytes));
    let trailing = start.and_then(|start| input.get(start..)).filter(|trailing| output.ends_with(trailing));
    trailing.map(drop).ok_or(VerifyError::TrailingData)
}

/// Checks that the original bytes in the manifest are the input's.
fn originals_are_inputs(input: &[u8], manifest: &Manifest, listed: &[(usize, Vec<u8>)]) -> Result<(), VerifyError> {
    if manifest.input.size != input.len() as u64 {
        return Err(VerifyError::OtherInput { offset: input.len() });
    }
    let is_same = |(offset, original): &&(usize, Vec<u8>)| {
        input.get(*offset..offset.saturating_add(original.len())) == Some(original)
    };
    let wrong = listed.iter().find(|place| !is_same(place));
    wrong.map_or(Ok(()), |(offset, _)| Err(VerifyError::OtherInput { offset: *offset }))
}

/// Checks that only places differ that the manifest lists.
fn only_listed_differ(listed: &[(usize, Vec<u8>)], differences: &[Range<usize>]) -> Result<(), VerifyError> {
    let mut listed: Vec<_> = listed.iter().map(|(offset, original)| *offset..*offset + original.len()).collect();
    listed.sort_unstable_by_key(|range| range.start);
    // Ranges that touch count as one.
    listed.dedup_by(|next, before| {
        let touch = next.start <= before.end;
        if touch {
            before.end = before.end.max(next.end);
        }
        touch
    });
    for differs in differences {
        let known = listed.get(listed.partition_point(|range| range.end <= differs.start));
        let known = known.filter(|range| range.start <= differs.start).map_or(differs.start, |range| range.end);
        if known < differs.end {
            return Err(VerifyError::OtherInput { offset: known });
        }
    }
    Ok(())
}

fn code_range(manifest: &Manifest) -> Option<Range<usize>> {
    let start = usize::try_from(manifest.code.offset).ok()?;
    Some(start..start.checked_add(usize::try_from(manifest.code.size).ok()?)?)
}

fn code_is_whole(output: &[u8], manifest: &Manifest, manifest_bytes: &[u8]) -> Result<(), VerifyError> {
    let outside = VerifyError::Outside { what: "the emitted code" };
    let code = code_range(manifest).and_then(|range| output.get(range)).ok_or(outside)?;
    let mut code = code.to_vec();
    let id_at = usize::try_from(manifest.code.id_offset).unwrap_or(usize::MAX);
    let id = id_at.checked_add(MANIFEST_ID_BYTES).and_then(|end| code.get_mut(id_at..end));
    let id = id.ok_or(VerifyError::Outside { what: "the manifest's id" })?;
    if *id != Sha256::digest(manifest_bytes)[..MANIFEST_ID_BYTES] {
        return Err(VerifyError::ManifestDigest);
    }
    id.fill(0);
    if manifest::to_hex(&Sha256::digest(&code)) != manifest.code.sha256 {
        return Err(VerifyError::CodeDigest);
    }
    Ok(())
}

fn same_headers(input: File<'_>, output: File<'_>, manifest: &Manifest) -> Result<(), VerifyError> {
    let (original, elf) = (input.elf, output.elf);
    let (before, after) = (&original.header, &elf.header);
    for (what, same) in [
        ("identification", before.e_ident == after.e_ident),
        ("type", before.e_type == after.e_type),
        ("machine", before.e_machine == after.e_machine),
        ("version", before.e_version == after.e_version),
        ("flags", before.e_flags == after.e_flags),
        ("size", before.e_ehsize == after.e_ehsize && before.e_phentsize == after.e_phentsize),
        ("entry point", after.e_entry == manifest.code.stub),
    ] {
        if !same {
            return Err(VerifyError::Header { what });
        }
    }
    same_segments(&original.program_headers, &elf.program_headers, manifest)?;
    let code = manifest.code.va..manifest.code.va.saturating_add(manifest.code.size);
    // The table of names is new, so names are compared as text; its own section has moved.
    let describe = |elf: &Elf<'_>, section: &SectionHeader| {
        let name = elf.shdr_strtab.get_at(section.sh_name).unwrap_or_default().to_owned();
        (name, SectionHeader { sh_name: 0, ..section.clone() })
    };
    for (index, section) in original.section_headers.iter().enumerate() {
        let same = elf.section_headers.get(index).is_some_and(|other| {
            let (before, after) = (describe(original, section), describe(elf, other));
            let names = index == usize::from(original.header.e_shstrndx);
            let (old, new) = ((input, section), (output, other));
            let has_grown = || symbols::has_grown(old, new, &code) || frames::has_grown(old, new, &code);
            before == after || before.0 == after.0 && (names || has_grown())
        });
        if !same {
            return Err(VerifyError::Section { index });
        }
    }
    if !frames::only_code_was_added(input, output, &code) {
        return Err(VerifyError::Section { index: original.section_headers.len() });
    }
    let is_table = |section: &SectionHeader| section.sh_type == SHT_SYMTAB;
    let new = elf.section_headers.iter().skip(original.section_headers.len()).position(is_table);
    match new.map(|index| index + original.section_headers.len()) {
        Some(index) if !symbols::only_code_was_added(None, output, &code) => Err(VerifyError::Section { index }),
        _ => Ok(()),
    }
}

/// Checks that every segment of the input is unchanged, except PT_PHDR, as the table has grown; and
/// that two were added: memory that is not executable, and code that is not writable.
fn same_segments(before: &[ProgramHeader], after: &[ProgramHeader], manifest: &Manifest) -> Result<(), VerifyError> {
    for (index, segment) in before.iter().enumerate() {
        let same = after.get(index).is_some_and(|other| {
            other == segment
                || (segment.p_type == PT_PHDR && other.p_type == PT_PHDR && other.p_flags == segment.p_flags)
        });
        if !same {
            return Err(VerifyError::Segment { index });
        }
    }
    let code = manifest.code.va..manifest.code.va.saturating_add(manifest.code.size);
    let added_as_meant = |index: usize, segment: &ProgramHeader| {
        let memory = index == before.len() && segment.p_flags & PF_X == 0 && segment.p_filesz == 0;
        let text = index == before.len() + 1
            && segment.p_flags & PF_W == 0
            && segment.p_vaddr <= code.start
            && segment.p_vaddr.checked_add(segment.p_filesz) == Some(code.end)
            && segment.p_offset.wrapping_sub(segment.p_vaddr) == manifest.code.offset.wrapping_sub(code.start);
        segment.p_type == PT_LOAD && (memory || text)
    };
    let added = after.iter().enumerate().skip(before.len());
    match added.clone().find(|(index, segment)| !added_as_meant(*index, segment)) {
        Some((index, _)) => Err(VerifyError::Segment { index }),
        None if added.count() == 2 => Ok(()),
        None => Err(VerifyError::Segment { index: after.len() }),
    }
}
