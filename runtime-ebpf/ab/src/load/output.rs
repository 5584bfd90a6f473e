//! What tools print of their requests.
//!
//! Decides: which forms are read: wrk's, with and without `--latency`, and one line of JSON, which any tool can print:
//! `{"requests":N,"errors":N,"seconds":S,"latency_us":{"50":..,"90":..,"99":..,"99.9":..}}`.
//! Trusts: nothing. What cannot be read is not told.
//! Never does: compute a percentile from an average.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a load tells of one window.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Told {
    /// Requests answered, errors not among them where the load tells them apart.
    pub(crate) requests: Option<u64>,
    /// Requests that failed, or were answered with an error.
    pub(crate) errors: Option<u64>,
    /// How long it took.
    pub(crate) seconds: Option<f64>,
    /// Percentiles, ascending, and microseconds.
    pub(crate) latency_us: Vec<(f64, f64)>,
    /// The first errors, in words.
    pub(crate) messages: Vec<String>,
}

/// The line of JSON. Each part may be missing.
#[derive(Deserialize)]
struct Line {
    requests: Option<u64>,
    errors: Option<u64>,
    seconds: Option<f64>,
    #[serde(default)]
    latency_us: BTreeMap<String, f64>,
}

/// Reads a tool's output: the last line of JSON that has one of the fields, or wrk's form.
pub(super) fn read(output: &str) -> Told {
    output.lines().rev().find_map(json).unwrap_or_else(|| wrk(output))
}

fn json(line: &str) -> Option<Told> {
    let line: Line = serde_json::from_str(line.trim()).ok()?;
    if line.requests.is_none() && line.latency_us.is_empty() {
        return None;
    }
    let percentile = |(name, value): (String, f64)| Some((name.parse().ok()?, value));
    let mut latency_us: Vec<(f64, f64)> = line.latency_us.into_iter().filter_map(percentile).collect();
    latency_us.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(Told { requests: line.requests, errors: line.errors, seconds: line.seconds, latency_us, messages: Vec::new() })
}

fn wrk(output: &str) -> Told {
    let mut told = Told::default();
    let (mut answered, mut failed) = (None, 0);
    for line in output.lines() {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        match *words.as_slice() {
            [percent, latency] if percent.ends_with('%') => {
                let percent = percent.trim_end_matches('%').parse().ok();
                told.latency_us.extend(percent.zip(seconds(latency).map(|seconds| seconds * 1e6)));
            }
            [count, "requests", "in", time, ..] => {
                answered = count.parse::<u64>().ok();
                told.seconds = seconds(time.trim_end_matches(','));
            }
            ["Non-2xx", "or", "3xx", "responses:", count] => {
                let count = count.parse().unwrap_or(0);
                // wrk counts them among its requests.
                answered = answered.map(|answered| answered.saturating_sub(count));
                failed += count;
                told.messages.push(line.trim().to_owned());
            }
            ["Socket", "errors:", ..] => {
                let counts = words.iter().filter_map(|word| word.trim_end_matches(',').parse::<u64>().ok());
                failed += counts.sum::<u64>();
                told.messages.push(line.trim().to_owned());
            }
            _ => {}
        }
    }
    told.requests = answered;
    told.errors = answered.map(|_| failed);
    told
}

/// A time as wrk writes it: `179.00us`, `1.60ms`, `2.10s`, `1.02m`.
fn seconds(text: &str) -> Option<f64> {
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
    fn wrk_with_latency() {
        let told = read(&format!("{WRK}Requests/sec:  83080.11\nTransfer/sec:     10.22MB\n"));
        assert_eq!((told.requests, told.errors, told.seconds), (Some(174_458), Some(0), Some(2.1)));
        let rounded: Vec<_> =
            told.latency_us.iter().map(|(percent, us)| (*percent as u32, us.round() as u32)).collect();
        assert_eq!(rounded, [(50, 179), (75, 250), (90, 357), (99, 1600)]);
    }

    #[test]
    fn wrk_without_latency_tells_no_percentile() {
        let told = read("    Latency   250.05us  411.33us   9.61ms   95.21%\n  100 requests in 1.00s, 1.00MB read\n");
        assert_eq!(told, Told { requests: Some(100), errors: Some(0), seconds: Some(1.0), ..Told::default() });
    }

    #[test]
    fn errors_of_wrk_are_counted_once() {
        let told = read(&format!(
            "{WRK}  Socket errors: connect 1, read 3, write 0, timeout 2\n  Non-2xx or 3xx responses: 58\n"
        ));
        assert_eq!((told.requests, told.errors), (Some(174_400), Some(64)));
        assert_eq!(told.messages.len(), 2);
    }

    #[test]
    fn the_last_line_of_json_counts() {
        let told = read(
            "hello\n{\"requests\":1}\n{\"requests\":10,\"errors\":2,\"seconds\":1.5,\
             \"latency_us\":{\"99.9\":300.5,\"50\":100}}\n{\"other\":1}\n",
        );
        assert_eq!((told.requests, told.errors, told.seconds), (Some(10), Some(2), Some(1.5)));
        assert_eq!(told.latency_us, [(50.0, 100.0), (99.9, 300.5)]);
    }

    #[test]
    fn other_output_tells_nothing() {
        assert_eq!(read("all is well\n12 requests were sent\n"), Told::default());
    }
}
