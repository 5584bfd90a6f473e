//! Runs the program `fuzz` (`main.rs`) on a target, and finds the input that ended it.
//!
//! Decides: where inputs that show a fault are saved. A run is the same whenever it begins with the
//! same number, so a run that was ended by a signal is repeated, with each input written down before
//! it is read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use xtask::workspace;

use crate::Target;

/// The end of a run.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// After this many seconds.
    Seconds(u64),
    /// After this many executions.
    Runs(u64),
}

/// What a run without a fault was.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// Executions.
    pub executions: u64,
    /// Milliseconds of the slowest, on a clock that runs on while other processes have the processor.
    pub slowest_millis: u64,
    /// Most bytes that an execution had allocated.
    pub memory: u64,
}

/// The folder of the cases that are kept of a target: those that have shown a fault.
pub fn kept(target: &Target) -> PathBuf {
    workspace::root().join("tests/fuzz/kept").join(target.name)
}

/// Fuzzes a target, beginning with a number. An input that shows a fault is saved in `found`.
pub fn fuzz(fuzzer: &Path, target: &Target, found: &Path, begin: u64, end: End) -> Result<Done> {
    fs::create_dir_all(found).with_context(|| format!("cannot make {}", found.display()))?;
    let (flag, number) = match end {
        End::Seconds(number) => ("--seconds", number),
        End::Runs(number) => ("--runs", number),
    };
    let mut command = Command::new(fuzzer);
    command.arg("one").arg(target.name).arg(found).args(["--begin", &begin.to_string(), flag, &number.to_string()]);
    let output = run(&mut command)?;
    if output.status.code().is_none() {
        let input = found.join(format!("ended-{begin}"));
        let again = run(command.arg("--trace").arg(&input))?;
        ensure!(again.status.code().is_none(), "{}: {} once, then {}", target.name, output.status, again.status);
        bail!("{}: {}, by {}\n{}", target.name, output.status, input.display(), text(&output.stderr));
    }
    ensure!(output.status.success(), "{}: {}", target.name, text(&output.stderr));
    let mut numbers =
        text(&output.stdout).split_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>()?.into_iter();
    let mut number = || numbers.next().context("the fuzzer prints three numbers");
    Ok(Done { executions: number()?, slowest_millis: number()?, memory: number()? })
}

/// Repeats single inputs.
pub fn repeat(fuzzer: &Path, target: &Target, inputs: &[PathBuf]) -> Result<()> {
    for input in inputs {
        let output = run(Command::new(fuzzer).arg("repeat").arg(target.name).arg(input))?;
        ensure!(output.status.success(), "{}: {}\n{}", input.display(), output.status, text(&output.stderr));
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<Output> {
    command.output().map_err(|error| workspace::cannot_start(command, &error))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("(not UTF-8)").trim_end()
}
