//! What the main loop and the exporter's thread share.
//!
//! Never does: holding up the main loop for longer than it takes to copy one process's counters.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::event::{EventfdFlags, eventfd};
use tokio::sync::oneshot;

use super::queue::{Limits, Queue};
use crate::config::Config;
use crate::control::switch::{Switch, Switched};
use crate::summary::Summary;
use crate::telemetry::process::Processes;

/// How long somebody who asked is taken to be watching.
const WATCHING: Duration = Duration::from_secs(10);

/// How much later than it said the main loop may look at the rings before it is taken for stuck.
const STUCK: Duration = Duration::from_secs(5);

/// What the main loop and the thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) started: Instant,
    pub(crate) processes: Processes,
    /// None when spans are not pushed.
    pub(crate) spans: Option<Queue>,
    /// Data points that the receiver did not take.
    pub(crate) rejected_points: AtomicU64,
    is_pushed: bool,
    is_scraped: bool,
    totals: Mutex<Totals>,
    /// Until when somebody watches, and by when the main loop will have looked at the rings: in ms after `started`.
    watched_until: AtomicU64,
    due: AtomicU64,
    asked: Mutex<Vec<Question>>,
    wake: OwnedFd,
}

/// A switch that somebody wants, and who waits for what it has done.
pub(crate) type Question = (Switch, oneshot::Sender<Switched>);

/// What the main loop has counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub(crate) summary: Summary,
    pub(crate) passes: u64,
    pub(crate) drain_time: Duration,
    pub(crate) attached: usize,
    pub(crate) backend: &'static str,
}

impl Shared {
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let queue = config.traces.as_ref().map(|traces| {
            Queue::new(Limits { bytes: traces.queue_bytes, spans: traces.queue_spans, batch: traces.batch_spans })
        });
        Ok(Self {
            started: Instant::now(),
            processes: Processes::default(),
            spans: queue,
            rejected_points: AtomicU64::new(0),
            is_pushed: config.metrics.endpoint.is_some(),
            is_scraped: config.metrics.scraped,
            totals: Mutex::default(),
            watched_until: AtomicU64::new(0),
            due: AtomicU64::new(u64::MAX),
            asked: Mutex::default(),
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        })
    }

    fn millis(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// What the main loop has counted.
    pub(crate) fn totals(&self) -> Totals {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The main loop tells what it has counted, and when it will look at the rings again; never, if nobody is attached.
    pub(crate) fn tell(&self, totals: Totals, next: Option<Duration>) {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner) = totals;
        let due = next.map_or(u64::MAX, |next| self.millis().saturating_add((next + STUCK).as_millis() as u64));
        self.due.store(due, Ordering::Relaxed);
    }

    /// Whether the main loop does what it said.
    pub(crate) fn is_alive(&self) -> bool {
        self.millis() <= self.due.load(Ordering::Relaxed)
    }

    /// Operations that were counted in series for what has none of its own.
    pub(crate) fn overflowed(&self) -> u64 {
        let processes = self.processes.all();
        processes.iter().filter_map(|process| Some(process.state().metrics.as_ref()?.overflowed)).sum()
    }

    /// Forgets processes that have ended and of which everybody knows.
    pub(crate) fn forget(&self) {
        self.processes.forget(self.is_pushed, self.is_scraped);
    }

    /// Somebody watches.
    pub(super) fn watch(&self) {
        self.watched_until.store(self.millis() + WATCHING.as_millis() as u64, Ordering::Relaxed);
    }

    /// Whether somebody watches.
    pub(crate) fn is_watched(&self) -> bool {
        let until = self.watched_until.load(Ordering::Relaxed);
        until > 0 && self.millis() < until
    }

    /// Asks the main loop for a switch. Gives nothing when it is over.
    pub(super) async fn ask(&self, switch: Switch) -> Option<Switched> {
        let (sender, answer) = oneshot::channel();
        self.lock_asked().push((switch, sender));
        // A full counter means that it is readable already.
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
        answer.await.ok()
    }

    fn lock_asked(&self) -> MutexGuard<'_, Vec<Question>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Becomes readable when something is asked of the main loop.
    pub(crate) fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Takes what is asked of the main loop.
    pub(crate) fn asked(&self) -> Vec<Question> {
        // Nothing to read only means that nobody has asked since.
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
        std::mem::take(&mut *self.lock_asked())
    }
}
