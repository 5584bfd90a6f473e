//! Children that share the memory of a program, which has thousands of open calls, until they run
//! programs of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::SOCKET_ENV;
use gopatch_tests::{Gopatchd, Process, SOON, Scratch, backends, gopatch};

use super::{build, end};

const RULES: &str =
    "rules: [{ name: work, import: main, function: Work, kind: internal, operation: work, enter: {}, exit: {} }]\n";

/// Calls that are open all the time.
const OPEN: usize = 2000;

/// Calls between children that are over at once.
const BETWEEN: usize = 50;

struct Parent {
    scratch: Scratch,
    original: PathBuf,
    patched: PathBuf,
}

impl Parent {
    fn build() -> Result<Self> {
        let scratch = Scratch::new()?;
        let original = build(&scratch, "vfork", include_str!("vfork.go"), "1")?;
        let patched = gopatch::patch_with(&scratch, &original, RULES)?;
        Ok(Self { scratch, original, patched })
    }

    /// Starts it with a child that shares its memory for so long.
    fn start(&self, program: &Path, millis: u32, socket: &Path) -> Result<Process> {
        let mut command = Command::new(program);
        command.arg(millis.to_string()).env(SOCKET_ENV, socket).env("GOMAXPROCS", "2");
        Process::start(&mut command, self.scratch.path(), "parent")
    }
}

#[test]
fn children_that_share_memory_cut_off_no_call() -> Result<()> {
    let parent = Parent::build()?;
    for backend in backends() {
        let gopatchd = Gopatchd::start(&parent.scratch, backend, &[])?;
        let expected = end(&mut parent.start(&parent.original, 2000, gopatchd.socket())?)?;
        let mut process = parent.start(&parent.patched, 2000, gopatchd.socket())?;
        let printed = end(&mut process)?;
        ensure!(printed == expected, "{backend}: printed {printed:?} instead of {expected:?}");
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        ensure!(collected.summary.sessions == 1, "{backend}: {:?}", collected.summary);
        let whole = collected.operations.iter().filter(|call| !call.unfinished && !call.unwound);
        ensure!(whole.clone().count() == collected.operations.len(), "{backend}: calls were cut off");
        ensure!(whole.clone().all(|call| call.pid == process.pid()), "{backend}: calls of children");
        // And as many as fit in the two seconds of the last child.
        ensure!(whole.count() > OPEN + BETWEEN, "{backend}: {} calls", collected.operations.len());
    }
    Ok(())
}

#[test]
fn a_gopatchd_that_starts_meanwhile_finds_the_parent_only() -> Result<()> {
    let parent = Parent::build()?;
    for backend in backends() {
        let first = Gopatchd::start_named(&parent.scratch, &format!("{backend}-1"), backend, &[])?;
        let mut process = parent.start(&parent.patched, 5000, first.socket())?;
        process.wait_for("share its memory", SOON, |it| Ok(it.stdout()?.contains("sharing").then_some(())))?;
        let before = first.stop()?;
        ensure!(before.operations.iter().filter(|call| call.unfinished).count() >= OPEN, "{:?}", before.summary);
        let second = Gopatchd::start_named(&parent.scratch, &format!("{backend}-2"), backend, &[])?;
        second.wait_for_session().with_context(|| format!("backend {backend}"))?;
        let printed = end(&mut process)?;
        ensure!(printed.ends_with("long 0\ndone\n"), "{backend}: {printed}");
        let collected = second.stop()?;
        ensure!(collected.summary.sessions == 1, "{backend}: {:?}", collected.summary);
        ensure!(collected.summary.lost.total == 0, "{backend}: {:?}", collected.summary);
        ensure!(!collected.operations.is_empty(), "{backend}: {}", collected.stderr);
        ensure!(collected.operations.iter().all(|call| call.pid == process.pid()), "{backend}: calls of children");
    }
    Ok(())
}
