//! The threads that keep the heartbeat of gopatchd going, that listen while the main loop sleeps,
//! and that notice when a process runs another program.
//!
//! Decides: when a process sees that gopatchd runs, when the main loop is woken for records in a
//! ring, and how few wake-ups both take.
//! Trusts: nothing. A process that rings without a reason, however often, wakes the main loop at
//! most twice a beat.
//! Never does: read a record. It only checks whether there is one.
//!
//! Each thread has a group of control pages and changes the heartbeat of each. While the main loop
//! sleeps, it waits for the words `ASLEEP` of all of them at once (`futex_waitv`) until the next
//! beat, and then checks their rings. They are threads of their own, so that a peer, a file or a
//! terminal that holds up the main loop does not make gopatchd look dead.
//!
//! Without `futex_waitv` (before Linux 5.16) no doorbell is heard, and the main loop must not
//! sleep.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use gopatch_protocol::wire::control;
use rustix::io::Errno;
use rustix::thread::futex::{Wait, WaitFlags, WaitvFlags, waitv};
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::control_page::ControlPage;
use super::peer::Memory;
use crate::host::waker::Waker;
use crate::rings::Positions;
use crate::rings::mapping::Mapping;

/// Half of what the wire format promises, so that a late wake-up does not break the promise.
const BEAT: Duration = Duration::from_millis(control::HEARTBEAT_MILLIS / 2);

/// Beats from one check of the processes' memories to the next.
const CHECK_EVERY: usize = 5;

/// Words that one call can wait for: `FUTEX_WAITV_MAX` of `include/uapi/linux/futex.h`.
const MAX_WORDS: usize = 128;

/// Writes the heartbeat into control pages, and listens to their doorbells.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    groups: Vec<Arc<Group>>,
    doorbell: Arc<Doorbell>,
    can_listen: bool,
}

/// Wakes the main loop from its sleep.
#[derive(Debug)]
struct Doorbell {
    waker: Waker,
    /// The main loop sleeps, or is about to sleep.
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
    memory: Option<Arc<Memory>>,
}

impl Heartbeat {
    /// Starts without a page.
    pub(crate) fn start() -> io::Result<Self> {
        // A kernel that has the call refuses to wait for nothing.
        let can_listen = waitv(&[], WaitvFlags::empty(), None, ClockId::Monotonic) == Err(Errno::INVAL);
        let doorbell = Arc::new(Doorbell { waker: Waker::new()?, dozing: AtomicBool::new(false) });
        Ok(Self { groups: Vec::new(), doorbell, can_listen })
    }

    /// Adds a page, until it is dropped, listens for its rings, and rings once the memory of its
    /// program is gone.
    pub(crate) fn add(
        &mut self,
        page: &ControlPage,
        rings: Vec<Arc<Positions>>,
        memory: Option<Arc<Memory>>,
    ) -> io::Result<()> {
        let member = Member { page: Arc::downgrade(page.page()), rings, memory };
        if let Some(group) = self.groups.iter().find(|group| group.lock().len() < MAX_WORDS) {
            group.lock().push(member);
            group.added.notify_one();
            return Ok(());
        }
        let group = Arc::new(Group { members: Mutex::new(vec![member]), added: Condvar::new() });
        let (beating, doorbell) = (Arc::clone(&group), Arc::clone(&self.doorbell));
        // The thread sleeps while it has no page, and ends with the process.
        std::thread::Builder::new().name("heartbeat".into()).spawn(move || beating.beat(&doorbell))?;
        self.groups.push(group);
        Ok(())
    }

    /// Whether doorbells are heard while the main loop sleeps.
    pub(crate) fn can_listen(&self) -> bool {
        self.can_listen
    }

    /// Tells processes whether they have to ring from now on when there is something to read.
    pub(crate) fn doze(&self, dozing: bool) {
        if self.doorbell.dozing.swap(dozing, Ordering::Relaxed) == dozing {
            return;
        }
        for group in &self.groups {
            for page in group.lock().iter().filter_map(|member| member.page.upgrade()) {
                page.store_half(control::ASLEEP, dozing.into());
            }
        }
    }

    /// Readable when a process has rung.
    pub(crate) fn doorbell(&self) -> BorrowedFd<'_> {
        self.doorbell.waker.as_fd()
    }

    /// Makes `doorbell` unreadable again.
    pub(crate) fn clear_doorbell(&self) {
        self.doorbell.waker.clear();
    }
}

impl Member {
    /// Whether its program is found to be over now.
    fn has_ended(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| !memory.is_gone() && memory.check())
    }
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, Vec<Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beat(&self, doorbell: &Doorbell) {
        for beat in 0_usize.. {
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
            let dozing = doorbell.dozing.load(Ordering::Relaxed);
            // A program that went idle right after its last record does not ring.
            if dozing && members.iter().any(|member| member.rings.iter().any(|ring| ring.is_unread())) {
                doorbell.waker.wake();
            }
            if beat.is_multiple_of(CHECK_EVERY) && members.iter().filter(|member| member.has_ended()).count() > 0 {
                doorbell.waker.wake();
            }
            drop(members);
            // A second ring before the next beat changes nothing: the first has woken the main
            // loop.
            if dozing && listen(&pages) {
                doorbell.waker.wake();
            }
            drop(pages);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
}

/// Waits for a doorbell until the next beat. Returns whether one rang.
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
    use crate::attach::control_page::tests::page;

    #[test]
    fn an_added_page_gets_the_heartbeat() -> io::Result<()> {
        let (control, file, bytes) = page(1)?;
        Heartbeat::start()?.add(&control, Vec::new(), None)?;
        let reader = Mapping::read_only(&file, 0, bytes as usize)?;
        let before = reader.load(control::HEARTBEAT);
        let began = Instant::now();
        while reader.load(control::HEARTBEAT) == before {
            assert!(began.elapsed() < BEAT * 100, "no heartbeat");
            std::thread::sleep(BEAT / 10);
        }
        Ok(())
    }

    #[test]
    fn pages_beyond_the_limit_of_one_call_also_learn_that_the_main_loop_sleeps() -> io::Result<()> {
        let mut heartbeat = Heartbeat::start()?;
        let pages: Vec<_> = (0..=2 * MAX_WORDS).map(|_| page(1)).collect::<io::Result<_>>()?;
        pages.iter().try_for_each(|(page, ..)| heartbeat.add(page, Vec::new(), None))?;
        assert_eq!(heartbeat.groups.len(), 3);
        for dozing in [true, false] {
            heartbeat.doze(dozing);
            let says = |(page, ..): &(ControlPage, _, _)| page.page().load(control::ASLEEP) as u32 == u32::from(dozing);
            assert!(pages.iter().all(says));
        }
        Ok(())
    }
}
