//! Signals change nothing in a program whose functions are all hooked, and each record that they
//! cost is counted.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatchd, Process, SOON, Scratch, backends, gopatch, gopatchd, programs};
use rustix::process::Signal;

const GO: [&str; 3] = ["1.21.13", "1.24.13", "1.27.4"];

/// Builds: as users make them, and those in which small functions of the handler's are hooked too.
const BUILDS: [&[&str]; 3] = [&[], &["-gcflags=all=-l"], &["-gcflags=all=-N -l"]];

/// Longest run.
const PATIENCE: Duration = Duration::from_mins(5);

/// All functions, and some of the runtime's, which only a name matches.
const RULES: &str = "
rules:
- { name: everything, import: '*', function: '*', partial: true, enter: {}, exit: {} }
- { name: runtime, import: runtime, function: [newproc1, schedule, execute, gopark, goready, mallocgc, findRunnable],
    partial: true }
";

#[test]
fn go_1_21() -> Result<()> {
    signals_change_nothing(GO[0])
}

#[test]
fn go_1_24() -> Result<()> {
    signals_change_nothing(GO[1])
}

#[test]
fn go_1_27() -> Result<()> {
    signals_change_nothing(GO[2])
}

fn signals_change_nothing(go: &str) -> Result<()> {
    for flags in BUILDS {
        let scratch = Scratch::new()?;
        let original = programs::build(&scratch, "signals", go, flags)?;
        let patched = gopatch::patch_with(&scratch, &original, RULES)?;
        let run = |program| {
            let mut command = Command::new(program);
            command.arg("150").env("GOPATCH_SOCKET", gopatchd::socket(&scratch));
            Process::run(&mut command, scratch.path(), "signals", PATIENCE)
        };
        let expected = run(&original)?;
        ensure!(run(&patched)? == expected, "{flags:?}: without gopatchd the output differs");
        for backend in backends() {
            let gopatchd = Gopatchd::start_silent(&scratch, backend)?;
            let watched = run(&patched)?;
            let summary = gopatchd.stop_silent()?;
            ensure!(watched == expected, "{flags:?}: with gopatchd, {backend}, the output differs");
            ensure!(summary.sessions == 1 && summary.records > 0, "{flags:?}, {backend}: {summary:?}");
        }
    }
    Ok(())
}

/// Calls of the program, at least.
const CALLS: &str = "50000";
/// Most runs with one Go and backend.
const TRIES: usize = 10;

const HANDLER: &str = "
rules:
- { name: knock, import: main, function: knock, enter: {} }
- { name: handler, import: main, function: inHandler, enter: { n: { value: n } } }
- name: work
  import: main
  function: work
  enter: { text: { value: text }, n: { value: n } }
  exit: { result: { value: 'results[0]' }, next: { value: 'results[1]' } }
";

/// A function of which nothing in the file shows that a signal handler calls it.
#[test]
fn a_hook_in_a_signal_handler_leaves_the_interrupted_one_alone() -> Result<()> {
    for go in GO {
        // Since Go 1.23 the linker keeps the runtime's variables from other packages.
        let flags: &[&str] = if go == GO[0] { &[] } else { &["-ldflags=-checklinkname=0"] };
        for backend in backends() {
            // Whether a signal comes in the middle of a hook is a matter of luck.
            let mut runs = Vec::new();
            while runs.len() < TRIES && !runs.iter().any(|run| *run > Some(0)) {
                runs.push(handler(go, flags, backend).with_context(|| format!("Go {go}, {backend}"))?);
            }
            ensure!(
                runs.iter().any(|run| *run > Some(0)),
                "Go {go}, {backend}: no signal in the middle of a hook: {runs:?}"
            );
        }
    }
    Ok(())
}

/// Returns how many hooks in the handler found another one running; nothing if gopatchd got no
/// processor for so long that a ring was full, after which records are missing for another reason.
fn handler(go: &str, flags: &[&str], backend: &str) -> Result<Option<u64>> {
    let scratch = Scratch::new()?;
    let program = gopatch::patch_with(&scratch, &programs::build(&scratch, "handler", go, flags)?, HANDLER)?;
    let gopatchd = Gopatchd::start(&scratch, backend, &["--ring-bytes", "33554432"])?;
    let mut command = Command::new(program);
    // One P and no garbage collection, so that the thread that gets most signals nearly always has
    // a P.
    let begin = scratch.file("begin");
    command
        .arg(CALLS)
        .arg(&begin)
        .envs([("GOMAXPROCS", "1"), ("GOGC", "off")])
        .env("GOPATCH_SOCKET", gopatchd.socket());
    let mut process = Process::start(&mut command, scratch.path(), "handler")?;
    process.wait_for("attach", SOON, |_| Ok(gopatchd.has_operation()?.then_some(())))?;
    std::fs::write(begin, "")?;
    process.wait_for("begin", SOON, |it| Ok(it.stdout()?.contains("ready").then_some(())))?;
    while !process.has_ended()? {
        process.signal(Signal::USR1)?;
        std::thread::sleep(Duration::from_micros(50));
    }
    let status = process.wait(SOON)?;
    ensure!(status.success(), "{}", process.describe(&format!("ended with {status}")));
    let output = process.stdout()?;
    let counts = output.lines().find_map(|line| {
        let (made, handled) = line.strip_prefix("calls ")?.strip_suffix(" wrong 0")?.split_once(" handled ")?;
        Some((made.parse::<usize>().ok()?, handled.parse::<u64>().ok()?))
    });
    let (made, handled) = counts.with_context(|| output.clone())?;

    let collected = gopatchd.stop()?;
    let lost = &collected.summary.lost;
    ensure!(lost.total == lost.slot_busy + lost.ring_full, "{:?}\n{}", collected.summary, collected.stderr);
    if lost.ring_full > 0 {
        return Ok(None);
    }
    // Some signals reach a thread without a P, whose calls are not recorded.
    let recorded: BTreeSet<_> = collected.of_rule("handler").map(|call| call.number("n")).collect();
    ensure!(recorded.len() == collected.of_rule("handler").count(), "{recorded:?}");
    ensure!(recorded.iter().all(|n| n.is_some_and(|n| n < handled)), "{handled}: {recorded:?}");
    ensure!(recorded.len() as u64 + lost.slot_busy <= handled, "{recorded:?}, {handled}: {:?}", collected.summary);
    let is_logged = collected.stderr.contains("their hook interrupted another hook");
    ensure!(is_logged == (lost.slot_busy > 0), "{}", collected.stderr);
    let mut calls = 0;
    for call in collected.of_rule("work") {
        let (text, n) = (call.text("text").context("text")?, call.number("n").context("n")?);
        let result = if n % 3 == 0 { text.repeat(2) } else { text.to_owned() };
        ensure!(call.text("result") == Some(&result) && call.number("next") == Some(n + 1), "{call:?}");
        calls += 1;
    }
    ensure!(calls == made, "{calls} of {made} calls: {:?}", collected.summary);
    Ok(Some(lost.slot_busy))
}
