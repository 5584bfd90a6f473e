//! What a process can have lost, whatever it claims.
//!
//! Decides: how much of a claim is counted with the losses of all processes. The rest is counted
//! apart, so that no process can spoil the sums.
//! Trusts: nothing: the counters are in memory that the process writes.

use std::time::Instant;

/// No hook runs more often than this, in a second and on one P: it takes 10 ns at least.
const HOOKS_PER_SECOND: u64 = 100_000_000;

/// Bytes of the shortest record in a ring, with its header.
const SHORTEST_RECORD: u64 = 40;

/// The most that rings of so many bytes can have held.
pub(crate) fn most_held(ring_memory: u64) -> u64 {
    ring_memory / SHORTEST_RECORD
}

/// What the rings of a session can have lost until now.
#[derive(Debug)]
pub(crate) struct Claims {
    began: Instant,
    rings: u64,
    accepted: u64,
}

impl Claims {
    pub(crate) fn new(rings: usize) -> Self {
        Self { began: Instant::now(), rings: rings as u64, accepted: 0 }
    }

    /// How many of so many records can be true. Zero costs nothing.
    pub(crate) fn accept(&mut self, count: u64) -> u64 {
        if count == 0 {
            return 0;
        }
        let seconds = self.began.elapsed().as_secs() + 1;
        let most = seconds.saturating_mul(HOOKS_PER_SECOND).saturating_mul(self.rings);
        let accepted = count.min(most.saturating_sub(self.accepted));
        self.accepted += accepted;
        accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_bounded_by_the_time_and_the_rings() {
        let mut claims = Claims::new(2);
        assert_eq!(claims.accept(1000), 1000);
        let most = claims.accept(u64::MAX);
        assert!((HOOKS_PER_SECOND..100 * HOOKS_PER_SECOND).contains(&most), "{most}");
        assert!(claims.accept(u64::MAX) < 100 * HOOKS_PER_SECOND, "not once more");
        assert_eq!(most_held(8 << 20), 209_715);
    }
}
