//! Records become calls, and calls operations.
//!
//! - [`program`]: the functions and points of a process's manifest;
//! - [`order`]: puts each goroutine's records in order;
//! - [`pairing`]: which exit belongs to which entry;
//! - [`clock`]: from the time stamp counter to the time of day;
//! - [`attributes`], [`cipher_suites`]: what the captures of a call become;
//! - [`secrets`]: which parts of URLs are not shown;
//! - [`convention`]: which of OpenTelemetry's conventions a function follows;
//! - [`ids`]: the ids of traces and spans;
//! - [`operation`]: a call as users see it.
//!
//! This file decides what a record means: which end of which call. It trusts its caller to give
//! each goroutine's records in their order; points and sizes are checked.

pub(crate) mod attributes;
mod cipher_suites;
pub(crate) mod clock;
pub(crate) mod convention;
pub(crate) mod ids;
pub(crate) mod operation;
pub(crate) mod order;
pub(crate) mod pairing;
pub(crate) mod program;
pub(crate) mod secrets;

use std::collections::HashSet;

use foldhash::fast::RandomState;
use gopatch_protocol::manifest::At;
use gopatch_protocol::wire::context::{self, By};
use gopatch_protocol::wire::{Record, TraceContext};

use self::attributes::{Attributes, Value};
use self::clock::Clock;
use self::ids::Ids;
use self::operation::Operation;
use self::order::Ordered;
use self::pairing::{Call, CallLimits, End, Mark, Pairing, Place, SpanIds, Weigh};
use self::program::{Point, Program, Role};
use crate::summary::Summary;

/// The attribute for how a parent was found.
const PARENT_BY: &str = "gopatch.parent.by";

/// Open calls of one process beyond which the oldest are given up.
const LIMITS: CallLimits = CallLimits { calls: 1_000_000, bytes: 256 << 20 };

/// A checked record without its payload.
///
/// The fields are not in the order of the record: they would be loaded two at a time, and wait for
/// the two stores that copied them.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Event {
    tsc: u64,
    point: u32,
    frame: u32,
    goid: u64,
}

/// What is kept from an entry.
#[derive(Debug)]
struct Opened {
    point: u32,
    payload: Box<[u8]>,
    /// The ids that the process has made for it.
    ids: Option<SpanIds>,
}

/// A point, and the payload of a record made there.
type PointPayload<'p> = (u32, &'p [u8]);

/// Whether the entry of a call is always recorded once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entries {
    /// A second entry in the place of an open call belongs to another call: a panic left the first.
    Once,
    /// Recorded before the stack check, which restarts the function at its first byte: a second
    /// entry may belong to the same call.
    MayRepeat,
}

/// A time in which a process wrote no records, as it saw no gopatchd.
#[derive(Debug)]
struct Gap {
    /// Its end.
    tsc: u64,
    /// Goroutines with a record from after it: no record from before it will follow.
    over: HashSet<u64, RandomState>,
    /// Passes until all records from before it have been processed.
    passes: u32,
}

/// Passes after which all records from before a gap have been processed: the pass that has seen its
/// end reads some of them after it has read others, the next pass reads the rest, and records are
/// processed a pass after they were read.
const GAP_PASSES: u32 = 3;

/// The calls of one process.
pub(crate) struct Calls {
    pid: u32,
    entries: Entries,
    ids: Ids,
    pairing: Pairing<Opened>,
    /// Empty; the memory for the attributes of the next operation.
    attributes: Attributes<'static>,
    /// Set while records from before a gap may still come.
    gap: Option<Gap>,
    /// Entries that were counted as a repeated record of the same call.
    pub(crate) repeated: u64,
}

impl Calls {
    pub(crate) fn new(pid: u32, entries: Entries) -> Self {
        Self {
            pid,
            entries,
            ids: Ids::new(),
            pairing: Pairing::new(LIMITS),
            attributes: Attributes::default(),
            gap: None,
            repeated: 0,
        }
    }

    /// Takes records, each goroutine's in their order, and their payloads, which [`Event::read`]
    /// has checked against the same program.
    ///
    /// If the exit of a call follows its entry directly, nothing is kept from the entry: most
    /// functions call no other hooked one.
    pub(crate) fn take_all<'p>(
        &mut self,
        mut records: impl Iterator<Item = (&'p Event, &'p [u8])> + Clone,
        program: &Program,
        clock: &Clock,
        sink: &mut dyn FnMut(&mut Operation<'_>),
    ) {
        while let Some((event, payload)) = records.next() {
            if let Some(gap) = self.gap.as_mut().filter(|gap| event.tsc >= gap.tsc)
                && gap.over.insert(event.goid)
            {
                let calls = self.pairing.interrupt(event.goid, gap.tsc);
                self.emit_unfinished(calls, program, clock, sink);
            }
            let mut later = records.clone();
            if let Some((next, next_payload)) = later.next()
                && let Some(call) = self.leaf_call(event, next, program)
            {
                records = later;
                let exit = Some((next.point, next_payload));
                self.emit(program, clock, &call, (event.point, payload), exit, sink);
            } else {
                self.take((*event, payload), program, clock, sink);
            }
        }
    }

    /// The call that two successive records form, if [`Self::take`] would make exactly that call
    /// from them.
    #[inline]
    fn leaf_call(&self, entry: &Event, exit: &Event, program: &Program) -> Option<Call<()>> {
        if (entry.goid, entry.frame) != (exit.goid, exit.frame) || entry.tsc > exit.tsc {
            return None;
        }
        let (begin, end) = (program.point(entry.point)?, program.point(exit.point)?);
        let function = begin.function;
        if program.is_ended(function) || !program.instead_of(function).is_empty() {
            return None;
        }
        if (begin.role, end.role, end.function) != (Role::Half(At::Enter), Role::Half(At::Exit), function) {
            return None;
        }
        self.pairing.leaf_call(Place { goid: entry.goid, frame: entry.frame, function }, entry.tsc, exit.tsc)
    }

    /// Takes one record.
    pub(crate) fn take(
        &mut self,
        (event, payload): (Event, &[u8]),
        program: &Program,
        clock: &Clock,
        sink: &mut dyn FnMut(&mut Operation<'_>),
    ) {
        let Event { tsc, point, frame, goid } = event;
        let mut left_out = None;
        let Some(&Point { function, role, context, .. }) = program.point(point) else {
            unreachable!("`Event::read` has checked the point");
        };
        let place = Place { goid, frame, function };
        if role != Role::Half(At::Exit) && role != Role::Boundary && !program.instead_of(function).is_empty() {
            let rules = program.instead_of(function);
            left_out = self.pairing.leave_out(place, |around| rules.contains(&program.rule_of(around)), tsc);
        }
        let (over, exit) = match role {
            Role::Nothing => return,
            Role::Boundary => {
                for call in self.pairing.boundary(goid, frame, tsc) {
                    self.emit(program, clock, &call, call.entry.record.recorded(), None, sink);
                }
                return;
            }
            Role::Half(At::Enter) => {
                let before =
                    self.pairing.enter(Mark { place, tsc, record: Opened::new(point, payload, context, left_out) });
                let repeated = before.is_some() && self.entries == Entries::MayRepeat;
                self.repeated += u64::from(repeated);
                (before.filter(|_| !repeated), None)
            }
            // Its end would have come before.
            Role::Half(At::Exit) if program.is_ended(function) => (self.pairing.unwind(place, tsc), None),
            Role::Half(At::Exit) => (self.pairing.exit(place, tsc), Some((point, payload))),
            Role::OtherEnd => {
                let rules = program.ends(function);
                let over = self.pairing.end_around(place, |around| rules.contains(&program.rule_of(around)), tsc);
                (over, Some((point, payload)))
            }
            Role::Whole => {
                let ancestors = self.pairing.ancestors(place, tsc);
                let call = Call { end_tsc: tsc, entry: Mark { place, tsc, record: () }, end: End::Returned, ancestors };
                self.emit(program, clock, &call, (point, payload), None, sink);
                return;
            }
        };
        if let Some(call) = over {
            self.emit(program, clock, &call, call.entry.record.recorded(), exit, sink);
        }
    }

    /// Makes an operation of a call that is over, from its recorded ends.
    fn emit<R>(
        &mut self,
        program: &Program,
        clock: &Clock,
        call: &Call<R>,
        entry: PointPayload<'_>,
        exit: Option<PointPayload<'_>>,
        sink: &mut dyn FnMut(&mut Operation<'_>),
    ) {
        let ends = [Some(entry), exit];
        let ends =
            ends.map(|end| end.and_then(|(point, payload)| Some((program.captures(point)?, Record::parse(payload)?))));
        let Mark { place, tsc, .. } = call.entry;
        let times = (clock.unix_nanos(tsc), clock.nanos(call.end_tsc.saturating_sub(tsc)));
        let has_context = program.point(entry.0).is_some_and(|point| point.context);
        let context = if has_context { read_context(entry.1) } else { None };
        let lineage = self.ids.lineage((place, tsc), call.ancestors, context);
        let function = program.function(place.function as usize);
        let mut operation = Operation::new(
            (function, program.template(place.function)),
            (self.pid, place.goid),
            times,
            lineage,
            Attributes::from_ends(ends, program.repeats(place.function), std::mem::take(&mut self.attributes)),
        );
        if let Some(by) = context.and_then(|context| parent_by(context.by)) {
            operation.attributes.push(PARENT_BY, Value::Text(by.into()));
        }
        operation.function = place.function;
        operation.unwound = call.end == End::Unwound;
        operation.unfinished = call.end == End::Unfinished;
        sink(&mut operation);
        self.attributes = operation.attributes.emptied();
    }

    /// The process wrote no records for a while until `tsc`: calls that were open may have ended
    /// since, and others have begun in their places. The pass that has read the first record
    /// after it calls this.
    pub(crate) fn begin_gap(&mut self, tsc: u64) {
        self.gap = Some(Gap { tsc, over: HashSet::default(), passes: GAP_PASSES });
    }

    /// Whether calls from before a gap may be open.
    pub(crate) fn has_gap(&self) -> bool {
        self.gap.is_some()
    }

    /// The records of a pass are processed.
    pub(crate) fn end_pass(&mut self, program: &Program, clock: &Clock, sink: &mut dyn FnMut(&mut Operation<'_>)) {
        let Some(gap) = &mut self.gap else { return };
        gap.passes -= 1;
        if gap.passes == 0 {
            let tsc = gap.tsc;
            self.gap = None;
            let calls = self.pairing.interrupt_all(tsc);
            self.emit_unfinished(calls, program, clock, sink);
        }
    }

    fn emit_unfinished(
        &mut self,
        calls: Vec<Call<Opened>>,
        program: &Program,
        clock: &Clock,
        sink: &mut dyn FnMut(&mut Operation<'_>),
    ) {
        for call in calls {
            self.emit(program, clock, &call, call.entry.record.recorded(), None, sink);
        }
    }

    /// Gives up the open calls of a function: their exits will not come.
    pub(crate) fn forget(&mut self, function: u32) {
        self.pairing.forget(function);
    }

    /// No more records will come: calls that are still open are unfinished at `now`.
    pub(crate) fn finish(
        mut self,
        now: u64,
        program: &Program,
        clock: &Clock,
        summary: &mut Summary,
        sink: &mut dyn FnMut(&mut Operation<'_>),
    ) {
        let calls = self.pairing.finish(now);
        self.emit_unfinished(calls, program, clock, sink);
        summary.unpaired_exits += self.pairing.unpaired_exits;
        summary.evicted_calls += self.pairing.evicted;
    }
}

impl Event {
    /// Reads a payload and gives the part of it to keep; `None` if it does not match its size or
    /// its point.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the event is written where it will be kept")]
    pub(crate) fn read<'p>(payload: &'p [u8], program: &Program) -> Option<(Self, &'p [u8])> {
        let record = Record::parse(payload)?;
        let size = u32::from_le_bytes(payload[..4].try_into().ok()?) as usize;
        let shape = program.point(record.point())?.shape;
        // Without captures the event holds everything.
        let size = if shape.is_empty() { 0 } else { size };
        shape.fits(&record).then(|| {
            let event = Self { tsc: record.tsc(), point: record.point(), frame: record.frame(), goid: record.goid() };
            (event, &payload[..size])
        })
    }
}

/// The context at the end of a record.
fn read_context(payload: &[u8]) -> Option<TraceContext> {
    TraceContext::read(Record::parse(payload)?.payload())
}

/// How a parent was found, if it was not by the call's own context or header.
fn parent_by(by: By) -> Option<&'static str> {
    match by {
        By::Goroutine => Some("goroutine"),
        By::Spawn => Some("spawn"),
        By::Nothing | By::Context | By::Header => None,
    }
}

impl Opened {
    /// Keeps an entry. If it is in place of another call, which was its parent, then that one's
    /// parent is its own.
    fn new(point: u32, payload: &[u8], has_context: bool, in_place_of: Option<Self>) -> Self {
        let mut payload: Box<[u8]> = payload.into();
        let own = if has_context { read_context(&payload) } else { None };
        if let (Some(own), Some(other)) = (own, in_place_of)
            && other.ids.is_some_and(|ids| Some(ids.span) == own.parent)
            && let Some(from) = other.payload.len().checked_sub(context::BYTES - context::PARENT)
            && let Some(to) = payload.len().checked_sub(context::BYTES - context::PARENT)
        {
            payload[to..].copy_from_slice(&other.payload[from..]);
        }
        Self {
            point,
            payload,
            ids: own.map(|own| SpanIds { trace: own.trace, span: own.span, is_sampled: own.flags & 1 == 1 }),
        }
    }

    fn recorded(&self) -> PointPayload<'_> {
        (self.point, &self.payload)
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

impl Weigh for Opened {
    fn bytes(&self) -> usize {
        self.payload.len()
    }
    fn ids(&self) -> Option<SpanIds> {
        self.ids
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use gopatch_protocol::manifest::{Kind, Manifest};
    use proptest::prelude::*;

    use super::*;
    use crate::calls::program::tests::manifest;

    /// One for all tests: starting takes a moment.
    static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::start);

    /// Two functions with both ends, a boundary, and one with an entry only.
    fn program() -> Program {
        let functions = [Kind::Server, Kind::Client, Kind::Boundary, Kind::Internal];
        let both = |function| [(function, At::Enter), (function, At::Exit)];
        let points = [&both(0)[..], &both(1), &both(2), &[(3, At::Enter)]].concat();
        Program::new(Manifest::parse(&manifest(&functions, &points)).expect("a manifest"))
    }

    fn records(pass: &[Event]) -> impl Iterator<Item = (&Event, &[u8])> + Clone {
        pass.iter().map(|event| (event, &[][..]))
    }

    #[test]
    fn a_call_from_before_a_gap_is_not_ended_by_an_exit_after_it() {
        let (program, clock) = (program(), &*CLOCK);
        let mut calls = Calls::new(1, Entries::Once);
        let [enter, exit] = [0, 1].map(|point| move |tsc, goid| Event { tsc, point, frame: 8, goid });
        let mut lines = Vec::new();
        let mut pass = |calls: &mut Calls, events: &[Event]| {
            let before = lines.len();
            calls.take_all(records(events), &program, clock, &mut |operation| operation.json(&mut lines));
            calls.end_pass(&program, clock, &mut |operation| operation.json(&mut lines));
            String::from_utf8(lines[before..].to_vec()).expect("JSON")
        };
        assert_eq!(pass(&mut calls, &[enter(10, 5), enter(11, 6)]), "");
        calls.begin_gap(100);
        // The exit of another call, whose entry was not recorded.
        let first = pass(&mut calls, &[exit(120, 5)]);
        assert!(first.contains("\"goid\":5,") && first.contains("\"unfinished\":true"), "{first}");
        // From before the gap, read late.
        let late = pass(&mut calls, &[enter(20, 7), exit(30, 7)]);
        assert!(late.contains("\"goid\":7,") && !late.contains("unfinished"), "{late}");
        let last = pass(&mut calls, &[enter(130, 8)]);
        assert!(last.contains("\"goid\":6,") && last.contains("\"unfinished\":true"), "{last}");
        let after = pass(&mut calls, &[exit(140, 8)]);
        assert!(after.contains("\"goid\":8,") && !after.contains("unfinished"), "{after}");
        assert_eq!(calls.pairing.unpaired_exits, 1);
    }

    proptest! {
        /// However records are split into passes, the operations are the same, in the same order.
        #[test]
        fn records_of_a_pass_make_the_same_operations_as_one_by_one(
            steps in prop::collection::vec((0u64..3, 1u32..4, 0u32..7, 0u64..3, any::<bool>()), 0..200),
        ) {
            let (program, clock) = (program(), &*CLOCK);
            let mut one_by_one = Calls::new(1, Entries::Once);
            let mut together = Calls { ids: one_by_one.ids.clone(), ..Calls::new(1, Entries::Once) };
            let mut operations = [Vec::new(), Vec::new()];
            let [ones, togethers] = &mut operations;
            let (mut tsc, mut pass) = (0, Vec::new());
            for (goid, frame, point, later, is_last) in steps {
                tsc += later;
                let record = Event { tsc, point, frame, goid };
                one_by_one.take((record, &[]), &program, clock, &mut |operation| operation.json(ones));
                pass.push(record);
                if is_last {
                    together.take_all(records(&pass), &program, clock, &mut |operation| operation.json(togethers));
                    pass.clear();
                }
            }
            together.take_all(records(&pass), &program, clock, &mut |operation| operation.json(togethers));
            let mut sums = [Summary::default(), Summary::default()];
            one_by_one.finish(tsc, &program, clock, &mut sums[0], &mut |operation| operation.json(ones));
            together.finish(tsc, &program, clock, &mut sums[1], &mut |operation| operation.json(togethers));
            let [ones, togethers] = operations.map(|lines| String::from_utf8(lines).expect("JSON"));
            prop_assert_eq!(ones, togethers);
            prop_assert_eq!(sums[0].unpaired_exits, sums[1].unpaired_exits);
        }
    }
}
