//! Runs a command once and measures it: wall time, processor time of all its threads, and peak
//! memory.
//!
//! Trusts the kernel's accounts. A child begins with its parent's memory, which counts as its own.
//! So a small process starts the command: this program again, with [`ONCE`]. A command that fails
//! is an error.

use std::env;
use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use xtask::workspace::{command_line, output};

/// First argument of the process that runs a command once; the command follows.
pub(crate) const ONCE: &str = "--once";

/// The cost of a command.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) wall: Duration,
    pub(crate) processor: Duration,
    /// Peak memory in bytes, with pages of mapped files.
    pub(crate) memory: u64,
}

/// Runs a command to its end.
pub(crate) fn run(command: &Command) -> Result<Taken> {
    let mut once = Command::new(env::current_exe()?);
    once.arg(ONCE).arg(command.get_program()).args(command.get_args());
    serde_json::from_str(&output(&mut once)?).context("the cost of a command cannot be parsed")
}

/// Runs the command in these arguments, and prints its cost.
pub(crate) fn run_once(mut arguments: impl Iterator<Item = OsString>) -> Result<()> {
    let mut command = Command::new(arguments.next().context("a command is needed")?);
    println!("{}", serde_json::to_string(&take(command.args(arguments))?)?);
    Ok(())
}

fn take(command: &mut Command) -> Result<Taken> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let child = command.spawn().with_context(|| command_line(command))?;
    let (mut status, mut usage) = (0, MaybeUninit::<libc::rusage>::uninit());
    // SAFETY: the child is this process's, and nothing else waits for it. Both pointers are valid
    // for writes during the call.
    let ended = unsafe { libc::wait4(child.id().cast_signed(), &raw mut status, 0, usage.as_mut_ptr()) };
    let wall = start.elapsed();
    ensure!(
        ended == child.id().cast_signed() && status == 0,
        "{} failed, wait status {status:#x}",
        command_line(command)
    );
    // SAFETY: the call found the child and has filled it in.
    let usage = unsafe { usage.assume_init() };
    let time = |of: libc::timeval| Duration::new(of.tv_sec.cast_unsigned(), of.tv_usec as u32 * 1000);
    Ok(Taken { wall, processor: time(usage.ru_utime) + time(usage.ru_stime), memory: usage.ru_maxrss as u64 * 1024 })
}
