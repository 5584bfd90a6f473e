//! A section's bytes, decompressed when they are compressed.
//!
//! Decides: in which memory they lie.
//! Trusts: nothing; data that does not give as many bytes as it should is refused.
//! Never does: know what a section is for.

use std::ops::Deref;

use libdeflater::Decompressor;
use memmap2::{Advice, MmapMut};
use object::{CompressedData, CompressionFormat};

/// A section's bytes.
#[derive(Debug)]
pub enum Content<'a> {
    /// As they are in the file.
    InFile(&'a [u8]),
    /// Decompressed.
    Decompressed(Vec<u8>),
    /// Decompressed, in large pages where the kernel has them: taking small ones, a fault each, costs more than inflating.
    Inflated(MmapMut),
}

impl Deref for Content<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::InFile(bytes) => bytes,
            Self::Decompressed(bytes) => bytes,
            Self::Inflated(bytes) => bytes,
        }
    }
}

/// Decompresses what has to give `size` bytes.
pub(super) fn decompress(data: &[u8], format: CompressionFormat, size: u64) -> Option<Content<'static>> {
    if format != CompressionFormat::Zlib {
        let decompressed = CompressedData { format, data, uncompressed_size: size }.decompress().ok()?;
        return Some(Content::Decompressed(decompressed.into_owned()));
    }
    let mut inflated = MmapMut::map_anon(usize::try_from(size).ok()?).ok()?;
    // A kernel without large pages gives small ones.
    let _ = inflated.advise(Advice::HugePage);
    let len = Decompressor::new().zlib_decompress(data, &mut inflated).ok()?;
    (len == inflated.len()).then_some(Content::Inflated(inflated))
}
