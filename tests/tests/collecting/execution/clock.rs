//! Programs to which the kernel shows other monotonic clocks than to gopatchd (time namespaces, as
//! a container that was restored from a checkpoint has them).
//!
//! The clock that tells the time of day is the machine's, and a test must not set it: what follows
//! when it is set is tested with made-up readings in `calls::clock`.

use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::SOCKET_ENV;
use gopatch_tests::{Gopatchd, Process, SOON, backends};

use super::{Programs, TICKS};

/// What the monotonic clock and that of the boot show more, in seconds.
const OFFSETS: [i64; 2] = [86_400 * 365, 7];

fn namespace(offset: i64) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--time", &format!("--monotonic={offset}"), &format!("--boottime={offset}"), "--"]);
    command
}

#[test]
fn programs_with_other_monotonic_clocks_have_right_times() -> Result<()> {
    let works = namespace(7).arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !works {
        eprintln!("NOT TESTED: time namespaces, which this machine does not let us create");
        return Ok(());
    }
    let programs = Programs::build()?;
    for backend in backends() {
        let gopatchd = Gopatchd::start_named(&programs.scratch, &format!("clock-{backend}"), backend, &[])?;
        for offset in OFFSETS {
            let mut command = namespace(offset);
            command.arg(&programs.first).arg("end").env(SOCKET_ENV, gopatchd.socket()).env("GOMAXPROCS", "2");
            let printed = Process::run(&mut command, programs.scratch.path(), "in-a-namespace", SOON)?;
            ensure!(printed == "done\n", "{printed}");
        }
        let until = unix_nanos()?;
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        ensure!(collected.of_rule("tick").count() as u64 == TICKS * OFFSETS.len() as u64);
        let minute = Duration::from_mins(1).as_nanos() as u64;
        for call in &collected.operations {
            let ended = call.start_unix_nano + call.duration_nano;
            ensure!(call.start_unix_nano + minute > until && ended < until + minute, "{backend}: {call:?}");
        }
    }
    Ok(())
}

fn unix_nanos() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is after 1970")?.as_nanos() as u64)
}
