//! One HTML file that needs nothing else: no script, no font, no picture from elsewhere.
//!
//! Decides: what stands where. A reader sees first whether the limits held and what to beware of, then the plots, then every
//! figure.
//! Trusts: the comparison's texts, which it escapes and shows as they are.
//! Never does: format a figure.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::plot::{self, Bar, Line};
use crate::result::comparison::{Comparison, MetricRows, Row};
use crate::result::metrics::{CPU, CPU_COLLECTOR, CPU_PROGRAM, THROUGHPUT};
use crate::statistics::Spread;

const STYLE: &str = include_str!("page.css");

/// Colors that the style has.
const COLORS: usize = 8;

/// The page.
pub(super) fn page(comparison: &Comparison) -> String {
    let mut page = String::new();
    let mut put = |text: &str| put(&mut page, text);
    put("<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>");
    put("<meta name='viewport' content='width=device-width, initial-scale=1'>");
    put(&format!("<title>What gopatch costs</title>\n<style>\n{STYLE}</style>\n</head>\n<body>"));
    put("<h1>What does it cost?</h1>");
    put(&format!("<p>{}</p>", escaped(&comparison.patched)));
    put(&format!("<p class='soft'>{}</p>", escaped(&comparison.machine.line())));
    put(&verdict(comparison));
    if !comparison.warnings.is_empty() {
        let items = comparison.warnings.iter().map(|warning| format!("<li>{}</li>", escaped(warning)));
        put(&format!("<ul class='warnings'>{}</ul>", items.collect::<String>()));
    }
    put(&gates(comparison));
    put(&plots(comparison));
    put(&figures(comparison));
    put(&totals(comparison));
    put(&method(comparison));
    put("</body>\n</html>");
    page
}

/// Text as it may stand in HTML, also in an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn put(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a String takes everything");
}

fn verdict(comparison: &Comparison) -> String {
    let failed = comparison.gates.iter().filter(|gate| gate.exceeded || gate.unknown).count();
    let (class, text) = match (comparison.passed, failed) {
        (true, 0) if comparison.gates.is_empty() => return String::new(),
        (true, 0) => ("passed", "No limit was exceeded.".to_owned()),
        (_, 0) => ("failed", "Requests failed.".to_owned()),
        (_, failed) => ("failed", format!("{failed} of {} limits did not hold.", comparison.gates.len())),
    };
    format!("<p id='verdict' class='verdict {class}'>{text}</p>")
}

fn gates(comparison: &Comparison) -> String {
    if comparison.gates.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for gate in &comparison.gates {
        let class = if gate.exceeded || gate.unknown { "exceeded" } else { "" };
        let cells = [&gate.limit, &gate.variant, &gate.measured].map(|text| format!("<td>{}</td>", escaped(text)));
        put(&mut rows, &format!("<tr>{}<td class='{class}'>{}</td></tr>", cells.concat(), escaped(gate.verdict)));
    }
    table("gates", &["limit", "variant", "measured", ""], 4, &format!("<tbody>\n{rows}</tbody>"))
}

fn plots(comparison: &Comparison) -> String {
    let mut out = String::new();
    if let Some(metric) = comparison.metric(THROUGHPUT) {
        let bars = bars(metric, "throughput", |row| bar(comparison, row, vec![row.spread?.median]));
        out += &figure("Throughput", "requests/s; more is better; whiskers are quartiles over the rounds", &bars);
    }
    if let (Some(metric), Some(program)) = (comparison.metric(CPU), comparison.metric(CPU_PROGRAM)) {
        let collector = comparison.metric(CPU_COLLECTOR);
        let bars = bars(metric, "cpu", |row| {
            let median = |metric: &MetricRows| Some(metric.row(&row.variant)?.spread?.median);
            let mut parts = vec![median(program)?];
            parts.extend(collector.and_then(median));
            bar(comparison, row, parts)
        });
        let what = "µs of processor time, by the kernel's accounts; less is better; solid: the program, pale: the \
                    collector; whiskers are quartiles of both together";
        out += &figure("CPU a request", what, &bars);
    }
    let lines = comparison.variants.iter().enumerate().map(|(index, variant)| Line {
        name: &variant.name,
        color: index % COLORS,
        points: distribution(comparison, &variant.name),
    });
    let lines: Vec<_> = lines.collect();
    if lines.iter().any(|line| !line.points.is_empty()) {
        let legend = lines.iter().map(|line| {
            let color = line.color;
            let key = format!("<svg viewBox='0 0 26 12'><polyline class='line c{color}' points='0,6 26,6'/></svg>");
            format!("<li>{key}{}</li>", escaped(line.name))
        });
        let legend = format!("<ul class='legend'>{}</ul>", legend.collect::<String>());
        let plot = plot::lines("latency", "latency by percentile", &lines);
        let what = "each point is the median over the rounds of that percentile; lower is better";
        out += &figure("Latency", what, &(legend + &plot));
    }
    out
}

fn bars(metric: &MetricRows, id: &str, bar: impl for<'a> Fn(&'a Row) -> Option<Bar<'a>>) -> String {
    let bars: Vec<_> = metric.rows.iter().filter_map(bar).collect();
    plot::bars(id, metric.title, &bars)
}

fn bar<'a>(comparison: &Comparison, row: &'a Row, parts: Vec<f64>) -> Option<Bar<'a>> {
    let spread = row.spread?;
    let index = comparison.variants.iter().position(|variant| variant.name == row.variant)?;
    let text = &row.text;
    let label = match (text.difference.as_str(), text.verdict.as_str()) {
        ("", _) => text.median.clone(),
        (difference, "within the noise") => format!("{}  ({difference}, within the noise)", text.median),
        (difference, _) => format!("{}  ({difference})", text.median),
    };
    Some(Bar { name: &row.variant, color: index % COLORS, parts, whisker: (spread.low, spread.high), label })
}

/// The median over a variant's rounds of each percentile that its load told.
fn distribution(comparison: &Comparison, variant: &str) -> Vec<(f64, f64)> {
    let mut by_percentile: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for run in comparison.runs.iter().filter(|run| run.variant == variant) {
        for (percentile, us) in &run.load.latency_us {
            by_percentile.entry((percentile * 1000.0).round() as u64).or_default().push(*us);
        }
    }
    let median =
        |(percentile, values): (u64, Vec<f64>)| Some((percentile as f64 / 1000.0, Spread::of(&values)?.median));
    by_percentile.into_iter().filter_map(median).collect()
}

fn figures(comparison: &Comparison) -> String {
    let mut body = String::new();
    for metric in &comparison.metrics {
        put(&mut body, &format!("<tbody class='metric'>\n<tr><th colspan='6'>{}</th></tr>", escaped(metric.title)));
        for row in &metric.rows {
            let text = &row.text;
            let numbers = [&text.median, &text.quartiles, &text.difference, &text.interval];
            let numbers = numbers.map(|text| format!("<td class='number'>{}</td>", escaped(text)));
            let class = match text.verdict.as_str() {
                "worse" => "worse",
                "better" => "better",
                _ => "noise",
            };
            let (name, verdict) = (escaped(&row.variant), escaped(&text.verdict));
            put(
                &mut body,
                &format!(
                    "<tr class='figure' data-metric='{}' data-variant='{name}'><td>{name}</td>{}<td class='{class}'>{verdict}</td></tr>",
                    metric.key,
                    numbers.concat()
                ),
            );
        }
        body += "</tbody>\n";
    }
    let head = ["", "median", "quartiles", "difference", "95 % interval", ""];
    format!("<h2>Every figure</h2>\n{}", table("figures", &head, 1, &body))
}

fn totals(comparison: &Comparison) -> String {
    let mut rows = String::new();
    for variant in &comparison.variants {
        let text = &variant.text;
        let numbers = [&text.requests, &text.errors, &text.records, &text.lost];
        let numbers = numbers.map(|text| format!("<td class='number'>{}</td>", escaped(text)));
        let (name, what) = (escaped(&variant.name), escaped(&variant.what));
        put(
            &mut rows,
            &format!("<tr class='total' data-variant='{name}'><td>{name}</td>{}<td>{what}</td></tr>", numbers.concat()),
        );
    }
    let head = ["", "requests", "failed", "records", "lost", ""];
    let body = format!("<tbody>\n{rows}</tbody>");
    format!("<h2>All rounds together</h2>\n{}", table("totals", &head, 1, &body))
}

fn method(comparison: &Comparison) -> String {
    format!(
        "<h2>How it was measured</h2>\n\
         <p>{} rounds; in each every variant ran once, {} s after a warm-up, in a process of its own and in an order that \
         changes from round to round. A difference is to the original in the same round, and is shown as the median over the \
         rounds; the interval holds that median with 95 % confidence, and where it has 0 the noise may be all of the \
         difference. With 95 % one in twenty such verdicts is wrong by chance; the original that runs twice shows how \
         large the noise is.</p>\n\
         <p>Processor time, memory and context switches are the kernel's accounts of the program and of the collector, which \
         is a process of its own. Requests and latency are what the load tells. Records are those of warm-up and window.</p>\n\
         <pre id='command'>{}</pre>",
        comparison.rounds,
        comparison.window_seconds,
        escaped(&comparison.machine.command)
    )
}

fn figure(title: &str, what: &str, plot: &str) -> String {
    format!("<h2>{}</h2>\n<figure><figcaption>{}</figcaption>\n{plot}\n</figure>\n", escaped(title), escaped(what))
}

/// A table, whose columns from `numbers` up to the last but one are numbers.
fn table(id: &str, head: &[&str], numbers: usize, body: &str) -> String {
    let cell = |(index, name): (usize, &&str)| {
        let class = if index >= numbers && index + 1 < head.len() { " class='number'" } else { "" };
        format!("<th{class}>{}</th>", escaped(name))
    };
    let head: String = head.iter().enumerate().map(cell).collect();
    format!("<div class='scroll'><table id='{id}'>\n<thead><tr>{head}</tr></thead>\n{body}</table></div>")
}
