//! Unix sockets at a path, for processes (`attach`) and for clients (`export::server`).
//!
//! Decides: who owns a path. A socket on which nothing listens is replaced.
//! Trusts: the permissions of the folder.
//! Never does: take the path from a running gopatchd, or remove a file that is not a socket.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{Mode, OFlags, fstat, lstat, open};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with};

/// Connections that may wait: every process of a host may connect at once after gopatchd was
/// restarted.
const BACKLOG: i32 = 4096;

/// What kind of socket to bind, and for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SocketKind {
    pub(crate) socket: SocketType,
    /// The permissions of the path.
    pub(crate) mode: u32,
    /// The flag that chooses another path.
    pub(crate) flag: &'static str,
}

/// The path of a bound socket. Dropping it removes the path, unless another socket has taken its
/// place.
#[derive(Debug)]
pub(crate) struct BoundPath {
    path: PathBuf,
    /// Keeps the inode of the path, whose number another socket could otherwise get.
    file: OwnedFd,
}

/// Binds a socket that does not block to `path` and listens.
pub(crate) fn bind_at(path: &Path, kind: SocketKind) -> Result<(OwnedFd, BoundPath)> {
    let address = SocketAddrUnix::new(path).with_context(|| format!("invalid socket path {}", path.display()))?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    remove_stale(path, &address, kind)?;
    let socket = new_socket(kind)?;
    bind(&socket, &address).with_context(|| format!("cannot listen on {}", path.display()))?;
    let file = open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let bound = BoundPath { path: path.to_owned(), file };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(kind.mode))
        .with_context(|| format!("cannot set the permissions of {}", path.display()))?;
    listen(&socket, BACKLOG)?;
    Ok((socket, bound))
}

impl Drop for BoundPath {
    fn drop(&mut self) {
        let (Ok(ours), Ok(now)) = (fstat(&self.file), lstat(&self.path)) else { return };
        if (ours.st_dev, ours.st_ino) == (now.st_dev, now.st_ino) {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

fn new_socket(kind: SocketKind) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::UNIX, kind.socket, flags, None)?)
}

/// Removes a socket on which nothing listens.
fn remove_stale(path: &Path, address: &SocketAddrUnix, kind: SocketKind) -> Result<()> {
    let flag = kind.flag;
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot look up {}", path.display())),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            bail!("{} exists and is not a socket\nhint: choose another path with {flag}", path.display())
        }
        Ok(_) => {}
    }
    match connect(&new_socket(kind)?, address) {
        Err(Errno::CONNREFUSED) => {
            std::fs::remove_file(path).with_context(|| format!("cannot remove the old socket {}", path.display()))
        }
        Ok(()) | Err(Errno::AGAIN) => {
            bail!("another gopatchd listens on {}\nhint: stop it, or choose another path with {flag}", path.display())
        }
        Err(error) => Err(error).with_context(|| format!("cannot take over {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [SocketKind; 2] = [
        SocketKind { socket: SocketType::SEQPACKET, mode: 0o666, flag: "--listen" },
        SocketKind { socket: SocketType::STREAM, mode: 0o600, flag: "--control" },
    ];

    #[test]
    fn a_stale_socket_is_replaced_and_a_live_one_is_not() -> Result<()> {
        for kind in KINDS {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("deeper/gopatchd.sock");
            let (socket, first) = bind_at(&path, kind)?;
            assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, kind.mode);
            let error = bind_at(&path, kind).expect_err("the first one listens");
            assert!(error.to_string().contains("another gopatchd listens"), "{error}");
            assert!(path.exists());

            drop(socket);
            let (_socket, second) = bind_at(&path, kind)?;
            drop(first);
            assert!(path.exists(), "the first has removed the socket of the second");
            drop(second);
            assert!(!path.exists());
        }
        Ok(())
    }

    #[test]
    fn a_file_is_not_removed() -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        for kind in KINDS {
            assert!(bind_at(file.path(), kind).expect_err("a file").to_string().contains("is not a socket"));
            assert!(file.path().exists());
        }
        Ok(())
    }
}
