//! The files that gopatch writes: which names they may have, what they keep besides the program's
//! bytes, what follows them, and that nothing in them can be changed without notice.

mod metadata;
mod names;
mod payloads;
mod tampering;
mod tools;

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use gopatch_tests::{Gopatch, NEWEST_GO, Scratch, gopatch};
use xtask::{corpus, workspace};

/// Rules that match [`with_program`]'s.
const HOT: &str = "rules: [{ name: hot, import: main, function: Hot, enter: {} }]\n";

/// A folder with a program that can be patched, as `in`, and rules for it.
fn with_program() -> Result<Scratch> {
    let scratch = Scratch::new()?;
    fs::copy(corpus::build("hookbench", NEWEST_GO, "default")?, scratch.file("in"))?;
    fs::write(scratch.file("rules.yaml"), HOT)?;
    Ok(scratch)
}

/// Runs `gopatch ARGUMENTS` in the test's folder.
fn run(scratch: &Scratch, arguments: &[&str]) -> Result<Gopatch> {
    Gopatch::run(gopatch::command(arguments)?.current_dir(scratch.path()))
}

/// The same; it must succeed.
#[track_caller]
fn succeed(scratch: &Scratch, arguments: &[&str]) -> Result<Gopatch> {
    let done = run(scratch, arguments)?;
    ensure!(done.status == Some(0), "gopatch {arguments:?}: {:?}\n{}{}", done.status, done.stdout, done.stderr);
    Ok(done)
}

/// The same; it must fail with `reason` in its message.
#[track_caller]
fn fail(scratch: &Scratch, arguments: &[&str], reason: &str) -> Result<()> {
    let done = run(scratch, arguments)?;
    ensure!(done.status == Some(2), "gopatch {arguments:?}: {:?}\n{}{}", done.status, done.stdout, done.stderr);
    ensure!(done.stderr.contains(reason), "gopatch {arguments:?}: no {reason:?} in {}", done.stderr);
    Ok(())
}

/// Runs a program of the machine in the test's folder.
fn tool(scratch: &Scratch, program: &str, arguments: &[&str]) -> Result<String> {
    workspace::output(std::process::Command::new(program).args(arguments).current_dir(scratch.path()))
}

fn is_equal(one: &Path, other: &Path) -> Result<bool> {
    Ok(fs::read(one)? == fs::read(other)?)
}
