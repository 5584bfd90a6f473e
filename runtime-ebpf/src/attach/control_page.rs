//! Control pages: what a process reads about gopatchd.
//!
//! Decides: which functions are on, and when the process must leave. `attach::heartbeat` writes
//! whether gopatchd runs and whether it is awake.
//! Trusts: nothing. The page is sealed: the process can neither shrink nor write it.
//! Never does: read anything back from a control page.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use gopatch_protocol::wire::{PAGE, control};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

use crate::rings::mapping::Mapping;

/// The control page of one session.
#[derive(Debug)]
pub(crate) struct ControlPage {
    page: Arc<Mapping>,
}

impl ControlPage {
    /// Creates a page with every function on. Gives the page, its file and the size of the file.
    pub(crate) fn create(functions: usize) -> io::Result<(Self, OwnedFd, u32)> {
        let bytes = (control::ENABLE + functions).next_multiple_of(PAGE);
        let file = memfd_create("gopatch-control", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, bytes as u64)?;
        let page = Mapping::read_write(&file, 0, bytes)?;
        // FUTURE_WRITE (Linux 5.1) leaves the mapping above writable and makes every later one
        // read-only.
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL)?;
        for function in 0..functions {
            page.store_byte(control::ENABLE + function, 1);
        }
        Ok((Self { page: Arc::new(page) }, file, bytes as u32))
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

    /// Tells the process to leave its rings.
    pub(crate) fn detach(&self) {
        self.page.set_bits(control::FLAGS, control::FLAG_DETACH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_cannot_write_or_shrink_the_page() -> io::Result<()> {
        let (page, file, bytes) = ControlPage::create(4096)?;
        assert_eq!(bytes, 8192, "header and 4096 enable bytes");
        let reader = Mapping::read_only(&file, 0, bytes as usize)?;
        assert_eq!(reader.load(control::ENABLE), u64::from_le_bytes([1; 8]));
        page.detach();
        assert_eq!(reader.load(control::FLAGS) as u32 & control::FLAG_DETACH, control::FLAG_DETACH);
        assert!(Mapping::read_write(&file, 0, bytes as usize).is_err(), "the process could write the page");
        assert!(ftruncate(&file, 0).is_err(), "the process could shrink the page");
        Ok(())
    }
}
