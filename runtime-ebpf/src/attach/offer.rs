//! A session that gopatchd has sent to a process, until the process has taken it.
//!
//! Decides: whether a process has taken what it was sent.
//! Trusts: the kernel. A process that closes its socket with an unread message resets the
//! connection (`unix_release_sock` in `net/unix/af_unix.c`); one that has read everything ends it.
//! Never does: wait.
//!
//! A process waits only for a short time for its reply and then makes a session itself. The reply
//! may be sent at that very moment, so that it was sent proves nothing. What gopatchd does:
//!
//! | the process | gopatchd sees | and |
//! |---|---|---|
//! | has closed its socket before gopatchd reads its hello | the end of the connection | makes no session, and looks at the process |
//! | closes it before the reply is sent | that the reply cannot be sent | frees what it has made, and looks at the process |
//! | closes it with the reply unread | a reset | frees what it has made, and looks at the process |
//! | reads the reply, and maps what came | the end of the connection | begins the session |
//! | reads the reply, and cannot map it | the end of the connection | begins the session |
//! | is stopped, or has not closed the socket for another reason | nothing | waits, for as long as that lasts |
//! | connects again without closing it | a hello of the same process | begins the session, which the next replaces |
//!
//! Of the fifth gopatchd knows only when its finder sees a session of the process's own. The rule
//! for two sessions of one process: *what a process has mapped is its session*, and it has mapped
//! one. A session that the finder has seen after the other one was begun replaces it; one that it
//! has seen before may be gone, so it looks again.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::net::sockopt::socket_error;
use rustix::net::{Shutdown, shutdown};

use super::control_page::ControlPage;
use super::handshake::{Candidate, Source};
use super::readers::has_left;
use crate::rings::Rings;

/// What a new session consists of on this side.
pub(crate) struct Started {
    pub(crate) rings: Box<dyn Rings>,
    /// Of each large ring.
    pub(crate) ring_bytes: u32,
    /// How many large rings there are.
    pub(crate) large: u32,
    /// None if the session had one.
    pub(crate) control: Option<ControlPage>,
}

impl Started {
    /// Bytes that its rings take if each P fills one.
    pub(crate) fn ring_memory(&self) -> u64 {
        u64::from(self.large) * u64::from(self.ring_bytes)
    }
}

/// A session that was sent and perhaps not taken.
pub(crate) struct Offer {
    candidate: Candidate,
    started: Started,
    /// The process has connected again since.
    is_old: bool,
}

/// What a process has done with an offer.
pub(crate) enum Fate {
    /// Nothing yet.
    Open(Offer),
    /// It has read the reply.
    Taken(Candidate, Started),
    /// It never will.
    Left,
}

impl Offer {
    /// What was sent to a process that has connected.
    pub(crate) fn new(candidate: Candidate, started: Started) -> Self {
        Self { candidate, started, is_old: false }
    }

    /// The pid of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.candidate.peer.pid
    }

    /// On which is seen what the process does.
    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        match self.candidate.source() {
            Source::Connection(socket) => Some(socket.as_fd()),
            Source::Session { .. } => None,
        }
    }

    /// Another offer was made to the same process. A process that keeps to the protocol has closed
    /// the socket of this one; of any other, a session takes what an offer would take, and ends.
    pub(crate) fn supersede(&mut self) {
        self.is_old = true;
    }

    /// What has become of it.
    pub(crate) fn settle(self) -> Fate {
        let Some(socket) = self.socket() else { return Fate::Taken(self.candidate, self.started) };
        if !has_left(socket) {
            return if self.is_old { Fate::Taken(self.candidate, self.started) } else { Fate::Open(self) };
        }
        // The kernel marks the end and then the reset, under the lock of the socket, which this takes.
        let _ = shutdown(socket, Shutdown::Write);
        match socket_error(socket) {
            Ok(Ok(())) => Fate::Taken(self.candidate, self.started),
            Ok(Err(_)) | Err(_) => Fate::Left,
        }
    }

    /// gopatchd ends: the next one may take the session at once, if the process has it.
    pub(crate) fn leave(&self) {
        self.started.control.iter().for_each(ControlPage::release);
    }

    /// Bytes that its rings take if each P fills one.
    pub(crate) fn ring_memory(&self) -> u64 {
        self.started.ring_memory()
    }
}
