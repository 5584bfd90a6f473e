//! Limits for a pipeline, and the verdict on each.

use serde::Serialize;

/// An upper limit on a cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// The limited metric.
    pub(crate) metric: LimitedMetric,
    /// The permitted change as a fraction of the original's value; for lost records, their number.
    pub(crate) at_most: f64,
}

/// The metrics that can be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitedMetric {
    /// Increase of CPU time per request, program and collector together.
    Cpu,
    /// Increase of the 99th percentile of latency.
    LatencyP99,
    /// Loss of requests per second.
    Throughput,
    /// Increase of peak memory, program and collector together.
    Memory,
    /// Lost records.
    Lost,
}

/// A limit judged for a variant.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Judgment {
    /// The flag with its value.
    pub(crate) limit: String,
    /// The variant's name.
    pub(crate) variant: String,
    /// The measured change.
    pub(crate) measured: String,
    /// Exceeded beyond the noise.
    pub(crate) exceeded: bool,
    /// Not judged: the value is missing.
    pub(crate) unknown: bool,
    /// The judgment in words.
    pub(crate) verdict: &'static str,
}

impl Judgment {
    /// Whether the comparison fails because of this limit.
    pub(crate) fn fails(&self) -> bool {
        self.exceeded || self.unknown
    }
}
