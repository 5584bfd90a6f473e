//! The measurement: rounds of runs, and the kernel's accounts of each.

pub(crate) mod account;
pub(crate) mod rounds;
pub(crate) mod run;
pub(crate) mod target;
