//! What makes and drains rings, and what is common to all rings.
//!
//! Trusts: nothing that a process can write: positions are checked at every pass.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use anyhow::Result;
use gopatch_protocol::wire::context::Event;
use gopatch_protocol::wire::{PAGE, ring};
use rustix::thread::CapabilitySet;

use super::mapping::Mapping;
use crate::host::rights;

/// A way to make rings and to drain them.
pub(crate) trait Backend {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// The capabilities that the main loop needs for it.
    fn rights(&self) -> CapabilitySet {
        rights::NONE
    }

    /// Creates rings of `ring_bytes` bytes each.
    fn create(&mut self, count: u32, ring_bytes: u32) -> Result<NewRings>;

    /// Opens BPF rings that a process still has, to read on where the last reader stopped.
    fn reopen(&mut self, ids: &[u32], ring_bytes: u32) -> Result<Box<dyn Rings>>;

    /// Records that an earlier gopatchd had drained and not read.
    fn left_by_earlier(&self) -> u64 {
        0
    }
}

/// Rings that a process can map.
pub(crate) struct NewRings {
    pub(crate) rings: Box<dyn Rings>,
    /// One with all rings, or one for each.
    pub(crate) files: Vec<OwnedFd>,
    /// The kernel's ids of the files, if they are BPF maps.
    pub(crate) bpf_ids: Vec<u32>,
}

/// The rings of one session. Dropping them frees their memory and slots.
pub(crate) trait Rings {
    /// Whether they can be drained. New ones may need some milliseconds for that.
    fn is_ready(&mut self) -> bool {
        true
    }

    /// Waits until they can be drained.
    fn wait_until_ready(&mut self) {}

    /// Appends all records published before the call to `bytes` and calls `sink` for each, ring by
    /// ring in their order, with the start of its payload in `bytes` and the payload, which padding
    /// may follow.
    fn drain(&mut self, bytes: &mut Vec<u8>, sink: &mut Sink<'_>) -> Drained;

    /// The counters that the process keeps in its rings.
    fn counters(&self) -> Counters;

    /// What the process counts of trace contexts.
    fn contexts(&self) -> Contexts;

    /// The positions of the rings, to check for records without draining.
    fn positions(&self) -> Vec<Arc<Positions>>;

    /// How many rings there are.
    fn count(&self) -> usize;
}

/// Rings one after another.
pub(crate) struct Several(pub(crate) Vec<Box<dyn Rings>>);

impl Rings for Several {
    fn is_ready(&mut self) -> bool {
        self.0.iter_mut().all(|rings| rings.is_ready())
    }

    fn wait_until_ready(&mut self) {
        self.0.iter_mut().for_each(|rings| rings.wait_until_ready());
    }

    fn drain(&mut self, bytes: &mut Vec<u8>, sink: &mut Sink<'_>) -> Drained {
        let (mut sum, mut before) = (Drained::default(), 0);
        for rings in &mut self.0 {
            let drained = rings.drain(bytes, sink);
            sum.malformed += drained.malformed;
            sum.output_full += drained.output_full;
            sum.fullest = sum.fullest.max(drained.fullest);
            sum.broken.extend(drained.broken.into_iter().map(|(index, error)| (before + index, error)));
            before += rings.count();
        }
        sum
    }

    fn counters(&self) -> Counters {
        self.0.iter().fold(Counters::default(), |sum, rings| sum.plus(rings.counters()))
    }

    fn contexts(&self) -> Contexts {
        self.0.iter().fold(Contexts::default(), |sum, rings| sum.plus(rings.contexts()))
    }

    fn positions(&self) -> Vec<Arc<Positions>> {
        self.0.iter().flat_map(|rings| rings.positions()).collect()
    }

    fn count(&self) -> usize {
        self.0.iter().map(|rings| rings.count()).sum()
    }
}

/// Takes where a payload begins, and its bytes.
pub(crate) type Sink<'s> = dyn FnMut(usize, &[u8]) + 's;

/// What a pass over rings has found besides valid records.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    /// Records of an invalid size.
    pub(crate) malformed: u64,
    /// Records that found the output ring full.
    pub(crate) output_full: u64,
    /// Bytes that the fullest ring held.
    pub(crate) fullest: u64,
    /// Rings given up in this pass, by their index in the session.
    pub(crate) broken: Vec<(usize, RingError)>,
}

/// Sums over a session's rings.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Records that found their ring full.
    pub(crate) ring_full: u64,
    /// Records of hooks that interrupted another hook.
    pub(crate) slot_busy: u64,
    /// Calls whose values saved at entry were lost, or found no room.
    pub(crate) words_missing: u64,
}

/// Sums over a session's rings of what became of trace contexts, by [`Event`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contexts(pub(crate) [u64; Event::ALL.len()]);

/// Why a ring is no longer read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RingError {
    #[error("its producer position {producer} does not match its consumer position {consumer}")]
    Positions { consumer: u64, producer: u64 },
    #[error("the record at {position} claims {length} bytes, more than were published")]
    Length { position: u64, length: u32 },
    #[error("the kernel refuses to drain it: {0}")]
    Kernel(#[source] io::Error),
}

/// The two position pages of a ring.
#[derive(Debug)]
pub(crate) struct Positions(pub(super) Mapping);

impl Positions {
    /// Bytes of the mapping.
    pub(super) const BYTES: usize = 2 * PAGE;

    /// Whether the two differ. A hostile process can make them differ at any time.
    pub(crate) fn is_unread(&self) -> bool {
        self.0.load(ring::PRODUCER_POS) != self.consumer()
    }

    /// When the process last began to write again, in the first ring of a session.
    pub(crate) fn resumed(&self) -> u64 {
        self.0.load(ring::RESUMED)
    }

    pub(super) fn consumer(&self) -> u64 {
        self.0.load(ring::CONSUMER_POS)
    }

    pub(super) fn set_consumer(&self, position: u64) {
        self.0.store(ring::CONSUMER_POS, position);
    }

    /// The producer position, or an error if the two positions cannot be those of a process and a
    /// reader that keep to the protocol.
    pub(super) fn producer(&self, consumer: u64, ring_bytes: u32) -> Result<u64, RingError> {
        let producer = self.0.load(ring::PRODUCER_POS);
        let unread = producer.wrapping_sub(consumer);
        if unread > u64::from(ring_bytes) || !producer.is_multiple_of(8) || !consumer.is_multiple_of(8) {
            return Err(RingError::Positions { consumer, producer });
        }
        Ok(producer)
    }

    pub(super) fn contexts(&self) -> Contexts {
        Contexts(Event::ALL.map(|event| self.0.load(ring::CONTEXTS + 8 * event as usize)))
    }

    pub(super) fn counters(&self) -> Counters {
        Counters {
            ring_full: self.0.load(ring::DROPPED),
            slot_busy: self.0.load(ring::SLOT_BUSY),
            words_missing: self.0.load(ring::WORDS_MISSING),
        }
    }
}

impl Contexts {
    pub(super) fn plus(self, other: Self) -> Self {
        Self(std::array::from_fn(|event| self.0[event].saturating_add(other.0[event])))
    }

    /// What was counted since `earlier`. A counter that ran backward counts as unchanged.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self(std::array::from_fn(|event| self.0[event].saturating_sub(earlier.0[event])))
    }
}

impl Counters {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            ring_full: self.ring_full.saturating_add(other.ring_full),
            slot_busy: self.slot_busy.saturating_add(other.slot_busy),
            words_missing: self.words_missing.saturating_add(other.words_missing),
        }
    }

    /// What was counted since `earlier`. A counter that ran backward counts as unchanged.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            ring_full: self.ring_full.saturating_sub(earlier.ring_full),
            slot_busy: self.slot_busy.saturating_sub(earlier.slot_busy),
            words_missing: self.words_missing.saturating_sub(earlier.words_missing),
        }
    }
}
