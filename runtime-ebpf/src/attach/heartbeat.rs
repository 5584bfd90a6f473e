//! The threads that beat for gopatchd, and that listen while it sleeps.
//!
//! Decides: when a process sees that gopatchd lives, when the main loop is woken for something in a ring, and by how few
//! wake-ups both can be had.
//! Trusts: nothing. Whoever rings without a reason, and however often, wakes the main loop at most twice a beat.
//! Never does: reading a record. It looks whether there is one.
//!
//! Each thread has a group of control pages. In each it changes the heartbeat, and while the main loop sleeps it waits for all of
//! their words `ASLEEP` at a time (`futex_waitv`) until the next beat, and looks at their rings then. They are threads of their own so
//! that no peer, file or terminal that holds up the main loop makes gopatchd look dead.
//!
//! Where the kernel has no `futex_waitv` (it is Linux 5.16's), nobody hears a bell, and the main loop must not sleep.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use gopatch_protocol::wire::control;
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::thread::futex::{Wait, WaitFlags, WaitvFlags, waitv};
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::control_page::ControlPage;
use crate::rings::Positions;
use crate::rings::mapping::Mapping;

/// Twice as often as promised, so that a late wake-up breaks no promise.
const BEAT: Duration = Duration::from_millis(control::HEARTBEAT_MILLIS / 2);

/// Words that one call waits for: `FUTEX_WAITV_MAX` of `include/uapi/linux/futex.h`.
const MOST_WORDS: usize = 128;

/// Keeps control pages alive.
#[derive(Debug)]
pub(crate) struct Heart {
    groups: Vec<Arc<Group>>,
    bell: Arc<Bell>,
    can_listen: bool,
}

/// What wakes the main loop.
#[derive(Debug)]
struct Bell {
    event: OwnedFd,
    /// The main loop sleeps, or is about to.
    dozing: AtomicBool,
}

/// The pages of one thread.
#[derive(Debug, Default)]
struct Group {
    members: Mutex<Vec<Member>>,
    added: Condvar,
}

#[derive(Debug)]
struct Member {
    page: Weak<Mapping>,
    rings: Vec<Arc<Positions>>,
}

impl Heart {
    /// Makes a heart that has nothing to beat for.
    pub(crate) fn start() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // To wait for nothing is what a kernel refuses that has the call.
        let can_listen = waitv(&[], WaitvFlags::empty(), None, ClockId::Monotonic) == Err(Errno::INVAL);
        let bell = Arc::new(Bell { event, dozing: AtomicBool::new(false) });
        Ok(Self { groups: Vec::new(), bell, can_listen })
    }

    /// Keeps a page alive until it is dropped, and listens for its rings.
    pub(crate) fn keep(&mut self, page: &ControlPage, rings: Vec<Arc<Positions>>) -> io::Result<()> {
        let member = Member { page: Arc::downgrade(page.page()), rings };
        if let Some(group) = self.groups.iter().find(|group| group.lock().len() < MOST_WORDS) {
            group.lock().push(member);
            group.added.notify_one();
            return Ok(());
        }
        let group = Arc::new(Group { members: Mutex::new(vec![member]), added: Condvar::new() });
        let (beating, bell) = (Arc::clone(&group), Arc::clone(&self.bell));
        // It sleeps while there is no page, and ends with the process.
        std::thread::Builder::new().name("heartbeat".into()).spawn(move || beating.beat(&bell))?;
        self.groups.push(group);
        Ok(())
    }

    /// Whether somebody listens while the main loop sleeps.
    pub(crate) fn can_listen(&self) -> bool {
        self.can_listen
    }

    /// From now on processes ring when there is something to read, or no longer need to.
    pub(crate) fn doze(&self, dozing: bool) {
        if self.bell.dozing.swap(dozing, Ordering::Relaxed) == dozing {
            return;
        }
        for group in &self.groups {
            for page in group.lock().iter().filter_map(|member| member.page.upgrade()) {
                page.store_half(control::ASLEEP, dozing.into());
            }
        }
    }

    /// Readable when somebody has rung.
    pub(crate) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.event.as_fd()
    }

    /// Makes `bell` unreadable again.
    pub(crate) fn heard(&self) {
        // Nothing to read only means that nobody has rung.
        let _ = rustix::io::read(&self.bell.event, &mut [0; 8]);
    }
}

impl Bell {
    fn ring(&self) {
        // It can only fail when it rings already.
        let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
    }
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, Vec<Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self, bell: &Bell) {
        loop {
            let mut members = self.lock();
            let mut pages = Vec::with_capacity(members.len());
            members.retain(|member| {
                member.page.upgrade().is_some_and(|page| {
                    page.increment(control::HEARTBEAT);
                    pages.push(page);
                    true
                })
            });
            if members.is_empty() {
                drop(self.added.wait(members));
                continue;
            }
            let next = Instant::now() + BEAT;
            let dozing = bell.dozing.load(Ordering::Relaxed);
            // Of a program that went idle right behind its last record nobody rings.
            if dozing && members.iter().any(|member| member.rings.iter().any(|ring| ring.is_unread())) {
                bell.ring();
            }
            drop(members);
            // What rings once more before the next beat has woken the main loop already.
            if dozing && listen(&pages) {
                bell.ring();
            }
            drop(pages);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
}

/// Waits for a bell until the next beat. Gives whether there was one.
fn listen(pages: &[Arc<Mapping>]) -> bool {
    let words = pages.iter().map(|page| {
        let mut word = Wait::new();
        word.val = 1;
        word.uaddr = page.address(control::ASLEEP).into();
        word.flags = WaitFlags::SIZE_U32;
        word
    });
    let until = clock_gettime(ClockId::Monotonic) + Timespec::try_from(BEAT).expect("a part of a second");
    waitv(&words.collect::<Vec<_>>(), WaitvFlags::empty(), Some(&until), ClockId::Monotonic).is_ok()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_kept_page_beats() -> io::Result<()> {
        let (page, file, bytes) = ControlPage::create(1)?;
        Heart::start()?.keep(&page, Vec::new())?;
        let reader = Mapping::read_only(&file, 0, bytes as usize)?;
        let before = reader.load(control::HEARTBEAT);
        let began = Instant::now();
        while reader.load(control::HEARTBEAT) == before {
            assert!(began.elapsed() < BEAT * 100, "it does not beat");
            std::thread::sleep(BEAT / 10);
        }
        Ok(())
    }

    #[test]
    fn more_pages_than_one_call_can_wait_for_all_say_that_it_sleeps() -> io::Result<()> {
        let mut heart = Heart::start()?;
        let pages: Vec<_> = (0..=2 * MOST_WORDS).map(|_| ControlPage::create(1)).collect::<io::Result<_>>()?;
        pages.iter().try_for_each(|(page, ..)| heart.keep(page, Vec::new()))?;
        assert_eq!(heart.groups.len(), 3);
        for dozing in [true, false] {
            heart.doze(dozing);
            let says = |(page, ..): &(ControlPage, _, _)| page.page().load(control::ASLEEP) == u64::from(dozing);
            assert!(pages.iter().all(says));
        }
        Ok(())
    }
}
