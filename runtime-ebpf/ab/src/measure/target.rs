//! The program that is measured.
//!
//! Decides: where it looks for gopatchd: at a path of the run's own, at which nobody listens unless a collector does.
//! Every variant gets that, so that all have the same environment.
//! Trusts: `--ready-*` to say when it serves.
//! Never does: measure a program that somebody else has started.

use std::path::Path;

use anyhow::Result;
use gopatch_protocol::wire::SOCKET_ENV;

use crate::options::Options;
use crate::process::Process;
use crate::template::Values;

/// Starts a program and waits until it is ready.
pub(crate) fn start(
    options: &Options,
    words: &[String],
    values: &Values,
    folder: &Path,
    socket: &Path,
) -> Result<Process> {
    options.ready.ensure_not_yet(values)?;
    let mut process = Process::start(&folder.join("program"), "the program", words, &[(SOCKET_ENV, socket)])?;
    options.ready.wait(&mut process, values, options.ready_within)?;
    Ok(process)
}
