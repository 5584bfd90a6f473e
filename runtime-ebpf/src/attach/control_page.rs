//! Control pages: what a process reads about gopatchd, and what the next gopatchd has to know.
//!
//! Decides: which functions are on, when the process must write no more, and to which gopatchd a
//! session belongs. `attach::heartbeat` writes whether gopatchd runs and whether it is awake.
//! Trusts: a page that this user has made, which others cannot write. Of any other page it reads
//! only what can harm nothing but the process that has it.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gopatch_protocol::wire::{CONTROL_NAME, MAGIC, MAX_RINGS, PAGE, control, ring};
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fchmod, fcntl_add_seals, fstat, ftruncate, memfd_create, open};
use rustix::process::geteuid;

use crate::config::ContextsConfig;
use crate::rings::mapping::Mapping;
use crate::rings::{Counters, check_memory_file, check_ring_bytes};

/// A gopatchd, as sessions know it: a random number, not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(u64);

/// The control page of one session.
#[derive(Debug)]
pub(crate) struct ControlPage {
    page: Arc<Mapping>,
    owner: Owner,
}

/// What a page says of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) manifest_id: [u8; 16],
    pub(crate) rings: u32,
    /// The first rings, each of `ring_bytes` bytes.
    pub(crate) large_rings: u32,
    pub(crate) ring_bytes: u32,
    /// The kernel's ids of the large rings, if they are BPF maps.
    pub(crate) bpf_ids: Vec<u32>,
    pub(crate) socket: SocketPlace,
}

/// Where the process of a session looks for gopatchd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SocketPlace {
    /// gopatchd has made the page: the path it listened on, and the device of the folder.
    Listener { path: PathBuf, device: u64 },
    /// The process has made the page: the path as the process sees it.
    Process(PathBuf),
}

impl Owner {
    pub(crate) fn random() -> io::Result<Self> {
        let mut bytes = [0; 8];
        rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
        Ok(Self(u64::from_le_bytes(bytes) | 1))
    }
}

impl ControlPage {
    /// Creates a page with every function on. Returns the page, a file by which the process can map
    /// it but not write it, and the size of the file.
    pub(crate) fn create(
        functions: usize,
        owner: Owner,
        description: &Description,
    ) -> io::Result<(Self, OwnedFd, u32)> {
        let bytes = (control::ENABLE + functions).next_multiple_of(PAGE);
        let file = memfd_create(CONTROL_NAME, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        fchmod(&file, Mode::RUSR | Mode::WUSR)?;
        ftruncate(&file, bytes as u64)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let page = Mapping::read_write(&file, 0, bytes)?;
        page.store(control::OWNER, owner.0);
        description.write(&page);
        let page = Self { page: Arc::new(page), owner };
        page.enable_all(functions);
        let reopened = format!("/proc/self/fd/{}", file.as_raw_fd());
        let read_only = open(reopened, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        Ok((page, read_only, bytes as u32))
    }

    /// Maps the page of a running process, of which another gopatchd may be the owner.
    pub(crate) fn open(file: &File, owner: Owner) -> io::Result<(Self, Description)> {
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        let status = fstat(file)?;
        check_memory_file(file)?;
        let bytes = usize::try_from(status.st_size).unwrap_or(0);
        if !(control::ENABLE..1 << 30).contains(&bytes) {
            return Err(invalid("its control page has an invalid size"));
        }
        let page = Mapping::read_write(file, 0, bytes)?;
        let of_others = Mode::from_raw_mode(status.st_mode) & (Mode::RWXG | Mode::RWXO);
        let is_ours = status.st_uid == geteuid().as_raw() && of_others.is_empty();
        let description = Description::read(&page, is_ours).ok_or_else(|| invalid("its control page is invalid"))?;
        Ok((Self { page: Arc::new(page), owner }, description))
    }

    /// Functions that the page has room for.
    pub(crate) fn has_room_for(&self, functions: usize) -> bool {
        control::ENABLE + functions <= self.page.len()
    }

    /// The heartbeat, to see whether another gopatchd is alive.
    pub(crate) fn heartbeat(&self) -> u64 {
        self.page.load(control::HEARTBEAT)
    }

    /// Whether a gopatchd has, or had, the session.
    pub(crate) fn has_owner(&self) -> bool {
        self.page.load(control::OWNER) != 0
    }

    /// Whether this gopatchd has the session. Another may have taken it while this one was stopped.
    pub(crate) fn is_ours(&self) -> bool {
        self.page.load(control::OWNER) == self.owner.0
    }

    /// Makes the session this gopatchd's.
    pub(crate) fn claim(&self) {
        self.page.store(control::OWNER, self.owner.0);
    }

    /// Leaves the session to the next gopatchd.
    pub(crate) fn release(&self) {
        if self.is_ours() {
            self.page.store(control::OWNER, 0);
        }
    }

    /// Switches every function on, and lets the process write records again.
    pub(crate) fn resume(&self, functions: usize) {
        self.enable_all(functions);
        self.publish_switches();
        self.page.store_half(control::ASLEEP, 0);
        self.page.store_half(control::FLAGS, 0);
    }

    fn enable_all(&self, functions: usize) {
        for function in 0..functions {
            self.page.store_byte(control::ENABLE + function, 1);
        }
    }

    /// What was counted of the rings' counters.
    pub(crate) fn counted(&self) -> Counters {
        Counters {
            ring_full: self.page.load(control::COUNTED_DROPPED),
            slot_busy: self.page.load(control::COUNTED_SLOT_BUSY),
            words_missing: self.page.load(control::COUNTED_WORDS_MISSING),
        }
    }

    /// Notes what was counted, for the next gopatchd.
    pub(crate) fn set_counted(&self, counters: Counters) {
        self.page.store(control::COUNTED_DROPPED, counters.ring_full);
        self.page.store(control::COUNTED_SLOT_BUSY, counters.slot_busy);
        self.page.store(control::COUNTED_WORDS_MISSING, counters.words_missing);
    }

    /// Says what the process does with trace contexts: whether it reads and writes them, whether a
    /// caller's decision about sampling counts, and which part of the traces is sampled.
    pub(crate) fn set_contexts(&self, contexts: ContextsConfig) {
        let ContextsConfig { propagates, decides, ratio } = contexts;
        self.page.store(control::SAMPLED_BELOW, control::sampled_below(ratio));
        let bits = [(propagates, control::PROPAGATES), (decides, control::DECIDES)];
        let bits = bits.into_iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum();
        self.page.store_half(control::PROPAGATION, bits);
    }

    /// Switches a function on or off. The process sees it after [`ControlPage::publish_switches`].
    pub(crate) fn switch(&self, function: usize, on: bool) {
        self.page.store_byte(control::ENABLE + function, on.into());
    }

    /// Makes the process read its switches again.
    pub(crate) fn publish_switches(&self) {
        self.page.increment_half(control::ENABLE_GENERATION);
    }

    /// What the process maps. It stays mapped here while a reference to it exists.
    pub(crate) fn page(&self) -> &Arc<Mapping> {
        &self.page
    }

    /// Tells the process to write no more records.
    pub(crate) fn detach(&self) {
        self.page.set_bits(control::FLAGS, control::FLAG_DETACH);
    }
}

impl Description {
    fn write(&self, page: &Mapping) {
        page.store_half(control::RINGS, self.rings);
        page.store_half(control::RING_BYTES, self.ring_bytes);
        page.store_half(control::LARGE_RINGS, self.large_rings);
        page.store_half(control::ARE_BPF, (!self.bpf_ids.is_empty()).into());
        for (index, id) in self.bpf_ids.iter().enumerate() {
            page.store_half(control::BPF_IDS + 4 * index, *id);
        }
        let store = |offset: usize, bytes: &[u8]| {
            for (index, byte) in bytes.iter().enumerate() {
                page.store_byte(offset + index, *byte);
            }
        };
        store(control::MANIFEST_ID, &self.manifest_id);
        let (SocketPlace::Listener { path, .. } | SocketPlace::Process(path)) = &self.socket;
        let path = path.as_os_str().as_bytes();
        store(control::SOCKET, &path[..path.len().min(control::SOCKET_BYTES - 1)]);
        if let SocketPlace::Listener { device, .. } = self.socket {
            page.store(control::DEVICE, device);
        }
        page.store(control::MAGIC, MAGIC);
    }

    /// `None` if it is invalid, or not of this version.
    fn read(page: &Mapping, is_ours: bool) -> Option<Self> {
        if page.load(control::MAGIC) != MAGIC {
            return None;
        }
        let half = |offset: usize| (page.load(offset & !7) >> (8 * (offset & 4))) as u32;
        let (rings, large_rings, ring_bytes) =
            (half(control::RINGS), half(control::LARGE_RINGS), half(control::RING_BYTES));
        let are_bpf = half(control::ARE_BPF) != 0;
        // What a process makes itself has one of two sizes. It costs gopatchd as much as its rings
        // hold.
        let own_bytes = if large_rings <= ring::FEW { ring::OWN_BYTES } else { ring::OWN_BYTES_OF_MANY };
        let is_size = if is_ours { check_ring_bytes(ring_bytes).is_ok() } else { ring_bytes == own_bytes };
        // Ids of maps open maps of other processes too.
        let are_counts = rings <= MAX_RINGS && (1..rings).contains(&large_rings);
        if !are_counts || !is_size || are_bpf && !is_ours {
            return None;
        }
        let mut bytes = Vec::new();
        page.append_to(&mut bytes, 0, control::ENABLE / 8);
        let path = bytes[control::SOCKET..control::SOCKET + control::SOCKET_BYTES].split(|byte| *byte == 0).next()?;
        let path = Path::new(std::ffi::OsStr::from_bytes(path)).to_owned();
        let device = page.load(control::DEVICE);
        Some(Self {
            manifest_id: bytes[control::MANIFEST_ID..control::MANIFEST_ID + 16].try_into().ok()?,
            rings,
            large_rings,
            ring_bytes,
            bpf_ids: (0..if are_bpf { large_rings as usize } else { 0 })
                .map(|index| half(control::BPF_IDS + 4 * index))
                .collect(),
            socket: match device {
                0 => SocketPlace::Process(path),
                device if is_ours => SocketPlace::Listener { path, device },
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::attach) fn page(functions: usize) -> io::Result<(ControlPage, OwnedFd, u32)> {
        ControlPage::create(functions, Owner(7), &description())
    }

    fn description() -> Description {
        Description {
            manifest_id: [9; 16],
            rings: 3,
            large_rings: 2,
            ring_bytes: 8192,
            bpf_ids: vec![5, 6],
            socket: SocketPlace::Listener { path: "/run/x.sock".into(), device: 44 },
        }
    }

    #[test]
    fn a_process_cannot_write_or_shrink_the_page() -> io::Result<()> {
        let (page, file, bytes) = page(4096)?;
        assert_eq!(bytes, 8192, "header and 4096 enable bytes");
        let reader = Mapping::read_only(&file, 0, bytes as usize)?;
        assert_eq!(reader.load(control::ENABLE), u64::from_le_bytes([1; 8]));
        page.detach();
        assert_eq!(reader.load(control::FLAGS) as u32 & control::FLAG_DETACH, control::FLAG_DETACH);
        assert!(Mapping::read_write(&file, 0, bytes as usize).is_err(), "the process could write the page");
        assert!(ftruncate(&file, 0).is_err(), "the process could shrink the page");
        Ok(())
    }

    #[test]
    fn the_next_gopatchd_reads_what_the_last_one_wrote() -> io::Result<()> {
        let (first, file, _) = page(1)?;
        first.set_counted(Counters { ring_full: 3, slot_busy: 5, words_missing: 4 });
        let reopened = File::options().read(true).write(true).open(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        let (second, read) = ControlPage::open(&reopened, Owner(9))?;
        assert_eq!(read, description());
        assert_eq!(second.counted(), Counters { ring_full: 3, slot_busy: 5, words_missing: 4 });
        assert!(first.is_ours() && !second.is_ours());
        second.claim();
        assert!(!first.is_ours() && second.is_ours());
        first.release();
        assert!(second.is_ours(), "the first has given away what is no longer its own");
        second.release();
        assert!(!second.has_owner());
        Ok(())
    }

    #[test]
    fn a_page_that_others_have_made_has_the_sizes_that_programs_make() -> io::Result<()> {
        let page = |large_rings, ring_bytes| {
            let socket = SocketPlace::Process("/run/x.sock".into());
            let made =
                Description { rings: 128, large_rings, ring_bytes, bpf_ids: Vec::new(), socket, ..description() };
            let (page, ..) = ControlPage::create(1, Owner(7), &made)?;
            io::Result::Ok([true, false].map(|is_ours| Description::read(page.page(), is_ours).is_some()))
        };
        assert_eq!(page(8, ring::OWN_BYTES)?, [true, true]);
        assert_eq!(page(9, ring::OWN_BYTES_OF_MANY)?, [true, true]);
        assert_eq!(page(9, ring::OWN_BYTES)?, [true, false], "with 127 rings, half a gigabyte");
        assert_eq!(page(8, 1 << 28)?, [true, false]);
        assert_eq!(page(8, 1 << 30)?, [false, false]);
        Ok(())
    }

    #[test]
    fn ids_of_maps_in_a_page_that_others_can_write_are_not_read() -> io::Result<()> {
        let (page, ..) = page(1)?;
        assert!(Description::read(page.page(), true).is_some());
        assert!(Description::read(page.page(), false).is_none());
        Ok(())
    }
}
