//! The memfd backend: rings are memory files, and gopatchd drains them itself.
//!
//! Decides: which bytes of a ring are a record.
//! Trusts: nothing in the ring. The consumer position is kept here, every length is bounded by the
//! bytes published, and those are copied before they are read, because the process can change them
//! at any time.
//! Never does: anything that needs a privilege.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use anyhow::{Context, Result};
use gopatch_protocol::wire::{MAX_PAYLOAD, PAGE, ring};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

use super::backend::{Backend, Counters, Drained, Positions, RingError, Rings, Sink};
use super::mapping::Mapping;

/// Makes memory files.
#[derive(Debug)]
pub(crate) struct MemfdBackend;

impl Backend for MemfdBackend {
    fn name(&self) -> &'static str {
        "memfd"
    }

    fn create(&mut self, count: u32, ring_bytes: u32) -> Result<(Box<dyn Rings>, Vec<OwnedFd>)> {
        let made = (0..count)
            .map(|_| MemfdRing::create(ring_bytes))
            .collect::<io::Result<(Vec<_>, Vec<_>)>>()
            .context("cannot create the rings")?;
        Ok((Box::new(MemfdRings(made.0)), made.1))
    }
}

struct MemfdRings(Vec<MemfdRing>);

impl Rings for MemfdRings {
    fn drain(&mut self, bytes: &mut Vec<u8>, sink: &mut Sink<'_>) -> Drained {
        let mut drained = Drained::default();
        for (index, ring) in self.0.iter_mut().enumerate().filter(|(_, ring)| !ring.broken) {
            let before = ring.consumer;
            let result = ring.drain(bytes, sink);
            drained.fullest = drained.fullest.max(ring.consumer - before);
            if let Err(error) = result {
                ring.broken = true;
                drained.broken.push((index, error));
            }
        }
        drained
    }

    fn positions(&self) -> Vec<Arc<Positions>> {
        self.0.iter().map(|ring| Arc::clone(&ring.positions)).collect()
    }

    fn counters(&self) -> Counters {
        self.0.iter().fold(Counters::default(), |sum, ring| sum.plus(ring.positions.counters()))
    }
}

struct MemfdRing {
    positions: Arc<Positions>,
    data: Mapping,
    data_bytes: u32,
    /// The process reads a copy of this in page 0. What it writes there is never read.
    consumer: u64,
    broken: bool,
}

impl MemfdRing {
    fn create(data_bytes: u32) -> io::Result<(Self, OwnedFd)> {
        let file = memfd_create("gopatch-ring", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, (ring::DATA + data_bytes as usize) as u64)?;
        // Without these seals a process could shrink the file, and gopatchd would die of SIGBUS.
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let ring = Self {
            positions: Arc::new(Positions(Mapping::read_write(&file, 0, Positions::BYTES)?)),
            data: Mapping::read_only(&file, 2 * PAGE, data_bytes as usize)?,
            data_bytes,
            consumer: 0,
            broken: false,
        };
        Ok((ring, file))
    }

    fn drain(&mut self, bytes: &mut Vec<u8>, sink: &mut Sink<'_>) -> Result<(), RingError> {
        let producer = self.positions.producer(self.consumer, self.data_bytes)?;
        let start = bytes.len();
        self.copy(producer, bytes);
        let (read, result) = records(&bytes[start..], &mut |at, payload| sink(start + at, payload));
        let position = self.consumer + read as u64;
        self.consumer = position;
        self.positions.set_consumer(position);
        result.map_err(|length| RingError::Length { position, length })
    }

    /// Appends all bytes that were published and not read yet.
    fn copy(&self, producer: u64, bytes: &mut Vec<u8>) {
        let words = (producer - self.consumer) as usize / 8;
        let offset = (self.consumer & u64::from(self.data_bytes - 1)) as usize;
        // The bytes may continue at the start of the ring.
        let first = words.min((self.data_bytes as usize - offset) / 8);
        self.data.append_to(bytes, offset, first);
        self.data.append_to(bytes, 0, words - first);
    }
}

/// Gives `sink` the records in published bytes: where each payload begins, and its bytes. Returns
/// how much was read, and the length of the next record if that is more than was published.
fn records(published: &[u8], sink: &mut Sink<'_>) -> (usize, Result<(), u32>) {
    let mut at = 0;
    while let Some(header) = published[at..].first_chunk::<{ ring::HEADER }>() {
        let header = u64::from_le_bytes(*header) as u32;
        let length = header & !(ring::BUSY | ring::DISCARD);
        let total = (ring::HEADER + length as usize).next_multiple_of(8);
        if total > published.len() - at {
            return (at, Err(length));
        }
        if header & ring::DISCARD == 0 {
            if header & ring::BUSY != 0 {
                break;
            }
            // The first word of a record is its size. Bytes beyond the largest size are ignored.
            let start = at + ring::HEADER;
            sink(start, &published[start..start + MAX_PAYLOAD.min(total - ring::HEADER)]);
        }
        at += total;
    }
    (at, Ok(()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever a process writes into a ring, a pass ends, moves forward by no more than was
        /// published, and gives only whole payloads.
        #[test]
        fn any_ring_can_be_drained(
            words in prop::collection::vec(prop_oneof![0u64..200, any::<u64>()], 512),
            producers in prop::collection::vec(prop_oneof![(0u64..1024).prop_map(|word| word * 8), any::<u64>()], 1..5),
        ) {
            let (mut ring, file) = MemfdRing::create(4096)?;
            let process = Mapping::read_write(&file, PAGE, 2 * PAGE)?;
            for (index, word) in words.iter().enumerate() {
                process.store(PAGE + 8 * index, *word);
            }
            for producer in producers {
                process.store(0, producer);
                let (before, mut bytes) = (ring.consumer, 0);
                let (mut copied, mut payloads) = (vec![1, 2, 3], Vec::new());
                let result = ring.drain(&mut copied, &mut |at, payload| {
                    assert!(payload.len() <= MAX_PAYLOAD);
                    bytes += 8 + payload.len() as u64;
                    payloads.push((at, payload.to_owned()));
                });
                prop_assert!(payloads.iter().all(|(at, payload)| copied[*at..].starts_with(payload)));
                let moved = ring.consumer - before;
                prop_assert!(moved <= 4096 && bytes <= moved);
                prop_assert_eq!(ring.positions.consumer(), if moved > 0 { ring.consumer } else { before });
                if result.is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_process_cannot_shrink_its_ring() -> io::Result<()> {
        let (_ring, file) = MemfdRing::create(4096)?;
        assert!(ftruncate(&file, 0).is_err());
        Ok(())
    }
}
