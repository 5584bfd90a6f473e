//! One process and its rings.
//!
//! Decides: what a record means, and when a session is over.
//! Trusts: the order of a goroutine's records (see `order`). Points, sizes and counters are checked.
//! Never does: printing; it hands finished operations to whoever passes a `sink`.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use gopatch_trampolines::manifest::At;
use gopatch_trampolines::wire::Record;

use crate::attributes::{Attributes, fits};
use crate::clock::Clock;
use crate::control::ControlPage;
use crate::operation::Operation;
use crate::order::{Order, Ordered};
use crate::pairing::{Call, End, Limits, Mark, Pairing, Place, Weigh};
use crate::peer::Peer;
use crate::program::{Program, Role};
use crate::rings::{Counters, Rings};
use crate::summary::Summary;

/// What one process may keep open before its oldest calls are given up.
const LIMITS: Limits = Limits { calls: 1_000_000, bytes: 256 << 20 };

/// How often losses of one process are told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A session.
pub(crate) struct Session {
    pub(crate) peer: Peer,
    control: ControlPage,
    rings: Box<dyn Rings>,
    program: Program,
    order: Order<Event>,
    pairing: Pairing<Event>,
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

/// A record, copied and checked.
#[derive(Debug)]
struct Event {
    point: u32,
    tsc: u64,
    goid: u64,
    frame: u32,
    payload: Box<[u8]>,
}

impl Session {
    pub(crate) fn new(peer: Peer, control: ControlPage, rings: Box<dyn Rings>, program: Program) -> Self {
        Self {
            peer,
            control,
            rings,
            program,
            order: Order::new(),
            pairing: Pairing::new(LIMITS),
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

    /// Reads every ring once and looks at what may be looked at. Gives whether there was, or still is, anything.
    pub(crate) fn pass(&mut self, clock: &Clock, summary: &mut Summary, sink: &mut dyn FnMut(Operation<'_>)) -> bool {
        let records = self.drain(summary);
        self.look(clock, sink);
        records > 0 || !self.order.is_empty()
    }

    /// The last pass: whatever is still open is unfinished.
    pub(crate) fn close(mut self, clock: &mut Clock, summary: &mut Summary, sink: &mut dyn FnMut(Operation<'_>)) {
        let now = clock.update();
        self.drain(summary);
        // What this pass has read waits for the next, which has nothing to read.
        self.look(clock, sink);
        self.look(clock, sink);
        for call in self.pairing.finish(now) {
            sink(operation(&self.program, self.peer.pid, clock, &call));
        }
        summary.unpaired_exits += self.pairing.unpaired_exits;
        summary.evicted_calls += self.pairing.evicted;
        self.untold.told_at = None;
        self.tell();
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
        records
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
            let (Some(role), Some((function, _))) =
                (self.program.role(event.point), self.program.function_of(event.point))
            else {
                unreachable!("`Event::read` has checked the point");
            };
            let place = Place { goid: event.goid, frame: event.frame, function };
            let mark = Mark { place, tsc: event.tsc, record: event };
            let over = match role {
                Role::Nothing => Vec::new(),
                Role::Boundary => self.pairing.boundary(place.goid, place.frame, mark.tsc),
                Role::Half(At::Enter) => self.pairing.enter(mark).into_iter().collect(),
                Role::Half(At::Exit) => self.pairing.exit(mark).into_iter().collect(),
                Role::Whole => vec![Call { end_tsc: mark.tsc, entry: mark, exit: None, end: End::Returned }],
            };
            for call in over {
                sink(operation(&self.program, self.peer.pid, clock, &call));
            }
        }
    }
}

impl Event {
    /// Copies a payload; `None` when it does not fit its size or its point.
    fn read(payload: &[u8], program: &Program) -> Option<Self> {
        let record = Record::parse(payload)?;
        let size = u32::from_le_bytes(payload[..4].try_into().ok()?) as usize;
        fits(&record, program.captures(record.point())?).then(|| Self {
            point: record.point(),
            tsc: record.tsc(),
            goid: record.goid(),
            frame: record.frame(),
            payload: payload[..size].into(),
        })
    }
}

impl Ordered for Event {
    fn goid(&self) -> u64 {
        self.goid
    }
    fn tsc(&self) -> u64 {
        self.tsc
    }
}

impl Weigh for Event {
    fn bytes(&self) -> usize {
        self.payload.len()
    }
}

fn operation<'m>(program: &'m Program, pid: u32, clock: &Clock, call: &Call<Event>) -> Operation<'m> {
    let entry = &call.entry.record;
    let ends: Vec<_> = std::iter::once(entry)
        .chain(&call.exit)
        .filter_map(|event| Some((program.captures(event.point)?, Record::parse(&event.payload)?)))
        .collect();
    let (_, function) = program.function_of(entry.point).expect("`Event::read` has checked the point");
    let times = (clock.unix_nanos(call.entry.tsc), clock.nanos(call.end_tsc.saturating_sub(call.entry.tsc)));
    let mut operation = Operation::new(function, pid, entry.goid, times, Attributes::of(&ends));
    operation.unwound = call.end == End::Unwound;
    operation.unfinished = call.end == End::Unfinished;
    operation
}
