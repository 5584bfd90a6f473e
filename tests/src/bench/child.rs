//! A command, run once, and what it took.
//!
//! Decides: what counts: the time from its start to its end, the processor time of all its threads, and the most memory that it had at once.
//! Trusts: the kernel's accounts. A child begins in its parent's memory, so the least that can be told is what this process has.
//! Never does: go on after a command that failed.

use std::mem::MaybeUninit;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use xtask::workspace::shown;

/// What a command took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) wall: Duration,
    pub(crate) processor: Duration,
    /// Most bytes of memory at once, pages of mapped files among them.
    pub(crate) memory: u64,
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Result<Taken> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let child = command.spawn().with_context(|| shown(command))?;
    let (mut status, mut usage) = (0, MaybeUninit::<libc::rusage>::uninit());
    // SAFETY: the child is this process's, and nobody else waits for it. Both pointers are valid for writes while the call
    // lasts.
    let ended = unsafe { libc::wait4(child.id().cast_signed(), &raw mut status, 0, usage.as_mut_ptr()) };
    let wall = start.elapsed();
    ensure!(ended == child.id().cast_signed() && status == 0, "{} failed, wait status {status:#x}", shown(command));
    // SAFETY: a call that found the child has filled it in.
    let usage = unsafe { usage.assume_init() };
    let time = |of: libc::timeval| Duration::new(of.tv_sec.cast_unsigned(), of.tv_usec as u32 * 1000);
    Ok(Taken { wall, processor: time(usage.ru_utime) + time(usage.ru_stime), memory: usage.ru_maxrss as u64 * 1024 })
}
