//! Contexts are read and written only while a gopatchd runs that says so.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use gopatch_tests::chain::{Chain, Programs, Protocol, Received, Requests};
use gopatch_tests::{Gopatchd, NEWEST_GO, SOON, Scratch, gopatch, wait_until};

const REQUESTS: Requests<'_> =
    Requests { protocol: Protocol::Http1, shapes: "direct,spawnbare,proxy", count: 60, in_flight: 8 };

fn ensure_no_context(received: &[Received]) -> Result<()> {
    ensure!(!received.is_empty());
    for request in received {
        ensure!(request.traceparent.is_none() && request.tracestate.is_none(), "{request:?}");
    }
    Ok(())
}

#[test]
fn without_a_gopatchd_nothing_is_written() -> Result<()> {
    let scratch = Scratch::new()?;
    let programs = Programs::all(&gopatch::patched(&scratch, "chain", NEWEST_GO, "default")?);
    for received in programs.run_alone(&scratch, REQUESTS)? {
        ensure_no_context(&received)?;
    }
    Ok(())
}

/// Every process then has its own traces, as if none knew of the others.
#[test]
fn without_propagators_nothing_is_written() -> Result<()> {
    let scratch = Scratch::new()?;
    let programs = Programs::all(&gopatch::patched(&scratch, "chain", NEWEST_GO, "default")?);
    let gopatchd = Gopatchd::start_by(&scratch, "memfd", "traces: { propagators: [none] }\n")?;
    let mut outcome = programs.run(&scratch, gopatchd, REQUESTS)?;
    outcome.ensure_all_seen()?;
    for received in &outcome.received {
        ensure_no_context(received)?;
    }
    // One of the client, one each of A, B and C.
    let traces: BTreeSet<_> = outcome.collected.operations.iter().map(|operation| &operation.trace_id).collect();
    ensure!(traces.len() == 4 * REQUESTS.count, "{} traces", traces.len());
    Ok(())
}

/// A gopatchd that begins, one that ends, and one that wants no contexts.
#[test]
fn a_running_program_follows_its_gopatchd() -> Result<()> {
    let scratch = Scratch::new()?;
    let programs = Programs::all(&gopatch::patched(&scratch, "chain", NEWEST_GO, "default")?);
    let gopatchd = Gopatchd::start_named(&scratch, "first", "memfd", &[])?;
    let mut chain = Chain::start(&scratch, &programs, REQUESTS, Some(&gopatchd))?;
    chain.send(REQUESTS.count, Some(&gopatchd))?;
    gopatchd.stop()?;
    // What they send when there is none, after a while.
    let mut before = 0;
    wait_until("the services to notice that gopatchd is gone", SOON, || {
        before = chain.sent();
        chain.send(REQUESTS.count, None)?;
        let since = chain.received_since(before)?;
        Ok(since.iter().all(|request| request.traceparent.is_none()).then_some(()))
    })?;
    let off = Gopatchd::start_by(&scratch, "memfd", "traces: { propagators: [none] }\n")?;
    chain.send(REQUESTS.count, Some(&off))?;
    ensure_no_context(&chain.received_since(before)?)?;
    off.stop()?;
    let on = Gopatchd::start_named(&scratch, "last", "memfd", &[])?;
    wait_until("the services to write contexts again", SOON, || {
        let before = chain.sent();
        chain.send(REQUESTS.count, Some(&on))?;
        let since = chain.received_since(before)?;
        let with = |request: &Received| request.traceparent.as_ref().is_some_and(|values| values.len() == 1);
        Ok(since.iter().all(with).then_some(()))
    })?;
    chain.end()?;
    Ok(())
}
