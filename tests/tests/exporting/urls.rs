//! The URL of a client's span is the one that it requested; what a server does not know is not in
//! its span.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::otelcol::{Options, Otelcol, Span};
use gopatch_tests::{Gopatchd, NEWEST_GO, Process, Scratch, gopatch, programs};

/// Kinds of spans, as OTLP numbers them.
const SERVER: u32 = 2;
const CLIENT: u32 = 3;

#[test]
fn urls_are_those_requested_and_nothing_unknown_is_exported() -> Result<()> {
    for go in ["1.21.13", NEWEST_GO] {
        for flags in [&[][..], &["-ldflags=-s -w"]] {
            check(go, flags).with_context(|| format!("Go {go}, {flags:?}"))?;
        }
    }
    Ok(())
}

fn check(go: &str, flags: &[&str]) -> Result<()> {
    let scratch = Scratch::new()?;
    let patched = gopatch::patch(&programs::build(&scratch, "urls", go, flags)?, scratch.file("patched"))?;
    let mut collector = Otelcol::start(&scratch, Options::default())?;
    let settings = format!("otlp: {{ endpoint: '{}', protocol: grpc }}\n", collector.grpc());
    let gopatchd = Gopatchd::start_by(&scratch, "memfd", &settings)?;
    let mut command = Command::new(patched);
    command.arg(scratch.file("unix.sock")).env("GOPATCH_SOCKET", gopatchd.socket());
    let printed = Process::run(&mut command, scratch.path(), "urls", Duration::from_mins(1))?;
    let collected = gopatchd.stop()?;
    collected.ensure_all_seen()?;
    collector.stop()?;
    let spans = collector.received()?.spans;

    let text = |span: &Span, name: &str| span.attributes.get(name).and_then(|value| Some(value.as_str()?.to_owned()));
    let number = |span: &Span, name: &str| span.attributes.get(name).and_then(serde_json::Value::as_i64);
    let mut urls: Vec<_> = spans.iter().filter(|span| span.kind == CLIENT).map(|span| text(span, "url.full")).collect();
    let mut expected: Vec<_> = printed.lines().filter_map(|line| line.strip_prefix("url ")).map(Some).collect();
    urls.sort();
    expected.sort();
    ensure!(urls.iter().map(Option::as_deref).eq(expected.iter().copied()), "{urls:#?}\n{expected:#?}");

    let shown = format!("{spans:?}");
    for never in ["secret", "s3cret", "url.raw_path", "url.opaque", "url.force_query", "\"@\""] {
        ensure!(!shown.contains(never), "{never}: {spans:#?}");
    }
    ensure!(!collected.operations.is_empty(), "nothing is printed");
    for operation in &collected.operations {
        let shown = format!("{operation:?}");
        ensure!(!shown.contains("secret") && !shown.contains("s3cret"), "{shown}");
    }
    let values = || spans.iter().flat_map(|span| span.attributes.values());
    ensure!(values().all(|value| value.as_i64().is_none_or(|number| number >= 0) && *value != ""), "{spans:#?}");
    let served = spans.iter().filter(|span| span.kind == SERVER);
    let served: BTreeMap<_, _> = served.map(|span| (text(span, "url.path").unwrap_or_default(), span)).collect();
    let span = |path: &str| served.get(path).copied().with_context(|| format!("no request of {path}: {served:#?}"));
    for (path, absent) in [
        ("/unknown", &["http.request.body.size"][..]),
        ("/unix", &["http.request.body.size", "client.address", "client.port"]),
        ("/old", &["server.address", "server.port", "client.address", "client.port"]),
        ("/oddhost", &["server.address", "server.port"]),
        ("/hijack", &["http.response.status_code", "http.response.body.size"]),
        ("/head", &["http.response.body.size", "http.request.body.size"]),
        // Of CONNECT.
        ("", &["url.path"]),
    ] {
        let span = span(path)?;
        let found: Vec<_> = absent.iter().filter(|name| span.attributes.contains_key(**name)).collect();
        ensure!(found.is_empty(), "{path} has {found:?}: {span:#?}");
    }
    let form = printed.lines().find_map(|line| line.strip_prefix("form ")?.parse().ok());
    ensure!(number(span("/form")?, "http.request.body.size") == form, "{:#?}", span("/form")?);
    ensure!(number(span("/early")?, "http.response.status_code") == Some(200), "{:#?}", span("/early")?);
    ensure!(text(span("")?, "http.request.method").as_deref() == Some("CONNECT"), "{:#?}", span("")?);
    ensure!(text(span("/six")?, "server.address").as_deref() == Some("::1"), "{:#?}", span("/six")?);
    ensure!(text(span("/unix")?, "server.address").as_deref() == Some("server"), "{:#?}", span("/unix")?);
    let query = "sig=REDACTED&X-Amz-Signature=REDACTED&x=1";
    ensure!(text(span("/s")?, "url.query").as_deref() == Some(query), "{:#?}", span("/s")?);
    Ok(())
}
