//! Operations as the rest of the world sees them: spans and metrics of a process.
//!
//! - [`resource`]: the attributes of a process;
//! - [`process`]: a process, its counters and its metrics;
//! - [`conventions`]: OpenTelemetry's names for operations;
//! - [`span`]: operations as spans;
//! - [`metrics`], [`histogram`]: operations in histograms;
//! - [`activity`]: the counts that `gopatchd top` shows.

pub(crate) mod activity;
pub(crate) mod conventions;
pub(crate) mod histogram;
pub(crate) mod metrics;
pub(crate) mod process;
pub(crate) mod resource;
pub(crate) mod span;
mod url;
