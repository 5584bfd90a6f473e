//! What makes and drains rings, and what is common to all rings.
//!
//! Trusts: nothing that a process can write: positions are checked at every pass.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use anyhow::Result;
use gopatch_protocol::wire::{PAGE, ring};

use super::mapping::Mapping;

/// A way to make rings and to drain them.
pub(crate) trait Backend {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// Makes the rings of one session, each for so many bytes, and gives their files too, for the process to map.
    fn create(&mut self, count: u32, ring_bytes: u32) -> Result<(Box<dyn Rings>, Vec<OwnedFd>)>;

    /// Records that an earlier gopatchd had left, drained and unread.
    fn left_by_earlier(&self) -> u64 {
        0
    }
}

/// The rings of one session. Dropping them gives back all that they hold.
pub(crate) trait Rings {
    /// Appends what was published before the call to `bytes`, and tells `sink` of every record in it, each ring's in its order: where its
    /// payload begins in `bytes`, and the payload, which may have more behind it.
    fn drain(&mut self, bytes: &mut Vec<u8>, sink: &mut Sink<'_>) -> Drained;

    /// What the process counts in its rings.
    fn counters(&self) -> Counters;

    /// The rings' positions, for whoever only wants to know whether there is something.
    fn positions(&self) -> Vec<Arc<Positions>>;
}

/// Takes a payload: where it begins, and its bytes.
pub(crate) type Sink<'s> = dyn FnMut(usize, &[u8]) + 's;

/// What a pass over rings met besides good records.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    /// Records whose size does not fit.
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
    /// Calls that had no place for, or had lost, what their entry leaves for the exit.
    pub(crate) words_missing: u64,
}

/// Why a ring is not read any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RingError {
    #[error("its producer position {producer} does not fit its consumer position {consumer}")]
    Positions { consumer: u64, producer: u64 },
    #[error("the record at {position} says it has {length} bytes, more than were published")]
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

    /// Whether the two differ, for which a process can always see to.
    pub(crate) fn is_unread(&self) -> bool {
        self.0.load(ring::PRODUCER_POS) != self.consumer()
    }

    pub(super) fn consumer(&self) -> u64 {
        self.0.load(ring::CONSUMER_POS)
    }

    pub(super) fn set_consumer(&self, position: u64) {
        self.0.store(ring::CONSUMER_POS, position);
    }

    /// The producer position; an error when no producer that keeps the rules can have left it so.
    pub(super) fn producer(&self, consumer: u64, ring_bytes: u32) -> Result<u64, RingError> {
        let producer = self.0.load(ring::PRODUCER_POS);
        let unread = producer.wrapping_sub(consumer);
        if unread > u64::from(ring_bytes) || !producer.is_multiple_of(8) {
            return Err(RingError::Positions { consumer, producer });
        }
        Ok(producer)
    }

    pub(super) fn counters(&self) -> Counters {
        Counters { ring_full: self.0.load(ring::DROPPED), words_missing: self.0.load(ring::WORDS_MISSING) }
    }
}

impl Counters {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            ring_full: self.ring_full.saturating_add(other.ring_full),
            words_missing: self.words_missing.saturating_add(other.words_missing),
        }
    }

    /// What was counted since `earlier`. A counter that runs backward says nothing.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            ring_full: self.ring_full.saturating_sub(earlier.ring_full),
            words_missing: self.words_missing.saturating_sub(earlier.words_missing),
        }
    }
}
