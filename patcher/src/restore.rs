//! Restores the input of an output.
//!
//! Trusts: nothing. The result must have the digest in the manifest, so it is the input byte for
//! byte, or an error.
//! Never does: I/O.

use goblin::elf::Elf;
use gopatch_protocol::manifest::{self, Manifest};
use sha2::{Digest, Sha256};

use crate::patched_file::{RestoreError, headers_of, misplaced, overwritten, read_manifest};

/// The input of a patched file.
pub fn input_of(output: &[u8]) -> Result<Vec<u8>, RestoreError> {
    let elf = headers_of(output)?;
    let (manifest, _) = read_manifest(&elf, output)?;
    restore(&elf, output, &manifest)
}

/// The input of `output`, by its manifest.
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
