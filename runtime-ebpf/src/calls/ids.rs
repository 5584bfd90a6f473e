//! The ids of operations: of the trace, of the span and of its parent.
//!
//! Decides: ids. Those that the process has made come with the record of the entry. Other calls, of
//! programs or functions without trace contexts, get hashes of their place and time, so that child
//! calls know the id of their parent before it has ended.
//! Trusts: nothing. If the records of a process make two calls look like one, both get the same id,
//! in its own traces only.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use gopatch_protocol::wire::TraceContext;
use gopatch_protocol::wire::context::By;
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
    /// Whether the parent is in another process.
    #[serde(rename = "remote_parent", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_remote: bool,
    /// Whether its trace is sampled, if that was decided in the process.
    #[serde(skip)]
    pub(crate) is_sampled: Option<bool>,
}

impl Lineage {
    /// The ids of a call without a parent in another process.
    #[cfg(test)]
    pub(crate) fn local(trace: u128, span: u64, parent: Option<u64>) -> Self {
        Self {
            trace: TraceId(trace),
            span: SpanId(span),
            parent: parent.map(SpanId),
            is_remote: false,
            is_sampled: None,
        }
    }
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

    /// The ids of a call, from what its record has of them, its place and time, and its ancestors.
    pub(crate) fn lineage(
        &self,
        call: (Place, u64),
        ancestors: Option<Ancestors>,
        context: Option<TraceContext>,
    ) -> Lineage {
        let parent_of = |ancestors: &Ancestors| {
            let known = ancestors.parent_ids.map(|ids| SpanId(ids.span));
            known.unwrap_or_else(|| self.span(&ancestors.parent))
        };
        if let Some(context) = context {
            // A call whose ids are hashes may lie between this one and the parent that the process
            // knows.
            let is_between = |it: &Ancestors| {
                it.parent_ids.is_none() && it.nearest_ids.is_some_and(|ids| ids.trace == context.trace)
            };
            let between = ancestors.as_ref().filter(|it| is_between(it)).map(parent_of);
            return Lineage {
                trace: TraceId(context.trace),
                span: SpanId(context.span),
                parent: between.or(context.parent.map(SpanId)),
                is_remote: between.is_none() && context.by == By::Header,
                is_sampled: Some(context.flags & 1 == 1),
            };
        }
        let root = ancestors.as_ref().map_or(&call, |ancestors| &ancestors.root);
        let trace = ancestors.as_ref().and_then(|it| it.nearest_ids).map_or_else(
            || {
                let [upper, lower] = [&self.upper, &self.lower].map(|half| u128::from(half.hash_one((TRACE, root))));
                (upper << 64 | lower).max(1)
            },
            |ids| ids.trace,
        );
        let parent = ancestors.as_ref().map(parent_of);
        let is_sampled = ancestors.as_ref().and_then(|it| it.nearest_ids).map(|ids| ids.is_sampled);
        Lineage { trace: TraceId(trace), span: self.span(&call), parent, is_remote: false, is_sampled }
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
    use crate::calls::pairing::SpanIds;

    #[test]
    fn child_calls_have_the_ids_of_their_ancestors() {
        let ids = Ids::new();
        let call = |frame, tsc| (Place { goid: 7, frame, function: 1 }, tsc);
        let ancestors = |parent, root| Ancestors { parent, root, parent_ids: None, nearest_ids: None };
        let (root, child, grandchild) = (call(100, 10), call(200, 20), call(300, 30));
        let root_lineage = ids.lineage(root, None, None);
        let child_lineage = ids.lineage(child, Some(ancestors(root, root)), None);
        let grandchild_lineage = ids.lineage(grandchild, Some(ancestors(child, root)), None);
        assert_eq!(root_lineage.parent, None);
        assert_eq!(child_lineage.parent, Some(root_lineage.span));
        assert_eq!(grandchild_lineage.parent, Some(child_lineage.span));
        assert_eq!([child_lineage.trace, grandchild_lineage.trace], [root_lineage.trace; 2]);
        assert_ne!(ids.lineage(call(100, 11), None, None).trace, root_lineage.trace, "a later call of the same place");
        assert_ne!(Ids::new().lineage(root, None, None).trace, root_lineage.trace, "another session");
    }

    #[test]
    fn ids_of_the_process_are_used_and_calls_without_them_take_its_trace() {
        let ids = Ids::new();
        let call = |frame, tsc| (Place { goid: 7, frame, function: 1 }, tsc);
        let (server, middle, client) = (call(100, 10), call(200, 20), call(300, 30));
        let context = |span, parent, by| TraceContext { trace: 0xabc, span, parent, flags: 1, by };
        let served = ids.lineage(server, None, Some(context(0x11, Some(0x99), By::Header)));
        assert_eq!((served.trace, served.span, served.parent), (TraceId(0xabc), SpanId(0x11), Some(SpanId(0x99))));
        assert!(served.is_remote);
        let known = Some(SpanIds { trace: 0xabc, span: 0x11, is_sampled: true });
        let below_server = Ancestors { parent: server, root: server, parent_ids: known, nearest_ids: known };
        let between = ids.lineage(middle, Some(below_server), None);
        assert_eq!((between.trace, between.parent), (TraceId(0xabc), Some(SpanId(0x11))));
        let below_middle = Ancestors { parent: middle, root: server, parent_ids: None, nearest_ids: known };
        let sent = ids.lineage(client, Some(below_middle), Some(context(0x22, Some(0x11), By::Goroutine)));
        assert_eq!((sent.span, sent.parent, sent.is_remote), (SpanId(0x22), Some(between.span), false));
        let other =
            Ancestors { nearest_ids: Some(SpanIds { trace: 0xdef, span: 1, is_sampled: true }), ..below_middle };
        let elsewhere = ids.lineage(client, Some(other), Some(context(0x22, Some(0x11), By::Context)));
        assert_eq!(elsewhere.parent, Some(SpanId(0x11)), "the calls around it are of another trace");
    }
}
