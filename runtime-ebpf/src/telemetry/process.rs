//! A process as exporters see it: its attributes, what it has done, whether it still runs.
//!
//! Decides: how long the counts of a process are kept after its end.
//! Never does: I/O. The main loop writes here and other threads read; none holds the lock while
//! waiting.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use gopatch_protocol::manifest::Ratio;
use hashbrown::HashMap;

use super::activity::Activity;
use super::metrics::Metrics;
use super::resource::Resource;
use crate::control::api::RuleStatus;
use crate::summary::Lost;

/// How long the metrics of a process that has ended wait to be pushed or scraped.
const KEPT: Duration = Duration::from_mins(5);
/// How long they stay on the page after the first scrape: Prometheus often runs in pairs, and
/// people look too.
const SCRAPED: Duration = Duration::from_mins(1);

/// A process.
#[derive(Debug)]
pub(crate) struct Process {
    /// As seen from here; 0 if the process is not visible from here.
    pub(crate) pid: u32,
    state: Mutex<ProcessState>,
}

/// What changes about a process.
#[derive(Debug)]
pub(crate) struct ProcessState {
    /// Its attributes. More can become known later.
    pub(crate) resource: Arc<Resource>,
    /// Whether its pod was found in Kubernetes.
    pub(crate) pod_is_known: bool,
    /// None if metrics are neither pushed nor scraped.
    pub(crate) metrics: Option<Metrics>,
    /// Records understood.
    pub(crate) records: u64,
    /// Operations made of them.
    pub(crate) operations: u64,
    pub(crate) lost: Lost,
    /// Its rules and how they are set.
    pub(crate) rules: Vec<RuleStatus>,
    /// The part of recorded calls that becomes operations, for functions whose rule is sampled.
    pub(crate) samples: HashMap<u32, Ratio, RandomState>,
    /// Its current operations, while a client watches.
    pub(crate) activity: Option<Activity>,
    /// When it ended.
    ended: Option<Instant>,
    /// When its first session began, from which its counters count; earlier if the clock was set
    /// back.
    pub(crate) since_unix_nanos: u64,
    /// The time of the last push, if the next one counts from there.
    pub(crate) pushed_until: Option<u64>,
    /// Whether its last metrics were pushed.
    pub(crate) pushed: bool,
    /// When they were first scraped.
    scraped: Option<Instant>,
}

/// All processes that are attached or have metrics to export.
#[derive(Debug, Default)]
pub(crate) struct Processes(Mutex<Vec<Arc<Process>>>);

impl Process {
    pub(crate) fn new(pid: u32, since_unix_nanos: u64, resource: Resource, metrics: Option<Metrics>) -> Self {
        let state = ProcessState {
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
            since_unix_nanos,
            pushed_until: None,
            pushed: false,
            scraped: None,
        };
        Self { pid, state: Mutex::new(state) }
    }

    /// What changes about it. Holding the guard holds up the main loop.
    pub(crate) fn state(&self) -> MutexGuard<'_, ProcessState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks it as ended.
    pub(crate) fn end(&self) {
        self.state().ended = Some(Instant::now());
    }
}

impl ProcessState {
    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Records that its metrics were scraped.
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

    /// All processes.
    pub(crate) fn all(&self) -> Vec<Arc<Process>> {
        self.lock().clone()
    }

    /// Forgets processes that have ended, once their metrics were pushed and scraped as far as
    /// configured.
    pub(crate) fn forget(&self, is_pushed: bool, is_scraped: bool) {
        self.lock().retain(|process| {
            let state = process.state();
            let is_scraped = !is_scraped || state.scraped.is_some_and(|scraped| scraped.elapsed() >= SCRAPED);
            let is_taken = (!is_pushed || state.pushed) && is_scraped;
            state.ended.is_none_or(|ended| !is_taken && ended.elapsed() < KEPT)
        });
    }
}
