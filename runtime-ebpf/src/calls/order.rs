//! Puts records back into the order in which each goroutine wrote them.
//!
//! Decides: which records of a pass may be processed now, and which must wait for the next pass.
//! Trusts: that a goroutine publishes one record before it begins the next, and that the time
//! stamps of a goroutine grow. A process that breaks this spoils only its own operations.
//! Never does: I/O, or drop a record.
//!
//! A goroutine moves between Ps, so its records lie in several rings, and a pass reads the rings
//! one after another:
//!
//! ```text
//!   goroutine 7 writes      e in ring A       x in ring B
//!   pass p reads        A ^             B               ^      sees x, not e
//!   pass p+1 reads                                        A ^  sees e
//! ```
//!
//! But x was published after e. So a pass that begins after x was read sees e, and everything else
//! that goroutine 7 wrote before x. Hence: when pass p+1 is over, the records of each goroutine up
//! to the latest one that pass p has read are complete.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Records, and bytes of payload, for which memory is kept between passes.
const KEPT: usize = 1 << 12;
const KEPT_BYTES: usize = 128 * KEPT;

/// What the order of a record depends on.
pub(crate) trait Ordered {
    /// The goroutine that wrote the record.
    fn goid(&self) -> u64;
    /// When it was written.
    fn tsc(&self) -> u64;
}

/// The records of one process that have been read but not processed.
#[derive(Debug)]
pub(crate) struct Order<T> {
    /// Read in the pass before.
    held: Vec<Held<T>>,
    /// Read in this pass.
    fresh: Vec<Held<T>>,
    /// May be processed, until the next pass ends.
    ready: Vec<Held<T>>,
    /// The bytes that two passes have read, with the payloads; no record waits for longer. The
    /// first is of even `pass`es.
    payloads: [Vec<u8>; 2],
    /// The last bit of the number of this pass.
    pass: usize,
    /// The time of the last record of each goroutine among those held. Empty between passes.
    latest: HashMap<u64, u64, RandomState>,
}

/// A record that waits, and where its payload is.
#[derive(Debug)]
struct Held<T> {
    record: T,
    start: usize,
    len: u32,
    pass: u8,
}

/// The records of the current pass.
pub(crate) struct Fresh<'o, T> {
    records: &'o mut Vec<Held<T>>,
    pass: u8,
}

impl<T> Fresh<'_, T> {
    /// Takes a record whose payload is `len` bytes from `start` on among those of the pass.
    #[inline]
    pub(crate) fn push(&mut self, record: T, start: usize, len: usize) {
        self.records.push(Held { record, start, len: len as u32, pass: self.pass });
    }
}

impl<T: Ordered> Order<T> {
    pub(crate) fn new() -> Self {
        let [held, fresh, ready] = [const { Vec::new() }; 3];
        Self { held, fresh, ready, payloads: Default::default(), pass: 0, latest: HashMap::default() }
    }

    /// Where the current pass writes its payloads and records.
    pub(crate) fn fresh(&mut self) -> (&mut Vec<u8>, Fresh<'_, T>) {
        let Self { fresh, payloads, pass, .. } = self;
        let payloads = &mut payloads[*pass];
        if fresh.is_empty() {
            // No record that was read two passes ago still waits.
            payloads.clear();
            payloads.shrink_to(KEPT_BYTES);
        }
        (payloads, Fresh { records: fresh, pass: *pass as u8 })
    }

    /// Takes a record of the current pass, and copies its payload.
    #[cfg(test)]
    pub(crate) fn push(&mut self, record: T, payload: &[u8]) {
        let (payloads, mut fresh) = self.fresh();
        fresh.push(record, payloads.len(), payload.len());
        payloads.extend_from_slice(payload);
    }

    /// Records that the current pass has read, and their bytes.
    pub(crate) fn read(&self) -> (usize, usize) {
        (self.fresh.len(), if self.fresh.is_empty() { 0 } else { self.payloads[self.pass].len() })
    }

    /// Bytes that were read and not processed yet.
    pub(crate) fn waiting(&self) -> usize {
        self.payloads.iter().map(Vec::len).sum()
    }

    /// Ends a pass that has read every ring. The records that are complete now are `ready`.
    pub(crate) fn end_pass(&mut self) {
        let Self { held, fresh, ready, pass, latest, .. } = self;
        *pass ^= 1;
        ready.clear();
        ready.shrink_to(KEPT);
        std::mem::swap(ready, held);
        std::mem::swap(held, fresh);
        // If one of the two passes has read nothing, no goroutine is looked up: the held records
        // are ready, the fresh ones wait.
        if !ready.is_empty() && !held.is_empty() {
            // Records of a goroutine mostly come in a row, so one look-up serves many.
            for row in ready.chunk_by(|one, next| one.record.goid() == next.record.goid()) {
                let tsc = latest.entry(row[0].record.goid()).or_default();
                *tsc = row.iter().map(|one| one.record.tsc()).fold(*tsc, u64::max);
            }
            let mut last = None;
            ready.extend(held.extract_if(.., |Held { record, .. }| {
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
        ready.sort_by_key(|one| one.record.tsc());
    }

    /// The records that were complete when the last pass ended, by time, with their payloads; all but
    /// the first `done`.
    pub(crate) fn ready(&self, done: usize) -> impl ExactSizeIterator<Item = (&T, &[u8])> + Clone {
        let Self { ready, payloads, .. } = self;
        ready[done..].iter().map(|Held { record, start, len, pass }| {
            (record, &payloads[usize::from(*pass)][*start..*start + *len as usize])
        })
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
        order.push((7, 20), b"twenty");
        order.end_pass();
        assert_eq!(order.ready(0).next(), None);
        order.push((7, 10), b"ten");
        order.push((7, 30), b"thirty");
        order.end_pass();
        let ready: Vec<_> = order.ready(0).collect();
        let expected: [(_, &[u8]); 2] = [(&(7, 10), b"ten"), (&(7, 20), b"twenty")];
        assert_eq!(ready, expected, "an earlier record than 30 may still come");
        order.end_pass();
        assert_eq!(order.ready(0).collect::<Vec<_>>(), [(&(7, 30), b"thirty".as_slice())]);
        assert!(order.is_empty());
    }

    /// The payload of a record repeats its time.
    fn payload((goid, tsc): (u64, u64)) -> Vec<u8> {
        tsc.to_le_bytes().repeat(goid as usize)
    }

    fn push(order: &mut Order<(u64, u64)>, record: (u64, u64)) {
        order.push(record, &payload(record));
    }

    fn checked((record, bytes): (&(u64, u64), &[u8])) -> (u64, u64) {
        assert_eq!(bytes, payload(*record));
        *record
    }

    proptest! {
        /// Goroutines write to rings, and a daemon reads one ring at a time while they go on
        /// writing.
        #[test]
        fn the_records_of_each_goroutine_come_out_in_order(steps in prop::collection::vec((0u64..3, 0usize..4, any::<bool>()), 1..300)) {
            let mut rings = vec![Vec::new(); 4];
            let mut order = Order::new();
            let (mut seen, mut next_ring) = (Vec::new(), 0);
            for (tsc, (goid, ring, read)) in steps.iter().enumerate() {
                rings[*ring].push((*goid, tsc as u64));
                if *read {
                    rings[next_ring].drain(..).for_each(|record| push(&mut order, record));
                    next_ring = (next_ring + 1) % rings.len();
                    if next_ring == 0 {
                        order.end_pass();
                        seen.extend(order.ready(0).map(checked));
                    }
                }
            }
            rings.iter_mut().flat_map(std::mem::take).for_each(|record| push(&mut order, record));
            for _ in 0..2 {
                order.end_pass();
                seen.extend(order.ready(0).map(checked));
            }
            prop_assert_eq!(seen.len(), steps.len());
            for goroutine in 0..3 {
                prop_assert!(seen.iter().filter(|(goid, _)| *goid == goroutine).is_sorted());
            }
        }
    }
}
