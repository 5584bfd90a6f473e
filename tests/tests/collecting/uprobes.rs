//! `gopatchd uprobes` sees of an unpatched program what hooks see of the patched one, so a
//! comparison of the two is fair.
//!
//! `exact` compares each account with the client's; here the two accounts of a request are compared
//! with each other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::load::{FAST, HTTP, MIX};
use gopatch_tests::{Collected, Gopatch, Gopatchd, Load, NEWEST_GO, Operation, Process, Scratch, Server, Turn, alone};
use gopatch_tests::{backends, exact, gopatch, release_binary};
use serde_json::Value;
use xtask::corpus;

/// Attributes that the kernel chooses for each connection.
const CHOSEN_BY_THE_KERNEL: [&str; 2] = ["client.port", "server.port"];

/// The turn of a test that attaches probes, which see each process that runs the file, those of
/// other tests too. `None` where the kernel refuses BPF programs, which it must not in CI.
fn probing_turn() -> Option<Turn> {
    let turn = alone();
    backends().contains(&"bpf").then_some(turn)
}

#[test]
fn requests_are_recorded_as_by_hooks() -> Result<()> {
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

/// The part of a request's operation that both accounts must share: its name, whether a panic left
/// it, its attributes.
type Recorded<'s> = (&'s str, bool, BTreeMap<&'s str, &'s Value>);

/// The account of each request, by its path.
fn requests(collected: &Collected) -> BTreeMap<&str, Recorded<'_>> {
    collected
        .of_rule("http.server")
        .map(|operation| (operation.text("url.path").unwrap_or_default(), recorded(operation)))
        .collect()
}

fn recorded(operation: &Operation) -> Recorded<'_> {
    let all = operation.attributes.iter().map(|(name, value)| (name.as_str(), value));
    (&operation.name, operation.unwound, all.filter(|(name, _)| !CHOSEN_BY_THE_KERNEL.contains(name)).collect())
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
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        anyhow::Ok(collected)
    };
    let by_hooks = record(Gopatchd::start(&scratch, "memfd", &[])?, &patched)?;
    let by_uprobes = record(Gopatchd::uprobes(&scratch, &original, &rules)?, &original)?;
    ensure!(by_hooks.operations.len() == by_uprobes.operations.len(), "{}", by_uprobes.stderr);
    for (one, other) in by_hooks.operations.iter().zip(&by_uprobes.operations) {
        let mut expected = one.attributes.clone();
        // A probe cannot wait for memory that the process has not touched yet, mostly descriptions
        // of types.
        if one.rule == "types" && by_uprobes.stderr.contains("reads of unmapped memory failed") {
            expected.retain(|name, _| other.attributes.contains_key(name));
        }
        let same = (&one.name, &one.rule, &expected) == (&other.name, &other.rule, &other.attributes);
        ensure!(same, "hooks record {one:#?}\nuprobes record {other:#?}\n{}", by_uprobes.stderr);
    }
    Ok(())
}

#[test]
fn values_are_recorded_as_by_hooks() -> Result<()> {
    values_are_recorded(NEWEST_GO, "default")
}

#[test]
fn values_are_recorded_as_by_hooks_in_a_position_independent_executable() -> Result<()> {
    values_are_recorded(NEWEST_GO, "pie")
}

#[test]
fn values_are_recorded_as_by_hooks_without_dwarf() -> Result<()> {
    values_are_recorded("1.19", "stripped")
}

#[test]
fn operations_name_their_process() -> Result<()> {
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
    let collected = gopatchd.stop()?;
    collected.ensure_all_seen()?;
    ensure!(collected.summary.sessions == 2, "{:?}", collected.summary);
    for (pid, tag) in pids.into_iter().zip(["one", "two"]) {
        let mine: Vec<_> = collected.of_rule("http.server").filter(|operation| operation.pid == pid).collect();
        ensure!(mine.len() == 500, "{} requests of {tag}", mine.len());
        ensure!(mine.iter().all(|one| one.text("url.path").is_some_and(|path| path.contains(tag))), "{mine:?}");
    }
    Ok(())
}

#[test]
fn a_rule_that_selects_calls_is_refused_by_name() -> Result<()> {
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
