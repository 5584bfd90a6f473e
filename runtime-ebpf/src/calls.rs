//! Records become calls, and calls operations.
//!
//! Decides: what a record means: which end of which call.
//! Trusts: its caller, for giving each goroutine's records in their order. Points and sizes are checked.
//! Never does: printing; it hands finished operations to whoever passes a `sink`.

use gopatch_trampolines::manifest::At;
use gopatch_trampolines::wire::Record;

use crate::attributes::{Attributes, fits};
use crate::clock::Clock;
use crate::lineage::Ids;
use crate::operation::Operation;
use crate::order::Ordered;
use crate::pairing::{Call, End, Limits, Mark, Pairing, Place, Weigh};
use crate::program::{Program, Role};
use crate::summary::Summary;

/// What one process may keep open before its oldest calls are given up.
const LIMITS: Limits = Limits { calls: 1_000_000, bytes: 256 << 20 };

/// A record, copied and checked.
///
/// Its fields are not in a record's order. They would be loaded two at a time, and wait for the two stores that had copied them.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Event {
    tsc: u64,
    /// Empty when its point captures nothing: all that such a record says stands in the other fields.
    payload: Box<[u8]>,
    goid: u64,
    point: u32,
    frame: u32,
}

/// Whether a call's entry is always recorded once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entries {
    /// A second one in the place of an open call is another call's: the first was left by a panic.
    Once,
    /// In front of the stack check, which sends the function back to its first byte: a second one may be the same call's.
    MayRepeat,
}

/// The calls of one process.
pub(crate) struct Calls {
    pid: u32,
    entries: Entries,
    ids: Ids,
    pairing: Pairing<Event>,
    /// Entries that were taken for another record of the same call's.
    pub(crate) repeated: u64,
}

impl Calls {
    pub(crate) fn new(pid: u32, entries: Entries) -> Self {
        Self { pid, entries, ids: Ids::new(), pairing: Pairing::new(LIMITS), repeated: 0 }
    }

    /// Takes a record that [`Event::read`] has checked against the same program.
    pub(crate) fn take(&mut self, event: Event, program: &Program, clock: &Clock, sink: &mut dyn FnMut(Operation<'_>)) {
        let (Some(role), Some((function, _))) = (program.role(event.point), program.function_of(event.point)) else {
            unreachable!("`Event::read` has checked the point");
        };
        let place = Place { goid: event.goid, frame: event.frame, function };
        let mark = Mark { place, tsc: event.tsc, record: event };
        let over = match role {
            Role::Nothing => None,
            Role::Boundary => {
                for call in self.pairing.boundary(place.goid, place.frame, mark.tsc) {
                    sink(self.operation(program, clock, &call));
                }
                None
            }
            Role::Half(At::Enter) => {
                let before = self.pairing.enter(mark);
                let repeated = before.is_some() && self.entries == Entries::MayRepeat;
                self.repeated += u64::from(repeated);
                before.filter(|_| !repeated)
            }
            Role::Half(At::Exit) => self.pairing.exit(mark),
            Role::Whole => {
                let around = self.pairing.around(mark.place, mark.tsc);
                Some(Call { end_tsc: mark.tsc, entry: mark, exit: None, end: End::Returned, around })
            }
        };
        if let Some(call) = over {
            sink(self.operation(program, clock, &call));
        }
    }

    fn operation<'m>(&self, program: &'m Program, clock: &Clock, call: &'m Call<Event>) -> Operation<'m> {
        let entry = &call.entry.record;
        let ends = [Some(entry), call.exit.as_ref()];
        let ends =
            ends.map(|event| event.and_then(|it| Some((program.captures(it.point)?, Record::parse(&it.payload)?))));
        let (_, function) = program.function_of(entry.point).expect("`Event::read` has checked the point");
        let times = (clock.unix_nanos(call.entry.tsc), clock.nanos(call.end_tsc.saturating_sub(call.entry.tsc)));
        let lineage = self.ids.lineage((call.entry.place, call.entry.tsc), call.around);
        let mut operation = Operation::new(
            (function, program.template(call.entry.place.function)),
            (self.pid, entry.goid),
            times,
            lineage,
            Attributes::of(ends),
        );
        operation.function = call.entry.place.function;
        operation.unwound = call.end == End::Unwound;
        operation.unfinished = call.end == End::Unfinished;
        operation
    }

    /// Gives up what is open of a function: no exits of it will come.
    pub(crate) fn forget(&mut self, function: u32) {
        self.pairing.forget(function);
    }

    /// No more records will come: whatever is still open is unfinished at `now`.
    pub(crate) fn finish(
        mut self,
        now: u64,
        program: &Program,
        clock: &Clock,
        summary: &mut Summary,
        sink: &mut dyn FnMut(Operation<'_>),
    ) {
        for call in self.pairing.finish(now) {
            sink(self.operation(program, clock, &call));
        }
        summary.unpaired_exits += self.pairing.unpaired_exits;
        summary.evicted_calls += self.pairing.evicted;
    }
}

impl Event {
    /// Copies a payload; `None` when it does not fit its size or its point.
    // Inlined, it is made where it will be kept.
    #[inline(always)]
    pub(crate) fn read(payload: &[u8], program: &Program) -> Option<Self> {
        let record = Record::parse(payload)?;
        let size = u32::from_le_bytes(payload[..4].try_into().ok()?) as usize;
        let captures = program.captures(record.point())?;
        let size = if captures.is_empty() { 0 } else { size };
        fits(&record, captures).then(|| Self {
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
