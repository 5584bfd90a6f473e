//! Entries and exits make the right calls.

use proptest::prelude::*;

use std::collections::BTreeMap;

use super::goroutine::FEW;
use super::*;
use crate::calls::order::{Order, Ordered};

impl Weigh for u64 {
    fn bytes(&self) -> usize {
        8
    }
}

fn limits(calls: usize) -> CallLimits {
    CallLimits { calls, bytes: 1 << 20 }
}

fn mark(goid: u64, frame: u32, function: u32, tsc: u64) -> Mark<u64> {
    Mark { place: Place { goid, frame, function }, tsc, record: tsc }
}

fn place(goid: u64, frame: u32, function: u32) -> Place {
    Place { goid, frame, function }
}

fn ends(calls: &[Call<u64>]) -> Vec<(u64, u64, End)> {
    calls.iter().map(|call| (call.entry.tsc, call.end_tsc, call.end)).collect()
}

#[test]
fn an_exit_ends_the_call_of_its_place() {
    let mut pairing = Pairing::new(limits(10));
    assert_eq!(pairing.enter(mark(1, 100, 0, 10)), None);
    assert_eq!(pairing.enter(mark(1, 200, 0, 20)), None, "a recursive call is deeper");
    assert_eq!(pairing.enter(mark(2, 100, 0, 25)), None, "another goroutine");
    assert_eq!(ends(pairing.exit(place(1, 100, 0), 30).as_slice()), [(10, 30, End::Returned)]);
    assert_eq!(ends(pairing.exit(place(1, 200, 0), 40).as_slice()), [(20, 40, End::Returned)]);
    assert_eq!(pairing.exit(place(1, 200, 0), 50), None);
    assert_eq!(pairing.unpaired_exits, 1);
}

#[test]
fn a_boundary_ends_deeper_calls_only() {
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
fn the_nearest_call_of_a_function_ends_in_another() {
    let mut pairing = Pairing::new(limits(10));
    pairing.enter(mark(1, 100, 7, 10));
    pairing.enter(mark(1, 200, 7, 20));
    pairing.enter(mark(1, 300, 1, 30));
    assert_eq!(pairing.end_around(place(1, 200, 8), |function| function == 3, 40), None, "no call of that function");
    assert_eq!(pairing.end_around(place(2, 400, 8), |function| function == 7, 40), None, "another goroutine");
    assert_eq!(
        ends(pairing.end_around(place(1, 400, 8), |function| function == 7, 40).as_slice()),
        [(20, 40, End::Returned)]
    );
    assert_eq!(pairing.unwind(place(1, 200, 7), 50), None, "it has ended before");
    assert_eq!(ends(pairing.unwind(place(1, 100, 7), 60).as_slice()), [(10, 60, End::Unwound)]);
    assert_eq!(pairing.unpaired_exits, 0);
}

#[test]
fn a_call_that_is_left_out_is_no_parent_and_its_exit_is_expected() {
    let mut pairing = Pairing::new(limits(10));
    pairing.enter(mark(1, 100, 0, 10));
    pairing.leave_out(place(1, 200, 5), |function| function == 4, 20);
    pairing.leave_out(place(1, 200, 5), |function| function == 0, 20);
    assert_eq!(pairing.ancestors(place(1, 300, 1), 30), None);
    assert_eq!(pairing.exit(place(1, 100, 0), 40), None);
    assert_eq!(pairing.unpaired_exits, 0);
    assert_eq!(pairing.exit(place(1, 100, 0), 50), None);
    assert_eq!(pairing.unpaired_exits, 1, "a second exit is of no call");
    // A panic leaves it without an exit.
    pairing.enter(mark(1, 100, 0, 60));
    pairing.leave_out(place(1, 200, 5), |function| function == 0, 70);
    assert_eq!(pairing.boundary(1, 50, 80), []);
    assert_eq!(pairing.exit(place(1, 100, 0), 90), None);
    assert_eq!(pairing.unpaired_exits, 2);
}

#[test]
fn an_entry_in_the_place_of_an_open_call_ends_it() {
    let mut pairing = Pairing::new(limits(10));
    pairing.enter(mark(1, 100, 0, 10));
    assert_eq!(ends(pairing.enter(mark(1, 100, 0, 20)).as_slice()), [(10, 20, End::Unwound)]);
    pairing.enter(mark(0, 100, 0, 10));
    assert_eq!(pairing.enter(mark(0, 100, 0, 20)), None, "goroutine 0 is several threads");
}

#[test]
fn the_parent_is_the_nearest_open_call_that_is_less_deep() {
    let mut pairing = Pairing::new(limits(10));
    pairing.enter(mark(1, 100, 0, 10));
    pairing.enter(mark(1, 200, 1, 20));
    pairing.enter(mark(2, 150, 2, 5));
    let ancestors = |goid, frame, tsc| pairing.ancestors(place(goid, frame, 3), tsc);
    let at = |goid, frame, function, tsc| (place(goid, frame, function), tsc);
    let below = |parent, root| Ancestors { parent, root, parent_ids: None, nearest_ids: None };
    assert_eq!(ancestors(1, 300, 30), Some(below(at(1, 200, 1, 20), at(1, 100, 0, 10))));
    assert_eq!(ancestors(1, 200, 30), Some(below(at(1, 100, 0, 10), at(1, 100, 0, 10))), "as deep");
    assert_eq!(ancestors(1, 300, 15).map(|ancestors| ancestors.parent), Some(at(1, 100, 0, 10)), "began later");
    assert_eq!(ancestors(1, 100, 30), None);
    assert_eq!(ancestors(3, 300, 30), None, "another goroutine");
}

#[test]
fn the_open_calls_of_a_function_can_be_given_up() {
    let mut pairing = Pairing::new(CallLimits { calls: 10, bytes: 16 });
    pairing.enter(mark(1, 100, 0, 10));
    pairing.enter(mark(1, 200, 1, 20));
    pairing.forget(0);
    pairing.enter(mark(1, 300, 1, 30));
    assert_eq!(pairing.evicted, 0, "the bytes of the calls given up are free");
    assert_eq!(ends(&pairing.finish(40)), [(20, 40, End::Unfinished), (30, 40, End::Unfinished)]);
}

#[test]
fn the_oldest_of_too_many_open_calls_are_given_up() {
    let mut pairing = Pairing::new(limits(2));
    for tsc in [10, 20, 30] {
        pairing.enter(mark(tsc, 100, 0, tsc));
    }
    assert_eq!(pairing.evicted, 1);
    assert_eq!(ends(&pairing.finish(40)), [(20, 40, End::Unfinished), (30, 40, End::Unfinished)]);
}

#[test]
fn the_limit_counts_the_bytes_of_records() {
    let mut pairing = Pairing::new(CallLimits { calls: 10, bytes: 20 });
    for tsc in [10, 20, 30] {
        pairing.enter(mark(tsc, 100, 0, tsc));
    }
    assert_eq!((pairing.evicted, pairing.finish(40).len()), (1, 2));
}

#[test]
fn many_open_calls_of_a_goroutine_behave_like_few() {
    let mut pairing = Pairing::new(limits(1000));
    let depths = 3 * FEW as u32;
    for depth in 1..=depths {
        assert_eq!(pairing.enter(mark(1, depth * 8, 0, depth.into())), None);
    }
    let returned = pairing.exit(place(1, depths * 8, 0), 500);
    assert_eq!(ends(returned.as_slice()), [(depths.into(), 500, End::Returned)]);
    let again = pairing.enter(mark(1, 80, 0, 501));
    assert_eq!(ends(again.as_slice()), [(10, 501, End::Unwound)]);
    assert_eq!(pairing.boundary(1, 160, 502).len() as u32, depths - 1 - 20);
    assert_eq!(pairing.finish(600).len(), 20);
    assert_eq!((pairing.open, pairing.bytes), (0, 0));
}

#[test]
fn goroutines_without_calls_are_forgotten() {
    let mut pairing = Pairing::new(limits(10));
    for goid in 1..100_000 {
        pairing.enter(mark(goid, 100, 0, goid));
        assert!(pairing.exit(place(goid, 100, 0), goid + 1).is_some());
    }
    assert!(pairing.goroutines.len() <= KEPT_IDLE + 1);
    for goid in 100_000..200_000 {
        pairing.enter(mark(goid, 100, 0, goid));
        pairing.boundary(goid, 0, goid + 1);
    }
    assert!(pairing.goroutines.len() <= KEPT_IDLE + 1);
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
    Exit(Place, u64),
    Boundary(u64, u64),
}

impl Ordered for Written {
    fn goid(&self) -> u64 {
        match self {
            Self::Enter(mark) => mark.place.goid,
            Self::Exit(place, _) => place.goid,
            Self::Boundary(goid, _) => *goid,
        }
    }
    fn tsc(&self) -> u64 {
        match self {
            Self::Enter(mark) => mark.tsc,
            Self::Exit(_, tsc) | Self::Boundary(_, tsc) => *tsc,
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![4 => (0u32..3).prop_map(Step::Call), 4 => Just(Step::Return), 1 => Just(Step::Panic)]
}

proptest! {
    /// `leaf_call` gives the call that `enter` and `exit` would have given.
    #[test]
    fn a_leaf_call_equals_the_call_of_its_ends(
        before in prop::collection::vec((0u64..3, 1u32..40, 0u32..3, 0u64..50, any::<bool>()), 0..300),
        (goid, frame, function, tsc, took) in (0u64..3, 1u32..40, 0u32..3, 0u64..60, 0u64..60),
    ) {
        let mut pairing = Pairing::new(limits(1000));
        for (goid, frame, function, tsc, is_entry) in before {
            if is_entry {
                pairing.enter(mark(goid, frame, function, tsc));
            } else {
                pairing.exit(place(goid, frame, function), tsc);
            }
        }
        let place = place(goid, frame, function);
        if let Some(Call { entry, end_tsc, end, ancestors }) = pairing.leaf_call(place, tsc, tsc + took) {
            let open = pairing.open;
            prop_assert_eq!(pairing.enter(Mark { place: entry.place, tsc: entry.tsc, record: tsc }), None);
            let exit = pairing.exit(place, tsc + took);
            prop_assert_eq!(exit, Some(Call { entry: Mark { place, tsc, record: tsc }, end_tsc, end, ancestors }));
            prop_assert_eq!(pairing.open, open);
        } else {
            prop_assert!(pairing.goroutines[&goid].is_open(place.into()));
        }
    }

    /// Goroutines call, return and panic, on changing Ps, while a daemon reads the rings in turn:
    /// every call comes out once, with the right end.
    #[test]
    fn every_call_comes_out_once(steps in prop::collection::vec((1u64..4, step(), 0usize..3, any::<bool>()), 1..400)) {
        let mut rings: [Vec<Written>; 3] = Default::default();
        let mut stacks: BTreeMap<u64, Vec<(u32, u64)>> = BTreeMap::new();
        let (mut expected, mut seen) = (Vec::new(), Vec::new());
        let (mut order, mut pairing, mut next_ring) = (Order::new(), Pairing::new(limits(1000)), 0);
        let mut process = |order: &mut Order<Written>| {
            for (written, _) in order.end_pass() {
                match *written {
                    Written::Enter(Mark { place, tsc, record }) => seen.extend(pairing.enter(Mark { place, tsc, record })),
                    Written::Exit(place, tsc) => seen.extend(pairing.exit(place, tsc)),
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
                        rings[*ring].push(Written::Exit(place(*goid, frame, function), tsc));
                        expected.push((entry_tsc, tsc, End::Returned));
                    }
                }
                Step::Panic => {
                    expected.extend(stack.drain(..).map(|(_, entry_tsc)| (entry_tsc, tsc, End::Unwound)));
                    rings[*ring].push(Written::Boundary(*goid, tsc));
                }
            }
            if *read {
                rings[next_ring].drain(..).for_each(|written| order.push(written, &[]));
                next_ring = (next_ring + 1) % rings.len();
                if next_ring == 0 {
                    process(&mut order);
                }
            }
        }
        rings.iter_mut().flat_map(std::mem::take).for_each(|written| order.push(written, &[]));
        process(&mut order);
        process(&mut order);
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
