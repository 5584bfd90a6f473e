//! Who is at the other end of a socket.
//!
//! Decides: by what a process is known (its pid) and how its end is noticed (a pidfd).
//! Trusts: the kernel, which recorded the peer at connect(2).
//! Never does: asking the peer.
//!
//! rustix's `socket_peercred` is not used: it holds the pid in a `NonZero`, and the kernel says 0 for a process that
//! cannot be seen from here, as in the other container of a pod.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// A process that has connected.
#[derive(Debug)]
pub(crate) struct Peer {
    /// As seen from here; 0 when it cannot be.
    pub(crate) pid: u32,
    /// Readable once the process is gone.
    pub(crate) pidfd: OwnedFd,
}

impl Peer {
    /// The process that has connected `socket`.
    pub(crate) fn of(socket: BorrowedFd<'_>) -> io::Result<Self> {
        let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
        option(socket, libc::SO_PEERCRED, &mut credentials)?;
        let mut pidfd = -1;
        // Linux 6.5; before that, pidfd_open(2) cannot be fooled either while the process waits for our reply.
        let pidfd = if option(socket, SO_PEERPIDFD, &mut pidfd).is_ok() {
            // SAFETY: the kernel has just opened it for us, and nobody else knows it.
            unsafe { OwnedFd::from_raw_fd(pidfd) }
        } else {
            let pid = Pid::from_raw(credentials.pid).ok_or_else(|| {
                io::Error::other("it is in a pid namespace that cannot be seen from here, which needs Linux 6.5")
            })?;
            pidfd_open(pid, PidfdFlags::empty())?
        };
        Ok(Self { pid: credentials.pid.unsigned_abs(), pidfd })
    }
}

/// `include/uapi/asm-generic/socket.h`.
const SO_PEERPIDFD: libc::c_int = 77;

/// Values of socket options that getsockopt(2) may write: any bytes are a good value of theirs.
trait Plain {}
impl Plain for libc::ucred {}
impl Plain for libc::c_int {}

fn option<T: Plain>(socket: BorrowedFd<'_>, name: libc::c_int, value: &mut T) -> io::Result<()> {
    let mut size = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `size` bytes to `value`, which has as many and takes any.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, (&raw mut *value).cast(), &raw mut size)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_peer_of_a_pair_is_this_process() -> io::Result<()> {
        let (one, _other) = UnixStream::pair()?;
        assert_eq!(Peer::of(one.as_fd())?.pid, std::process::id());
        Ok(())
    }
}
