//! What servers that are not Go see of a patched client: in each request one `traceparent`, that of
//! the client's span, and nothing that they complain about.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use gopatch_tests::chain::{Programs, Protocol, Requests, is_knock};
use gopatch_tests::peers::Kind;
use gopatch_tests::{Gopatchd, NEWEST_GO, Scratch, gopatch};

/// As many as nghttpd has answers for.
const COUNT: usize = 100;

pub(crate) fn sees_one_traceparent(kind: Kind, protocol: Protocol, go: &str) -> Result<()> {
    let scratch = Scratch::new()?;
    let Some(peer) = kind.start(&scratch)? else { return Ok(()) };
    let program = gopatch::patched(&scratch, "chain", go, "default")?;
    let programs = Programs { services: Vec::new(), ..Programs::all(&program) };
    let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let requests = Requests { protocol, shapes: "direct", count: COUNT, in_flight: 8 };
    programs.send_to(&scratch, &peer.url(protocol == Protocol::Http2)?, requests, &gopatchd, &[])?;
    let seen = peer.stop()?;
    let collected = gopatchd.stop()?;
    collected.ensure_all_seen()?;
    let spans: BTreeMap<_, _> = collected
        .of_rule("http.client")
        .filter(|operation| !is_knock(operation))
        .filter_map(|operation| Some((operation.text("url.path")?, operation)))
        .collect();
    // HAProxy shows the connection that waited for it, too, which had no request.
    let seen: Vec<_> = seen.iter().filter(|request| request.path.contains("/direct/")).collect();
    ensure!(seen.len() == COUNT && spans.len() == COUNT, "{} requests, {} spans", seen.len(), spans.len());
    for request in seen {
        // HAProxy shows a request over HTTP/2 with its scheme and its host.
        let path = &request.path[request.path.find("/direct/").context("a path")?..];
        let span = spans.get(path).with_context(|| format!("no span: {request:?}"))?;
        let values: Vec<_> = request.header("traceparent").collect();
        ensure!(values == [format!("00-{}-{}-01", span.trace_id, span.span_id)], "{request:?}\n{span:?}");
        ensure!(request.header("count").all(|count| count == "1"), "{request:?}");
    }
    Ok(())
}

#[test]
fn python_sees_one_traceparent_over_http1() -> Result<()> {
    sees_one_traceparent(Kind::PythonHttp, Protocol::Http1, NEWEST_GO)?;
    sees_one_traceparent(Kind::PythonHttp, Protocol::Http1, "1.21.13")
}

#[test]
fn nginx_sees_one_traceparent_over_http1() -> Result<()> {
    sees_one_traceparent(Kind::Nginx, Protocol::Http1, NEWEST_GO)
}

#[test]
fn haproxy_sees_one_traceparent_over_http1() -> Result<()> {
    sees_one_traceparent(Kind::HAProxy, Protocol::Http1, NEWEST_GO)
}
