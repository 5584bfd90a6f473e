//! How one turn of the main loop is divided among users.
//!
//! Decides: how long the programs of one user may be served in a turn, which is the same for each
//! user. Those that it does not get to are the first in the next turn (deficit round robin, by time:
//! a record may cost little or much).
//!
//! So what the programs of one user write costs those of others one share of a turn, and what no
//! session can stop in the middle: to put the records of one pass in order (`session::PASS_RECORDS`).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use crate::quota::table::WAITING_OF_ALL;

/// Of each user. A ring of the default size takes much longer to become full.
const SHARE: Duration = Duration::from_millis(5);

/// Most bytes of records that are read and not processed yet, of a user.
const WAITING_OF_USER: usize = 64 << 20;

/// What users have used of a turn.
#[derive(Debug)]
pub(crate) struct Turn {
    users: HashMap<u32, Used, RandomState>,
    /// Of all.
    waiting: usize,
    now: Instant,
}

#[derive(Debug, Default)]
struct Used {
    time: Duration,
    /// Bytes of records that are read and not processed yet.
    waiting: usize,
}

/// What a session may do now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    /// It stops soon after that.
    pub(crate) until: Instant,
    /// About so many bytes it may read in one pass.
    pub(crate) bytes: usize,
}

impl Allowance {
    pub(crate) fn until(until: Instant) -> Self {
        Self { until, bytes: usize::MAX }
    }
}

impl Turn {
    /// Begins a turn. `waiting` are the bytes of records that were read and not processed, with
    /// their users.
    pub(crate) fn begin(waiting: impl Iterator<Item = (u32, usize)>) -> Self {
        let mut turn = Self { users: HashMap::default(), waiting: 0, now: Instant::now() };
        for (uid, bytes) in waiting {
            turn.users.entry(uid).or_default().waiting += bytes;
            turn.waiting += bytes;
        }
        turn
    }

    /// What a session of a user may do now. `None` if its user has used its share.
    pub(crate) fn allowance(&self, uid: u32) -> Option<Allowance> {
        let nothing = Used::default();
        let Used { time, waiting } = self.users.get(&uid).unwrap_or(&nothing);
        let left = SHARE.checked_sub(*time).filter(|left| !left.is_zero())?;
        let bytes = WAITING_OF_USER.saturating_sub(*waiting).min(WAITING_OF_ALL.saturating_sub(self.waiting));
        Some(Allowance { until: self.now + left, bytes })
    }

    /// A session of a user was served since the last call.
    pub(crate) fn served(&mut self, uid: u32) {
        let now = Instant::now();
        self.users.entry(uid).or_default().time += now - self.now;
        self.now = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_a_share_of_its_own() {
        let waiting = [(1, 10), (1, WAITING_OF_USER)];
        let mut turn = Turn::begin(waiting.into_iter());
        assert!(turn.allowance(1).is_some_and(|allowance| allowance.bytes == 0));
        std::thread::sleep(SHARE);
        turn.served(1);
        assert!(turn.allowance(1).is_none());
        let other = turn.allowance(2).expect("another user");
        assert!(other.until > turn.now && other.bytes == WAITING_OF_USER);
        assert!(Turn::begin(waiting.into_iter()).allowance(1).is_some(), "in the next turn");
    }
}
