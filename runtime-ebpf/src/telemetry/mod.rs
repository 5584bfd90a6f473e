//! What operations are to the rest of the world: spans and metrics of a process that is known by its resource.
//!
//! Decides: nothing here.
//! Trusts, and never does: see the modules.

pub(crate) mod activity;
pub(crate) mod conventions;
pub(crate) mod histogram;
pub(crate) mod metrics;
pub(crate) mod process;
pub(crate) mod resource;
pub(crate) mod span;
