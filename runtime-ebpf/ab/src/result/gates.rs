//! Judges the limits.
//!
//! A limit is exceeded only if the whole interval lies beyond it, so that noise does not fail a
//! pipeline. If only the median lies beyond it, the limit holds and the report says so. Lost
//! records are counted rather than measured, so they have no noise. A limit whose figure is missing
//! cannot be judged, which is an error.

use super::comparison::{Comparison, MetricRows, VariantCounts};
use super::metrics::{CPU, MEMORY, P99, THROUGHPUT, format_change, group_digits};
use crate::limits::{Judgment, Limit, LimitedMetric};
use crate::options::Options;
use crate::statistics::Ratio;

/// Judges every limit for every variant that it applies to, and whether the comparison passed.
pub(crate) fn judge(comparison: &mut Comparison, options: &Options) {
    let applies = |variant: &&VariantCounts| match options.gate_variants.as_slice() {
        [] => variant.patched,
        names => names.contains(&variant.name),
    };
    let variants: Vec<_> = comparison.variants.iter().filter(applies).collect();
    let pairs = options.limits.iter().flat_map(|limit| variants.iter().map(move |variant| (limit, *variant)));
    comparison.gates =
        pairs.filter_map(|(limit, variant)| limit.judge(options, variant, &comparison.metrics)).collect();
    let no_errors = comparison.variants.iter().all(|variant| variant.errors.is_none_or(|errors| errors == 0));
    comparison.passed = !comparison.gates.iter().any(Judgment::fails) && (no_errors || options.allow_errors);
}

impl Limit {
    fn judge(&self, options: &Options, variant: &VariantCounts, metrics: &[MetricRows]) -> Option<Judgment> {
        if self.metric == LimitedMetric::Lost {
            let lost = match variant.lost {
                // Without a collector nothing can be lost. If the user named this variant, that is
                // worth an error.
                None if options.gate_variants.is_empty() => return None,
                lost => lost,
            };
            let measured = lost.map_or("no collector ran".to_owned(), |lost| format!("{} lost", group_digits(lost)));
            let exceeded = lost.map(|lost| lost as f64 > self.at_most);
            return Some(self.judgment(variant, measured, exceeded, "held"));
        }
        let metric = metrics.iter().find(|metric| metric.key == self.metric.key());
        let Some(ratio) = metric.and_then(|metric| metric.row(&variant.name)?.ratio) else {
            return Some(self.judgment(variant, "not reported by the load".to_owned(), None, "held"));
        };
        let [median, low, high] = [ratio.median, ratio.low, ratio.high].map(format_change);
        let measured = format!("{median} ({low} to {high})");
        let (exceeded, median_exceeds) = match self.metric {
            LimitedMetric::Throughput => (ratio.high < 1.0 - self.at_most, ratio.median < 1.0 - self.at_most),
            _ => (ratio.low > 1.0 + self.at_most, ratio.median > 1.0 + self.at_most),
        };
        let otherwise = if median_exceeds { "over the limit, but within the noise" } else { self.describe_held(ratio) };
        Some(self.judgment(variant, measured, Some(exceeded), otherwise))
    }

    /// How certain it is that the limit held.
    fn describe_held(&self, ratio: Ratio) -> &'static str {
        let certain = match self.metric {
            LimitedMetric::Throughput => ratio.low >= 1.0 - self.at_most,
            _ => ratio.high <= 1.0 + self.at_most,
        };
        if certain { "held" } else { "held, but not certain because of the noise" }
    }

    fn judgment(
        &self,
        variant: &VariantCounts,
        measured: String,
        exceeded: Option<bool>,
        otherwise: &'static str,
    ) -> Judgment {
        Judgment {
            limit: self.flag(),
            variant: variant.name.clone(),
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
        // Rounded, because 0.07 * 100.0 is 7.000000000000001.
        let percent = (self.at_most * 1e8).round() / 1e6;
        match self.metric {
            LimitedMetric::Cpu => format!("--max-cpu-overhead {percent}%"),
            LimitedMetric::LatencyP99 => format!("--max-latency-p99-overhead {percent}%"),
            LimitedMetric::Throughput => format!("--max-throughput-loss {percent}%"),
            LimitedMetric::Memory => format!("--max-memory-overhead {percent}%"),
            LimitedMetric::Lost => format!("--max-lost {}", self.at_most),
        }
    }
}

impl LimitedMetric {
    fn key(self) -> &'static str {
        match self {
            Self::Cpu => CPU,
            Self::LatencyP99 => P99,
            Self::Throughput => THROUGHPUT,
            Self::Memory => MEMORY,
            Self::Lost => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_shown_as_the_flags_they_came_from() {
        let flag = |metric, at_most| Limit { metric, at_most }.flag();
        assert_eq!(flag(LimitedMetric::Cpu, 7.0 / 100.0), "--max-cpu-overhead 7%");
        assert_eq!(flag(LimitedMetric::Throughput, 2.5 / 100.0), "--max-throughput-loss 2.5%");
        assert_eq!(flag(LimitedMetric::Lost, 3.0), "--max-lost 3");
    }
}
