//! Medians with quartiles, goals, and the machine, for the benchmarks.

use std::fs;

pub use gopatchd_ab::statistics::Spread;
use serde::Serialize;

/// The spread of values, which is not a number without values: that meets no goal.
pub fn spread(values: &[f64]) -> Spread {
    Spread::new(values).unwrap_or(Spread { median: f64::NAN, low: f64::NAN, high: f64::NAN })
}

/// Formats a spread as two columns: the median, and the quartiles.
pub fn format_spread(spread: &Spread) -> String {
    let digits = if spread.median < 100.0 { 2 } else { 0 };
    let quartiles = format!("{:.digits$} .. {:.digits$}", spread.low, spread.high);
    format!("{:>9.digits$}  {quartiles:<16}", spread.median)
}

/// What a figure is held against.
#[derive(Debug, Serialize)]
pub struct Goal {
    /// In words.
    pub wanted: String,
    /// The bound in it.
    pub limit: f64,
    /// The figure that is compared with it.
    pub value: f64,
    /// Whether it is reached.
    pub met: bool,
}

impl Goal {
    /// No more than `limit`.
    pub fn at_most(limit: f64, unit: &str, value: f64) -> Self {
        Self { wanted: format!("<= {limit} {unit}"), limit, value, met: value <= limit }
    }

    /// No less than `limit`.
    pub fn at_least(limit: f64, unit: &str, value: f64) -> Self {
        Self { wanted: format!(">= {limit} {unit}"), limit, value, met: value >= limit }
    }
}

/// The processor and the kernel.
pub fn machine() -> (String, String) {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = rustix::system::uname();
    let processor = processor.map_or("unknown processor", |(_, name)| name).to_owned();
    // Without what a distribution or a provider adds.
    let release = kernel.release().to_string_lossy();
    (processor, release.splitn(3, '.').take(2).collect::<Vec<_>>().join("."))
}
