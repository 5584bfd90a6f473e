//! The rings that processes write and gopatchd drains.
//!
//! - [`backend`]: what makes and drains rings, and the positions of a ring;
//! - [`bpf`], [`memfd`]: the two backends; [`choice`]: which one is taken;
//! - [`pin`]: the bpf backend's output, pinned for other tools;
//! - [`mapping`]: memory that is shared with another process;
//! - [`size`]: how large rings are;
//! - [`cadence`]: how often they are looked at.
//!
//! Decides: when a ring is not to be believed any more.
//! Trusts: nothing that a process can write: positions, headers and payloads are checked at every pass.
//! Never does: looking into a record beyond its size. What a record means is `calls`' business.

mod backend;
mod bpf;
pub(crate) mod cadence;
mod choice;
pub(crate) mod mapping;
mod memfd;
mod pin;
mod size;

pub(crate) use backend::{Backend, Counters, Positions, Rings};
pub use choice::Choice;
pub(crate) use choice::open;
pub(crate) use size::{check_ring_bytes, parse_ring_bytes, ring_bytes};
