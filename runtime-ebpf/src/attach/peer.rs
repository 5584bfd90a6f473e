//! The process at the other end of a socket.
//!
//! Decides: that a process is known by its pid, and that its end shows on a pidfd.
//! Trusts: the kernel, which recorded the peer at connect(2).
//! Never does: ask the peer.
//!
//! rustix's `socket_peercred` is not used: it holds the pid in a `NonZero`, and the kernel gives 0
//! for a process that is not visible from here, as in another container of the pod.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// A process that has connected.
#[derive(Debug)]
pub(crate) struct Peer {
    /// As seen from here; 0 if the process is not visible from here.
    pub(crate) pid: u32,
    /// Readable once the process is gone.
    pub(crate) pidfd: OwnedFd,
}

impl Peer {
    /// The process that has connected `socket`.
    pub(crate) fn from_socket(socket: BorrowedFd<'_>) -> io::Result<Self> {
        let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
        option(socket, libc::SO_PEERCRED, &mut credentials)?;
        let mut pidfd = -1;
        // Linux 6.5. Before that pidfd_open(2) is as safe, while the process waits for our reply.
        let pidfd = if option(socket, SO_PEERPIDFD, &mut pidfd).is_ok() {
            // SAFETY: the kernel has just opened it for us, and nothing else knows it.
            unsafe { OwnedFd::from_raw_fd(pidfd) }
        } else {
            let pid = Pid::from_raw(credentials.pid)
                .ok_or_else(|| io::Error::other("its pid namespace is not visible from here, which needs Linux 6.5"))?;
            pidfd_open(pid, PidfdFlags::empty())?
        };
        Ok(Self { pid: credentials.pid.unsigned_abs(), pidfd })
    }
}

/// `include/uapi/asm-generic/socket.h`.
const SO_PEERPIDFD: libc::c_int = 77;

/// Values of socket options that getsockopt(2) may write: any bytes are a valid value of these
/// types.
trait Plain {}
impl Plain for libc::ucred {}
impl Plain for libc::c_int {}

fn option<T: Plain>(socket: BorrowedFd<'_>, name: libc::c_int, value: &mut T) -> io::Result<()> {
    let mut size = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `size` bytes to `value`, which has as many, and any bytes
    // are valid for its type.
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
        assert_eq!(Peer::from_socket(one.as_fd())?.pid, std::process::id());
        Ok(())
    }
}
