//! Whether the spans of a chain are the trees that its requests are.
//!
//! Every call of a chain has a number that says where it belongs: call `17.0.2` is the third of the
//! handler of call `17.0`. So the expected parent of each span is known without a look at any id.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Received;
use crate::Operation;
use crate::otelcol::Span;

/// Which end of a call a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The caller's.
    Client,
    /// The handler's.
    Server,
}

/// The span of one end of a call.
#[derive(Debug)]
pub struct Node {
    end: End,
    shape: String,
    number: String,
    trace: String,
    span: String,
    parent: String,
    parent_by: String,
    /// Everything, for messages.
    details: String,
}

/// What the parent of a client's span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lineage {
    /// The request whose context it was given.
    Context,
    /// The request on its goroutine.
    Goroutine,
    /// The request of a goroutine that started its own, directly or by way of others.
    Spawn,
    /// It begins a trace of its own.
    Root,
    /// It begins a trace, or belongs to the request whose context it was given, which has ended.
    RootOrContext,
}

impl Lineage {
    /// That of call number `call` of a handler of this shape.
    pub fn of(shape: &str, call: usize) -> Self {
        let shape = shape.strip_prefix("stream").unwrap_or(shape);
        match shape {
            "twice" if call == 1 => Self::Goroutine,
            "bare" => Self::Goroutine,
            "spawnbare" | "deep" | "groupbare" => Self::Spawn,
            "poolbare" | "lazybare" | "timerbare" | "latebare" => Self::Root,
            "late" => Self::RootOrContext,
            _ => Self::Context,
        }
    }

    /// The value of `gopatch.parent.by`, which tells what was not the context.
    fn parent_by(self) -> &'static str {
        match self {
            Self::Goroutine => "goroutine",
            Self::Spawn => "spawn",
            Self::Context | Self::Root | Self::RootOrContext => "",
        }
    }
}

impl Node {
    /// The node of an operation; `None` for those that are no calls of a chain.
    pub fn from_operation(operation: &Operation) -> Option<Self> {
        let end = match &*operation.kind {
            "client" => End::Client,
            "server" => End::Server,
            _ => return None,
        };
        let (shape, number) = place(operation.text("url.path").or(operation.text("rpc.method"))?)?;
        Some(Self {
            end,
            shape,
            number,
            trace: operation.trace_id.clone(),
            span: operation.span_id.clone(),
            parent: operation.parent_span_id.clone().unwrap_or_default(),
            parent_by: operation.text("gopatch.parent.by").unwrap_or_default().to_owned(),
            details: format!("{operation:?}"),
        })
    }

    /// The node of a span that a Collector has received, from whatever SDK.
    pub fn from_span(span: &Span) -> Option<Self> {
        let end = match span.kind {
            2 => End::Server,
            3 => End::Client,
            _ => return None,
        };
        let text = |name: &str| span.attributes.get(name).and_then(Value::as_str);
        let path = match (text("url.path"), text("url.full")) {
            (Some(path), _) => path,
            (None, full) => {
                let rest = full?.trim_start_matches("http://").trim_start_matches("https://");
                &rest[rest.find('/')?..]
            }
        };
        let (shape, number) = place(path)?;
        Some(Self {
            end,
            shape,
            number,
            trace: span.trace_id.clone(),
            span: span.span_id.clone(),
            parent: span.parent_span_id.clone(),
            parent_by: text("gopatch.parent.by").unwrap_or_default().to_owned(),
            details: format!("{span:?}"),
        })
    }
}

/// The shape and the number in `/SHAPE/NUMBER` or `chain.Chain/SHAPE-NUMBER`.
fn place(path: &str) -> Option<(String, String)> {
    let (shape, number) = match path.trim_start_matches('/').split_once('/')? {
        ("chain.Chain", method) => method.split_once('-')?,
        http => http,
    };
    let is_number = number.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_number.then(|| (shape.to_owned(), number.to_owned()))
}

/// All calls of a chain.
pub struct Tree {
    nodes: BTreeMap<(End, String), Node>,
}

impl Tree {
    /// Puts them in order. No end of a call may have two spans, or the span of another.
    pub fn new(all: impl IntoIterator<Item = Node>) -> Result<Self> {
        let mut nodes = BTreeMap::new();
        let mut spans = BTreeSet::new();
        for node in all {
            ensure!(spans.insert(node.span.clone()), "two spans have the id of {}", node.details);
            let key = (node.end, node.number.clone());
            if let Some(twin) = nodes.insert(key.clone(), node) {
                anyhow::bail!("two spans of one call:\n{}\n{}", twin.details, nodes[&key].details);
            }
        }
        Ok(Self { nodes })
    }

    /// Fails unless the requests of these numbers gave the trees that they should, each in a trace of its own.
    pub fn ensure_whole(&self, numbers: impl IntoIterator<Item = usize>) -> Result<()> {
        let numbers: BTreeSet<_> = numbers.into_iter().collect();
        let mut faults = Vec::new();
        let mut traces = BTreeMap::new();
        for node in self.nodes.values() {
            match self.check(node) {
                Ok(true) => {
                    if let Some(other) = traces.insert(&node.trace, node) {
                        faults.push(format!("two requests in one trace:\n{}\n{}", other.details, node.details));
                    }
                }
                Ok(false) => {}
                Err(error) => faults.push(format!("{error:#}\n{}", node.details)),
            }
        }
        let shown: Vec<_> = faults.iter().take(5).map(String::as_str).collect();
        ensure!(
            faults.is_empty(),
            "{} of {} spans are not where they belong; by shape: {:?}\n{}",
            faults.len(),
            self.nodes.len(),
            self.faulty_shapes(),
            shown.join("\n\n")
        );
        for number in &numbers {
            for end in [End::Client, End::Server] {
                ensure!(self.nodes.contains_key(&(end, number.to_string())), "no {end:?} span of request {number}");
            }
        }
        let requests = traces.values().filter(|root| !root.number.contains('.')).count();
        ensure!(requests == numbers.len(), "{requests} traces of {} requests", numbers.len());
        Ok(())
    }

    /// Checks the parent of one span. Returns whether it is the root of a trace.
    fn check(&self, node: &Node) -> Result<bool> {
        let (expected, lineage) = match node.end {
            End::Server => (Some((End::Client, node.number.clone())), Lineage::Context),
            End::Client => match node.number.rsplit_once('.') {
                None => (None, Lineage::Root),
                Some((request, call)) => {
                    let key = (End::Server, request.to_owned());
                    let handler = self.nodes.get(&key).context("no span of its handler")?;
                    (Some(key), Lineage::of(&handler.shape, call.parse()?))
                }
            },
        };
        let expected = match expected {
            Some(key) => Some(self.nodes.get(&key).with_context(|| format!("no span {key:?}"))?),
            None => None,
        };
        if lineage == Lineage::Root || (lineage == Lineage::RootOrContext && node.parent.is_empty()) {
            ensure!(node.parent.is_empty(), "it should begin a trace");
            return Ok(true);
        }
        let parent = expected.context("only roots have no parent")?;
        ensure!(node.parent == parent.span, "its parent is {:?}, not ({lineage:?})\n{}", node.parent, parent.details);
        ensure!(node.trace == parent.trace, "it is in another trace than its parent\n{}", parent.details);
        ensure!(
            node.parent_by == lineage.parent_by(),
            "gopatch.parent.by is {:?}, not {:?}",
            node.parent_by,
            lineage.parent_by()
        );
        Ok(false)
    }

    /// How many spans of each shape are not where they belong.
    fn faulty_shapes(&self) -> BTreeMap<&str, usize> {
        let mut shapes = BTreeMap::new();
        for node in self.nodes.values().filter(|node| self.check(node).is_err()) {
            *shapes.entry(&*node.shape).or_default() += 1;
        }
        shapes
    }

    /// Fails unless each request came with one `traceparent`, that of the span that sent it.
    pub fn ensure_sent(&self, received: &[Received]) -> Result<()> {
        for request in received {
            let (_, number) = place(&request.path).with_context(|| request.path.clone())?;
            let sender = self.nodes.get(&(End::Client, number)).with_context(|| format!("no sender: {request:?}"))?;
            let expected = format!("00-{}-{}-01", sender.trace, sender.span);
            ensure!(
                request.traceparent.as_deref() == Some(std::slice::from_ref(&expected)),
                "not one traceparent, {expected}: {request:?}"
            );
        }
        Ok(())
    }

    /// The numbers of the client's requests that have spans.
    pub fn numbers(&self) -> BTreeSet<usize> {
        self.nodes.keys().filter_map(|(_, number)| number.split('.').next()?.parse().ok()).collect()
    }

    /// Spans.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}
