//! `gopatchd uprobes` sees of a program that is not patched what hooks see of the patched one: hooks are compared with a rival that does
//! the same work.
//!
//! Decides: which programs and loads; in what two accounts of one request may differ.
//! Trusts: the harness to compare each account with the client's (`exact`).
//! Never does: allow for a few.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::load::{FAST, HTTP, MIX};
use gopatch_tests::{Gopatch, Gopatchd, Load, NEWEST_GO, Operation, Process, Said, Scratch, Server, Turn, alone};
use gopatch_tests::{backends, exact, gopatch, release_binary};
use serde_json::Value;
use xtask::corpus;

/// What the kernel gives out for each connection, and each test.
const CHANCE: [&str; 2] = ["client.port", "server.port"];

/// The turn of a test that attaches probes, which see each process that runs the file, those of other tests too. `None` where
/// the kernel refuses BPF programs, which it must not in CI.
fn probing_turn() -> Option<Turn> {
    let turn = alone();
    backends().contains(&"bpf").then_some(turn)
}

#[test]
fn every_request_is_seen_as_hooks_see_it() -> Result<()> {
    let Some(_turn) = probing_turn() else { return Ok(()) };
    let scratch = Scratch::new()?;
    let original = corpus::build("httpserver", NEWEST_GO, "default")?;
    let patched = gopatch::patch(&original, scratch.file("patched"))?;
    for (mix, count) in [(FAST, 5_000), (MIX, 1_000)] {
        for (tls, proto) in HTTP {
            let load = Load { tls, proto, mix, count, in_flight: 64, tag: "u" };
            let by_hooks = exact::run(&scratch, &mut Command::new(&patched), "memfd", load)?;
            let gopatchd = Gopatchd::uprobes(&scratch, &original, &[])?;
            let by_uprobes = exact::run_beside(&scratch, &mut Command::new(&original), gopatchd, load)
                .with_context(|| format!("{load:?}"))?;
            let (hooks, uprobes) = (requests(&by_hooks), requests(&by_uprobes));
            ensure!(hooks.len() == count && uprobes.len() == count, "{} and {}", hooks.len(), uprobes.len());
            for (path, one) in &hooks {
                let other = &uprobes[path];
                ensure!(one == other, "{load:?}: hooks record {one:#?}\nuprobes record {other:#?}");
            }
        }
    }
    Ok(())
}

/// What a request's record holds, but for chance: the operation's name, whether a panic left it, its attributes.
type Recorded<'s> = (&'s str, bool, BTreeMap<&'s str, &'s Value>);

/// What was recorded of each request, by its path.
fn requests(said: &Said) -> BTreeMap<&str, Recorded<'_>> {
    said.of("http.server")
        .map(|operation| (operation.text("url.path").unwrap_or_default(), recorded(operation)))
        .collect()
}

fn recorded(operation: &Operation) -> Recorded<'_> {
    let all = operation.attributes.iter().map(|(name, value)| (name.as_str(), value));
    (&operation.name, operation.unwound, all.filter(|(name, _)| !CHANCE.contains(name)).collect())
}

/// Every kind of value that a rule can capture: corpus/captures makes the same calls each time.
fn values_are_recorded(go: &str, mode: &str) -> Result<()> {
    let Some(_turn) = probing_turn() else { return Ok(()) };
    let scratch = Scratch::new()?;
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patching/captures.yaml");
    let rules = ["--no-default-rules", "--rules", rules.to_str().context("a path in UTF-8")?];
    let original = corpus::build("captures", go, mode)?;
    let patched = scratch.file("patched");
    let done = Gopatch::run(gopatch::command(&rules)?.arg(&original).arg("-o").arg(&patched))?;
    ensure!(done.status == Some(0), "{}{}", done.stdout, done.stderr);

    let record = |gopatchd: Gopatchd, program: &PathBuf| {
        let mut program = Command::new(program);
        program.env("GOPATCH_SOCKET", gopatchd.socket());
        Process::run(&mut program, scratch.path(), "captures", Duration::from_secs(20))?;
        let said = gopatchd.stop()?;
        said.ensure_all_seen()?;
        anyhow::Ok(said)
    };
    let by_hooks = record(Gopatchd::start(&scratch, "memfd", &[])?, &patched)?;
    let by_uprobes = record(Gopatchd::uprobes(&scratch, &original, &rules)?, &original)?;
    ensure!(by_hooks.operations.len() == by_uprobes.operations.len(), "{}", by_uprobes.stderr);
    for (one, other) in by_hooks.operations.iter().zip(&by_uprobes.operations) {
        let mut expected = one.attributes.clone();
        // A probe cannot wait for memory that the process has not touched yet: descriptions of types, mostly.
        if one.rule == "types" && by_uprobes.stderr.contains("memory that was not there") {
            expected.retain(|name, _| other.attributes.contains_key(name));
        }
        let same = (&one.name, &one.rule, &expected) == (&other.name, &other.rule, &other.attributes);
        ensure!(same, "hooks record {one:#?}\nuprobes record {other:#?}\n{}", by_uprobes.stderr);
    }
    Ok(())
}

#[test]
fn values_are_as_hooks_record_them() -> Result<()> {
    values_are_recorded(NEWEST_GO, "default")
}

#[test]
fn values_are_as_hooks_record_them_in_a_position_independent_executable() -> Result<()> {
    values_are_recorded(NEWEST_GO, "pie")
}

#[test]
fn values_are_as_hooks_record_them_without_dwarf() -> Result<()> {
    values_are_recorded("1.19", "stripped")
}

#[test]
fn processes_are_told_apart() -> Result<()> {
    let Some(_turn) = probing_turn() else { return Ok(()) };
    let scratch = [Scratch::new()?, Scratch::new()?];
    let original = corpus::build("httpserver", NEWEST_GO, "default")?;
    let gopatchd = Gopatchd::uprobes(&scratch[0], &original, &[])?;
    let mut pids = Vec::new();
    let mut servers = Vec::new();
    for scratch in &scratch {
        let mut server = Server::start(scratch, &mut Command::new(&original))?;
        pids.push(server.process().pid());
        servers.push(server);
    }
    for ((scratch, server), tag) in scratch.iter().zip(servers).zip(["one", "two"]) {
        let load = Load { tls: false, proto: "h1", mix: FAST, count: 500, in_flight: 8, tag };
        load.send(scratch, &server)?;
        server.stop()?;
    }
    let said = gopatchd.stop()?;
    said.ensure_all_seen()?;
    ensure!(said.summary.sessions == 2, "{:?}", said.summary);
    for (pid, tag) in pids.into_iter().zip(["one", "two"]) {
        let mine: Vec<_> = said.of("http.server").filter(|operation| operation.pid == pid).collect();
        ensure!(mine.len() == 500, "{} requests of {tag}", mine.len());
        ensure!(mine.iter().all(|one| one.text("url.path").is_some_and(|path| path.contains(tag))), "{mine:?}");
    }
    Ok(())
}

#[test]
fn a_rule_that_chooses_calls_is_refused_by_name() -> Result<()> {
    let scratch = Scratch::new()?;
    let original = corpus::build("captures", NEWEST_GO, "default")?;
    for key in ["when: s != nil", "sample: 1/2"] {
        let rules = scratch.file("rules.yaml");
        fs::write(&rules, format!("rules: [{{ name: chosen, import: main, function: follow, {key} }}]"))?;
        let mut command = Command::new(release_binary("gopatchd")?);
        command.args(["uprobes", "--no-default-rules", "--rules"]).arg(&rules).arg(&original);
        let output = command.output()?;
        let stderr = String::from_utf8(output.stderr)?;
        let (name, _) = key.split_once(':').context("a key")?;
        ensure!(output.status.code() == Some(2) && stderr.contains(&format!("rule chosen has `{name}`")), "{stderr}");
    }
    Ok(())
}
