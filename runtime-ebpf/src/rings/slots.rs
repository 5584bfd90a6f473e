//! The array of rings that the drain program walks, and the thread that changes it.
//!
//! Decides: which slots are free, and how many changes make one call.
//! Never does: let the main loop wait, unless it has to know that a ring is in its slot.
//!
//! Each change of an array of maps waits for the kernel's RCU (`maybe_wait_bpf_programs` in
//! `kernel/bpf/syscall.c`), 8 to 20 ms for one slot as for 128. Programs that start or end at the
//! same time share a call.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, ensure};
use aya::maps::MapData;
use aya_obj::generated::{bpf_attr, bpf_attr__bindgen_ty_3 as batch_attr, bpf_cmd};

use crate::host::rights;

/// Slots of the array: `MAX_RINGS` of `drain.bpf.c`.
const SLOTS: u32 = 4096;

/// The array, shared by all rings.
#[derive(Debug)]
pub(super) struct Slots {
    free: Arc<Mutex<Vec<u32>>>,
    changes: Sender<Change>,
}

/// Slots of one session's rings. They become free when this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    slots: Vec<u32>,
    changes: Sender<Change>,
    filled: Receiver<io::Result<()>>,
}

/// What the thread has to do.
#[derive(Debug)]
enum Change {
    /// Put these maps into these slots, and say what became of that.
    Fill(Vec<(u32, OwnedFd)>, Sender<io::Result<()>>),
    /// Put the placeholder into these slots, which are free then.
    Free(Vec<u32>),
}

impl Slots {
    /// Starts the thread. It ends with this and all that was taken. The kernel can change many slots
    /// in one call, but not clear them, so `placeholder` replaces a ring that is gone.
    pub(super) fn start(array: MapData, placeholder: MapData) -> io::Result<Self> {
        let free = Arc::new(Mutex::new((0..SLOTS).rev().collect::<Vec<_>>()));
        let (changes, receiver) = channel();
        let freed = Arc::clone(&free);
        let run = move || {
            rights::keep_in_thread(rights::MAPS);
            while let Ok(first) = receiver.recv() {
                let changes: Vec<_> = std::iter::once(first).chain(receiver.try_iter()).collect();
                // One that the kernel refuses must not spoil the others.
                let all_are_made = changes.len() > 1 && set(&array, &entries(&changes, &placeholder)).is_ok();
                for change in changes {
                    let alone = || set(&array, &entries(std::slice::from_ref(&change), &placeholder));
                    let result = if all_are_made { Ok(()) } else { alone() };
                    conclude(change, result, &freed);
                }
            }
        };
        thread::Builder::new().name("slots".into()).spawn(run)?;
        Ok(Self { free, changes })
    }

    /// Takes a slot for each of these maps. They are filled some milliseconds later.
    pub(super) fn take(&self, maps: &[MapData]) -> Result<Taken> {
        let files = maps.iter().map(|map| map.fd().as_fd().try_clone_to_owned()).collect::<io::Result<Vec<_>>>()?;
        let mut free = lock(&self.free);
        ensure!(free.len() >= maps.len(), "all {SLOTS} rings are in use");
        let rest = free.len() - maps.len();
        let slots = free.split_off(rest);
        drop(free);
        let (result, filled) = channel();
        let taken = Taken { slots, changes: self.changes.clone(), filled };
        let fill = taken.slots.iter().copied().zip(files).collect();
        self.changes.send(Change::Fill(fill, result)).context("the thread of the array of rings has ended")?;
        Ok(taken)
    }
}

impl Taken {
    /// The slots, in the order of the maps.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// What became of filling them, once that is known.
    pub(super) fn filled(&self) -> Option<io::Result<()>> {
        self.filled.try_recv().ok()
    }

    /// The same, after waiting for it.
    pub(super) fn wait_until_filled(&self) -> io::Result<()> {
        self.filled.recv().unwrap_or_else(|_| Err(io::Error::other("the thread of the array has ended")))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Without the thread no slot is filled again.
        let _ = self.changes.send(Change::Free(std::mem::take(&mut self.slots)));
    }
}

/// What changes put into which slots. One that is both filled and freed comes twice, in this order,
/// which the kernel keeps.
fn entries(changes: &[Change], placeholder: &MapData) -> Vec<(u32, i32)> {
    let placeholder = placeholder.fd().as_fd().as_raw_fd();
    let of_change = |change: &Change| match change {
        Change::Fill(rings, _) => rings.iter().map(|(slot, ring)| (*slot, ring.as_raw_fd())).collect::<Vec<_>>(),
        Change::Free(slots) => slots.iter().map(|slot| (*slot, placeholder)).collect(),
    };
    changes.iter().flat_map(of_change).collect()
}

/// A change was made, or the kernel has refused it.
fn conclude(change: Change, result: io::Result<()>, free: &Mutex<Vec<u32>>) {
    match (change, result) {
        // The rings may be gone.
        (Change::Fill(_, sender), result) => drop(sender.send(result)),
        (Change::Free(slots), Ok(())) => lock(free).extend(slots),
        (Change::Free(slots), Err(error)) => tracing::warn!("cannot free {} ring slots: {error}", slots.len()),
    }
}

/// Puts rings into the array, all in one call. `BPF_MAP_UPDATE_BATCH` of an array of maps is Linux
/// 5.14.
fn set(array: &MapData, entries: &[(u32, i32)]) -> io::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let (keys, values): (Vec<u32>, Vec<i32>) = entries.iter().copied().unzip();
    let mut attr = bpf_attr {
        batch: batch_attr {
            in_batch: 0,
            out_batch: 0,
            keys: keys.as_ptr() as u64,
            values: values.as_ptr() as u64,
            count: entries.len() as u32,
            map_fd: array.fd().as_fd().as_raw_fd() as u32,
            elem_flags: 0,
            flags: 0,
        },
    };
    // SAFETY: the kernel reads the fields of the batch and nothing beyond them, and `count` keys
    // and values, which live until the call returns; it writes only `count`, in `attr`.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, bpf_cmd::BPF_MAP_UPDATE_BATCH as u32, &raw mut attr, size_of::<batch_attr>())
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// No code panics while it holds the lock, and the list would be whole if it did.
fn lock(free: &Mutex<Vec<u32>>) -> std::sync::MutexGuard<'_, Vec<u32>> {
    free.lock().unwrap_or_else(PoisonError::into_inner)
}
