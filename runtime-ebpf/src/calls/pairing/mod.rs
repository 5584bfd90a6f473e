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

mod left_out;

use std::collections::{BTreeMap, HashMap};
use std::mem;

use foldhash::fast::RandomState;

use left_out::LeftOut;

/// What identifies an open call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// The goroutine. 0 is none: several threads can have it at a time, so their calls do not end
    /// each other.
    pub(crate) goid: u64,
    /// The depth of the frame in the stack.
    pub(crate) frame: u32,
    /// The index of the function in the manifest.
    pub(crate) function: u32,
}

/// The start of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mark<R> {
    pub(crate) place: Place,
    pub(crate) tsc: u64,
    /// The record, which this module never reads.
    pub(crate) record: R,
}

/// The open calls around a call: its parent and the outermost one, each by its place and the time
/// of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ancestors {
    pub(crate) parent: (Place, u64),
    pub(crate) root: (Place, u64),
}

/// How many open calls are examined as ancestors. More than one is needed only if time stamps are
/// wrong.
const CANDIDATES: usize = 16;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By its exit.
    Returned,
    /// By a panic, as far as records show.
    Unwound,
    /// Not before the process or gopatchd ended.
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

/// The memory that a record takes.
pub(crate) trait Weigh {
    fn bytes(&self) -> usize;
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

/// The part of the limits (one in so many) that is given up at a time, because finding the oldest
/// calls examines all.
const GIVE_UP_PART: usize = 16;

impl<R: Weigh> Pairing<R> {
    /// Keeps no more calls open than `limits` allow.
    pub(crate) fn new(limits: CallLimits) -> Self {
        let goroutines = HashMap::default();
        let left_out = LeftOut::default();
        Self { goroutines, open: 0, bytes: 0, entries: 0, limits, unpaired_exits: 0, evicted: 0, left_out }
    }

    /// A call begins. Gives the call that must be over because of it, if any.
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

    /// A call returns. Gives it, unless it has no entry.
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
    pub(crate) fn end_around(&mut self, place: Place, functions: &[u32], tsc: u64) -> Option<Call<R>> {
        let around = self.goroutines.get(&place.goid)?.nearest_around(place, functions, tsc)?;
        let (entry_tsc, entry, ancestors) = self.goroutines.get_mut(&place.goid)?.take_latest(around, tsc)?;
        Some(self.close((around, entry_tsc), entry, ancestors, tsc, End::Returned))
    }

    /// The nearest call of one of these functions around a place is no operation.
    pub(crate) fn leave_out(&mut self, place: Place, functions: &[u32], tsc: u64) {
        let Some(goroutine) = self.goroutines.get_mut(&place.goid) else { return };
        let Some(around) = goroutine.nearest_around(place, functions, tsc) else { return };
        if let Some((_, entry, _)) = goroutine.take_latest(around, tsc) {
            self.release(&entry);
            self.left_out.add(around.goid, (around.frame, around.function), self.limits.calls);
        }
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

    /// A boundary at `frame` returns. Gives the deeper calls of its goroutine, which are over: all
    /// of them, whatever their time stamps, so that no later boundary finds the same calls again.
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

    /// No more records will come. Gives the calls that are still open, by their time.
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

/// The position of a call in the stack of its goroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    frame: u32,
    function: u32,
}

impl From<Place> for Spot {
    fn from(Place { frame, function, .. }: Place) -> Self {
        Self { frame, function }
    }
}

impl Spot {
    fn place(self, goid: u64) -> Place {
        Place { goid, frame: self.frame, function: self.function }
    }
}

/// A spot and the time of the entry.
type Key = (Spot, u64);

#[derive(Debug)]
struct Entry<R> {
    number: u64,
    record: R,
}

/// The open calls of a goroutine, by spot and time of entry.
#[derive(Debug)]
enum Goroutine<R> {
    /// In a row: usually the next call becomes the deepest, and the deepest returns next.
    Few(Vec<(Key, Entry<R>)>),
    /// In a tree, so that an unusually deep stack does not make every call slow.
    Many(BTreeMap<Key, Entry<R>>),
}

/// Most calls kept in a row.
const FEW: usize = 32;

impl<R> Default for Goroutine<R> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<R: Weigh> Goroutine<R> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Few(calls) => calls.is_empty(),
            Self::Many(calls) => calls.is_empty(),
        }
    }

    fn is_open(&self, spot: Spot) -> bool {
        match self {
            Self::Few(calls) => calls.iter().any(|((other, _), _)| *other == spot),
            Self::Many(calls) => calls.range((spot, 0)..=(spot, u64::MAX)).next().is_some(),
        }
    }

    /// Adds a call. Gives the one with the same key, if any.
    fn insert(&mut self, key: Key, entry: Entry<R>) -> Option<Entry<R>> {
        if let Self::Few(calls) = self
            && calls.len() == FEW
        {
            *self = Self::Many(mem::take(calls).into_iter().collect());
        }
        match self {
            Self::Few(calls) => {
                let index = calls.iter().rposition(|(other, _)| *other <= key).map_or(0, |index| index + 1);
                match index.checked_sub(1).and_then(|before| calls.get_mut(before)) {
                    Some((same, old)) if *same == key => return Some(mem::replace(old, entry)),
                    _ => calls.insert(index, (key, entry)),
                }
                None
            }
            Self::Many(calls) => calls.insert(key, entry),
        }
    }

    /// Takes the latest call at a place that began no later than `tsc`, with its time and its
    /// ancestors.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `close`")]
    fn take_latest(&mut self, place: Place, tsc: u64) -> Option<(u64, Entry<R>, Option<Ancestors>)> {
        let spot = Spot::from(place);
        let (began, entry) = match self {
            Self::Few(calls) => {
                let index = calls.iter().rposition(|((other, began), _)| *other == spot && *began <= tsc)?;
                let ((_, began), entry) = calls.remove(index);
                (began, entry)
            }
            Self::Many(calls) => {
                let (key, _) = calls.range((spot, 0)..=(spot, tsc)).next_back()?;
                let key = *key;
                (key.1, calls.remove(&key)?)
            }
        };
        Some((began, entry, self.ancestors(place.goid, place.frame, began)))
    }

    /// The nearest call of one of these functions that is less deep than a place and began no later
    /// than `tsc`.
    fn nearest_around(&self, place: Place, functions: &[u32], tsc: u64) -> Option<Place> {
        let is_it =
            |(spot, began): &&Key| spot.frame < place.frame && *began <= tsc && functions.contains(&spot.function);
        let nearest = match self {
            _ if place.goid == 0 => None,
            Self::Few(calls) => calls.iter().rev().map(|(key, _)| key).find(is_it),
            Self::Many(calls) => calls.keys().rev().find(is_it),
        };
        Some(nearest?.0.place(place.goid))
    }

    /// The ancestors of a call at `frame` that began at `tsc`.
    fn ancestors(&self, goid: u64, frame: u32, tsc: u64) -> Option<Ancestors> {
        let spot = Spot { frame, function: 0 };
        match self {
            _ if goid == 0 => None,
            Self::Few(calls) => {
                let less_deep = &calls[..calls.partition_point(|((other, _), _)| *other < spot)];
                Ancestors::from_less_deep(goid, tsc, || less_deep.iter().map(|(key, _)| *key))
            }
            Self::Many(calls) => Ancestors::from_less_deep(goid, tsc, || calls.range(..(spot, 0)).map(|(key, _)| *key)),
        }
    }

    /// The ancestors of each call at `frame` or deeper, in their order.
    fn ancestors_from(&self, goid: u64, frame: u32) -> Vec<Option<Ancestors>> {
        let first = Spot { frame, function: 0 };
        let ancestors = |(spot, tsc): &Key| self.ancestors(goid, spot.frame, *tsc);
        match self {
            Self::Few(calls) => {
                calls.iter().map(|(key, _)| key).filter(|(spot, _)| *spot >= first).map(ancestors).collect()
            }
            Self::Many(calls) => calls.range((first, 0)..).map(|(key, _)| ancestors(key)).collect(),
        }
    }

    /// Removes all calls at `frame` or deeper.
    fn take_from(&mut self, frame: u32) -> Vec<(Key, Entry<R>)> {
        let first = Spot { frame, function: 0 };
        match self {
            Self::Few(calls) => calls.split_off(calls.partition_point(|((spot, _), _)| *spot < first)),
            Self::Many(calls) => calls.split_off(&(first, 0)).into_iter().collect(),
        }
    }

    /// The number of each entry, and the bytes of its record.
    fn ages(&self) -> Vec<(u64, usize)> {
        let age = |entry: &Entry<R>| (entry.number, entry.record.bytes());
        match self {
            Self::Few(calls) => calls.iter().map(|(_, entry)| age(entry)).collect(),
            Self::Many(calls) => calls.values().map(age).collect(),
        }
    }

    fn retain(&mut self, mut stays: impl FnMut(&Key, &Entry<R>) -> bool) {
        match self {
            Self::Few(calls) => calls.retain(|(key, entry)| stays(key, entry)),
            Self::Many(calls) => calls.retain(|key, entry| stays(key, entry)),
        }
    }
}

impl Ancestors {
    /// From the keys of all calls that are less deep, the least deep first.
    fn from_less_deep<I: DoubleEndedIterator<Item = Key>>(
        goid: u64,
        tsc: u64,
        less_deep: impl Fn() -> I,
    ) -> Option<Self> {
        let is_earlier = |(_, began): &Key| *began < tsc;
        let parent = less_deep().rev().take(CANDIDATES).find(is_earlier)?;
        let root = less_deep().take(CANDIDATES).find(is_earlier).unwrap_or(parent);
        let began = |(spot, began): Key| (spot.place(goid), began);
        Some(Self { parent: began(parent), root: began(root) })
    }
}

#[cfg(test)]
mod tests;
