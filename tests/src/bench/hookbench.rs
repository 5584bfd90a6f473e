//! corpus/hookbench: the program whose calls are measured, as built and as patched.
//!
//! It runs on its own processor, one process for each measurement, and reads the clock before and
//! after a burst of calls. The benchmarks copy it first: a uprobe fires in every process that maps
//! the file, and other tests use the corpus's copy.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use gopatch::patch::{Options, patch as patch_bytes};
use gopatch::rules::Source;
use gopatch_protocol::wire::SOCKET_ENV;
use serde::Deserialize;
use xtask::workspace;

use crate::cpu::Cpus;

/// How a function is called: how many times in a row, and in how many rounds; the best round counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Burst {
    pub(crate) calls: u32,
    pub(crate) rounds: u32,
    /// Pause before each round, in which collectors empty their rings.
    pub(crate) pause_millis: u32,
}

impl Burst {
    /// Calls in all rounds.
    pub(crate) fn total(self) -> u64 {
        u64::from(self.calls) * u64::from(self.rounds)
    }
}

/// An executable of hookbench.
#[derive(Debug)]
pub(crate) struct Hookbench {
    path: PathBuf,
    cpus: Cpus,
}

/// The part of hookbench's line that is used here.
#[derive(Deserialize)]
struct Line {
    ns_per_call: f64,
}

impl Hookbench {
    /// A copy of `program`.
    pub(crate) fn copy(program: &Path, path: PathBuf, cpus: Cpus) -> Result<Self> {
        fs::copy(program, &path).with_context(|| format!("cannot copy {}", program.display()))?;
        Ok(Self { path, cpus })
    }

    /// A patched copy with these rules only.
    pub(crate) fn patched(&self, name: &str, rules: &str) -> Result<Self> {
        let path = self.path.with_added_extension(name);
        patch(&self.path, &path, rules)?;
        Ok(Self { path, cpus: self.cpus })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Nanoseconds of a call of `function`.
    pub(crate) fn run(&self, function: &str, burst: Burst) -> Result<f64> {
        self.run_with(Path::new(""), function, burst)
    }

    /// The same with a collector at `socket`.
    pub(crate) fn run_with(&self, socket: &Path, function: &str, burst: Burst) -> Result<f64> {
        // A child starts on its parent's processor.
        self.cpus.use_measured()?;
        let line = self.measure(socket, function, burst, 1);
        self.cpus.use_collectors()?;
        line
    }

    /// The same by this many goroutines, with as many Ps, on both processors. The collector runs
    /// there too, in the pauses.
    pub(crate) fn run_on_both(&self, socket: &Path, function: &str, burst: Burst, goroutines: u32) -> Result<f64> {
        self.cpus.use_both()?;
        let line = self.measure(socket, function, burst, goroutines);
        self.cpus.use_collectors()?;
        line
    }

    /// Calls at a rate a second, and returns the actual rate.
    pub(crate) fn pace(&self, socket: &Path, function: &str, rate: u64, seconds: u64) -> Result<f64> {
        self.cpus.use_measured()?;
        let mut command = Command::new(&self.path);
        command.args(["-fn", function, "-rate", &rate.to_string(), "-for", &format!("{seconds}s")]);
        let line = output(command.env(SOCKET_ENV, socket).env("GOMAXPROCS", "1"));
        self.cpus.use_collectors()?;
        Ok(1e9 / line?.ns_per_call)
    }

    fn measure(&self, socket: &Path, function: &str, burst: Burst, goroutines: u32) -> Result<f64> {
        let Burst { calls, rounds, pause_millis } = burst;
        let mut command = Command::new(&self.path);
        command.args(["-fn", function, "-n", &calls.to_string(), "-rounds", &rounds.to_string()]);
        command.args(["-pause", &format!("{pause_millis}ms"), "-goroutines", &goroutines.to_string()]);
        command.env(SOCKET_ENV, socket).env("GOMAXPROCS", goroutines.to_string());
        let line: Line =
            serde_json::from_str(&workspace::output(&mut command)?).context("cannot parse hookbench's line")?;
        Ok(line.ns_per_call)
    }
}

fn output(command: &mut Command) -> Result<Line> {
    serde_json::from_str(&workspace::output(command)?).context("cannot parse hookbench's line")
}

/// Patches a program with these rules only, and with symbols for the thunks.
pub(crate) fn patch(program: &Path, to: &Path, rules: &str) -> Result<()> {
    let source = Source { name: "bench.yaml".to_owned(), text: rules.to_owned() };
    let options = Options { symbols: true, ..Options::new(vec![source]) };
    let input = fs::read(program)?;
    let patched = patch_bytes(&input, &options)?;
    fs::write(to, patched.output.to_vec()).with_context(|| format!("cannot write {}", to.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
