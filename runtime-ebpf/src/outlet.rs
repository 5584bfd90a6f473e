//! Where a finished operation goes: to standard output, into its process's metrics, and as a span to whoever receives them.
//!
//! Decides: which traces are kept, and which operations metrics show one of.
//! Trusts: its callers.
//! Never does: waiting.

use std::io;
use std::sync::Arc;

use gopatch_protocol::manifest::Ratio;

use crate::calls::ids::TraceId;
use crate::calls::operation::Operation;
use crate::calls::program::Program;
use crate::config::{Config, Exemplars};
use crate::console::print::Printer;
use crate::export::Shared;
use crate::telemetry::conventions::Conventional;
use crate::telemetry::process::{Process, State};
use crate::telemetry::span;

/// Everything that operations go to.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) printer: Printer,
    shared: Arc<Shared>,
    /// Traces are kept whose id, in its 56 random bits, is below this.
    traces_below: u64,
    exemplars: Exemplars,
    /// Whether somebody watches just now.
    is_watched: bool,
}

/// Bits of a trace's id that are random by the W3C's Trace Context, level 2.
const RANDOM_BITS: u32 = 56;

impl Outlet {
    pub(crate) fn new(config: &Config, shared: Arc<Shared>) -> io::Result<Self> {
        let ratio = config.traces.as_ref().map_or(0.0, |traces| traces.ratio);
        Ok(Self {
            printer: Printer::new(config.print)?,
            shared,
            traces_below: (ratio * 2f64.powi(RANDOM_BITS as i32)) as u64,
            exemplars: config.metrics.exemplars,
            is_watched: false,
        })
    }

    /// A pass begins.
    pub(crate) fn begin_pass(&mut self) {
        self.is_watched = self.shared.is_watched();
    }

    /// Forgets what was counted for somebody who does not watch any more, or begins to count.
    pub(crate) fn watch(&self, state: &mut State) {
        if self.is_watched != state.activity.is_some() {
            state.activity = self.is_watched.then(Default::default);
        }
    }

    /// Takes an operation of a process, unless its rule is sampled and it is not among the sample.
    pub(crate) fn take(
        &mut self,
        process: &Arc<Process>,
        state: &mut State,
        program: &Program,
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
        let is_kept = self.keeps(operation.lineage.trace);
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

/// Whether a call is among a sample: its id says so, so that both that ask get one answer.
fn is_sampled(span: u64, ratio: Ratio) -> bool {
    ratio.bound().is_none_or(|bound| ((span >> 32) as u32) < bound)
}
