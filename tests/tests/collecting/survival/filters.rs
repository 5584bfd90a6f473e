//! Programs that confine themselves: once they have begun to, a patched one makes no system call
//! that the unpatched one does not make.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::{ATTACH_ENV, SOCKET_ENV};
use gopatch_tests::{Gopatch, Gopatchd, Process, SOON, Scratch, alone, gopatch, wait_until};

use super::go_build;

/// System calls of Go's runtime that a run of seconds need not show: `mmap`, `rt_sigprocmask`,
/// `rt_sigreturn`, `sched_yield`, `madvise`, `nanosleep`, `getpid`, `clone`, `sigaltstack`, `gettid`,
/// `futex`, `restart_syscall`, `exit_group`, `tgkill`.
pub(super) const RARE: [u32; 14] = [9, 14, 15, 24, 28, 35, 39, 56, 131, 186, 202, 219, 231, 234];

/// How long the server runs.
const MILLIS: &str = "11000";

const LISTEN: u32 = 50;
const NEWFSTATAT: u32 = 262;

#[test]
fn a_server_lives_under_a_filter_of_its_own_calls() -> Result<()> {
    let scratch = Scratch::new()?;
    let original = go_build(&scratch, "confined", include_str!("confined.go"))?;
    let patched = gopatch::patch(&original, scratch.file("confined.patched"))?;
    let mut calls = calls_after(&scratch, &original, &[MILLIS], Duration::from_secs(1), "unpatched")?;
    calls.extend(RARE);
    let arguments: Vec<_> = std::iter::once(MILLIS.to_owned()).chain(calls.iter().map(u32::to_string)).collect();

    let nowhere = scratch.file("nowhere.sock");
    let start = |program: &Path, name: &str, socket: &Path| {
        let mut command = Command::new(program);
        Process::start(command.args(&arguments).env(SOCKET_ENV, socket), scratch.path(), name)
    };
    // The filter is one that the unpatched program survives.
    let unpatched = start(&original, "filtered", &nowhere)?;
    let alone = start(&patched, "alone", &nowhere)?;
    let before = start(&patched, "before", &gopatch_tests::gopatchd::socket(&scratch))?;
    std::thread::sleep(Duration::from_millis(300));
    let mut gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let after = start(&patched, "after", gopatchd.socket())?;
    gopatchd.wait_for_operation()?;
    // It is killed, and another comes, when all are confined.
    std::thread::sleep(Duration::from_secs(2));
    gopatchd.kill()?;
    let gopatchd = Gopatchd::start_named(&scratch, "second", "memfd", &[])?;
    wait_until("operations of both", SOON, || {
        let both = [&before, &after].map(|program| gopatchd.has_operation_of(program.pid()));
        Ok(both.into_iter().all(|has| has.unwrap_or(false)).then_some(()))
    })?;
    for mut program in [unpatched, alone, before, after] {
        let status = program.wait(SOON)?;
        ensure!(status.success() && program.stdout()? == "served\n", "{}", program.describe(&status.to_string()));
    }
    gopatchd.stop()?;
    Ok(())
}

#[test]
fn a_program_without_gopatchd_makes_few_calls() -> Result<()> {
    unattended("9000", 6)
}

#[test]
#[ignore = "soak: takes ten minutes"]
fn a_program_without_gopatchd_makes_few_calls_in_ten_minutes() -> Result<()> {
    // After 0.5, 1, 2, 4, 8, 16, 32 and 60 seconds, and then once a minute.
    unattended("600000", 17)
}

/// Looks at the calls of a program that never meets a gopatchd.
fn unattended(millis: &str, most: usize) -> Result<()> {
    // It compares what two programs do in a time.
    let _turn = alone();
    let scratch = Scratch::new()?;
    let original = go_build(&scratch, "confined", include_str!("confined.go"))?;
    let patched = {
        let command = gopatch::command(&["--attach", "late"])?;
        patch(command, &original, &scratch)?
    };
    let from = Duration::from_secs(1);
    for mode in ["start", "late"] {
        let name = format!("patched-{mode}");
        let mut expected = calls_after(&scratch, &original, &[millis], from, &format!("original-{mode}"))?;
        expected.extend(RARE);
        let trace = trace(&scratch, &patched, &[millis], &name, mode)?;
        let calls = trace.iter().filter(|call| call.after >= from);
        let extra: Vec<_> = calls.filter(|call| !expected.contains(&call.number)).map(|call| call.number).collect();
        let allowed = if mode == "late" { most } else { 0 };
        ensure!(extra.iter().all(|number| *number == NEWFSTATAT), "{mode}: {extra:?}");
        ensure!(extra.len() <= allowed, "{mode}: {} calls more than the unpatched program", extra.len());
        ensure!(mode == "start" || !extra.is_empty(), "{mode}: it did not look for gopatchd");
    }
    Ok(())
}

fn patch(mut command: Command, original: &Path, scratch: &Scratch) -> Result<std::path::PathBuf> {
    let output = scratch.file("patched");
    let done = Gopatch::run(command.arg(original).arg("-o").arg(&output))?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    Ok(output)
}

/// One system call: its number, and how long after the program began to listen it was made.
struct Call {
    number: u32,
    after: Duration,
}

/// The numbers of the calls that a program makes later than `from` after it began to listen.
pub(super) fn calls_after(
    scratch: &Scratch,
    program: &Path,
    arguments: &[&str],
    from: Duration,
    name: &str,
) -> Result<BTreeSet<u32>> {
    let calls = trace(scratch, program, arguments, name, "start")?;
    Ok(calls.iter().filter(|call| call.after >= from).map(|call| call.number).collect())
}

fn trace(scratch: &Scratch, program: &Path, arguments: &[&str], name: &str, mode: &str) -> Result<Vec<Call>> {
    let file = scratch.file(&format!("{name}.strace"));
    let mut command = Command::new("strace");
    command.args(["-f", "-ttt", "-n", "-qq", "-o"]).arg(&file).arg(program).args(arguments);
    command.env(SOCKET_ENV, scratch.file("nowhere.sock")).env(ATTACH_ENV, mode);
    let printed = Process::run(&mut command, scratch.path(), name, SOON + Duration::from_mins(11))?;
    ensure!(printed.ends_with("served\n"), "{printed}");
    let text = fs::read_to_string(&file)?;
    let mut times = Vec::new();
    for line in text.lines() {
        // PID TIME [NUMBER] NAME(...; other lines are the ends of calls, signals and exits.
        let Some((head, tail)) = line.split_once(" [") else { continue };
        let (Some(time), Some((number, rest))) = (head.split_whitespace().nth(1), tail.split_once(']')) else {
            continue;
        };
        if rest.trim_start().starts_with("<...") {
            continue;
        }
        let time = Duration::from_secs_f64(time.parse().with_context(|| line.to_owned())?);
        let number = number.trim().parse().with_context(|| line.to_owned())?;
        times.push((number, time));
    }
    ensure!(times.len() > 100, "{text}");
    // A busy machine may need long to come that far.
    let begun = times.iter().find(|(number, _)| *number == LISTEN).context("it does not listen")?.1;
    Ok(times.into_iter().map(|(number, time)| Call { number, after: time.saturating_sub(begun) }).collect())
}
