//! The same over HTTP/2: chains, what servers that are not Go see, and frames of every size.

use anyhow::{Context, Result, ensure};
use gopatch_tests::chain::{Programs, Protocol, Requests, is_knock};
use gopatch_tests::peers::Kind;
use gopatch_tests::{Gopatchd, NEWEST_GO, Scratch, alone, backends, gopatch};

use super::chain::{VERSIONS, all_shapes, whole};
use super::peers::sees_one_traceparent;

#[test]
fn every_request_over_http2_is_one_trace() -> Result<()> {
    let shapes = all_shapes();
    let requests = Requests { protocol: Protocol::Http2, shapes: &shapes, count: 420, in_flight: 64 };
    for backend in backends() {
        whole(NEWEST_GO, "default", backend, requests).with_context(|| format!("Go {NEWEST_GO}, {backend}"))?;
    }
    // Go 1.26 has HTTP/2 in net/http, and Go 1.27 has not.
    whole("1.26.11", "default", "memfd", requests).context("Go 1.26")?;
    whole("1.21.13", "stripped", "memfd", requests).context("Go 1.21, stripped")
}

#[test]
#[ignore = "soak: 10,000 requests for each Go version, mode and backend"]
fn ten_thousand_requests_over_http2_are_as_many_traces() -> Result<()> {
    let _turn = alone();
    let shapes = all_shapes();
    let requests = Requests { protocol: Protocol::Http2, shapes: &shapes, count: 10_000, in_flight: 64 };
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
fn python_sees_one_traceparent_over_http2() -> Result<()> {
    sees_one_traceparent(Kind::PythonH2, Protocol::Http2, NEWEST_GO)?;
    sees_one_traceparent(Kind::PythonH2, Protocol::Http2, "1.21.13")
}

#[test]
fn nginx_sees_one_traceparent_over_http2() -> Result<()> {
    sees_one_traceparent(Kind::Nginx, Protocol::Http2, NEWEST_GO)
}

#[test]
fn haproxy_sees_one_traceparent_over_http2() -> Result<()> {
    sees_one_traceparent(Kind::HAProxy, Protocol::Http2, NEWEST_GO)
}

#[test]
fn nghttpd_sees_one_traceparent_over_http2() -> Result<()> {
    sees_one_traceparent(Kind::Nghttpd, Protocol::Http2, NEWEST_GO)
}

/// OBI #2300: a frame has room for the header or not, as its block grows past the largest frame.
/// Where it has none, the request is what it would be without gopatch.
#[test]
fn a_full_frame_is_left_alone() -> Result<()> {
    // A letter of the query takes 7 bits, and the largest frame 16,384 bytes.
    const COUNT: usize = 400;
    let scratch = Scratch::new()?;
    let Some(peer) = Kind::PythonH2.start(&scratch)? else { return Ok(()) };
    let programs = Programs::all(&gopatch::patched(&scratch, "chain", NEWEST_GO, "default")?);
    let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let requests = Requests { protocol: Protocol::Http2, shapes: "direct", count: COUNT, in_flight: 4 };
    programs.send_to(&scratch, &peer.url(true)?, requests, &gopatchd, &["-grow", "18450"])?;
    let mut seen = peer.stop()?;
    gopatchd.stop()?.ensure_all_seen()?;
    seen.retain(|request| request.path != "/knock");
    ensure!(seen.len() == COUNT, "{} requests", seen.len());
    let with = seen.iter().filter(|request| request.header("traceparent").count() == 1).count();
    let without = seen.iter().filter(|request| request.header("traceparent").count() == 0).count();
    ensure!(with > 0 && without > 0 && with + without == COUNT, "{with} with a header, {without} without");
    Ok(())
}

/// OBI #564: many streams a second on one connection.
#[test]
#[ignore = "soak: 100,000 streams"]
fn many_streams_have_one_header_each() -> Result<()> {
    const COUNT: usize = 100_000;
    let _turn = alone();
    let scratch = Scratch::new()?;
    let program = gopatch::patched(&scratch, "chain", NEWEST_GO, "default")?;
    let programs = Programs { services: vec![program.clone()], ..Programs::all(&program) };
    let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let requests = Requests { protocol: Protocol::Http2, shapes: "direct", count: COUNT, in_flight: 200 };
    let outcome = programs.run(&scratch, gopatchd, requests)?;
    let received = &outcome.received[0];
    ensure!(received.len() == COUNT, "{} requests", received.len());
    let is_one = |values: &Option<Vec<String>>| values.as_ref().is_some_and(|values| values.len() == 1);
    ensure!(received.iter().all(|request| is_one(&request.traceparent)));
    ensure!(outcome.collected.operations.iter().all(|operation| !is_knock(operation)));
    Ok(())
}
