//! Programs that are started under a filter of system calls: a patched one lives as the unpatched
//! one does, also where the filter kills for a call of the attach code, and attaches where no filter
//! kills. It leaves no child, no zombie and no signal.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::{ATTACH_ENV, SOCKET_ENV};
use gopatch_tests::{Gopatchd, Process, SOON, Scratch, gopatch, programs};

use super::check_all;
use super::filters::{RARE, calls_after};

/// Versions of Go, and flags: without cgo, position-independent, and with cgo.
const BUILDS: [(&str, &[&str]); 6] = [
    ("1.18.10", &[WITHOUT_CGO]),
    ("1.21.13", &[WITHOUT_CGO]),
    ("1.21.13", &[]),
    ("1.24.13", &[WITHOUT_CGO, "-buildmode=pie"]),
    ("1.27.4", &[WITHOUT_CGO]),
    ("1.27.4", &[]),
];
const WITHOUT_CGO: &str = "-tags=netgo,osusergo";

/// With cgo glibc makes the threads, by `clone3`.
const CLONE: u32 = 56;

/// Calls that neither Go nor the attach code makes: `ptrace`, `mount`, `keyctl`.
const FOREIGN: [u32; 3] = [101, 165, 250];

/// Calls of the attach code: `the_attach_code_makes_these_system_calls_alone` of
/// `gopatch-trampolines` has the same list.
const CALLS: [u32; 29] =
    [0, 3, 5, 7, 9, 11, 13, 14, 16, 18, 28, 41, 42, 46, 47, 56, 60, 61, 72, 77, 202, 204, 231, 257, 262, 302, 318, 319, 436];

/// Longer than to the first look for a gopatchd, which comes half a second after the start.
const MILLIS: &str = "1500";

/// How a program is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parent {
    /// By a program without children.
    Alone,
    /// By a shell that becomes it and has started two children, of which one ends when the program
    /// writes to a FIFO.
    Shell,
    /// By a program that ignores SIGCHLD.
    Ignoring,
}

impl Parent {
    /// A command that becomes the command of its arguments. There is no file `fifo` yet.
    fn command(self, fifo: &Path) -> Command {
        let mut command = Command::new("env");
        match self {
            Self::Alone => {}
            Self::Shell => {
                let script = "mkfifo \"$0\"; (read line <\"$0\") & sleep 30 & exec \"$@\" \"$0\"";
                command.args(["sh", "-c", script]).arg(fifo);
            }
            Self::Ignoring => {
                command.arg("IGNORE_SIGCHLD=1");
            }
        }
        command
    }
}

/// A filter.
#[derive(Debug, Clone)]
struct Filter {
    list: &'static str,
    action: &'static str,
    calls: BTreeSet<u32>,
}

/// A program, unpatched and patched, and the calls that the unpatched one makes.
struct Subject {
    scratch: Scratch,
    original: PathBuf,
    patched: PathBuf,
    calls: BTreeSet<u32>,
}

impl Subject {
    fn build(go: &str, flags: &[&str]) -> Result<Self> {
        let scratch = Scratch::new()?;
        let original = programs::build(&scratch, "filtered", go, flags)?;
        let patched = gopatch::patch(&original, scratch.file("patched"))?;
        let mut calls = calls_after(&scratch, &original, &["serve", MILLIS], Duration::ZERO, "traced")?;
        calls.extend(RARE.into_iter().filter(|call| *call != CLONE));
        Ok(Self { scratch, original, patched, calls })
    }

    fn start(&self, program: &Path, parent: Parent, filter: &Filter, socket: &Path, name: &str) -> Result<Process> {
        let mut command = parent.command(&self.scratch.file(&format!("{name}.fifo")));
        command.arg(&self.original).args(["filter", filter.list, filter.action]);
        command.args(filter.calls.iter().map(u32::to_string)).arg("--").arg(program).args(["serve", MILLIS]);
        Process::start(command.env(SOCKET_ENV, socket).env(ATTACH_ENV, "late"), self.scratch.path(), name)
    }

    /// Runs the unpatched and the patched program, which must end and print alike.
    fn compare(&self, parent: Parent, filter: &Filter, socket: &Path, name: &str) -> Result<()> {
        let [original, patched] = [(&self.original, "original"), (&self.patched, "patched")].map(|(program, which)| {
            let mut process = self.start(program, parent, filter, socket, &format!("{name}-{which}"))?;
            let status = process.wait(SOON)?;
            let printed = process.stdout()?;
            ensure!(status.success(), "{}", process.describe(&format!("{status}, printed {printed:?}")));
            Ok(printed)
        });
        let (original, patched) = (original?, patched?);
        ensure!(original.ends_with("served\n"), "{original}");
        ensure!(patched == original, "printed {patched:?} instead of {original:?}");
        Ok(())
    }
}

#[test]
fn a_program_lives_under_a_filter_of_the_calls_of_the_unpatched_one() -> Result<()> {
    let cases: Vec<_> =
        BUILDS.into_iter().flat_map(|build| ["process", "thread"].map(|action| (build, action))).collect();
    check_all(&cases, |_, ((go, flags), action)| {
        let subject = Subject::build(go, flags)?;
        let filter = Filter { list: "allow", action, calls: subject.calls.clone() };
        let nowhere = subject.scratch.file("nowhere.sock");
        subject.compare(Parent::Alone, &filter, &nowhere, "alone")?;
        let gopatchd = Gopatchd::start(&subject.scratch, "memfd", &[])?;
        subject.compare(Parent::Alone, &filter, gopatchd.socket(), "near")?;
        subject.compare(Parent::Ignoring, &filter, gopatchd.socket(), "ignoring")?;
        let sessions = gopatchd.stop()?.summary.sessions;
        ensure!(sessions == 0, "{sessions} sessions");
        Ok(())
    })
}

#[test]
fn a_program_attaches_under_a_filter_that_allows_the_calls() -> Result<()> {
    let cases: Vec<_> = ["errno", "process"]
        .into_iter()
        .flat_map(|action| [Parent::Alone, Parent::Shell, Parent::Ignoring].map(|parent| (action, parent)))
        .collect();
    let subject = Subject::build("1.27.4", &[WITHOUT_CGO])?;
    for (action, parent) in cases {
        let name = format!("{action}-{parent:?}");
        let filter = Filter { list: "deny", action, calls: BTreeSet::from(FOREIGN) };
        let gopatchd = Gopatchd::start_named(&subject.scratch, &name, "memfd", &[])?;
        subject.compare(parent, &filter, gopatchd.socket(), &name)?;
        let collected = gopatchd.stop()?;
        ensure!(collected.summary.sessions == 1, "{name}: {} sessions", collected.summary.sessions);
        ensure!(!collected.operations.is_empty(), "{name}: no operation");
    }
    Ok(())
}

/// Filters that kill for one call of the attach code that the unpatched program does not make.
#[test]
fn a_program_lives_under_a_filter_that_kills_for_one_call() -> Result<()> {
    let subject = Subject::build("1.27.4", &[WITHOUT_CGO])?;
    let others: Vec<_> = CALLS.into_iter().filter(|call| !subject.calls.contains(call)).collect();
    ensure!(others.len() > 5, "{others:?}");
    let cases: Vec<_> = others
        .into_iter()
        .flat_map(|call| ["process", "thread"].map(|action| (call, action)))
        .flat_map(|(call, action)| [Parent::Alone, Parent::Shell].map(|parent| (call, action, parent)))
        // Nothing else reaps a child beside others: the zombie that is left is known.
        .filter(|(call, _, parent)| *call != WAIT4 || *parent == Parent::Alone)
        .collect();
    let gopatchd = Gopatchd::start(&subject.scratch, "memfd", &[])?;
    let nowhere = subject.scratch.file("nowhere.sock");
    check_all(&cases, |index, (call, action, parent)| {
        let filter = Filter { list: "deny", action, calls: BTreeSet::from([*call]) };
        for (socket, name) in [(nowhere.as_path(), "alone"), (gopatchd.socket(), "near")] {
            subject.compare(*parent, &filter, socket, &format!("{name}-{index}")).context(name)?;
        }
        Ok(())
    })?;
    gopatchd.stop().map(drop)
}

const WAIT4: u32 = 61;
