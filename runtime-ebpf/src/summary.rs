//! What gopatchd has seen and what it has missed.
//!
//! Decides: the causes by which losses are counted. Nothing is lost without being counted here.

use std::fmt;

use gopatch_protocol::wire::context::Event;
use serde::{Deserialize, Serialize};

/// Totals over all sessions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Operations made of records.
    pub(crate) operations: u64,
    /// Operations not printed because standard output was not read fast enough.
    #[serde(default)]
    pub(crate) unprinted: u64,
    /// Records received and understood.
    pub(crate) records: u64,
    /// Sessions granted.
    pub(crate) sessions: u64,
    /// Hellos refused.
    pub(crate) refused: u64,
    /// Records lost.
    pub(crate) lost: Lost,
    /// Exits without an entry: their calls began before the session, or the entry was lost.
    pub(crate) unpaired_exits: u64,
    /// Open calls given up because their process had too many.
    pub(crate) evicted_calls: u64,
    /// Exits recorded without the values saved at entry; and calls of rules with a condition or a
    /// sample that were not recorded, because there was no room for such values.
    pub(crate) words_missing: u64,
    /// Rings given up because their content was invalid.
    pub(crate) broken_rings: u64,
    /// What became of trace contexts, by [`Event`].
    #[serde(default)]
    pub(crate) contexts: [u64; Event::ALL.len()],
    /// Losses that processes have claimed and cannot have had. They are in no other count.
    #[serde(default)]
    pub(crate) unproven_losses: u64,
}

/// Records lost, by cause.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Lost {
    /// All of the following.
    pub(crate) total: u64,
    /// Their ring was full.
    pub(crate) ring_full: u64,
    /// Left in rings of an earlier gopatchd and never drained, by the count of the process.
    pub(crate) unconsumed: u64,
    /// Drained by an earlier gopatchd that was killed before it read them.
    pub(crate) left_by_earlier: u64,
    /// Their hook ran in a signal handler, in the middle of another hook.
    #[serde(default)]
    pub(crate) slot_busy: u64,
    /// The output ring was full.
    pub(crate) output_full: u64,
    /// Did not match their size or their point.
    pub(crate) malformed: u64,
}

impl Summary {
    /// Fills in the total.
    pub(crate) fn total(mut self) -> Self {
        self.lost.total = self.lost.sum();
        self
    }
}

impl Lost {
    /// All causes together.
    pub(crate) fn sum(&self) -> u64 {
        let Self { total: _, ring_full, unconsumed, left_by_earlier, slot_busy, output_full, malformed } = *self;
        let causes = [ring_full, unconsumed, left_by_earlier, slot_busy, output_full, malformed];
        causes.into_iter().fold(0, u64::saturating_add)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operations: {}, records: {}, sessions: {}, ", self.operations, self.records, self.sessions)?;
        write!(f, "records lost: {}", self.lost.total)?;
        for (count, what) in [
            (self.lost.ring_full, "records lost: their ring was full"),
            (self.lost.unconsumed, "records lost: left in rings of an earlier gopatchd"),
            (self.lost.left_by_earlier, "records lost: drained by an earlier gopatchd and not read"),
            (self.lost.slot_busy, "records lost: their hook interrupted another hook"),
            (self.lost.output_full, "records lost: the output ring was full"),
            (self.lost.malformed, "records lost: they were malformed"),
            (self.unprinted, "operations were not printed: the output was not read"),
            (self.unpaired_exits, "exits had no entry"),
            (self.evicted_calls, "open calls were given up"),
            (self.words_missing, "exits recorded without the values saved at entry"),
            (self.broken_rings, "rings were given up: their content was invalid"),
            (self.unproven_losses, "losses were claimed by processes that cannot have had them"),
            (self.refused, "hellos were refused"),
        ] {
            if count > 0 {
                write!(f, "\n  {count:>10} {what}")?;
            }
        }
        if self.contexts.iter().any(|count| *count > 0) {
            f.write_str("\n  contexts:")?;
            for (event, count) in Event::ALL.into_iter().zip(self.contexts).filter(|(_, count)| *count > 0) {
                write!(f, " {count} {}", event.name().replace('_', " "))?;
            }
        }
        Ok(())
    }
}
