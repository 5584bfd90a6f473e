//! What all rounds come to.
//!
//! Decides: every text of every figure, once: the table, the JSON and the HTML show the same. A difference whose interval
//! has 0 is said to be within the noise.
//! Trusts: the runs.
//! Never does: leave out a variant or a figure because it looks odd. A figure that nobody tells is said to be untold.

use anyhow::Result;
use serde::Serialize;

use crate::limits::Judged;
use crate::measure::rounds::Bench;
use crate::measure::run::Run;
use crate::result::machine::Machine;
use crate::result::metrics::{Better, METRICS, Metric, difference, grouped};
use crate::setup::collector::Summary;
use crate::setup::variants::{LeftOut, ORIGINAL};
use crate::statistics::{Ratio, Spread};

/// What is shown where a load does not tell a figure.
const NOT_TOLD: &str = "not told";

/// Everything there is to report.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// Whether every limit was judged and held, and no request failed.
    pub(crate) passed: bool,
    /// Where it was measured, and when.
    pub(crate) machine: Machine,
    /// What was patched.
    pub(crate) patched: String,
    /// Rounds of each variant.
    pub(crate) rounds: u32,
    /// Seconds of each window.
    pub(crate) window_seconds: f64,
    /// What was compared.
    pub(crate) variants: Vec<VariantCounts>,
    /// What could not run here.
    pub(crate) left_out: Vec<LeftOut>,
    /// Each figure of each variant.
    pub(crate) metrics: Vec<MetricRows>,
    /// Each limit.
    pub(crate) gates: Vec<Judged>,
    /// What everybody should read.
    pub(crate) warnings: Vec<String>,
    /// Every run, in the order in which they ran.
    pub(crate) runs: Vec<Run>,
}

/// A variant, and its totals over all rounds.
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
    /// Of which failed.
    pub(crate) errors: Option<u64>,
    /// Records that came, warm-up included.
    pub(crate) records: Option<u64>,
    /// Records that were lost, warm-up included.
    pub(crate) lost: Option<u64>,
    /// The same as text.
    pub(crate) text: CountsText,
}

/// Totals as they are shown.
#[derive(Debug, Serialize)]
pub(crate) struct CountsText {
    pub(crate) requests: String,
    pub(crate) errors: String,
    pub(crate) records: String,
    pub(crate) lost: String,
}

/// A figure of all variants.
#[derive(Debug, Serialize)]
pub(crate) struct MetricRows {
    /// Its name for programs.
    pub(crate) key: &'static str,
    /// Its name for people.
    pub(crate) title: &'static str,
    /// Which direction is good.
    pub(crate) better: Better,
    /// In the order of the variants. One to which the figure does not apply has no row.
    pub(crate) rows: Vec<Row>,
}

/// A figure of one variant.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// The variant.
    pub(crate) variant: String,
    /// Over the rounds.
    pub(crate) spread: Option<Spread>,
    /// To the original, round by round.
    pub(crate) ratio: Option<Ratio>,
    /// All of it as text.
    pub(crate) text: RowText,
}

/// A figure as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct RowText {
    /// The median.
    pub(crate) median: String,
    /// The quartiles.
    pub(crate) quartiles: String,
    /// The difference to the original.
    pub(crate) difference: String,
    /// Where its median lies with 95 % confidence.
    pub(crate) interval: String,
    /// Whether it is more than noise.
    pub(crate) verdict: String,
}

impl Comparison {
    /// Of all runs.
    pub(crate) fn of(bench: &Bench<'_>, runs: Vec<Run>) -> Result<Self> {
        let options = bench.options;
        let variants: Vec<_> = bench
            .variants
            .iter()
            .map(|variant| counts(&variant.name, variant.what, variant.is_patched(), &of_variant(&runs, &variant.name)))
            .collect();
        let names: Vec<_> = variants.iter().map(|variant| variant.name.as_str()).collect();
        let metrics: Vec<_> = METRICS
            .iter()
            .map(|metric| {
                let original = of_variant(&runs, ORIGINAL);
                let row = |name: &&str| row(name, &of_variant(&runs, name), &original, metric);
                let rows = names.iter().filter_map(row).collect();
                MetricRows { key: metric.key, title: metric.title, better: metric.better, rows }
            })
            .filter(|metric| !metric.rows.is_empty())
            .collect();
        let warnings = warnings(&variants, &bench.left_out, &runs, options.allow_errors);
        Ok(Self {
            passed: false,
            machine: Machine::here()?,
            patched: bench.patched.what.clone(),
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

    /// A figure of all variants.
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

fn of_variant<'a>(runs: &'a [Run], name: &str) -> Vec<&'a Run> {
    runs.iter().filter(|run| run.variant == name).collect()
}

fn row(name: &str, runs: &[&Run], original: &[&Run], metric: &Metric) -> Option<Row> {
    let about_collector = metric.key.contains("collector");
    if about_collector && runs.iter().all(|run| run.collector.is_none()) {
        return None;
    }
    let values: Vec<f64> = runs.iter().filter_map(|run| (metric.of)(run)).collect();
    let of_round = |round: u32| original.iter().find(|run| run.round == round);
    let pair = |run: &&Run| Some((metric.of)(run)? / (metric.of)(of_round(run.round)?)?);
    let ratios: Vec<f64> = runs.iter().filter_map(pair).collect();
    let spread = Spread::of(&values);
    let ratio = if name == ORIGINAL || about_collector { None } else { Ratio::of(&ratios) };
    let show = |value| metric.unit.show(value);
    let text = RowText {
        median: spread.map_or(NOT_TOLD.to_owned(), |spread| show(spread.median)),
        quartiles: spread.map_or(String::new(), |spread| format!("{} to {}", show(spread.low), show(spread.high))),
        difference: ratio.map_or(String::new(), |ratio| difference(ratio.median)),
        interval: ratio
            .map_or(String::new(), |ratio| format!("{} to {}", difference(ratio.low), difference(ratio.high))),
        verdict: ratio.map_or("", |ratio| verdict(ratio, metric.better)).to_owned(),
    };
    Some(Row { variant: name.to_owned(), spread, ratio, text })
}

fn verdict(ratio: Ratio, better: Better) -> &'static str {
    if ratio.within_noise() {
        "within the noise"
    } else if (ratio.median > 1.0) == (better == Better::Higher) {
        "better"
    } else {
        "worse"
    }
}

fn counts(name: &str, what: &str, patched: bool, runs: &[&Run]) -> VariantCounts {
    let sum = |of: &dyn Fn(&Run) -> Option<u64>| runs.iter().map(|run| of(run)).sum::<Option<u64>>();
    let requests = sum(&|run| run.load.requests);
    let errors = sum(&|run| run.load.errors);
    let records = sum(&|run| Some(run.collected.as_ref()?.records));
    let lost = sum(&|run| run.collected.as_ref().map(Summary::lost));
    let told = |count: Option<u64>| count.map_or(NOT_TOLD.to_owned(), grouped);
    let counted = |count: Option<u64>| count.map_or(String::new(), grouped);
    VariantCounts {
        name: name.to_owned(),
        what: what.to_owned(),
        patched,
        requests,
        errors,
        records,
        lost,
        text: CountsText {
            requests: told(requests),
            errors: told(errors),
            records: counted(records),
            lost: counted(lost),
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
            let first = messages.take(1).fold(String::new(), |_, message| format!(", such as: {message}"));
            let therefore = if allow_errors { "" } else { "; the exit status is 1" };
            warnings.push(format!("{name}: {} requests failed{first}{therefore}", grouped(errors)));
        }
        if let Some(lost) = variant.lost.filter(|lost| *lost > 0) {
            warnings.push(format!(
                "{name}: {} records were lost, so it did less than its share of the work",
                grouped(lost)
            ));
        }
        if variant.records == Some(0) {
            warnings.push(format!("{name}: nothing was recorded, so this load does not call what is hooked"));
        }
        if variant.requests == Some(0) {
            warnings.push(format!("{name}: no request was answered"));
        }
    }
    warnings
}
