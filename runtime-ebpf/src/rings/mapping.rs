//! Memory that is shared with another process, read and written as atomic words.
//!
//! Decides: that shared memory is only accessed as atomics, never as a slice or a reference to
//! plain data.
//! Trusts: that the mapped file cannot shrink (a memfd sealed against it, or a BPF map). The
//! content: not at all.
//! Never does: map anything executable or private.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};

/// A shared mapping of a part of a file.
#[derive(Debug)]
pub(crate) struct Mapping {
    memory: MmapRaw,
    writable: bool,
}

impl Mapping {
    /// Maps `len` bytes from `offset` on, to read.
    pub(crate) fn read_only(file: &impl AsRawFd, offset: usize, len: usize) -> io::Result<Self> {
        let memory = MmapOptions::new().offset(offset as u64).len(len).map_raw_read_only(file)?;
        Ok(Self { memory, writable: false })
    }

    /// Maps `len` bytes from `offset` on, to read and write.
    pub(crate) fn read_write(file: &impl AsRawFd, offset: usize, len: usize) -> io::Result<Self> {
        let memory = MmapOptions::new().offset(offset as u64).len(len).map_raw(file)?;
        Ok(Self { memory, writable: true })
    }

    /// Bytes of the mapping.
    pub(crate) fn len(&self) -> usize {
        self.memory.len()
    }

    /// Reads a word.
    pub(crate) fn load(&self, offset: usize) -> u64 {
        self.word(offset).load(Ordering::Acquire)
    }

    /// Appends `words` words from `offset` on to `bytes`.
    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>, offset: usize, words: usize) {
        let first = self.pointers::<u64>(offset, words);
        bytes.reserve(8 * words);
        let places = bytes.spare_capacity_mut()[..8 * words].as_chunks_mut::<8>().0;
        for (index, place) in places.iter_mut().enumerate() {
            // SAFETY: as in `word`; `pointers` proved it of all of them.
            let word = unsafe { AtomicU64::from_ptr(first.wrapping_add(index)) }.load(Ordering::Acquire);
            place.write_copy_of_slice(&word.to_le_bytes());
        }
        // SAFETY: the capacity was reserved, and each of the bytes was written.
        unsafe { bytes.set_len(bytes.len() + 8 * words) };
    }

    /// Writes a word.
    pub(crate) fn store(&self, offset: usize, value: u64) {
        self.must_be_writable();
        self.word(offset).store(value, Ordering::Release);
    }

    /// Adds one to a word.
    pub(crate) fn increment(&self, offset: usize) {
        self.must_be_writable();
        self.word(offset).fetch_add(1, Ordering::Release);
    }

    /// Adds one to a half word.
    pub(crate) fn increment_half(&self, offset: usize) {
        self.must_be_writable();
        self.half(offset).fetch_add(1, Ordering::Release);
    }

    /// Sets bits of a half word.
    pub(crate) fn set_bits(&self, offset: usize, bits: u32) {
        self.must_be_writable();
        self.half(offset).fetch_or(bits, Ordering::Release);
    }

    /// Writes a half word.
    pub(crate) fn store_half(&self, offset: usize, value: u32) {
        self.must_be_writable();
        self.half(offset).store(value, Ordering::Release);
    }

    /// The address of a half word, for the kernel.
    pub(crate) fn address(&self, offset: usize) -> *mut std::ffi::c_void {
        self.pointer::<u32>(offset).cast()
    }

    /// Writes a byte.
    pub(crate) fn store_byte(&self, offset: usize, value: u8) {
        self.must_be_writable();
        let pointer = self.pointer::<u8>(offset);
        // SAFETY: `pointer` proved that the byte is mapped; only atomics access it on this side.
        unsafe { AtomicU8::from_ptr(pointer) }.store(value, Ordering::Release);
    }

    fn half(&self, offset: usize) -> &AtomicU32 {
        let pointer = self.pointer::<u32>(offset);
        // SAFETY: `pointer` proved that the four bytes are mapped and aligned, and they stay mapped
        // while `self` lives; only atomics access them on this side.
        unsafe { AtomicU32::from_ptr(pointer) }
    }

    fn word(&self, offset: usize) -> &AtomicU64 {
        let pointer = self.pointer::<u64>(offset);
        // SAFETY: `pointer` proved that the eight bytes are mapped and aligned, and they stay
        // mapped while `self` lives. Only atomics access them on this side. Writes of the other
        // process can give them any value, and any value is valid for an atomic word. A load from a
        // read-only page is sound for a type of this size.
        unsafe { AtomicU64::from_ptr(pointer) }
    }

    fn pointer<T>(&self, offset: usize) -> *mut T {
        self.pointers(offset, 1)
    }

    fn pointers<T>(&self, offset: usize, count: usize) -> *mut T {
        let size = size_of::<T>();
        let end = count.checked_mul(size).and_then(|bytes| offset.checked_add(bytes));
        let end = end.expect("an offset in a mapping is small");
        assert!(
            end <= self.memory.len() && offset.is_multiple_of(size),
            "bytes {offset}..{end} are not in the mapping"
        );
        self.memory.as_mut_ptr().wrapping_add(offset).cast()
    }

    fn must_be_writable(&self) {
        assert!(self.writable, "this mapping is read-only");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_mappings_of_a_file_show_the_same_words() -> io::Result<()> {
        let file = tempfile::tempfile()?;
        file.set_len(8192)?;
        let writer = Mapping::read_write(&file, 0, 8192)?;
        let reader = Mapping::read_only(&file, 4096, 4096)?;
        writer.store(4096 + 64, 7);
        writer.increment(4096 + 64);
        writer.set_bits(4096 + 72, 5);
        writer.store_byte(4096 + 80, 1);
        assert_eq!((reader.load(64), reader.load(72), reader.load(80)), (8, 5, 1));
        let mut bytes = b"before".to_vec();
        reader.append_to(&mut bytes, 64, 2);
        assert_eq!(bytes, b"before\x08\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0");
        Ok(())
    }

    #[test]
    #[should_panic(expected = "not in the mapping")]
    fn a_word_beyond_the_end_is_never_read() {
        let file = tempfile::tempfile().expect("temporary file");
        file.set_len(4096).expect("resize");
        Mapping::read_only(&file, 0, 4096).expect("map").load(4096);
    }

    #[test]
    #[should_panic(expected = "not in the mapping")]
    fn words_beyond_the_end_are_never_read() {
        let file = tempfile::tempfile().expect("temporary file");
        file.set_len(4096).expect("resize");
        Mapping::read_only(&file, 0, 4096).expect("map").append_to(&mut Vec::new(), 4088, 2);
    }
}
