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

/// One end of a call.
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
    /// The exit's record, when it returned.
    pub(crate) exit: Option<R>,
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
        let before = before
            .map(|(entry_tsc, entry, around)| self.over((place, entry_tsc), entry, around, None, tsc, End::Unwound));
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
    pub(crate) fn exit(&mut self, mark: Mark<R>) -> Option<Call<R>> {
        let Mark { place, tsc, record } = mark;
        let goroutine = self.goroutines.get_mut(&place.goid);
        let Some((entry_tsc, entry, around)) = goroutine.and_then(|goroutine| goroutine.take_latest(place, tsc)) else {
            self.unpaired_exits += 1;
            return None;
        };
        Some(self.over((place, entry_tsc), entry, around, Some(record), tsc, End::Returned))
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
            self.over(began, entry, around, None, tsc.max(entry_tsc), End::Unwound)
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
            self.over(began, entry, around, None, tsc.max(began.1), End::Unfinished)
        };
        open.into_iter().map(unfinished).collect()
    }

    /// A call that was taken out.
    fn over(
        &mut self,
        (place, tsc): (Place, u64),
        entry: Entry<R>,
        around: Option<Around>,
        exit: Option<R>,
        end_tsc: u64,
        end: End,
    ) -> Call<R> {
        self.release(&entry);
        Call { entry: Mark { place, tsc, record: entry.record }, exit, end_tsc, end, around }
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::order::{Order, Ordered};

    impl Weigh for u64 {
        fn bytes(&self) -> usize {
            8
        }
    }

    fn limits(calls: usize) -> Limits {
        Limits { calls, bytes: 1 << 20 }
    }

    fn mark(goid: u64, frame: u32, function: u32, tsc: u64) -> Mark<u64> {
        Mark { place: Place { goid, frame, function }, tsc, record: tsc }
    }

    fn ends(calls: &[Call<u64>]) -> Vec<(u64, u64, End)> {
        calls.iter().map(|call| (call.entry.tsc, call.end_tsc, call.end)).collect()
    }

    #[test]
    fn an_exit_ends_the_call_of_its_own_place() {
        let mut pairing = Pairing::new(limits(10));
        assert_eq!(pairing.enter(mark(1, 100, 0, 10)), None);
        assert_eq!(pairing.enter(mark(1, 200, 0, 20)), None, "a recursive call is deeper");
        assert_eq!(pairing.enter(mark(2, 100, 0, 25)), None, "another goroutine");
        assert_eq!(ends(pairing.exit(mark(1, 100, 0, 30)).as_slice()), [(10, 30, End::Returned)]);
        assert_eq!(ends(pairing.exit(mark(1, 200, 0, 40)).as_slice()), [(20, 40, End::Returned)]);
        assert_eq!(pairing.exit(mark(1, 200, 0, 50)), None);
        assert_eq!(pairing.unpaired_exits, 1);
    }

    #[test]
    fn a_boundary_ends_what_is_deeper_and_nothing_else() {
        let mut pairing = Pairing::new(limits(10));
        pairing.enter(mark(1, 100, 0, 10));
        pairing.enter(mark(1, 200, 1, 20));
        pairing.enter(mark(1, 300, 2, 30));
        pairing.enter(mark(2, 300, 2, 30));
        let over = pairing.boundary(1, 100, 50);
        assert_eq!(ends(&over), [(20, 50, End::Unwound), (30, 50, End::Unwound)]);
        assert_eq!(ends(&pairing.finish(60)), [(10, 60, End::Unfinished), (30, 60, End::Unfinished)]);
        assert_eq!(pairing.finish(70), []);
    }

    #[test]
    fn a_call_in_the_place_of_an_open_one_ends_it() {
        let mut pairing = Pairing::new(limits(10));
        pairing.enter(mark(1, 100, 0, 10));
        assert_eq!(ends(pairing.enter(mark(1, 100, 0, 20)).as_slice()), [(10, 20, End::Unwound)]);
        pairing.enter(mark(0, 100, 0, 10));
        assert_eq!(pairing.enter(mark(0, 100, 0, 20)), None, "goroutine 0 is several threads");
    }

    #[test]
    fn a_call_is_part_of_the_open_call_around_it() {
        let mut pairing = Pairing::new(limits(10));
        pairing.enter(mark(1, 100, 0, 10));
        pairing.enter(mark(1, 200, 1, 20));
        pairing.enter(mark(2, 150, 2, 5));
        let place = |goid, frame| Place { goid, frame, function: 3 };
        let around = |goid, frame, tsc| pairing.around(place(goid, frame), tsc);
        let at = |goid, frame, function, tsc| (Place { goid, frame, function }, tsc);
        assert_eq!(around(1, 300, 30), Some(Around { parent: at(1, 200, 1, 20), root: at(1, 100, 0, 10) }));
        assert_eq!(around(1, 200, 30), Some(Around { parent: at(1, 100, 0, 10), root: at(1, 100, 0, 10) }), "as deep");
        assert_eq!(around(1, 300, 15).map(|around| around.parent), Some(at(1, 100, 0, 10)), "began later");
        assert_eq!(around(1, 100, 30), None);
        assert_eq!(around(3, 300, 30), None, "another goroutine");
    }

    #[test]
    fn a_function_can_be_given_up() {
        let mut pairing = Pairing::new(Limits { calls: 10, bytes: 16 });
        pairing.enter(mark(1, 100, 0, 10));
        pairing.enter(mark(1, 200, 1, 20));
        pairing.forget(0);
        pairing.enter(mark(1, 300, 1, 30));
        assert_eq!(pairing.evicted, 0, "the bytes of what was given up are free");
        assert_eq!(ends(&pairing.finish(40)), [(20, 40, End::Unfinished), (30, 40, End::Unfinished)]);
    }

    #[test]
    fn too_many_open_calls_cost_the_oldest() {
        let mut pairing = Pairing::new(limits(2));
        for tsc in [10, 20, 30] {
            pairing.enter(mark(tsc, 100, 0, tsc));
        }
        assert_eq!(pairing.evicted, 1);
        assert_eq!(ends(&pairing.finish(40)), [(20, 40, End::Unfinished), (30, 40, End::Unfinished)]);
    }

    #[test]
    fn large_records_count_by_their_size() {
        let mut pairing = Pairing::new(Limits { calls: 10, bytes: 20 });
        for tsc in [10, 20, 30] {
            pairing.enter(mark(tsc, 100, 0, tsc));
        }
        assert_eq!((pairing.evicted, pairing.finish(40).len()), (1, 2));
    }

    #[test]
    fn many_open_calls_of_one_goroutine_are_as_few() {
        let mut pairing = Pairing::new(limits(1000));
        let depths = 3 * FEW as u32;
        for depth in 1..=depths {
            assert_eq!(pairing.enter(mark(1, depth * 8, 0, depth.into())), None);
        }
        let returned = pairing.exit(mark(1, depths * 8, 0, 500));
        assert_eq!(ends(returned.as_slice()), [(depths.into(), 500, End::Returned)]);
        let again = pairing.enter(mark(1, 80, 0, 501));
        assert_eq!(ends(again.as_slice()), [(10, 501, End::Unwound)]);
        assert_eq!(pairing.boundary(1, 160, 502).len() as u32, depths - 1 - 20);
        assert_eq!(pairing.finish(600).len(), 20);
        assert_eq!((pairing.open, pairing.bytes), (0, 0));
    }

    #[test]
    fn goroutines_that_are_gone_are_forgotten() {
        let mut pairing = Pairing::new(limits(10));
        for goid in 1..100_000 {
            pairing.enter(mark(goid, 100, 0, goid));
            assert!(pairing.exit(mark(goid, 100, 0, goid + 1)).is_some());
        }
        assert!(pairing.goroutines.len() <= WITHOUT + 1);
        for goid in 100_000..200_000 {
            pairing.enter(mark(goid, 100, 0, goid));
            pairing.boundary(goid, 0, goid + 1);
        }
        assert!(pairing.goroutines.len() <= WITHOUT + 1);
    }

    /// What a goroutine of the property test does next.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Call(u32),
        Return,
        /// A panic that reaches the goroutine's boundary, which then returns.
        Panic,
    }

    enum Written {
        Enter(Mark<u64>),
        Exit(Mark<u64>),
        Boundary(u64, u64),
    }

    impl Ordered for Written {
        fn goid(&self) -> u64 {
            match self {
                Self::Enter(mark) | Self::Exit(mark) => mark.place.goid,
                Self::Boundary(goid, _) => *goid,
            }
        }
        fn tsc(&self) -> u64 {
            match self {
                Self::Enter(mark) | Self::Exit(mark) => mark.tsc,
                Self::Boundary(_, tsc) => *tsc,
            }
        }
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![4 => (0u32..3).prop_map(Step::Call), 4 => Just(Step::Return), 1 => Just(Step::Panic)]
    }

    proptest! {
        /// Goroutines call, return and panic, on changing Ps, while a daemon reads the Ps' rings in turn: every call
        /// comes out once, with the right end.
        #[test]
        fn every_call_comes_out_once(steps in prop::collection::vec((1u64..4, step(), 0usize..3, any::<bool>()), 1..400)) {
            let mut rings: [Vec<Written>; 3] = Default::default();
            let mut stacks: BTreeMap<u64, Vec<(u32, u64)>> = BTreeMap::new();
            let (mut expected, mut seen) = (Vec::new(), Vec::new());
            let (mut order, mut pairing, mut next_ring) = (Order::new(), Pairing::new(limits(1000)), 0);
            let mut look = |ready: std::vec::Drain<'_, Written>| {
                for written in ready {
                    match written {
                        Written::Enter(mark) => seen.extend(pairing.enter(mark)),
                        Written::Exit(mark) => seen.extend(pairing.exit(mark)),
                        Written::Boundary(goid, tsc) => seen.extend(pairing.boundary(goid, 0, tsc)),
                    }
                }
            };
            for (tsc, (goid, step, ring, read)) in (1u64..).zip(&steps) {
                let stack = stacks.entry(*goid).or_default();
                match step {
                    Step::Call(function) => {
                        stack.push((*function, tsc));
                        rings[*ring].push(Written::Enter(mark(*goid, stack.len() as u32 * 64, *function, tsc)));
                    }
                    Step::Return => {
                        let frame = stack.len() as u32 * 64;
                        if let Some((function, entry_tsc)) = stack.pop() {
                            rings[*ring].push(Written::Exit(mark(*goid, frame, function, tsc)));
                            expected.push((entry_tsc, tsc, End::Returned));
                        }
                    }
                    Step::Panic => {
                        expected.extend(stack.drain(..).map(|(_, entry_tsc)| (entry_tsc, tsc, End::Unwound)));
                        rings[*ring].push(Written::Boundary(*goid, tsc));
                    }
                }
                if *read {
                    rings[next_ring].drain(..).for_each(|written| order.push(written));
                    next_ring = (next_ring + 1) % rings.len();
                    if next_ring == 0 {
                        look(order.end_pass());
                    }
                }
            }
            rings.iter_mut().flat_map(std::mem::take).for_each(|written| order.push(written));
            look(order.end_pass());
            look(order.end_pass());
            let end = steps.len() as u64 + 1;
            seen.extend(pairing.finish(end));
            expected.extend(stacks.values().flatten().map(|(_, entry_tsc)| (*entry_tsc, end, End::Unfinished)));
            let mut seen = ends(&seen);
            seen.sort_by_key(|(entry_tsc, ..)| *entry_tsc);
            expected.sort_by_key(|(entry_tsc, ..)| *entry_tsc);
            prop_assert_eq!(seen, expected);
            prop_assert_eq!((pairing.unpaired_exits, pairing.evicted), (0, 0));
        }
    }
}
