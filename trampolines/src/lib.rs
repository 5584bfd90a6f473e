//! All machine code that gopatch ever emits, and the formats its two ends speak.
//!
//! * [`wire`]: what a patched process and gopatchd exchange: socket messages, control page, rings, records.
//! * [`manifest`]: the description of sites and records that a patched file carries about itself.

#![forbid(unsafe_code)]

pub mod arena;
mod asm;
pub mod attach;
pub mod filter;
pub mod manifest;
mod moved;
pub mod naming;
pub mod plan;
pub mod relay;
pub mod skip;
pub mod thunk;
pub mod wire;

pub use asm::EmitError;
