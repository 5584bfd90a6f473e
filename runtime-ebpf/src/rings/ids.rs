//! Opens BPF maps of sessions that an earlier gopatchd has left, by the kernel's ids.
//!
//! Decides: for how long that is possible. The kernel demands CAP_SYS_ADMIN for it, which no other
//! part of gopatchd has after the start: a thread of its own does this and nothing else. All such
//! sessions are found soon after the start, so the thread ends after a while, and the capability is
//! gone.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use std::{io, thread};

use anyhow::{Context, Result};
use aya::maps::MapData;

use crate::host::rights;

/// A session without a gopatchd is taken in the first look that finds its heartbeat standing still,
/// within two seconds. This is for a machine that is very busy.
const OPEN_FOR: Duration = Duration::from_mins(1);

/// A map to open, and where to send it.
type Request = (u32, Sender<Result<MapData>>);

/// The thread, as the backend has it.
#[derive(Debug)]
pub(super) struct Ids(Sender<Request>);

impl Ids {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let (sender, requests) = channel();
        thread::Builder::new().name("ids".into()).spawn(move || serve(&requests))?;
        Ok(Self(sender))
    }

    /// Opens a map, which takes one system call.
    pub(super) fn open(&self, id: u32) -> Result<MapData> {
        let (sender, map) = channel();
        let asked = self.0.send((id, sender)).is_ok();
        let map = asked.then(|| map.recv().ok()).flatten();
        map.context("gopatchd has given up CAP_SYS_ADMIN, a minute after its start")?
    }
}

fn serve(requests: &Receiver<Request>) {
    rights::keep_in_thread(rights::MAPS | rights::MAP_IDS);
    let end = Instant::now() + OPEN_FOR;
    while let Ok((id, reply)) = requests.recv_timeout(end.saturating_duration_since(Instant::now())) {
        // The main loop waits for it.
        let _ = reply.send(MapData::from_id(id).map_err(Into::into));
    }
}
