//! Puts records back into the order in which each goroutine wrote them.
//!
//! Decides: which records of a pass may be looked at now, and which must wait for the next pass.
//! Trusts: that a goroutine publishes one record before it begins the next, and that time stamps of one goroutine
//! grow. A process for which that is not so spoils only its own operations.
//! Never does: I/O, or dropping a record.
//!
//! A goroutine moves between Ps, so its records lie in several rings, and a pass reads the rings one after another:
//!
//! ```text
//!   goroutine 7 writes      e in ring A       x in ring B
//!   pass p reads        A ^             B               ^      sees x, not e
//!   pass p+1 reads                                        A ^  sees e
//! ```
//!
//! But x was published after e. So a pass that begins after x was read sees e, and with it everything that
//! goroutine 7 wrote before x. Hence: when pass p+1 is over, take for each goroutine all records up to the latest
//! one that pass p has read, and nothing is missing in between.

use std::collections::HashMap;
use std::vec::Drain;

use foldhash::fast::RandomState;

/// Records for which room is kept between passes.
const KEPT: usize = 1 << 14;

/// A record as far as its order goes.
pub(crate) trait Ordered {
    /// Which goroutine wrote it.
    fn goid(&self) -> u64;
    /// When.
    fn tsc(&self) -> u64;
}

/// The records of one process that have been read and not yet looked at.
#[derive(Debug)]
pub(crate) struct Order<T> {
    /// Read in earlier passes.
    held: Vec<T>,
    /// Read in this pass.
    fresh: Vec<T>,
    /// May be looked at. Empty between passes.
    ready: Vec<T>,
    /// The time of each goroutine's last record among those that were held. Empty between passes.
    latest: HashMap<u64, u64, RandomState>,
}

impl<T: Ordered> Order<T> {
    pub(crate) fn new() -> Self {
        Self { held: Vec::new(), fresh: Vec::new(), ready: Vec::new(), latest: HashMap::default() }
    }

    /// Takes a record of the current pass.
    pub(crate) fn push(&mut self, record: T) {
        self.fresh.push(record);
    }

    /// Ends a pass that has read every ring. Gives the records whose turn has come, by time.
    pub(crate) fn end_pass(&mut self) -> Drain<'_, T> {
        let Self { held, fresh, ready, latest } = self;
        ready.shrink_to(KEPT);
        std::mem::swap(ready, held);
        std::mem::swap(held, fresh);
        // When one of two passes has read nothing, nobody has to be looked up: what was held may go, and what is fresh waits.
        if !ready.is_empty() && !held.is_empty() {
            // Records of a goroutine mostly come in a row, so one look serves many.
            for row in ready.chunk_by(|one, next| one.goid() == next.goid()) {
                let tsc = latest.entry(row[0].goid()).or_default();
                *tsc = row.iter().map(T::tsc).fold(*tsc, u64::max);
            }
            let mut last = None;
            ready.extend(held.extract_if(.., |record| {
                let goid = record.goid();
                let until = match last {
                    Some((same, until)) if same == goid => until,
                    _ => latest.get(&goid).copied(),
                };
                last = Some((goid, until));
                until.is_some_and(|tsc| record.tsc() <= tsc)
            }));
            latest.clear();
        }
        ready.sort_by_key(T::tsc);
        ready.drain(..)
    }

    /// Whether no record waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.fresh.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Ordered for (u64, u64) {
        fn goid(&self) -> u64 {
            self.0
        }
        fn tsc(&self) -> u64 {
            self.1
        }
    }

    #[test]
    fn an_exit_read_before_its_entry_waits_for_it() {
        let mut order = Order::new();
        order.push((7, 20));
        assert_eq!(order.end_pass().next(), None);
        order.push((7, 10));
        order.push((7, 30));
        assert_eq!(order.end_pass().as_slice(), [(7, 10), (7, 20)], "30 may still have something before it");
        assert_eq!(order.end_pass().as_slice(), [(7, 30)]);
        assert!(order.is_empty());
    }

    proptest! {
        /// Plays goroutines that write to rings and a daemon that reads one ring at a time while they go on writing.
        #[test]
        fn each_goroutine_comes_out_in_its_order(steps in prop::collection::vec((0u64..3, 0usize..4, any::<bool>()), 1..300)) {
            let mut rings = vec![Vec::new(); 4];
            let mut order = Order::new();
            let (mut seen, mut next_ring) = (Vec::new(), 0);
            for (tsc, (goid, ring, read)) in steps.iter().enumerate() {
                rings[*ring].push((*goid, tsc as u64));
                if *read {
                    rings[next_ring].drain(..).for_each(|record| order.push(record));
                    next_ring = (next_ring + 1) % rings.len();
                    if next_ring == 0 {
                        seen.extend(order.end_pass());
                    }
                }
            }
            rings.iter_mut().flat_map(std::mem::take).for_each(|record| order.push(record));
            seen.extend(order.end_pass());
            seen.extend(order.end_pass());
            prop_assert_eq!(seen.len(), steps.len());
            for goroutine in 0..3 {
                prop_assert!(seen.iter().filter(|(goid, _)| *goid == goroutine).is_sorted());
            }
        }
    }
}
