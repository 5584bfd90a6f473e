//! Standard output, which must not hold up anything else.
//!
//! Decides: when to write. What is written waits in memory until whoever reads can take it.
//! Trusts: that a file that poll(2) calls writable takes a page without blocking (true of pipes and terminals).
//! Never does: changing standard output to non-blocking, since other processes may share it.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// More than this is not collected: gopatchd then stops draining, the rings fill, and the loss is counted there.
const FULL: usize = 4 << 20;

/// What a pipe takes in one piece without blocking (`PIPE_BUF`).
const PIECE: usize = 4096;

/// Buffered standard output.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pending: Vec<u8>,
}

impl Output {
    /// The buffer to append to.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.pending
    }

    /// Bytes that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Whether no more should be appended now.
    pub(crate) fn is_full(&self) -> bool {
        self.pending.len() >= FULL
    }

    /// Writes what can be written without waiting. An error means that nobody will read any more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.write_until(Instant::now())
    }

    /// Writes everything, or as much as is taken in `patience`.
    pub(crate) fn flush_all(&mut self, patience: Duration) -> io::Result<()> {
        self.write_until(Instant::now() + patience)
    }

    fn write_until(&mut self, deadline: Instant) -> io::Result<()> {
        let stdout = io::stdout();
        let mut written = 0;
        let result = loop {
            let Some(piece) = self.pending[written..].chunks(PIECE).next() else {
                break Ok(());
            };
            let patience = deadline.saturating_duration_since(Instant::now());
            let patience = Timespec::try_from(patience).expect("some seconds");
            match poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], Some(&patience)) {
                Ok(0) => break Ok(()),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => break Err(error.into()),
            }
            match rustix::io::write(stdout.as_fd(), piece) {
                Ok(bytes) => written += bytes,
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(error) => break Err(error.into()),
            }
        };
        self.pending.drain(..written);
        result
    }
}
