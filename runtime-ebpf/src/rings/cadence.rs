//! How often rings are looked at, and when not at all.
//!
//! Decides: the time to the next pass, so that it finds the fullest ring with room for a burst. To wake up costs more than to
//! read what a thousandth of a second leaves, so gopatchd sleeps as long as the rings bear, and when nothing comes, until somebody
//! rings (`attach::heartbeat`).
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

/// How long nothing was found when processes are asked to ring.
const DOZES: Duration = Duration::from_millis(100);

/// How long nothing was found when the rings are left alone. Until then each process that runs has looked at its control page,
/// which it does every 100 ms, and knows that it has to ring; and some thread listens for it.
const SLEEPS: Duration = Duration::from_millis(300);

/// Whether rings are worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// They are looked at.
    Awake,
    /// They are looked at, and processes ring.
    Dozing,
    /// They are looked at when somebody rings.
    Asleep,
}

impl Rest {
    /// When nothing was found for so long.
    pub(crate) fn after(silence: Duration) -> Self {
        if silence < DOZES {
            Self::Awake
        } else if silence < SLEEPS {
            Self::Dozing
        } else {
            Self::Asleep
        }
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
