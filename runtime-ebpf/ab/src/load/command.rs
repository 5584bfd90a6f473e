//! A load that is a command.
//!
//! Decides: how long it may take beyond its duration.
//! Trusts: its exit status: 0 means that it did what it says.
//! Never does: tell it to a shell.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::output::{self, Told};
use crate::process::Process;

/// How long a command may take beyond the time it was given.
const LATE: Duration = Duration::from_mins(1);

/// Runs a command to its end and reads what it says.
pub(super) fn run(words: &[String], duration: Duration, folder: &Path) -> Result<Told> {
    let mut process = Process::start(&folder.join("load"), "the load", words, &[])?;
    process.succeed(duration + LATE)?;
    Ok(output::read(&process.stdout()))
}
