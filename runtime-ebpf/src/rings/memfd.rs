//! The memfd backend: rings are memory files, and gopatchd drains them itself.
//!
//! Decides: which bytes of a ring are a record.
//! Trusts: nothing in the ring. The consumer position is kept here, both positions are checked
//! before every pass, every length is bounded by the bytes published, and those are copied before
//! they are read, because the process can change them at any time.
//! Never does: anything that needs a privilege.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use gopatch_protocol::wire::{MAX_PAYLOAD, PAGE, RINGS_NAME, ring};
use rustix::fs::{
    FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fcntl_get_seals, fstatfs, ftruncate,
    memfd_create,
};

use super::backend::{Backend, Contexts, Counters, Drained, NewRings, Positions, RingError, Rings, Sink};
use super::mapping::Mapping;

/// `include/uapi/linux/magic.h`: the file system of memory files.
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// Makes memory files.
#[derive(Debug)]
pub(crate) struct MemfdBackend;

impl Backend for MemfdBackend {
    fn name(&self) -> &'static str {
        "memfd"
    }

    fn create(&mut self, count: u32, ring_bytes: u32) -> Result<NewRings> {
        let (rings, file) = MemfdRings::create(RINGS_NAME, count, ring_bytes).context("cannot create the rings")?;
        take_memory(file.try_clone()?, u64::from(count) * ring::stride(ring_bytes));
        Ok(NewRings { rings: Box::new(rings), files: vec![file], bpf_ids: Vec::new() })
    }

    fn reopen(&mut self, _ids: &[u32], _ring_bytes: u32) -> Result<Box<dyn Rings>> {
        bail!("its rings are BPF maps, which need --backend bpf")
    }
}

/// Checks that an access to a file of another process cannot fail: memory that keeps its size. (Huge
/// pages can be taken away by a hole.)
pub(crate) fn check_memory_file(file: &File) -> io::Result<()> {
    let invalid = |what| Err(io::Error::new(io::ErrorKind::InvalidData, what));
    if fstatfs(file)?.f_type != TMPFS_MAGIC {
        return invalid("its memory is no ordinary memory file");
    }
    if !fcntl_get_seals(file)?.contains(SealFlags::SHRINK) {
        return invalid("its memory can shrink");
    }
    Ok(())
}

/// Takes the memory of a file, which is charged to the first process that uses it: a program
/// must not reach a limit of its own because of rings. The process does not wait for that.
fn take_memory(file: OwnedFd, bytes: u64) {
    let take = move || {
        if let Err(error) = fallocate(&file, FallocateFlags::empty(), 0, bytes) {
            tracing::debug!("the memory of rings is not taken in advance: {error}");
        }
    };
    if let Err(error) = std::thread::Builder::new().name("memory".into()).spawn(take) {
        tracing::debug!("the memory of rings is not taken in advance: {error}");
    }
}

/// Rings in one memory file.
pub(crate) struct MemfdRings(Vec<MemfdRing>);

impl MemfdRings {
    /// Creates a file with `count` rings.
    pub(crate) fn create(name: &str, count: u32, ring_bytes: u32) -> io::Result<(Self, OwnedFd)> {
        let file = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, u64::from(count) * ring::stride(ring_bytes))?;
        // Without these seals a process could shrink the file, and gopatchd would die of SIGBUS.
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((Self::map(&file, count, ring_bytes)?, file))
    }

    /// Maps the rings in the file of a running process, to read on where the last reader stopped.
    pub(crate) fn reopen(file: &File, count: u32, ring_bytes: u32) -> io::Result<Self> {
        check_memory_file(file)?;
        let bytes = u64::from(count) * ring::stride(ring_bytes);
        if file.metadata()?.len() < bytes {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its rings are too small"));
        }
        // Before the process writes to them again.
        take_memory(file.try_clone()?.into(), bytes);
        Self::map(file, count, ring_bytes)
    }

    fn map(file: &impl AsRawFd, count: u32, ring_bytes: u32) -> io::Result<Self> {
        let stride = ring::stride(ring_bytes) as usize;
        (0..count as usize)
            .map(|index| MemfdRing::map(file, index * stride, ring_bytes))
            .collect::<io::Result<_>>()
            .map(Self)
    }
}

impl Rings for MemfdRings {
    fn drain(&mut self, bytes: &mut Vec<u8>, sink: &mut Sink<'_>) -> Drained {
        let mut drained = Drained::default();
        for (index, ring) in self.0.iter_mut().enumerate().filter(|(_, ring)| !ring.broken) {
            let before = ring.consumer;
            let result = ring.drain(bytes, sink);
            drained.fullest = drained.fullest.max(ring.consumer.wrapping_sub(before));
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

    fn count(&self) -> usize {
        self.0.len()
    }

    fn contexts(&self) -> Contexts {
        self.0.iter().fold(Contexts::default(), |sum, ring| sum.plus(ring.positions.contexts()))
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
    fn map(file: &impl AsRawFd, offset: usize, data_bytes: u32) -> io::Result<Self> {
        let positions = Positions(Mapping::read_write(file, offset, Positions::BYTES)?);
        Ok(Self {
            // Of a new ring 0. In a ring that the process has made it can be anything.
            consumer: positions.consumer(),
            positions: Arc::new(positions),
            data: Mapping::read_only(file, offset + 2 * PAGE, data_bytes as usize)?,
            data_bytes,
            broken: false,
        })
    }

    fn drain(&mut self, bytes: &mut Vec<u8>, sink: &mut Sink<'_>) -> Result<(), RingError> {
        let producer = self.positions.producer(self.consumer, self.data_bytes)?;
        let start = bytes.len();
        self.copy(producer, bytes);
        let (read, result) = records(&bytes[start..], &mut |at, payload| sink(start + at, payload));
        let position = self.consumer.wrapping_add(read as u64);
        self.consumer = position;
        self.positions.set_consumer(position);
        result.map_err(|length| RingError::Length { position, length })
    }

    /// Appends all bytes that were published and not read yet.
    fn copy(&self, producer: u64, bytes: &mut Vec<u8>) {
        let words = producer.wrapping_sub(self.consumer) as usize / 8;
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
            consumer in prop_oneof![Just(0), (0u64..1024).prop_map(|back| u64::MAX - back), any::<u64>()],
            words in prop::collection::vec(prop_oneof![0u64..200, any::<u64>()], 512),
            producers in prop::collection::vec(prop_oneof![(0u64..1024).prop_map(|word| word * 8), any::<u64>()], 1..5),
        ) {
            let (_rings, file) = MemfdRings::create("test", 1, 4096)?;
            Mapping::read_write(&file, 0, PAGE)?.store(0, consumer);
            // As of a session that the process has made.
            let mut rings = MemfdRings::map(&file, 1, 4096)?;
            let ring = &mut rings.0[0];
            let process = Mapping::read_write(&file, PAGE, 2 * PAGE)?;
            for (index, word) in words.iter().enumerate() {
                process.store(PAGE + 8 * index, *word);
            }
            for producer in producers {
                process.store(0, consumer.wrapping_add(producer));
                let (before, mut bytes) = (ring.consumer, 0);
                let (mut copied, mut payloads) = (vec![1, 2, 3], Vec::new());
                let result = ring.drain(&mut copied, &mut |at, payload| {
                    assert!(payload.len() <= MAX_PAYLOAD);
                    bytes += 8 + payload.len() as u64;
                    payloads.push((at, payload.to_owned()));
                });
                prop_assert!(payloads.iter().all(|(at, payload)| copied[*at..].starts_with(payload)));
                let moved = ring.consumer.wrapping_sub(before);
                prop_assert!(moved <= 4096 && bytes <= moved);
                prop_assert_eq!(ring.positions.consumer(), if moved > 0 { ring.consumer } else { before });
                if result.is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_reader_goes_on_where_the_last_one_stopped() -> io::Result<()> {
        let (mut first, file) = MemfdRings::create("test", 2, 4096)?;
        let second_ring = ring::stride(4096) as usize;
        let process = Mapping::read_write(&file, second_ring + PAGE, 2 * PAGE)?;
        let publish = |record: usize| {
            process.store(PAGE + 16 * record, 8);
            process.store(PAGE + 16 * record + 8, 100 + record as u64);
            process.store(0, 16 * (record as u64 + 1));
        };
        let drain = |rings: &mut MemfdRings| {
            let mut read = Vec::new();
            rings.drain(&mut Vec::new(), &mut |_, payload| read.push(payload[0]));
            read
        };
        publish(0);
        assert_eq!(drain(&mut first), [100]);
        publish(1);
        drop(first);
        publish(2);
        let reopened = File::options().read(true).write(true).open(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        assert_eq!(drain(&mut MemfdRings::reopen(&reopened, 2, 4096)?), [101, 102]);
        assert!(MemfdRings::reopen(&reopened, 3, 4096).is_err(), "there are two rings");
        Ok(())
    }

    #[test]
    fn a_ring_with_a_consumer_position_that_no_reader_writes_is_given_up() -> io::Result<()> {
        for consumer in [1, 4, 4095, u64::MAX] {
            let (_rings, file) = MemfdRings::create("test", 1, 4096)?;
            let process = Mapping::read_write(&file, 0, 2 * PAGE)?;
            process.store(ring::CONSUMER_POS, consumer);
            process.store(ring::PRODUCER_POS, (consumer & !7).wrapping_add(16));
            let drained = MemfdRings::map(&file, 1, 4096)?.drain(&mut Vec::new(), &mut |_, _| ());
            assert!(matches!(drained.broken[..], [(0, RingError::Positions { .. })]), "{consumer}: {drained:?}");
        }
        Ok(())
    }

    #[test]
    fn only_ordinary_memory_that_keeps_its_size_is_mapped() -> io::Result<()> {
        let file = File::from(memfd_create("test", MemfdFlags::ALLOW_SEALING)?);
        ftruncate(&file, ring::stride(4096))?;
        assert!(MemfdRings::reopen(&file, 1, 4096).is_err(), "it can shrink");
        fcntl_add_seals(&file, SealFlags::SHRINK)?;
        assert!(MemfdRings::reopen(&file, 1, 4096).is_ok());
        assert!(check_memory_file(&File::open("/proc/self/exe")?).is_err(), "a file on a disk");
        let huge = memfd_create("test", MemfdFlags::ALLOW_SEALING | MemfdFlags::HUGETLB);
        assert!(huge.is_err() || check_memory_file(&File::from(huge?)).is_err(), "huge pages");
        Ok(())
    }

    #[test]
    fn a_process_cannot_shrink_its_ring() -> io::Result<()> {
        let (_rings, file) = MemfdRings::create("test", 2, 4096)?;
        assert!(ftruncate(&file, 0).is_err());
        Ok(())
    }
}
