//! `gopatchd ab`: measures what instrumentation costs a program under load, compared with what a
//! user might run instead.
//!
//! Data flows in one direction:
//!
//! ```text
//!   cli ──▶ options ──▶ setup ───────▶ measure ────────▶ result ────────▶ report
//!           template    variants,      rounds of runs:   metrics with     text,
//!           limits      patching,      program,          statistics,      JSON,
//!                       collector      load, account     then gates       HTML
//! ```
//!
//! The program, its collector and an external load are separate processes (`process`), so that the
//! figures do not include this one. Resource usage comes from the kernel; requests and latency come
//! from the load.

mod cli;
mod limits;
mod load;
mod measure;
mod options;
mod process;
mod report;
mod result;
mod setup;
pub mod statistics;
mod template;
mod url;

use anyhow::Result;

pub use cli::AbArgs;

use measure::rounds::Bench;
use process::stop;
use result::comparison::Comparison;
use result::gates;

/// Runs the comparison and writes its reports. `Ok(false)`: a limit was exceeded, or requests
/// failed.
pub fn run(args: AbArgs) -> Result<bool> {
    let options = args.into_options()?;
    stop::catch_signals()?;
    let bench = Bench::prepare(&options)?;
    let runs = bench.run_all()?;
    let mut comparison = Comparison::new(&bench, runs)?;
    gates::judge(&mut comparison, &options);
    report::write(&comparison, &options)?;
    Ok(comparison.passed)
}
