//! A section's bytes, decompressed if necessary.
//!
//! Decides: which memory they are in.
//! Trusts: nothing. Data that does not decompress to its stated size is refused.

use std::ops::Deref;

use libdeflater::Decompressor;
use memmap2::{Advice, MmapMut};
use object::{CompressedData, CompressionFormat};

/// A section's bytes.
#[derive(Debug)]
pub enum Content<'a> {
    /// Part of the file.
    InFile(&'a [u8]),
    /// Decompressed.
    Decompressed(Vec<u8>),
    /// Decompressed, in large pages if the kernel has them: page faults for small ones take longer
    /// than decompression.
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

/// Decompresses `data` to `size` bytes.
pub(super) fn decompress(data: &[u8], format: CompressionFormat, size: u64) -> Option<Content<'static>> {
    if format != CompressionFormat::Zlib {
        let decompressed = CompressedData { format, data, uncompressed_size: size }.decompress().ok()?;
        return Some(Content::Decompressed(decompressed.into_owned()));
    }
    let mut inflated = MmapMut::map_anon(usize::try_from(size).ok()?).ok()?;
    // A kernel without large pages uses small ones.
    let _ = inflated.advise(Advice::HugePage);
    let len = Decompressor::new().zlib_decompress(data, &mut inflated).ok()?;
    (len == inflated.len()).then_some(Content::Inflated(inflated))
}
