//! Compares the variants over all rounds.
//!
//! Formats every value, once, so that the text, the JSON and the HTML agree. A change whose
//! interval contains 0 is within the noise. No variant and no value is left out because it looks
//! odd.

use anyhow::Result;
use serde::Serialize;

use crate::limits::Judgment;
use crate::measure::rounds::Bench;
use crate::measure::run::Run;
use crate::result::machine::Machine;
use crate::result::metrics::{Better, METRICS, Metric, format_change, group_digits};
use crate::setup::collector::Summary;
use crate::setup::variants::{LeftOut, ORIGINAL};
use crate::statistics::{Ratio, Spread};

/// Shown for a value that the load does not report.
const NOT_REPORTED: &str = "not reported";

/// Everything to report. Field names are JSON keys.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// Whether every limit was judged and held, and no request failed. Set by `gates`.
    pub(crate) passed: bool,
    /// Where and when.
    pub(crate) machine: Machine,
    /// The patched program, in words.
    pub(crate) patched: String,
    /// Rounds of each variant.
    pub(crate) rounds: u32,
    /// Duration of each window.
    pub(crate) window_seconds: f64,
    /// The variants, the original first.
    pub(crate) variants: Vec<VariantCounts>,
    /// The variants that could not run here.
    pub(crate) left_out: Vec<LeftOut>,
    /// Each metric of each variant.
    pub(crate) metrics: Vec<MetricRows>,
    /// Each limit for each variant that it applies to. Set by `gates`.
    pub(crate) gates: Vec<Judgment>,
    /// What affects the validity of the comparison.
    pub(crate) warnings: Vec<String>,
    /// Every run, in order.
    pub(crate) runs: Vec<Run>,
}

/// A variant and its totals over all rounds.
#[derive(Debug, Serialize)]
pub(crate) struct VariantCounts {
    /// Its name.
    pub(crate) name: String,
    /// What it is, in words.
    pub(crate) what: String,
    /// Whether it is the patched program.
    pub(crate) patched: bool,
    /// Requests in the windows.
    pub(crate) requests: Option<u64>,
    /// Failed requests in the windows.
    pub(crate) errors: Option<u64>,
    /// Records received, warm-up included.
    pub(crate) records: Option<u64>,
    /// Records lost, warm-up included.
    pub(crate) lost: Option<u64>,
    /// The totals as text.
    pub(crate) text: CountsText,
}

/// Formatted totals.
#[derive(Debug, Serialize)]
pub(crate) struct CountsText {
    pub(crate) requests: String,
    pub(crate) errors: String,
    pub(crate) records: String,
    pub(crate) lost: String,
}

/// A metric of all variants.
#[derive(Debug, Serialize)]
pub(crate) struct MetricRows {
    /// Its name in the JSON.
    pub(crate) key: &'static str,
    /// Its name in reports.
    pub(crate) title: &'static str,
    /// Which direction is better.
    pub(crate) better: Better,
    /// In the order of the variants, without those that the metric does not apply to.
    pub(crate) rows: Vec<Row>,
}

/// A metric of one variant.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// The variant's name.
    pub(crate) variant: String,
    /// Its spread over the rounds.
    pub(crate) spread: Option<Spread>,
    /// The ratio to the original, by rounds.
    pub(crate) ratio: Option<Ratio>,
    /// All of it as text.
    pub(crate) text: RowText,
}

/// The formatted values.
#[derive(Debug, Serialize)]
pub(crate) struct RowText {
    /// The median.
    pub(crate) median: String,
    /// The quartiles.
    pub(crate) quartiles: String,
    /// The change against the original.
    pub(crate) difference: String,
    /// The 95 % confidence interval of its median.
    pub(crate) interval: String,
    /// Better, worse, or within the noise.
    pub(crate) verdict: String,
}

impl Comparison {
    /// Compares all runs. The limits are not judged yet.
    pub(crate) fn new(bench: &Bench<'_>, runs: Vec<Run>) -> Result<Self> {
        let options = bench.options;
        let variants: Vec<_> = bench
            .variants
            .iter()
            .map(|variant| {
                counts(&variant.name, variant.description, variant.is_patched(), &runs_of(&runs, &variant.name))
            })
            .collect();
        let names: Vec<_> = variants.iter().map(|variant| variant.name.as_str()).collect();
        let metrics: Vec<_> = METRICS
            .iter()
            .map(|metric| {
                let original = runs_of(&runs, ORIGINAL);
                let row = |name: &&str| row(name, &runs_of(&runs, name), &original, metric);
                let rows = names.iter().filter_map(row).collect();
                MetricRows { key: metric.key, title: metric.title, better: metric.better, rows }
            })
            .filter(|metric| !metric.rows.is_empty())
            .collect();
        let warnings = warnings(&variants, &bench.left_out, &runs, options.allow_errors);
        Ok(Self {
            passed: false,
            machine: Machine::detect()?,
            patched: bench.patched.description.clone(),
            rounds: options.rounds,
            window_seconds: options.duration.as_secs_f64(),
            variants,
            left_out: bench.left_out.clone(),
            metrics,
            gates: Vec::new(),
            warnings,
            runs,
        })
    }

    /// The metric with this key.
    pub(crate) fn metric(&self, key: &str) -> Option<&MetricRows> {
        self.metrics.iter().find(|metric| metric.key == key)
    }
}

impl MetricRows {
    /// The row of a variant.
    pub(crate) fn row(&self, variant: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.variant == variant)
    }
}

fn runs_of<'a>(runs: &'a [Run], name: &str) -> Vec<&'a Run> {
    runs.iter().filter(|run| run.variant == name).collect()
}

fn row(name: &str, runs: &[&Run], original: &[&Run], metric: &Metric) -> Option<Row> {
    let is_collectors = metric.key.contains("collector");
    if is_collectors && runs.iter().all(|run| run.collector.is_none()) {
        return None;
    }
    let values: Vec<f64> = runs.iter().filter_map(|run| (metric.value)(run)).collect();
    let original_run = |round: u32| original.iter().find(|run| run.round == round);
    let pair = |run: &&Run| Some((metric.value)(run)? / (metric.value)(original_run(run.round)?)?);
    let ratios: Vec<f64> = runs.iter().filter_map(pair).collect();
    let spread = Spread::new(&values);
    let ratio = if name == ORIGINAL || is_collectors { None } else { Ratio::new(&ratios) };
    let format = |value| metric.unit.format(value);
    let text = RowText {
        median: spread.map_or(NOT_REPORTED.to_owned(), |spread| format(spread.median)),
        quartiles: spread.map_or(String::new(), |spread| format!("{} to {}", format(spread.low), format(spread.high))),
        difference: ratio.map_or(String::new(), |ratio| format_change(ratio.median)),
        interval: ratio
            .map_or(String::new(), |ratio| format!("{} to {}", format_change(ratio.low), format_change(ratio.high))),
        verdict: ratio.map_or("", |ratio| verdict(ratio, metric.better)).to_owned(),
    };
    Some(Row { variant: name.to_owned(), spread, ratio, text })
}

fn verdict(ratio: Ratio, better: Better) -> &'static str {
    if ratio.is_within_noise() {
        "within the noise"
    } else if (ratio.median > 1.0) == (better == Better::Higher) {
        "better"
    } else {
        "worse"
    }
}

fn counts(name: &str, what: &str, patched: bool, runs: &[&Run]) -> VariantCounts {
    let sum = |count: &dyn Fn(&Run) -> Option<u64>| runs.iter().map(|run| count(run)).sum::<Option<u64>>();
    let requests = sum(&|run| run.load.requests);
    let errors = sum(&|run| run.load.errors);
    let records = sum(&|run| Some(run.collected.as_ref()?.records));
    let lost = sum(&|run| run.collected.as_ref().map(Summary::lost));
    let reported = |count: Option<u64>| count.map_or(NOT_REPORTED.to_owned(), group_digits);
    let collected = |count: Option<u64>| count.map_or(String::new(), group_digits);
    VariantCounts {
        name: name.to_owned(),
        what: what.to_owned(),
        patched,
        requests,
        errors,
        records,
        lost,
        text: CountsText {
            requests: reported(requests),
            errors: reported(errors),
            records: collected(records),
            lost: collected(lost),
        },
    }
}

fn warnings(variants: &[VariantCounts], left_out: &[LeftOut], runs: &[Run], allow_errors: bool) -> Vec<String> {
    let mut warnings: Vec<_> = left_out
        .iter()
        .map(|left_out| format!("variant {} was left out: {}", left_out.name, left_out.reason))
        .collect();
    for variant in variants {
        let name = &variant.name;
        if let Some(errors) = variant.errors.filter(|errors| *errors > 0) {
            let messages = runs.iter().filter(|run| run.variant == *name).flat_map(|run| &run.load.messages);
            let first = messages.take(1).fold(String::new(), |_, message| format!(", for example: {message}"));
            let consequence = if allow_errors { "" } else { "; the exit status is 1" };
            warnings.push(format!("{name}: {} requests failed{first}{consequence}", group_digits(errors)));
        }
        if let Some(lost) = variant.lost.filter(|lost| *lost > 0) {
            warnings.push(format!(
                "{name}: {} records were lost, so its figures do not include all of the work",
                group_digits(lost)
            ));
        }
        if variant.records == Some(0) {
            warnings.push(format!("{name}: nothing was recorded: the load does not call the hooked functions"));
        }
        if variant.requests == Some(0) {
            warnings.push(format!("{name}: no request was answered"));
        }
    }
    warnings
}
