//! Every request is one operation, and each operation is what its client sent.
//!
//! Decides in which points the two accounts of a request must agree. Trusts the client's account;
//! each request has its own path. There is no tolerance for a lost or doubled request.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::load::pair;
use crate::server::KNOCK;
use crate::{Collected, Gopatchd, Load, Operation, Scratch, Seen, Server};

/// How far two clocks may differ: gopatchd converts time stamps with pairs of clock readings that
/// it takes from time to time.
const CLOCKS: Duration = Duration::from_millis(2);

/// How long other processes may hold up a client.
const SLOW_CLIENT: Duration = Duration::from_secs(2);

/// Sends a load to a server that a new gopatchd collects from, compares the two accounts request by
/// request, and returns gopatchd's.
pub fn run(scratch: &Scratch, server: &mut Command, backend: &str, load: Load<'_>) -> Result<Collected> {
    run_beside(scratch, server, Gopatchd::start(scratch, backend, &[])?, load)
}

/// The same with a gopatchd that runs already.
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
    // A client with all its answers ends, even in the middle of the handshake of a spare
    // connection.
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

/// Whether a rule can read at the end of a request which pattern of the mux it matched.
fn has_routes(go_release: u32, proto: &str) -> bool {
    // Since Go 1.27 no path that an exit may follow leads to the request over HTTP/2.
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
    // net/http does not know the status when the handler panics or takes over the connection.
    ensure!(status == (!operation.unwound && !hijacked).then_some(seen.status), "the status");

    let is_routed = routes && !operation.unwound && seen.handler() != "missing";
    let route = is_routed.then(|| format!("/{}/", seen.handler()));
    ensure!(operation.text("http.route") == route.as_deref(), "the route");
    let name = [Some(seen.method.as_str()), route.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    ensure!(operation.name == name, "the name");

    // Otherwise the client may have its answer before the handler returns.
    let waits = !operation.unwound && !hijacked;
    ensure!(!waits || operation.duration_nano <= seen.duration_nano, "it took longer than for the client");
    let (start, sent) = (operation.start_unix_nano, seen.start_unix_nano);
    ensure!(start + nanos(CLOCKS) >= sent, "it began before the client sent it");
    // A client that is held up between reading its two clocks seems to have its answer too early.
    ensure!(start <= sent + seen.duration_nano + nanos(SLOW_CLIENT), "it began after the client had its answer");
    Ok(())
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos() as u64
}
