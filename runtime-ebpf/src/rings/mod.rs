//! The rings that processes write and gopatchd drains.
//!
//! Decides: which backend makes and drains them, and when a ring is not to be believed any more.
//! Trusts: nothing that a process can write: positions, headers and payloads are checked at every pass.
//! Never does: looking into a record beyond its size. What a record means is `session`'s business.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::ValueEnum;
use gopatch_protocol::wire::{PAGE, ring};

use crate::mapping::Mapping;

mod bpf;
mod memfd;
mod pin;
mod size;

pub(crate) use bpf::BpfBackend;
pub(crate) use memfd::MemfdBackend;
pub(crate) use size::ring_bytes;

/// Which backend is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// bpf where the kernel lets us, else memfd.
    Auto,
    /// Rings are BPF maps, drained by a BPF program. Needs CAP_BPF and CAP_PERFMON (or root) and Linux 6.1.
    Bpf,
    /// Rings are memory files, drained by gopatchd itself. Needs nothing.
    Memfd,
}

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

/// Opens the backend that is asked for. Gives it with the reason why it is this one.
pub(crate) fn open(choice: Choice, pin_folder: &std::path::Path) -> Result<(Box<dyn Backend>, String)> {
    let memfd = || Box::new(MemfdBackend) as Box<dyn Backend>;
    match choice {
        Choice::Memfd => Ok((memfd(), "as asked".into())),
        Choice::Bpf => {
            let backend = BpfBackend::load(pin_folder).context(
                "the bpf backend cannot start\nhint: --backend memfd needs neither privileges nor a new kernel",
            )?;
            Ok((Box::new(backend), "as asked".into()))
        }
        Choice::Auto => match BpfBackend::load(pin_folder) {
            Ok(backend) => Ok((Box::new(backend), "the kernel offers it".into())),
            Err(error) => Ok((memfd(), format!("no bpf: {error:#}"))),
        },
    }
}

/// The two position pages of a ring.
#[derive(Debug)]
pub(crate) struct Positions(Mapping);

impl Positions {
    /// Bytes of the mapping.
    const BYTES: usize = 2 * PAGE;

    /// Whether the two differ, for which a process can always see to.
    pub(crate) fn is_unread(&self) -> bool {
        self.0.load(ring::PRODUCER_POS) != self.consumer()
    }

    fn consumer(&self) -> u64 {
        self.0.load(ring::CONSUMER_POS)
    }

    fn set_consumer(&self, position: u64) {
        self.0.store(ring::CONSUMER_POS, position);
    }

    /// The producer position; an error when no producer that keeps the rules can have left it so.
    fn producer(&self, consumer: u64, ring_bytes: u32) -> Result<u64, RingError> {
        let producer = self.0.load(ring::PRODUCER_POS);
        let unread = producer.wrapping_sub(consumer);
        if unread > u64::from(ring_bytes) || !producer.is_multiple_of(8) {
            return Err(RingError::Positions { consumer, producer });
        }
        Ok(producer)
    }

    fn counters(&self) -> Counters {
        Counters { ring_full: self.0.load(ring::DROPPED), words_missing: self.0.load(ring::WORDS_MISSING) }
    }
}

impl Counters {
    fn plus(self, other: Self) -> Self {
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
