//! Control pages, and the heart that keeps them alive.
//!
//! Decides: what a process reads about gopatchd: that it lives, that it is about to end, which functions are on.
//! Trusts: nothing. The page is sealed so that the process can neither shrink nor write it.
//! Never does: reading anything back from a control page.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use gopatch_trampolines::wire::{PAGE, control};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

use crate::mapping::Mapping;

/// Twice as often as promised, so that a late wake-up breaks no promise.
const BEAT: Duration = Duration::from_millis(control::HEARTBEAT_MILLIS / 2);

/// The control page of one session.
#[derive(Debug)]
pub(crate) struct ControlPage {
    page: Arc<Mapping>,
}

impl ControlPage {
    /// Makes a page with every function on. Gives the page, its file and the file's size.
    pub(crate) fn create(functions: usize) -> io::Result<(Self, OwnedFd, u32)> {
        let bytes = (control::ENABLE + functions).next_multiple_of(PAGE);
        let file = memfd_create("gopatch-control", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, bytes as u64)?;
        let page = Mapping::read_write(&file, 0, bytes)?;
        // FUTURE_WRITE (Linux 5.1) leaves the mapping above writable and makes every later one read-only.
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL)?;
        for function in 0..functions {
            page.store_byte(control::ENABLE + function, 1);
        }
        Ok((Self { page: Arc::new(page) }, file, bytes as u32))
    }

    /// Switches a function on or off. The process sees it once [`ControlPage::switched`] was called.
    pub(crate) fn switch(&self, function: usize, on: bool) {
        self.page.store_byte(control::ENABLE + function, on.into());
    }

    /// Has the process look at its functions' switches again.
    pub(crate) fn switched(&self) {
        self.page.increment_half(control::ENABLE_GENERATION);
    }

    /// Tells the process to leave its rings.
    pub(crate) fn detach(&self) {
        self.page.set_bits(control::FLAGS, control::FLAG_DETACH);
    }
}

/// A thread that changes the heartbeat of every control page. It is a thread of its own so that no peer, file or
/// terminal that holds up the main loop makes gopatchd look dead.
#[derive(Debug)]
pub(crate) struct Heart {
    pages: Arc<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    list: Mutex<Vec<Weak<Mapping>>>,
    added: Condvar,
}

impl Heart {
    /// Starts the thread. It sleeps while there is no page, and ends with the process.
    pub(crate) fn start() -> io::Result<Self> {
        let pages = Arc::new(Pages::default());
        let beating = Arc::clone(&pages);
        std::thread::Builder::new().name("heartbeat".into()).spawn(move || beating.beat())?;
        Ok(Self { pages })
    }

    /// Keeps a page alive until it is dropped.
    pub(crate) fn keep(&self, page: &ControlPage) {
        self.pages.lock().push(Arc::downgrade(&page.page));
        self.pages.added.notify_one();
    }
}

impl Pages {
    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Mapping>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self) {
        loop {
            let mut list = self.lock();
            list.retain(|page| {
                page.upgrade().is_some_and(|page| {
                    page.increment(control::HEARTBEAT);
                    true
                })
            });
            if list.is_empty() {
                drop(self.added.wait(list));
            } else {
                drop(list);
                std::thread::sleep(BEAT);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_page_beats_and_a_reader_cannot_write_it() -> io::Result<()> {
        let (page, file, bytes) = ControlPage::create(4096)?;
        assert_eq!(bytes, 8192, "header and 4096 enable bytes");
        Heart::start()?.keep(&page);
        let reader = Mapping::read_only(&file, 0, bytes as usize)?;
        let before = reader.load(control::HEARTBEAT);
        std::thread::sleep(Duration::from_millis(control::HEARTBEAT_MILLIS * 2));
        assert!(reader.load(control::HEARTBEAT) > before);
        assert_eq!(reader.load(control::ENABLE), u64::from_le_bytes([1; 8]));
        page.detach();
        assert_eq!(reader.load(control::FLAGS) as u32 & control::FLAG_DETACH, control::FLAG_DETACH);
        assert!(Mapping::read_write(&file, 0, bytes as usize).is_err(), "the process could write the page");
        assert!(ftruncate(&file, 0).is_err(), "the process could take the page away");
        Ok(())
    }
}
