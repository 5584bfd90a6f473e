//! One process and its rings.
//!
//! Decides: when a session is over, and what is said of its losses.
//! Trusts: the order of a goroutine's records (see `order`). Sizes and counters are checked.
//! Never does: printing; it hands finished operations to whoever passes a `sink`.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::calls::{Calls, Entries, Event};
use crate::clock::Clock;
use crate::control::ControlPage;
use crate::operation::Operation;
use crate::order::Order;
use crate::peer::Peer;
use crate::program::Program;
use crate::rings::{Counters, Rings};
use crate::summary::Summary;

/// How often losses of one process are told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A session.
pub(crate) struct Session {
    pub(crate) peer: Peer,
    control: ControlPage,
    rings: Box<dyn Rings>,
    program: Program,
    order: Order<Event>,
    calls: Calls,
    counters: Counters,
    untold: Untold,
    /// When it is to be given up, once another session has taken its place.
    until: Option<Instant>,
}

/// Losses that nobody was told of yet.
#[derive(Debug, Default)]
struct Untold {
    ring_full: u64,
    output_full: u64,
    malformed: u64,
    words_missing: u64,
    told_at: Option<Instant>,
}

impl Session {
    pub(crate) fn new(peer: Peer, control: ControlPage, rings: Box<dyn Rings>, program: Program) -> Self {
        Self {
            calls: Calls::new(peer.pid, Entries::Once),
            peer,
            control,
            rings,
            program,
            order: Order::new(),
            counters: Counters::default(),
            untold: Untold::default(),
            until: None,
        }
    }

    /// Readable once the process is gone.
    pub(crate) fn pidfd(&self) -> BorrowedFd<'_> {
        self.peer.pidfd.as_fd()
    }

    /// Tells the process to leave its rings.
    pub(crate) fn detach(&self) {
        self.control.detach();
    }

    /// Another session has taken this one's place: give it up at `until`.
    pub(crate) fn replaced(&mut self, until: Instant) {
        self.control.detach();
        self.until = Some(self.until.map_or(until, |earlier| earlier.min(until)));
    }

    /// Records that found their ring full, as far as was read.
    pub(crate) fn ring_full(&self) -> u64 {
        self.counters.ring_full
    }

    /// When it is to be given up.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Reads every ring once and looks at what may be looked at. Gives the bytes that the fullest ring held.
    pub(crate) fn pass(
        &mut self,
        clock: &mut Clock,
        summary: &mut Summary,
        sink: &mut dyn FnMut(Operation<'_>),
    ) -> u64 {
        let fullest = self.drain(summary);
        // Only records need the time.
        if !self.order.is_empty() {
            clock.update();
            self.look(clock, sink);
        }
        fullest
    }

    /// The last pass: whatever is still open is unfinished.
    pub(crate) fn close(mut self, clock: &mut Clock, summary: &mut Summary, sink: &mut dyn FnMut(Operation<'_>)) {
        let now = clock.update();
        self.drain(summary);
        // What this pass has read waits for the next, which has nothing to read.
        self.look(clock, sink);
        self.look(clock, sink);
        self.untold.told_at = None;
        self.tell();
        self.calls.finish(now, &self.program, clock, summary, sink);
    }

    fn drain(&mut self, summary: &mut Summary) -> u64 {
        let (mut records, mut malformed) = (0, 0);
        let (program, order) = (&self.program, &mut self.order);
        let drained = self.rings.drain(&mut |payload| match Event::read(payload, program) {
            Some(event) => {
                records += 1;
                order.push(event);
            }
            None => malformed += 1,
        });
        for (ring, error) in &drained.broken {
            say!("pid {}: ring {ring} is not read any more: {error}", self.peer.pid);
        }
        let counters = self.rings.counters();
        let Counters { ring_full, words_missing } = counters.since(self.counters);
        self.counters = counters;
        malformed += drained.malformed;

        summary.records += records;
        summary.broken_rings += drained.broken.len() as u64;
        let untold = &mut self.untold;
        for (count, sums) in [
            (ring_full, [&mut summary.lost.ring_full, &mut untold.ring_full]),
            (drained.output_full, [&mut summary.lost.output_full, &mut untold.output_full]),
            (malformed, [&mut summary.lost.malformed, &mut untold.malformed]),
            (words_missing, [&mut summary.words_missing, &mut untold.words_missing]),
        ] {
            for sum in sums {
                *sum = sum.saturating_add(count);
            }
        }
        self.tell();
        drained.fullest
    }

    fn tell(&mut self) {
        if self.untold.told_at.is_some_and(|told_at| told_at.elapsed() < TELL_EVERY) {
            return;
        }
        let untold = std::mem::take(&mut self.untold);
        for (count, what) in [
            (untold.ring_full, "records lost, their ring was full (see --ring-bytes)"),
            (untold.output_full, "records lost, the output ring was full"),
            (untold.malformed, "records lost, they were malformed"),
            (untold.words_missing, "calls were without what their entry leaves for the exit"),
        ] {
            if count > 0 {
                say!("pid {}: {count} {what}", self.peer.pid);
                self.untold.told_at = Some(Instant::now());
            }
        }
    }

    fn look(&mut self, clock: &Clock, sink: &mut dyn FnMut(Operation<'_>)) {
        for event in self.order.end_pass() {
            self.calls.take(event, &self.program, clock, sink);
        }
    }
}
