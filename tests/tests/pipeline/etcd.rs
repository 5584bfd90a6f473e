//! etcd: one member that is used by gRPC and by HTTP, stopped, and started again with its data.
//!
//! Without TLS etcd serves gRPC with gRPC's own transport; with TLS it uses net/http, whose
//! operation then encloses the call's. There is no cluster.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::process::Process;
use gopatch_tests::real::{self, Hooked, Tally, attribute_text, tally};
use gopatch_tests::server;
use gopatch_tests::{Gopatchd, NEWEST_GO, Operation, SOON, Scratch, alone, backends};
use rustix::process::Signal;
use serde::Deserialize;
use xtask::corpus;

const KEYS: usize = 20;

#[test]
#[ignore = "soak: building etcd takes minutes"]
fn default_rules() -> Result<()> {
    requests_are_seen(Hooked::Default)
}

#[test]
#[ignore = "soak: building etcd takes minutes"]
fn every_function_hooked() -> Result<()> {
    requests_are_seen(Hooked::Everything)
}

/// A call or a request of the client that had the expected answer.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Request {
    grpc: String,
    method: String,
    path: String,
    status: u64,
}

fn requests_are_seen(hooked: Hooked) -> Result<()> {
    // A program whose functions are all hooked writes gigabytes; what runs beside it holds gopatchd
    // up.
    let _turn = alone();
    let original = corpus::build("etcd", NEWEST_GO, "default")?;
    for tls in [false, true] {
        let scratch = Scratch::new()?;
        let program = hooked.patch(&scratch, &original)?;
        let expected_requests = run_member(&Scratch::new()?, &original, &original, tls, None).context("not patched")?;
        let absent = run_member(&Scratch::new()?, &program, &original, tls, None).context("no gopatchd")?;
        ensure!(absent == expected_requests, "the patched etcd answers differently without gopatchd: {absent:?}");
        for backend in backends() {
            let scratch = Scratch::new()?;
            let gopatchd = hooked.start_gopatchd(&scratch, backend)?;
            let context = || format!("TLS {tls}, backend {backend}");
            let done = run_member(&scratch, &program, &original, tls, Some(&gopatchd)).with_context(context)?;
            ensure!(done == expected_requests, "the patched etcd answers differently: {done:?}");
            real::compare(&gopatchd.stop()?, &expected(&done, tls), line).with_context(context)?;
        }
    }
    Ok(())
}

/// The expected operations of the client's requests.
fn expected(done: &[Request], tls: bool) -> Tally {
    let mut lines = Vec::new();
    for Request { grpc, method, path, status } in done {
        if grpc.is_empty() {
            lines.push(format!("http.server {method} {path} {status}"));
        } else {
            // The client ends a watch by cancelling it.
            let code = u8::from(grpc.ends_with("/Watch"));
            lines.push(format!("grpc.server {grpc} {code}"));
            lines.extend(tls.then(|| format!("http.server POST {grpc} 200")));
        }
        // The gateway from JSON to gRPC is a client of the same server.
        if path.starts_with("/v3/") {
            let call = "/etcdserverpb.KV/Range";
            lines.extend([format!("grpc.client {call} 0"), format!("grpc.server {call} 0")]);
            lines.extend(tls.then(|| format!("http.server POST {call} 200")));
        }
    }
    tally(lines)
}

/// An operation as a line to compare. The number of handshakes depends on the client's two
/// libraries.
fn line(operation: &Operation) -> Option<String> {
    let attributes: &[&str] = match &*operation.rule {
        "http.server" => &["http.request.method", "url.path", "http.response.status_code"],
        "grpc.server" | "grpc.client" => &["rpc.method", "rpc.grpc.status_code"],
        "tls.handshake" => return None,
        _ => &[],
    };
    let mut line = operation.rule.clone();
    for attribute in attributes {
        line = format!("{line} {}", attribute_text(operation, attribute));
    }
    Some(line).filter(|line| !line.contains(server::KNOCK))
}

/// Uses a member, ends it, starts it again and checks its data; returns what was requested.
fn run_member(
    scratch: &Scratch,
    program: &Path,
    client: &Path,
    tls: bool,
    gopatchd: Option<&Gopatchd>,
) -> Result<Vec<Request>> {
    let mut done = Vec::new();
    for what in ["use", "check"] {
        let [address, plain, peers] = real::free_addresses()?;
        let url = format!("{}://{address}", if tls { "https" } else { "http" });
        let mut command = Command::new(program);
        // Knocks go to a plain-text address. With a second client address the gateway would dial
        // either.
        command.args(["--listen-client-urls", &url, "--advertise-client-urls", &url]);
        command.args(["--listen-peer-urls", &format!("http://{peers}"), "--log-level", "error"]);
        command.args(["--listen-metrics-urls", &format!("http://{plain}")]);
        command.arg(format!("--auto-tls={tls}")).arg("--data-dir").arg(scratch.file("data"));
        let mut etcd = real::start(scratch, &mut command, what)?;
        for address in [&address, &plain] {
            real::wait_for_listener(&mut etcd, address)?;
        }
        if let Some(gopatchd) = gopatchd {
            server::knock(&plain, || gopatchd.has_operation_of(etcd.pid()))?;
        }
        let mut command = Command::new(client);
        command.args([what, "-url", &url, "-n", &KEYS.to_string()]);
        let printed = Process::run(&mut command, scratch.path(), "client", SOON)
            .with_context(|| etcd.describe("served the client"))?;
        for line in printed.lines() {
            done.push(serde_json::from_str(line).with_context(|| line.to_owned())?);
        }
        etcd.signal(Signal::TERM)?;
        let status = etcd.wait(SOON)?;
        // etcd stores everything and then sends itself the signal again.
        ensure!(status.signal() == Some(Signal::TERM.as_raw()), "{}", etcd.describe(&format!("ended with {status}")));
    }
    ensure!(done.len() == 4 * KEYS + 6, "the client made {} requests", done.len());
    Ok(done)
}
