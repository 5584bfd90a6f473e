//! What gopatchd has seen and what it has missed.
//!
//! Decides: the causes by which losses are told apart. Nothing is lost without being counted here.
//! Trusts: its callers.
//! Never does: I/O.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Totals over all sessions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Operations made of records.
    pub(crate) operations: u64,
    /// Of these, how many were not printed, as standard output was not read fast enough.
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
    /// Exits whose entry was never seen: their calls began before the session, or the entry was lost.
    pub(crate) unpaired_exits: u64,
    /// Open calls given up because one process had too many.
    pub(crate) evicted_calls: u64,
    /// Exits that came without the words their entry had kept for them; and calls of rules with a condition or a sample
    /// that were not recorded, as there was no place for such words.
    pub(crate) words_missing: u64,
    /// Rings given up because what they held was no ring.
    pub(crate) broken_rings: u64,
}

/// Records lost, by cause.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Lost {
    /// All of the following.
    pub(crate) total: u64,
    /// Their ring was full.
    pub(crate) ring_full: u64,
    /// In rings of an earlier gopatchd that nobody drained, by the process's own count.
    pub(crate) unconsumed: u64,
    /// Drained by an earlier gopatchd that was killed before it read them.
    pub(crate) left_by_earlier: u64,
    /// The output ring was full.
    pub(crate) output_full: u64,
    /// Did not fit their size or their point.
    pub(crate) malformed: u64,
}

impl Summary {
    /// Sums up.
    pub(crate) fn total(mut self) -> Self {
        self.lost.total = self.lost.sum();
        self
    }
}

impl Lost {
    /// All causes together.
    pub(crate) fn sum(&self) -> u64 {
        let causes = [self.ring_full, self.unconsumed, self.left_by_earlier, self.output_full, self.malformed];
        causes.into_iter().fold(0, u64::saturating_add)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operations: {}, records: {}, sessions: {}, ", self.operations, self.records, self.sessions)?;
        write!(f, "records lost: {}", self.lost.total)?;
        for (count, what) in [
            (self.lost.ring_full, "found their ring full"),
            (self.lost.unconsumed, "stayed in rings of an earlier gopatchd"),
            (self.lost.left_by_earlier, "were drained by an earlier gopatchd and not read"),
            (self.lost.output_full, "found the output ring full"),
            (self.lost.malformed, "were malformed"),
            (self.unprinted, "operations were not printed, as nobody took them"),
            (self.unpaired_exits, "exits had no entry"),
            (self.evicted_calls, "open calls were given up"),
            (self.words_missing, "calls were without what their entry leaves for the exit"),
            (self.broken_rings, "rings were broken"),
            (self.refused, "hellos were refused"),
        ] {
            if count > 0 {
                write!(f, "\n  {count:>10} {what}")?;
            }
        }
        Ok(())
    }
}
