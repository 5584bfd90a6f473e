//! The rings that processes write and gopatchd drains.
//!
//! - [`backend`]: what makes and drains rings, and the positions of a ring;
//! - [`bpf`], [`memfd`]: the two backends; [`choice`]: which one is used;
//! - [`slots`]: the array of all rings of the bpf backend;
//! - [`ids`]: opens the rings that an earlier gopatchd of the bpf backend has left;
//! - [`pin`]: the output of the bpf backend, pinned for other tools;
//! - [`mapping`]: memory that is shared with another process;
//! - [`size`]: how large rings are;
//! - [`cadence`]: how often they are drained;
//! - [`claims`]: what a process can have lost, whatever it claims.
//!
//! Trusts: nothing that a process can write. Positions, headers and sizes are checked at every
//! pass, and a ring that fails a check is given up.
//! Never does: read a record beyond its size. `calls` knows what a record means.

mod backend;
mod bpf;
pub(crate) mod cadence;
mod choice;
pub(crate) mod claims;
mod ids;
pub(crate) mod mapping;
mod memfd;
mod pin;
mod size;
mod slots;

pub(crate) use backend::{Backend, Contexts, Counters, Drained, Positions, Rings, Several};
pub use choice::BackendChoice;
pub(crate) use choice::open;
pub(crate) use memfd::{MemfdRings, check_memory_file};
pub(crate) use size::{check_ring_bytes, parse_ring_bytes, ring_bytes};
