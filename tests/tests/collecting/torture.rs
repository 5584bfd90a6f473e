//! Hooks change nothing and count exactly, whatever functions do to their stacks within Go.
//!
//! corpus/torture has its own counters: one at the first statement of each function, and one at
//! each of its returns.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Collected, Gopatch, Gopatchd, Process, Scratch, backends, gopatch, gopatchd};
use xtask::corpus;

/// Amount of work: enough for garbage collections, profiles and stack dumps in every function.
const SCALE: &str = "10";

/// Enough for all events of a run, so that a gopatchd that is not scheduled for a while loses
/// nothing.
const RING_BYTES: &str = "67108864";

/// Longest run.
const PATIENCE: Duration = Duration::from_mins(3);

/// Functions of corpus/torture/hot.go; methods with their receivers.
const HOT: [(Option<&str>, &str); 17] = [
    (None, "grow"),
    (None, "recurse"),
    (None, "panicsHalf"),
    (None, "relay"),
    (None, "recovers"),
    (None, "goexits"),
    (None, "deferLoop"),
    (None, "multi"),
    (None, "many"),
    (None, "stackArgs"),
    (None, "floats"),
    (None, "nothing"),
    (None, "seven"),
    (None, "isNegative"),
    (None, "exchange"),
    (None, SUM),
    (Some("*account"), "add"),
];

/// What torture calls until it may begin, so that the test sees that it is attached.
const KNOCK: &str = "main.knock";

/// The generic function. The linker has one body for all types with the shape of int.
const SUM: &str = "sum";

#[test]
fn go_1_21() -> Result<()> {
    hooks_change_nothing_and_count_exactly("1.21.13", "default")
}

#[test]
fn go_1_24() -> Result<()> {
    hooks_change_nothing_and_count_exactly("1.24.13", "default")
}

#[test]
fn go_1_27() -> Result<()> {
    hooks_change_nothing_and_count_exactly("1.27.4", "default")
}

#[test]
fn go_1_27_position_independent() -> Result<()> {
    hooks_change_nothing_and_count_exactly("1.27.4", "pie")
}

fn hooks_change_nothing_and_count_exactly(go: &str, mode: &str) -> Result<()> {
    let scratch = Scratch::new()?;
    let original = corpus::build("torture", go, mode)?;
    let patched = patch(&scratch, &original)?;
    let expected = start(&scratch, &original, None)?.end()?;
    ensure!(start(&scratch, &patched, None)?.end()? == expected, "Go {go}: without gopatchd the output differs");
    for backend in backends() {
        attached(&scratch, &patched, &expected, backend).with_context(|| format!("Go {go}, backend {backend}"))?;
    }
    Ok(())
}

fn attached(scratch: &Scratch, patched: &Path, expected: &str, backend: &str) -> Result<()> {
    let mut gopatchd = Gopatchd::start(scratch, backend, &["--ring-bytes", RING_BYTES])?;
    let watched = scratch.file(&format!("watched-by-{backend}"));
    let torture = start(scratch, patched, Some(&watched))?;
    gopatchd.wait_for_operation()?;
    fs::write(watched, "")?;
    let printed = torture.end()?;
    let collected = gopatchd.stop()?;
    ensure!(printed == expected, "the output is\n{printed}\ninstead of\n{expected}");
    collected.ensure_all_seen()?;
    for (what, of) in [("COUNT", entries as Count), ("RETURNS", exits)] {
        let (counted, mut seen) = (counters(expected, what)?, of(&collected));
        ensure!(seen.remove(KNOCK).is_some(), "{what}: no call of {KNOCK}");
        for (function, count) in &counted {
            ensure!(seen.get(function) == Some(count), "{what} {function} is {count}, gopatchd saw {seen:?}");
        }
        ensure!(seen.len() == counted.len(), "{what}: gopatchd saw more than {counted:?}: {seen:?}");
    }
    Ok(())
}

/// One rule for each function, with the function's name as the runtime prints it.
fn patch(scratch: &Scratch, original: &Path) -> Result<PathBuf> {
    let mut rules = format!("rules:\n- {{ name: {KNOCK}, import: main, function: knock, enter: {{}} }}\n");
    for (receiver, function) in HOT {
        let symbol = if function == SUM { "sum[go.shape.int]" } else { function };
        write!(rules, "- {{ name: \"{}\", import: main, function: \"{symbol}\"", printed(receiver, function))?;
        if let Some(receiver) = receiver {
            write!(rules, ", receiver: \"{receiver}\"")?;
        }
        rules += ", enter: {}, exit: {} }\n";
    }
    let (rules_path, output) = (scratch.file("rules.yaml"), scratch.file("torture"));
    fs::write(&rules_path, rules)?;
    let mut command = gopatch::command(&["--no-default-rules", "--rules"])?;
    let done = Gopatch::run(command.arg(&rules_path).arg(original).arg("-o").arg(&output))?;
    ensure!(done.status == Some(0), "gopatch: {:?}\n{}{}", done.status, done.stdout, done.stderr);
    Ok(output)
}

fn printed(receiver: Option<&str>, function: &str) -> String {
    match receiver {
        Some(receiver) => format!("main.({receiver}).{function}"),
        None if function == SUM => "main.sum[...]".to_owned(),
        None => format!("main.{function}"),
    }
}

/// A running torture.
struct Torture(Process);

/// Starts it; it begins when `after` exists.
fn start(scratch: &Scratch, program: &Path, after: Option<&Path>) -> Result<Torture> {
    let mut command = Command::new(program);
    command.args(["-scale", SCALE]).env("GOPATCH_SOCKET", gopatchd::socket(scratch));
    if let Some(after) = after {
        command.arg("-after").arg(after);
    }
    Ok(Torture(Process::start(&mut command, scratch.path(), "torture")?))
}

impl Torture {
    /// Waits for its end, which must be a success, and returns what it printed.
    fn end(mut self) -> Result<String> {
        let status = self.0.wait(PATIENCE)?;
        ensure!(status.success(), "{}", self.0.describe(&format!("ended with {status}")));
        self.0.stdout()
    }
}

type Counts = BTreeMap<String, u64>;
type Count = fn(&Collected) -> Counts;

/// What torture counted, of the functions that are hooked.
fn counters(printed_by_torture: &str, what: &str) -> Result<Counts> {
    let mut counts = Counts::new();
    for (receiver, function) in HOT {
        let name = printed(receiver, function);
        let start = format!("{what} {name} ");
        let line = printed_by_torture.lines().find_map(|line| line.strip_prefix(&start));
        counts.insert(name, line.with_context(|| format!("torture printed no {start}"))?.parse()?);
    }
    Ok(counts)
}

/// Every operation has an entry.
fn entries(collected: &Collected) -> Counts {
    let mut counts = Counts::new();
    for operation in &collected.operations {
        *counts.entry(operation.rule.clone()).or_default() += 1;
    }
    counts
}

/// Operations that ended at an exit.
fn exits(collected: &Collected) -> Counts {
    let mut counts = Counts::new();
    for operation in collected.operations.iter().filter(|operation| !operation.unwound && !operation.unfinished) {
        *counts.entry(operation.rule.clone()).or_default() += 1;
    }
    counts
}
