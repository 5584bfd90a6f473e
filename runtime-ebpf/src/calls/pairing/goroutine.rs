//! The open calls of one goroutine.
//!
//! Decides: in which order they are kept, so that the deepest is found first.
//! Trusts: its caller, which gives them in the order of their time.
//! Never does: read what a record holds.

use std::collections::BTreeMap;
use std::mem;

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

/// The open calls around a call: its parent and the outermost one, each by its place and the time
/// of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ancestors {
    pub(crate) parent: (Place, u64),
    pub(crate) root: (Place, u64),
    /// The parent's ids, if its record has them.
    pub(crate) parent_ids: Option<SpanIds>,
    /// Those of the nearest ancestor whose record has them.
    pub(crate) nearest_ids: Option<SpanIds>,
}

/// The ids of a call that the process has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpanIds {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    pub(crate) is_sampled: bool,
}

/// How many open calls are examined as ancestors. More than one is needed only if time stamps are
/// wrong.
const CANDIDATES: usize = 16;

/// The memory that a record takes, and the ids in it.
pub(crate) trait Weigh {
    fn bytes(&self) -> usize;
    fn ids(&self) -> Option<SpanIds> {
        None
    }
}

/// The position of a call in the stack of its goroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) frame: u32,
    pub(super) function: u32,
}

impl From<Place> for Spot {
    fn from(Place { frame, function, .. }: Place) -> Self {
        Self { frame, function }
    }
}

impl Spot {
    pub(super) fn place(self, goid: u64) -> Place {
        Place { goid, frame: self.frame, function: self.function }
    }
}

/// A spot and the time of the entry.
pub(super) type Key = (Spot, u64);

#[derive(Debug)]
pub(super) struct Entry<R> {
    pub(super) number: u64,
    pub(super) record: R,
}

/// The open calls of a goroutine, by spot and time of entry.
#[derive(Debug)]
pub(super) enum Goroutine<R> {
    /// In a row: usually the next call becomes the deepest, and the deepest returns next.
    Few(Vec<(Key, Entry<R>)>),
    /// In a tree, so that an unusually deep stack does not make every call slow.
    Many(BTreeMap<Key, Entry<R>>),
}

/// Most calls kept in a row.
pub(super) const FEW: usize = 32;

impl<R> Default for Goroutine<R> {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl<R: Weigh> Goroutine<R> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Few(calls) => calls.is_empty(),
            Self::Many(calls) => calls.is_empty(),
        }
    }

    pub(super) fn is_open(&self, spot: Spot) -> bool {
        match self {
            Self::Few(calls) => calls.iter().any(|((other, _), _)| *other == spot),
            Self::Many(calls) => calls.range((spot, 0)..=(spot, u64::MAX)).next().is_some(),
        }
    }

    /// Adds a call. Returns the one with the same key, if any.
    pub(super) fn insert(&mut self, key: Key, entry: Entry<R>) -> Option<Entry<R>> {
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
    pub(super) fn take_latest(&mut self, place: Place, tsc: u64) -> Option<(u64, Entry<R>, Option<Ancestors>)> {
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
    pub(super) fn nearest_around(&self, place: Place, functions: impl Fn(u32) -> bool, tsc: u64) -> Option<Place> {
        let is_it = |(spot, began): &&Key| spot.frame < place.frame && *began <= tsc && functions(spot.function);
        let nearest = match self {
            _ if place.goid == 0 => None,
            Self::Few(calls) => calls.iter().rev().map(|(key, _)| key).find(is_it),
            Self::Many(calls) => calls.keys().rev().find(is_it),
        };
        Some(nearest?.0.place(place.goid))
    }

    /// The ancestors of a call at `frame` that began at `tsc`.
    pub(super) fn ancestors(&self, goid: u64, frame: u32, tsc: u64) -> Option<Ancestors> {
        let spot = Spot { frame, function: 0 };
        match self {
            _ if goid == 0 => None,
            Self::Few(calls) => {
                let less_deep = &calls[..calls.partition_point(|((other, _), _)| *other < spot)];
                Ancestors::from_less_deep(goid, tsc, || less_deep.iter().map(|(key, entry)| (*key, entry.record.ids())))
            }
            Self::Many(calls) => {
                let less_deep = || calls.range(..(spot, 0)).map(|(key, entry)| (*key, entry.record.ids()));
                Ancestors::from_less_deep(goid, tsc, less_deep)
            }
        }
    }

    /// The ancestors of each call at `frame` or deeper, in their order.
    pub(super) fn ancestors_from(&self, goid: u64, frame: u32) -> Vec<Option<Ancestors>> {
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
    pub(super) fn take_from(&mut self, frame: u32) -> Vec<(Key, Entry<R>)> {
        let first = Spot { frame, function: 0 };
        match self {
            Self::Few(calls) => calls.split_off(calls.partition_point(|((spot, _), _)| *spot < first)),
            Self::Many(calls) => calls.split_off(&(first, 0)).into_iter().collect(),
        }
    }

    /// The number of each entry, and the bytes of its record.
    pub(super) fn ages(&self) -> Vec<(u64, usize)> {
        let age = |entry: &Entry<R>| (entry.number, entry.record.bytes());
        match self {
            Self::Few(calls) => calls.iter().map(|(_, entry)| age(entry)).collect(),
            Self::Many(calls) => calls.values().map(age).collect(),
        }
    }

    pub(super) fn retain(&mut self, mut stays: impl FnMut(&Key, &Entry<R>) -> bool) {
        match self {
            Self::Few(calls) => calls.retain(|(key, entry)| stays(key, entry)),
            Self::Many(calls) => calls.retain(|key, entry| stays(key, entry)),
        }
    }
}

impl Ancestors {
    /// From the keys of all calls that are less deep, the least deep first.
    fn from_less_deep<I: DoubleEndedIterator<Item = (Key, Option<SpanIds>)>>(
        goid: u64,
        tsc: u64,
        less_deep: impl Fn() -> I,
    ) -> Option<Self> {
        let is_earlier = |((_, began), _): &(Key, Option<SpanIds>)| *began < tsc;
        let (parent, parent_ids) = less_deep().rev().take(CANDIDATES).find(is_earlier)?;
        let (root, _) = less_deep().take(CANDIDATES).find(is_earlier).unwrap_or((parent, None));
        let nearest = || less_deep().rev().take(CANDIDATES).filter(is_earlier).find_map(|(_, ids)| ids);
        let began = |(spot, began): Key| (spot.place(goid), began);
        Some(Self { parent: began(parent), root: began(root), parent_ids, nearest_ids: parent_ids.or_else(nearest) })
    }
}
