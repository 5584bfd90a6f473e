//! Requests that golang.org/x/net/http2 serves or sends, by itself or through net/http, are operations
//! like those of net/http, one each, and the connections that they need are none.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatchd, Operation, Process, Scratch, backends, gopatch, programs};

/// Go's version, whether golang.org/x/net is one that leaves HTTP/2 to net/http since Go 1.27, and
/// whether the routes of requests are known that net/http does not get from a handler of its own.
const BUILDS: [(&str, bool, bool); 5] = [
    ("1.21.13", false, false), // The mux shows its pattern since Go 1.23.
    ("1.24.13", false, true),
    ("1.26.11", true, true),
    ("1.27.4", false, true),
    ("1.27.4", true, false),
];

#[test]
fn each_request_over_h2c_is_one_operation_and_no_connection_is() -> Result<()> {
    for (go, is_new, has_routes) in BUILDS {
        for strip in [None, Some("-ldflags=-s -w")] {
            let scratch = Scratch::new()?;
            let flags: Vec<_> = is_new.then_some("-modfile=new.mod").into_iter().chain(strip).collect();
            let original = programs::build(&scratch, "h2c", go, &flags)?;
            let patched = gopatch::patch(&original, scratch.file("patched"))?;
            for backend in backends() {
                let operations = collect(&patched, backend)?;
                check_servers(&operations, go, is_new, has_routes)
                    .and_then(|()| check_clients(&operations, go, is_new))
                    .with_context(|| format!("Go {go}, {flags:?}, {backend}"))?;
            }
        }
    }
    Ok(())
}

fn collect(patched: &Path, backend: &str) -> Result<Vec<Operation>> {
    let scratch = Scratch::new()?;
    let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
    let mut command = Command::new(patched);
    // As with `go 1.22` or later in go.mod, which Go 1.21 would refuse.
    command.env("GODEBUG", "httpmuxgo121=0").env("GOPATCH_SOCKET", gopatchd.socket());
    Process::run(&mut command, scratch.path(), "h2c", Duration::from_mins(1))?;
    let collected = gopatchd.stop()?;
    collected.ensure_all_seen()?;
    Ok(collected.operations)
}

fn check_servers(operations: &[Operation], go: &str, is_new: bool, has_routes: bool) -> Result<()> {
    let servers = || operations.iter().filter(|operation| operation.kind == "server");
    let mut seen = BTreeMap::new();
    for operation in servers() {
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
    let mut expected = vec![
        ("/hello/0", r#""GET" 200 http 2"#),
        ("/hello/1", r#""GET" 200 http 2"#),
        ("/hello/2", r#""GET" 200 http 2"#),
        ("/hello/3", r#""GET" 200 http 2"#),
        ("/hello/4", r#""GET" 200 http 2"#),
        ("/hello/both", r#""GET" 200 https 2"#),
        ("/hello/conn", r#""GET" 200 http 2"#),
        ("/hello/http1", r#""GET" 200 http 1.1"#),
        ("/hello/tls", r#""GET" 200 https 2"#),
        ("/hello/upgrade", r#""GET" 200 http 1.1"#),
        ("/missing", r#""GET" 404 http 2"#),
        ("/panic", r#""GET" panic http 2"#),
        ("/panic", r#""GET" panic https 2"#),
        ("/upload", r#""POST" 418 http 2"#),
    ];
    if go != "1.21.13" {
        expected.push(("/hello/native", r#""GET" 200 http 2"#));
    }
    // The old version of the module does not serve it.
    if is_new {
        expected.push(("/hello/configured", r#""GET" 200 http 2"#));
    }
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(path, shown)| (((*path).to_owned(), (*shown).to_owned()), 1)).collect();
    ensure!(seen == expected, "{seen:#?}");

    let upload = servers().find(|operation| operation.text("url.path") == Some("/upload"));
    let upload = upload.context("the upload")?;
    ensure!(upload.number("http.request.body.size") == Some(1000), "{upload:?}");
    let hello = servers().find(|operation| operation.text("url.path") == Some("/hello/0"));
    let hello = hello.context("a request")?;
    ensure!(hello.number("http.response.body.size") == Some("hello by HTTP/2.0\n".len() as u64), "{hello:?}");
    ensure!(hello.text("http.route") == has_routes.then_some("/hello/"), "{hello:?}");
    ensure!(hello.name == if has_routes { "GET /hello/" } else { "GET" }, "{hello:?}");
    Ok(())
}

fn check_clients(operations: &[Operation], go: &str, is_new: bool) -> Result<()> {
    let mut seen = BTreeMap::new();
    for operation in operations.iter().filter(|operation| operation.kind == "client") {
        let path = operation.text("url.path").context("a path")?;
        ensure!(operation.duration_nano > 0 && !operation.unfinished && !operation.unwound, "{operation:?}");
        let end = match operation.number("http.response.status_code") {
            Some(status) => format!("{status} {}", operation.text("network.protocol.version").unwrap_or_default()),
            None => "failed".to_owned(),
        };
        *seen.entry(format!("{path} {end}")).or_insert(0) += 1;
    }
    let mut expected: Vec<_> = (0..5).map(|number| (format!("/hello/{number} 200 2"), 1)).collect();
    let others = [
        ("/hello/both 200 2", 1),
        ("/hello/conn 200 2", 1),
        ("/hello/http1 200 1.1", 1),
        ("/hello/tls 200 2", 1),
        ("/missing 404 2", 1),
        ("/panic failed", 2),
        ("/upload 418 2", 1),
    ];
    expected.extend(others.map(|(request, times)| (request.to_owned(), times)));
    if go != "1.21.13" {
        expected.push(("/hello/native 200 2".to_owned(), 1));
        expected.push((format!("/hello/configured {}", if is_new { "200 2" } else { "failed" }), 1));
    }
    ensure!(seen == expected.into_iter().collect(), "{seen:#?}");
    Ok(())
}
