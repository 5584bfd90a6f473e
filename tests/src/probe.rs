//! The program `programs/probe`: what a patched program does besides serving requests.
//!
//! It is built for each test; Go's build cache makes that a matter of a second.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use gopatch_protocol::wire::SOCKET_ENV;

use crate::process::Process;
use crate::{Scratch, gopatch, gopatchd, programs};

/// Longest run.
const PATIENCE: Duration = Duration::from_mins(1);

/// The probe, unpatched and patched.
pub struct Probe {
    /// As Go built it.
    pub original: PathBuf,
    /// Patched with the default rules.
    pub patched: PathBuf,
}

impl Probe {
    /// Builds and patches it.
    pub fn build(scratch: &Scratch, go: &str) -> Result<Self> {
        let original = programs::build(scratch, "probe", go, &[])?;
        let patched = gopatch::patch(&original, scratch.file("probe-patched"))?;
        Ok(Self { original, patched })
    }
}

/// Runs one of the two and returns what it prints.
pub fn run(scratch: &Scratch, program: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(arguments).env(SOCKET_ENV, gopatchd::socket(scratch));
    Process::run(&mut command, scratch.path(), "probe", PATIENCE)
}
