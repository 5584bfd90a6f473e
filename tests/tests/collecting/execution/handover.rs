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

/// How many operations each rule has, except those that only show that a program is recorded.
fn by_rule(operations: &[Operation]) -> BTreeMap<&str, u64> {
    let mut rules = BTreeMap::new();
    for operation in operations.iter().filter(|operation| operation.rule != "warm") {
        *rules.entry(operation.rule.as_str()).or_default() += 1;
    }
    rules
}

/// All calls of both programs, with the one that was open.
fn both() -> BTreeMap<&'static str, u64> {
    [("tick", TICKS), ("hold", 1), ("b", BS)].into()
}

/// Waits until a process runs the second program.
fn wait_for_second(process: &mut Process) -> Result<()> {
    let is_ready = |text: &str| text.ends_with("ready\nready\n");
    process.wait_for("run the second program", SOON, |process| Ok(is_ready(&process.stdout()?).then_some(())))
}

/// The services that run, and how many operations they have.
fn services(gopatchd: &Gopatchd) -> Result<BTreeMap<String, u64>> {
    let status = gopatchd.status()?;
    let running = status["processes"].as_array().context("a list")?.iter().filter(|process| process["ended"] == false);
    let of =
        |process: &serde_json::Value| Some((process["service"].as_str()?.to_owned(), process["operations"].as_u64()?));
    running.map(|process| of(process).context("a process")).collect()
}

/// Waits until exactly these services run and have so many operations. gopatchd forgets those that
/// have ended.
fn wait_for_services(gopatchd: &Gopatchd, expected: &[(&str, u64)]) -> Result<()> {
    let expected: BTreeMap<_, _> = expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    let mut last = BTreeMap::new();
    let waited = wait_until("all operations of each service", SOON, || {
        last = services(gopatchd)?;
        Ok((last == expected).then_some(()))
    });
    waited.with_context(|| format!("{last:?} instead of {expected:?}"))
}

/// The second program runs instead of the first, and gopatchd knows both by their names.
fn let_second_go_on(gopatchd: &Gopatchd, second: &Process) -> Result<()> {
    // Once the program has noticed that it has a gopatchd, no record is missing.
    wait_until("the second program to be recorded", SOON, || {
        let services = services(gopatchd)?;
        Ok((services.len() == 1 && services.get("second").is_some_and(|count| *count > 0)).then_some(()))
    })?;
    second.signal(Signal::USR1)?;
    wait_until("all calls of the second program", SOON, || {
        Ok((by_rule(&gopatchd.operations_so_far()?).get("b") == Some(&BS)).then_some(()))
    })
}

#[test]
fn a_program_executed_while_gopatchd_is_away_is_found_by_the_next() -> Result<()> {
    let programs = Programs::build()?;
    for backend in backends() {
        for signal in [Signal::TERM, Signal::KILL] {
            let name = |life: u32| format!("{backend}-{signal:?}-{life}");
            let first = Gopatchd::start_named(&programs.scratch, &name(1), backend, &[])?;
            let arguments = ["when-told", "second", "SECOND", "when-told"];
            let mut process = programs.start("first", first.socket(), &arguments)?;
            wait_for_services(&first, &[("first", TICKS)])?;
            let operations = if signal == Signal::KILL { first.kill()? } else { first.stop()?.operations };
            ensure!(by_rule(&operations)["tick"] == TICKS, "{:?}", by_rule(&operations));
            process.signal(Signal::USR1)?;
            wait_for_second(&mut process)?;

            let second = Gopatchd::start_named(&programs.scratch, &name(2), backend, &[])?;
            let_second_go_on(&second, &process).with_context(|| name(2))?;
            process.kill()?;
            let collected = second.stop()?;
            collected.ensure_all_seen()?;
            ensure!(collected.summary.sessions == 1, "{:?}", collected.summary);
            ensure!(by_rule(&collected.operations) == [("b", BS)].into(), "{:?}", by_rule(&collected.operations));
        }
    }
    Ok(())
}

/// The second program has waited for an answer, and has made a session itself, when gopatchd goes
/// on with what it knows of the first.
#[test]
fn a_program_executed_while_gopatchd_stands_still_is_told_apart() -> Result<()> {
    let programs = Programs::build()?;
    for backend in backends() {
        let mut gopatchd = Gopatchd::start_named(&programs.scratch, &format!("still-{backend}"), backend, &[])?;
        let mut process =
            programs.start("first", gopatchd.socket(), &["when-told", "second", "SECOND", "when-told"])?;
        wait_for_services(&gopatchd, &[("first", TICKS)])?;
        gopatchd.process().signal(Signal::STOP)?;
        process.signal(Signal::USR1)?;
        wait_for_second(&mut process)?;
        gopatchd.process().signal(Signal::CONT)?;
        let_second_go_on(&gopatchd, &process).with_context(|| format!("backend {backend}"))?;
        process.kill()?;
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        ensure!(by_rule(&collected.operations) == both(), "{:?}", by_rule(&collected.operations));
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
        wait_for_services(&gopatchd, &[("first", TICKS)])?;
        gopatchd.process().signal(Signal::STOP)?;
        let pid = first.pid();
        first.kill()?;
        let mut second = wait_until("the pid to be free for another", Duration::from_secs(30), || {
            std::fs::write(NEXT_PID, (pid - 1).to_string())?;
            let mut command = Command::new(&programs.second);
            command.arg("when-told").env(SOCKET_ENV, gopatchd.socket()).env("OTEL_SERVICE_NAME", "second");
            let mut process = Process::start(&mut command, programs.scratch.path(), "second")?;
            if process.pid() == pid {
                process.wait_for("run", SOON, |it| Ok(it.stdout()?.contains("ready").then_some(())))?;
                return Ok(Some(process));
            }
            process.kill()?;
            Ok(None)
        })?;
        gopatchd.process().signal(Signal::CONT)?;
        let_second_go_on(&gopatchd, &second).with_context(|| format!("backend {backend}"))?;
        second.kill()?;
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        ensure!(by_rule(&collected.operations) == both(), "{backend}: {:?}", by_rule(&collected.operations));
    }
    Ok(())
}
