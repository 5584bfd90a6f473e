//! A load that is a command. It must end with status 0; no shell reads it.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::output::{self, LoadReport};
use crate::process::Process;

/// How much longer than its duration a command may take.
const GRACE: Duration = Duration::from_mins(1);

/// Runs a command to its end and parses its output.
pub(super) fn run(words: &[String], duration: Duration, folder: &Path) -> Result<LoadReport> {
    let mut process = Process::start(&folder.join("load"), "the load", words, &[])?;
    process.wait_for_success(duration + GRACE)?;
    Ok(output::parse(&process.stdout()))
}
