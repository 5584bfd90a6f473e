//! Losses of one process that were not logged yet.
//!
//! Decides: how often they are logged.

use std::time::{Duration, Instant};

/// How often the losses of one process are logged.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// How many of each kind, since they were logged last.
#[derive(Debug, Default)]
pub(super) struct Unlogged {
    pub(super) ring_full: u64,
    pub(super) slot_busy: u64,
    pub(super) output_full: u64,
    pub(super) malformed: u64,
    pub(super) words_missing: u64,
    logged_at: Option<Instant>,
}

impl Unlogged {
    /// When they are to be logged. `None` if there are none.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let counts = [self.ring_full, self.slot_busy, self.output_full, self.malformed, self.words_missing];
        let is_any = counts.iter().any(|count| *count > 0);
        self.logged_at.filter(|_| is_any).map(|logged_at| logged_at + LOG_EVERY)
    }

    /// Logs them, unless some were logged a moment ago.
    pub(super) fn log(&mut self, pid: u32) {
        if self.logged_at.is_some_and(|logged_at| logged_at.elapsed() < LOG_EVERY) {
            return;
        }
        self.log_now(pid);
    }

    /// Logs them.
    pub(super) fn log_now(&mut self, pid: u32) {
        let unlogged = std::mem::take(self);
        for (count, what) in [
            (unlogged.ring_full, "records lost: their ring was full (see --ring-bytes)"),
            (unlogged.slot_busy, "records lost: their hook interrupted another hook"),
            (unlogged.output_full, "records lost: the output ring was full"),
            (unlogged.malformed, "records lost: they were malformed"),
            (unlogged.words_missing, "exits recorded without the values saved at entry"),
        ] {
            if count > 0 {
                tracing::warn!("pid {pid}: {count} {what}");
                self.logged_at = Some(Instant::now());
            }
        }
    }
}
