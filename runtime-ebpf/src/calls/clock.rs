//! From time stamps to time.
//!
//! Decides: the rate of the counter that stamps are taken from, and the wall-clock time of its
//! readings.
//! Trusts: that the counter runs at one rate on all CPUs (`invariant TSC`; gopatchd warns if the
//! CPU does not report it), and CLOCK_MONOTONIC, with which others measure the durations that they
//! compare with ours.
//! Never does: trust a time stamp from a process. An impossible stamp gives a wrong time, but no
//! panic.
//!
//! The wall clock (CLOCK_REALTIME) can be set. Durations never depend on it. A start is what the
//! clock shows when the records are processed, less the time that has passed since: after the clock
//! was set, also calls that began before have their start by the new time, as their end has.

use std::arch::x86_64::{__cpuid, _rdtsc};
use std::collections::VecDeque;
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Readings of which the tightest counts. An interruption makes a reading wide.
const READINGS: usize = 16;

/// First time over which the rate is measured. A reading is exact to some 30 ns, so the rate is
/// exact to 3 in a million.
const WARM_UP: Duration = Duration::from_millis(20);

/// If the clocks differ by more since the last reading (and by more than a thousandth), one of them
/// has stopped meanwhile.
const JUMP_NANOS: u64 = 1_000_000;

/// If the wall clock gains or loses more on CLOCK_MONOTONIC, it was set. NTP slews it by a
/// two-thousandth at most.
const SET_NANOS: u64 = 100_000_000;

/// A stamp may be later than the last reading of the clocks, but not by more.
const AHEAD_NANOS: u64 = 1_000_000_000;

/// How often a pair is kept, and how many: the rate is measured over the last minute, so it follows
/// NTP.
const KEEP_EVERY_NANOS: u64 = 1_000_000_000;
const KEPT: usize = 60;

/// One moment on three clocks.
#[derive(Debug, Clone, Copy)]
struct Moment {
    tsc: u64,
    monotonic_nanos: u64,
    unix_nanos: u64,
}

/// A clock that reads time stamps.
#[derive(Debug)]
pub(crate) struct Clock {
    /// The source of the stamps.
    counter: fn() -> u64,
    kept: VecDeque<Moment>,
    now: Moment,
    nanos_per_tick: f64,
}

impl Clock {
    /// Measures the rate of the time stamp counter for a moment.
    pub(crate) fn start() -> Self {
        Self::measure(rdtsc)
    }

    /// The same for stamps of CLOCK_MONOTONIC in nanoseconds, as eBPF programs take them.
    pub(crate) fn start_monotonic() -> Self {
        Self::measure(|| nanos(clock_gettime(ClockId::Monotonic)))
    }

    fn measure(counter: fn() -> u64) -> Self {
        let first = Moment::read(counter);
        std::thread::sleep(WARM_UP);
        Self::from_moments(first, Moment::read(counter), counter)
    }

    fn from_moments(first: Moment, now: Moment, counter: fn() -> u64) -> Self {
        let mut clock = Self { counter, kept: VecDeque::from([first]), now, nanos_per_tick: 1.0 };
        clock.set_rate();
        clock
    }

    /// Reads the clocks again. Returns the counter.
    pub(crate) fn update(&mut self) -> u64 {
        self.advance(Moment::read(self.counter));
        self.now.tsc
    }

    fn advance(&mut self, now: Moment) {
        let expected = self.nanos(now.tsc.saturating_sub(self.now.tsc));
        let passed = now.monotonic_nanos.saturating_sub(self.now.monotonic_nanos);
        if expected.abs_diff(passed) > JUMP_NANOS + passed / 1000 {
            // The machine was suspended or migrated. The rate still holds, the earlier pairs do
            // not.
            self.kept = VecDeque::from([now]);
        }
        if let Some((direction, by)) = self.was_set(&now) {
            tracing::warn!(
                "the system's clock was set {direction} by {:.3} s: times before and after do not compare",
                by.as_secs_f64()
            );
        }
        self.now = now;
        self.set_rate();
        let newest = self.kept.back().expect("never empty");
        if now.monotonic_nanos.saturating_sub(newest.monotonic_nanos) >= KEEP_EVERY_NANOS {
            self.kept.push_back(now);
            if self.kept.len() > KEPT {
                self.kept.pop_front();
            }
        }
    }

    /// Whether, and how, the wall clock was set since the last reading. It also runs on while the
    /// machine is suspended, and CLOCK_MONOTONIC does not.
    fn was_set(&self, now: &Moment) -> Option<(&'static str, Duration)> {
        let passed = now.monotonic_nanos.saturating_sub(self.now.monotonic_nanos);
        let expected = self.now.unix_nanos.saturating_add(passed);
        let by = expected.abs_diff(now.unix_nanos);
        let direction = if now.unix_nanos > expected { "forward" } else { "back" };
        (by > SET_NANOS + passed / 1000).then(|| (direction, Duration::from_nanos(by)))
    }

    fn set_rate(&mut self) {
        let oldest = self.kept.front().expect("never empty");
        let ticks = self.now.tsc.saturating_sub(oldest.tsc);
        let nanos = self.now.monotonic_nanos.saturating_sub(oldest.monotonic_nanos);
        if nanos >= WARM_UP.as_nanos() as u64 && ticks > 0 {
            self.nanos_per_tick = nanos as f64 / ticks as f64;
        }
    }

    /// The wall-clock time of a time stamp. One that is later than it can be gets that of the last
    /// reading.
    pub(crate) fn unix_nanos(&self, tsc: u64) -> u64 {
        if tsc <= self.now.tsc {
            self.now.unix_nanos.saturating_sub(self.nanos(self.now.tsc - tsc))
        } else {
            let ahead = self.nanos(tsc - self.now.tsc);
            self.now.unix_nanos.saturating_add(if ahead > AHEAD_NANOS { 0 } else { ahead })
        }
    }

    /// The length of some ticks. Rounds down: a duration is never longer than the time that passed.
    pub(crate) fn nanos(&self, ticks: u64) -> u64 {
        (ticks as f64 * self.nanos_per_tick) as u64
    }
}

impl Moment {
    fn read(counter: fn() -> u64) -> Self {
        (0..READINGS).map(|_| Self::read_once(counter)).min_by_key(|(width, _)| *width).expect("more than one").1
    }

    fn read_once(counter: fn() -> u64) -> (u64, Self) {
        let before = counter();
        let monotonic = clock_gettime(ClockId::Monotonic);
        let realtime = clock_gettime(ClockId::Realtime);
        let width = counter().wrapping_sub(before);
        let moment = Self {
            tsc: before.wrapping_add(width / 2),
            monotonic_nanos: nanos(monotonic),
            unix_nanos: nanos(realtime),
        };
        (width, moment)
    }
}

/// Whether the CPU reports that its counter runs at one rate in every state.
pub(crate) fn invariant_tsc() -> bool {
    __cpuid(0x8000_0000).eax >= 0x8000_0007 && __cpuid(0x8000_0007).edx & (1 << 8) != 0
}

fn rdtsc() -> u64 {
    // SAFETY: every x86-64 CPU has the instruction. A kernel that forbids it to processes forbids
    // it to patched programs too.
    unsafe { _rdtsc() }
}

fn nanos(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn moment(tsc: u64, monotonic_nanos: u64) -> Moment {
        Moment { tsc, monotonic_nanos, unix_nanos: 1_700_000_000_000_000_000 + monotonic_nanos }
    }

    #[test]
    fn time_stamps_become_wall_clock_time() {
        let mut clock = Clock::from_moments(moment(0, 0), moment(50_000_000, 20_000_000), rdtsc);
        assert_eq!(clock.nanos(2_500), 1_000);
        assert_eq!(clock.unix_nanos(25_000_000), 1_700_000_000_010_000_000);
        assert_eq!(clock.unix_nanos(75_000_000), 1_700_000_000_030_000_000);
        clock.advance(moment(100_000_000, 40_000_000));
        assert_eq!(clock.unix_nanos(25_000_000), 1_700_000_000_010_000_000);
        assert_eq!(clock.unix_nanos(u64::MAX), 1_700_000_000_040_000_000, "no call begins later than now");
    }

    /// A reading after `nanos` at 2.5 GHz, when the wall clock was set by `offset_nanos`.
    fn set(nanos: u64, offset_nanos: i64) -> Moment {
        let Moment { tsc, monotonic_nanos, unix_nanos } = moment(nanos / 2 * 5, nanos);
        Moment { tsc, monotonic_nanos, unix_nanos: unix_nanos.saturating_add_signed(offset_nanos) }
    }

    #[test]
    fn times_follow_a_clock_that_is_set_and_durations_do_not() {
        const SECOND: u64 = 1_000_000_000;
        const HOUR: i64 = 3_600 * SECOND as i64;
        for offset in [HOUR, -HOUR, 24 * HOUR, -24 * HOUR] {
            let mut clock = Clock::from_moments(set(0, 0), set(SECOND, 0), rdtsc);
            // A call that is open while the clock is set, for three seconds.
            let (began, ended) = (set(SECOND / 2, 0).tsc, set(7 * SECOND / 2, 0).tsc);
            let (direction, by) = clock.was_set(&set(2 * SECOND, offset)).expect("it was set");
            assert_eq!(direction, if offset > 0 { "forward" } else { "back" });
            assert_eq!(by, Duration::from_nanos(offset.unsigned_abs()));
            for second in 2..=4 {
                clock.advance(set(second * SECOND, offset));
                assert!(clock.was_set(&set((second + 1) * SECOND, offset)).is_none());
                assert_eq!(clock.nanos(ended - began), 3 * SECOND);
                let expected = set(second * SECOND, offset).unix_nanos.saturating_sub(second * SECOND - SECOND / 2);
                assert_eq!(clock.unix_nanos(began), expected, "by the new time");
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_to_1970_gives_no_times_before() {
        let mut clock = Clock::from_moments(set(0, 0), set(1_000_000_000, 0), rdtsc);
        clock.advance(Moment { unix_nanos: 5, ..set(2_000_000_000, 0) });
        assert_eq!((clock.unix_nanos(0), clock.unix_nanos(u64::MAX)), (0, 5));
    }

    #[test]
    fn a_slewed_clock_was_not_set() {
        let clock = Clock::from_moments(set(0, 0), set(1_000_000_000, 0), rdtsc);
        for offset in [-50_000_000, 50_000_000] {
            assert_eq!(clock.was_set(&set(101_000_000_000, offset)), None);
        }
    }

    #[test]
    fn the_rate_follows_a_slewed_clock() {
        let mut clock = Clock::from_moments(moment(0, 0), moment(2_500_000_000, 1_000_000_000), rdtsc);
        for second in 2..200 {
            clock.advance(moment(second * 2_500_000_000, second * 1_000_500_000));
        }
        assert_eq!(clock.nanos(2_500_000_000), 1_000_500_000);
    }

    #[test]
    fn the_rate_survives_a_suspended_machine() {
        let mut clock = Clock::from_moments(moment(0, 0), moment(2_500_000_000, 1_000_000_000), rdtsc);
        clock.advance(moment(9_000_000_000_000, 1_000_001_000));
        clock.advance(moment(9_002_500_000_000, 2_000_001_000));
        assert_eq!(clock.nanos(2_500_000_000), 1_000_000_000);
        clock.advance(moment(1_000, 2_000_002_000));
        clock.advance(moment(2_500_001_000, 3_000_002_000));
        assert_eq!(clock.nanos(2_500_000_000), 1_000_000_000);
    }

    #[test]
    fn the_rate_is_exact_to_one_in_a_hundred_thousand() {
        let mut clock = Clock::start();
        let begin = Moment::read(rdtsc);
        std::thread::sleep(Duration::from_millis(300));
        let end = Moment::read(rdtsc);
        let (real, ours) = (end.monotonic_nanos - begin.monotonic_nanos, clock.nanos(end.tsc - begin.tsc));
        let (real, ours) = (real as f64, ours as f64);
        assert!((ours / real - 1.0).abs() < 1e-5, "{ours} ns for {real} ns");
        clock.update();
    }
}
