//! What a load reports of its requests.
//!
//! Parses two formats: wrk's, with and without `--latency`, and one line of JSON, which any tool
//! can print:
//! `{"requests":N,"errors":N,"seconds":S,"latency_us":{"50":..,"90":..,"99":..,"99.9":..}}`.
//! What cannot be parsed is missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a load reports of one window.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct LoadReport {
    /// Requests answered, without errors if the load counts these separately.
    pub(crate) requests: Option<u64>,
    /// Requests that failed or were answered with an error.
    pub(crate) errors: Option<u64>,
    /// How long the load ran.
    pub(crate) seconds: Option<f64>,
    /// Percentiles, ascending, with their latency in microseconds.
    pub(crate) latency_us: Vec<(f64, f64)>,
    /// The first error messages.
    pub(crate) messages: Vec<String>,
}

/// The line of JSON. Each part is optional.
#[derive(Deserialize)]
struct Line {
    requests: Option<u64>,
    errors: Option<u64>,
    seconds: Option<f64>,
    #[serde(default)]
    latency_us: BTreeMap<String, f64>,
}

/// Parses a tool's output: the last line of JSON with at least one of the fields, otherwise wrk's
/// format.
pub(super) fn parse(output: &str) -> LoadReport {
    output.lines().rev().find_map(parse_json).unwrap_or_else(|| parse_wrk(output))
}

fn parse_json(line: &str) -> Option<LoadReport> {
    let Line { requests, errors, seconds, latency_us } = serde_json::from_str(line.trim()).ok()?;
    if requests.is_none() && latency_us.is_empty() {
        return None;
    }
    let percentile = |(name, value): (String, f64)| Some((name.parse().ok()?, value));
    let mut latency_us: Vec<(f64, f64)> = latency_us.into_iter().filter_map(percentile).collect();
    latency_us.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(LoadReport { requests, errors, seconds, latency_us, messages: Vec::new() })
}

fn parse_wrk(output: &str) -> LoadReport {
    let mut report = LoadReport::default();
    let (mut answered, mut failed) = (None, 0);
    for line in output.lines() {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        match *words.as_slice() {
            [percent, latency] if percent.ends_with('%') => {
                let percent = percent.trim_end_matches('%').parse().ok();
                report.latency_us.extend(percent.zip(parse_seconds(latency).map(|seconds| seconds * 1e6)));
            }
            [count, "requests", "in", time, ..] => {
                answered = count.parse::<u64>().ok();
                report.seconds = parse_seconds(time.trim_end_matches(','));
            }
            ["Non-2xx", "or", "3xx", "responses:", count] => {
                let count = count.parse().unwrap_or(0);
                // wrk includes them in its requests.
                answered = answered.map(|answered| answered.saturating_sub(count));
                failed += count;
                report.messages.push(line.trim().to_owned());
            }
            ["Socket", "errors:", ..] => {
                let counts = words.iter().filter_map(|word| word.trim_end_matches(',').parse::<u64>().ok());
                failed += counts.sum::<u64>();
                report.messages.push(line.trim().to_owned());
            }
            _ => {}
        }
    }
    report.requests = answered;
    report.errors = answered.map(|_| failed);
    report
}

/// Parses a time as wrk prints it: `179.00us`, `1.60ms`, `2.10s`, `1.02m`.
fn parse_seconds(text: &str) -> Option<f64> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let scale = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRK: &str = "\
Running 2s test @ http://127.0.0.1:8080/fast/1
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   250.05us  411.33us   9.61ms   95.21%
    Req/Sec    83.55k     5.37k   92.67k    71.43%
  Latency Distribution
     50%  179.00us
     75%  250.00us
     90%  357.00us
     99%    1.60ms
  174458 requests in 2.10s, 21.46MB read
";

    #[test]
    fn wrk_with_latency_has_percentiles() {
        let report = parse(&format!("{WRK}Requests/sec:  83080.11\nTransfer/sec:     10.22MB\n"));
        assert_eq!((report.requests, report.errors, report.seconds), (Some(174_458), Some(0), Some(2.1)));
        let rounded: Vec<_> =
            report.latency_us.iter().map(|(percent, us)| (*percent as u32, us.round() as u32)).collect();
        assert_eq!(rounded, [(50, 179), (75, 250), (90, 357), (99, 1600)]);
    }

    #[test]
    fn wrk_without_latency_has_no_percentiles() {
        let report =
            parse("    Latency   250.05us  411.33us   9.61ms   95.21%\n  100 requests in 1.00s, 1.00MB read\n");
        assert_eq!(
            report,
            LoadReport { requests: Some(100), errors: Some(0), seconds: Some(1.0), ..LoadReport::default() }
        );
    }

    #[test]
    fn wrk_errors_are_counted_once() {
        let report = parse(&format!(
            "{WRK}  Socket errors: connect 1, read 3, write 0, timeout 2\n  Non-2xx or 3xx responses: 58\n"
        ));
        assert_eq!((report.requests, report.errors), (Some(174_400), Some(64)));
        assert_eq!(report.messages.len(), 2);
    }

    #[test]
    fn the_last_json_line_with_figures_counts() {
        let report = parse(
            "hello\n{\"requests\":1}\n{\"requests\":10,\"errors\":2,\"seconds\":1.5,\
             \"latency_us\":{\"99.9\":300.5,\"50\":100}}\n{\"other\":1}\n",
        );
        assert_eq!((report.requests, report.errors, report.seconds), (Some(10), Some(2), Some(1.5)));
        assert_eq!(report.latency_us, [(50.0, 100.0), (99.9, 300.5)]);
    }

    #[test]
    fn other_output_reports_nothing() {
        assert_eq!(parse("all is well\n12 requests were sent\n"), LoadReport::default());
    }
}
