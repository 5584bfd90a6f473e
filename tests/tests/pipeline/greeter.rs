//! gRPC: a server and its client, both patched, over gRPC's own transport and net/http's.
//!
//! The default rules see each call with its method and status on both sides, exactly as the client
//! reports it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use gopatch_tests::real::{self, Hooked, Tally, attribute_text, tally};
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
    // With so many hooks gopatchd writes a lot, and whatever runs beside it slows it down.
    let _turn = alone();
    calls_are_seen(Hooked::Everything, "default", 80)
}

/// The server's addresses.
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
    make_calls(&scratch, &program, calls, None).context("no gopatchd")?;
    for backend in backends() {
        let gopatchd = hooked.start_gopatchd(&scratch, backend)?;
        let expected = make_calls(&scratch, &program, calls, Some(&gopatchd)).with_context(|| backend.to_owned())?;
        real::compare(&gopatchd.stop()?, &expected, line).with_context(|| backend.to_owned())?;
    }
    Ok(())
}

/// An operation as a line to compare; knocks do not count.
fn line(operation: &Operation) -> Option<String> {
    let status = match &*operation.rule {
        "grpc.server" | "grpc.client" => attribute_text(operation, "rpc.grpc.status_code"),
        "grpc.client.stream" => attribute_text(operation, "rpc.failed"),
        "http.server" => return Some(format!("http.server {}", attribute_text(operation, "url.path"))),
        "tls.handshake" => attribute_text(operation, "tls.established"),
        rule => return Some(format!("{rule}?")),
    };
    Some(format!("{} {} {status}", operation.rule, operation.name)).filter(|line| !line.contains("/Knock"))
}

/// Makes calls over each transport, and returns the expected operations.
fn make_calls(scratch: &Scratch, program: &Path, calls: usize, gopatchd: Option<&Gopatchd>) -> Result<Tally> {
    let mut server = real::start(scratch, Command::new(program).arg("serve"), "server")?;
    let ready: Ready = server.wait_for("listen", SOON, |process| {
        let text = process.stdout()?;
        let line = text.split_once('\n').map(|(line, _)| serde_json::from_str(line));
        line.transpose().with_context(|| format!("the server printed {text:?}"))
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
                real::wait_for_operation_of(gopatchd, pid).with_context(|| client.describe("was not recorded"))?;
            }
        }
        std::fs::write(&begin, "")?;
        let status = client.wait(SOON)?;
        anyhow::ensure!(status.success(), "{}", client.describe("failed"));
        for seen in client.stdout()?.lines() {
            let Seen { method, stream, code } = serde_json::from_str(seen).with_context(|| seen.to_owned())?;
            // No function is called for a method that no service has.
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
            // One at each end of the connection.
            expected
                .extend(["tls.handshake tls.handshake true".to_owned(), "tls.handshake tls.handshake true".to_owned()]);
        }
    }
    anyhow::ensure!(expected.len() > 6 * calls, "the clients reported too few calls: {}", expected.len());
    server.terminate()?;
    Ok(tally(expected))
}
