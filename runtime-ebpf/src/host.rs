//! What gopatchd asks of the host for itself: signals, priority, limits.

use std::io;
use std::os::unix::net::UnixStream;

use rustix::process::{Resource, getpriority_process, getrlimit, setpriority_process, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};

/// How much more of a processor than others gopatchd may have when all are busy: three times as much (`sched_prio_to_weight` of
/// `kernel/sched/core.c`).
const NICE: i32 = -5;

/// A stream that becomes readable when gopatchd is asked to stop.
pub(crate) fn stop_signals() -> io::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(SIGINT, writer.try_clone()?)?;
    signal_hook::low_level::pipe::register(SIGTERM, writer)?;
    Ok(reader)
}

/// Who waits for a processor loses what rings cannot hold meanwhile. Somebody who has chosen a priority is left alone, and without the
/// right to (CAP_SYS_NICE) nothing changes.
pub(crate) fn raise_priority() {
    if getpriority_process(None) == Ok(0) {
        let _ = setpriority_process(None, NICE);
    }
}

/// Each session holds a file, so many sessions need a high limit. It is not worth failing for.
pub(crate) fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
