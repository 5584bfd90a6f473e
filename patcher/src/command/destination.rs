//! Where an output goes: into a file, or through a device or pipe.
//!
//! Decides: which names an output may have. Only a regular file is ever replaced, also for root.
//! A symbolic link stays, and what it leads to is written. Text goes through devices, FIFOs and
//! descriptors (`/dev/stdout`), as by a shell's redirection; an executable does not, as it must be
//! read back before it gets its name.
//! Trusts: that no process exchanges the file between the last check and the renaming.

use std::ffi::OsString;
use std::fs::{File, FileType, Metadata};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::{PROC_SUPER_MAGIC, fstat, statfs};

/// Most symbolic links to follow, as the kernel does.
const MAX_LINKS: usize = 40;

/// What an output's name leads to.
#[derive(Debug)]
pub(crate) enum Destination {
    /// A regular file, or none yet. No part of its name is a symbolic link to a file.
    File(PathBuf),
    /// Something to write to where it is.
    Stream(PathBuf),
}

impl Destination {
    /// Where text goes.
    pub(crate) fn for_text(path: &Path) -> anyhow::Result<Self> {
        let cannot = || cannot_write(path);
        let (end, metadata) = follow(path).with_context(cannot)?;
        let Some(metadata) = metadata else { return Ok(Self::File(end)) };
        let kind = metadata.file_type();
        // A descriptor's name stands for an open file, which is never replaced.
        if kind.is_fifo() || kind.is_char_device() || is_descriptor(&end) {
            return Ok(Self::Stream(end));
        }
        match describe(kind) {
            None => Ok(Self::File(end)),
            Some(kind) => bail!("{}: {kind}, not a file\nhint: pass the name of a file", cannot()),
        }
    }

    /// Where an executable goes; `hint` says what else the user may want.
    pub(crate) fn for_executable(path: &Path, hint: &str) -> anyhow::Result<PathBuf> {
        let cannot = || cannot_write(path);
        let (end, metadata) = follow(path).with_context(cannot)?;
        let Some(metadata) = metadata else { return Ok(end) };
        let kind = if is_descriptor(&end) { Some("an open descriptor") } else { describe(metadata.file_type()) };
        match kind {
            None => Ok(end),
            Some(kind) => bail!("{}: {kind}, not a file\nhint: {hint}", cannot()),
        }
    }
}

/// The files of a run, so that none is written over another.
#[derive(Debug, Default)]
pub(crate) struct Files {
    taken: Vec<(String, Identity)>,
}

/// What tells a file from all others: its device and number, or the folder and name that it will
/// have.
#[derive(Debug, PartialEq, Eq)]
enum Identity {
    Existing(u64, u64),
    New(u64, u64, OsString),
}

impl Files {
    /// Notes an input, as `role`. One that does not exist fails elsewhere.
    pub(crate) fn input(&mut self, role: &str, path: &Path) {
        self.taken.extend(identify(path).map(|identity| (role.to_owned(), identity)));
    }

    /// Notes an output, which `option` names; fails if it is a file noted before.
    pub(crate) fn output(&mut self, role: &str, option: &str, path: &Path) -> anyhow::Result<()> {
        let Some(identity) = identify(path) else { return Ok(()) };
        if let Some((other, _)) = self.taken.iter().find(|(_, taken)| *taken == identity) {
            bail!("{}: {role} would overwrite {other}\nhint: pass another name to {option}", path.display());
        }
        self.taken.push((role.to_owned(), identity));
        Ok(())
    }
}

fn identify(path: &Path) -> Option<Identity> {
    if let Ok(metadata) = std::fs::metadata(path) {
        return Some(Identity::Existing(metadata.dev(), metadata.ino()));
    }
    let folder = std::fs::metadata(folder(path)).ok()?;
    Some(Identity::New(folder.dev(), folder.ino(), path.file_name()?.to_owned()))
}

/// Follows symbolic links, except those that stand for descriptors, and returns what is at the end.
fn follow(path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let metadata = match std::fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((path, None)),
            metadata => metadata?,
        };
        if !metadata.is_symlink() {
            return Ok((path, Some(metadata)));
        }
        if is_descriptor(&path) {
            let metadata = std::fs::metadata(&path)?;
            return Ok((path, Some(metadata)));
        }
        let target = std::fs::read_link(&path)?;
        path = folder(&path).join(target);
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Whether this is a link of /proc: it leads to an open file, whatever it reads as.
fn is_descriptor(path: &Path) -> bool {
    let is_proc = || statfs(folder(path)).is_ok_and(|system| system.f_type == PROC_SUPER_MAGIC);
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) && is_proc()
}

/// How every message about an output that cannot be written begins.
pub(crate) fn cannot_write(path: &Path) -> String {
    format!("{}: cannot write", path.display())
}

/// The folder of a file.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// What a file is that is not a regular one.
fn describe(kind: FileType) -> Option<&'static str> {
    if kind.is_dir() {
        Some("a directory")
    } else if kind.is_fifo() {
        Some("a FIFO")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_char_device() {
        Some("a character device")
    } else if kind.is_block_device() {
        Some("a block device")
    } else {
        None
    }
}

/// Fails if a name leads to anything but a regular file or nothing.
pub(crate) fn check_replaceable(path: &Path) -> anyhow::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(metadata) => bail!("now {}", describe(metadata.file_type()).unwrap_or("a symbolic link")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Writes text through a name that leads to a stream.
pub(crate) fn write_through(path: &Path, text: &str) -> io::Result<()> {
    // The descriptors of this process are used themselves: a socket cannot be opened, and a file
    // opened again would have another position.
    if is_same(path, &io::stdout()) {
        let mut stdout = io::stdout().lock();
        return stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }
    if is_same(path, &io::stderr()) {
        return io::stderr().write_all(text.as_bytes());
    }
    File::options().append(true).open(path)?.write_all(text.as_bytes())
}

fn is_same(path: &Path, stream: &impl AsFd) -> bool {
    let (Ok(one), Ok(other)) = (std::fs::metadata(path), fstat(stream)) else { return false };
    (one.dev(), one.ino()) == (other.st_dev, other.st_ino)
}
