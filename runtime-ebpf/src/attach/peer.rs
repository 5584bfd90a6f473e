//! The process at the other end of a socket, and the program that it runs.
//!
//! Decides: that a process is known by its pid, that its end shows on a pidfd, and that its program
//! is over when its memory is gone: exec(2) of any program, also of the same one, gives a process
//! new memory.
//! Trusts: the kernel, which recorded the peer at connect(2).
//! Never does: ask the peer. [`Peer::from_socket`] never waits; [`Memory::open`] may, as the kernel
//! makes it wait for an exec(2) of the process, which can take any time.
//!
//! rustix's `socket_peercred` is not used: it holds the pid in a `NonZero`, and the kernel gives 0
//! for a process that is not visible from here, as in another container of the pod.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::host::allow::Credentials;

/// A process that has connected.
#[derive(Debug)]
pub(crate) struct Peer {
    /// As seen from here; 0 if the process is not visible from here.
    pub(crate) pid: u32,
    /// Its user, whose quotas it uses.
    pub(crate) uid: u32,
    /// Readable once the process is gone.
    pub(crate) pidfd: OwnedFd,
    /// That of the program it runs. `None` while that is not known, or if gopatchd may not look at it.
    pub(crate) memory: Option<Arc<Memory>>,
}

/// The memory of a process from one exec(2) to the next.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Shows the memory that the process had when it was opened, and nothing once that is gone. It
    /// keeps no page of it.
    file: File,
    is_gone: AtomicBool,
}

/// Files in `/proc/PID` that do, best first. Of `pagemap` the kernel tells, without a lock of the
/// process, whether the memory is gone: a read of a part of an entry ends with 0 if it is, and is
/// invalid if not. To read `maps` it waits for a lock that the process can hold for any time, as
/// while it maps a file on a file system that hangs; but `pagemap` belongs to the user of the
/// process, and may be missing.
const MEMORY_FILES: [&str; 2] = ["pagemap", "maps"];

impl Peer {
    /// The process that has connected `socket`.
    pub(crate) fn from_socket(socket: BorrowedFd<'_>) -> io::Result<Self> {
        let pid = pid_of(socket)?;
        let mut pidfd = -1;
        // Linux 6.5. Before that pidfd_open(2) is as safe, while the process waits for our reply.
        let pidfd = if option(socket, SO_PEERPIDFD, &mut pidfd).is_ok() {
            // SAFETY: the kernel has just opened it for us, and nothing else knows it.
            unsafe { OwnedFd::from_raw_fd(pidfd) }
        } else {
            let pid = Pid::from_raw(pid.cast_signed())
                .ok_or_else(|| io::Error::other("its pid namespace is not visible from here, which needs Linux 6.5"))?;
            pidfd_open(pid, PidfdFlags::empty())?
        };
        Ok(Self { pid, uid: credentials_of(socket)?.uid, pidfd, memory: None })
    }

    /// Whether the process has ended.
    pub(crate) fn has_ended(&self) -> bool {
        is_readable(&self.pidfd)
    }

    /// Whether the program that connected is known to be over.
    pub(crate) fn is_over(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.is_gone())
    }
}

/// The pid of the process that has connected `socket`, which may have ended.
pub(crate) fn pid_of(socket: BorrowedFd<'_>) -> io::Result<u32> {
    credentials_of(socket).map(|credentials| credentials.pid)
}

/// Whose process has connected `socket`, as it was then.
pub(crate) fn credentials_of(socket: BorrowedFd<'_>) -> io::Result<Credentials> {
    let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
    option(socket, libc::SO_PEERCRED, &mut credentials)?;
    Ok(Credentials { pid: credentials.pid.unsigned_abs(), uid: credentials.uid, gid: credentials.gid })
}

/// Whether process `pid` has ended, even if its parent has not waited for it yet.
pub(crate) fn has_ended(pid: u32) -> bool {
    let pidfd = Pid::from_raw(pid.cast_signed()).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
    match pidfd {
        Some(Ok(pidfd)) => is_readable(&pidfd),
        Some(Err(error)) => error == Errno::SRCH,
        None => true,
    }
}

fn is_readable(pidfd: &OwnedFd) -> bool {
    let mut ended = [PollFd::new(pidfd, PollFlags::IN)];
    poll(&mut ended, Some(&Timespec::default())).is_ok_and(|ended| ended > 0)
}

impl Memory {
    /// That which process `pid` has now. `None` if the process has none, or gopatchd no right to
    /// see it.
    pub(crate) fn open(pid: u32) -> Option<Arc<Self>> {
        let file = MEMORY_FILES.iter().find_map(|name| File::open(format!("/proc/{pid}/{name}")).ok())?;
        let memory = Self { file, is_gone: AtomicBool::new(false) };
        (!memory.check()).then(|| Arc::new(memory))
    }

    /// Whether it is gone, as the kernel says now.
    pub(crate) fn check(&self) -> bool {
        let is_gone = self.is_gone() || matches!(self.file.read_at(&mut [0], 0), Ok(0));
        self.is_gone.store(is_gone, Ordering::Relaxed);
        is_gone
    }

    /// Whether a check has found that it is gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
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
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_peer_of_a_pair_is_this_process() -> io::Result<()> {
        let (one, _other) = UnixStream::pair()?;
        assert_eq!(Peer::from_socket(one.as_fd())?.pid, std::process::id());
        Ok(())
    }

    #[test]
    fn memory_is_gone_after_exec_of_the_same_program_and_of_another() -> io::Result<()> {
        for next in ["exec sh -c 'read line; echo second; read line'", "exec cat"] {
            let script = format!("echo first; read line; {next}");
            let mut command = Command::new("sh");
            command.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn()?;
            let (mut input, mut output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
            let mut line = [0; 16];
            let read = output.read(&mut line)?;
            assert_eq!(&line[..read], b"first\n");
            let memory = Memory::open(child.id()).expect("a child of this user");
            assert!(!memory.check() && !memory.is_gone());
            input.write_all(b"go\nsecond\n")?;
            assert!(output.read(&mut line)? > 0, "the second program runs");
            assert!(memory.check() && memory.is_gone(), "{next}");
            assert!(Memory::open(child.id()).is_some_and(|memory| !memory.check()), "{next}");
            drop(input);
            child.wait()?;
            assert!(Memory::open(child.id()).is_none());
        }
        Ok(())
    }
}
