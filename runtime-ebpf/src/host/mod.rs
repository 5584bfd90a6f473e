//! The host as gopatchd uses it for itself: signals, priority, limits, time; `allow` says
//! whom it serves, `rights` and `filter` give up what is not needed, `waker` wakes the main loop,
//! `closer` closes what may take long to close.

pub(crate) mod allow;
pub(crate) mod closer;
pub(crate) mod filter;
pub(crate) mod rights;
pub(crate) mod waker;

use std::io;
use std::os::unix::net::UnixStream;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getpriority_process, getrlimit, setpriority_process, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Gives gopatchd three times the share of other processes on a busy processor
/// (`sched_prio_to_weight` of `kernel/sched/core.c`).
const NICE: i32 = -5;

/// A stream that becomes readable when a signal asks gopatchd to stop.
pub(crate) fn stop_signals() -> io::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(SIGINT, writer.try_clone()?)?;
    signal_hook::low_level::pipe::register(SIGTERM, writer)?;
    Ok(reader)
}

/// Raises the priority: while gopatchd waits for a processor, rings overflow. A priority that was
/// chosen is kept, and without CAP_SYS_NICE nothing changes.
pub(crate) fn raise_priority() {
    if getpriority_process(None) == Ok(0) {
        let _ = setpriority_process(None, NICE);
    }
}

/// Nanoseconds since 1970.
pub(crate) fn unix_nanos_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

/// Raises the limit of open files as far as allowed: each session holds two. A failure is ignored.
pub(crate) fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
