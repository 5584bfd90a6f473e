//! A session that a process has made itself, or that gopatchd has left: gopatchd finds it, and the
//! process does nothing for that.
//!
//! And what a process does to itself while it has a session: forks, more Ps, limits, locked memory,
//! stops. It prints what the unpatched program prints, and no call is cut off.

mod restart;
mod unnoticed;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::{ATTACH_ENV, SOCKET_ENV};
use gopatch_tests::{Gopatchd, Process, SOON, Scratch, backends, gopatch, wait_until};
use rustix::process::Signal;
use xtask::workspace;

const RULES: &str = "rules:
  - { name: work, import: main, function: Work, kind: internal, operation: work, enter: {}, exit: {} }
  - { name: hold, import: main, function: Hold, kind: internal, operation: hold, caller_keeps: [n], exit: { n: { value: n } } }
";

/// The program, unpatched and patched. Its first argument says what it does.
struct Subject {
    scratch: Scratch,
    original: PathBuf,
    patched: PathBuf,
}

impl Subject {
    fn build() -> Result<Self> {
        let scratch = Scratch::new()?;
        let mut build = Command::new("go");
        std::fs::write(scratch.file("subject.go"), include_str!("subject.go"))?;
        build.args(["build", "-o", "subject", "subject.go"]).current_dir(scratch.path());
        build.envs([("GOFLAGS", ""), ("GOTOOLCHAIN", "local"), ("CGO_ENABLED", "0")]);
        workspace::run(&mut build)?;
        let original = scratch.file("subject");
        let patched = gopatch::patch_with(&scratch, &original, RULES)?;
        Ok(Self { scratch, original, patched })
    }

    /// What it prints, which must be what the unpatched program prints in the same room.
    fn run(&self, room: &[&str], arguments: &[&str], socket: &Path) -> Result<String> {
        let run = |program: &Path, name: &str| {
            let mut command = match room {
                [] => Command::new(program),
                [shell, rest @ ..] => {
                    let mut command = Command::new(shell);
                    command.args(rest).arg(program);
                    command
                }
            };
            command.args(arguments).env(SOCKET_ENV, socket).env("GOMAXPROCS", "2");
            Process::run(&mut command, self.scratch.path(), name, SOON)
        };
        let expected = run(&self.original, "original")?;
        let printed = run(&self.patched, "patched")?;
        ensure!(printed == expected, "in {room:?}, {arguments:?} printed {printed:?} instead of {expected:?}");
        Ok(printed)
    }
}

#[test]
fn gopatchd_finds_programs_that_run_already() -> Result<()> {
    let subject = Subject::build()?;
    for backend in backends() {
        let socket = gopatch_tests::gopatchd::socket(&subject.scratch);
        let programs: Vec<_> = ["start", "late"]
            .iter()
            .map(|mode| {
                let mut command = Command::new(&subject.patched);
                command.args(["loop", "60000"]).env(SOCKET_ENV, &socket).env(ATTACH_ENV, mode);
                Process::start(&mut command, subject.scratch.path(), mode)
            })
            .collect::<Result<_>>()?;
        // The second and the third gopatchd find the session that the first has left.
        for life in 0..3 {
            let name = format!("{backend}-{life}");
            let gopatchd = Gopatchd::start_named(&subject.scratch, &name, backend, &[])?;
            wait_until("operations of both programs", SOON, || {
                let all = programs.iter().map(|program| gopatchd.has_operation_of(program.pid()));
                Ok(all.collect::<Result<Vec<_>>>()?.iter().all(|has| *has).then_some(()))
            })?;
            if life == 1 {
                gopatchd.kill()?;
            } else {
                let collected = gopatchd.stop()?;
                ensure!(collected.summary.sessions == 2, "{:?}", collected.summary);
                ensure!(collected.summary.lost.total == 0, "{:?}", collected.summary);
            }
        }
    }
    Ok(())
}

#[test]
fn a_gopatchd_with_another_socket_leaves_a_session_alone() -> Result<()> {
    let (subject, other) = (Subject::build()?, Scratch::new()?);
    let mut command = Command::new(&subject.patched);
    command.args(["loop", "60000"]).env(SOCKET_ENV, other.file("other.sock")).env(ATTACH_ENV, "start");
    let program = Process::start(&mut command, subject.scratch.path(), "program")?;
    let gopatchd = Gopatchd::start(&subject.scratch, "memfd", &[])?;
    // Long enough for it to look three times.
    std::thread::sleep(Duration::from_secs(4));
    ensure!(!gopatchd.has_operation_of(program.pid())?, "took a session of another gopatchd");
    ensure!(gopatchd.stop()?.summary.sessions == 0, "took a session");
    Ok(())
}

#[test]
fn no_open_call_is_cut_off_when_there_are_more_ps() -> Result<()> {
    const CALLS: usize = 120_000;
    let subject = Subject::build()?;
    for backend in backends() {
        let gopatchd = Gopatchd::start(&subject.scratch, backend, &[])?;
        subject.run(&[], &["more-ps", &CALLS.to_string(), "16"], gopatchd.socket())?;
        let collected = gopatchd.stop()?;
        let whole = collected.operations.iter().filter(|call| !call.unfinished && !call.unwound).count();
        ensure!(
            whole == CALLS,
            "{backend}: {whole} whole calls of {}: {:?}",
            collected.operations.len(),
            collected.summary
        );
        collected.ensure_all_seen()?;
    }
    Ok(())
}

#[test]
fn a_program_goes_on_whatever_it_does_to_itself() -> Result<()> {
    let subject = Subject::build()?;
    for backend in backends() {
        let mut gopatchd = Gopatchd::start(&subject.scratch, backend, &[])?;
        let socket = gopatchd.socket().to_owned();
        let nowhere = subject.scratch.file("nowhere.sock");
        for socket in [&socket, &nowhere] {
            for what in ["fork", "exec-self", "lock-memory", "drop-rights", "few-files", "huge-pages", "first-files"] {
                subject.run(&[], &[what], socket).with_context(|| format!("{what}, {backend}"))?;
            }
            for limit in
                ["ulimit -f 0", "ulimit -f 8", "ulimit -v 4000000", "ulimit -l 64", "ulimit -n 16", "ulimit -c 0"]
            {
                let script = format!("{limit}; exec \"$0\" \"$@\"");
                subject.run(&["sh", "-c", &script], &["loop", "300"], socket)?;
            }
            // Without standard files, whose numbers are free then.
            subject.run(&["sh", "-c", "exec 0<&-; exec \"$0\" \"$@\""], &["first-files"], socket)?;
        }
        gopatchd.wait_for_operation()?;
        gopatchd.stop()?;
    }
    Ok(())
}

#[test]
fn address_space_is_the_programs_own() -> Result<()> {
    const TRIES: usize = 3;
    let subject = Subject::build()?;
    let nowhere = subject.scratch.file("nowhere.sock");
    let lives = |kibibytes: u64, socket: &Path| {
        let script = format!("ulimit -v {kibibytes}; exec \"$0\" \"$@\"");
        subject.run(&["sh", "-c", &script], &["loop", "300"], socket)
    };
    // The smallest limit with which the program lives by itself.
    let (mut too_small, mut enough) = (0, 4_000_000);
    while enough - too_small > 2_000 {
        let middle = u64::midpoint(too_small, enough);
        if lives(middle, &nowhere).is_ok() { enough = middle } else { too_small = middle }
    }
    // What threads take is not quite the same in each run.
    let enough = enough + 10_000;
    for backend in backends() {
        let gopatchd = Gopatchd::start(&subject.scratch, backend, &[])?;
        for _ in 0..3 {
            // An unpatched program that starts a thread more does not live either, now and then.
            let mut runs = (0..TRIES).map(|_| lives(enough, gopatchd.socket()));
            runs.find(Result::is_ok)
                .unwrap_or_else(|| lives(enough, gopatchd.socket()))
                .with_context(|| format!("{enough} KiB, {backend}"))?;
        }
        gopatchd.stop()?;
    }
    Ok(())
}

#[test]
fn a_stop_of_seconds_changes_nothing() -> Result<()> {
    let subject = Subject::build()?;
    for backend in backends() {
        let mut gopatchd = Gopatchd::start(&subject.scratch, backend, &[])?;
        let mut command = Command::new(&subject.patched);
        command.args(["loop", "4000"]).env(SOCKET_ENV, gopatchd.socket());
        let mut program = Process::start(&mut command, subject.scratch.path(), "stopped")?;
        gopatchd.wait_for_operation()?;
        program.signal(Signal::STOP)?;
        std::thread::sleep(Duration::from_secs(3));
        program.signal(Signal::CONT)?;
        let status = program.wait(SOON)?;
        ensure!(status.success(), "{backend}: {}", program.describe(&format!("ended with {status}")));
        let collected = gopatchd.stop()?;
        ensure!(collected.summary.sessions == 1, "{backend}: {:?}", collected.summary);
        collected.ensure_all_seen()?;
    }
    Ok(())
}

/// A limit of memory counts a file's memory against the first process that touches it.
#[test]
fn rings_are_not_counted_against_the_limit_of_a_program() -> Result<()> {
    let Some(group) = MemoryGroup::create()? else {
        eprintln!("NOT TESTED: memory groups, which this machine does not let us create");
        return Ok(());
    };
    let subject = Subject::build()?;
    for backend in backends() {
        let mut gopatchd = Gopatchd::start(&subject.scratch, backend, &[])?;
        let mut command = Command::new("sh");
        let script = format!("echo $$ > {}; exec \"$0\" \"$@\"", group.0.join("cgroup.procs").display());
        command.args(["-c", &script]).arg(&subject.patched).args(["busy", "300000"]);
        command.env(SOCKET_ENV, gopatchd.socket()).env("GOMAXPROCS", "2");
        let mut program = Process::start(&mut command, subject.scratch.path(), "limited")?;
        let shared = program.wait_for("make its calls", SOON, |program| {
            Ok(program.stdout()?.contains("made").then(|| group.shared()))
        })??;
        program.kill()?;
        gopatchd.wait_for_operation()?;
        gopatchd.stop()?;
        // 300,000 calls fill two rings of 8 MiB, and memory stays counted until gopatchd unmaps it.
        ensure!(shared < 4 << 20, "{backend}: {shared} bytes of shared memory are counted against the program");
    }
    Ok(())
}

/// A memory group of the kernel (cgroup v2), which ends with the test.
struct MemoryGroup(PathBuf);

impl MemoryGroup {
    /// Below the group that the test runs in, whichever version of groups this machine has.
    fn create() -> Result<Option<Self>> {
        let mounts = std::fs::read_to_string("/proc/mounts")?;
        let mount_of = |kind: &str, option: &str| {
            mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()).find_map(|fields| match fields[..] {
                [_, path, of, options, ..]
                    if of == kind && options.split(',').any(|it| it == option || option.is_empty()) =>
                {
                    Some(PathBuf::from(path))
                }
                _ => None,
            })
        };
        let (root, limit) = match mount_of("cgroup", "memory") {
            Some(root) => (root, "memory.limit_in_bytes"),
            None => match mount_of("cgroup2", "") {
                Some(root) => (root, "memory.max"),
                None => return Ok(None),
            },
        };
        // Version 2 gives the group the controller only if its parent passes it on.
        let _ = std::fs::write(root.join("cgroup.subtree_control"), "+memory");
        let folder = root.join(format!("gopatch-test-{}", std::process::id()));
        if std::fs::create_dir(&folder).is_err() {
            return Ok(None);
        }
        let group = Self(folder);
        let is_limited = std::fs::write(group.0.join(limit), (256 << 20).to_string()).is_ok();
        Ok(is_limited.then_some(group))
    }

    /// Bytes of shared memory that count against the group.
    fn shared(&self) -> Result<u64> {
        let statistics = std::fs::read_to_string(self.0.join("memory.stat"))?;
        let of = |name: &str| statistics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(of("total_shmem").or(of("shmem")).context("no shmem")?.parse()?)
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}
