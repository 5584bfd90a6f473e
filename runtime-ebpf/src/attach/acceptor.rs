//! New connections, and sessions that were found, until each is a process that can have a session
//! here.
//!
//! Decides: when connections are accepted, and how often a refusal is logged.
//! Never does: wait. Files that are worth waiting for are handed to the main loop.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use super::closer::Closer;
use super::control_page::Owner;
use super::finder::{OwnSocket, Search};
use super::handshake::{Candidate, Handshake, Progress};
use super::listener::Listener;
use super::offer::{Fate, Offer, Started};
use super::readers::Readers;
use super::refusal::Refusal;
use crate::host::allow::Allow;
use crate::quota::Quotas;

/// How often the same refusal of a process is logged, and how many are remembered for that.
const LOG_REFUSAL_EVERY: Duration = Duration::from_mins(1);
const MAX_LOGGED_REFUSALS: usize = 256;

/// Most connections that are accepted at a time.
const MAX_ACCEPTED: usize = 64;

/// How long no connection is accepted after accepting has failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections and takes them through the handshake.
pub(crate) struct Acceptor {
    /// None once gopatchd is stopping.
    listener: Option<Listener>,
    allow: Allow,
    closer: Closer,
    quotas: Arc<Quotas>,
    accept_after: Instant,
    readers: Readers,
    search: Search,
    handshakes: Vec<Handshake>,
    offers: Vec<Offer>,
    refused: u64,
    /// Refusals that were logged, and when.
    logged: HashMap<(u32, String), Instant>,
}

impl Acceptor {
    /// Accepts from `listener`, and takes what the finder has found for its socket.
    pub(crate) fn start(
        listener: Listener,
        (allow, readers): (Allow, Readers),
        (closer, quotas): (Closer, Arc<Quotas>),
        (socket, owner): (OwnSocket, Owner),
    ) -> io::Result<Self> {
        let search = Search::start(socket, owner, readers.waker())?;
        Ok(Self {
            listener: Some(listener),
            allow,
            closer,
            quotas,
            accept_after: Instant::now(),
            readers,
            search,
            handshakes: Vec::new(),
            offers: Vec::new(),
            refused: 0,
            logged: HashMap::new(),
        })
    }

    /// Readable when an executable has been read.
    pub(crate) fn readers_wake(&self) -> BorrowedFd<'_> {
        self.readers.wake()
    }

    /// Makes `readers_wake` unreadable again.
    pub(crate) fn clear_readers_wake(&self) {
        self.readers.clear_wake();
    }

    /// The listening socket, unless no connection may be accepted now.
    pub(crate) fn listener(&self, now: Instant) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().filter(|_| self.may_accept(now)).map(AsFd::as_fd)
    }

    /// The sockets from which something is expected: a hello, or their end.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = PollFd<'_>> {
        let silent = self.handshakes.iter().filter_map(Handshake::silent_socket);
        let silent = silent.map(|socket| PollFd::from_borrowed_fd(socket, PollFlags::IN));
        let offers = self.offers.iter().filter_map(Offer::socket);
        silent.chain(offers.map(|socket| PollFd::from_borrowed_fd(socket, PollFlags::empty())))
    }

    /// When there is something to do even if no file becomes ready.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let accept_again = (self.accept_after > now).then_some(self.accept_after);
        self.handshakes.iter().map(Handshake::deadline).chain(accept_again).min()
    }

    /// Processes refused so far, with those that ended before they had a session.
    pub(crate) fn refused(&self) -> u64 {
        self.refused + self.search.missed()
    }

    /// Accepts the connections that wait, and others a moment later.
    pub(crate) fn accept(&mut self) {
        for _ in 0..MAX_ACCEPTED {
            if !self.may_accept(Instant::now()) {
                return;
            }
            let Some(connection) = self.listener.as_ref().map(Listener::accept) else {
                return;
            };
            match connection {
                Ok(Some(socket)) => match Handshake::new(socket, &self.closer, &self.quotas) {
                    Ok(handshake) => self.begin(handshake),
                    Err(Refusal::Ended(pid)) => self.count_ended(pid),
                    Err(refusal) => self.count_refusal(0, &refusal),
                },
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    self.accept_after = Instant::now() + ACCEPT_PAUSE;
                    return;
                }
            }
        }
    }

    /// Goes on with a process that may have a session.
    fn begin(&mut self, handshake: Handshake) {
        match handshake.check(&self.allow) {
            None => self.handshakes.push(handshake),
            Some(refusal) => self.refuse(&handshake, &refusal),
        }
    }

    /// Continues all handshakes. Returns the processes that are ready for a session.
    pub(crate) fn advance(&mut self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        if self.listener.is_some() {
            for found in self.search.found().collect::<Vec<_>>() {
                self.begin(Handshake::with_session(found));
            }
        }
        for handshake in std::mem::take(&mut self.handshakes) {
            match handshake.advance(&self.readers) {
                Progress::Waiting(handshake) => self.handshakes.push(handshake),
                Progress::Probe => {}
                Progress::Left(handshake) => self.look_at(handshake.pid()),
                Progress::Refused(handshake, refusal) => self.refuse(&handshake, &refusal),
                Progress::Complete(candidate) => candidates.push(*candidate),
            }
        }
        candidates
    }

    /// Waits for a process to take what it was sent.
    pub(crate) fn offer(&mut self, candidate: Candidate, started: Started) {
        let pid = candidate.peer.pid;
        self.offers.iter_mut().filter(|earlier| pid != 0 && earlier.pid() == pid).for_each(Offer::supersede);
        self.offers.push(Offer::new(candidate, started));
    }

    /// The offers that were taken. Looks at the processes that have not taken theirs.
    pub(crate) fn taken(&mut self) -> Vec<(Candidate, Started)> {
        let mut taken = Vec::new();
        for offer in std::mem::take(&mut self.offers) {
            let pid = offer.pid();
            match offer.settle() {
                Fate::Open(offer) => self.offers.push(offer),
                Fate::Taken(candidate, started) => taken.push((candidate, started)),
                Fate::Left => self.look_at(pid),
            }
        }
        taken
    }

    /// Bytes that the rings of all offers take if each P fills one.
    pub(crate) fn ring_memory(&self) -> u64 {
        self.offers.iter().map(Offer::ring_memory).sum()
    }

    /// Looks for the session of a process that has none of ours.
    pub(crate) fn look_at(&self, pid: u32) {
        // 0 is a process that is not visible from here.
        if pid != 0 {
            self.search.look_at(pid);
        }
    }

    /// Refuses a process.
    pub(crate) fn refuse(&mut self, handshake: &Handshake, refusal: &Refusal) {
        match refusal {
            Refusal::Left => return self.look_at(handshake.pid()),
            Refusal::Over if handshake.has_ended() => return self.count_ended(handshake.pid()),
            _ => {}
        }
        handshake.refuse();
        self.count_refusal(handshake.pid(), refusal);
    }

    /// Accepts no more connections, and drops those that have no session yet.
    pub(crate) fn close(&mut self) {
        self.listener = None;
        self.handshakes.clear();
        self.offers.drain(..).for_each(|offer| offer.leave());
    }

    /// Counts a process that has ended before it could have a session from here, unless the finder
    /// has taken one that it made.
    fn count_ended(&mut self, pid: u32) {
        if pid == 0 {
            self.refused += 1;
        } else {
            self.search.look_at(pid);
        }
    }

    fn may_accept(&self, now: Instant) -> bool {
        now >= self.accept_after
    }

    fn count_refusal(&mut self, pid: u32, refusal: &Refusal) {
        self.refused += 1;
        // A process that is refused tries again and again.
        let now = Instant::now();
        self.logged.retain(|_, logged| now.duration_since(*logged) < LOG_REFUSAL_EVERY);
        let key = (pid, refusal.to_string());
        if self.logged.len() >= MAX_LOGGED_REFUSALS || self.logged.contains_key(&key) {
            return;
        }
        self.logged.insert(key, now);
        tracing::warn!("pid {pid} refused: {refusal}");
    }
}
