//! What runs: the variants, the patched program, and the collectors that run alongside.

pub(crate) mod collector;
pub(crate) mod patching;
pub(crate) mod variants;
