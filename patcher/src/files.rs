//! Files: the input mapped, an output written whole or not at all.
//!
//! Decides: that OUT is never IN, and that a failure leaves no file behind.
//! Trusts: that nobody writes to IN meanwhile (as every linker and compiler does).
//! Never does: follow anything inside a binary.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use gopatch::write::Output;
use gopatch_trampolines::manifest;
use memmap2::Mmap;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// Bytes that are copied at a time: few enough to stay in a processor's cache.
const COPIED_AT_ONCE: usize = 128 << 10;

/// The input's bytes and mode.
pub(crate) struct Input {
    path: PathBuf,
    file: File,
    bytes: Mmap,
    permissions: Permissions,
}

impl Input {
    /// Maps a regular file.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        let metadata = std::fs::metadata(path).with_context(cannot)?;
        if !metadata.is_file() {
            bail!("{} is not a regular file: give gopatch an executable", path.display());
        }
        let file = File::open(path).map_err(|error| {
            let denied = error.kind() == ErrorKind::PermissionDenied;
            let hint = if denied { "; run gopatch as a user who may read it" } else { "" };
            anyhow!("{}: {error}{hint}", cannot())
        })?;
        Self::map(path, file).with_context(cannot)
    }

    fn map(path: &Path, file: File) -> io::Result<Self> {
        // SAFETY: the mapping is private and read-only. That nobody changes or truncates the file while it is mapped is
        // the caller's business, as it is for any linker; the output is checked against what was read before it gets
        // its name.
        let bytes = unsafe { Mmap::map(&file) }?;
        Ok(Self { path: path.to_owned(), permissions: file.metadata()?.permissions(), file, bytes })
    }

    /// Reads the file from its start. What is read so is not part of this process's memory, as pages of a mapping are.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { file: &self.file, offset: 0 }
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file's mode, for the output to have.
    pub(crate) fn permissions(&self) -> Permissions {
        self.permissions.clone()
    }
}

/// Reads a file that others read too.
pub(crate) struct Reader<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.file.read_at(buffer, self.offset)?;
        self.offset += len as u64;
        Ok(len)
    }
}

/// Refuses outputs that would overwrite the input or each other.
pub(crate) fn check_paths(input: &Path, output: &Path, report: Option<&Path>) -> anyhow::Result<()> {
    if same_file(input, output) {
        bail!("OUT is the same file as IN ({}): give -o another name, IN is never overwritten", input.display());
    }
    if output.is_dir() {
        bail!("{} is a directory: give -o a file name", output.display());
    }
    if let Some(report) = report {
        for (other, name) in [(input, "IN"), (output, "OUT")] {
            if same_file(report, other) || report == other {
                bail!("the report would overwrite {name} ({}): give --report another name", other.display());
            }
        }
    }
    Ok(())
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

/// A file that is complete but does not have its name yet. Dropped, it is gone.
pub(crate) struct Pending {
    file: NamedTempFile,
    path: PathBuf,
}

impl Pending {
    /// Writes all of `bytes` to disk beside `path`.
    pub(crate) fn write(path: &Path, bytes: &[u8], permissions: Permissions) -> anyhow::Result<Self> {
        let mut pending = Self::create(path)?;
        pending.file.write_all(bytes).with_context(|| pending.cannot())?;
        pending.sync(permissions)
    }

    /// Starts a file beside `path` with all of the input's bytes, and gives their SHA-256.
    pub(crate) fn copy(input: &Input, path: &Path) -> anyhow::Result<(Self, String)> {
        let mut pending = Self::create(path)?;
        let cannot_read = || format!("cannot read {}", input.path.display());
        let (mut reader, mut digest) = (input.reader(), Sha256::new());
        let mut block = vec![0; COPIED_AT_ONCE];
        loop {
            let len = reader.read(&mut block).with_context(cannot_read)?;
            if len == 0 {
                return Ok((pending, manifest::to_hex(&digest.finalize())));
            }
            digest.update(&block[..len]);
            pending.file.write_all(&block[..len]).with_context(|| pending.cannot())?;
        }
    }

    /// Makes a copy of the input the output.
    pub(crate) fn change(&self, output: &Output<'_>) -> anyhow::Result<()> {
        let file = self.file.as_file();
        let overwrites = output.overwrites.iter().map(|it| (it.offset.0, &it.bytes));
        for (offset, bytes) in overwrites.chain([(output.size() - output.tail.len() as u64, &output.tail)]) {
            file.write_all_at(bytes, offset).with_context(|| self.cannot())?;
        }
        Ok(())
    }

    /// Gives the file its mode, and waits until it is on the disk.
    pub(crate) fn sync(self, permissions: Permissions) -> anyhow::Result<Self> {
        let file = self.file.as_file();
        file.set_permissions(permissions).and_then(|()| file.sync_all()).with_context(|| self.cannot())?;
        Ok(self)
    }

    /// What was written, to be read again.
    pub(crate) fn written(&self) -> anyhow::Result<Input> {
        let file = self.file.as_file().try_clone();
        file.and_then(|file| Input::map(&self.path, file)).with_context(|| self.cannot())
    }

    fn create(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot write {}", path.display());
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            bail!("{}: its folder does not exist", cannot());
        }
        let file = tempfile::Builder::new().prefix(".gopatch-").tempfile_in(folder).with_context(cannot)?;
        Ok(Self { file, path: path.to_owned() })
    }

    fn cannot(&self) -> String {
        format!("cannot write {}", self.path.display())
    }

    /// Gives the file its name.
    pub(crate) fn keep(self) -> anyhow::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned);
        self.file.persist(&self.path).with_context(|| format!("cannot write {}", self.path.display()))?;
        // The name is part of what must survive a crash.
        let folder = folder.unwrap_or_else(|| PathBuf::from("."));
        File::open(&folder)
            .and_then(|folder| folder.sync_all())
            .with_context(|| format!("cannot sync {}", folder.display()))
    }
}
