//! What the benchmarks make of their measurements: medians, goals, and where they were taken.
//!
//! Decides: that a figure is a median with its quartiles.
//! Trusts: its callers' numbers.
//! Never does: average. One round that something else disturbed would move an average, and does not move a median.

use std::fmt::{self, Display, Formatter};
use std::fs;

use serde::Serialize;

/// A median and the quartiles around it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    /// The value in the middle.
    pub median: f64,
    /// A quarter of the values lie below.
    pub low: f64,
    /// A quarter of the values lie above.
    pub high: f64,
}

impl Spread {
    /// Of these values.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |part: f64| values.get(((values.len() as f64 - 1.0) * part).round() as usize).copied();
        let at = |part| at(part).unwrap_or(f64::NAN);
        Self { median: at(0.5), low: at(0.25), high: at(0.75) }
    }
}

impl Display for Spread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = if self.median < 100.0 { 2 } else { 0 };
        let quartiles = format!("{:.digits$} .. {:.digits$}", self.low, self.high);
        write!(f, "{:>9.digits$}  {quartiles:<16}", self.median)
    }
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
    (processor, kernel.release().to_string_lossy().into_owned())
}
