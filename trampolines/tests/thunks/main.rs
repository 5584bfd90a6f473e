//! Tests of the emitted code as code. `golden`: its disassembly, as reviewed. `invariants`: that it
//! keeps the rules of rewriting. `plans`: the plans that both emit.

mod golden;
mod invariants;
mod plans;
