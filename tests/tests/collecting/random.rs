//! Random Go programs in every way to compile them: patched with hooks everywhere, with and without
//! captures, attached and not, each prints what it prints unpatched, ends with the same status and
//! leaves the same traceback.
//!
//! A difference names the seed: the source of its program is in `target/corpus/generated`. Programs
//! on which two unpatched runs disagree are a defect of the generator, and fail the test, too.

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::SOCKET_ENV;
use gopatch_tests::random::{self, Outcome};
use gopatch_tests::{Gopatch, Gopatchd, Process, SOON, Scratch, backends, gopatch, gopatchd};
use xtask::corpus;

/// Longest run of the programs of one binary.
const PATIENCE: Duration = Duration::from_mins(5);

/// Programs of one binary: its manifest, with every function hooked, stays small.
const TOGETHER: u64 = 100;

/// Programs of the long test, unless `GOPATCH_RANDOM_SEEDS=FIRST..LAST` chooses others.
const ALL: Range<u64> = 0..500;

#[test]
fn programs_of_the_newest_go() -> Result<()> {
    compare(0..20, "1.27.4", "default")
}

/// One test for each version of Go and mode, so that each runs by its name.
macro_rules! modes {
    ($($go:ident = $version:literal: $($test:ident = $mode:literal)*;)*) => {
        $(
            mod $go {
                use super::*;

                $(
                    #[test]
                    #[ignore = "soak: takes minutes"]
                    fn $test() -> Result<()> {
                        all_programs($version, $mode)
                    }
                )*
            }
        )*
    };
}

modes! {
    go_1_21 = "1.21.13": default = "default" no_inlining = "no-inlining" no_optimization = "no-optimization"
        race = "race" cover = "cover" pgo = "pgo" amd64_v3 = "amd64-v3";
    go_1_24 = "1.24.13": default = "default" no_inlining = "no-inlining" no_optimization = "no-optimization"
        race = "race" cover = "cover" pgo = "pgo" amd64_v3 = "amd64-v3";
    go_1_27 = "1.27.4": default = "default" no_inlining = "no-inlining" no_optimization = "no-optimization"
        race = "race" cover = "cover" pgo = "pgo" amd64_v3 = "amd64-v3";
}

fn all_programs(go: &str, mode: &str) -> Result<()> {
    let all = match std::env::var("GOPATCH_RANDOM_SEEDS") {
        Err(_) => ALL,
        Ok(text) => {
            let (first, last) = text.split_once("..").context("GOPATCH_RANDOM_SEEDS is not FIRST..LAST")?;
            first.parse()?..last.parse()?
        }
    };
    let mut failures = String::new();
    for first in all.clone().step_by(TOGETHER as usize) {
        let seeds = first..all.end.min(first + TOGETHER);
        if let Err(error) = compare(seeds.clone(), go, mode) {
            writeln!(failures, "programs {seeds:?}: {error:#}")?;
        }
    }
    ensure!(failures.is_empty(), "Go {go}, {mode}:\n{failures}");
    Ok(())
}

/// Runs the programs of these seeds unpatched and patched, and reports all differences.
fn compare(seeds: Range<u64>, go: &str, mode: &str) -> Result<()> {
    let scratch = Scratch::new()?;
    let original = build(&scratch, &seeds, go, mode)?;
    let expected = Runs::new(&scratch, &original, &seeds, None).context("unpatched")?;
    let mut failures =
        expected.differences(&Runs::new(&scratch, &original, &seeds, None).context("unpatched")?, "unpatched, again");
    for (rules, name) in random::RULES {
        let patched = patch(&scratch, &original, rules).with_context(|| format!("rules {name}"))?;
        let found = Runs::new(&scratch, &patched, &seeds, None).with_context(|| name.to_owned())?;
        failures += &expected.differences(&found, &format!("rules {name}, no gopatchd"));
        for backend in backends() {
            let gopatchd = Gopatchd::start_silent(&scratch, backend)?;
            let found =
                Runs::new(&scratch, &patched, &seeds, Some(&gopatchd)).with_context(|| format!("{name}, {backend}"))?;
            failures += &expected.differences(&found, &format!("rules {name}, backend {backend}"));
            let summary = gopatchd.stop_silent()?;
            ensure!(summary.records > 0 && summary.broken_rings == 0, "rules {name}, backend {backend}: {summary:?}");
        }
        fs::remove_file(patched)?;
    }
    // Five hundred programs in every mode take gigabytes.
    fs::remove_file(original)?;
    ensure!(failures.is_empty(), "\n{failures}");
    Ok(())
}

fn build(scratch: &Scratch, seeds: &Range<u64>, go: &str, mode: &str) -> Result<PathBuf> {
    let minor: u32 = go.split('.').nth(1).and_then(|minor| minor.parse().ok()).context("a version of Go")?;
    let mut files = random::files(seeds.clone(), minor);
    let name = format!("random{}to{}", seeds.start, seeds.end);
    // The programs' own profile, of the same text.
    if mode == "pgo" {
        let profile = scratch.file("profile");
        let unprofiled = corpus::build_generated(&name, &format!("{name}-1.{minor}"), ".", &files, go, "default")?;
        let mut command = Command::new(&unprofiled);
        command.arg("run").args(seeds.clone().map(|seed| seed.to_string())).env("RANDOM_PROFILE", &profile);
        Process::run(&mut command, scratch.path(), "profiled", PATIENCE)?;
        files.insert("profile.pgo".into(), fs::read(profile)?);
        fs::remove_file(unprofiled)?;
    }
    let folder = format!("{name}-1.{minor}{}", if mode == "pgo" { "-pgo" } else { "" });
    corpus::build_generated(&name, &folder, ".", &files, go, mode)
}

fn patch(scratch: &Scratch, original: &Path, rules: &str) -> Result<PathBuf> {
    let patched = gopatch::patch_with(scratch, original, rules)?;
    let done = Gopatch::run(gopatch::command(&["verify"])?.arg(&patched).arg("--original").arg(original))?;
    ensure!(done.status == Some(0), "verify: {}", done.stderr);
    Ok(patched)
}

/// What the programs of one binary print: all that return in one process, and each ending.
struct Runs {
    together: Outcome,
    endings: Vec<(u64, Outcome)>,
}

impl Runs {
    fn new(scratch: &Scratch, program: &Path, seeds: &Range<u64>, gopatchd: Option<&Gopatchd>) -> Result<Self> {
        let all: Vec<_> = seeds.clone().map(|seed| seed.to_string()).collect();
        let together = run(scratch, program, "run", &all, gopatchd)?;
        let endings = seeds
            .clone()
            .map(|seed| {
                Ok((
                    seed,
                    run(scratch, program, "end", &[seed.to_string()], gopatchd)
                        .with_context(|| format!("the end of {seed}"))?,
                ))
            })
            .collect::<Result<_>>()?;
        Ok(Self { together, endings })
    }

    /// Describes in what other runs differ from these.
    fn differences(&self, found: &Self, how: &str) -> String {
        let mut differences = self.together.difference(&found.together).map(|it| format!("{how}: {it}"));
        for ((seed, expected), (_, found)) in self.endings.iter().zip(&found.endings) {
            let difference = expected.difference(found).map(|it| format!("{how}, the end of {seed}: {it}"));
            differences = [differences, difference].into_iter().flatten().reduce(|one, other| one + &other);
        }
        differences.unwrap_or_default()
    }
}

/// Runs programs of a binary. With gopatchd they begin when it has attached the process.
fn run(
    scratch: &Scratch,
    program: &Path,
    what: &str,
    seeds: &[String],
    gopatchd: Option<&Gopatchd>,
) -> Result<Outcome> {
    let begin = scratch.file("begin");
    let mut command = Command::new(program);
    command.arg(what).args(seeds).env(SOCKET_ENV, gopatchd::socket(scratch)).env("GOCOVERDIR", scratch.path());
    command.env("GORACE", "atexit_sleep_ms=0").env_remove("GOTRACEBACK").process_group(0);
    if gopatchd.is_some() {
        command.env("RANDOM_AFTER", &begin);
    }
    let mut process = Process::start(&mut command, scratch.path(), "random")?;
    if gopatchd.is_some() {
        let maps = format!("/proc/{}/maps", process.pid());
        process
            .wait_for("attach", SOON, |_| Ok(fs::read_to_string(&maps)?.contains("gopatch-control").then_some(())))?;
        fs::write(&begin, "")?;
    }
    let status = process.wait(PATIENCE)?;
    if gopatchd.is_some() {
        fs::remove_file(&begin)?;
    }
    Ok(Outcome::new(status, &process.stdout()?, &process.stderr()))
}
