//! Many processes at a time, coming and going.
//!
//! Each operation names the process that it belongs to, and gopatchd keeps nothing of processes
//! that are gone: the kernel's account of what gopatchd holds shows that.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::otelcol::{Options, Otelcol};
use gopatch_tests::{Gopatchd, NEWEST_GO, SOON, Scratch, Server, alone, backends, gopatch, wait_until};

/// Processes at a time, and how many times they come.
const AT_ONCE: usize = 200;
const TIMES: usize = 2;

/// Connections to the receiver that are opened when needed and stay: four for spans, one for
/// metrics.
const CONNECTIONS: usize = 5;

/// Requests to each.
const REQUESTS: usize = 5;

#[test]
fn operations_of_many_processes_are_kept_apart_and_nothing_stays() -> Result<()> {
    // Hundreds of processes at once would starve other tests.
    let _turn = alone();
    for backend in backends() {
        many(backend).with_context(|| format!("backend {backend}"))?;
    }
    Ok(())
}

fn many(backend: &str) -> Result<()> {
    let scratch = Scratch::new()?;
    let mut collector = Otelcol::start(&scratch, Options::default())?;
    let settings = format!("otlp: {{ endpoint: '{}' }}\ncollect: {{ ring_bytes: 65536 }}\n", collector.http());
    let mut gopatchd = Gopatchd::start_by(&scratch, backend, &settings)?;
    let program = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    let mut pids = BTreeMap::new();
    let mut held = Vec::new();
    for time in 0..TIMES {
        let mut servers = Vec::new();
        for index in 0..AT_ONCE {
            let name = format!("s-{time}-{index}");
            let folder = Scratch::new()?;
            let mut command = Command::new(&program);
            command.env("GOPATCH_SOCKET", gopatchd.socket()).env("OTEL_SERVICE_NAME", &name).env("GOMAXPROCS", "2");
            let mut server = Server::start(&folder, &mut command)?;
            ensure!(pids.insert(server.process().pid(), name.clone()).is_none(), "a pid was used again");
            servers.push((server, name, folder));
        }
        wait_until("all to be attached", SOON, || {
            let are_all = attached(&gopatchd)? == AT_ONCE;
            for (server, ..) in servers.iter().filter(|_| !are_all) {
                server.stir()?;
            }
            Ok(are_all.then_some(()))
        })?;
        for (server, name, _) in &servers {
            for request in 0..REQUESTS {
                get(&server.url(false), &format!("/fast/{name}/{request}"))?;
            }
        }
        held.push(holds(gopatchd.process().pid())?);
        for (server, ..) in servers {
            server.stop()?;
        }
        wait_until("all to be gone", SOON, || Ok((attached(&gopatchd)? == 0).then_some(())))?;
        // The heartbeat's thread releases a page at its next beat.
        let pid = gopatchd.process().pid();
        let is_empty = |held: Held| (held.rings == 0).then_some(held);
        held.push(wait_until("all rings to be gone", SOON, || Ok(is_empty(holds(pid)?)))?);
    }
    let collected = gopatchd.stop()?;
    collector.stop()?;
    collected.ensure_all_seen()?;
    ensure!(collected.summary.sessions as usize == AT_ONCE * TIMES, "{:?}", collected.summary);

    // Less is held when all are gone, and after the second time no more than after the first.
    let [with_first, after_first, with_second, after_second] = held[..] else { unreachable!("two times") };
    ensure!(with_first.files >= AT_ONCE && with_second.files >= AT_ONCE, "{held:?}");
    ensure!(after_second.files <= after_first.files && after_first.files < AT_ONCE, "files: {held:?}");
    ensure!(after_second.sockets <= after_first.sockets + CONNECTIONS, "sockets: {held:?}");
    ensure!(after_second.mappings <= after_first.mappings + 8, "mappings: {held:?}");
    ensure!(after_second.bpf_maps <= after_first.bpf_maps, "BPF maps: {held:?}");

    for operation in collected.of_rule("http.server") {
        let path = operation.text("url.path").context("a path")?;
        ensure!(path.split('/').nth(2) == pids.get(&operation.pid).map(String::as_str), "{operation:?} {pids:?}");
    }
    ensure!(collected.of_rule("http.server").count() == AT_ONCE * TIMES * REQUESTS);
    let received = collector.received()?;
    ensure!(received.spans.len() == collected.operations.len(), "{} spans", received.spans.len());
    for span in received.spans.iter().filter(|span| span.kind == 2) {
        let path = span.attributes["url.path"].as_str().context("a path")?;
        ensure!(path.split('/').nth(2) == span.resource["service.name"].as_str(), "{span:?}");
        let pid = span.resource["process.pid"].as_u64().context("a pid")?;
        ensure!(pids.get(&(pid as u32)).map(String::as_str) == span.resource["service.name"].as_str(), "{span:?}");
    }
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for metric in received.metrics_named("http.server.request.duration") {
        let gopatch_tests::otelcol::Data::Histogram { data_points, .. } = &metric.data else {
            anyhow::bail!("{metric:?}");
        };
        let name = metric.resource["service.name"].as_str().context("a name")?;
        counted.insert(name.to_owned(), data_points.iter().map(|point| point.count).sum());
    }
    ensure!(counted.len() == AT_ONCE * TIMES, "{} processes have metrics", counted.len());
    ensure!(counted.values().all(|count| *count == REQUESTS as u64), "{counted:?}");
    Ok(())
}

/// Processes that are attached according to gopatchd.
fn attached(gopatchd: &Gopatchd) -> Result<usize> {
    let status = gopatchd.status()?;
    let processes = status["processes"].as_array().context("a list")?;
    Ok(processes.iter().filter(|process| process["ended"] == false).count())
}

/// Resources that a gopatchd holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    /// Open files other than sockets.
    files: usize,
    sockets: usize,
    mappings: usize,
    /// Mapped control pages, and mapped rings other than BPF maps.
    rings: usize,
    bpf_maps: usize,
}

fn holds(pid: u32) -> Result<Held> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let files: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))?.collect::<Result<_, _>>()?;
    let targets = files.iter().filter_map(|file| Some(fs::read_link(file.path()).ok()?.display().to_string()));
    let (sockets, files): (Vec<_>, Vec<_>) = targets.partition(|target| target.starts_with("socket:"));
    Ok(Held {
        files: files.len(),
        sockets: sockets.len(),
        mappings: maps.lines().count(),
        rings: maps.lines().filter(|line| line.contains("/memfd:gopatch")).count(),
        bpf_maps: files.iter().filter(|target| target.contains("bpf-map")).count(),
    })
}

fn get(url: &str, path: &str) -> Result<()> {
    let address = url.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address)?;
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}
