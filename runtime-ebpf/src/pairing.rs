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

use std::collections::{BTreeMap, VecDeque};

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
    /// By place and time of entry.
    open: BTreeMap<(Place, u64), R>,
    /// The same in the order in which they came, and calls that are over: few calls are ever given up, so who is over is
    /// found out when one is.
    by_age: VecDeque<(Place, u64)>,
    bytes: usize,
    limits: Limits,
    /// Exits whose entry was never seen.
    pub(crate) unpaired_exits: u64,
    /// Open calls that were given up because there were too many.
    pub(crate) evicted: u64,
}

/// Calls that are over, of which this many are remembered beyond as many as are open.
const OVER: usize = 4096;

impl<R: Weigh> Pairing<R> {
    /// Keeps no more open than `limits` allow.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { open: BTreeMap::new(), by_age: VecDeque::new(), bytes: 0, limits, unpaired_exits: 0, evicted: 0 }
    }

    /// A call begins. Gives the call that it shows to be over, if any.
    pub(crate) fn enter(&mut self, mark: Mark<R>) -> Option<Call<R>> {
        let before = self.latest(mark.place, mark.tsc).filter(|_| mark.place.goid != 0);
        let before = before.and_then(|entry_tsc| self.close(mark.place, entry_tsc, None, mark.tsc, End::Unwound));
        self.bytes += mark.record.bytes();
        self.by_age.push_back((mark.place, mark.tsc));
        if let Some(same) = self.open.insert((mark.place, mark.tsc), mark.record) {
            self.bytes -= same.bytes();
            self.evicted += 1;
        }
        while self.open.len() > self.limits.calls || self.bytes > self.limits.bytes {
            let (place, tsc) = self.by_age.pop_front().expect("all that are open are there");
            self.evicted += u64::from(self.remove(place, tsc).is_some());
        }
        if self.by_age.len() > 2 * self.open.len() + OVER {
            self.by_age.retain(|key| self.open.contains_key(key));
        }
        before
    }

    /// A call returns. Gives it, unless its entry was never seen.
    pub(crate) fn exit(&mut self, mark: Mark<R>) -> Option<Call<R>> {
        let Some(entry_tsc) = self.latest(mark.place, mark.tsc) else {
            self.unpaired_exits += 1;
            return None;
        };
        self.close(mark.place, entry_tsc, Some(mark.record), mark.tsc, End::Returned)
    }

    /// A boundary at `frame` returns: gives the calls that had been deeper in its goroutine and are over.
    pub(crate) fn boundary(&mut self, goid: u64, frame: u32, tsc: u64) -> Vec<Call<R>> {
        if goid == 0 || frame == u32::MAX {
            return Vec::new();
        }
        let first = Place { goid, frame: frame + 1, function: 0 };
        let last = Place { goid, frame: u32::MAX, function: u32::MAX };
        let over: Vec<_> = self.open.range((first, 0)..=(last, tsc)).map(|(key, _)| *key).collect();
        // The deepest first: what is around it is still open then.
        let deepest_first = over.into_iter().rev().filter(|(_, entry_tsc)| *entry_tsc < tsc);
        let mut over: Vec<_> = deepest_first
            .filter_map(|(place, entry_tsc)| self.close(place, entry_tsc, None, tsc, End::Unwound))
            .collect();
        over.reverse();
        over
    }

    /// The calls around one that began at `tsc`: the open ones of its goroutine that are less deep and began before.
    pub(crate) fn around(&self, place: Place, tsc: u64) -> Option<Around> {
        if place.goid == 0 {
            return None;
        }
        let first = (Place { goid: place.goid, frame: 0, function: 0 }, 0);
        let end = (Place { goid: place.goid, frame: place.frame, function: 0 }, 0);
        let less_deep = || self.open.range(first..end).map(|(key, _)| *key);
        let is_earlier = |(_, entry_tsc): &(Place, u64)| *entry_tsc < tsc;
        let parent = less_deep().rev().take(CANDIDATES).find(is_earlier)?;
        let root = less_deep().take(CANDIDATES).find(is_earlier).unwrap_or(parent);
        Some(Around { parent, root })
    }

    /// Gives up the open calls of a function.
    pub(crate) fn forget(&mut self, function: u32) {
        let Self { open, bytes, .. } = self;
        open.retain(|(place, _), record| {
            let stays = place.function != function;
            *bytes -= if stays { 0 } else { record.bytes() };
            stays
        });
    }

    /// No more marks will come: gives the calls that are still open, by their time.
    pub(crate) fn finish(&mut self, tsc: u64) -> Vec<Call<R>> {
        let around: Vec<_> = self.open.keys().map(|(place, entry_tsc)| self.around(*place, *entry_tsc)).collect();
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_iter().zip(around).collect();
        open.sort_by_key(|(((_, entry_tsc), _), _)| *entry_tsc);
        (self.by_age, self.bytes) = (VecDeque::new(), 0);
        let unfinished = |(((place, entry_tsc), record), around)| Call {
            entry: Mark { place, tsc: entry_tsc, record },
            exit: None,
            end_tsc: tsc.max(entry_tsc),
            end: End::Unfinished,
            around,
        };
        open.into_iter().map(unfinished).collect()
    }

    fn latest(&self, place: Place, tsc: u64) -> Option<u64> {
        self.open.range((place, 0)..=(place, tsc)).next_back().map(|((_, entry_tsc), _)| *entry_tsc)
    }

    fn close(&mut self, place: Place, entry_tsc: u64, exit: Option<R>, end_tsc: u64, end: End) -> Option<Call<R>> {
        let record = self.remove(place, entry_tsc)?;
        let around = self.around(place, entry_tsc);
        Some(Call { entry: Mark { place, tsc: entry_tsc, record }, exit, end_tsc, end, around })
    }

    fn remove(&mut self, place: Place, entry_tsc: u64) -> Option<R> {
        let record = self.open.remove(&(place, entry_tsc))?;
        self.bytes -= record.bytes();
        Some(record)
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
        let mut pairing = Pairing::new(Limits { calls: 10, bytes: 16 });
        for tsc in [10, 20, 30] {
            pairing.enter(mark(tsc, 100, 0, tsc));
        }
        assert_eq!((pairing.evicted, pairing.finish(40).len()), (1, 2));
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
            let mut look = |ready: Vec<Written>| {
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
