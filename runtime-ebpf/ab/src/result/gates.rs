//! Limits, for a pipeline.
//!
//! Decides: a limit is exceeded when the whole interval lies above it: beyond the noise. Losses are counted, not
//! measured, so for them there is no noise. What cannot be judged (the load did not tell) does not pass in silence: it is an error.
//! Trusts: the comparison.
//! Never does: let noise fail a pipeline. A limit that is exceeded within the noise is held, and says so.

use crate::limits::{Judged, Limit, Limited};
use crate::options::Options;
use crate::result::comparison::{Comparison, MetricRows, VariantCounts};
use crate::result::metrics::{CPU, MEMORY, P99, THROUGHPUT, difference, grouped};
use crate::statistics::Ratio;

/// Judges every limit for every variant that it applies to, and with that the comparison.
pub(crate) fn judge(comparison: &mut Comparison, options: &Options) {
    let chosen = |variant: &&VariantCounts| match options.gate_variants.as_slice() {
        [] => variant.patched,
        names => names.contains(&variant.name),
    };
    let chosen: Vec<_> = comparison.variants.iter().filter(chosen).collect();
    let pairs = options.limits.iter().flat_map(|limit| chosen.iter().map(move |variant| (limit, *variant)));
    comparison.gates =
        pairs.filter_map(|(limit, variant)| limit.judge(options, variant, &comparison.metrics)).collect();
    let no_errors = comparison.variants.iter().all(|variant| variant.errors.is_none_or(|errors| errors == 0));
    let held = comparison.gates.iter().all(|gate| !gate.exceeded && !gate.unknown);
    comparison.passed = held && (no_errors || options.allow_errors);
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
