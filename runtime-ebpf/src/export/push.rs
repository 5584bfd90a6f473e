//! Pushing: spans in batches, metrics at intervals.
//!
//! Decides: when a request is sent, and when it is sent again.
//! Never does: give up while gopatchd runs. Spans that find no room meanwhile are counted by the
//! queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, sleep, timeout_at};

use super::otlp::{Export, Outcome, Sender};
use super::points;
use super::queue::{Queue, QueuedSpan};
use super::shared::Shared;
use crate::config;
use crate::telemetry::process::Process;
use crate::telemetry::span;

/// First and longest pause before a request is sent again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long the end may take. What is not delivered by then is lost, and counted.
pub(crate) const LAST_TRIES: Duration = Duration::from_secs(5);

/// Data points after which further processes go into the next request.
const POINTS: usize = 2000;

/// None while gopatchd runs; then the time by which everything must be over.
pub(crate) type Stop = watch::Receiver<Option<Instant>>;

/// Pushes spans until the end. Several of these can run.
pub(crate) async fn spans(shared: Arc<Shared>, settings: config::TracesConfig, sender: Sender, mut stop: Stop) {
    let Some(queue) = &shared.spans else { return };
    loop {
        let batch = tokio::select! {
            batch = queue.batch(settings.batch_delay) => batch,
            () = ended(&mut stop) => queue.take(),
        };
        if batch.is_empty() {
            if stop.borrow().is_some() {
                return;
            }
            continue;
        }
        let count = batch.len() as u64;
        push_spans(queue, count, &spans_request(batch), &sender, &mut stop).await;
    }
}

async fn push_spans(queue: &Queue, count: u64, request: &ExportTraceServiceRequest, sender: &Sender, stop: &mut Stop) {
    let counts = queue.counts();
    match deliver(sender, request, "spans", stop).await {
        Some(Outcome::Delivered { rejected, reason }) => {
            let rejected = rejected.min(count);
            counts.pushed.fetch_add(count - rejected, Ordering::Relaxed);
            counts.rejected.fetch_add(rejected, Ordering::Relaxed);
            if rejected > 0 {
                tracing::warn!("the receiver rejected {rejected} of {count} spans: {reason}");
            }
        }
        Some(Outcome::Refused(reason)) => {
            counts.rejected.fetch_add(count, Ordering::Relaxed);
            tracing::warn!("the receiver refused {count} spans: {reason}");
        }
        Some(Outcome::Again { .. }) | None => {
            counts.left.fetch_add(count, Ordering::Relaxed);
        }
    }
}

/// Pushes metrics until the end, and then once more.
pub(crate) async fn metrics(shared: Arc<Shared>, settings: config::MetricsConfig, sender: Sender, mut stop: Stop) {
    let mut interval = tokio::time::interval_at(Instant::now() + settings.interval, settings.interval);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_last = tokio::select! {
            _ = interval.tick() => false,
            () = ended(&mut stop) => true,
        };
        for (request, ended) in snapshots(&shared) {
            match deliver(&sender, &request, "metrics", &mut stop).await {
                Some(Outcome::Delivered { rejected, reason }) if rejected > 0 => {
                    shared.rejected_points.fetch_add(rejected, Ordering::Relaxed);
                    tracing::warn!("the receiver rejected {rejected} data points: {reason}");
                }
                Some(Outcome::Refused(reason)) => {
                    let points = request.resource_metrics.iter().map(points::count).sum::<usize>() as u64;
                    shared.rejected_points.fetch_add(points, Ordering::Relaxed);
                    tracing::warn!("the receiver refused {points} data points: {reason}");
                }
                Some(Outcome::Delivered { .. } | Outcome::Again { .. }) | None => {}
            }
            for process in ended {
                process.state().pushed = true;
            }
        }
        shared.forget_ended();
        if is_last {
            return;
        }
    }
}

/// Sends a request until it is delivered or refused. Returns nothing if gopatchd ends before that.
async fn deliver<E: Export>(sender: &Sender, request: &E, what: &str, stop: &mut Stop) -> Option<Outcome> {
    let mut pause = FIRST_PAUSE;
    let mut failures = 0;
    loop {
        let sent = sender.send(request);
        let ends_at = *stop.borrow();
        let outcome = match ends_at {
            Some(ends_at) => timeout_at(ends_at, sent).await.ok()?,
            None => sent.await,
        };
        let (after, reason) = match outcome {
            Outcome::Again { after, reason } => (after, reason),
            over => {
                if failures > 0 {
                    tracing::info!("the receiver accepts {what} again after {failures} failures");
                }
                return Some(over);
            }
        };
        failures += 1;
        if failures == 1 {
            tracing::warn!("cannot push {what}, will retry: {reason}");
        } else {
            tracing::debug!("cannot push {what}, will retry: {reason}");
        }
        let pause_now = after.unwrap_or(pause).min(LONGEST_PAUSE);
        pause = (pause * 2).min(LONGEST_PAUSE);
        if let Some(ends_at) = ends_at {
            // Without time for another try, the last one has failed.
            timeout_at(ends_at, sleep(pause_now)).await.ok()?;
        } else {
            tokio::select! {
                () = sleep(pause_now) => {}
                () = ended(stop) => {}
            }
        }
    }
}

/// Waits until gopatchd is stopping.
async fn ended(stop: &mut Stop) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(Option::is_some).await;
}

/// One request with many spans, grouped by process.
fn spans_request(batch: Vec<QueuedSpan>) -> ExportTraceServiceRequest {
    let mut by_process: BTreeMap<*const Process, (Arc<Process>, Vec<_>)> = BTreeMap::new();
    for QueuedSpan { process, span } in batch {
        let (_, spans) = by_process.entry(Arc::as_ptr(&process)).or_insert_with(|| (Arc::clone(&process), Vec::new()));
        spans.push(span::decode(&span));
    }
    let resource_spans = by_process.into_values().map(|(process, spans)| ResourceSpans {
        resource: Some(proto_resource(&process)),
        scope_spans: vec![ScopeSpans { scope: Some(scope()), spans, ..Default::default() }],
        ..Default::default()
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

/// Requests with the metrics of all processes, each with the ended processes whose last metrics it
/// contains.
fn snapshots(shared: &Shared) -> Vec<(ExportMetricsServiceRequest, Vec<Arc<Process>>)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
    let mut requests = vec![(ExportMetricsServiceRequest::default(), Vec::new())];
    let mut points_of_last = 0;
    for process in shared.processes.all() {
        let (metrics, has_ended) = {
            let mut state = process.state();
            if state.pushed {
                continue;
            }
            let has_ended = state.has_ended();
            // A clock that was set back must not make a point end before it begins.
            state.since_unix_nanos = state.since_unix_nanos.min(now);
            let since = state.pushed_until.map_or(state.since_unix_nanos, |until| until.min(now));
            let Some(metrics) = &mut state.metrics else { continue };
            let is_delta = metrics.is_delta();
            let metrics = points::snapshot(metrics, since, now);
            if is_delta {
                state.pushed_until = Some(now);
            }
            (metrics, has_ended)
        };
        if points_of_last >= POINTS {
            requests.push((ExportMetricsServiceRequest::default(), Vec::new()));
            points_of_last = 0;
        }
        let (request, ended) = requests.last_mut().expect("there is one from the start");
        if has_ended {
            ended.push(Arc::clone(&process));
        }
        if metrics.is_empty() {
            continue;
        }
        let process_metrics = ResourceMetrics {
            resource: Some(proto_resource(&process)),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope()), metrics, ..Default::default() }],
            ..Default::default()
        };
        points_of_last += points::count(&process_metrics);
        request.resource_metrics.push(process_metrics);
    }
    requests.retain(|(request, ended)| !request.resource_metrics.is_empty() || !ended.is_empty());
    requests
}

fn proto_resource(process: &Process) -> Resource {
    let known = Arc::clone(&process.state().resource);
    Resource {
        attributes: known.iter().map(|(name, value)| span::key_value(name, value.borrowed())).collect(),
        ..Default::default()
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "gopatch".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Default::default()
    }
}
