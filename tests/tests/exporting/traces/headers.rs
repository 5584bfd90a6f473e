//! Which `traceparent` of a request is taken as its parent: exactly those that W3C's Trace Context
//! calls valid. What is sent on with a `tracestate`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::chain::{Chain, Programs, Protocol, Requests, is_knock, settled};
use gopatch_tests::raw::{self, Manners, Raw};
use gopatch_tests::{Gopatchd, NEWEST_GO, Operation, SOON, Scratch, Server, gopatch, wait_until};

pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";
const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Header lines of requests that continue the trace, by a name for each.
fn valid() -> Vec<(&'static str, Vec<String>)> {
    let one = |value: &str| vec![format!("traceparent: {value}")];
    vec![
        ("usual", one(VALID)),
        ("name-upper", vec![format!("TRACEPARENT: {VALID}")]),
        ("name-mixed", vec![format!("TrAcEpArEnT: {VALID}")]),
        ("space-before", vec![format!("traceparent:    {VALID}")]),
        ("tab-before", vec![format!("traceparent:\t{VALID}")]),
        ("no-space", vec![format!("traceparent:{VALID}")]),
        ("space-after", one(&format!("{VALID}  \t"))),
        ("other-flags", one(&format!("00-{TRACE}-{SPAN}-ff"))),
        ("later-version", one(&format!("cc-{TRACE}-{SPAN}-01"))),
        ("last-version", one(&format!("fe-{TRACE}-{SPAN}-01"))),
        ("later-version-longer", one(&format!("cc-{TRACE}-{SPAN}-01-what-the-future-brings"))),
        ("later-version-empty-field", one(&format!("01-{TRACE}-{SPAN}-01-"))),
        ("among-others", vec!["trace-parent: x".into(), format!("traceparent: {VALID}"), "x-traceparent: y".into()]),
        ("bad-tracestate", vec![format!("traceparent: {VALID}"), "tracestate: =,=,".into()]),
    ]
}

/// Header lines of requests that begin a trace: each breaks one rule.
fn invalid() -> Vec<(&'static str, Vec<String>)> {
    let one = |value: &str| vec![format!("traceparent: {value}")];
    vec![
        ("absent", vec![]),
        ("empty", one("")),
        ("twice", vec![format!("traceparent: {VALID}"), format!("traceparent: {VALID}")]),
        ("two-in-one", one(&format!("{VALID},{VALID}"))),
        ("other-name-hyphen", vec![format!("trace-parent: {VALID}")]),
        ("other-name-dot", vec![format!("trace.parent: {VALID}")]),
        ("other-name-longer", vec![format!("traceparents: {VALID}")]),
        ("no-fields", one("00")),
        ("three-fields", one(&format!("00-{TRACE}-{SPAN}"))),
        ("cut-off", one(&VALID[..54])),
        ("version-0-longer", one(&format!("{VALID}-what-the-future-brings"))),
        ("version-0-more", one(&format!("{VALID}."))),
        ("version-0-hyphen", one(&format!("{VALID}-"))),
        ("version-ff", one(&format!("ff-{TRACE}-{SPAN}-01"))),
        ("version-upper", one(&format!("CC-{TRACE}-{SPAN}-01"))),
        ("version-no-hex", one(&format!(".0-{TRACE}-{SPAN}-01"))),
        ("version-no-hex-end", one(&format!("0.-{TRACE}-{SPAN}-01"))),
        ("version-long", one(&format!("000-{TRACE}-{SPAN}-01"))),
        ("version-short", one(&format!("0-{TRACE}-{SPAN}-01"))),
        ("later-version-no-hyphen", one(&format!("cc-{TRACE}-{SPAN}-01.what"))),
        ("later-version-short", one(&format!("cc-{TRACE}-{SPAN}-0"))),
        ("trace-zero", one(&format!("00-{}-{SPAN}-01", "0".repeat(32)))),
        ("trace-upper", one(&format!("00-{}-{SPAN}-01", TRACE.to_uppercase()))),
        ("trace-no-hex", one(&format!("00-.{}-{SPAN}-01", &TRACE[1..]))),
        ("trace-no-hex-end", one(&format!("00-{}.-{SPAN}-01", &TRACE[..31]))),
        ("trace-no-hex-g", one(&format!("00-{}g-{SPAN}-01", &TRACE[..31]))),
        ("trace-long", one(&format!("00-{TRACE}0-{SPAN}-01"))),
        ("trace-short", one(&format!("00-{}-{SPAN}-01", &TRACE[..31]))),
        ("span-zero", one(&format!("00-{TRACE}-{}-01", "0".repeat(16)))),
        ("span-upper", one(&format!("00-{TRACE}-{}-01", SPAN.to_uppercase()))),
        ("span-no-hex", one(&format!("00-{TRACE}-.{}-01", &SPAN[1..]))),
        ("span-no-hex-end", one(&format!("00-{TRACE}-{}.-01", &SPAN[..15]))),
        ("span-long", one(&format!("00-{TRACE}-{SPAN}0-01"))),
        ("span-short", one(&format!("00-{TRACE}-{}-01", &SPAN[..15]))),
        ("flags-no-hex", one(&format!("00-{TRACE}-{SPAN}-.0"))),
        ("flags-no-hex-end", one(&format!("00-{TRACE}-{SPAN}-0."))),
        ("flags-upper", one(&format!("00-{TRACE}-{SPAN}-0A"))),
        ("flags-long", one(&format!("00-{TRACE}-{SPAN}-001"))),
        ("flags-short", one(&format!("00-{TRACE}-{SPAN}-1"))),
        ("no-hyphens", one(&format!("00{TRACE}{SPAN}010000"))),
        ("underscores", one(&VALID.replace('-', "_"))),
        ("space-inside", one(&format!("00-{TRACE} {SPAN}-01"))),
        ("other-bytes", one(&format!("00-{TRACE}-{}\u{e9}-01", &SPAN[..14]))),
        ("only-tracestate", vec!["tracestate: a=b".into()]),
    ]
}

/// Sends a request with these header lines and reads its answer.
fn request(address: &str, path: &str, lines: &[String]) -> Result<String> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(SOON))?;
    let mut text = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    for line in lines {
        text += line;
        text += "\r\n";
    }
    connection.write_all((text + "\r\n").as_bytes())?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    ensure!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
    Ok(answer)
}

/// The operation of each request, by the last part of its path.
fn by_name(operations: &[Operation]) -> BTreeMap<&str, &Operation> {
    let servers = operations.iter().filter(|operation| operation.rule == "http.server" && !is_knock(operation));
    servers.filter_map(|operation| Some((operation.text("url.path")?.rsplit('/').next()?, operation))).collect()
}

fn ensure_read(operations: &[Operation]) -> Result<()> {
    let operations = by_name(operations);
    for (name, lines) in valid() {
        let operation = operations.get(name).with_context(|| format!("no operation of {name}"))?;
        let parent = (&*operation.trace_id, operation.parent_span_id.as_deref());
        ensure!(parent == (TRACE, Some(SPAN)), "{name}, {lines:?}: {operation:?}");
    }
    for (name, lines) in invalid() {
        let operation = operations.get(name).with_context(|| format!("no operation of {name}"))?;
        let is_root = operation.parent_span_id.is_none() && operation.trace_id != TRACE;
        ensure!(is_root, "{name}, {lines:?}: {operation:?}");
    }
    Ok(())
}

#[test]
fn a_valid_traceparent_continues_the_trace_and_an_invalid_one_does_not() -> Result<()> {
    for go in ["1.21.13", NEWEST_GO] {
        let scratch = Scratch::new()?;
        let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
        let server = gopatch::patched(&scratch, "httpserver", go, "default")?;
        let server = Server::start(&scratch, &mut Command::new(server))?;
        server.knock(settled(|| gopatchd.has_operation()))?;
        let url = server.url(false);
        for (name, lines) in valid().iter().chain(&invalid()) {
            request(url.trim_start_matches("http://"), &format!("/fast/{name}"), lines)?;
        }
        server.stop()?;
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        ensure_read(&collected.operations).with_context(|| format!("Go {go}"))?;
    }
    Ok(())
}

/// Sends a request with these header lines to a service that asks another one. Returns the
/// operations of a gopatchd with these settings, and the head of the request that was sent on.
pub(crate) fn forwarded(settings: &str, lines: &[&str]) -> Result<(Vec<Operation>, String)> {
    let scratch = Scratch::new()?;
    let receiver = Raw::start(Manners::USUAL)?;
    let program = gopatch::patched(&scratch, "chain", NEWEST_GO, "default")?;
    let programs = Programs { services: vec![program.clone()], next: Some(receiver.url()), ..Programs::all(&program) };
    let gopatchd = Gopatchd::start_by(&scratch, "memfd", settings)?;
    let requests = Requests { protocol: Protocol::Http1, shapes: "direct", count: 0, in_flight: 1 };
    let chain = Chain::start(&scratch, &programs, requests, Some(&gopatchd))?;
    let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
    request(chain.address().trim_start_matches("http://"), "/direct/1", &lines)?;
    let head = wait_until("the request that is sent on", SOON, || Ok(receiver.requests().pop()))?;
    chain.end()?;
    let collected = gopatchd.stop()?;
    let operations = collected.operations.into_iter().filter(|operation| !is_knock(operation));
    Ok((operations.collect(), head))
}

#[test]
fn tracestate_travels_on_unchanged() -> Result<()> {
    let state = "tracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,a/b@c=!~ x";
    let (_, head) = forwarded("", &[&format!("traceparent: {VALID}"), state])?;
    let sent: Vec<_> = raw::header(&head, "tracestate").collect();
    ensure!(sent == [state.trim_start_matches("tracestate: ")], "{head}");
    let parent: Vec<_> = raw::header(&head, "traceparent").collect();
    ensure!(parent.len() == 1 && parent[0].starts_with(&format!("00-{TRACE}-")), "{head}");
    Ok(())
}

/// Members that do not fit are left out as a whole, the last ones first.
#[test]
fn a_tracestate_that_is_too_long_loses_whole_members() -> Result<()> {
    let members: Vec<_> = (0..30).map(|number| format!("key{number}={}", "v".repeat(20 + number))).collect();
    let (_, head) = forwarded("", &[&format!("traceparent: {VALID}"), &format!("tracestate: {}", members.join(","))])?;
    let sent: Vec<_> = raw::header(&head, "tracestate").collect();
    ensure!(sent.len() == 1 && sent[0].len() <= 512 && sent[0].len() > 400, "{head}");
    let kept: Vec<_> = sent[0].split(',').map(str::to_owned).collect();
    ensure!(kept == members[..kept.len()], "{head}");
    Ok(())
}

#[test]
fn tracestate_alone_goes_nowhere() -> Result<()> {
    let (operations, head) = forwarded("", &["tracestate: a=b", "traceparent: 00-invalid"])?;
    ensure!(raw::header(&head, "tracestate").next().is_none(), "{head}");
    ensure!(raw::header(&head, "traceparent").count() == 1, "{head}");
    ensure!(operations.iter().all(|operation| operation.trace_id != TRACE), "{operations:?}");
    Ok(())
}

#[test]
fn baggage_is_left_to_the_program() -> Result<()> {
    let (_, head) = forwarded("", &[&format!("traceparent: {VALID}"), "baggage: user=1"])?;
    ensure!(raw::header(&head, "baggage").next().is_none(), "{head}");
    Ok(())
}
