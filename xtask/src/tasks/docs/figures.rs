//! Tables of `docs/figures/hooks.json`, which is the output of `cargo xtask bench hooks --json`.
//!
//! Decides: which rows the short table has, and how many digits are shown. Never does: compute a
//! figure.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;
use xtask::workspace;

const FILE: &str = "docs/figures/hooks.json";

/// Rows of the short table: name of the figure, and what a user calls it.
const SUMMARY: [(&str, &str); 6] = [
    ("entry, inert", "hook at an entry, no collector"),
    ("entry, no captures", "hook at an entry, nothing captured"),
    ("pair, three strings and a status", "hooks at entry and exit: method, path, host, status"),
    ("uprobe on a 5-byte NOP", "uprobe on a NOP, the cheapest kind"),
    ("uprobe at the first byte", "uprobe at an entry, the same strings"),
    ("uprobes at the first byte and RET", "uprobes at entry and exit, the same strings and status"),
];

/// The clock's row, by which others are divided.
const CLOCK: &str = "rdtsc";

#[derive(Deserialize)]
struct Report {
    machine: Machine,
    rounds: usize,
    rows: Vec<Row>,
    events: Vec<Events>,
}

#[derive(Deserialize)]
struct Machine {
    processor: String,
    kernel: String,
    go: String,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    call_ns: Spread,
    cost_ns: Option<Spread>,
    cost_rdtsc: Option<Ratio>,
    goals: Vec<Goal>,
}

#[derive(Deserialize)]
struct Spread {
    median: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Ratio {
    median: f64,
}

#[derive(Deserialize)]
struct Goal {
    wanted: String,
    value: f64,
    met: bool,
}

#[derive(Deserialize)]
struct Events {
    of: String,
    expected: u64,
    seen: u64,
    lost: u64,
}

/// All rows, the machine, and how many records arrived.
pub(super) fn whole_table() -> Result<String> {
    Report::read().map(|report| report.whole_table())
}

/// The rows that a user wants first, without quartiles.
pub(super) fn summary() -> Result<String> {
    Report::read()?.summary()
}

impl Report {
    fn read() -> Result<Self> {
        let text = fs::read_to_string(workspace::root().join(FILE)).with_context(|| format!("cannot read {FILE}"))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{FILE} is not an output of `cargo xtask bench hooks --json`"))
    }

    fn machine(&self) -> String {
        let Machine { processor, kernel, go } = &self.machine;
        format!("{processor}, Linux {kernel}, Go {go}; medians of {} rounds", self.rounds)
    }

    fn whole_table(&self) -> String {
        let mut text = format!("{}, and quartiles.\n\n", self.machine());
        text += "| | ns per call | ns added | x rdtsc | measured, goal |\n|---|---|---|---|---|\n";
        for Row { name, call_ns, cost_ns, cost_rdtsc, goals } in &self.rows {
            let cost = cost_ns.as_ref().map(with_quartiles).unwrap_or_default();
            let ratio = cost_rdtsc.as_ref().map(|ratio| number(ratio.median)).unwrap_or_default();
            let goals: Vec<_> = goals.iter().map(Goal::to_text).collect();
            // Functions without a hook have their names.
            let is_function = cost_ns.is_none() && name != CLOCK && !name.contains(' ');
            let name = if is_function { format!("bare call of `{name}`") } else { name.trim().to_owned() };
            let call = with_quartiles(call_ns);
            let _ = writeln!(text, "| {name} | {call} | {cost} | {ratio} | {} |", goals.join("; "));
        }
        text += "\nRecords:\n\n";
        for Events { of, expected, seen, lost } in &self.events {
            let [seen, expected, lost] = [seen, expected, lost].map(|count| thousands(*count));
            let _ = writeln!(text, "- {of}: {seen} of {expected} arrived, {lost} lost");
        }
        text
    }

    fn summary(&self) -> Result<String> {
        let clock = self.row(CLOCK)?.call_ns.median;
        let mut text = "| | added to a call | x `rdtsc` |\n|---|---|---|\n".to_owned();
        for (name, title) in SUMMARY {
            let row = self.row(name)?;
            let (Some(cost), Some(ratio)) = (&row.cost_ns, &row.cost_rdtsc) else {
                anyhow::bail!("{FILE}: {name:?} has no cost");
            };
            let _ = writeln!(text, "| {title} | {} ns | {} |", rounded(cost.median), rounded(ratio.median));
        }
        let _ = writeln!(
            text,
            "\n{}.\nReading the time stamp counter (`rdtsc`) alone takes {} ns there.",
            self.machine(),
            rounded(clock)
        );
        Ok(text)
    }

    fn row(&self, name: &str) -> Result<&Row> {
        self.rows.iter().find(|row| row.name == name).with_context(|| format!("{FILE} has no row {name:?}"))
    }
}

impl Goal {
    fn to_text(&self) -> String {
        let Self { wanted, value, met } = self;
        if *met { format!("{value:.2}, {wanted}") } else { format!("**{value:.2}**, {wanted}: missed") }
    }
}

fn with_quartiles(spread: &Spread) -> String {
    format!("{} ({} to {})", number(spread.median), number(spread.low), number(spread.high))
}

fn number(value: f64) -> String {
    if value < 100.0 { format!("{value:.2}") } else { thousands(value.round() as u64) }
}

/// Two significant digits, as more are noise.
fn rounded(value: f64) -> String {
    if value < 0.1 {
        return format!("{value:.2}");
    }
    if value < 10.0 {
        return format!("{value:.1}");
    }
    let unit = 10_u64.pow(value.log10() as u32 - 1);
    thousands((value / unit as f64).round() as u64 * unit)
}

fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_mean_something() {
        for (value, expected) in [(0.066, "0.07"), (1.43, "1.4"), (21.98, "22"), (78.06, "78"), (12972.0, "13,000")] {
            assert_eq!(rounded(value), expected);
        }
        assert_eq!([number(5.129), number(177.2), number(12972.4)], ["5.13", "177", "12,972"]);
        assert_eq!([thousands(7), thousands(1_000), thousands(19_804_279)], ["7", "1,000", "19,804,279"]);
    }

    #[test]
    fn the_committed_figures_make_both_tables() -> Result<()> {
        let report = Report::read()?;
        assert!(report.summary()?.lines().filter(|line| line.starts_with("| ")).count() > SUMMARY.len());
        assert!(report.whole_table().lines().count() > report.rows.len());
        assert!(report.events.iter().all(|events| events.lost == 0), "figures with lost records do not count");
        Ok(())
    }
}
