//! Limits for a pipeline, and what became of each.

use serde::Serialize;

/// A limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// On what.
    pub(crate) what: Limited,
    /// A part of the original's figure that may be added or lost; of losses their number.
    pub(crate) at_most: f64,
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limited {
    /// Processor time a request, of program and collector.
    Cpu,
    /// The 99th percentile.
    LatencyP99,
    /// Requests a second that are lost.
    Throughput,
    /// Peak memory of program and collector.
    Memory,
    /// Records lost.
    Lost,
}

/// What became of a limit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Judged {
    /// The flag with its value.
    pub(crate) limit: String,
    /// The variant.
    pub(crate) variant: String,
    /// What was measured, in words.
    pub(crate) measured: String,
    /// It was exceeded, beyond the noise.
    pub(crate) exceeded: bool,
    /// It could not be judged.
    pub(crate) unknown: bool,
    /// In words.
    pub(crate) verdict: &'static str,
}
