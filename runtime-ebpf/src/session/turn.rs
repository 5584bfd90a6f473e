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

/// Of each user. A ring of the default size takes much longer to become full.
const SHARE: Duration = Duration::from_millis(5);

/// What users have used of a turn.
#[derive(Debug)]
pub(crate) struct Turn {
    used: HashMap<u32, Duration, RandomState>,
    now: Instant,
}

impl Turn {
    pub(crate) fn begin() -> Self {
        Self { used: HashMap::default(), now: Instant::now() }
    }

    /// Until when a session of a user may be served now. `None` if its user has used its share.
    pub(crate) fn until(&self, uid: u32) -> Option<Instant> {
        let left = SHARE.checked_sub(self.used.get(&uid).copied().unwrap_or_default())?;
        (!left.is_zero()).then(|| self.now + left)
    }

    /// A session of a user was served since the last call.
    pub(crate) fn served(&mut self, uid: u32) {
        let now = Instant::now();
        *self.used.entry(uid).or_default() += now - self.now;
        self.now = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_a_share_of_its_own() {
        let mut turn = Turn::begin();
        assert!(turn.until(1).is_some());
        std::thread::sleep(SHARE);
        turn.served(1);
        assert!(turn.until(1).is_none());
        assert!(turn.until(2).is_some_and(|until| until > turn.now));
        assert!(Turn::begin().until(1).is_some(), "in the next turn");
    }
}
