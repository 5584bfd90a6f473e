//! The figures that are compared, and how each is written.
//!
//! Decides: what a figure is of a run, in which direction it is better, and its unit.
//! Trusts: the run. What the load did not tell, or what did not run, has no figure.
//! Never does: print.

use serde::Serialize;

use crate::measure::run::Run;

/// A figure.
pub(crate) struct Metric {
    /// Its name for programs.
    pub(crate) key: &'static str,
    /// Its name for people, with the unit.
    pub(crate) title: &'static str,
    /// How it is written.
    pub(crate) unit: Unit,
    /// Which direction is good.
    pub(crate) better: Better,
    /// The figure of a run.
    pub(crate) of: fn(&Run) -> Option<f64>,
}

/// How a figure is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// A whole number with separators.
    Count,
    /// Microseconds.
    Microseconds,
    /// Mebibytes of this many bytes.
    Mebibytes,
    /// A number for each request.
    PerRequest,
}

/// Which direction is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    /// More.
    Higher,
    /// Less.
    Lower,
}

/// Throughput.
pub(crate) const THROUGHPUT: &str = "requests_per_second";
/// The 99th percentile.
pub(crate) const P99: &str = "latency_p99_us";
/// Processor time of the program.
pub(crate) const CPU_PROGRAM: &str = "cpu_program_us";
/// Processor time of what runs beside.
pub(crate) const CPU_COLLECTOR: &str = "cpu_collector_us";
/// Both.
pub(crate) const CPU: &str = "cpu_us";
/// Memory of both.
pub(crate) const MEMORY: &str = "memory_bytes";

const fn metric(
    key: &'static str,
    title: &'static str,
    unit: Unit,
    better: Better,
    of: fn(&Run) -> Option<f64>,
) -> Metric {
    Metric { key, title, unit, better, of }
}

/// All figures, in the order in which they are shown.
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
        metric(CPU_PROGRAM, "CPU a request: the program, µs", Microseconds, Lower, |run| {
            a_request(run, run.program.cpu_seconds * 1e6)
        }),
        metric(CPU_COLLECTOR, "CPU a request: the collector, µs", Microseconds, Lower, |run| {
            a_request(run, run.collector?.cpu_seconds * 1e6)
        }),
        metric(CPU, "CPU a request: both, µs", Microseconds, Lower, |run| {
            let collector = run.collector.map_or(0.0, |used| used.cpu_seconds);
            a_request(run, (run.program.cpu_seconds + collector) * 1e6)
        }),
        metric("memory_program_bytes", "peak memory: the program, MiB", Mebibytes, Lower, |run| {
            Some(run.program.peak_bytes as f64)
        }),
        metric("memory_program_anonymous_bytes", "memory without files: the program, MiB", Mebibytes, Lower, |run| {
            Some(run.program.anonymous_bytes as f64)
        }),
        metric("memory_collector_bytes", "peak memory: the collector, MiB", Mebibytes, Lower, |run| {
            Some(run.collector?.peak_bytes as f64)
        }),
        metric(MEMORY, "peak memory: both, MiB", Mebibytes, Lower, |run| {
            Some((run.program.peak_bytes + run.collector.map_or(0, |used| used.peak_bytes)) as f64)
        }),
        metric("switches_voluntary", "context switches a request: the program, voluntary", PerRequest, Lower, |run| {
            a_request(run, run.program.voluntary_switches as f64)
        }),
        metric("switches_involuntary", "context switches a request: the program, forced", PerRequest, Lower, |run| {
            a_request(run, run.program.involuntary_switches as f64)
        }),
        metric("switches_collector", "context switches a request: the collector", PerRequest, Lower, |run| {
            let used = run.collector?;
            a_request(run, (used.voluntary_switches + used.involuntary_switches) as f64)
        }),
    ]
};

impl Unit {
    /// A figure as it is shown.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Count => grouped(value.round() as u64),
            Self::Microseconds => digits(value),
            Self::Mebibytes => format!("{:.1}", value / f64::from(1 << 20)),
            Self::PerRequest => format!("{value:.3}"),
        }
    }
}

/// Three digits that say something, or more when the number has them anyway.
fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => grouped(value.round() as u64),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A ratio as it is shown: as a difference in percent, or where that says little, as a factor.
pub(crate) fn difference(ratio: f64) -> String {
    match ratio {
        ratio if ratio >= 1000.0 => "more than x 1,000".to_owned(),
        ratio if ratio >= 10.0 => format!("x {ratio:.0}"),
        // Adding zero to what is rounded to it takes its sign away.
        ratio => format!("{:+.1} %", ((ratio - 1.0) * 1000.0).round() / 10.0 + 0.0),
    }
}

fn latency(run: &Run, percentile: f64) -> Option<f64> {
    let near = |told: &&(f64, f64)| (told.0 - percentile).abs() < 1e-6;
    run.load.latency_us.iter().find(near).map(|told| told.1)
}

fn a_request(run: &Run, value: f64) -> Option<f64> {
    run.load.requests.filter(|requests| *requests > 0).map(|requests| value / requests as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_as_they_are_shown() {
        assert_eq!(Unit::Count.show(1_234_567.6), "1,234,568");
        assert_eq!(Unit::Count.show(12.0), "12");
        assert_eq!(Unit::Microseconds.show(1.234), "1.23");
        assert_eq!(Unit::Microseconds.show(12.34), "12.3");
        assert_eq!(Unit::Microseconds.show(1234.5), "1,235");
        assert_eq!(Unit::Mebibytes.show(1_572_864.0), "1.5");
        for key in [THROUGHPUT, P99, CPU, CPU_PROGRAM, CPU_COLLECTOR, MEMORY] {
            assert!(METRICS.iter().any(|metric| metric.key == key), "{key}");
        }
    }

    #[test]
    fn ratios_as_they_are_shown() {
        assert_eq!([1.0, 1.0312, 0.5, 2.0].map(difference), ["+0.0 %", "+3.1 %", "-50.0 %", "+100.0 %"]);
        assert_eq!(difference(0.9999), "+0.0 %");
        assert_eq!([12.4, 5e4].map(difference), ["x 12", "more than x 1,000"]);
    }
}
