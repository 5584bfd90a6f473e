//! Tests of the emitted code as code: what it looks like, and that it keeps the rules of rewriting.

mod golden;
mod invariants;
mod plans;
