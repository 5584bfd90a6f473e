//! Executables that are none: pipes, devices, files that change, files that never answer.

use std::fs::File;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::net::sockopt::set_socket_linger;

use crate::client::{Target, hello, receive, send};
use crate::manifests::{Executable, small};

/// Threads that send files.
const SENDERS: usize = 8;

/// How long a sender waits after each file.
const PAUSE: Duration = Duration::from_millis(10);

/// How long a file takes to be as it was.
const CHANGE: Duration = Duration::from_micros(200);

/// Sends files. `hanging` is one that never answers a read.
pub(crate) fn send_odd(target: &Target, hanging: Option<&str>) -> Result<()> {
    let executable = Executable::new(&small())?;
    let changing = Executable::new(&small())?;
    let (pipe, _writer) = std::io::pipe()?;
    let (socket, _other) = lingering()?;
    let mut files: Vec<OwnedFd> = vec![
        pipe.into(),
        socket,
        File::open("/")?.into(),
        File::open("/dev/zero")?.into(),
        File::open("/proc/self/maps")?.into(),
        openat(CWD, "/proc/self/exe", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?,
        changing.file.try_clone()?.into(),
    ];
    if let Some(path) = hanging {
        files.push(File::open(path).with_context(|| format!("cannot open {path}"))?.into());
    }
    std::thread::scope(|scope| {
        scope.spawn(|| keep_changing(&changing.file));
        for thread in 0..SENDERS {
            let (files, id) = (&files, executable.id);
            scope.spawn(move || {
                for file in files.iter().cycle().skip(thread) {
                    if let Some(connection) = target.connect()
                        && send(&connection, &hello(1, id), Some(file.as_fd()))
                    {
                        target.tally.add("sent", 1);
                        target.tally.add("attached", u64::from(receive(&connection).is_some()));
                    }
                    std::thread::sleep(PAUSE);
                }
            });
        }
    });
    Ok(())
}

/// A TCP socket for whose close the kernel waits a minute, and what keeps it waiting.
fn lingering() -> Result<(OwnedFd, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut socket = TcpStream::connect(listener.local_addr()?)?;
    let (other, _) = listener.accept()?;
    socket.set_nonblocking(true)?;
    // The other end reads nothing.
    while socket.write(&[0; 4096]).is_ok() {}
    set_socket_linger(&socket, Some(Duration::from_mins(1)))?;
    Ok((socket.into(), other))
}

/// Truncates and writes a file, again and again.
fn keep_changing(file: &File) {
    let Ok(size) = file.metadata().map(|metadata| metadata.len()) else { return };
    let mut content = vec![0; size as usize];
    if file.read_exact_at(&mut content, 0).is_err() {
        return;
    }
    // Nothing depends on whether a change succeeds.
    loop {
        let _ = file.set_len(fastrand::u64(0..size));
        std::thread::sleep(CHANGE);
        let _ = file.write_all_at(&content, 0);
        std::thread::sleep(CHANGE);
        let at = fastrand::usize(0..content.len());
        let _ = file.write_all_at(&[fastrand::u8(..)], at as u64);
    }
}
