//! corpus/hookbench: the program whose calls are measured, as it was built and patched.
//!
//! Decides: how it is run: on a processor of its own, one process a measurement.
//! Trusts: its clock, which it reads before and after a burst of calls.
//! Never does: touch the corpus's copy, which other tests use: a uprobe is in every process that maps the file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use gopatch::patch::{Options, patch as patch_bytes};
use gopatch::rules::Source;
use gopatch_protocol::wire::{DEFAULT_SOCKET, SOCKET_ENV};
use serde::Deserialize;
use xtask::workspace;

use crate::cpu::Cpus;

/// How a function is called: so many times without a break, in so many rounds of which the best counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Burst {
    pub(crate) calls: u32,
    pub(crate) rounds: u32,
    /// Rest before each round, in which collectors empty their rings.
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

/// The line that hookbench prints, as far as it is used here.
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

    /// A patched copy beside this one, with these rules and no others.
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

    /// The same, with a collector to be found at `socket`.
    pub(crate) fn run_with(&self, socket: &Path, function: &str, burst: Burst) -> Result<f64> {
        // A child starts where its parent runs.
        self.cpus.use_measured()?;
        let line = self.measure(socket, function, burst, 1);
        self.cpus.use_collectors()?;
        line
    }

    /// The same by so many goroutines, with as many Ps, wherever the kernel puts them on the two processors. The collector runs
    /// there too, in the pauses.
    pub(crate) fn run_on_both(&self, socket: &Path, function: &str, burst: Burst, goroutines: u32) -> Result<f64> {
        self.cpus.use_both()?;
        let line = self.measure(socket, function, burst, goroutines);
        self.cpus.use_collectors()?;
        line
    }

    /// Calls so many times a second, and gives how many times it really did.
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
            serde_json::from_str(&workspace::output(&mut command)?).context("hookbench's line is not what it was")?;
        Ok(line.ns_per_call)
    }
}

fn output(command: &mut Command) -> Result<Line> {
    serde_json::from_str(&workspace::output(command)?).context("hookbench's line is not what it was")
}

/// Patches a program with these rules and no others, and with symbols for what is added.
pub(crate) fn patch(program: &Path, to: &Path, rules: &str) -> Result<()> {
    let source = Source { name: "bench.yaml".to_owned(), text: rules.to_owned() };
    let options = Options { rules: vec![source], socket: DEFAULT_SOCKET.into(), attach: None, symbols: true };
    let input = fs::read(program)?;
    let patched = patch_bytes(&input, &options)?;
    fs::write(to, patched.output.to_vec()).with_context(|| format!("cannot write {}", to.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
