//! Which tests may run beside others: the tests of one target are threads of one process.
//!
//! A test runs beside others unless it takes [`alone`] as its first step: because it compares times
//! or rates, because it uses something of which the machine has one, or because it takes so much
//! that others would fail. Every other test shares the machine through its
//! [`Scratch`](crate::Scratch); one without a folder takes [`beside`]. Cargo runs targets one after
//! another, so nothing more is needed between processes.
//!
//! Only a test's own thread takes a turn. A thread that a test starts would wait for its own test.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

static MACHINE: RwLock<()> = RwLock::new(());

thread_local! {
    /// The lock that this thread holds, and how many turns share it. A thread that read-locked a
    /// second time could wait for a writer that waits for the thread itself.
    static HELD: RefCell<Option<(Lock, usize)>> = const { RefCell::new(None) };
}

#[expect(dead_code, reason = "the guards are held, not read")]
enum Lock {
    Shared(RwLockReadGuard<'static, ()>),
    Exclusive(RwLockWriteGuard<'static, ()>),
}

/// A turn, which lasts until it is dropped by the thread that took it.
#[must_use = "the turn ends when it is dropped"]
pub struct Turn(PhantomData<MutexGuard<'static, ()>>);

/// Waits until no other test runs, and keeps others from starting.
pub fn alone() -> Turn {
    HELD.with_borrow(|held| assert!(held.is_none(), "take the turn first: this test runs beside others already"));
    // The lock guards nothing that a failed test could leave broken.
    take(|| Lock::Exclusive(MACHINE.write().unwrap_or_else(PoisonError::into_inner)))
}

/// Waits until no test runs alone. Within another turn of the same test it is a part of that turn.
pub fn beside() -> Turn {
    take(|| Lock::Shared(MACHINE.read().unwrap_or_else(PoisonError::into_inner)))
}

fn take(lock: impl FnOnce() -> Lock) -> Turn {
    HELD.with_borrow_mut(|held| held.get_or_insert_with(|| (lock(), 0)).1 += 1);
    Turn(PhantomData)
}

impl Drop for Turn {
    fn drop(&mut self) {
        HELD.with_borrow_mut(|held| {
            if let Some((_, turns)) = held {
                *turns -= 1;
                if *turns == 0 {
                    *held = None;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_test_alone_meets_no_other() {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        thread::scope(|scope| {
            for index in 0..6 {
                scope.spawn(move || {
                    let is_alone = index % 2 == 0;
                    let _turn = if is_alone { alone() } else { beside() };
                    let _inner = beside();
                    let others = RUNNING.fetch_add(1, Ordering::SeqCst);
                    assert!(!is_alone || others == 0, "{others} other tests run");
                    thread::sleep(Duration::from_millis(20));
                    RUNNING.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    }

    #[test]
    fn a_part_of_a_turn_ends_before_the_turn() {
        let turn = alone();
        drop(beside());
        assert!(MACHINE.try_read().is_err(), "the inner turn has ended the outer one");
        drop(turn);
    }

    #[test]
    #[should_panic(expected = "take the turn first")]
    fn a_test_beside_others_cannot_become_one_alone() {
        let _turn = beside();
        drop(alone());
    }
}
