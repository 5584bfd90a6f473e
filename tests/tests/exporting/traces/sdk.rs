//! Beside OpenTelemetry's SDK: a service that has it is a part of the same trace.

use anyhow::{Context, Result};
use gopatch_tests::chain::tree::{Node, Tree};
use gopatch_tests::chain::{Programs, Protocol, Requests};
use gopatch_tests::otelcol::{Options, Otelcol};
use gopatch_tests::{Gopatchd, NEWEST_GO, Scratch, gopatch};
use xtask::corpus;

/// Not patched, in each place of the chain.
#[test]
fn a_service_with_the_sdk_is_a_part_of_the_trace() -> Result<()> {
    for place in 0..3 {
        let scratch = Scratch::new()?;
        let mut collector = Otelcol::start(&scratch, Options::default())?;
        let program = gopatch::patched(&scratch, "chain", NEWEST_GO, "default")?;
        let mut programs = Programs { unpatched: vec![place], ..Programs::all(&program) };
        programs.services[place] = corpus::build("chain-otel", NEWEST_GO, "default")?;
        programs.environment.push(("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), collector.grpc()));
        let gopatchd =
            Gopatchd::start_by(&scratch, "memfd", &format!("otlp: {{ endpoint: '{}' }}\n", collector.http()))?;
        let requests = Requests { protocol: Protocol::Http1, shapes: "direct,spawn,proxy", count: 90, in_flight: 16 };
        let mut outcome = programs.run(&scratch, gopatchd, requests)?;
        outcome.ensure_all_seen()?;
        collector.stop()?;
        let tree = Tree::new(collector.received()?.spans.iter().filter_map(Node::from_span))?;
        tree.ensure_whole(0..requests.count).with_context(|| format!("service {place} with the SDK"))?;
        for received in &outcome.received {
            tree.ensure_sent(received).with_context(|| format!("service {place} with the SDK"))?;
        }
    }
    Ok(())
}
