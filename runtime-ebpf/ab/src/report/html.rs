//! The HTML page: first whether the limits held and what affects the comparison, then the plots,
//! then every value. The file is self-contained: no script, no font, no image from elsewhere.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plot::{self, Bar, Line};
use crate::limits::Judgment;
use crate::result::comparison::{Comparison, MetricRows, Row};
use crate::result::metrics::{CPU, CPU_COLLECTOR, CPU_PROGRAM, THROUGHPUT};
use crate::statistics::Spread;

const STYLE: &str = include_str!("page.css");

/// Colors in the style sheet.
const COLORS: usize = 8;

/// The page.
pub(super) fn page(comparison: &Comparison) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "What gopatch costs" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "What gopatch costs" }
                p { (comparison.patched) }
                p.soft { (comparison.machine.summary_line()) }
                (verdict(comparison))
                @if !comparison.warnings.is_empty() {
                    ul.warnings { @for warning in &comparison.warnings { li { (warning) } } }
                }
                (gates(comparison))
                (plots(comparison))
                (figures(comparison))
                (totals(comparison))
                (method(comparison))
            }
        }
    };
    page.into_string()
}

fn verdict(comparison: &Comparison) -> Markup {
    let failed = comparison.gates.iter().filter(|gate| gate.fails()).count();
    let (class, text) = match (comparison.passed, failed) {
        (true, 0) if comparison.gates.is_empty() => return Markup::default(),
        (true, 0) => ("verdict passed", "No limit was exceeded.".to_owned()),
        (_, 0) => ("verdict failed", "Requests failed.".to_owned()),
        (_, failed) => ("verdict failed", format!("{failed} of {} limits did not hold.", comparison.gates.len())),
    };
    html! { p #verdict class=(class) { (text) } }
}

fn gates(comparison: &Comparison) -> Markup {
    if comparison.gates.is_empty() {
        return Markup::default();
    }
    let row = |gate: &Judgment| {
        html! {
            tr {
                td { (gate.limit) } td { (gate.variant) } td { (gate.measured) }
                td.exceeded[gate.fails()] { (gate.verdict) }
            }
        }
    };
    let body = html! { tbody { @for gate in &comparison.gates { (row(gate)) } } };
    table("gates", &["limit", "variant", "measured", ""], 4, &body)
}

fn plots(comparison: &Comparison) -> Markup {
    let throughput = comparison.metric(THROUGHPUT);
    let cpu = comparison.metric(CPU).zip(comparison.metric(CPU_PROGRAM));
    html! {
        @if let Some(metric) = throughput {
            (figure(
                "Throughput",
                "requests/s; higher is better; whiskers are quartiles over the rounds",
                &bars(metric, "throughput", |row| bar(comparison, row, vec![row.spread?.median])),
            ))
        }
        @if let Some((both, program)) = cpu {
            (figure(
                "CPU per request",
                "µs of CPU time as the kernel accounts for it; lower is better; solid: the program, pale: the collector; \
                 whiskers are quartiles of both together",
                &bars(both, "cpu", |row| bar(comparison, row, cpu_parts(comparison, program, row)?)),
            ))
        }
        (latency_plot(comparison))
    }
}

/// The median CPU time of the program, then of its collector if it has one.
fn cpu_parts(comparison: &Comparison, program: &MetricRows, row: &Row) -> Option<Vec<f64>> {
    let median = |metric: &MetricRows| Some(metric.row(&row.variant)?.spread?.median);
    let collector = comparison.metric(CPU_COLLECTOR).and_then(median);
    Some(std::iter::once(median(program)?).chain(collector).collect())
}

fn latency_plot(comparison: &Comparison) -> Markup {
    let lines = comparison.variants.iter().enumerate().map(|(index, variant)| Line {
        name: &variant.name,
        color: index % COLORS,
        points: distribution(comparison, &variant.name),
    });
    let lines: Vec<_> = lines.collect();
    if lines.iter().all(|line| line.points.is_empty()) {
        return Markup::default();
    }
    let plot = html! {
        ul.legend {
            @for line in &lines {
                li {
                    svg viewBox="0 0 26 12" { polyline class={ "line c" (line.color) } points="0,6 26,6" {} }
                    (line.name)
                }
            }
        }
        (plot::lines("latency", "latency by percentile", &lines))
    };
    figure("Latency", "each point is the median over the rounds of that percentile; lower is better", &plot)
}

fn bars(metric: &MetricRows, id: &str, bar: impl for<'a> Fn(&'a Row) -> Option<Bar<'a>>) -> Markup {
    let bars: Vec<_> = metric.rows.iter().filter_map(bar).collect();
    plot::bars(id, metric.title, &bars)
}

fn bar<'a>(comparison: &Comparison, row: &'a Row, parts: Vec<f64>) -> Option<Bar<'a>> {
    let spread = row.spread?;
    let index = comparison.variants.iter().position(|variant| variant.name == row.variant)?;
    let text = &row.text;
    let label = match (text.difference.as_str(), text.verdict.as_str()) {
        ("", _) => text.median.clone(),
        (change, "within the noise") => format!("{}  ({change}, within the noise)", text.median),
        (change, _) => format!("{}  ({change})", text.median),
    };
    Some(Bar { name: &row.variant, color: index % COLORS, parts, whisker: (spread.low, spread.high), label })
}

/// The median over a variant's rounds of each percentile that its load reports.
fn distribution(comparison: &Comparison, variant: &str) -> Vec<(f64, f64)> {
    let mut by_percentile: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for run in comparison.runs.iter().filter(|run| run.variant == variant) {
        for (percentile, us) in &run.load.latency_us {
            by_percentile.entry((percentile * 1000.0).round() as u64).or_default().push(*us);
        }
    }
    let median =
        |(percentile, values): (u64, Vec<f64>)| Some((percentile as f64 / 1000.0, Spread::new(&values)?.median));
    by_percentile.into_iter().filter_map(median).collect()
}

fn figures(comparison: &Comparison) -> Markup {
    let body = html! {
        @for metric in &comparison.metrics {
            tbody.metric {
                tr { th colspan="6" { (metric.title) } }
                @for row in &metric.rows { (figure_row(metric.key, row)) }
            }
        }
    };
    html! {
        h2 { "All figures" }
        (table("figures", &["", "median", "quartiles", "change", "95 % interval", ""], 1, &body))
    }
}

fn figure_row(key: &str, row: &Row) -> Markup {
    let text = &row.text;
    let class = match text.verdict.as_str() {
        verdict @ ("worse" | "better") => verdict,
        _ => "noise",
    };
    html! {
        tr.figure data-metric=(key) data-variant=(row.variant) {
            td { (row.variant) }
            @for number in [&text.median, &text.quartiles, &text.difference, &text.interval] {
                td.number { (number) }
            }
            td class=(class) { (text.verdict) }
        }
    }
}

fn totals(comparison: &Comparison) -> Markup {
    let body = html! {
        tbody {
            @for variant in &comparison.variants {
                @let text = &variant.text;
                tr.total data-variant=(variant.name) {
                    td { (variant.name) }
                    @for number in [&text.requests, &text.errors, &text.records, &text.lost] { td.number { (number) } }
                    td { (variant.what) }
                }
            }
        }
    };
    html! {
        h2 { "Totals of all rounds" }
        (table("totals", &["", "requests", "failed", "records", "lost", ""], 1, &body))
    }
}

fn method(comparison: &Comparison) -> Markup {
    html! {
        h2 { "Method" }
        p {
            (comparison.rounds) " rounds. Each round ran every variant once, for " (comparison.window_seconds)
            " s after a warm-up, in a process of its own and in an order that changes from round to round. A change is \
              against the original in the same round; the median over the rounds is shown. The interval contains that \
              median with 95 % confidence; if it contains 0, noise alone may explain the change. One in twenty such \
              verdicts is wrong by chance. The original runs twice, which shows how large the noise is."
        }
        p {
            "CPU time, memory and context switches are the kernel's accounts of the program and of the collector, which is \
             a separate process. Requests and latency are what the load reports. Records include the warm-up."
        }
        pre #command { (comparison.machine.command) }
    }
}

fn figure(title: &str, caption: &str, plot: &Markup) -> Markup {
    html! {
        h2 { (title) }
        figure { figcaption { (caption) } (plot) }
    }
}

/// A table. The columns from `first_number` up to the last but one are numbers.
fn table(id: &str, head: &[&str], first_number: usize, body: &Markup) -> Markup {
    let is_number = |index: usize| index >= first_number && index + 1 < head.len();
    html! {
        div.scroll {
            table #(id) {
                thead { tr { @for (index, name) in head.iter().enumerate() { th.number[is_number(index)] { (name) } } } }
                (body)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn texts_are_escaped_and_the_page_is_self_contained() {
        let page = page(&sample::comparison());
        assert!(page.contains("&lt;&quot;rival&quot; &amp; 'co'&gt;"), "{page}");
        for forbidden in ["<none>", "<lost>", "<\"rival\"", "<script", "<link", "<img", "src=", "href=", "url("] {
            assert!(!page.contains(forbidden), "{forbidden}: {page}");
        }
    }

    #[test]
    fn every_value_is_shown_once_per_table_and_plot() {
        let page = page(&sample::comparison());
        let count = |text: &str| page.matches(text).count();
        assert_eq!(count("<tr class=\"figure\""), 10);
        assert_eq!(count("<tr class=\"total\""), 3);
        assert_eq!(count("class=\"exceeded\""), 1);
        // Three of throughput and of CPU, and the collector's part.
        assert_eq!(count("<rect"), 7);
        assert_eq!(count("class=\"bar beside c1\""), 1);
        // Two variants have latencies at three percentiles.
        assert_eq!(count("<circle"), 6);
        assert!(page.contains("<p id=\"verdict\" class=\"verdict failed\">1 of 2 limits did not hold.</p>"), "{page}");
    }
}
