//! A comparison to test reports with: characters that HTML escapes, an exceeded limit, a warning,
//! and variants without a collector or without latencies.

use crate::limits::Judgment;
use crate::load::output::LoadReport;
use crate::measure::account::Usage;
use crate::measure::run::Run;
use crate::result::comparison::{Comparison, CountsText, MetricRows, Row, RowText, VariantCounts};
use crate::result::machine::Machine;
use crate::result::metrics::{Better, CPU, CPU_COLLECTOR, CPU_PROGRAM, METRICS, THROUGHPUT};
use crate::statistics::{Ratio, Spread};

const VARIANTS: [&str; 3] = ["original", "bpf", "<\"rival\" & 'co'>"];

pub(super) fn comparison() -> Comparison {
    let keys = [THROUGHPUT, CPU_PROGRAM, CPU_COLLECTOR, CPU];
    Comparison {
        passed: false,
        machine: Machine {
            processor: "A processor".into(),
            processors: 2,
            memory_bytes: 8 << 30,
            kernel: "6.18".into(),
            load_average: "0.10".into(),
            gopatchd: "0.1.0",
            command: "gopatchd ab ./server --url 'http://127.0.0.1:{port}/?a&b'".into(),
            date: "2026-01-02 03:04 UTC".into(),
        },
        patched: "server (go1.27.4): 5 sites, <none> & \"refused\"".into(),
        rounds: 9,
        window_seconds: 0.5,
        variants: VARIANTS.iter().enumerate().map(|(index, name)| counts(index, name)).collect(),
        left_out: Vec::new(),
        metrics: METRICS
            .iter()
            .filter(|metric| keys.contains(&metric.key))
            .map(|metric| rows(metric.key, metric.title, metric.better))
            .collect(),
        gates: vec![judgment("--max-lost 0", false), judgment("--max-cpu-overhead 2%", true)],
        warnings: vec!["bpf: 3 records were <lost>".into()],
        runs: VARIANTS.iter().enumerate().map(|(index, name)| run(index, name)).collect(),
    }
}

fn judgment(limit: &str, exceeded: bool) -> Judgment {
    let verdict = if exceeded { "EXCEEDED" } else { "held" };
    Judgment {
        limit: limit.into(),
        variant: "bpf".into(),
        measured: "+5.0 %".into(),
        exceeded,
        unknown: false,
        verdict,
    }
}

fn counts(index: usize, name: &str) -> VariantCounts {
    let text = CountsText { requests: "1,000".into(), errors: "0".into(), records: "2,000".into(), lost: "3".into() };
    let what = ["as it was built", "patched", "a < b"][index].into();
    VariantCounts {
        name: name.into(),
        what,
        patched: index == 1,
        requests: Some(1000),
        errors: Some(0),
        records: Some(2000),
        lost: Some(3),
        text,
    }
}

fn rows(key: &'static str, title: &'static str, better: Better) -> MetricRows {
    let row = |(index, name): (usize, &&str)| {
        let median = 100.0 + 10.0 * index as f64;
        let verdict = ["", "worse", "within the noise"][index];
        let difference = ["", "+10.0 %", "-1.0 %"][index];
        Row {
            variant: (*name).into(),
            spread: Some(Spread { median, low: median - 5.0, high: median + 5.0 }),
            ratio: (index > 0).then_some(Ratio { median: 1.1, low: 1.0, high: 1.2 }),
            text: RowText {
                median: format!("{median:.1}"),
                quartiles: format!("{:.1} to {:.1}", median - 5.0, median + 5.0),
                difference: difference.into(),
                interval: "-1.0 % to +1.0 %".into(),
                verdict: verdict.into(),
            },
        }
    };
    let rows = VARIANTS.iter().enumerate().filter(|(index, _)| key != CPU_COLLECTOR || *index == 1);
    MetricRows { key, title, better, rows: rows.map(row).collect() }
}

fn run(index: usize, name: &str) -> Run {
    let used =
        Usage { cpu_seconds: 0.1, voluntary_switches: 1, involuntary_switches: 2, peak_bytes: 3, anonymous_bytes: 4 };
    let latency_us = if index == 2 { Vec::new() } else { vec![(50.0, 100.0), (90.0, 250.0), (99.9, 3000.0)] };
    Run {
        variant: name.into(),
        round: 1,
        load: LoadReport {
            requests: Some(1000),
            errors: Some(0),
            seconds: Some(0.5),
            latency_us,
            messages: Vec::new(),
        },
        warm_up_requests: None,
        program: used,
        collector: (index == 1).then_some(used),
        collected: None,
    }
}
