//! The sessions of all processes.
//!
//! Decides: in which order they are served, for how long (`turn`), and when one that is over is
//! closed: once little is left in its rings.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use super::Session;
use super::turn::{Allowance, Turn};
use crate::attach::peer::Peer;
use crate::calls::clock::Clock;
use crate::execution::Execution;
use crate::outlet::Outlet;
use crate::summary::Summary;

/// How long a session is drained after another has replaced it.
const REPLACED: Duration = Duration::from_secs(2);

/// Sessions, in the order in which they began.
#[derive(Default)]
pub(crate) struct Sessions {
    list: Vec<Session>,
    /// The one that the next turn begins with.
    first: usize,
    is_behind: bool,
}

impl Sessions {
    /// Whether a pass over the rings of a session is not over.
    pub(crate) fn are_behind(&self) -> bool {
        self.is_behind
    }

    /// Reads every ring once, as far as the turn allows. Returns how full the fullest was.
    pub(crate) fn pass(&mut self, clock: &mut Clock, summary: &mut Summary, outlet: &mut Outlet) -> f64 {
        let waiting = self.list.iter().map(|session| (session.peer.uid, session.waiting()));
        let (mut turn, mut left_out, mut fullest) = (Turn::begin(waiting), None, 0.0_f64);
        self.is_behind = false;
        for index in 0..self.list.len() {
            let index = (self.first + index) % self.list.len();
            let session = &mut self.list[index];
            let uid = session.peer.uid;
            let Some(allowance) = turn.allowance(uid) else {
                left_out.get_or_insert(index);
                continue;
            };
            fullest = fullest.max(session.pass(allowance, clock, summary, outlet));
            self.is_behind |= session.is_behind();
            turn.served(uid);
        }
        self.is_behind |= left_out.is_some();
        self.first = left_out.unwrap_or_default();
        fullest
    }

    /// Processes all records that are in rings now, however long that takes.
    pub(crate) fn pass_all(&mut self, clock: &mut Clock, summary: &mut Summary, outlet: &mut Outlet) {
        for session in &mut self.list {
            // A pass that goes on, one that reads the records, and one that processes them.
            for _ in 0..3 {
                session.pass(Allowance::until(far_future()), clock, summary, outlet);
            }
        }
    }

    /// Takes out the sessions that can be closed: of those whose program is over, by index, and of
    /// those that were replaced long enough ago.
    pub(crate) fn take_over(&mut self, gone: &HashSet<usize>) -> Vec<Session> {
        let now = Instant::now();
        let mut index = 0;
        let over = self.list.extract_if(.., |session| {
            if gone.contains(&index) || session.give_up_at().is_some_and(|at| now >= at) {
                session.begin_close();
            }
            index += 1;
            session.can_close()
        });
        over.collect()
    }

    /// Takes out all.
    pub(crate) fn take_all(&mut self) -> Vec<Session> {
        std::mem::take(&mut self.list)
    }

    /// Adds one that begins.
    pub(crate) fn add(&mut self, session: Session) {
        self.list.push(session);
    }

    /// The sessions of programs that the process ran before one with this manifest, by index.
    /// `is_first` if that has had no session before.
    pub(crate) fn of_other_executions(&self, peer: &Peer, manifest_id: [u8; 16], is_first: bool) -> HashSet<usize> {
        let others = self
            .list
            .iter()
            .enumerate()
            .filter(|(_, session)| is_of(session, peer) && !session.has_execution_of(manifest_id, is_first));
        others.map(|(index, _)| index).collect()
    }

    /// Whether a session of the process has begun after `time`.
    pub(crate) fn has_begun_since(&self, peer: &Peer, time: Instant) -> bool {
        let mut current = self.list.iter().filter(|session| session.give_up_at().is_none() && !session.is_closing());
        current.any(|session| session.peer.pid == peer.pid && session.begun_at() > time)
    }

    /// Detaches the earlier sessions of an execution. Returns how many records of the last one were
    /// not written, and the execution.
    pub(crate) fn replace(&mut self, peer: &Peer, summary: &mut Summary) -> Option<(u64, Execution)> {
        let now = Instant::now();
        let mut last = None;
        for earlier in self.list.iter_mut().filter(|session| is_of(session, peer)) {
            last = Some((earlier.unwritten(summary), earlier.execution().clone()));
            earlier.replace(if earlier.give_up_at().is_some() { now } else { now + REPLACED });
        }
        last
    }
}

impl Deref for Sessions {
    type Target = [Session];

    fn deref(&self) -> &[Session] {
        &self.list
    }
}

impl DerefMut for Sessions {
    fn deref_mut(&mut self) -> &mut [Session] {
        &mut self.list
    }
}

/// Whether it is a session of the process, and not about to be closed.
fn is_of(session: &Session, peer: &Peer) -> bool {
    peer.pid != 0 && session.peer.pid == peer.pid && !session.is_closing()
}

/// Later than any time that matters.
pub(crate) fn far_future() -> Instant {
    Instant::now() + Duration::from_hours(1)
}
