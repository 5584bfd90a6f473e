//! The table for a terminal. Each column is as wide as its widest cell.

use std::fmt::Write;

use crate::result::comparison::Comparison;

/// The report as text.
pub(super) fn table(comparison: &Comparison) -> String {
    let mut out = String::new();
    let mut line = |text: &str| writeln!(out, "{}", text.trim_end()).expect("writing to a String succeeds");
    line(&comparison.patched);
    line(&comparison.machine.summary_line());
    line(&format!("{} rounds of {} s", comparison.rounds, comparison.window_seconds));
    line("median, quartiles, change against the original of the same round, its 95 % confidence interval");

    for metric in &comparison.metrics {
        line("");
        line(metric.title);
        for row in columns(metric.rows.iter().map(|row| {
            let text = &row.text;
            [&row.variant, &text.median, &text.quartiles, &text.difference, &text.interval, &text.verdict]
        })) {
            line(&row);
        }
    }

    line("");
    let head = ["all rounds", "requests", "failed", "records", "lost", ""].map(str::to_owned);
    let totals = comparison.variants.iter().map(|variant| {
        let text = &variant.text;
        [&variant.name, &text.requests, &text.errors, &text.records, &text.lost, &variant.what]
    });
    for row in columns(std::iter::once(head.each_ref()).chain(totals)) {
        line(&row);
    }

    if !comparison.gates.is_empty() {
        line("");
    }
    for gate in &comparison.gates {
        line(&format!("{}: {}: {}: {}", gate.limit, gate.variant, gate.verdict, gate.measured));
    }
    for warning in &comparison.warnings {
        line(&format!("WARNING: {warning}"));
    }
    out
}

/// Aligns columns: the first and the last to the left, the others to the right.
fn columns<'a>(rows: impl Iterator<Item = [&'a String; 6]>) -> Vec<String> {
    let rows: Vec<_> = rows.collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[&String; 6]| {
        let [name, middle @ .., last] = row;
        let mut line = format!("  {name:<width$}", width = widths[0]);
        for (text, width) in middle.iter().zip(&widths[1..]) {
            write!(line, "  {text:>width$}").expect("writing to a String succeeds");
        }
        format!("{line}  {last}")
    };
    rows.iter().map(line).collect()
}
