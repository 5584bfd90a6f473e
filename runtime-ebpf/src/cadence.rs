//! How often rings are looked at.
//!
//! Decides: the time to the next pass, so that it finds the fullest ring with room for a burst. To wake up costs more than to
//! read what a thousandth of a second leaves, so gopatchd sleeps as long as the rings bear.
//! Trusts: its caller's account of what a pass has found. Never does: sleep.

use std::time::Duration;

/// Time between two passes when the rings fill fast, and after somebody has come.
const SHORTEST: Duration = Duration::from_millis(1);

/// Longest time between two passes: a ring of the default size then holds 2.6 million records a second without captures.
const LONGEST: Duration = Duration::from_millis(10);

/// How full a pass should find the fullest ring. The rest is for bursts.
const AIM: f64 = 1.0 / 16.0;

/// The time between passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cadence(Duration);

impl Cadence {
    /// Nothing is known yet.
    pub(crate) fn start() -> Self {
        Self(SHORTEST)
    }

    /// A pass has found the fullest ring so full, from 0 to 1.
    pub(crate) fn found(&mut self, fullness: f64) {
        let aim = if fullness > 0.0 { self.0.mul_f64((AIM / fullness).min(2.0)) } else { self.0 * 2 };
        self.0 = aim.clamp(SHORTEST, LONGEST);
    }

    /// Time to the next pass.
    pub(crate) fn interval(self) -> Duration {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_that_fill_fast_are_looked_at_often() {
        let mut cadence = Cadence::start();
        for _ in 0..5 {
            cadence.found(0.0);
        }
        assert_eq!(cadence.interval(), LONGEST);
        cadence.found(1.0 / 160.0);
        assert_eq!(cadence.interval(), LONGEST, "there is room for sixteen times as much");
        cadence.found(1.0 / 4.0);
        assert_eq!(cadence.interval(), LONGEST / 4);
        cadence.found(1.0);
        assert_eq!(cadence.interval(), SHORTEST);
        cadence.found(1.0 / 64.0);
        assert_eq!(cadence.interval(), 2 * SHORTEST, "a lull does not make it sleep long at once");
    }
}
