//! A process as those see it who export: who it is, what it has done, whether it is still there.
//!
//! Decides: how long what a process has done is kept after its end.
//! Trusts: its callers.
//! Never does: I/O. The main loop writes here and other threads read; nobody holds the lock while waiting.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use gopatch_protocol::manifest::Ratio;
use hashbrown::HashMap;

use super::activity::Activity;
use super::metrics::Metrics;
use super::resource::Resource;
use crate::control::api::Rule;
use crate::summary::Lost;

/// How long the metrics of a process that has ended wait for somebody to take them.
const KEPT: Duration = Duration::from_mins(5);
/// How long they stay on the page once somebody has scraped it: Prometheus often comes in pairs, and people look too.
const SCRAPED: Duration = Duration::from_mins(1);

/// A process.
#[derive(Debug)]
pub(crate) struct Process {
    /// As seen from here; 0 when it cannot be.
    pub(crate) pid: u32,
    /// When its first session began: what its counters count from.
    pub(crate) since_unix_nanos: u64,
    state: Mutex<State>,
}

/// What changes about a process.
#[derive(Debug)]
pub(crate) struct State {
    /// What it is. More can become known later.
    pub(crate) resource: Arc<Resource>,
    /// Kubernetes has said what its pod is.
    pub(crate) pod_is_known: bool,
    /// None when nobody wants metrics.
    pub(crate) metrics: Option<Metrics>,
    /// Records understood.
    pub(crate) records: u64,
    /// Operations made of them.
    pub(crate) operations: u64,
    pub(crate) lost: Lost,
    /// Its rules, as they are switched.
    pub(crate) rules: Vec<Rule>,
    /// Functions of which only a part of what is recorded becomes operations.
    pub(crate) samples: HashMap<u32, Ratio, RandomState>,
    /// What it does just now, while somebody watches.
    pub(crate) activity: Option<Activity>,
    /// When it ended.
    ended: Option<Instant>,
    /// What the next push counts from, where that is the last push.
    pub(crate) pushed_until: Option<u64>,
    /// Its last metrics were pushed.
    pub(crate) pushed: bool,
    /// When they were first scraped.
    scraped: Option<Instant>,
}

/// All processes that there is something to tell of.
#[derive(Debug, Default)]
pub(crate) struct Processes(Mutex<Vec<Arc<Process>>>);

impl Process {
    pub(crate) fn new(pid: u32, since_unix_nanos: u64, resource: Resource, metrics: Option<Metrics>) -> Self {
        let state = State {
            resource: Arc::new(resource),
            pod_is_known: false,
            metrics,
            records: 0,
            operations: 0,
            lost: Lost::default(),
            rules: Vec::new(),
            samples: HashMap::default(),
            activity: None,
            ended: None,
            pushed_until: None,
            pushed: false,
            scraped: None,
        };
        Self { pid, since_unix_nanos, state: Mutex::new(state) }
    }

    /// What changes about it. Whoever holds this holds up the main loop.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It will do nothing more.
    pub(crate) fn end(&self) {
        self.state().ended = Some(Instant::now());
    }
}

impl State {
    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// They are on a page.
    pub(crate) fn scrape(&mut self) {
        if self.has_ended() {
            self.scraped.get_or_insert_with(Instant::now);
        }
    }
}

impl Processes {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Process>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, process: Arc<Process>) {
        self.lock().push(process);
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Arc<Process>> {
        self.lock().clone()
    }

    /// Forgets those that have ended and that everybody who takes metrics has taken.
    pub(crate) fn forget(&self, is_pushed: bool, is_scraped: bool) {
        self.lock().retain(|process| {
            let state = process.state();
            let is_scraped = !is_scraped || state.scraped.is_some_and(|scraped| scraped.elapsed() >= SCRAPED);
            let is_taken = (!is_pushed || state.pushed) && is_scraped;
            state.ended.is_none_or(|ended| !is_taken && ended.elapsed() < KEPT)
        });
    }
}
