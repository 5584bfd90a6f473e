//! All machine code that gopatch ever emits.

#![forbid(unsafe_code)]

pub mod arena;
mod asm;
pub mod attach;
mod moved;
pub mod plan;
pub mod relay;
pub mod skip;
pub mod thunk;

pub use asm::EmitError;
