//! Makes calls of entries and exits.
//!
//! Decides: which exit ends which entry, and which calls ended without an exit.
//! Trusts: `order`, for giving each goroutine's marks in the order of their time. Time stamps that lie cost a pairing
//! and nothing else.
//! Never does: I/O, or knowing what a record holds.
//!
//! A call is known by its goroutine, the depth of its frame and its function. A goroutine has one call at a time
//! with the same three, so an exit belongs to the latest entry before it. There are two ways to leave without an
//! exit, both by a panic: a boundary's exit ends all that is deeper in its goroutine, and an entry in the place of
//! an open call ends that one. An ordinary exit does not end what is deeper: a function that runs on the system
//! stack measures its frame from another end, so the two are not to be compared. A rule's boundary is known to be
//! on the goroutine's own stack.
//!
//! Open calls are kept by goroutine: most have few, which lie in a row.

use std::collections::{BTreeMap, HashMap};
use std::mem;

use foldhash::fast::RandomState;

/// What tells one open call from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// Goroutine. 0 is none: several threads can have it at a time, so one's calls do not end another's.
    pub(crate) goid: u64,
    /// Depth of the frame in the stack.
    pub(crate) frame: u32,
    /// Function, by its index in the manifest.
    pub(crate) function: u32,
}

/// The begin of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mark<R> {
    pub(crate) place: Place,
    pub(crate) tsc: u64,
    /// The record, which this module does not look into.
    pub(crate) record: R,
}

/// What is around a call: the call it is a part of, and the outermost, each by its place and its entry's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Around {
    pub(crate) parent: (Place, u64),
    pub(crate) root: (Place, u64),
}

/// How many open calls are looked at for one that is around another. More than one only when time stamps lie.
const CANDIDATES: usize = 16;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By an exit of its own.
    Returned,
    /// By a panic, as far as can be told.
    Unwound,
    /// Not at all, when the process ended or gopatchd did.
    Unfinished,
}

/// A call that is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call<R> {
    pub(crate) entry: Mark<R>,
    pub(crate) end_tsc: u64,
    pub(crate) end: End,
    /// What it is a part of.
    pub(crate) around: Option<Around>,
}

/// What a record takes in memory.
pub(crate) trait Weigh {
    fn bytes(&self) -> usize;
}

/// What may be open at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) calls: usize,
    /// Of all their entries' records.
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
    /// Entries so far, by which the oldest are known.
    entries: u64,
    limits: Limits,
    /// Exits whose entry was never seen.
    pub(crate) unpaired_exits: u64,
    /// Open calls that were given up because there were too many.
    pub(crate) evicted: u64,
}

/// Goroutines without an open call, of which this many are remembered beyond as many as have one: the next call is likely to be one of
/// theirs.
const WITHOUT: usize = 4096;

/// Of what is allowed, the part that is given up at a time: to find the oldest, all are looked at.
const GIVEN_UP: usize = 16;

impl<R: Weigh> Pairing<R> {
    /// Keeps no more open than `limits` allow.
    pub(crate) fn new(limits: Limits) -> Self {
        let goroutines = HashMap::default();
        Self { goroutines, open: 0, bytes: 0, entries: 0, limits, unpaired_exits: 0, evicted: 0 }
    }

    /// A call begins. Gives the call that it shows to be over, if any.
    pub(crate) fn enter(&mut self, mark: Mark<R>) -> Option<Call<R>> {
        let Mark { place, tsc, record } = mark;
        let goroutine = self.goroutines.entry(place.goid).or_default();
        let before = (place.goid != 0).then(|| goroutine.take_latest(place, tsc)).flatten();
        self.open += 1;
        self.bytes += record.bytes();
        self.entries += 1;
        let same = goroutine.insert((place.into(), tsc), Entry { number: self.entries, record });
        let before =
            before.map(|(entry_tsc, entry, around)| self.over((place, entry_tsc), entry, around, tsc, End::Unwound));
        if let Some(same) = same {
            self.release(&same);
            self.evicted += 1;
        }
        // Goroutines' ids are never used again.
        if self.goroutines.len() > 2 * self.open + WITHOUT {
            self.goroutines.retain(|_, goroutine| !goroutine.is_empty());
        }
        if self.open > self.limits.calls || self.bytes > self.limits.bytes {
            self.give_up();
        }
        before
    }

    /// A call returns. Gives it, unless its entry was never seen.
    pub(crate) fn exit(&mut self, place: Place, tsc: u64) -> Option<Call<R>> {
        let goroutine = self.goroutines.get_mut(&place.goid);
        let Some((entry_tsc, entry, around)) = goroutine.and_then(|goroutine| goroutine.take_latest(place, tsc)) else {
            self.unpaired_exits += 1;
            return None;
        };
        Some(self.over((place, entry_tsc), entry, around, tsc, End::Returned))
    }

    /// A call begins and returns, with nothing in between. `None` if another is open in its place, which this one may show to be over.
    #[inline]
    pub(crate) fn at_once(&self, place: Place, tsc: u64, end_tsc: u64) -> Option<Call<()>> {
        let around = match self.goroutines.get(&place.goid) {
            Some(goroutine) if goroutine.is_open(place.into()) => return None,
            Some(goroutine) => goroutine.around(place.goid, place.frame, tsc),
            None => None,
        };
        Some(Call { entry: Mark { place, tsc, record: () }, end_tsc, end: End::Returned, around })
    }

    /// A boundary at `frame` returns: gives the calls that had been deeper in its goroutine and are over. All of them are, whatever time
    /// they say they began at, so no boundary meets the same calls as one before it.
    pub(crate) fn boundary(&mut self, goid: u64, frame: u32, tsc: u64) -> Vec<Call<R>> {
        let (true, Some(frame)) = (goid != 0, frame.checked_add(1)) else {
            return Vec::new();
        };
        let Some(goroutine) = self.goroutines.get_mut(&goid) else {
            return Vec::new();
        };
        // Before anything is taken: what is around a call is less deep, and over no earlier than the call.
        let around = goroutine.arounds(goid, frame);
        let deeper = goroutine.take_from(frame);
        let unwound = |(((spot, entry_tsc), entry), around): ((Key, Entry<R>), _)| {
            let began = (spot.place(goid), entry_tsc);
            self.over(began, entry, around, tsc.max(entry_tsc), End::Unwound)
        };
        deeper.into_iter().zip(around).map(unwound).collect()
    }

    /// The calls around one that began at `tsc`: the open ones of its goroutine that are less deep and began before.
    pub(crate) fn around(&self, place: Place, tsc: u64) -> Option<Around> {
        self.goroutines.get(&place.goid)?.around(place.goid, place.frame, tsc)
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

    /// No more marks will come: gives the calls that are still open, by their time.
    pub(crate) fn finish(&mut self, tsc: u64) -> Vec<Call<R>> {
        let goroutines = mem::take(&mut self.goroutines);
        let mut open: Vec<_> = goroutines
            .into_iter()
            .flat_map(|(goid, mut goroutine)| {
                let around = goroutine.arounds(goid, 0);
                let calls = goroutine.take_from(0).into_iter().zip(around);
                calls.map(move |(((spot, entry_tsc), entry), around)| ((spot.place(goid), entry_tsc), entry, around))
            })
            .collect();
        open.sort_by_key(|((place, entry_tsc), ..)| (*entry_tsc, *place));
        let unfinished = |(began, entry, around): ((Place, u64), Entry<R>, Option<Around>)| {
            self.over(began, entry, around, tsc.max(began.1), End::Unfinished)
        };
        open.into_iter().map(unfinished).collect()
    }

    /// A call that was taken out.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call is large, and would be copied at each step on its way out")]
    fn over(
        &mut self,
        (place, tsc): (Place, u64),
        entry: Entry<R>,
        around: Option<Around>,
        end_tsc: u64,
        end: End,
    ) -> Call<R> {
        self.release(&entry);
        Call { entry: Mark { place, tsc, record: entry.record }, end_tsc, end, around }
    }

    fn release(&mut self, entry: &Entry<R>) {
        self.open -= 1;
        self.bytes -= entry.record.bytes();
    }

    /// Gives up the oldest calls until the limits hold, with some room for more.
    fn give_up(&mut self) {
        let mut ages: Vec<_> = self.goroutines.values().flat_map(Goroutine::ages).collect();
        ages.sort_unstable();
        let Limits { calls, bytes } = self.limits;
        let (calls, bytes) = (calls - calls / GIVEN_UP, bytes - bytes / GIVEN_UP);
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

/// Where in a goroutine's stack a call is.
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

/// A spot and a time of entry.
type Key = (Spot, u64);

#[derive(Debug)]
struct Entry<R> {
    number: u64,
    record: R,
}

/// The open calls of a goroutine, by spot and time of entry.
#[derive(Debug)]
enum Goroutine<R> {
    /// In a row: the next call is mostly the deepest, and the next to return is.
    Few(Vec<(Key, Entry<R>)>),
    /// Who calls deeper than is usual must not make every call slow.
    Many(BTreeMap<Key, Entry<R>>),
}

/// Most calls that are kept in a row.
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

    /// Adds a call. Gives the one that had the same key.
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

    /// Takes the latest call at a place that began no later than `tsc`, with its time and what is around it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `over`")]
    fn take_latest(&mut self, place: Place, tsc: u64) -> Option<(u64, Entry<R>, Option<Around>)> {
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
        Some((began, entry, self.around(place.goid, place.frame, began)))
    }

    /// What is around a call at `frame` that began at `tsc`.
    fn around(&self, goid: u64, frame: u32, tsc: u64) -> Option<Around> {
        let spot = Spot { frame, function: 0 };
        match self {
            _ if goid == 0 => None,
            Self::Few(calls) => {
                let less_deep = &calls[..calls.partition_point(|((other, _), _)| *other < spot)];
                Around::of(goid, tsc, || less_deep.iter().map(|(key, _)| *key))
            }
            Self::Many(calls) => Around::of(goid, tsc, || calls.range(..(spot, 0)).map(|(key, _)| *key)),
        }
    }

    /// What is around each of the calls at `frame` or deeper, in their order.
    fn arounds(&self, goid: u64, frame: u32) -> Vec<Option<Around>> {
        let first = Spot { frame, function: 0 };
        let around = |(spot, tsc): &Key| self.around(goid, spot.frame, *tsc);
        match self {
            Self::Few(calls) => {
                calls.iter().map(|(key, _)| key).filter(|(spot, _)| *spot >= first).map(around).collect()
            }
            Self::Many(calls) => calls.range((first, 0)..).map(|(key, _)| around(key)).collect(),
        }
    }

    /// Takes all calls at `frame` or deeper.
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

impl Around {
    /// By the keys of all that is less deep, from the least deep on.
    fn of<I: DoubleEndedIterator<Item = Key>>(goid: u64, tsc: u64, less_deep: impl Fn() -> I) -> Option<Self> {
        let is_earlier = |(_, began): &Key| *began < tsc;
        let parent = less_deep().rev().take(CANDIDATES).find(is_earlier)?;
        let root = less_deep().take(CANDIDATES).find(is_earlier).unwrap_or(parent);
        let began = |(spot, began): Key| (spot.place(goid), began);
        Some(Self { parent: began(parent), root: began(root) })
    }
}

#[cfg(test)]
mod tests;
