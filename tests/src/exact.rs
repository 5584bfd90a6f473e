//! Every request is one operation, and each operation is what its client sent.
//!
//! Decides: in what the two accounts of a request must agree.
//! Trusts: loadgen's account; each request has a path of its own.
//! Never does: allow for a few.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::load::pair;
use crate::server::KNOCK;
use crate::{Collected, Gopatchd, Load, Operation, Scratch, Seen, Server};

/// What two clocks may differ by: gopatchd converts time stamps to the time of day by pairs that it takes now and then.
const CLOCKS: Duration = Duration::from_millis(2);

/// How long a client may be held up by other processes.
const SLOW_CLIENT: Duration = Duration::from_secs(2);

/// Sends a load to a server with a gopatchd beside it, and compares the two accounts, request by request. Gives what
/// gopatchd said.
pub fn run(scratch: &Scratch, server: &mut Command, backend: &str, load: Load<'_>) -> Result<Collected> {
    run_beside(scratch, server, Gopatchd::start(scratch, backend, &[])?, load)
}

/// The same with a gopatchd that is there already.
pub fn run_beside(scratch: &Scratch, server: &mut Command, gopatchd: Gopatchd, load: Load<'_>) -> Result<Collected> {
    let mut server = Server::start(scratch, server)?;
    let pid = server.process().pid();
    let routes = has_routes(server.go_release()?, load.proto);
    // On a busy machine the server may begin before it has found gopatchd.
    server.knock(|| gopatchd.has_operation())?;
    let seen = load.send(scratch, &server)?;
    server.stop()?;
    let mut collected = gopatchd.stop()?;
    collected.ensure_all_seen()?;
    collected.operations.retain(|operation| operation.text("url.path") != Some(KNOCK));
    ensure!(collected.operations.iter().all(|operation| operation.pid == pid && !operation.unfinished));

    for (seen, operation) in pair(&seen, collected.of_rule("http.server"))? {
        compare(seen, operation, load, routes).with_context(|| format!("\n{seen:?}\n{operation:?}"))?;
    }
    // A client that has all its answers ends, even in the middle of a handshake for a connection too many.
    let handshakes: Vec<_> = collected.of_rule("tls.handshake").collect();
    let established = handshakes.iter().filter(|handshake| handshake.attributes["tls.established"] == true);
    ensure!(established.clone().next().is_some() == load.tls, "handshakes over {}: {handshakes:?}", load.proto);
    for handshake in established {
        let next = handshake.text("tls.next_protocol");
        ensure!(handshake.text("tls.protocol.version") == Some("1.3"), "{handshake:?}");
        ensure!(handshake.text("tls.client.server_name") == Some("localhost"), "{handshake:?}");
        ensure!(next == (load.proto == "h2").then_some("h2"), "{handshake:?}");
    }
    Ok(collected)
}

/// Whether net/http tells at the end of a request which pattern of its mux it met.
fn has_routes(go_release: u32, proto: &str) -> bool {
    // Since Go 1.27 nothing that an exit may follow leads to a request over HTTP/2.
    go_release >= 23 && !(go_release >= 27 && proto == "h2")
}

fn compare(seen: &Seen, operation: &Operation, load: Load<'_>, routes: bool) -> Result<()> {
    ensure!(operation.kind == "server");
    ensure!(operation.text("http.request.method") == Some(&seen.method), "the method");
    ensure!(operation.text("url.scheme") == Some(if load.tls { "https" } else { "http" }), "the scheme");
    let version = if load.proto == "h2" { "2" } else { "1.1" };
    ensure!(operation.text("network.protocol.version") == Some(version), "the protocol's version");
    ensure!(operation.text("client.address") == Some("127.0.0.1"), "the client's address");

    let hijacked = seen.handler() == "hijack" && load.proto == "h1";
    let status = operation.number("http.response.status_code");
    ensure!(operation.unwound == (seen.handler() == "panic"), "left by a panic");
    ensure!(operation.attributes.contains_key("http.connection.hijacked") == hijacked, "hijacked");
    // Of a handler that panics or takes the connection away, net/http does not know what it answers.
    ensure!(status == (!operation.unwound && !hijacked).then_some(seen.status), "the status");

    let is_routed = routes && !operation.unwound && seen.handler() != "missing";
    let route = is_routed.then(|| format!("/{}/", seen.handler()));
    ensure!(operation.text("http.route") == route.as_deref(), "the route");
    let name = [Some(seen.method.as_str()), route.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    ensure!(operation.name == name, "the name");

    // Where the answer does not wait for the handler, the client may have it before the handler returns.
    let waits = !operation.unwound && !hijacked;
    ensure!(!waits || operation.duration_nano <= seen.duration_nano, "it took longer than the client saw");
    let (start, sent) = (operation.start_unix_nano, seen.start_unix_nano);
    ensure!(start + nanos(CLOCKS) >= sent, "it began before the client sent it");
    // A client that is held up between its readings of its two clocks has an answer that seems too early.
    ensure!(start <= sent + seen.duration_nano + nanos(SLOW_CLIENT), "it began after the client had its answer");
    Ok(())
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos() as u64
}
