//! What will run: the variants, the patched program, and the collectors and agents that run
//! alongside.

pub(crate) mod collector;
pub(crate) mod patching;
pub(crate) mod variants;
