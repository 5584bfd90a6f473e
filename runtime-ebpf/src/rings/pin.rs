//! The pin of the output ring: a name in bpffs by which other eBPF tools find gopatchd's events.
//!
//! Decides: who owns the folder (a lock that dies with its holder), and what becomes of the pin of
//! an earlier gopatchd.
//! Trusts: every process that may write to the folder: they run as root.
//! Never does: fail the start. Without a pin gopatchd works, but other tools do not see its events.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use aya::maps::{Map, MapData, RingBuf};
use gopatch_protocol::wire::forwarded;
use rustix::fs::{FlockOperation, flock, statfs};
use rustix::mount::{MountFlags, mount};

/// Where bpffs is mounted by convention.
const BPFFS: &str = "/sys/fs/bpf";

/// `BPF_FS_MAGIC`, `include/uapi/linux/magic.h`.
const BPF_FS_MAGIC: i64 = 0xcafe_4a11;

/// Name of the output ring's pin.
const NAME: &str = "gopatch_events";

/// A pinned output ring. Dropping it removes the pin.
#[derive(Debug)]
pub(super) struct Pin {
    path: PathBuf,
    /// Holds the lock on the folder.
    _folder: File,
    left_by_earlier: u64,
}

impl Pin {
    /// Pins `events` in `folder`, replacing the pin of a gopatchd that was killed.
    pub(super) fn create(folder: &Path, events: &MapData) -> Result<Self> {
        if folder.starts_with(BPFFS) && !is_bpffs(Path::new(BPFFS)) {
            mount("bpf", BPFFS, "bpf", MountFlags::empty(), None)
                .with_context(|| format!("cannot mount a BPF file system at {BPFFS}"))?;
        }
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        ensure!(is_bpffs(folder), "{} is not on a BPF file system", folder.display());
        let lock = File::open(folder)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .with_context(|| format!("another gopatchd has its pin in {}", folder.display()))?;

        let path = folder.join(NAME);
        let left_by_earlier = if path.exists() { unread(&path).unwrap_or(0) } else { 0 };
        if path.exists() {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove the old pin {}", path.display()))?;
        }
        events.pin(&path).with_context(|| format!("cannot pin {}", path.display()))?;
        Ok(Self { path, _folder: lock, left_by_earlier })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn left_by_earlier(&self) -> u64 {
        self.left_by_earlier
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        // If this fails, the next gopatchd finds the pin and counts its records.
        drop(std::fs::remove_file(&self.path));
    }
}

fn is_bpffs(path: &Path) -> bool {
    statfs(path).is_ok_and(|file_system| file_system.f_type == BPF_FS_MAGIC)
}

/// The number of unread records in a pinned ring.
fn unread(path: &Path) -> Result<u64> {
    let mut ring: RingBuf<MapData> = Map::from_map_data(MapData::from_pin(path)?)?.try_into()?;
    let mut records = 0;
    while let Some(piece) = ring.next() {
        records += forwarded::records(&piece).count() as u64;
    }
    Ok(records)
}
