//! `gopatchd ab`: what does the instrumentation cost, beside what a user would pick instead?
//!
//! Data goes one way, a step a module:
//!
//! ```text
//!   cli ──▶ Options ──▶ variants ──▶ rounds ─────────────▶ comparison ──▶ gates ──▶ report
//!           limits      patching     target, collector,     statistics     limits    text, JSON,
//!           template    what can     load, account:         of the         held?     HTML
//!                       run here     one Run a round        metrics
//! ```
//!
//! Decides: the order of these, and that a limit exceeded or an error under load makes the comparison fail.
//! Trusts: the kernel's accounts of processes. The load's account of its requests is the load's word.
//! Never does: measure itself into the figures: program, collector and an external load are processes of their own.

mod cli;
mod limits;
mod load;
mod measure;
mod options;
mod process;
mod report;
mod result;
mod setup;
mod statistics;
mod template;
mod url;

use anyhow::Result;

pub use cli::AbArgs;

use measure::rounds::Bench;
use process::stop;
use result::comparison::Comparison;
use result::gates;

/// Runs the comparison and reports it. `Ok(false)`: a limit was exceeded, or requests failed.
pub fn run(args: AbArgs) -> Result<bool> {
    let options = args.into_options()?;
    stop::on_signals()?;
    let bench = Bench::prepare(&options)?;
    let runs = bench.run_all()?;
    let mut comparison = Comparison::of(&bench, runs)?;
    gates::judge(&mut comparison, &options);
    report::write(&comparison, &options)?;
    Ok(comparison.passed)
}
