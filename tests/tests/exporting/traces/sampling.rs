//! The decision about a trace is made once, where it begins, and all services follow it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use gopatch_tests::chain::tree::{Node, Tree};
use gopatch_tests::chain::{Programs, Protocol, Requests};
use gopatch_tests::otelcol::{Data, Options, Otelcol};
use gopatch_tests::raw;
use gopatch_tests::{Gopatchd, NEWEST_GO, Scratch, gopatch};

use super::headers::{TRACE, forwarded};

/// The flags in a header `traceparent`.
fn flags(traceparent: &str) -> &str {
    &traceparent[53..]
}

#[test]
fn traces_are_kept_as_a_whole_or_not_at_all() -> Result<()> {
    const COUNT: usize = 600;
    let scratch = Scratch::new()?;
    let mut collector = Otelcol::start(&scratch, Options::default())?;
    let programs = Programs::all(&gopatch::patched(&scratch, "chain", NEWEST_GO, "default")?);
    let settings = format!(
        "otlp: {{ endpoint: '{}' }}\ntraces: {{ sampler: parentbased_traceidratio, sampler_arg: 0.25 }}\n",
        collector.http()
    );
    let gopatchd = Gopatchd::start_by(&scratch, "memfd", &settings)?;
    let requests = Requests { protocol: Protocol::Http1, shapes: "direct,spawn", count: COUNT, in_flight: 16 };
    let outcome = programs.run(&scratch, gopatchd, requests)?;
    collector.stop()?;
    let received = collector.received()?;
    let tree = Tree::new(received.spans.iter().filter_map(Node::from_span))?;
    let kept = tree.numbers();
    // 25 % of 600 is 150, with a standard deviation of 10.6.
    ensure!((97..=203).contains(&kept.len()), "{} traces of {COUNT}", kept.len());
    ensure!(tree.len() == 6 * kept.len(), "{} spans of {} traces", tree.len(), kept.len());
    tree.ensure_whole(kept.iter().copied())?;
    for request in outcome.received.iter().flatten() {
        let number = request.number().context("a number")?;
        let values = request.traceparent.as_deref().unwrap_or_default();
        let expected = if kept.contains(&number) { "01" } else { "00" };
        ensure!(values.len() == 1 && flags(&values[0]) == expected, "{request:?}, kept: {}", kept.contains(&number));
    }
    // Metrics count all of them.
    let mut counts = BTreeMap::new();
    for metric in received.metrics_named("http.server.request.duration") {
        let Data::Histogram { data_points, .. } = &metric.data else { anyhow::bail!("{metric:?}") };
        for point in data_points {
            let series = (format!("{:?}", metric.resource), format!("{:?}", point.attributes));
            counts.insert(series, point.count);
        }
    }
    // Three services, and the requests that waited for their sessions.
    ensure!(counts.values().sum::<u64>() >= 3 * COUNT as u64, "{counts:?}");
    Ok(())
}

/// `parentbased_` samplers follow the caller, also against what they would decide themselves.
#[test]
fn the_callers_decision_is_followed() -> Result<()> {
    for (sampler, sent, expected) in [
        ("parentbased_always_on", "00", "00"),
        ("parentbased_always_on", "01", "01"),
        ("parentbased_always_off", "00", "00"),
        ("parentbased_always_off", "01", "01"),
        ("always_on", "00", "01"),
        ("always_off", "01", "00"),
    ] {
        let settings = format!("traces: {{ sampler: {sampler} }}\n");
        let line = format!("traceparent: 00-{TRACE}-b7ad6b7169203331-{sent}");
        let (_, head) = forwarded(&settings, &[&line])?;
        let values: Vec<_> = raw::header(&head, "traceparent").collect();
        let is_continued = values.len() == 1 && values[0].starts_with(&format!("00-{TRACE}-"));
        ensure!(is_continued && flags(values[0]) == expected, "{sampler}, {sent}: {head}");
    }
    Ok(())
}
