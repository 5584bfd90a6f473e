//! Files: an input is mapped, an output is written whole or not at all.
//!
//! Decides: that no output is an input, that a failure leaves no file, that a file which
//! replaces another is on the disk first; and which thread copies and compares which part.
//! Trusts: that no process writes to IN meanwhile (as every linker and compiler does).

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, anyhow, bail};
use gopatch::report::LostReport;
use gopatch::verify;
use gopatch::write::Overwrite;
use gopatch_protocol::manifest;
use memmap2::{Advice, Mmap, MmapOptions};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::destination::{self, cannot_write};
use super::metadata::Metadata;

/// How many bytes are mapped at once where a whole file is read: whole pages, and few enough to
/// stay in the cache.
const PART: usize = 256 << 10;

/// The input's bytes.
pub(crate) struct Input {
    path: PathBuf,
    file: File,
    bytes: Mmap,
}

impl Input {
    /// Maps a regular file.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot = || cannot_read(path);
        let metadata = std::fs::metadata(path).with_context(cannot)?;
        if !metadata.is_file() {
            bail!("{}: not a regular file\nhint: pass an executable", path.display());
        }
        let file = File::open(path).map_err(|error| {
            let denied = error.kind() == ErrorKind::PermissionDenied;
            let hint = if denied { "\nhint: run gopatch as a user who may read the file" } else { "" };
            anyhow!("{}: {error}{hint}", cannot())
        })?;
        Self::map(path, file).with_context(cannot)
    }

    fn map(path: &Path, file: File) -> io::Result<Self> {
        // SAFETY: the mapping is private and read-only. The user guarantees that no process changes
        // or truncates the file while it is mapped, as for any linker; the output is checked
        // against the bytes that were read before it gets its name.
        let bytes = unsafe { Mmap::map(&file) }?;
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn cannot(&self) -> String {
        cannot_read(&self.path)
    }

    /// What the file has besides its bytes, for the output to have.
    pub(crate) fn metadata(&self) -> anyhow::Result<Metadata> {
        Metadata::read(&self.file).with_context(|| self.cannot())
    }
}

/// The first `size` bytes of a file, mapped part by part: mapped at once, all would count as this
/// process's memory.
fn parts(file: &File, size: usize) -> impl Iterator<Item = io::Result<Mmap>> {
    (0..size).step_by(PART).map(move |start| part(file, start..size.min(start + PART)))
}

fn part(file: &File, range: Range<usize>) -> io::Result<Mmap> {
    // SAFETY: as in [`Input::map`]. An output does not have its name yet, so no other process opens
    // it.
    let part = unsafe { MmapOptions::new().offset(range.start as u64).len(range.len()).map(file) }?;
    // Before Linux 5.14 this fails, and the pages are read one by one.
    let _ = part.advise(Advice::PopulateRead);
    Ok(part)
}

/// How every message about an input that cannot be read begins.
fn cannot_read(path: &Path) -> String {
    format!("{}: cannot read", path.display())
}

/// An output into which the input's bytes are being copied.
pub(crate) struct Copying<'i> {
    input: &'i Input,
    pending: Pending,
    /// Number of bytes copied so far. The thread that holds the lock copies more.
    copied: Mutex<usize>,
}

impl<'i> Copying<'i> {
    /// Creates a file in the folder of `path`.
    pub(crate) fn start(input: &'i Input, path: &Path) -> anyhow::Result<Self> {
        Ok(Self { input, pending: Pending::create(path)?, copied: Mutex::new(0) })
    }

    /// The SHA-256 of the input, in hex. Copies each part too, while it is in the cache, until
    /// another thread copies the rest.
    pub(crate) fn digest(&self) -> anyhow::Result<String> {
        let (mut digest, mut start) = (Sha256::new(), 0);
        for part in parts(&self.input.file, self.input.bytes.len()) {
            let part = part.with_context(|| self.input.cannot())?;
            digest.update(&*part);
            if let Ok(mut copied) = self.copied.try_lock()
                && *copied == start
            {
                self.pending.write_at(&part, start)?;
                *copied += part.len();
            }
            start += part.len();
        }
        Ok(manifest::to_hex(&digest.finalize()))
    }

    /// Copies the rest.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        let mut copied = self.copied.lock().expect("copying does not panic");
        let (mut input, mut output) = (&self.input.file, self.pending.file.as_file());
        input.seek(SeekFrom::Start(*copied as u64)).with_context(|| self.input.cannot())?;
        output.seek(SeekFrom::Start(*copied as u64)).with_context(|| self.pending.cannot())?;
        let size = self.input.bytes.len();
        io::copy(&mut input.take((size - *copied) as u64), &mut output).with_context(|| self.pending.cannot())?;
        *copied = size;
        Ok(())
    }

    /// The file, which has all of the input's bytes after [`Self::finish`].
    pub(crate) fn pending(&self) -> &Pending {
        &self.pending
    }

    /// The file, to keep.
    pub(crate) fn into_pending(self) -> Pending {
        self.pending
    }
}

/// Finds where the written file differs from the input. Several threads may run it.
pub(crate) struct FileComparison<'i> {
    input: &'i Input,
    pending: &'i Pending,
    /// Where the first part begins that no thread has taken.
    next: AtomicUsize,
}

impl<'i> FileComparison<'i> {
    pub(crate) fn new(input: &'i Input, pending: &'i Pending) -> Self {
        Self { input, pending, next: AtomicUsize::new(0) }
    }

    /// Compares parts until none is left, and returns where these differ, in order.
    pub(crate) fn run(&self) -> io::Result<Vec<Range<usize>>> {
        let (size, mut found) = (self.input.bytes.len(), Vec::new());
        loop {
            let start = self.next.fetch_add(PART, Ordering::Relaxed);
            if start >= size {
                return Ok(found);
            }
            let range = start..size.min(start + PART);
            let (ours, theirs) = (part(self.pending.file.as_file(), range.clone())?, part(&self.input.file, range)?);
            found.extend(verify::differences(&ours, &theirs, start));
        }
    }
}

/// A file that does not have its name yet. Dropped, it is deleted.
pub(crate) struct Pending {
    file: NamedTempFile,
    path: PathBuf,
}

impl Pending {
    /// Writes `bytes` to a file in the folder of `path`.
    pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<Self> {
        let mut pending = Self::create(path)?;
        pending.file.write_all(bytes).with_context(|| pending.cannot())?;
        Ok(pending)
    }

    /// The same, for all to read.
    pub(crate) fn write_text(path: &Path, text: &str) -> anyhow::Result<Self> {
        let pending = Self::write(path, text.as_bytes())?;
        let readable = Permissions::from_mode(0o644);
        pending.file.as_file().set_permissions(readable).with_context(|| pending.cannot())?;
        Ok(pending)
    }

    /// Overwrites parts of the file.
    pub(crate) fn overwrite(&self, overwrites: &[Overwrite]) -> anyhow::Result<()> {
        overwrites.iter().try_for_each(|it| self.write_at(&it.bytes, it.offset.0 as usize))
    }

    /// Adds the part after the input.
    pub(crate) fn append(&self, input: &Input, tail: &[u8]) -> anyhow::Result<()> {
        self.write_at(tail, input.bytes.len())
    }

    fn write_at(&self, bytes: &[u8], offset: usize) -> anyhow::Result<()> {
        self.file.as_file().write_all_at(bytes, offset as u64).with_context(|| self.cannot())
    }

    /// The file as written, to be read back.
    pub(crate) fn written(&self) -> anyhow::Result<Input> {
        let file = self.file.as_file().try_clone();
        file.and_then(|file| Input::map(&self.path, file)).with_context(|| self.cannot())
    }

    fn create(path: &Path) -> anyhow::Result<Self> {
        let cannot = || cannot_write(path);
        let folder = destination::folder(path);
        if !folder.is_dir() {
            bail!("{}: the folder does not exist", cannot());
        }
        let file = tempfile::Builder::new().prefix(".gopatch-").tempfile_in(folder).with_context(cannot)?;
        Ok(Self { file, path: path.to_owned() })
    }

    fn cannot(&self) -> String {
        cannot_write(&self.path)
    }

    /// Gives the file another's metadata, and returns what could not be kept.
    pub(crate) fn set_metadata(&self, metadata: &Metadata) -> anyhow::Result<Vec<LostReport>> {
        metadata.apply_to(self.file.as_file()).with_context(|| self.cannot())
    }

    /// Gives the file its name.
    pub(crate) fn keep(self) -> anyhow::Result<()> {
        let file = self.file.as_file();
        destination::check_replaceable(&self.path).with_context(|| self.cannot())?;
        // A new file can be made again. One that replaces another must be on the disk before the
        // other is gone.
        if self.path.exists() {
            file.sync_all().with_context(|| self.cannot())?;
        }
        let cannot = self.cannot();
        self.file.persist(&self.path).map(drop).context(cannot)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Several parts, no two of them the same.
    fn input(folder: &Path) -> (Vec<u8>, Input) {
        let bytes: Vec<u8> = (0..5 * PART + 3).map(|index| (index / 7 + index / PART) as u8).collect();
        std::fs::write(folder.join("in"), &bytes).expect("a writable folder");
        (bytes, Input::open(&folder.join("in")).expect("a file"))
    }

    #[test]
    fn a_copy_is_whole_at_any_interleaving() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (bytes, input) = input(folder.path());
        // Finished before the digest, during it, and after it.
        for wait in [None, Some(0), Some(200), Some(50_000)] {
            let copying = Copying::start(&input, &folder.path().join("out")).expect("a writable folder");
            let digest = thread::scope(|scope| {
                let digest = || scope.spawn(|| copying.digest().expect("a readable file"));
                let early = wait.map(|_| digest());
                for _ in 0..wait.unwrap_or_default() {
                    thread::yield_now();
                }
                copying.finish().expect("room");
                early.unwrap_or_else(digest).join().expect("no panic")
            });
            assert_eq!(digest, manifest::to_hex(&Sha256::digest(&bytes)));
            assert!(copying.pending().written().expect("a readable file").bytes() == bytes, "{wait:?}");
        }
    }

    #[test]
    fn a_comparison_finds_every_difference() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (bytes, input) = input(folder.path());
        let copying = Copying::start(&input, &folder.path().join("out")).expect("a writable folder");
        copying.finish().expect("room");
        let pending = copying.pending();
        for at in [0, PART - 1, PART, 3 * PART + 5, bytes.len() - 1] {
            pending.write_at(&[!bytes[at]], at).expect("room");
        }
        pending.append(&input, b"the tail").expect("room");
        let comparison = FileComparison::new(&input, pending);
        let found = thread::scope(|scope| {
            let other = scope.spawn(|| comparison.run());
            [comparison.run(), other.join().expect("no panic")].map(|found| found.expect("readable files"))
        });
        let mut found: Vec<_> = found.concat().into_iter().flatten().collect();
        found.sort_unstable();
        assert_eq!(found, [0, PART - 1, PART, 3 * PART + 5, bytes.len() - 1]);
    }
}
