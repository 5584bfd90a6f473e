//! The socket on which processes find gopatchd.
//!
//! Every user may connect, since patched programs run as any user; who may reach the socket is up
//! to the permissions of its folder.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
use rustix::io::Errno;
use rustix::net::{SocketFlags, SocketType, accept_with};

use super::closer::{Closer, Closing};
use crate::host::rights;
use crate::socket::{self, BoundPath};

/// The socket that processes connect to.
const KIND: socket::SocketKind = socket::SocketKind { socket: SocketType::SEQPACKET, mode: 0o666, flag: "--listen" };

/// How often the path is touched. A process that did not get a session tries again only after the
/// socket has changed, so that a gopatchd that is stopped costs it nothing.
const TOUCH: Duration = Duration::from_secs(2);

/// A listening socket. Dropping it removes its path.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Connections that wait in it may hold anything.
    socket: Closing<OwnedFd>,
    _path: BoundPath,
    /// The thread that touches the path ends after this.
    _listens: Arc<()>,
}

impl Listener {
    /// Listens on `path`.
    pub(crate) fn bind(path: &Path, closer: &Closer) -> Result<Self> {
        let (socket, bound) = socket::bind_at(path, KIND)?;
        let socket = Closing::new(socket, closer);
        let listens = Arc::new(());
        let (path, alive) = (path.to_owned(), Arc::downgrade(&listens));
        let touching = move || keep_touching(&path, &alive);
        thread::Builder::new().name("touch".to_owned()).spawn(touching).context("cannot start a thread")?;
        Ok(Self { socket, _path: bound, _listens: listens })
    }

    /// The next connection, if one waits.
    pub(crate) fn accept(&self) -> io::Result<Option<OwnedFd>> {
        match accept_with(&*self.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Ok(connection) => Ok(Some(connection)),
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Touches the path for as long as the listener exists.
fn keep_touching(path: &Path, alive: &Weak<()>) {
    rights::keep_in_thread(rights::REACH);
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    while alive.strong_count() > 0 {
        // A path that was taken away is of no use to a process either.
        let _ = utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW);
        thread::sleep(TOUCH);
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
