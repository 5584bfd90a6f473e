//! What a process is doing, for clients that watch it.
//!
//! Decides: how many names are counted separately, and how exactly durations are.
//! Trusts: nothing in the names. A process that keeps making up names has them counted together.
//! Never does: anything while no client watches.

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::histogram::index;
use crate::calls::operation::Operation;
use crate::control::api::DURATION_SCALE;

/// Most names of operations that are counted separately for a process.
const NAMES: usize = 500;

/// The name for operations beyond that.
const OTHERS: &str = "(others)";

/// The operations of a process since a client began to watch.
#[derive(Debug, Default)]
pub(crate) struct Activity(HashMap<String, NameCounts, RandomState>);

/// Operations of one name.
#[derive(Debug, Default)]
pub(crate) struct NameCounts {
    pub(crate) rule: String,
    pub(crate) count: u64,
    pub(crate) errors: u64,
    /// Counts of durations in nanoseconds, by bucket.
    pub(crate) durations: BTreeMap<i32, u64>,
}

impl Activity {
    /// Counts an operation.
    pub(crate) fn add(&mut self, operation: &Operation<'_>, is_error: bool) {
        if operation.unfinished {
            return;
        }
        let is_room = self.0.len() < NAMES || self.0.contains_key(operation.name.as_ref());
        let name = if is_room { operation.name.as_ref() } else { OTHERS };
        let named = self.0.entry_ref(name).or_default();
        if named.rule.is_empty() && is_room {
            operation.rule.clone_into(&mut named.rule);
        }
        let weight = operation.sample.map_or(1, |ratio| (1.0 / f64::from(ratio)).round() as u64);
        named.count += weight;
        named.errors += if is_error { weight } else { 0 };
        *named.durations.entry(index(operation.duration_nano.max(1) as f64, DURATION_SCALE)).or_default() += weight;
    }

    /// Names and their counts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &NameCounts)> {
        self.0.iter().map(|(name, named)| (name.as_str(), named))
    }
}
