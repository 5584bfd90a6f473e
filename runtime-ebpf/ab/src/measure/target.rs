//! Starts the measured program. Each variant gets the same environment, with a gopatchd socket that
//! exists only in runs with a collector.

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
    options.ready.check_address_is_free(values)?;
    let mut process = Process::start(&folder.join("program"), "the program", words, &[(SOCKET_ENV, socket)])?;
    options.ready.wait(&mut process, values, options.ready_within)?;
    Ok(process)
}
