//! A process executes another program, or its pid is used again, while gopatchd is away or stands
//! still.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::SOCKET_ENV;
use gopatch_tests::gopatchd::Operation;
use gopatch_tests::{Gopatchd, Process, SOON, alone, backends, wait_until};
use rustix::process::Signal;

use super::{BS, Programs, TICKS};

/// How many operations each rule has.
fn by_rule(operations: &[Operation]) -> BTreeMap<&str, u64> {
    let mut rules = BTreeMap::new();
    for operation in operations {
        *rules.entry(operation.rule.as_str()).or_default() += 1;
    }
    rules
}

/// The services that gopatchd knows, whether they have ended, and how many operations they have.
fn services(gopatchd: &Gopatchd) -> Result<BTreeMap<String, (bool, u64)>> {
    let status = gopatchd.status()?;
    let of = |process: &serde_json::Value| {
        let (ended, operations) = (process["ended"].as_bool()?, process["operations"].as_u64()?);
        Some((process["service"].as_str()?.to_owned(), (ended, operations)))
    };
    status["processes"].as_array().context("a list")?.iter().map(|it| of(it).context("a process")).collect()
}

fn wait_for_services(gopatchd: &Gopatchd, expected: &[(&str, bool, u64)]) -> Result<()> {
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(name, ended, count)| ((*name).to_owned(), (*ended, *count))).collect();
    let mut last = BTreeMap::new();
    let waited = wait_until("all operations of each service", SOON, || {
        last = services(gopatchd)?;
        Ok((last == expected).then_some(()))
    });
    waited.with_context(|| format!("{last:?} instead of {expected:?}"))
}

#[test]
fn a_program_executed_while_gopatchd_is_away_is_found_by_the_next() -> Result<()> {
    let programs = Programs::build()?;
    for backend in backends() {
        for signal in [Signal::TERM, Signal::KILL] {
            let name = |life: u32| format!("{backend}-{signal:?}-{life}");
            let first = Gopatchd::start_named(&programs.scratch, &name(1), backend, &[])?;
            let arguments = ["when-told", "second", "SECOND", "stay"];
            let mut process = programs.start("first", first.socket(), &arguments)?;
            wait_for_services(&first, &[("first", false, TICKS)])?;
            let operations = if signal == Signal::KILL { first.kill()? } else { first.stop()?.operations };
            ensure!(by_rule(&operations)["tick"] == TICKS, "{:?}", by_rule(&operations));
            process.signal(Signal::USR1)?;
            process.wait_for("make its calls", SOON, |it| Ok(it.stdout()?.contains("made").then_some(())))?;

            let second = Gopatchd::start_named(&programs.scratch, &name(2), backend, &[])?;
            wait_for_services(&second, &[("second", false, BS)]).with_context(|| name(2))?;
            process.kill()?;
            let collected = second.stop()?;
            collected.ensure_all_seen()?;
            ensure!(collected.summary.sessions == 1, "{:?}", collected.summary);
            ensure!(by_rule(&collected.operations) == [("b", BS)].into(), "{:?}", by_rule(&collected.operations));
        }
    }
    Ok(())
}

/// The second program has waited for an answer, and has made a session itself, when gopatchd goes on
/// with what it knows of the first.
#[test]
fn a_program_executed_while_gopatchd_stands_still_is_told_apart() -> Result<()> {
    let programs = Programs::build()?;
    for backend in backends() {
        let mut gopatchd = Gopatchd::start_named(&programs.scratch, &format!("still-{backend}"), backend, &[])?;
        let mut process = programs.start("first", gopatchd.socket(), &["when-told", "second", "SECOND", "stay"])?;
        wait_for_services(&gopatchd, &[("first", false, TICKS)])?;
        gopatchd.process().signal(Signal::STOP)?;
        process.signal(Signal::USR1)?;
        process.wait_for("make its calls", SOON, |it| Ok(it.stdout()?.contains("made").then_some(())))?;
        gopatchd.process().signal(Signal::CONT)?;
        // With the call that was open.
        wait_for_services(&gopatchd, &[("first", true, TICKS + 1), ("second", false, BS)])?;
        process.kill()?;
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        let expected = [("tick", TICKS), ("hold", 1), ("b", BS)].into();
        ensure!(by_rule(&collected.operations) == expected, "{:?}", by_rule(&collected.operations));
    }
    Ok(())
}

/// gopatchd does not see the first process end before another one with its pid comes.
#[test]
fn a_pid_that_is_used_again_is_another_process() -> Result<()> {
    const NEXT_PID: &str = "/proc/sys/kernel/ns_last_pid";
    if std::fs::OpenOptions::new().write(true).open(NEXT_PID).is_err() {
        eprintln!("NOT TESTED: pids that are used again, which needs the right to write {NEXT_PID}");
        return Ok(());
    }
    // Other tests take pids too.
    let _turn = alone();
    let programs = Programs::build()?;
    for backend in backends() {
        let mut gopatchd = Gopatchd::start_named(&programs.scratch, &format!("pid-{backend}"), backend, &[])?;
        let mut first = programs.start("first", gopatchd.socket(), &["when-told", "second", "SECOND"])?;
        wait_for_services(&gopatchd, &[("first", false, TICKS)])?;
        gopatchd.process().signal(Signal::STOP)?;
        let pid = first.pid();
        first.kill()?;
        let mut second = wait_until("the pid to be free for another", Duration::from_secs(30), || {
            std::fs::write(NEXT_PID, (pid - 1).to_string())?;
            let mut command = Command::new(&programs.second);
            command.args(["stay"]).env(SOCKET_ENV, gopatchd.socket()).env("OTEL_SERVICE_NAME", "second");
            let mut process = Process::start(&mut command, programs.scratch.path(), "second")?;
            if process.pid() == pid {
                return Ok(Some(process));
            }
            process.kill()?;
            Ok(None)
        })?;
        gopatchd.process().signal(Signal::CONT)?;
        wait_for_services(&gopatchd, &[("first", true, TICKS + 1), ("second", false, BS)])
            .with_context(|| format!("backend {backend}"))?;
        second.kill()?;
        gopatchd.stop()?.ensure_all_seen()?;
    }
    Ok(())
}
