//! The measurement: the rounds, one run in a round, how its program starts, and what the kernel
//! accounts for it.

pub(crate) mod account;
pub(crate) mod rounds;
pub(crate) mod run;
pub(crate) mod target;
