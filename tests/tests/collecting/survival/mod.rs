//! A patched program outlives every answer of the kernel to the attach code, and every peer.
//!
//! Decides: which answers and peers are tried (`kernel`, `peers`), and that the program prints what
//! the unpatched one prints and exits with 0. The program itself watches its descriptors.

mod filters;
mod inherited;
mod kernel;
mod peers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::{ATTACH_ENV, SOCKET_ENV, control};
use gopatch_tests::{Gopatchd, Process, SOON, Scratch, gopatch, wait_until};
use rustix::process::Signal;
use serde_json::Value;
use xtask::workspace;

const RULES: &str =
    "rules: [{ name: work, import: main, function: Work, kind: internal, operation: work, enter: {}, exit: {} }]\n";

/// Programs that run at once.
const AT_ONCE: usize = 12;

/// When a program finds the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// At its first instruction.
    Start,
    /// At a tick.
    Late,
}

impl Moment {
    const BOTH: [Self; 2] = [Self::Start, Self::Late];

    /// How long the program runs: at a tick the first look comes after half a second, and the attempt
    /// three seconds later.
    fn millis(self) -> u64 {
        match self {
            Self::Start => 400,
            Self::Late => 5_500,
        }
    }

    /// How long the peer's socket is hidden.
    fn hidden(self) -> Duration {
        match self {
            Self::Start => Duration::ZERO,
            Self::Late => Duration::from_millis(200),
        }
    }
}

/// The program, unpatched and patched.
struct Survivor {
    scratch: Scratch,
    patched: PathBuf,
    /// What the unpatched one prints.
    expected: String,
}

impl Survivor {
    fn build() -> Result<Self> {
        let scratch = Scratch::new()?;
        let original = go_build(&scratch, "survivor", include_str!("survivor.go"))?;
        let patched = gopatch::patch_with(&scratch, &original, RULES)?;
        let expected =
            Process::run(Command::new(&original).arg("50"), scratch.path(), "unpatched", SOON).context("unpatched")?;
        ensure!(expected.starts_with("first descriptor "), "{expected}");
        Ok(Self { scratch, patched, expected })
    }

    /// Runs a command that becomes the patched program, which looks for its peer at `socket`.
    fn check(&self, command: &mut Command, name: &str, socket: &Path) -> Result<()> {
        let printed = self.run(command, name, socket)?;
        ensure!(printed == self.expected, "printed {printed:?} instead of {:?}", self.expected);
        Ok(())
    }

    /// Runs it and gives what it prints. It must exit with 0.
    fn run(&self, command: &mut Command, name: &str, socket: &Path) -> Result<String> {
        Process::run(command.env(SOCKET_ENV, socket), self.scratch.path(), name, SOON)
    }

    /// Checks it, with its peer's `socket` to be seen from that moment on.
    fn check_at(&self, moment: Moment, command: &mut Command, name: &str, socket: &Path) -> Result<()> {
        if moment == Moment::Start {
            return self.check(command, name, socket);
        }
        let shown = self.scratch.file(&format!("{name}.sock"));
        std::thread::scope(|scope| {
            let appear = scope.spawn(|| {
                std::thread::sleep(moment.hidden());
                std::os::unix::fs::symlink(socket, &shown)
            });
            self.check(command, name, &shown)?;
            appear.join().expect("no panic").context("cannot show the socket")
        })?;
        fs::remove_file(&shown).context("cannot hide the socket again")
    }
}

fn go_build(scratch: &Scratch, name: &str, source: &str) -> Result<PathBuf> {
    let file = format!("{name}.go");
    fs::write(scratch.file(&file), source)?;
    let mut command = Command::new("go");
    command.args(["build", "-o", name, &file]).current_dir(scratch.path());
    command.envs([
        ("GOFLAGS", ""),
        ("GOOS", "linux"),
        ("GOARCH", "amd64"),
        ("GOTOOLCHAIN", "local"),
        ("CGO_ENABLED", "0"),
    ]);
    workspace::run(&mut command)?;
    Ok(scratch.file(name))
}

/// Runs all checks, some at once, and reports those that failed.
fn check_all<T: Sync + std::fmt::Debug>(items: &[T], check: impl Fn(usize, &T) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failures = Vec::new();
        while let Some((index, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
        {
            if let Err(error) = check(index, item) {
                failures.push(format!("{item:?}: {error:#}"));
            }
        }
        failures
    };
    let failures: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a check does not panic")).collect()
    });
    ensure!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), items.len(), failures.join("\n"));
    Ok(())
}

/// Which modes find a gopatchd, by when it starts to listen. What `start` never does at a tick is
/// seen by `peers`, as this gopatchd may find such a program by itself.
#[test]
fn a_program_attaches_when_its_mode_says_so() -> Result<()> {
    let survivor = Survivor::build()?;
    let gopatchd = Gopatchd::start(&survivor.scratch, "memfd", &[])?;
    let mut sessions = 0;
    for (option, environment, moment, attaches) in [
        (None, None, Moment::Start, true),
        (None, None, Moment::Late, true),
        (None, Some("start"), Moment::Start, true),
        (None, Some("never"), Moment::Start, false),
        (None, Some("never"), Moment::Late, false),
        (None, Some("sometimes"), Moment::Late, true),
        (None, Some("lat"), Moment::Late, true),
        (Some("start"), None, Moment::Start, true),
        (Some("start"), Some("late"), Moment::Late, true),
        (Some("never"), None, Moment::Start, false),
        (Some("never"), Some("start"), Moment::Start, true),
    ] {
        let described = format!("--attach {option:?}, GOPATCH_ATTACH {environment:?}, {moment:?}");
        let patched = match option {
            None => survivor.patched.clone(),
            Some(option) => {
                let command = gopatch::command(&["-q", "--no-default-rules", "--attach", option])?;
                gopatch::patch_by(command, &survivor.scratch, &survivor.scratch.file("survivor"), RULES)?
            }
        };
        // On a busy machine gopatchd's reply may come too late for a start.
        for attempt in 1..=5 {
            let mut command = Command::new(&patched);
            command.arg(moment.millis().to_string()).envs(environment.map(|mode| (ATTACH_ENV, mode)));
            survivor.check_at(moment, &mut command, "mode", gopatchd.socket())?;
            let status = gopatchd.status()?;
            let now = status["totals"]["sessions"].as_u64().with_context(|| format!("no sessions in {status}"))?;
            let attached = now > sessions;
            sessions = now;
            if attached == attaches && (attached || attempt == 2) {
                break;
            }
            ensure!(!attached && attempt < 5, "{described}: attached {attached}");
        }
    }
    gopatchd.stop().map(drop)
}

#[test]
fn the_mode_of_a_program_that_can_confine_itself_is_start() -> Result<()> {
    let survivor = Survivor::build()?;
    go_build(&survivor.scratch, "confined", include_str!("fakekernel.go"))?;
    let rules = "rules: [{ name: main, import: main, function: main, enter: {} }]\n";
    fs::write(survivor.scratch.file("main.yaml"), rules)?;
    for (program, mode, because) in [("confined", "start", Some("main.main")), ("survivor", "late", None)] {
        let mut command = gopatch::command(&["--no-default-rules", "--format", "json", "--rules", "main.yaml"])?;
        command.current_dir(survivor.scratch.path()).args([program, "-o", "out"]);
        let run = gopatch::Gopatch::run(&mut command)?;
        let report: Value = serde_json::from_str(&run.stdout).with_context(|| run.stderr.clone())?;
        ensure!(report["attach"]["mode"] == mode, "{program}: {}", report["attach"]);
        ensure!(report["attach"]["because"].as_str() == because, "{program}: {}", report["attach"]);
    }
    Ok(())
}

#[test]
fn a_program_that_attaches_once_resumes_after_gopatchd_was_stopped() -> Result<()> {
    let survivor = Survivor::build()?;
    let mut gopatchd = Gopatchd::start(&survivor.scratch, "memfd", &[])?;
    let mut command = Command::new(&survivor.patched);
    command.arg("30000").env(ATTACH_ENV, "start").env(SOCKET_ENV, gopatchd.socket());
    // Long after the end of a heartbeat's life.
    let stopped = Duration::from_millis(3 * control::STALE_MILLIS);
    let program = Process::start(&mut command, survivor.scratch.path(), "once")?;
    gopatchd.wait_for_operation()?;
    gopatchd.process().signal(Signal::STOP)?;
    std::thread::sleep(stopped);
    gopatchd.process().signal(Signal::CONT)?;
    let resumed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    wait_until("operations after gopatchd went on", SOON, || {
        let operations = gopatchd.operations_so_far()?;
        Ok(operations.last().is_some_and(|last| last.start_unix_nano > resumed).then_some(()))
    })?;
    ensure!(gopatchd.stop()?.summary.sessions == 1, "attached again");
    drop(program);
    Ok(())
}
