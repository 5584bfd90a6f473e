//! The answers of the control socket, made of what the main loop has counted.

use std::sync::atomic::Ordering;

use super::shared::Shared;
use crate::control::api::{Operations, ProcessStatus, Quota, Spans, Status};
use crate::quota::table::WAITING_OF_ALL;

/// The status now.
pub(crate) fn status(shared: &Shared) -> Status {
    let totals = shared.totals();
    let processes = shared.processes.all().into_iter().map(|process| {
        let state = process.state();
        let resource = &state.resource;
        ProcessStatus {
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
    let limits = shared.quotas.usage().map(|usage| Quota {
        name: usage.kind.to_string(),
        used: usage.used,
        limit: usage.limit,
        refused: usage.refused,
    });
    let queue_bytes = shared.spans.as_ref().map_or(0, |queue| queue.limit_bytes() as u64);
    Status {
        memory_limit_bytes: shared.quotas.limits.memory(WAITING_OF_ALL as u64, queue_bytes + shared.page_bytes as u64),
        limits: limits.collect(),
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

/// What processes do. A request makes the client a watcher: counting begins with the first request
/// and ends some time after the last.
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
