//! The ids of operations: of the trace, of the span and of its parent.
//!
//! Decides: ids. They are hashes of the place and time of a call, so that its child calls know its
//! id before it has ended.
//! Trusts: nothing. If the records of a process make two calls look like one, both get the same id,
//! in its own traces only.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use serde::{Serialize, Serializer};

use super::pairing::{Ancestors, Place};

/// A trace's id: 16 bytes, not all 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TraceId(pub(crate) u128);

/// A span's id: 8 bytes, not all 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SpanId(pub(crate) u64);

/// An operation's ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Lineage {
    #[serde(rename = "trace_id")]
    pub(crate) trace: TraceId,
    #[serde(rename = "span_id")]
    pub(crate) span: SpanId,
    #[serde(rename = "parent_span_id", skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<SpanId>,
}

/// Keeps the id of a trace different from that of its first span.
const TRACE: u8 = 0;
const SPAN: u8 = 1;

/// Makes the ids of the calls of one session. Each session hashes with its own random keys.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    upper: RandomState,
    lower: RandomState,
}

impl Ids {
    pub(crate) fn new() -> Self {
        Self { upper: RandomState::default(), lower: RandomState::default() }
    }

    /// The ids of a call, from its place and time and from its ancestors.
    pub(crate) fn lineage(&self, call: (Place, u64), ancestors: Option<Ancestors>) -> Lineage {
        let root = ancestors.as_ref().map_or(&call, |ancestors| &ancestors.root);
        let upper = self.upper.hash_one((TRACE, root));
        let lower = self.lower.hash_one((TRACE, root));
        Lineage {
            trace: TraceId((u128::from(upper) << 64 | u128::from(lower)).max(1)),
            span: self.span(&call),
            parent: ancestors.as_ref().map(|ancestors| self.span(&ancestors.parent)),
        }
    }

    fn span(&self, call: &(Place, u64)) -> SpanId {
        SpanId(self.lower.hash_one((SPAN, call)).max(1))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for SpanId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn child_calls_have_the_ids_of_their_ancestors() {
        let ids = Ids::new();
        let call = |frame, tsc| (Place { goid: 7, frame, function: 1 }, tsc);
        let (root, child, grandchild) = (call(100, 10), call(200, 20), call(300, 30));
        let root_lineage = ids.lineage(root, None);
        let child_lineage = ids.lineage(child, Some(Ancestors { parent: root, root }));
        let grandchild_lineage = ids.lineage(grandchild, Some(Ancestors { parent: child, root }));
        assert_eq!(root_lineage.parent, None);
        assert_eq!(child_lineage.parent, Some(root_lineage.span));
        assert_eq!(grandchild_lineage.parent, Some(child_lineage.span));
        assert_eq!([child_lineage.trace, grandchild_lineage.trace], [root_lineage.trace; 2]);
        assert_ne!(ids.lineage(call(100, 11), None).trace, root_lineage.trace, "a later call of the same place");
        assert_ne!(Ids::new().lineage(root, None).trace, root_lineage.trace, "another session");
    }
}
