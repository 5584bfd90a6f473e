//! Where a finished operation goes: to standard output, into the metrics of its process, and as a
//! span to the exporter.
//!
//! Decides: which traces are kept, and which operations become exemplars of metrics.
//! Never does: wait.

use std::io;
use std::sync::Arc;

use gopatch_protocol::manifest::Ratio;

use crate::calls::ids::TraceId;
use crate::calls::operation::Operation;
use crate::config::{Config, Exemplars};
use crate::console::print::Printer;
use crate::execution::Execution;
use crate::export::Shared;
use crate::telemetry::conventions::Conventional;
use crate::telemetry::process::ProcessState;
use crate::telemetry::span;

/// Where operations go.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) printer: Printer,
    shared: Arc<Shared>,
    /// A trace is kept if the 56 random bits of its id are below this.
    traces_below: u64,
    /// Whether spans are pushed.
    exports: bool,
    exemplars: Exemplars,
    /// Whether a client watches now.
    is_watched: bool,
}

/// The random bits of a trace id, by W3C Trace Context, level 2.
const RANDOM_BITS: u32 = 56;

impl Outlet {
    pub(crate) fn new(config: &Config, shared: Arc<Shared>) -> io::Result<Self> {
        let ratio = config.traces.as_ref().map_or(0.0, |traces| traces.ratio);
        Ok(Self {
            printer: Printer::new(config.print)?,
            shared,
            traces_below: (ratio * 2f64.powi(RANDOM_BITS as i32)) as u64,
            exports: config.traces.is_some(),
            exemplars: config.metrics.exemplars,
            is_watched: false,
        })
    }

    /// Begins a pass.
    pub(crate) fn begin_pass(&mut self) {
        self.is_watched = self.shared.is_watched();
    }

    /// Begins to count for a client that watches, or forgets the counts once none watches.
    pub(crate) fn watch(&self, state: &mut ProcessState) {
        if self.is_watched != state.activity.is_some() {
            state.activity = self.is_watched.then(Default::default);
        }
    }

    /// Takes an operation of an execution, of which this is the state, unless its rule is sampled
    /// and the operation is not in the sample.
    pub(crate) fn take(
        &mut self,
        Execution { process, program, .. }: &Execution,
        state: &mut ProcessState,
        operation: &mut Operation<'_>,
    ) {
        if let Some(ratio) = state.samples.get(&operation.function) {
            if !is_sampled(operation.lineage.span.0, *ratio) {
                return;
            }
            operation.sample = Ratio::new(operation.sample.map_or(1.0, f64::from) * f64::from(*ratio));
        }
        state.operations += 1;
        self.printer.print(operation);
        let is_sampled = operation.lineage.is_sampled.unwrap_or_else(|| self.keeps(operation.lineage.trace));
        let is_kept = self.exports && is_sampled;
        if let Some(metrics) = &mut state.metrics {
            let is_exemplar = match self.exemplars {
                Exemplars::AlwaysOn => true,
                Exemplars::AlwaysOff => false,
                Exemplars::TraceBased => is_kept,
            };
            metrics.add(operation, is_exemplar);
        }
        let convention = program.convention(operation.function);
        if let Some(activity) = &mut state.activity {
            activity.add(operation, Conventional { operation, convention }.error_type().is_some());
        }
        if is_kept && let Some(queue) = &self.shared.spans {
            queue.push(process, span::encode(operation, convention, program));
        }
    }

    fn keeps(&self, trace: TraceId) -> bool {
        (trace.0 as u64 & ((1 << RANDOM_BITS) - 1)) < self.traces_below
    }
}

/// Whether a call is in a sample. Its id decides, so that every caller gets the same answer.
fn is_sampled(span: u64, ratio: Ratio) -> bool {
    ratio.bound().is_none_or(|bound| ((span >> 32) as u32) < bound)
}
