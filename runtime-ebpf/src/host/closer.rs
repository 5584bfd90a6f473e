//! Closes what a stranger has made, in a thread of its own.
//!
//! To close the last descriptor of a file can take any time. A socket of which nothing was read may
//! hold a message with a descriptor of a TCP socket that lingers (SO_LINGER), and then the kernel
//! waits for the network in close(2). Large programs take some time too.
//!
//! Decides: how long a close may take. A second thread interrupts one that takes longer: the wait
//! of a lingering socket ends with a signal.
//! Never does: let the main loop wait.

use std::io;
use std::ops::Deref;
use std::os::unix::thread::JoinHandleExt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use signal_hook::consts::SIGURG;

use super::rights;

/// How long a close may take.
const PATIENCE: Duration = Duration::from_millis(2);

/// Anything that can be dropped elsewhere.
type Thing = Box<dyn Send>;

/// Takes what is to be dropped.
#[derive(Debug, Clone)]
pub(crate) struct Closer(Sender<Thing>);

impl Closer {
    /// Starts its threads, which end with the last closer.
    pub(crate) fn start() -> io::Result<Self> {
        // A signal that is ignored does not interrupt.
        signal_hook::flag::register(SIGURG, std::sync::Arc::default())?;
        let (things, receiver) = channel::<Thing>();
        let (begun, watched) = channel();
        let close = move || {
            rights::keep_in_thread(rights::NONE);
            for thing in receiver {
                // The watcher lives as long as this.
                let _ = begun.send(());
                drop(thing);
                let _ = begun.send(());
            }
        };
        let closing = thread::Builder::new().name("closer".into()).spawn(close)?;
        let interrupt = move || {
            // SAFETY: the thread has not been joined, which only the owner of `closing` could do, so
            // its handle is valid; the signal has a handler.
            unsafe { libc::pthread_kill(closing.as_pthread_t(), SIGURG) };
        };
        thread::Builder::new().name("closer-watch".into()).spawn(move || {
            rights::keep_in_thread(rights::NONE);
            watch(&watched, &interrupt);
        })?;
        Ok(Self(things))
    }

    /// Drops something soon.
    pub(crate) fn close(&self, thing: impl Send + 'static) {
        // Without the thread it is dropped here.
        let _ = self.0.send(Box::new(thing));
    }
}

/// Something that a closer drops.
#[derive(Debug)]
pub(crate) struct Closing<T: Send + 'static> {
    /// Some until it is dropped.
    thing: Option<T>,
    closer: Closer,
}

impl<T: Send + 'static> Closing<T> {
    pub(crate) fn new(thing: T, closer: &Closer) -> Self {
        Self { thing: Some(thing), closer: closer.clone() }
    }
}

impl<T: Send + 'static> Deref for Closing<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("it is there until it is dropped")
    }
}

impl<T: Send + 'static> Drop for Closing<T> {
    fn drop(&mut self) {
        if let Some(thing) = self.thing.take() {
            self.closer.close(thing);
        }
    }
}

/// Interrupts each close that takes too long, until it ends.
fn watch(begun: &Receiver<()>, interrupt: &dyn Fn()) {
    while begun.recv().is_ok() {
        loop {
            match begun.recv_timeout(PATIENCE) {
                Ok(()) => break,
                Err(RecvTimeoutError::Timeout) => interrupt(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}
