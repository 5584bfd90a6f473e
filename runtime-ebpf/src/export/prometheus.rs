//! The lines of the page that Prometheus scrapes.
//!
//! Decides: names of metrics, which labels identify a process, and the two forms: the text format
//! 0.0.4, and OpenMetrics 1.0, which has exemplars.
//! Trusts: nothing in the values, which are escaped.
//! Never does: I/O.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gopatch_protocol::wire::context::Event;

use super::labels::{self, SAME_INSTANCE, append};
use super::shared::Shared;
use crate::summary::Lost;
use crate::telemetry::histogram::Exemplar;
use crate::telemetry::metrics::Measured;
use crate::telemetry::process::Process;
use crate::telemetry::resource::Resource;

/// The two forms of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    OpenMetrics,
}

/// What precedes the lines of a metric.
pub(super) struct Head<'h> {
    pub(super) name: &'h str,
    pub(super) kind: &'static str,
    pub(super) help: &'h str,
    pub(super) unit: &'static str,
}

impl Head<'_> {
    pub(super) fn append(&self, form: Form, page: &mut String) {
        let Self { name, kind, help, unit } = *self;
        // In OpenMetrics the name of a counter has no `_total`, only its sample has; that of an
        // info has no `_info`.
        let family = match (form, kind) {
            (Form::OpenMetrics, "counter") => name.trim_end_matches("_total"),
            (Form::OpenMetrics, "info") => name.trim_end_matches("_info"),
            _ => name,
        };
        let kind = if form == Form::Text && kind == "info" { "gauge" } else { kind };
        let help = labels::help(help);
        write!(page, "# HELP {family} {help}\n# TYPE {family} {kind}\n").expect("a String takes all");
        if form == Form::OpenMetrics && !unit.is_empty() {
            writeln!(page, "# UNIT {family} {unit}").expect("a String takes all");
        }
    }
}

/// Lines of gopatchd's own metrics, those of a name after one another.
struct Own {
    page: String,
    form: Form,
    last: &'static str,
}

impl Own {
    fn push(&mut self, head: &Head<'static>, labels: &str, value: impl std::fmt::Display) {
        if self.last != head.name {
            head.append(self.form, &mut self.page);
            self.last = head.name;
        }
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        writeln!(self.page, "{}{labels} {value}", head.name).expect("a String takes all");
    }

    fn counter(&mut self, name: &'static str, help: &'static str, labels: &str, count: u64) {
        self.push(&Head { name, kind: "counter", help, unit: "" }, labels, count);
    }

    fn gauge(&mut self, name: &'static str, help: &'static str, unit: &'static str, value: usize) {
        self.push(&Head { name, kind: "gauge", help, unit }, "", value);
    }

    fn causes<'c>(&mut self, name: &'static str, help: &'static str, causes: impl Iterator<Item = (&'c str, u64)>) {
        for (cause, count) in causes {
            let mut labels = String::new();
            append(&mut labels, "cause", cause);
            self.counter(name, help, &labels, count);
        }
    }
}

/// What is counted of a process apart from its operations.
pub(super) struct Counts {
    pub(super) resource: Arc<Resource>,
    records: u64,
    lost: Lost,
}

impl Counts {
    /// A copy, for which the process is locked only briefly.
    pub(super) fn new(process: &Process) -> Self {
        let state = process.state();
        Self { resource: Arc::clone(&state.resource), records: state.records, lost: state.lost.clone() }
    }
}

/// The metrics of a process that are no histograms, with their lines.
pub(super) fn counters(state: &Counts, identity: &str) -> [(Head<'static>, String); 3] {
    let named = ["service.name", "service.namespace", "service.instance.id"];
    let attributes = state.resource.iter().filter(|(name, _)| !named.contains(name));
    let info = labels::labels(identity, attributes.map(|(name, value)| (name, value.to_string())));
    let mut lost = String::new();
    for (cause, count) in causes(&state.lost) {
        let mut labels = identity.to_owned();
        append(&mut labels, "cause", cause);
        writeln!(lost, "gopatchd_process_records_lost_total{{{labels}}} {count}").expect("a String takes all");
    }
    let counter = |name, help| Head { name, kind: "counter", help, unit: "" };
    [
        (
            Head { name: "target_info", kind: "info", help: "Attributes of a process.", unit: "" },
            format!("target_info{{{info}}} 1\n"),
        ),
        (
            counter("gopatchd_process_records_total", "Records of a process."),
            format!("gopatchd_process_records_total{{{identity}}} {}\n", state.records),
        ),
        (counter("gopatchd_process_records_lost_total", "Records of a process that were lost, by cause."), lost),
    ]
}

/// gopatchd's own metrics.
pub(super) fn gopatchd(shared: &Shared, form: Form) -> String {
    let mut own = Own { page: String::new(), form, last: "" };
    let totals = shared.totals();
    let summary = &totals.summary;
    let mut version = String::new();
    append(&mut version, "version", env!("CARGO_PKG_VERSION"));
    append(&mut version, "backend", totals.backend);
    let (name, help) = ("gopatchd_build_info", "Version and backend of gopatchd.");
    own.push(&Head { name, kind: "info", help, unit: "" }, &version, 1);
    own.gauge("gopatchd_processes", "Attached processes.", "", totals.attached);
    for (name, help, count) in [
        ("gopatchd_records_total", "Records received and understood.", summary.records),
        ("gopatchd_operations_total", "Operations made of records.", summary.operations),
        (
            "gopatchd_unprinted_operations_total",
            "Operations not printed because the output was not read.",
            summary.unprinted,
        ),
        ("gopatchd_sessions_total", "Sessions granted to processes.", summary.sessions),
        ("gopatchd_refused_total", "Refused processes.", summary.refused),
        ("gopatchd_unpaired_exits_total", "Exits without an entry.", summary.unpaired_exits),
        ("gopatchd_evicted_calls_total", "Open calls given up: a process had too many.", summary.evicted_calls),
        ("gopatchd_words_missing_total", "Exits recorded without the values saved at entry.", summary.words_missing),
        ("gopatchd_broken_rings_total", "Rings given up because their content was invalid.", summary.broken_rings),
        (
            "gopatchd_unproven_losses_total",
            "Losses claimed by processes that cannot have had them.",
            summary.unproven_losses,
        ),
        ("gopatchd_passes_total", "Times that all rings were read.", totals.passes),
        (
            "gopatchd_metric_overflows_total",
            "Operations counted in a series with otel.metric.overflow.",
            shared.overflowed(),
        ),
        (
            "gopatchd_metric_points_rejected_total",
            "Data points that the OTLP receiver rejected.",
            shared.rejected_points.load(Ordering::Relaxed),
        ),
        (
            "gopatchd_series_left_out_total",
            "Series left out of pages of metrics because of http.page_bytes.",
            shared.series_left_out.load(Ordering::Relaxed),
        ),
    ] {
        own.counter(name, help, "", count);
    }
    let closed = shared.closed_connections.counts();
    own.causes("gopatchd_connections_closed_total", "Connections that gopatchd closed, by cause.", closed.into_iter());
    own.causes("gopatchd_records_lost_total", "Records lost, by cause.", causes(&summary.lost).into_iter());
    for (event, count) in Event::ALL.into_iter().zip(summary.contexts) {
        let mut labels = String::new();
        append(&mut labels, "event", event.name());
        own.counter("gopatchd_contexts_total", "Trace contexts of requests, by what became of them.", &labels, count);
    }
    let (name, help) = ("gopatchd_drain_seconds_total", "Time spent reading rings.");
    own.push(&Head { name, kind: "counter", help, unit: "seconds" }, "", totals.drain_time.as_secs_f64());
    if let Some(queue) = &shared.spans {
        let (spans, bytes) = queue.waiting();
        own.gauge("gopatchd_queue_spans", "Spans that wait to be pushed.", "", spans);
        own.gauge("gopatchd_queue_bytes", "Bytes of spans that wait to be pushed.", "bytes", bytes);
        let counts = queue.counts();
        let pushed = counts.pushed.load(Ordering::Relaxed);
        own.counter("gopatchd_spans_pushed_total", "Spans delivered to the OTLP receiver.", "", pushed);
        let lost = [("queue_full", &counts.full), ("rejected", &counts.rejected), ("ended", &counts.left)];
        let lost = lost.into_iter().map(|(cause, count)| (cause, count.load(Ordering::Relaxed)));
        own.causes("gopatchd_spans_lost_total", "Spans lost, by cause.", lost);
    }
    own.page
}

/// Losses by cause.
pub(crate) fn causes(lost: &Lost) -> [(&'static str, u64); 6] {
    [
        ("ring_full", lost.ring_full),
        ("unconsumed", lost.unconsumed),
        ("left_by_earlier", lost.left_by_earlier),
        ("slot_busy", lost.slot_busy),
        ("output_full", lost.output_full),
        ("malformed", lost.malformed),
    ]
}

/// The labels that identify a process: the `number`th of those on the page that claim to be the
/// same instance.
pub(super) fn identity(resource: &Resource, number: usize) -> String {
    let (namespace, name) = (resource.text("service.namespace"), resource.text("service.name"));
    let job = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
    let mut labels = String::new();
    append(&mut labels, "job", &job);
    append(&mut labels, "instance", resource.text("service.instance.id"));
    if number > 1 {
        append(&mut labels, SAME_INSTANCE, &number.to_string());
    }
    labels
}

pub(super) fn histogram(lines: &mut String, name: &str, labels: &str, measured: &Measured, form: Form) {
    let total = &measured.total;
    if total.totals.count == 0 {
        return;
    }
    let comma = if labels.is_empty() { "" } else { "," };
    let mut below = 0u64;
    let bounds = total.bounds.iter().map(|bound| format!("{bound:?}")).chain(["+Inf".to_owned()]);
    for ((bound, count), exemplar) in bounds.zip(&total.counts).zip(&measured.exemplars) {
        below = below.saturating_add(*count);
        write!(lines, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {below}").expect("a String takes all");
        if let (Form::OpenMetrics, Some(exemplar)) = (form, exemplar) {
            let Exemplar { value, unix_nanos, trace, span } = exemplar;
            let seconds = *unix_nanos as f64 / 1e9;
            write!(lines, " # {{trace_id=\"{trace:032x}\",span_id=\"{span:016x}\"}} {value} {seconds:.3}")
                .expect("a String takes all");
        }
        lines.push('\n');
    }
    let (sum, count) = (total.totals.sum, total.totals.count);
    write!(lines, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}\n").expect("a String takes all");
}
