//! Client, A, B and C: every request is one trace, and every span has the right parent, however many
//! are in flight and however the handlers send their calls.

use anyhow::{Context, Result};
use gopatch_tests::chain::tree::{Node, Tree};
use gopatch_tests::chain::{Chain, Programs, Protocol, Requests, is_knock};
use gopatch_tests::{Gopatchd, NEWEST_GO, SOON, Scratch, alone, backends, gopatch, wait_until};

use super::lineage::{CONTEXT, GOROUTINE, ROOT, SPAWN};

/// Every version whose programs are chains.
pub(crate) const VERSIONS: [&str; 4] = ["1.21.13", "1.24.13", "1.26.11", NEWEST_GO];

/// Requests of one run of the test of a million.
const BATCH: usize = 20_000;

pub(crate) fn all_shapes() -> String {
    [CONTEXT, GOROUTINE, SPAWN, ROOT].join(",")
}

/// Sends requests along a chain of one program and checks every span, and every header.
pub(crate) fn whole(go: &str, mode: &str, backend: &str, requests: Requests<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let programs = Programs::all(&gopatch::patched(&scratch, "chain", go, mode)?);
    let mut outcome = programs.run(&scratch, Gopatchd::start(&scratch, backend, &[])?, requests)?;
    outcome.ensure_all_seen()?;
    let tree = Tree::new(outcome.collected.operations.iter().filter_map(Node::from_operation))?;
    tree.ensure_whole(0..requests.count)?;
    for received in &outcome.received {
        tree.ensure_sent(received)?;
    }
    Ok(())
}

#[test]
fn every_request_over_http1_is_one_trace() -> Result<()> {
    let shapes = all_shapes();
    let requests = Requests { protocol: Protocol::Http1, shapes: &shapes, count: 630, in_flight: 64 };
    for backend in backends() {
        whole(NEWEST_GO, "default", backend, requests).with_context(|| format!("Go {NEWEST_GO}, {backend}"))?;
    }
    whole("1.21.13", "stripped", "memfd", requests).context("Go 1.21, stripped")
}

#[test]
#[ignore = "soak: 10,000 requests for each Go version, mode and backend"]
fn ten_thousand_requests_over_http1_are_as_many_traces() -> Result<()> {
    let _turn = alone();
    let shapes = all_shapes();
    let requests = Requests { protocol: Protocol::Http1, shapes: &shapes, count: 10_000, in_flight: 64 };
    for go in VERSIONS {
        for mode in ["default", "stripped", "race"] {
            for backend in backends() {
                whole(go, mode, backend, requests).with_context(|| format!("Go {go}, {mode}, {backend}"))?;
            }
        }
    }
    Ok(())
}

#[test]
#[ignore = "soak: a million requests"]
fn a_million_requests_are_a_million_traces() -> Result<()> {
    let _turn = alone();
    let scratch = Scratch::new()?;
    let programs = Programs::all(&gopatch::patched(&scratch, "chain", NEWEST_GO, "default")?);
    let mut gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let shapes = "direct,pool,spawnbare,proxy,post,poolbare,bare,detached";
    let requests = Requests { protocol: Protocol::Http1, shapes, count: BATCH, in_flight: 64 };
    let mut chain = Chain::start(&scratch, &programs, requests, Some(&gopatchd))?;
    for batch in 0..1_000_000 / BATCH {
        chain.send(BATCH, Some(&gopatchd))?;
        let mut nodes = Vec::new();
        // Each request is three calls, and each call has two ends.
        wait_until("the spans of all requests", SOON, || {
            let operations = gopatchd.take_operations()?;
            nodes.extend(operations.iter().filter(|operation| !is_knock(operation)).filter_map(Node::from_operation));
            Ok((nodes.len() >= 6 * BATCH).then_some(()))
        })?;
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        Tree::new(nodes)?.ensure_whole(numbers).with_context(|| format!("batch {batch}"))?;
    }
    chain.end()?;
    gopatchd.stop()?.ensure_all_seen()
}
