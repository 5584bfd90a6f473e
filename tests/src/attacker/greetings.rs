//! Floods of hellos, right and wrong, and connections that say nothing.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use anyhow::Result;
use gopatch_protocol::wire::Hello;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::client::{Target, hello, receive, send};
use crate::manifests::{Executable, small};

/// Threads that send hellos.
const GREETERS: usize = 4;

/// Connections that say nothing.
const SILENT: usize = 6000;

/// Sends hellos as fast as it can.
pub(crate) fn flood(target: &Target, _: Option<&str>) -> Result<()> {
    let executable = Executable::new(&small())?;
    std::thread::scope(|scope| {
        for thread in 0..GREETERS {
            let executable = &executable;
            scope.spawn(move || {
                for number in thread.. {
                    greet(target, executable, number);
                }
            });
        }
    });
    Ok(())
}

/// Sends one of the hellos that there can be.
fn greet(target: &Target, executable: &Executable, number: usize) {
    let Some(connection) = target.connect() else { return };
    let mut message = hello(2, executable.id).to_vec();
    let mut file = Some(executable.file.as_fd());
    let mut reads = true;
    match number % 12 {
        0 => message.truncate(Hello::SIZE - 1),
        1 => message.push(0),
        2 => message[7] ^= 1,
        3 => message.fill_with(|| fastrand::u8(..)),
        4 => message[Hello::MANIFEST_ID] ^= 1,
        5 => message[Hello::RINGS_WANTED..][..4].fill(0xff),
        6 => {
            message[Hello::SESSIONS_BEFORE..][..4].fill(0xff);
            message[Hello::LOST_UNCONSUMED..][..16].fill(0xff);
        }
        // gopatchd then opens the executable itself: this program, which is not patched.
        7 => file = None,
        8 => reads = false,
        // A second message, with a file that nobody expects.
        9 => target.tally.add("sent twice", u64::from(send(&connection, &message, file))),
        _ => {}
    }
    target.tally.add("hellos", u64::from(send(&connection, &message, file)));
    if reads && receive(&connection).is_some() {
        target.tally.add("attached", 1);
    }
}

/// Holds connections on which it says nothing, and replaces those that gopatchd closes.
pub(crate) fn stay_silent(target: &Target, _: Option<&str>) -> Result<()> {
    let mut held: Vec<OwnedFd> = Vec::new();
    let mut most = 0;
    loop {
        while held.len() < SILENT
            && let Some(connection) = target.connect()
        {
            held.push(connection);
        }
        if held.len() > most {
            target.tally.add("held at once", (held.len() - most) as u64);
            most = held.len();
        }
        let mut files: Vec<_> = held.iter().map(|file| PollFd::new(file, PollFlags::IN)).collect();
        poll(&mut files, Some(&Timespec { tv_sec: 0, tv_nsec: 100_000_000 }))?;
        let closed: Vec<_> = files.iter().map(|file| !file.revents().is_empty()).collect();
        let mut closed = closed.into_iter();
        held.retain(|_| !closed.next().expect("one for each"));
        std::thread::sleep(Duration::from_millis(100));
    }
}
