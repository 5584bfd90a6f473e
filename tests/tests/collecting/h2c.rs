//! Requests that golang.org/x/net/http2 serves by itself are operations like those of net/http, one
//! each, and the connections that they need are none.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatchd, Process, Scratch, backends, gopatch, programs};

#[test]
fn each_request_over_h2c_is_one_operation_and_no_connection_is() -> Result<()> {
    for go in ["1.21.13", "1.24.13", "1.27.4"] {
        for flags in [&[][..], &["-ldflags=-s -w"]] {
            for backend in backends() {
                check(go, flags, backend).with_context(|| format!("Go {go}, {flags:?}, {backend}"))?;
            }
        }
    }
    Ok(())
}

fn check(go: &str, flags: &[&str], backend: &str) -> Result<()> {
    let scratch = Scratch::new()?;
    let original = programs::build(&scratch, "h2c", go, flags)?;
    let patched = gopatch::patch(&original, scratch.file("patched"))?;
    let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
    let mut command = Command::new(patched);
    // As with `go 1.22` or later in go.mod, which Go 1.21 would refuse.
    command.env("GODEBUG", "httpmuxgo121=0").env("GOPATCH_SOCKET", gopatchd.socket());
    Process::run(&mut command, scratch.path(), "h2c", Duration::from_mins(1))?;
    let collected = gopatchd.stop()?;
    collected.ensure_all_seen()?;
    let mut seen = BTreeMap::new();
    for operation in collected.operations.iter().filter(|operation| operation.kind == "server") {
        let path = operation.text("url.path").context("a path")?;
        ensure!(operation.number("http.request.body.size") != Some(u64::MAX), "{operation:?}");
        ensure!(!operation.attributes.contains_key("http.connection.hijacked"), "{operation:?}");
        ensure!(operation.duration_nano > 0 && !operation.unfinished, "{operation:?}");
        let status = operation.number("http.response.status_code");
        let shown = (operation.text("url.scheme"), status, operation.unwound);
        let (scheme, status, unwound) = shown;
        let end = if unwound { "panic".to_owned() } else { status.map_or_else(String::new, |code| code.to_string()) };
        let version = operation.text("network.protocol.version").unwrap_or_default();
        let shown =
            format!("{} {end} {} {version}", operation.attributes["http.request.method"], scheme.unwrap_or("-"));
        *seen.entry((path.to_owned(), shown)).or_insert(0) += 1;
    }
    let expected = [
        ("/hello/0", r#""GET" 200 http 2"#),
        ("/hello/1", r#""GET" 200 http 2"#),
        ("/hello/2", r#""GET" 200 http 2"#),
        ("/hello/3", r#""GET" 200 http 2"#),
        ("/hello/4", r#""GET" 200 http 2"#),
        ("/hello/http1", r#""GET" 200 http 1.1"#),
        ("/hello/tls", r#""GET" 200 https 2"#),
        ("/hello/upgrade", r#""GET" 200 http 1.1"#),
        ("/missing", r#""GET" 404 http 2"#),
        ("/panic", r#""GET" panic http 2"#),
        ("/panic", r#""GET" panic https 2"#),
        ("/upload", r#""POST" 418 http 2"#),
    ];
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(path, shown)| (((*path).to_owned(), (*shown).to_owned()), 1)).collect();
    ensure!(seen == expected, "{seen:#?}");

    let upload = collected.operations.iter().find(|operation| operation.text("url.path") == Some("/upload"));
    let upload = upload.context("the upload")?;
    ensure!(upload.number("http.request.body.size") == Some(1000), "{upload:?}");
    let hello = collected.operations.iter().find(|operation| operation.text("url.path") == Some("/hello/0"));
    let hello = hello.context("a request")?;
    ensure!(hello.number("http.response.body.size") == Some("hello by HTTP/2.0\n".len() as u64), "{hello:?}");
    // The mux shows its pattern since Go 1.23.
    let routes = go != "1.21.13";
    ensure!(hello.text("http.route") == routes.then_some("/hello/"), "{hello:?}");
    ensure!(hello.name == if routes { "GET /hello/" } else { "GET" }, "{hello:?}");
    Ok(())
}
