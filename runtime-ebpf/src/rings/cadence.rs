//! How often the main loop looks at the rings, and when not at all.
//!
//! Decides: the time to the next pass, so that the pass finds the fullest ring with room for a
//! burst. A wake-up costs more than to read the records of a millisecond, so gopatchd sleeps as
//! long as the rings allow, and without records until a process rings (`attach::heartbeat`).

use std::time::Duration;

/// Time between two passes when the rings fill fast, and after a process has attached.
const SHORTEST: Duration = Duration::from_millis(1);

/// Longest time between two passes. A ring of the default size then holds 2.6 million records a
/// second without captures.
const LONGEST: Duration = Duration::from_millis(10);

/// How full a pass should find the fullest ring. The rest is room for bursts.
const AIM: f64 = 1.0 / 16.0;

/// The time between passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cadence(Duration);

impl Cadence {
    /// The first interval, before any pass.
    pub(crate) fn start() -> Self {
        Self(SHORTEST)
    }

    /// Adapts to a pass that has found the fullest ring so full, from 0 to 1.
    pub(crate) fn adapt(&mut self, fullness: f64) {
        let aim = if fullness > 0.0 { self.0.mul_f64((AIM / fullness).min(2.0)) } else { self.0 * 2 };
        self.0 = aim.clamp(SHORTEST, LONGEST);
    }

    /// Time to the next pass.
    pub(crate) fn interval(self) -> Duration {
        self.0
    }
}

/// Silence after which processes are told to ring.
const DOZE_AFTER: Duration = Duration::from_millis(100);

/// Silence after which the rings are left alone. By then each running process has read its control
/// page, which it does every 100 ms, and knows that it has to ring; and a thread listens for it.
const SLEEP_AFTER: Duration = Duration::from_millis(300);

/// Whether the main loop looks at the rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// It does, and processes need not ring.
    Awake,
    /// It does, and processes ring.
    Dozing,
    /// Only when a process rings.
    Asleep,
}

impl Rest {
    /// The state after so long without a record.
    pub(crate) fn after(silence: Duration) -> Self {
        if silence < DOZE_AFTER {
            Self::Awake
        } else if silence < SLEEP_AFTER {
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
    fn rings_that_fill_fast_are_drained_often() {
        let mut cadence = Cadence::start();
        for _ in 0..5 {
            cadence.adapt(0.0);
        }
        assert_eq!(cadence.interval(), LONGEST);
        cadence.adapt(1.0 / 160.0);
        assert_eq!(cadence.interval(), LONGEST, "there is room for sixteen times as much");
        cadence.adapt(1.0 / 4.0);
        assert_eq!(cadence.interval(), LONGEST / 4);
        cadence.adapt(1.0);
        assert_eq!(cadence.interval(), SHORTEST);
        cadence.adapt(1.0 / 64.0);
        assert_eq!(cadence.interval(), 2 * SHORTEST, "one lull does not make the interval long at once");
    }
}
