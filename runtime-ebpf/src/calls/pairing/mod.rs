//! Makes calls of entries and exits.
//!
//! Decides: which exit ends which entry, and which calls ended without an exit.
//! Trusts: `order`, which gives the records of each goroutine in the order of their time. Wrong
//! time stamps spoil a pairing and nothing else.
//! Never does: I/O, or read what a record holds.
//!
//! A call is identified by its goroutine, the depth of its frame and its function. A goroutine has
//! one call at a time with the same three, so an exit belongs to the latest entry before it. A call
//! can end without an exit in two ways, both by a panic: the exit of a boundary ends all deeper
//! calls of its goroutine, and an entry in the place of an open call ends that call. An ordinary
//! exit does not end deeper calls: a function on the system stack measures its frame from another
//! end, so the two depths cannot be compared. The boundary of a rule is known to be on the
//! goroutine's stack.
//!
//! Open calls are kept by goroutine. Most goroutines have few, which are kept in a row.

use std::collections::HashMap;
use std::mem;

use foldhash::fast::RandomState;

mod goroutine;
mod left_out;

pub(crate) use goroutine::{Ancestors, Place, SpanIds, Weigh};
use goroutine::{Entry, Goroutine, Key};
use left_out::LeftOut;

/// The start of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mark<R> {
    pub(crate) place: Place,
    pub(crate) tsc: u64,
    /// The record, which this module never reads.
    pub(crate) record: R,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By its exit.
    Returned,
    /// By a panic, as far as records show.
    Unwound,
    /// Not before the process or gopatchd ended, or not while records were written.
    Unfinished,
}

/// A call that is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call<R> {
    pub(crate) entry: Mark<R>,
    pub(crate) end_tsc: u64,
    pub(crate) end: End,
    /// The calls around it.
    pub(crate) ancestors: Option<Ancestors>,
}

/// CallLimits of the open calls of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallLimits {
    pub(crate) calls: usize,
    /// Of the records of all their entries.
    pub(crate) bytes: usize,
}

/// The open calls of one process.
#[derive(Debug)]
pub(crate) struct Pairing<R> {
    /// Goroutines that have open calls, and some that had.
    goroutines: HashMap<u64, Goroutine<R>, RandomState>,
    /// All open calls, and the bytes of their records.
    open: usize,
    bytes: usize,
    /// Entries so far. Their numbers show which calls are the oldest.
    entries: u64,
    limits: CallLimits,
    /// Exits without an entry.
    pub(crate) unpaired_exits: u64,
    /// Open calls given up because there were too many.
    pub(crate) evicted: u64,
    /// Calls that are no operations.
    left_out: LeftOut,
}

/// Goroutines without an open call that are kept, beyond as many as have one: the next call is
/// likely to be one of theirs.
const KEPT_IDLE: usize = 4096;

/// The part of the limits (one in this many) that is given up at a time, because finding the oldest
/// calls examines all.
const GIVE_UP_PART: usize = 16;

impl<R: Weigh> Pairing<R> {
    /// Keeps no more calls open than `limits` allow.
    pub(crate) fn new(limits: CallLimits) -> Self {
        let goroutines = HashMap::default();
        let left_out = LeftOut::default();
        Self { goroutines, open: 0, bytes: 0, entries: 0, limits, unpaired_exits: 0, evicted: 0, left_out }
    }

    /// Begins a call. Returns the call that must be over because of it, if any.
    pub(crate) fn enter(&mut self, mark: Mark<R>) -> Option<Call<R>> {
        let Mark { place, tsc, record } = mark;
        let goroutine = self.goroutines.entry(place.goid).or_default();
        let before = (place.goid != 0).then(|| goroutine.take_latest(place, tsc)).flatten();
        self.open += 1;
        self.bytes += record.bytes();
        self.entries += 1;
        let same = goroutine.insert((place.into(), tsc), Entry { number: self.entries, record });
        let before = before
            .map(|(entry_tsc, entry, ancestors)| self.close((place, entry_tsc), entry, ancestors, tsc, End::Unwound));
        if let Some(same) = same {
            self.release(&same);
            self.evicted += 1;
        }
        // Ids of goroutines are never reused.
        if self.goroutines.len() > 2 * self.open + KEPT_IDLE {
            self.goroutines.retain(|_, goroutine| !goroutine.is_empty());
        }
        if self.open > self.limits.calls || self.bytes > self.limits.bytes {
            self.give_up();
        }
        before
    }

    /// Ends a call. Returns it, unless it has no entry.
    pub(crate) fn exit(&mut self, place: Place, tsc: u64) -> Option<Call<R>> {
        let goroutine = self.goroutines.get_mut(&place.goid);
        let Some((entry_tsc, entry, ancestors)) = goroutine.and_then(|goroutine| goroutine.take_latest(place, tsc))
        else {
            self.unpaired_exits += u64::from(!self.left_out.take(place.goid, (place.frame, place.function)));
            return None;
        };
        Some(self.close((place, entry_tsc), entry, ancestors, tsc, End::Returned))
    }

    /// A call returns that should have ended before, unless it was left by a panic.
    pub(crate) fn unwind(&mut self, place: Place, tsc: u64) -> Option<Call<R>> {
        let goroutine = self.goroutines.get_mut(&place.goid)?;
        let Some((entry_tsc, entry, ancestors)) = goroutine.take_latest(place, tsc) else {
            self.left_out.take(place.goid, (place.frame, place.function));
            return None;
        };
        Some(self.close((place, entry_tsc), entry, ancestors, tsc, End::Unwound))
    }

    /// The nearest call of one of these functions around a place ends.
    pub(crate) fn end_around(&mut self, place: Place, functions: impl Fn(u32) -> bool, tsc: u64) -> Option<Call<R>> {
        let around = self.goroutines.get(&place.goid)?.nearest_around(place, functions, tsc)?;
        let (entry_tsc, entry, ancestors) = self.goroutines.get_mut(&place.goid)?.take_latest(around, tsc)?;
        Some(self.close((around, entry_tsc), entry, ancestors, tsc, End::Returned))
    }

    /// The nearest call of one of these functions around a place is no operation. Returns its
    /// record.
    pub(crate) fn leave_out(&mut self, place: Place, functions: impl Fn(u32) -> bool, tsc: u64) -> Option<R> {
        let goroutine = self.goroutines.get_mut(&place.goid)?;
        let around = goroutine.nearest_around(place, functions, tsc)?;
        let (_, entry, _) = goroutine.take_latest(around, tsc)?;
        self.release(&entry);
        self.left_out.add(around.goid, (around.frame, around.function), self.limits.calls);
        Some(entry.record)
    }

    /// A call begins and returns, with nothing in between. `None` if another call is open in its
    /// place, which may be over because of this one.
    #[inline]
    pub(crate) fn leaf_call(&self, place: Place, tsc: u64, end_tsc: u64) -> Option<Call<()>> {
        let ancestors = match self.goroutines.get(&place.goid) {
            Some(goroutine) if goroutine.is_open(place.into()) => return None,
            Some(goroutine) => goroutine.ancestors(place.goid, place.frame, tsc),
            None => None,
        };
        Some(Call { entry: Mark { place, tsc, record: () }, end_tsc, end: End::Returned, ancestors })
    }

    /// Ends a boundary at `frame`. Returns the deeper calls of its goroutine, which are over: all of
    /// them, whatever their time stamps, so that no later boundary finds the same calls again.
    pub(crate) fn boundary(&mut self, goid: u64, frame: u32, tsc: u64) -> Vec<Call<R>> {
        let (true, Some(frame)) = (goid != 0, frame.checked_add(1)) else {
            return Vec::new();
        };
        self.left_out.forget_from(goid, frame);
        let Some(goroutine) = self.goroutines.get_mut(&goid) else {
            return Vec::new();
        };
        // Before calls are removed: the ancestors of a call are less deep, and over no earlier than
        // the call.
        let ancestors = goroutine.ancestors_from(goid, frame);
        let deeper = goroutine.take_from(frame);
        let unwound = |(((spot, entry_tsc), entry), ancestors): ((Key, Entry<R>), _)| {
            let began = (spot.place(goid), entry_tsc);
            self.close(began, entry, ancestors, tsc.max(entry_tsc), End::Unwound)
        };
        deeper.into_iter().zip(ancestors).map(unwound).collect()
    }

    /// The ancestors of a call that began at `tsc`: the open calls of its goroutine that are less
    /// deep and began before.
    pub(crate) fn ancestors(&self, place: Place, tsc: u64) -> Option<Ancestors> {
        self.goroutines.get(&place.goid)?.ancestors(place.goid, place.frame, tsc)
    }

    /// Gives up the open calls of a function.
    pub(crate) fn forget(&mut self, function: u32) {
        let Self { goroutines, open, bytes, .. } = self;
        for goroutine in goroutines.values_mut() {
            goroutine.retain(|(spot, _), entry| {
                let goes = spot.function == function;
                (*open, *bytes) = (*open - usize::from(goes), *bytes - if goes { entry.record.bytes() } else { 0 });
                !goes
            });
        }
    }

    /// Ends the calls of a goroutine that began before `tsc`: what has become of them was not
    /// recorded.
    pub(crate) fn interrupt(&mut self, goid: u64, tsc: u64) -> Vec<Call<R>> {
        self.left_out.forget_from(goid, 0);
        let Some(goroutine) = self.goroutines.get_mut(&goid) else {
            return Vec::new();
        };
        let ancestors = goroutine.ancestors_from(goid, 0);
        let (before, after): (Vec<_>, Vec<_>) =
            goroutine.take_from(0).into_iter().zip(ancestors).partition(|(((_, began), _), _)| *began < tsc);
        for ((key, entry), _) in after {
            goroutine.insert(key, entry);
        }
        let unfinished = |(((spot, began), entry), ancestors): ((Key, Entry<R>), _)| {
            self.close((spot.place(goid), began), entry, ancestors, tsc, End::Unfinished)
        };
        before.into_iter().map(unfinished).collect()
    }

    /// The same for all goroutines.
    pub(crate) fn interrupt_all(&mut self, tsc: u64) -> Vec<Call<R>> {
        let goids: Vec<_> = self.goroutines.keys().copied().collect();
        let mut calls: Vec<_> = goids.into_iter().flat_map(|goid| self.interrupt(goid, tsc)).collect();
        calls.sort_by_key(|call| (call.entry.tsc, call.entry.place));
        calls
    }

    /// No more records will come. Returns the calls that are still open, by their time.
    pub(crate) fn finish(&mut self, tsc: u64) -> Vec<Call<R>> {
        let goroutines = mem::take(&mut self.goroutines);
        let mut open: Vec<_> = goroutines
            .into_iter()
            .flat_map(|(goid, mut goroutine)| {
                let ancestors = goroutine.ancestors_from(goid, 0);
                let calls = goroutine.take_from(0).into_iter().zip(ancestors);
                calls.map(move |(((spot, entry_tsc), entry), ancestors)| {
                    ((spot.place(goid), entry_tsc), entry, ancestors)
                })
            })
            .collect();
        open.sort_by_key(|((place, entry_tsc), ..)| (*entry_tsc, *place));
        let unfinished = |(began, entry, ancestors): ((Place, u64), Entry<R>, Option<Ancestors>)| {
            self.close(began, entry, ancestors, tsc.max(began.1), End::Unfinished)
        };
        open.into_iter().map(unfinished).collect()
    }

    /// Closes a call that was removed from its goroutine.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call is large, and would be copied at each step on its way out")]
    fn close(
        &mut self,
        (place, tsc): (Place, u64),
        entry: Entry<R>,
        ancestors: Option<Ancestors>,
        end_tsc: u64,
        end: End,
    ) -> Call<R> {
        self.release(&entry);
        Call { entry: Mark { place, tsc, record: entry.record }, end_tsc, end, ancestors }
    }

    fn release(&mut self, entry: &Entry<R>) {
        self.open -= 1;
        self.bytes -= entry.record.bytes();
    }

    /// Gives up the oldest calls until the limits hold with some room to spare.
    fn give_up(&mut self) {
        let mut ages: Vec<_> = self.goroutines.values().flat_map(Goroutine::ages).collect();
        ages.sort_unstable();
        let CallLimits { calls, bytes } = self.limits;
        let (calls, bytes) = (calls - calls / GIVE_UP_PART, bytes - bytes / GIVE_UP_PART);
        let (mut open, mut left, mut last) = (self.open, self.bytes, 0);
        for (number, bytes_of_it) in ages {
            if open <= calls && left <= bytes {
                break;
            }
            (open, left, last) = (open - 1, left - bytes_of_it, number);
        }
        self.evicted += (self.open - open) as u64;
        (self.open, self.bytes) = (open, left);
        self.goroutines.retain(|_, goroutine| {
            goroutine.retain(|_, entry| entry.number > last);
            !goroutine.is_empty()
        });
    }
}

#[cfg(test)]
mod tests;
