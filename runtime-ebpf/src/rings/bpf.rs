//! The bpf backend: rings are `BPF_MAP_TYPE_USER_RINGBUF`s, and `bpf/drain.bpf.c` drains them
//! inside the kernel.
//!
//! Decides: when the drain runs. `slots` decides which slot of the array of maps holds which ring.
//! Trusts: the kernel, which checks every header, and the drain, which checks every payload.
//! Never does: attach the drain to anything. It runs only when the positions of a ring differ.
//!
//! One run moves at most half of what the output ring holds, and the output ring is emptied after
//! each run. So nothing is lost there, unless another program consumes the pinned ring too.

use std::cell::RefCell;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use aya::maps::{Array, Map, MapData, MapType, RingBuf};
use aya::programs::{RawTracePoint, RawTracePointRunOptions, TestRun};
use aya::{Ebpf, EbpfLoader};
use aya_obj::generated::bpf_map_type;
use gopatch_protocol::wire::{PAGE, forwarded};
use rustix::thread::CapabilitySet;

use super::backend::{Backend, Contexts, Counters, Drained, NewRings, Positions, RingError, Rings, Sink};
use super::ids::Ids;
use super::mapping::Mapping;
use super::pin::Pin;
use super::slots::{Slots, Taken};
use crate::host::rights;

/// `bpf/drain.bpf.c`, compiled by `bpf/build.sh`.
const DRAIN: &[u8] = aya::include_bytes_aligned!("../../bpf/drain.bpf.o");

/// Name of each ring's map.
const RING_NAME: &str = "gopatch_ring";

/// Indexes of the counters in `gopatch_losses`.
const MALFORMED: u32 = 0;
const OUTPUT_FULL: u32 = 1;

/// Makes BPF rings.
pub(crate) struct BpfBackend {
    drain: Rc<RefCell<Drain>>,
    slots: Slots,
    ids: Ids,
    pin: Option<Pin>,
}

/// The loaded program and its maps; all rings share them.
struct Drain {
    program: Ebpf,
    events: RingBuf<MapData>,
    losses: Array<MapData, u64>,
}

impl BpfBackend {
    /// Loads the program, and pins its output if possible.
    pub(crate) fn load(pin_folder: &Path) -> Result<Self> {
        // An old kernel or a missing capability refuses this first, and with the clearest errno.
        let placeholder =
            create_ring(PAGE as u32).context("the kernel refuses a USER_RINGBUF (needs Linux 6.1 and CAP_BPF)")?;
        let mut program = EbpfLoader::new()
            .allow_unsupported_maps()
            .load(DRAIN)
            .context("the kernel refuses the maps of the drain")?;
        raw_tracepoint(&mut program)?.load().context("the kernel refuses the drain program (needs CAP_PERFMON)")?;

        let Some(Map::ArrayOfMaps(slots)) = program.take_map("gopatch_rings") else {
            anyhow::bail!("the BPF object has no array of rings");
        };
        let Some(Map::RingBuf(events)) = program.take_map("gopatch_events") else {
            anyhow::bail!("the BPF object has no output ring");
        };
        let losses = program.take_map("gopatch_losses").context("the BPF object has no losses")?.try_into()?;
        let pin = match Pin::create(pin_folder, &events) {
            Ok(pin) => {
                if pin.left_by_earlier() > 0 {
                    tracing::info!(
                        "{} records were left by an earlier gopatchd in {}; they are lost",
                        pin.left_by_earlier(),
                        pin.path().display()
                    );
                }
                Some(pin)
            }
            Err(error) => {
                tracing::warn!("the events are not pinned for other tools: {error:#}");
                None
            }
        };
        let events = Map::RingBuf(events).try_into()?;
        let drain = Drain { program, events, losses };
        let slots = Slots::start(slots, placeholder).context("cannot start a thread")?;
        let ids = Ids::start().context("cannot start a thread")?;
        Ok(Self { drain: Rc::new(RefCell::new(drain)), slots, ids, pin })
    }
}

impl BpfBackend {
    /// Gives rings slots of the array.
    fn start(&self, maps: &[MapData], ring_bytes: u32) -> Result<BpfRings> {
        let positions = maps
            .iter()
            .map(|map| Ok(Arc::new(Positions(Mapping::read_only(&map.fd().as_fd(), 0, Positions::BYTES)?))))
            .collect::<io::Result<Vec<_>>>()
            .context("cannot map the positions of the rings")?;
        let taken = self.slots.take(maps)?;
        let rings = taken.slots().iter().zip(positions);
        let rings = rings.map(|(slot, positions)| BpfRing { slot: *slot, positions, broken: false }).collect();
        Ok(BpfRings { ring_bytes, drain: Rc::clone(&self.drain), rings, taken, is_ready: false })
    }
}

impl Backend for BpfBackend {
    fn name(&self) -> &'static str {
        "bpf"
    }

    fn rights(&self) -> CapabilitySet {
        rights::MAPS
    }

    fn create(&mut self, count: u32, ring_bytes: u32) -> Result<NewRings> {
        let maps = (0..count)
            .map(|_| create_ring(ring_bytes))
            .collect::<Result<Vec<_>>>()
            .context("cannot create the rings")?;
        let files = maps.iter().map(|map| map.fd().as_fd().try_clone_to_owned()).collect::<io::Result<_>>()?;
        let bpf_ids = maps.iter().map(|map| Ok(map.info()?.id())).collect::<Result<_>>()?;
        Ok(NewRings { rings: Box::new(self.start(&maps, ring_bytes)?), files, bpf_ids })
    }

    fn reopen(&mut self, ids: &[u32], ring_bytes: u32) -> Result<Box<dyn Rings>> {
        let open = |id: &u32| {
            let map = self.ids.open(*id)?;
            let info = map.info()?;
            let is_ring = info.map_type()? == MapType::UserRingBuf && info.max_entries() == ring_bytes;
            ensure!(is_ring && info.name_as_str() == Some(RING_NAME), "map {id} is not a ring");
            Ok(map)
        };
        let maps = ids.iter().map(open).collect::<Result<Vec<_>>>().context("cannot open its rings again")?;
        Ok(Box::new(self.start(&maps, ring_bytes)?))
    }

    fn left_by_earlier(&self) -> u64 {
        self.pin.as_ref().map_or(0, Pin::left_by_earlier)
    }
}

struct BpfRings {
    ring_bytes: u32,
    drain: Rc<RefCell<Drain>>,
    rings: Vec<BpfRing>,
    taken: Taken,
    /// The rings are in their slots, or never will be.
    is_ready: bool,
}

struct BpfRing {
    slot: u32,
    positions: Arc<Positions>,
    broken: bool,
}

impl BpfRings {
    /// The rings are in their slots. If they could not be put there, no record will come out.
    fn become_ready(&mut self, filled: io::Result<()>) {
        self.is_ready = true;
        if let Err(error) = filled {
            tracing::warn!("cannot put the rings into the array of rings: {error}");
        }
    }
}

impl Rings for BpfRings {
    fn is_ready(&mut self) -> bool {
        if !self.is_ready
            && let Some(filled) = self.taken.filled()
        {
            self.become_ready(filled);
        }
        self.is_ready
    }

    fn wait_until_ready(&mut self) {
        if !self.is_ready() {
            let filled = self.taken.wait_until_filled();
            self.become_ready(filled);
        }
    }

    fn drain(&mut self, bytes: &mut Vec<u8>, sink: &mut Sink<'_>) -> Drained {
        let mut drained = Drained::default();
        let mut drain = self.drain.borrow_mut();
        for (index, ring) in self.rings.iter_mut().enumerate().filter(|(_, ring)| !ring.broken) {
            if let Err(error) = drain.empty((ring, self.ring_bytes), bytes, sink, &mut drained) {
                ring.broken = true;
                drained.broken.push((index, error));
            }
        }
        drained
    }

    fn positions(&self) -> Vec<Arc<Positions>> {
        self.rings.iter().map(|ring| Arc::clone(&ring.positions)).collect()
    }

    fn count(&self) -> usize {
        self.rings.len()
    }

    fn contexts(&self) -> Contexts {
        self.rings.iter().fold(Contexts::default(), |sum, ring| sum.plus(ring.positions.contexts()))
    }

    fn counters(&self) -> Counters {
        self.rings.iter().fold(Counters::default(), |sum, ring| sum.plus(ring.positions.counters()))
    }
}

impl Drain {
    /// Empties a ring of all records published before the call.
    fn empty(
        &mut self,
        (ring, ring_bytes): (&BpfRing, u32),
        bytes: &mut Vec<u8>,
        sink: &mut Sink<'_>,
        drained: &mut Drained,
    ) -> Result<(), RingError> {
        let mut consumer = ring.positions.consumer();
        let mut unread = ring.positions.producer(consumer, ring_bytes)?.wrapping_sub(consumer);
        drained.fullest = drained.fullest.max(unread);
        while unread > 0 {
            let taken = self.run(ring.slot)?;
            let forwarded = self.forward(ring.slot, bytes, sink);
            if forwarded < taken {
                self.count_losses(drained);
            }
            let moved = ring.positions.consumer().wrapping_sub(consumer);
            if moved == 0 {
                break;
            }
            consumer = consumer.wrapping_add(moved);
            unread = unread.saturating_sub(moved);
        }
        Ok(())
    }

    /// Runs the program on one ring. Returns the number of records it took.
    fn run(&mut self, slot: u32) -> Result<u64, RingError> {
        let mut options = RawTracePointRunOptions::new();
        options.args[0] = u64::from(slot);
        let result = raw_tracepoint(&mut self.program)
            .and_then(|program| Ok(program.test_run(options)?))
            .map_err(|error| RingError::Kernel(io::Error::other(error)))?;
        let result = result.return_value as i32;
        u64::try_from(result).map_err(|_| RingError::Kernel(io::Error::from_raw_os_error(-result)))
    }

    /// Empties the output ring.
    fn forward(&mut self, slot: u32, bytes: &mut Vec<u8>, sink: &mut Sink<'_>) -> u64 {
        let mut records = 0;
        while let Some(piece) = self.events.next() {
            let start = bytes.len();
            bytes.extend_from_slice(&piece);
            for (ring, at, payload) in forwarded::records(&bytes[start..]) {
                debug_assert_eq!(ring, slot, "the output ring was empty before the run");
                sink(start + at, payload);
                records += 1;
            }
        }
        records
    }

    /// Moves what the program has counted to `drained`.
    fn count_losses(&mut self, drained: &mut Drained) {
        for (index, count) in [(MALFORMED, &mut drained.malformed), (OUTPUT_FULL, &mut drained.output_full)] {
            *count += self.losses.get(&index, 0).unwrap_or(0);
            // Nothing counts between two runs.
            drop(self.losses.set(index, 0, 0));
        }
    }
}

fn raw_tracepoint(program: &mut Ebpf) -> Result<&mut RawTracePoint> {
    Ok(program.program_mut("drain").context("the BPF object has no drain")?.try_into()?)
}

fn create_ring(bytes: u32) -> Result<MapData> {
    let ring = aya_obj::Map::new_from_params(bpf_map_type::BPF_MAP_TYPE_USER_RINGBUF as u32, 0, 0, bytes, 0);
    Ok(MapData::create(ring, RING_NAME, None)?)
}
