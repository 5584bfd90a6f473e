//! The page that Prometheus scrapes.
//!
//! Decides: names and labels (OpenTelemetry's specification, "Prometheus and OpenMetrics
//! compatibility"), and the two forms: the text format 0.0.4, and OpenMetrics 1.0, which has
//! exemplars.
//! Trusts: nothing in the values, which are escaped.
//! Never does: I/O.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

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

/// Metrics of one name: their head, and their lines.
#[derive(Debug, Default)]
struct Family {
    kind: &'static str,
    help: String,
    unit: &'static str,
    lines: String,
}

type Families = BTreeMap<String, Family>;

/// The page, of all processes and of gopatchd itself.
pub(crate) fn page(shared: &Shared, form: Form) -> String {
    let mut families = Families::new();
    for process in shared.processes.all() {
        add_process(&mut families, &process, form);
    }
    add_gopatchd(&mut families, shared);
    let mut page = String::new();
    for (name, Family { kind, help, unit, lines }) in families {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // In OpenMetrics the name of a counter has no `_total`, only its sample has; that of an
        // info has no `_info`.
        let family = match (form, kind) {
            (Form::OpenMetrics, "counter") => name.trim_end_matches("_total"),
            (Form::OpenMetrics, "info") => name.trim_end_matches("_info"),
            _ => &name,
        };
        let kind = if form == Form::Text && kind == "info" { "gauge" } else { kind };
        write!(page, "# HELP {family} {help}\n# TYPE {family} {kind}\n").expect("a String takes all");
        if form == Form::OpenMetrics && !unit.is_empty() {
            writeln!(page, "# UNIT {family} {unit}").expect("a String takes all");
        }
        page += &lines;
    }
    if form == Form::OpenMetrics {
        page += "# EOF\n";
    }
    page
}

fn add_process(families: &mut Families, process: &Arc<Process>, form: Form) {
    let mut state = process.state();
    let identity = identity(&state.resource);
    let mut info = identity.clone();
    let named = ["service.name", "service.namespace", "service.instance.id"];
    for (name, value) in state.resource.iter().filter(|(name, _)| !named.contains(name)) {
        label(&mut info, name, &value.to_string());
    }
    family(families, "target_info", "info", "Attributes of a process.", "").push(&format!("target_info{{{info}}} 1\n"));
    counter(families, "gopatchd_process_records_total", "Records of a process.", &identity, state.records);
    for (cause, count) in causes(&state.lost) {
        let mut labels = identity.clone();
        label(&mut labels, "cause", cause);
        let help = "Records of a process that were lost, by cause.";
        counter(families, "gopatchd_process_records_lost_total", help, &labels, count);
    }
    if let Some(metrics) = &state.metrics {
        for group in &metrics.groups {
            for series in &group.series {
                let mut labels = identity.clone();
                for (name, value) in group.attributes(series) {
                    label(&mut labels, name, &value.to_string());
                }
                for (instrument, measured) in group.instruments.iter().zip(&series.measured) {
                    let unit = if instrument.unit == "By" { "bytes" } else { "seconds" };
                    let name = format!("{}_{unit}", sanitize(&instrument.name));
                    let family = family(families, &name, "histogram", &instrument.description, unit);
                    histogram(&mut family.lines, &name, &labels, measured, form);
                }
            }
        }
    }
    state.scrape();
}

fn add_gopatchd(families: &mut Families, shared: &Shared) {
    let totals = shared.totals();
    let summary = &totals.summary;
    let mut version = String::new();
    label(&mut version, "version", env!("CARGO_PKG_VERSION"));
    label(&mut version, "backend", totals.backend);
    family(families, "gopatchd_build_info", "info", "Version and backend of gopatchd.", "")
        .push(&format!("gopatchd_build_info{{{version}}} 1\n"));
    gauge(families, "gopatchd_processes", "Attached processes.", "", "", totals.attached as f64);
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
    ] {
        counter(families, name, help, "", count);
    }
    for (cause, count) in causes(&summary.lost) {
        let mut labels = String::new();
        label(&mut labels, "cause", cause);
        counter(families, "gopatchd_records_lost_total", "Records lost, by cause.", &labels, count);
    }
    let seconds = totals.drain_time.as_secs_f64();
    family(families, "gopatchd_drain_seconds_total", "counter", "Time spent reading rings.", "seconds")
        .push(&format!("gopatchd_drain_seconds_total {seconds}\n"));
    if let Some(queue) = &shared.spans {
        let (spans, bytes) = queue.waiting();
        gauge(families, "gopatchd_queue_spans", "Spans that wait to be pushed.", "", "", spans as f64);
        gauge(families, "gopatchd_queue_bytes", "Bytes of spans that wait to be pushed.", "", "bytes", bytes as f64);
        let counts = queue.counts();
        let help = "Spans delivered to the OTLP receiver.";
        counter(families, "gopatchd_spans_pushed_total", help, "", counts.pushed.load(Ordering::Relaxed));
        for (cause, count) in [("queue_full", &counts.full), ("rejected", &counts.rejected), ("ended", &counts.left)] {
            let mut labels = String::new();
            label(&mut labels, "cause", cause);
            let help = "Spans lost, by cause.";
            counter(families, "gopatchd_spans_lost_total", help, &labels, count.load(Ordering::Relaxed));
        }
    }
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

/// The labels that identify a process.
fn identity(resource: &Resource) -> String {
    let (namespace, name) = (resource.text("service.namespace"), resource.text("service.name"));
    let job = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
    let mut labels = String::new();
    label(&mut labels, "job", &job);
    label(&mut labels, "instance", resource.text("service.instance.id"));
    labels
}

fn histogram(lines: &mut String, name: &str, labels: &str, measured: &Measured, form: Form) {
    let total = &measured.total;
    if total.totals.count == 0 {
        return;
    }
    let mut below = 0u64;
    let bounds = total.bounds.iter().map(|bound| format!("{bound:?}")).chain(["+Inf".to_owned()]);
    for ((bound, count), exemplar) in bounds.zip(&total.counts).zip(&measured.exemplars) {
        below = below.saturating_add(*count);
        write!(lines, "{name}_bucket{{{labels},le=\"{bound}\"}} {below}").expect("a String takes all");
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

fn counter(families: &mut Families, name: &str, help: &str, labels: &str, count: u64) {
    let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    family(families, name, "counter", help, "").push(&format!("{name}{labels} {count}\n"));
}

fn gauge(families: &mut Families, name: &str, help: &str, labels: &str, unit: &'static str, value: f64) {
    let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    family(families, name, "gauge", help, unit).push(&format!("{name}{labels} {value}\n"));
}

fn family<'f>(
    families: &'f mut Families,
    name: &str,
    kind: &'static str,
    help: &str,
    unit: &'static str,
) -> &'f mut Family {
    families.entry(name.to_owned()).or_insert_with(|| Family {
        kind,
        help: help.to_owned(),
        unit,
        lines: String::new(),
    })
}

impl Family {
    fn push(&mut self, line: &str) {
        self.lines += line;
    }
}

/// Appends a label, unless its value is empty.
fn label(labels: &mut String, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    if !labels.is_empty() {
        labels.push(',');
    }
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    write!(labels, "{}=\"{value}\"", sanitize(name)).expect("a String takes all");
}

/// A name with only characters that Prometheus allows.
fn sanitize(name: &str) -> String {
    let allowed = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let name: String = allowed.collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_break_a_line() {
        let mut labels = String::new();
        label(&mut labels, "http.route", "/a\"b\\c\nd");
        label(&mut labels, "nothing", "");
        label(&mut labels, "2x", "y");
        assert_eq!(labels, r#"http_route="/a\"b\\c\nd",_2x="y""#);
    }
}
