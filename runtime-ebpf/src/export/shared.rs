//! What the main loop and the exporter's thread share.
//!
//! Never does: hold up the main loop for longer than it takes to copy the counters of one process.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::oneshot;

use super::connections::Closed;
use super::queue::{Queue, QueueLimits};
use crate::config::Config;
use crate::control::switch::{Switch, Switched};
use crate::host::waker::Waker;
use crate::quota::Quotas;
use crate::summary::Summary;
use crate::telemetry::process::Processes;

/// How long after its last request a client counts as watching.
const WATCHING: Duration = Duration::from_secs(10);

/// How late the main loop may be to look at the rings before it counts as stuck.
const STUCK: Duration = Duration::from_secs(5);

/// What the main loop and the thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) started: Instant,
    pub(crate) processes: Processes,
    pub(crate) quotas: Arc<Quotas>,
    /// None when spans are not pushed.
    pub(crate) spans: Option<Queue>,
    /// Data points that the receiver rejected.
    pub(crate) rejected_points: AtomicU64,
    /// Most bytes of processes on a page of metrics, and the series that it had no room for.
    pub(crate) page_bytes: usize,
    pub(crate) series_left_out: AtomicU64,
    pub(super) closed_connections: Closed,
    is_pushed: bool,
    is_scraped: bool,
    totals: Mutex<Totals>,
    /// Until when a client watches, and by when the main loop must have looked at the rings: in ms
    /// after `started`.
    watched_until: AtomicU64,
    due: AtomicU64,
    switches: Mutex<Vec<PendingSwitch>>,
    switch_waker: Waker,
}

/// A switch that a client has requested, and where to send what it has done.
pub(crate) type PendingSwitch = (Switch, oneshot::Sender<Switched>);

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
            Queue::new(QueueLimits { bytes: traces.queue_bytes, spans: traces.queue_spans, batch: traces.batch_spans })
        });
        Ok(Self {
            started: Instant::now(),
            processes: Processes::default(),
            quotas: Quotas::new(config.limits),
            spans: queue,
            rejected_points: AtomicU64::new(0),
            page_bytes: config.page_bytes,
            series_left_out: AtomicU64::new(0),
            closed_connections: Closed::default(),
            is_pushed: config.metrics.endpoint.is_some(),
            is_scraped: config.metrics.scraped,
            totals: Mutex::default(),
            watched_until: AtomicU64::new(0),
            due: AtomicU64::new(u64::MAX),
            switches: Mutex::default(),
            switch_waker: Waker::new()?,
        })
    }

    fn millis(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// What the main loop has counted.
    pub(crate) fn totals(&self) -> Totals {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what the main loop has counted, and when it will look at the rings again: never, if no
    /// process is attached.
    pub(crate) fn publish(&self, totals: Totals, next: Option<Duration>) {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner) = totals;
        let due = next.map_or(u64::MAX, |next| self.millis().saturating_add((next + STUCK).as_millis() as u64));
        self.due.store(due, Ordering::Relaxed);
    }

    /// Whether the main loop looks at the rings when it is due.
    pub(crate) fn is_alive(&self) -> bool {
        self.millis() <= self.due.load(Ordering::Relaxed)
    }

    /// Operations that were counted in the series for overflow.
    pub(crate) fn overflowed(&self) -> u64 {
        let processes = self.processes.all();
        processes.iter().filter_map(|process| Some(process.state().metrics.as_ref()?.overflowed)).sum()
    }

    /// Forgets processes that have ended and whose last metrics were taken.
    pub(crate) fn forget_ended(&self) {
        self.processes.forget(self.is_pushed, self.is_scraped);
    }

    /// Records that a client watches.
    pub(super) fn watch(&self) {
        self.watched_until.store(self.millis() + WATCHING.as_millis() as u64, Ordering::Relaxed);
    }

    /// Whether a client watches.
    pub(crate) fn is_watched(&self) -> bool {
        let until = self.watched_until.load(Ordering::Relaxed);
        until > 0 && self.millis() < until
    }

    /// Has the main loop switch a rule. Returns nothing when the main loop has ended.
    pub(super) async fn request_switch(&self, switch: Switch) -> Option<Switched> {
        let (sender, switched) = oneshot::channel();
        self.lock_switches().push((switch, sender));
        self.switch_waker.wake();
        switched.await.ok()
    }

    fn lock_switches(&self) -> MutexGuard<'_, Vec<PendingSwitch>> {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Readable when a client has requested a switch.
    pub(crate) fn switch_wake(&self) -> BorrowedFd<'_> {
        self.switch_waker.as_fd()
    }

    /// Takes the switches that clients have requested.
    pub(crate) fn take_switches(&self) -> Vec<PendingSwitch> {
        self.switch_waker.clear();
        std::mem::take(&mut *self.lock_switches())
    }
}
