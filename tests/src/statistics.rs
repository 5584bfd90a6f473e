//! Statistics of the benchmarks: medians, goals, and the machine that they were measured on.
//!
//! A figure is a median with its quartiles. One disturbed round would move an average; it does not
//! move a median.

use std::fmt::{self, Display, Formatter};
use std::fs;

use serde::Serialize;

/// A median and the quartiles around it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    /// The middle value.
    pub median: f64,
    /// A quarter of the values lie below.
    pub low: f64,
    /// A quarter of the values lie above.
    pub high: f64,
}

impl Spread {
    /// Median and quartiles of these values.
    pub fn new(mut values: Vec<f64>) -> Self {
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

/// A limit that a figure is compared with.
#[derive(Debug, Serialize)]
pub struct Goal {
    /// As text.
    pub wanted: String,
    /// The limit.
    pub limit: f64,
    /// The figure.
    pub value: f64,
    /// Whether the figure meets it.
    pub met: bool,
}

impl Goal {
    /// A value of at most `limit`.
    pub fn at_most(limit: f64, unit: &str, value: f64) -> Self {
        Self { wanted: format!("<= {limit} {unit}"), limit, value, met: value <= limit }
    }

    /// A value of at least `limit`.
    pub fn at_least(limit: f64, unit: &str, value: f64) -> Self {
        Self { wanted: format!(">= {limit} {unit}"), limit, value, met: value >= limit }
    }
}

/// The processor's and the kernel's name.
pub fn machine() -> (String, String) {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = rustix::system::uname();
    let processor = processor.map_or("unknown processor", |(_, name)| name).to_owned();
    (processor, kernel.release().to_string_lossy().into_owned())
}
