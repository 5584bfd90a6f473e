//! The socket on which processes find gopatchd.
//!
//! Decides: who owns the socket's path.
//! Trusts: the folder's permissions. The socket is open to every user, since patched programs run as anybody.
//! Never does: taking the path from a gopatchd that lives, or removing what is no socket.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect, listen, socket_with,
};

/// Connections that may wait: every process of a host may come at once after gopatchd was restarted.
const BACKLOG: i32 = 4096;

/// A listening socket. Dropping it takes its path away.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: OwnedFd,
    path: PathBuf,
    inode: (u64, u64),
}

impl Listener {
    /// Listens at `path`, in place of a gopatchd that is dead.
    pub(crate) fn bind(path: &Path) -> Result<Self> {
        let address =
            SocketAddrUnix::new(path).with_context(|| format!("{} cannot be a socket's path", path.display()))?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        remove_stale(path, &address)?;
        let socket = new_socket()?;
        bind(&socket, &address).with_context(|| format!("cannot listen at {}", path.display()))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))
            .with_context(|| format!("cannot open {} to all users", path.display()))?;
        listen(&socket, BACKLOG)?;
        let inode = inode(path)?;
        Ok(Self { socket, path: path.to_owned(), inode })
    }

    /// The next connection; `None` when nobody waits.
    pub(crate) fn accept(&self) -> io::Result<Option<OwnedFd>> {
        match accept_with(&self.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Ok(connection) => Ok(Some(connection)),
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // If somebody has put another socket there, it is not ours to remove.
        if inode(&self.path).is_ok_and(|inode| inode == self.inode) {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

fn inode(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

fn new_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?)
}

/// Removes a socket on which nobody listens.
fn remove_stale(path: &Path, address: &SocketAddrUnix) -> Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot look at {}", path.display())),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            bail!("{} exists and is no socket\nhint: choose another path with --listen", path.display())
        }
        Ok(_) => {}
    }
    match connect(&new_socket()?, address) {
        Err(Errno::CONNREFUSED) => {
            std::fs::remove_file(path).with_context(|| format!("cannot remove the old socket {}", path.display()))
        }
        Ok(()) | Err(Errno::AGAIN) => {
            bail!("another gopatchd listens at {}\nhint: stop it, or choose another path with --listen", path.display())
        }
        Err(error) => Err(error).with_context(|| format!("{} belongs to something else", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_socket_is_replaced_and_a_living_one_is_not() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("deeper/gopatchd.sock");
        let first = Listener::bind(&path)?;
        let error = Listener::bind(&path).expect_err("two on one path");
        assert!(error.to_string().contains("another gopatchd listens"), "{error}");
        assert!(path.exists());

        let Listener { socket, .. } = &first;
        rustix::net::shutdown(socket, rustix::net::Shutdown::Both)?;
        let second = Listener::bind(&path)?;
        drop(first);
        assert!(path.exists(), "the first has removed the second's socket");
        drop(second);
        assert!(!path.exists());
        Ok(())
    }

    #[test]
    fn a_file_is_not_removed() -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        assert!(Listener::bind(file.path()).expect_err("a file").to_string().contains("is no socket"));
        assert!(file.path().exists());
        Ok(())
    }
}
