//! The socket on which processes find gopatchd.
//!
//! Every user may connect, since patched programs run as any user; who may reach the socket is up
//! to the permissions of its folder.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use anyhow::Result;
use rustix::io::Errno;
use rustix::net::{SocketFlags, SocketType, accept_with};

use crate::socket::{self, BoundPath};

/// The socket that processes connect to.
const KIND: socket::SocketKind = socket::SocketKind { socket: SocketType::SEQPACKET, mode: 0o666, flag: "--listen" };

/// A listening socket. Dropping it removes its path.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: OwnedFd,
    _path: BoundPath,
}

impl Listener {
    /// Listens on `path`.
    pub(crate) fn bind(path: &Path) -> Result<Self> {
        let (socket, path) = socket::bind_at(path, KIND)?;
        Ok(Self { socket, _path: path })
    }

    /// The next connection, if one waits.
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
