//! Files: the input mapped, an output written whole or not at all.
//!
//! Decides: that OUT is never IN, and that a failure leaves no file behind.
//! Trusts: that nobody writes to IN meanwhile (as every linker and compiler does).
//! Never does: follow anything inside a binary.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use memmap2::Mmap;
use tempfile::NamedTempFile;

/// The input's bytes and mode.
pub(crate) struct Input {
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
        // SAFETY: the mapping is private and read-only. That nobody changes or truncates the file while it is mapped is
        // the caller's business, as it is for any linker; the output is checked against what was read before it gets
        // its name.
        let bytes = unsafe { Mmap::map(&file) }.with_context(cannot)?;
        Ok(Self { bytes, permissions: metadata.permissions() })
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
        let cannot = || format!("cannot write {}", path.display());
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            bail!("{}: its folder does not exist", cannot());
        }
        let mut file = tempfile::Builder::new().prefix(".gopatch-").tempfile_in(folder).with_context(cannot)?;
        file.write_all(bytes).with_context(cannot)?;
        file.as_file().set_permissions(permissions).with_context(cannot)?;
        file.as_file().sync_all().with_context(cannot)?;
        Ok(Self { file, path: path.to_owned() })
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
