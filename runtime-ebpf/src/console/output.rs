//! Standard output and standard error, which must not hold up anything else.
//!
//! Decides: how much is kept for a slow reader.
//! Trusts: nothing about the file. A pipe may have a reader that sleeps, and a file may be on a
//! disk that accepts nothing for a minute: poll(2) reports a file as writable even then. So a
//! separate thread writes.
//! Never does: give up a file for an error that can pass, such as a full disk: the bytes of then are
//! lost, their lines counted, and writing goes on. Only without a reader there is nothing to wait
//! for. Nor make the files non-blocking, since other processes may share them.

use std::io;
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use crate::host::rights;

/// Unwritten bytes beyond which no more are accepted.
const FULL: usize = 16 << 20;

/// In a burst, `flush` waits for the thread for at most this long, as long as bytes are written in
/// each step. If that was not enough, the output is slow, and `flush` does not wait again for a
/// while.
const BURST: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(100);
const SLOW: Duration = Duration::from_secs(1);

/// How long the end of gopatchd waits for a slow reader of the output.
pub(crate) const LAST_OUTPUT: Duration = Duration::from_secs(5);

/// Bytes of one write to a pipe (`PIPE_BUF`), so that the unwritten bytes are known to that
/// precision.
const PIECE: usize = 4096;

/// Bytes of one write to a file, which accepts all or fails.
const FILE_PIECE: usize = 1 << 18;

/// A file that a thread writes in the background.
#[derive(Debug)]
pub(crate) struct Output {
    /// None once the thread has it.
    file: Option<OwnedFd>,
    pending: Vec<u8>,
    /// Bytes handed over and not written, as of the last flush.
    unwritten: usize,
    /// Until when `flush` does not wait.
    slow_until: Option<Instant>,
    /// None until there is something to write.
    writer: Option<Arc<Writer>>,
}

/// Shared with the thread that writes.
#[derive(Debug, Default)]
struct Writer {
    state: Mutex<State>,
    /// There are more bytes to write, or fewer.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Handed over, and not begun yet.
    bytes: Vec<u8>,
    /// Handed over and not written: those bytes, and the rest of the current write.
    unwritten: usize,
    /// Lines that could not be written, and why the last one could not.
    lost: u64,
    obstacle: Option<Errno>,
    /// Why writing has stopped.
    error: Option<Errno>,
}

impl Output {
    /// An output to a file.
    pub(crate) fn new(file: impl AsFd) -> io::Result<Self> {
        Ok(Self {
            file: Some(file.as_fd().try_clone_to_owned()?),
            pending: Vec::new(),
            unwritten: 0,
            slow_until: None,
            writer: None,
        })
    }

    /// The buffer to append to.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.pending
    }

    /// Lines that could not be written, and why the last one could not.
    pub(crate) fn lost(&self) -> (u64, Option<io::Error>) {
        let Some(writer) = &self.writer else { return (0, None) };
        let state = writer.lock();
        (state.lost, state.obstacle.map(Into::into))
    }

    /// Bytes that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.pending.len() + self.writer.as_ref().map_or(0, |writer| writer.lock().unwritten)
    }

    /// Hands everything to the thread without waiting, except for a moment in a burst. Once the
    /// reader is gone, which earlier bytes may have shown, nothing is written any more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if !self.pending.is_empty()
            && let Some(file) = self.file.take()
        {
            let writer = Arc::new(Writer::default());
            self.writer = Some(Arc::clone(&writer));
            // The thread ends with the process: the reader that it waits for may never read.
            thread::Builder::new().name("output".into()).spawn(move || {
                rights::keep_in_thread(rights::NONE);
                writer.write(&file);
            })?;
        }
        if let Some(writer) = &self.writer {
            self.unwritten = writer.take(&mut self.pending)?;
            let begin = Instant::now();
            if self.is_full() && self.slow_until.is_none_or(|until| begin >= until) {
                loop {
                    let before = self.unwritten;
                    self.unwritten = writer.wait(STEP, FULL)?;
                    if !self.is_full() || self.unwritten == before || begin.elapsed() >= BURST {
                        break;
                    }
                }
                self.slow_until = self.is_full().then(|| Instant::now() + SLOW);
            }
        }
        Ok(())
    }

    /// Waits until everything is written, but no longer than `patience`.
    pub(crate) fn flush_all(&mut self, patience: Duration) -> io::Result<()> {
        self.flush()?;
        if let Some(writer) = &self.writer {
            self.unwritten = writer.wait(patience, 1)?;
        }
        Ok(())
    }

    /// Whether no more should be appended, as of the last flush.
    pub(crate) fn is_full(&self) -> bool {
        self.unwritten >= FULL
    }
}

impl Writer {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes bytes. Returns how many are unwritten now.
    fn take(&self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let mut state = self.lock();
        if let Some(error) = state.error {
            return Err(error.into());
        }
        if !bytes.is_empty() {
            state.unwritten += bytes.len();
            state.bytes.extend_from_slice(bytes);
            bytes.clear();
            self.changed.notify_all();
        }
        Ok(state.unwritten)
    }

    /// Waits until fewer than `below` bytes are unwritten, but no longer than `patience`. Returns
    /// how many are unwritten.
    fn wait(&self, patience: Duration, below: usize) -> io::Result<usize> {
        let too_many = |state: &mut State| state.unwritten >= below && state.error.is_none();
        let waited = self.changed.wait_timeout_while(self.lock(), patience, too_many);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.error.map_or(Ok(state.unwritten), |error| Err(error.into()))
    }

    /// Writes bytes as they come, until an error.
    fn write(&self, file: &OwnedFd) {
        let is_file = fstat(file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_file());
        let piece = if is_file { FILE_PIECE } else { PIECE };
        let mut bytes = Vec::new();
        // Whether the last bytes written end amid a line, and whether the rest of it was lost.
        let (mut is_amid, mut is_torn) = (false, false);
        loop {
            let state = self.changed.wait_while(self.lock(), |state| state.bytes.is_empty());
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            // The buffers are swapped, so that nothing is copied and neither is allocated again.
            bytes.clear();
            mem::swap(&mut bytes, &mut state.bytes);
            drop(state);
            let mut rest = bytes.as_slice();
            if is_torn && rustix::io::write(file, b"\n") == Ok(1) {
                (is_amid, is_torn) = (false, false);
            }
            while !rest.is_empty() {
                let result = match rustix::io::write(file, &rest[..rest.len().min(piece)]) {
                    Err(Errno::INTR) => Ok(0),
                    // Another process has made the file non-blocking.
                    Err(Errno::AGAIN) => poll(&mut [PollFd::new(file, PollFlags::OUT)], None).map(|_| 0),
                    result => result,
                };
                let mut state = self.lock();
                match result {
                    Ok(written) => {
                        is_amid = if written > 0 { rest[written - 1] != b'\n' } else { is_amid };
                        rest = &rest[written..];
                        state.unwritten -= written;
                    }
                    Err(error @ Errno::PIPE) => state.error = Some(error),
                    Err(error) => {
                        state.lost += rest.split(|byte| *byte == b'\n').count() as u64 - 1;
                        state.obstacle = Some(error);
                        state.unwritten -= rest.len();
                        rest = &[];
                        is_torn = is_amid;
                    }
                }
                if state.unwritten < FULL || state.error.is_some() {
                    self.changed.notify_all();
                }
                if state.error.is_some() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// A pipe holds 64 kB, and its reader does not read.
    #[test]
    fn a_reader_that_does_not_read_holds_up_nothing() -> io::Result<()> {
        let (reader, writer) = io::pipe()?;
        let mut output = Output::new(writer)?;
        let line = [b'x'; 1000];
        let mut written = 0;
        while !output.is_full() {
            output.buffer().extend(line);
            written += line.len();
            output.flush()?;
        }
        output.flush_all(Duration::from_millis(10))?;
        let unread = output.waiting();
        assert!(unread > FULL - (1 << 20) && unread < written, "{unread} of {written}");

        let taken = thread::spawn(move || {
            let mut bytes = vec![0; written];
            (&reader).read_exact(&mut bytes).map(|()| bytes)
        });
        output.flush_all(Duration::from_secs(20))?;
        assert_eq!(output.waiting(), 0);
        assert!(taken.join().expect("no panic")?.iter().all(|byte| *byte == b'x'));

        // The reader is gone now.
        output.buffer().extend(line);
        output.flush()?;
        let error = output.flush_all(Duration::from_secs(20)).expect_err("the pipe is closed");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        Ok(())
    }

    #[test]
    fn without_output_there_is_no_thread() -> io::Result<()> {
        let mut output = Output::new(io::stdout())?;
        let begin = Instant::now();
        output.flush_all(Duration::from_secs(20))?;
        assert!(output.writer.is_none() && begin.elapsed() < Duration::from_secs(20));
        Ok(())
    }
}
