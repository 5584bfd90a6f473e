//! What has gone wrong in other tools that write a context into requests: each of these once gave
//! two headers, broken bytes, or another request's context.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::chain::{Chain, Programs, Protocol, Requests, is_knock, settled};
use gopatch_tests::raw::{self, Manners, Raw};
use gopatch_tests::{Collected, Gopatchd, NEWEST_GO, Operation, Process, SOON, Scratch, gopatch, programs, wait_until};

use super::lineage::CONTEXT;

const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Sends requests by a patched client to a server, and returns their heads and the client's spans.
fn sent(manners: Manners, go: &str, count: usize, options: &[&str]) -> Result<(Vec<String>, Collected)> {
    let scratch = Scratch::new()?;
    let receiver = Raw::start(manners)?;
    let program = gopatch::patched(&scratch, "chain", go, "default")?;
    let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let requests = Requests { protocol: Protocol::Http1, shapes: "direct", count, in_flight: 1 };
    Programs::all(&program).send_to(&scratch, &receiver.url(), requests, &gopatchd, options)?;
    let mut collected = gopatchd.stop()?;
    collected.ensure_all_seen()?;
    collected.operations.retain(|operation| !is_knock(operation));
    let mut heads = receiver.requests();
    heads.retain(|head| raw::path(head) != "/knock");
    Ok((heads, collected))
}

/// Runs `tests/programs/sender` in one of its modes, with requests to a server.
fn sender(mode: &str, manners: Manners) -> Result<(Vec<String>, Collected)> {
    let scratch = Scratch::new()?;
    let receiver = Raw::start(manners)?;
    let program = programs::build(&scratch, "sender", NEWEST_GO, &[])?;
    let program = gopatch::patch(&program, scratch.file("patched"))?;
    let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let begin = scratch.file("begin");
    let mut command = Command::new(program);
    command.arg(mode).arg(receiver.url()).arg(&begin).env("GOPATCH_SOCKET", gopatchd.socket());
    let mut process = Process::start(&mut command, scratch.path(), "sender")?;
    let pid = process.pid();
    let mut heard = settled(|| gopatchd.has_operation_of(pid));
    process.wait_for("have a session", SOON, |_| Ok(heard()?.then_some(())))?;
    drop(heard);
    std::fs::write(begin, "")?;
    let status = process.wait(Duration::from_mins(1))?;
    ensure!(status.success(), "{}", process.describe(&format!("ended with {status}")));
    let mut collected = gopatchd.stop()?;
    collected.operations.retain(|operation| !is_knock(operation));
    let mut heads = receiver.requests();
    heads.retain(|head| raw::path(head) != "/knock");
    Ok((heads, collected))
}

/// The client's spans by the path of their request.
fn by_path(collected: &Collected) -> BTreeMap<&str, &Operation> {
    let spans = collected.of_rule("http.client");
    spans.filter_map(|operation| Some((operation.text("url.path")?, operation))).collect()
}

/// The header of a client's span.
fn traceparent(span: &Operation) -> String {
    format!("00-{}-{}-01", span.trace_id, span.span_id)
}

/// Fails unless a request's head is intact: a first line, then a name and a value in each line.
fn ensure_intact(head: &str) -> Result<()> {
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    ensure!(first.starts_with("GET /") && first.ends_with(" HTTP/1.1"), "{head:?}");
    for line in lines {
        let (name, value) = line.split_once(": ").with_context(|| format!("{head:?}"))?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        ensure!(is_name && !name.is_empty() && value.bytes().all(|byte| (32..127).contains(&byte)), "{head:?}");
    }
    Ok(())
}

/// OBI #2732: a header that the program sets itself stays, and is the only one.
#[test]
fn a_programs_own_traceparent_stays() -> Result<()> {
    for name in ["Traceparent", "traceparent"] {
        let (heads, _) = sent(Manners::USUAL, NEWEST_GO, 20, &["-header", &format!("{name}: {GIVEN}")])?;
        ensure!(heads.len() == 20, "{heads:?}");
        for head in heads {
            ensure!(raw::header(&head, "traceparent").eq([GIVEN]), "{head}");
        }
    }
    Ok(())
}

/// OBI #2300: the transport's buffer has room for the header or not, whatever is before it. Where it
/// has none, the request is what it would be without gopatch.
#[test]
fn a_full_buffer_is_left_alone() -> Result<()> {
    // The buffer has 4,096 bytes, so this meets each filling once.
    const COUNT: usize = 4_100;
    for go in ["1.21.13", NEWEST_GO] {
        let (heads, collected) = sent(Manners::USUAL, go, COUNT, &["-grow", "0"])?;
        ensure!(heads.len() == COUNT, "{} requests", heads.len());
        let spans = by_path(&collected);
        let mut without = 0;
        for head in &heads {
            ensure_intact(head)?;
            let path = raw::path(head).split('?').next().unwrap_or_default();
            let span = spans.get(path).with_context(|| format!("no span: {head}"))?;
            let values: Vec<_> = raw::header(head, "traceparent").collect();
            if values.is_empty() {
                without += 1;
            } else {
                ensure!(values == [traceparent(span)], "{head}\n{span:?}");
            }
        }
        // It takes 70 bytes.
        ensure!((1..=70).contains(&without), "Go {go}: {without} of {COUNT} requests have no header");
    }
    Ok(())
}

/// OBI #2592: a request that is sent again, because its connection was dead, has one header each
/// time.
#[test]
fn a_request_that_is_sent_again_has_one_header_each_time() -> Result<()> {
    let manners = Manners { answers: 2, ..Manners::USUAL };
    let (heads, collected) = sent(manners, NEWEST_GO, 60, &[])?;
    ensure!(heads.len() > 60, "nothing was sent again: {} requests", heads.len());
    let spans = by_path(&collected);
    for head in &heads {
        ensure_intact(head)?;
        let span = spans.get(raw::path(head)).with_context(|| format!("no span: {head}"))?;
        let values: Vec<_> = raw::header(head, "traceparent").collect();
        ensure!(values.len() == 1 && values[0].starts_with(&format!("00-{}-", span.trace_id)), "{head}\n{span:?}");
    }
    ensure!(spans.len() == 60, "{} spans", spans.len());
    Ok(())
}

/// Two requests that share their map of headers: none has the other's context.
#[test]
fn requests_that_share_a_header_map_have_no_context_of_each_other() -> Result<()> {
    let (heads, collected) = sender("shared", Manners { delay: Duration::from_millis(10), ..Manners::USUAL })?;
    let spans = by_path(&collected);
    ensure!(heads.len() == 80 && spans.len() == 80, "{} requests, {} spans", heads.len(), spans.len());
    for head in &heads {
        ensure_intact(head)?;
        let span = spans[raw::path(head)];
        let values: Vec<_> = raw::header(head, "traceparent").collect();
        ensure!(values.is_empty() || values == [traceparent(span)], "{head}\n{span:?}");
    }
    Ok(())
}

/// A request that is sent again by the program has a span, and a header, each time.
#[test]
fn a_request_that_is_used_again_has_its_own_header_each_time() -> Result<()> {
    let (heads, collected) = sender("reused", Manners::USUAL)?;
    let spans = by_path(&collected);
    ensure!(heads.len() == 40 && spans.len() == 40, "{} requests, {} spans", heads.len(), spans.len());
    for head in &heads {
        let span = spans[raw::path(head)];
        ensure!(raw::header(head, "traceparent").eq([&*traceparent(span)]), "{head}\n{span:?}");
    }
    Ok(())
}

/// A log of a request's headers, written while the transport sends them, does not get the header.
#[test]
fn a_log_of_headers_is_left_alone() -> Result<()> {
    let (heads, collected) = sender("traced", Manners::USUAL)?;
    let spans = by_path(&collected);
    ensure!(heads.len() == 40, "{} requests", heads.len());
    for head in &heads {
        let span = spans[raw::path(head)];
        ensure!(raw::header(head, "traceparent").eq([&*traceparent(span)]), "{head}\n{span:?}");
    }
    Ok(())
}

/// OBI #2706: headers that the program writes itself, requests and answers among them, are left alone.
#[test]
fn headers_that_no_transport_writes_are_left_alone() -> Result<()> {
    let scratch = Scratch::new()?;
    let program = programs::build(&scratch, "sender", NEWEST_GO, &[])?;
    let program = gopatch::patch(&program, scratch.file("patched"))?;
    let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let mut command = Command::new(program);
    command.arg("written").env("GOPATCH_SOCKET", gopatchd.socket());
    Process::run(&mut command, scratch.path(), "sender", SOON)?;
    let collected = gopatchd.stop()?;
    ensure!(collected.of_rule("http.server").count() > 0, "{}", collected.stderr);
    Ok(())
}

/// A reverse proxy copies the headers of the request that it serves: what it sends has its own span
/// as the parent, not its caller's, and each header once.
#[test]
fn a_reverse_proxy_sends_its_own_span() -> Result<()> {
    let scratch = Scratch::new()?;
    let receiver = Raw::start(Manners::USUAL)?;
    let program = gopatch::patched(&scratch, "chain", NEWEST_GO, "default")?;
    let programs = Programs { services: vec![program.clone()], next: Some(receiver.url()), ..Programs::all(&program) };
    let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let requests = Requests { protocol: Protocol::Http1, shapes: "proxy", count: 0, in_flight: 1 };
    let chain = Chain::start(&scratch, &programs, requests, Some(&gopatchd))?;
    let mut connection = TcpStream::connect(chain.address().trim_start_matches("http://"))?;
    let text = "GET /proxy/1 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n";
    connection.write_all(format!("{text}Traceparent: {GIVEN}\r\nTracestate: a=b\r\n\r\n").as_bytes())?;
    connection.read_to_end(&mut Vec::new())?;
    let head = wait_until("the request that is sent on", SOON, || Ok(receiver.requests().pop()))?;
    chain.end()?;
    let collected = gopatchd.stop()?;
    let span = by_path(&collected)["/proxy/1.0"];
    ensure!(span.trace_id == GIVEN[3..35], "{span:?}");
    ensure!(raw::header(&head, "traceparent").eq([&*traceparent(span)]), "{head}\n{span:?}");
    ensure!(raw::header(&head, "tracestate").eq(["a=b"]), "{head}");
    Ok(())
}

/// What is written is nothing that the garbage collector would miss or find broken.
#[test]
fn a_garbage_collector_that_always_runs_finds_nothing() -> Result<()> {
    checked_by("default", &[("GOGC", "1")], 110)
}

#[test]
#[ignore = "soak: builds with the race detector and the garbage collector's own checks"]
fn the_race_detector_and_the_garbage_collectors_checks_find_nothing() -> Result<()> {
    checked_by("race", &[], 2_000)?;
    checked_by("default", &[("GOGC", "1"), ("GODEBUG", "gccheckmark=1")], 2_000)
}

/// Sends requests along a chain that would end with a failure, and by a message, if anything were
/// wrong.
fn checked_by(mode: &str, environment: &[(&str, &str)], count: usize) -> Result<()> {
    let scratch = Scratch::new()?;
    let program = gopatch::patched(&scratch, "chain", NEWEST_GO, mode)?;
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let programs = Programs { environment, ..Programs::all(&program) };
    let requests = Requests { protocol: Protocol::Http1, shapes: CONTEXT, count, in_flight: 32 };
    let mut outcome = programs.run(&scratch, Gopatchd::start(&scratch, "memfd", &[])?, requests)?;
    outcome.ensure_all_seen()?;
    ensure!(
        outcome
            .received
            .iter()
            .flatten()
            .all(|request| { request.traceparent.as_ref().is_some_and(|values| values.len() == 1) })
    );
    Ok(())
}
