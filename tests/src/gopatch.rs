//! Runs the command `gopatch` with the options that tests share.
//!
//! Trusts nothing that gopatch prints: a test examines the output file. An incomplete output is an
//! error unless a test expects it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use xtask::corpus;

use crate::{Scratch, release_binary};

/// The result of a run of `gopatch`.
pub struct Gopatch {
    /// Its exit status.
    pub status: Option<i32>,
    /// Its stdout.
    pub stdout: String,
    /// Its stderr.
    pub stderr: String,
}

impl Gopatch {
    /// Runs `gopatch`, or a program that runs it.
    pub fn run(command: &mut Command) -> Result<Self> {
        let output = command.output().with_context(|| xtask::workspace::command_line(command))?;
        let text = |bytes| String::from_utf8(bytes).context("gopatch's output is not UTF-8");
        Ok(Self { status: output.status.code(), stdout: text(output.stdout)?, stderr: text(output.stderr)? })
    }
}

/// The command `gopatch` with these arguments.
pub fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(release_binary("gopatch")?);
    command.args(arguments);
    Ok(command)
}

/// Patches a program with the default rules; no site may be refused.
pub fn patch(program: &Path, output: PathBuf) -> Result<PathBuf> {
    let done = Gopatch::run(command(&[])?.arg(program).arg("-o").arg(&output))?;
    ensure!(done.status == Some(0), "gopatch {}: {:?}\n{}", program.display(), done.status, done.stderr);
    Ok(output)
}

/// Builds a program of the corpus and patches it with the default rules.
pub fn patched(scratch: &Scratch, program: &str, go: &str, mode: &str) -> Result<PathBuf> {
    patch(&corpus::build(program, go, mode)?, scratch.file(&format!("{program}-{go}-{mode}")))
}

/// A rule that hooks every function that can be hooked.
pub const EVERYTHING: &str =
    "rules: [{ name: everything, import: '*', function: '*', partial: true, enter: {}, exit: {} }]\n";

/// Patches a program with these rules only.
pub fn patch_with(scratch: &Scratch, program: &Path, rules: &str) -> Result<PathBuf> {
    patch_by(command(&["-q", "--no-default-rules"])?, scratch, program, rules)
}

/// Patches a program with the default rules and [`EVERYTHING`].
pub fn patch_everything(scratch: &Scratch, program: &Path) -> Result<PathBuf> {
    patch_by(command(&["-q"])?, scratch, program, EVERYTHING)
}

/// Patches a program by a command with these rules.
pub fn patch_by(mut command: Command, scratch: &Scratch, program: &Path, rules: &str) -> Result<PathBuf> {
    let (rules_file, output) = (scratch.file("added.yaml"), scratch.file("patched-by-rules"));
    std::fs::write(&rules_file, rules)?;
    let done = Gopatch::run(command.arg("--rules").arg(rules_file).arg(program).arg("-o").arg(&output))?;
    ensure!(done.status == Some(0), "gopatch {}: {:?}\n{}", program.display(), done.status, done.stderr);
    Ok(output)
}
