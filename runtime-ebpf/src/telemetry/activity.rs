//! What a process does just now, for who watches it.
//!
//! Decides: how many names are told apart, and how exactly durations are.
//! Trusts: nothing in the names: a process that makes up ever new ones has them counted together.
//! Never does: anything while nobody watches.

use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::histogram::index;
use crate::calls::operation::Operation;
use crate::control::api::DURATION_SCALE;

/// Most names of a process.
const NAMES: usize = 500;

/// What is counted under names that are too many.
const OTHERS: &str = "(others)";

/// The operations of a process since somebody began to watch.
#[derive(Debug, Default)]
pub(crate) struct Activity(HashMap<String, Named, RandomState>);

/// Operations of one name.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) rule: String,
    pub(crate) count: u64,
    pub(crate) errors: u64,
    /// How many durations in nanoseconds fell into which bucket.
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

    /// Names and what was counted under them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Named)> {
        self.0.iter().map(|(name, named)| (name.as_str(), named))
    }
}
