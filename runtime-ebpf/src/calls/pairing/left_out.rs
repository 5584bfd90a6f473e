//! Calls that turned out to be no operations: their exits are still to come.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Calls by goroutine, each by its frame and function.
#[derive(Debug, Default)]
pub(super) struct LeftOut(HashMap<u64, Vec<(u32, u32)>, RandomState>);

impl LeftOut {
    /// Keeps a call of one of at most `most` goroutines. A panic may leave a call without an exit, so
    /// with more than that many all others are forgotten.
    pub(super) fn add(&mut self, goid: u64, call: (u32, u32), most: usize) {
        if self.0.len() >= most {
            self.0.clear();
        }
        self.0.entry(goid).or_default().push(call);
    }

    /// Whether a call that is over was kept; it no longer is.
    pub(super) fn take(&mut self, goid: u64, call: (u32, u32)) -> bool {
        let Some(calls) = self.0.get_mut(&goid) else { return false };
        let known = calls.iter().rposition(|known| *known == call).map(|index| calls.remove(index));
        if calls.is_empty() {
            self.0.remove(&goid);
        }
        known.is_some()
    }

    /// Forgets a goroutine's calls at `frame` or deeper.
    pub(super) fn forget_from(&mut self, goid: u64, frame: u32) {
        let Some(calls) = self.0.get_mut(&goid) else { return };
        calls.retain(|(known, _)| *known < frame);
        if calls.is_empty() {
            self.0.remove(&goid);
        }
    }
}
