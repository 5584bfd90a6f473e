//! The metrics: how each is computed from a run, which direction is better, and how it is
//! formatted. A run has no value for a metric that its load did not report.

use serde::Serialize;

use crate::measure::run::Run;

/// A metric.
pub(crate) struct Metric {
    /// Its name in the JSON.
    pub(crate) key: &'static str,
    /// Its name in reports, with the unit.
    pub(crate) title: &'static str,
    /// How it is formatted.
    pub(crate) unit: Unit,
    /// Which direction is better.
    pub(crate) better: Better,
    /// The value in a run.
    pub(crate) value: fn(&Run) -> Option<f64>,
}

/// How a value is formatted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// A whole number with grouped digits.
    Count,
    /// Microseconds.
    Microseconds,
    /// A number of bytes, in MiB.
    Mebibytes,
    /// A number per request.
    PerRequest,
}

/// Which direction is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    /// Higher is better.
    Higher,
    /// Lower is better.
    Lower,
}

/// Throughput.
pub(crate) const THROUGHPUT: &str = "requests_per_second";
/// The 99th percentile.
pub(crate) const P99: &str = "latency_p99_us";
/// CPU time of the program.
pub(crate) const CPU_PROGRAM: &str = "cpu_program_us";
/// CPU time of the collector.
pub(crate) const CPU_COLLECTOR: &str = "cpu_collector_us";
/// CPU time of both.
pub(crate) const CPU: &str = "cpu_us";
/// Peak memory of both.
pub(crate) const MEMORY: &str = "memory_bytes";

const fn metric(
    key: &'static str,
    title: &'static str,
    unit: Unit,
    better: Better,
    value: fn(&Run) -> Option<f64>,
) -> Metric {
    Metric { key, title, unit, better, value }
}

/// All metrics, in the order of the reports.
pub(crate) const METRICS: &[Metric] = {
    use Better::{Higher, Lower};
    use Unit::{Count, Mebibytes, Microseconds, PerRequest};
    &[
        metric(THROUGHPUT, "throughput, requests/s", Count, Higher, |run| {
            Some(run.load.requests? as f64 / run.load.seconds.filter(|seconds| *seconds > 0.0)?)
        }),
        metric("latency_p50_us", "latency, 50th percentile, µs", Microseconds, Lower, |run| latency(run, 50.0)),
        metric("latency_p90_us", "latency, 90th percentile, µs", Microseconds, Lower, |run| latency(run, 90.0)),
        metric(P99, "latency, 99th percentile, µs", Microseconds, Lower, |run| latency(run, 99.0)),
        metric("latency_p99.9_us", "latency, 99.9th percentile, µs", Microseconds, Lower, |run| latency(run, 99.9)),
        metric(CPU_PROGRAM, "CPU per request: the program, µs", Microseconds, Lower, |run| {
            per_request(run, run.program.cpu_seconds * 1e6)
        }),
        metric(CPU_COLLECTOR, "CPU per request: the collector, µs", Microseconds, Lower, |run| {
            per_request(run, run.collector?.cpu_seconds * 1e6)
        }),
        metric(CPU, "CPU per request: both, µs", Microseconds, Lower, |run| {
            let collector = run.collector.map_or(0.0, |usage| usage.cpu_seconds);
            per_request(run, (run.program.cpu_seconds + collector) * 1e6)
        }),
        metric("memory_program_bytes", "peak memory: the program, MiB", Mebibytes, Lower, |run| {
            Some(run.program.peak_bytes as f64)
        }),
        metric("memory_program_anonymous_bytes", "anonymous memory: the program, MiB", Mebibytes, Lower, |run| {
            Some(run.program.anonymous_bytes as f64)
        }),
        metric("memory_collector_bytes", "peak memory: the collector, MiB", Mebibytes, Lower, |run| {
            Some(run.collector?.peak_bytes as f64)
        }),
        metric(MEMORY, "peak memory: both, MiB", Mebibytes, Lower, |run| {
            Some((run.program.peak_bytes + run.collector.map_or(0, |usage| usage.peak_bytes)) as f64)
        }),
        metric(
            "switches_voluntary",
            "context switches per request: the program, voluntary",
            PerRequest,
            Lower,
            |run| per_request(run, run.program.voluntary_switches as f64),
        ),
        metric(
            "switches_involuntary",
            "context switches per request: the program, involuntary",
            PerRequest,
            Lower,
            |run| per_request(run, run.program.involuntary_switches as f64),
        ),
        metric("switches_collector", "context switches per request: the collector", PerRequest, Lower, |run| {
            let usage = run.collector?;
            per_request(run, (usage.voluntary_switches + usage.involuntary_switches) as f64)
        }),
    ]
};

impl Unit {
    /// Formats a value.
    pub(crate) fn format(self, value: f64) -> String {
        match self {
            Self::Count => group_digits(value.round() as u64),
            Self::Microseconds => three_digits(value),
            Self::Mebibytes => format!("{:.1}", value / f64::from(1 << 20)),
            Self::PerRequest => format!("{value:.3}"),
        }
    }
}

/// Formats a number with three significant digits, or more if its integer part has more.
fn three_digits(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => group_digits(value.round() as u64),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Formats a number with its digits grouped by thousands.
pub(crate) fn group_digits(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Formats a ratio as a change in percent, or as a factor if it is large.
pub(crate) fn format_change(ratio: f64) -> String {
    match ratio {
        ratio if ratio >= 1000.0 => "more than x 1,000".to_owned(),
        ratio if ratio >= 10.0 => format!("x {ratio:.0}"),
        // Adding 0 turns a rounded -0 into +0.
        ratio => format!("{:+.1} %", ((ratio - 1.0) * 1000.0).round() / 10.0 + 0.0),
    }
}

fn latency(run: &Run, percentile: f64) -> Option<f64> {
    let matches = |point: &&(f64, f64)| (point.0 - percentile).abs() < 1e-6;
    run.load.latency_us.iter().find(matches).map(|point| point.1)
}

fn per_request(run: &Run, value: f64) -> Option<f64> {
    run.load.requests.filter(|requests| *requests > 0).map(|requests| value / requests as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_formatted_by_their_unit() {
        assert_eq!(Unit::Count.format(1_234_567.6), "1,234,568");
        assert_eq!(Unit::Count.format(12.0), "12");
        assert_eq!(Unit::Microseconds.format(1.234), "1.23");
        assert_eq!(Unit::Microseconds.format(12.34), "12.3");
        assert_eq!(Unit::Microseconds.format(1234.5), "1,235");
        assert_eq!(Unit::Mebibytes.format(1_572_864.0), "1.5");
        for key in [THROUGHPUT, P99, CPU, CPU_PROGRAM, CPU_COLLECTOR, MEMORY] {
            assert!(METRICS.iter().any(|metric| metric.key == key), "{key}");
        }
    }

    #[test]
    fn ratios_are_formatted_as_changes() {
        assert_eq!([1.0, 1.0312, 0.5, 2.0].map(format_change), ["+0.0 %", "+3.1 %", "-50.0 %", "+100.0 %"]);
        assert_eq!(format_change(0.9999), "+0.0 %");
        assert_eq!([12.4, 5e4].map(format_change), ["x 12", "more than x 1,000"]);
    }
}
