//! What gopatchd says of itself to those who ask: `gopatchd status` and `gopatchd top`.
//!
//! Decides: the shape of the answers.
//! Trusts, and never does: nothing.

use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;

use super::Shared;
use crate::summary::{Lost, Summary};
use crate::switch::RuleState;

/// The running gopatchd.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) uptime_seconds: f64,
    pub(crate) backend: String,
    /// Whether the rings are being looked at.
    pub(crate) alive: bool,
    /// Totals over all processes.
    pub(crate) totals: Summary,
    /// None when spans are not pushed.
    pub(crate) spans: Option<Spans>,
    /// Those that are attached, and those that have just ended.
    pub(crate) processes: Vec<Process>,
}

/// Spans on their way to the receiver.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Spans {
    pub(crate) waiting: usize,
    pub(crate) waiting_bytes: usize,
    pub(crate) pushed: u64,
    pub(crate) lost_queue_full: u64,
    pub(crate) lost_rejected: u64,
}

/// A process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) service: String,
    pub(crate) instance: String,
    pub(crate) version: String,
    pub(crate) go_version: String,
    pub(crate) ended: bool,
    pub(crate) records: u64,
    pub(crate) operations: u64,
    pub(crate) lost: Lost,
    pub(crate) rules: Vec<Rule>,
}

/// A rule of a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// Functions that it hooks.
    pub(crate) functions: usize,
    #[serde(flatten)]
    pub(crate) state: RuleState,
}

/// Operations of one name in one process, since somebody began to watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operations {
    pub(crate) pid: u32,
    pub(crate) instance: String,
    pub(crate) service: String,
    pub(crate) rule: String,
    pub(crate) name: String,
    pub(crate) count: u64,
    pub(crate) errors: u64,
    /// Counts of durations: bucket `i` is up to 2^((i+1)/8) ns.
    pub(crate) durations: Vec<(i32, u64)>,
}

/// The status now.
pub(crate) fn of(shared: &Shared) -> Status {
    let totals = shared.totals();
    let processes = shared.processes.all().into_iter().map(|process| {
        let state = process.state();
        let resource = &state.resource;
        Process {
            pid: process.pid,
            service: resource.text("service.name").to_owned(),
            instance: resource.text("service.instance.id").to_owned(),
            version: resource.text("service.version").to_owned(),
            go_version: resource.text("process.runtime.version").to_owned(),
            ended: state.has_ended(),
            records: state.records,
            operations: state.operations,
            lost: state.lost.clone(),
            rules: state.rules.clone(),
        }
    });
    let spans = shared.spans.as_ref().map(|queue| {
        let ((waiting, waiting_bytes), counts) = (queue.waiting(), queue.counts());
        Spans {
            waiting,
            waiting_bytes,
            pushed: counts.pushed.load(Ordering::Relaxed),
            lost_queue_full: counts.full.load(Ordering::Relaxed),
            lost_rejected: counts.rejected.load(Ordering::Relaxed),
        }
    });
    Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        uptime_seconds: shared.started.elapsed().as_secs_f64(),
        backend: totals.backend.to_owned(),
        alive: shared.is_alive(),
        totals: totals.summary.total(),
        spans,
        processes: processes.collect(),
    }
}

/// What processes do. To ask is to watch: counting begins with the first question, and ends when nobody asks any more.
pub(crate) fn operations(shared: &Shared) -> Vec<Operations> {
    shared.watch();
    let mut all = Vec::new();
    for process in shared.processes.all() {
        let state = process.state();
        let resource = &state.resource;
        all.extend(state.activity.iter().flat_map(crate::telemetry::activity::Activity::iter).map(|(name, named)| {
            Operations {
                pid: process.pid,
                instance: resource.text("service.instance.id").to_owned(),
                service: resource.text("service.name").to_owned(),
                rule: named.rule.clone(),
                name: name.to_owned(),
                count: named.count,
                errors: named.errors,
                durations: named.durations.iter().map(|(index, count)| (*index, *count)).collect(),
            }
        }));
    }
    all
}
