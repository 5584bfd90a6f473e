//! Contexts are read and written only while a gopatchd runs that says so.

use anyhow::{Result, ensure};
use gopatch_tests::chain::{Programs, Protocol, Received, Requests};
use gopatch_tests::{NEWEST_GO, Scratch, gopatch};

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
