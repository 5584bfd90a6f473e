//! What a process counts of trace contexts.

use std::time::{Duration, Instant};

use crate::rings::{Contexts, Rings};
use crate::summary::Summary;

/// How often it is read. Nothing depends on it, so that is not at every pass.
const COUNT_EVERY: Duration = Duration::from_millis(100);

/// What the process had counted when that was last read.
pub(super) struct ContextCounts {
    counted: Contexts,
    at: Instant,
}

impl ContextCounts {
    /// Whatever was counted before belongs to an earlier session.
    pub(super) fn new(rings: &dyn Rings) -> Self {
        Self { counted: rings.contexts(), at: Instant::now() }
    }

    /// Counts what is new, if that was not done a moment ago.
    pub(super) fn count(&mut self, rings: &dyn Rings, summary: &mut Summary) {
        if self.at.elapsed() >= COUNT_EVERY {
            self.count_now(rings, summary);
        }
    }

    /// Counts what is new.
    pub(super) fn count_now(&mut self, rings: &dyn Rings, summary: &mut Summary) {
        let counted = rings.contexts();
        for (sum, count) in summary.contexts.iter_mut().zip(counted.since(self.counted).0) {
            *sum = sum.saturating_add(count);
        }
        *self = Self { counted, at: Instant::now() };
    }
}
