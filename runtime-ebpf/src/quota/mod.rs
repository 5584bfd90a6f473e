//! How much of gopatchd one user, and all users together, may take.
//!
//! - [`table`]: what is limited, and the defaults;
//! - here: what is taken, and what is refused.
//!
//! Decides: whether a process gets what it asks for. Everything that a process can make gopatchd
//! keep is asked for here ([`Quotas::take`]) before it is kept, and given back when the [`Share`]
//! is dropped.
//! Trusts: the kernel, for the user of a process.
//!
//! *One user's excess never refuses another user's first program*: the last quarter of each total
//! is kept for users that have nothing or little ([`LITTLE`]).

pub(crate) mod table;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::table::{Amounts, KINDS, Kind, Limits};

/// A user that has less than this part of a total may take from the quarter that is kept.
const LITTLE: u64 = 32;

/// What is taken, and what was refused.
#[derive(Debug)]
pub(crate) struct Quotas {
    pub(crate) limits: Limits,
    used: Mutex<Used>,
    refused: [AtomicU64; KINDS.len()],
}

#[derive(Debug, Default)]
struct Used {
    all: Amounts,
    users: HashMap<u32, Amounts>,
}

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exceeded {
    #[error("user {uid} has reached limits.user.{kind}, {limit}")]
    User { uid: u32, kind: Kind, limit: u64 },
    #[error("all users together have reached limits.all.{kind}, {limit}")]
    All { kind: Kind, limit: u64 },
}

/// What a user has taken. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Share {
    quotas: Arc<Quotas>,
    uid: u32,
    kind: Kind,
    amount: u64,
}

/// How much of a kind is taken, for `status` and metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) kind: Kind,
    pub(crate) used: u64,
    pub(crate) limit: u64,
    pub(crate) refused: u64,
}

impl Quotas {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, used: Mutex::default(), refused: [const { AtomicU64::new(0) }; KINDS.len()] })
    }

    /// Takes an amount for a user. A refusal is counted.
    pub(crate) fn take(self: &Arc<Self>, uid: u32, kind: Kind, amount: u64) -> Result<Share, Exceeded> {
        let mut share = Share { quotas: Arc::clone(self), uid, kind, amount: 0 };
        share.resize(amount).map(|()| share)
    }

    /// The same for what can wait until there is room: nothing is counted.
    pub(crate) fn try_take(self: &Arc<Self>, uid: u32, kind: Kind, amount: u64) -> Option<Share> {
        self.change(uid, kind, 0, amount).ok()?;
        Some(Share { quotas: Arc::clone(self), uid, kind, amount })
    }

    /// Counts that a limit has refused something.
    pub(crate) fn count(&self, kind: Kind) {
        self.refused[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Whether a user has a quarter of what it may take, or all users half: a process of this user
    /// then gets no more than it needs.
    pub(crate) fn has_much(&self, uid: u32, kind: Kind) -> bool {
        let used = self.lock();
        let (index, user) = (kind as usize, used.users.get(&uid));
        user.is_some_and(|user| user[index] > self.limits.user[index] / 4)
            || used.all[index] > self.limits.all[index] / 2
    }

    /// How much of each kind is taken.
    pub(crate) fn usage(&self) -> impl Iterator<Item = Usage> {
        let all = self.lock().all;
        KINDS.into_iter().map(move |kind| Usage {
            kind,
            used: all[kind as usize],
            limit: self.limits.all[kind as usize],
            refused: self.refused[kind as usize].load(Ordering::Relaxed),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back `before` and takes `amount`; if that is refused, nothing changes.
    fn change(&self, uid: u32, kind: Kind, before: u64, amount: u64) -> Result<(), Exceeded> {
        let index = kind as usize;
        let (user_limit, limit) = (self.limits.user[index], self.limits.all[index]);
        let mut used = self.lock();
        let user = used.users.get(&uid).map_or(0, |user| user[index]);
        let (others, all) = (user - before, used.all[index] - before);
        if amount > before {
            if others.saturating_add(amount) > user_limit {
                return Err(Exceeded::User { uid, kind, limit: user_limit });
            }
            let has_little = others == 0 || others + amount <= limit / LITTLE;
            let room = if has_little { limit } else { limit - limit / 4 };
            if all.saturating_add(amount) > room {
                return Err(Exceeded::All { kind, limit: room });
            }
        }
        used.all[index] = all + amount;
        let user = used.users.entry(uid).or_default();
        user[index] = others + amount;
        if user.iter().all(|amount| *amount == 0) {
            used.users.remove(&uid);
        }
        Ok(())
    }
}

impl Share {
    /// Changes how much it is. To have less is never refused; a refusal is counted and changes
    /// nothing.
    pub(crate) fn resize(&mut self, amount: u64) -> Result<(), Exceeded> {
        if amount != self.amount {
            let changed = self.quotas.change(self.uid, self.kind, self.amount, amount);
            changed.inspect_err(|_| self.quotas.count(self.kind))?;
            self.amount = amount;
        }
        Ok(())
    }

    /// Takes more.
    pub(crate) fn add(&mut self, amount: u64) -> Result<(), Exceeded> {
        self.resize(self.amount.saturating_add(amount))
    }

    pub(crate) fn amount(&self) -> u64 {
        self.amount
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // To have less is never refused.
        let _ = self.quotas.change(self.uid, self.kind, self.amount, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotas(user: u64, all: u64) -> Arc<Quotas> {
        Quotas::new(Limits { user: [user; KINDS.len()], all: [all; KINDS.len()], ..Limits::default() })
    }

    #[test]
    fn a_user_gets_its_limit_and_no_more() {
        let quotas = quotas(10, 1000);
        let mut share = quotas.take(1, Kind::Sessions, 8).expect("there is room");
        assert_eq!(
            quotas.take(1, Kind::Sessions, 3).unwrap_err(),
            Exceeded::User { uid: 1, kind: Kind::Sessions, limit: 10 }
        );
        assert!(quotas.take(1, Kind::Rings, 10).is_ok(), "another kind");
        assert!(quotas.take(2, Kind::Sessions, 10).is_ok(), "another user");
        assert!(share.resize(10).is_ok() && share.resize(11).is_err());
        let refused: Vec<_> = quotas.usage().filter(|it| it.refused > 0).map(|it| (it.kind, it.used)).collect();
        assert_eq!(refused, [(Kind::Sessions, 10)]);
        drop(share);
        assert!(quotas.take(1, Kind::Sessions, 10).is_ok(), "dropping a share gives it back");
        assert!(quotas.lock().users.is_empty());
    }

    #[test]
    fn users_at_their_limits_leave_room_for_the_first_program_of_another() {
        let quotas = quotas(40, 128);
        let mut held = Vec::new();
        for uid in 0..10 {
            while let Ok(share) = quotas.take(uid, Kind::Rings, 4) {
                held.push(share);
            }
        }
        // Three quarters were taken as wanted, the rest four at a time: each user has some.
        let of = |uid| held.iter().filter(|share| share.uid == uid).map(Share::amount).sum::<u64>();
        assert_eq!((of(0), of(1), of(2), of(3), of(9)), (40, 40, 16, 4, 4));
        assert!(quotas.take(10, Kind::Rings, 4).is_ok(), "a newcomer");
        assert_eq!(quotas.take(0, Kind::Sessions, 1).map(|share| share.amount()), Ok(1));
    }
}
