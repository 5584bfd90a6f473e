//! gRPC: a server and its client, each patched, over gRPC's own transport and net/http's.
//!
//! Decides: which calls are made, and that the default rules see each with its method and status on both sides.
//! Trusts: the client's account of its calls.
//! Never does: allow for a few.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use gopatch_tests::real::{self, Hooked, Tally, shown, tally};
use gopatch_tests::{Gopatchd, NEWEST_GO, Operation, SOON, Scratch, alone, backends};
use serde::Deserialize;
use xtask::corpus;

#[test]
fn default_rules() -> Result<()> {
    calls_are_seen(Hooked::Default, "default", 800)
}

#[test]
fn default_rules_without_dwarf() -> Result<()> {
    calls_are_seen(Hooked::Default, "stripped", 800)
}

#[test]
fn every_function_hooked() -> Result<()> {
    // Of so many hooks gopatchd writes much; what runs beside it holds it up.
    let _turn = alone();
    calls_are_seen(Hooked::Everything, "default", 80)
}

/// Where the server listens.
#[derive(Deserialize)]
struct Ready {
    plain: String,
    tls: String,
    handler: String,
}

/// A call as the client saw it.
#[derive(Deserialize)]
struct Seen {
    method: String,
    stream: bool,
    code: u64,
}

fn calls_are_seen(hooked: Hooked, mode: &str, calls: usize) -> Result<()> {
    let scratch = Scratch::new()?;
    let program = hooked.patch(&scratch, &corpus::build("greeter", NEWEST_GO, mode)?)?;
    use_it(&scratch, &program, calls, None).context("no gopatchd")?;
    for backend in backends() {
        let gopatchd = hooked.gopatchd(&scratch, backend)?;
        let expected = use_it(&scratch, &program, calls, Some(&gopatchd)).with_context(|| backend.to_owned())?;
        real::compare(&gopatchd.stop()?, &expected, line).with_context(|| backend.to_owned())?;
    }
    Ok(())
}

/// What is expected of an operation; knocks are not counted.
fn line(operation: &Operation) -> Option<String> {
    let status = match &*operation.rule {
        "grpc.server" | "grpc.client" => shown(operation, "rpc.grpc.status_code"),
        "grpc.client.stream" => shown(operation, "rpc.failed"),
        "http.server" => return Some(format!("http.server {}", shown(operation, "url.path"))),
        "tls.handshake" => shown(operation, "tls.established"),
        rule => return Some(format!("{rule}?")),
    };
    Some(format!("{} {} {status}", operation.rule, operation.name)).filter(|line| !line.contains("/Knock"))
}

/// Makes calls over each transport, and gives what should be seen of them.
fn use_it(scratch: &Scratch, program: &Path, calls: usize, gopatchd: Option<&Gopatchd>) -> Result<Tally> {
    let mut server = real::start(scratch, Command::new(program).arg("serve"), "server")?;
    let ready: Ready = server.wait_for("listen", SOON, |process| {
        let text = process.stdout()?;
        let line = text.split_once('\n').map(|(line, _)| serde_json::from_str(line));
        line.transpose().with_context(|| format!("the server said {text:?}"))
    })?;
    let mut expected = Vec::new();
    for (name, address, tls) in
        [("plain", &ready.plain, false), ("tls", &ready.tls, true), ("handler", &ready.handler, true)]
    {
        let begin = scratch.file(&format!("{name}.begin"));
        let _ = std::fs::remove_file(&begin);
        let mut command = Command::new(program);
        command
            .args(["call", "-address", address, "-n", &calls.to_string(), "-knock", &ready.plain, "-start"])
            .arg(&begin);
        if tls {
            command.arg("-tls");
        }
        let mut client = real::start(scratch, &mut command, name)?;
        if let Some(gopatchd) = gopatchd {
            for pid in [server.pid(), client.pid()] {
                real::wait_until_heard(gopatchd, pid).with_context(|| client.told("was not seen"))?;
            }
        }
        std::fs::write(&begin, "")?;
        let status = client.wait(SOON)?;
        anyhow::ensure!(status.success(), "{}", client.told("failed"));
        for seen in client.stdout()?.lines() {
            let Seen { method, stream, code } = serde_json::from_str(seen).with_context(|| seen.to_owned())?;
            // Of a method that no service has, no function is called.
            if !method.ends_with("/Nobody") {
                expected.push(format!("grpc.server {method} {code}"));
            }
            if name == "handler" {
                expected.push(format!("http.server {method}"));
            }
            expected.push(if stream {
                format!("grpc.client.stream {method} -")
            } else {
                format!("grpc.client {method} {code}")
            });
        }
        if tls {
            // One at each end of the one connection.
            expected
                .extend(["tls.handshake tls.handshake true".to_owned(), "tls.handshake tls.handshake true".to_owned()]);
        }
    }
    anyhow::ensure!(expected.len() > 6 * calls, "the clients told of too few calls: {}", expected.len());
    server.terminate()?;
    Ok(tally(expected))
}
