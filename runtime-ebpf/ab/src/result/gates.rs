//! Limits, for a pipeline.
//!
//! Decides: a limit is exceeded when the whole interval lies above it: beyond the noise. Losses are counted, not
//! measured, so for them there is no noise. What cannot be judged (the load did not tell) does not pass in silence: it is an error.
//! Trusts: the comparison.
//! Never does: let noise fail a pipeline. A limit that is exceeded within the noise is held, and says so.

use serde::Serialize;

use crate::options::Options;
use crate::result::comparison::{MetricRows, VariantCounts, difference};
use crate::result::metrics::{CPU, MEMORY, P99, THROUGHPUT, grouped};
use crate::statistics::Ratio;

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

/// Judges every limit for every variant that it holds for.
pub(crate) fn judge(options: &Options, variants: &[VariantCounts], metrics: &[MetricRows]) -> Vec<Judged> {
    let chosen = |variant: &&VariantCounts| match options.gate_variants.as_slice() {
        [] => variant.patched,
        names => names.contains(&variant.name),
    };
    let chosen: Vec<_> = variants.iter().filter(chosen).collect();
    let pairs = options.limits.iter().flat_map(|limit| chosen.iter().map(move |variant| (limit, *variant)));
    pairs.filter_map(|(limit, variant)| limit.judge(options, variant, metrics)).collect()
}

impl Limit {
    fn judge(&self, options: &Options, variant: &VariantCounts, metrics: &[MetricRows]) -> Option<Judged> {
        if self.what == Limited::Lost {
            let lost = match variant.lost {
                // Nobody listens, so nothing can be lost, unless it is this variant that was asked about.
                None if options.gate_variants.is_empty() => return None,
                lost => lost,
            };
            let measured = lost.map_or("no collector ran".to_owned(), |lost| format!("{} lost", grouped(lost)));
            let exceeded = lost.map(|lost| lost as f64 > self.at_most);
            return Some(self.verdict(variant, measured, exceeded, "held"));
        }
        let metric = metrics.iter().find(|metric| metric.key == self.what.metric());
        let Some(ratio) = metric.and_then(|metric| metric.row(&variant.name)?.ratio) else {
            return Some(self.verdict(variant, "not told by the load".to_owned(), None, "held"));
        };
        let measured =
            format!("{} ({} to {})", difference(ratio.median), difference(ratio.low), difference(ratio.high));
        let (exceeded, over) = match self.what {
            Limited::Throughput => (ratio.high < 1.0 - self.at_most, ratio.median < 1.0 - self.at_most),
            _ => (ratio.low > 1.0 + self.at_most, ratio.median > 1.0 + self.at_most),
        };
        let otherwise = if over { "over the limit, but within the noise" } else { self.held(ratio) };
        Some(self.verdict(variant, measured, Some(exceeded), otherwise))
    }

    /// A limit that is held may be so for sure, or not.
    fn held(&self, ratio: Ratio) -> &'static str {
        let surely = match self.what {
            Limited::Throughput => ratio.low >= 1.0 - self.at_most,
            _ => ratio.high <= 1.0 + self.at_most,
        };
        if surely { "held" } else { "held, as far as the noise lets one tell" }
    }

    fn verdict(&self, of: &VariantCounts, measured: String, exceeded: Option<bool>, otherwise: &'static str) -> Judged {
        Judged {
            limit: self.flag(),
            variant: of.name.clone(),
            measured,
            exceeded: exceeded == Some(true),
            unknown: exceeded.is_none(),
            verdict: match exceeded {
                Some(true) => "EXCEEDED",
                Some(false) => otherwise,
                None => "CANNOT BE JUDGED",
            },
        }
    }

    fn flag(&self) -> String {
        let percent = self.at_most * 100.0;
        match self.what {
            Limited::Cpu => format!("--max-cpu-overhead {percent}%"),
            Limited::LatencyP99 => format!("--max-latency-p99-overhead {percent}%"),
            Limited::Throughput => format!("--max-throughput-loss {percent}%"),
            Limited::Memory => format!("--max-memory-overhead {percent}%"),
            Limited::Lost => format!("--max-lost {}", self.at_most),
        }
    }
}

impl Limited {
    fn metric(self) -> &'static str {
        match self {
            Self::Cpu => CPU,
            Self::LatencyP99 => P99,
            Self::Throughput => THROUGHPUT,
            Self::Memory => MEMORY,
            Self::Lost => "",
        }
    }
}
