//! gopatchd is killed, terminated and stopped while short and long programs come and go. The programs
//! print what the unpatched program prints, and end as soon.
//!
//! Of four programs one is unpatched, one more is too, and two are patched; all run in the same
//! moments. The two unpatched groups differ only by chance, so they show how exact a comparison is:
//!
//! * of the programs of each group, half are later than their *median*, and one in twenty is later
//!   than their *tail*;
//! * a median or a tail of the patched programs may be twice the later of the unpatched ones, as a
//!   start takes at most as much work again for attaching, however busy the machine is; and then
//!   later by a margin, and by twice what the unpatched ones differ.
//!
//! On a machine that is not busy, that leaves a delay of about a margin: one that each program has,
//! or one that one in twenty has. One program in five or more starts while gopatchd is stopped: if
//! these waited long for it, the tail would show that.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use gopatch_protocol::wire::{ATTACH_ENV, SOCKET_ENV};
use gopatch_tests::{Gopatchd, Process, SOON, Scratch, alone, backends, wait_until};
use rustix::process::Signal;

use super::Subject;

/// How gopatchd ends, or stops.
const WAYS: [Signal; 3] = [Signal::KILL, Signal::TERM, Signal::STOP];

/// Programs at a time.
const AT_ONCE: usize = 25;

/// How long they mean to run.
const MILLIS: [u64; 4] = [100, 300, 1_000, 3_000];

/// Of medians and of tails.
const MEDIAN_MARGIN: Duration = Duration::from_millis(10);
const TAIL_MARGIN: Duration = Duration::from_millis(20);

/// The last is one program by chance. None hangs.
const HANG: Duration = Duration::from_millis(500);

/// How often all is repeated while the unpatched programs alone differ by more than the margins.
const TRIES: usize = 3;

#[test]
fn programs_do_not_notice_restarts() -> Result<()> {
    restarts(12)
}

#[test]
#[ignore = "soak: takes ten minutes"]
fn programs_do_not_notice_hundreds_of_restarts() -> Result<()> {
    restarts(300)
}

/// gopatchd is stopped for about as long as a program waits for it, or much longer: it replies in
/// time, at the same moment, or too late. In each case the program has one session, and soon.
#[test]
fn a_program_that_starts_while_gopatchd_is_stopped_has_one_session() -> Result<()> {
    const PROGRAMS: u64 = 24;
    let subject = Subject::build()?;
    for backend in backends() {
        let mut gopatchd = Gopatchd::start(&subject.scratch, backend, &[])?;
        // After this time it looks at all processes only every 20 s.
        std::thread::sleep(Duration::from_secs(9));
        let mut programs = Vec::new();
        for number in 0..PROGRAMS {
            gopatchd.process().signal(Signal::STOP)?;
            let mut command = Command::new(&subject.patched);
            command.args(["loop", "60000"]).env(SOCKET_ENV, gopatchd.socket()).env(ATTACH_ENV, "start");
            programs.push(Process::start(&mut command, subject.scratch.path(), &format!("program-{number}"))?);
            std::thread::sleep(Duration::from_millis(if number % 8 == 0 { 200 } else { number }));
            gopatchd.process().signal(Signal::CONT)?;
        }
        wait_until("operations of all programs", Duration::from_secs(10), || {
            let all = programs.iter().map(|program| gopatchd.has_operation_of(program.pid()));
            Ok(all.collect::<Result<Vec<_>>>()?.iter().all(|has| *has).then_some(()))
        })
        .with_context(|| backend.to_owned())?;
        let collected = gopatchd.stop()?;
        ensure!(collected.summary.sessions == PROGRAMS, "{backend}: {:?}", collected.summary);
        ensure!(collected.summary.lost.total == 0, "{backend}: {:?}", collected.summary);
        ensure!(collected.summary.refused == 0, "{backend}: {:?}", collected.summary);
    }
    Ok(())
}

/// A program that gopatchd has not answered in time begins a session of its own. gopatchd takes that
/// while calls are open, and they stay whole.
#[test]
fn calls_that_are_open_when_gopatchd_takes_their_session_are_whole() -> Result<()> {
    const CALLS: usize = 100;
    const ATTEMPTS: usize = 5;
    let subject = Subject::build()?;
    for backend in backends() {
        let mut whole = Vec::new();
        // On a busy machine, gopatchd may go on later than the program writes records without it.
        while whole.last() != Some(&CALLS) {
            ensure!(whole.len() < ATTEMPTS, "{backend}: whole calls of {CALLS}: {whole:?}");
            let name = format!("{backend}-{}", whole.len());
            let mut gopatchd = Gopatchd::start_named(&subject.scratch, &name, backend, &[])?;
            gopatchd.process().signal(Signal::STOP)?;
            let mut command = Command::new(&subject.patched);
            command.args(["open", &CALLS.to_string(), "400"]).env(SOCKET_ENV, gopatchd.socket());
            let mut program = Process::start(&mut command, subject.scratch.path(), &format!("program-{name}"))?;
            std::thread::sleep(Duration::from_millis(200));
            gopatchd.process().signal(Signal::CONT)?;
            program.wait(SOON)?;
            let collected = gopatchd.stop()?;
            whole.push(collected.of_rule("hold").filter(|call| call.number("n").is_some()).count());
        }
    }
    Ok(())
}

/// The groups of programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Original,
    SameOriginal,
    Patched,
}

/// One run of a program, and how much longer it took than it meant to.
#[derive(Clone, Copy)]
struct Run {
    group: Group,
    late: Duration,
}

fn restarts(times: usize) -> Result<()> {
    let _turn = alone();
    let subject = Subject::build()?;
    for backend in backends() {
        for attempt in 1..=TRIES {
            let runs = run_and_restart(&subject, backend, times)?;
            let late = |group| Late::new(runs.iter().filter(|run| run.group == group).map(|run| run.late).collect());
            let (patched, originals) = (late(Group::Patched), [Group::Original, Group::SameOriginal].map(late));
            eprintln!(
                "{backend}: {times} restarts, {} programs. Later than they meant to end: patched {patched}; not \
                 patched {} and {}",
                runs.len(),
                originals[0],
                originals[1]
            );
            match patched.exceeds(&originals) {
                None => break,
                Some(what) if attempt == TRIES || Late::agree(&originals) => bail!("{backend}: {what}"),
                Some(what) => eprintln!("{backend}: {what}; again, as the unpatched programs differ"),
            }
        }
    }
    Ok(())
}

/// How late the programs of a group were.
struct Late {
    median: Duration,
    tail: Duration,
    last: Duration,
}

impl Late {
    fn new(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        let last = all.len() - 1;
        Self { median: all[last / 2], tail: all[last * 19 / 20], last: all[last] }
    }

    /// What is later than the unpatched programs explain.
    fn exceeds(&self, originals: &[Self; 2]) -> Option<String> {
        [
            ("half of the patched programs", self.median, Self::medians(originals), MEDIAN_MARGIN),
            ("one in twenty patched programs", self.tail, Self::tails(originals), TAIL_MARGIN),
            ("the last patched program", self.last, originals.each_ref().map(|late| late.last), HANG),
        ]
        .into_iter()
        .find_map(|(what, late, [one, other], margin)| {
            let most = 2 * one.max(other) + 2 * one.abs_diff(other) + margin;
            (late > most).then(|| format!("{what} ended {late:?} late or later, of others {one:?} and {other:?}"))
        })
    }

    /// Whether two groups differ by less than the margins.
    fn agree(originals: &[Self; 2]) -> bool {
        let [medians, tails] = [Self::medians(originals), Self::tails(originals)];
        medians[0].abs_diff(medians[1]) <= MEDIAN_MARGIN && tails[0].abs_diff(tails[1]) <= TAIL_MARGIN
    }

    fn medians(of: &[Self; 2]) -> [Duration; 2] {
        of.each_ref().map(|late| late.median)
    }

    fn tails(of: &[Self; 2]) -> [Duration; 2] {
        of.each_ref().map(|late| late.tail)
    }
}

impl std::fmt::Display for Late {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median, tail, last } = self;
        write!(formatter, "{median:.1?} (median), {tail:.1?} (19 of 20), {last:.1?} (last)")
    }
}

/// Restarts gopatchd, and stops it, while programs come and go.
fn run_and_restart(subject: &Subject, backend: &str, times: usize) -> Result<Vec<Run>> {
    let over = AtomicBool::new(false);
    let socket = gopatch_tests::gopatchd::socket(&subject.scratch);
    let (lives, runs) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|worker| {
                let (socket, over) = (&socket, &over);
                scope.spawn(move || run_until(over, subject, socket, worker))
            })
            .collect();
        let lives = (0..times).map(|life| live(&subject.scratch, backend, life)).collect::<Result<Vec<_>>>();
        over.store(true, Ordering::Relaxed);
        let runs: Vec<_> = workers.into_iter().map(|worker| worker.join().expect("no panic")).collect();
        (lives, runs.into_iter().collect::<Result<Vec<_>>>())
    });
    let runs = runs.with_context(|| format!("backend {backend}"))?;
    ensure!(lives?.iter().any(|operations| *operations > 0), "{backend}: nothing was collected");
    Ok(runs.concat())
}

fn run_until(over: &AtomicBool, subject: &Subject, socket: &Path, worker: usize) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let number = worker + runs.len();
        let group = [Group::Original, Group::Patched, Group::SameOriginal, Group::Patched][number % 4];
        // Programs of each group mean to run for each time, and workers begin differently.
        let millis = MILLIS[(number / 4 + worker) % MILLIS.len()];
        let mut command = Command::new(match group {
            Group::Patched => &subject.patched,
            Group::Original | Group::SameOriginal => &subject.original,
        });
        command.args(["loop", &millis.to_string()]).env(SOCKET_ENV, socket).env("GOMAXPROCS", "2");
        let begun = Instant::now();
        let printed = Process::run(&mut command, subject.scratch.path(), &format!("run-{worker}"), SOON)?;
        let late = begun.elapsed().saturating_sub(Duration::from_millis(millis));
        ensure!(printed == "done loop\n", "printed {printed:?}");
        runs.push(Run { group, late });
    }
    Ok(runs)
}

/// One life of a gopatchd. Returns how many operations it has printed.
fn live(scratch: &Scratch, backend: &str, life: usize) -> Result<usize> {
    let mut gopatchd = Gopatchd::start_named(scratch, &format!("life-{life}"), backend, &[])?;
    std::thread::sleep(Duration::from_millis((life as u64 * 131) % 700));
    match WAYS[life % WAYS.len()] {
        Signal::KILL => Ok(gopatchd.kill()?.len()),
        Signal::STOP => {
            gopatchd.process().signal(Signal::STOP)?;
            std::thread::sleep(Duration::from_millis((life as u64 * 197) % 1_500));
            gopatchd.process().signal(Signal::CONT)?;
            Ok(gopatchd.stop()?.operations.len())
        }
        _ => Ok(gopatchd.stop()?.operations.len()),
    }
}
