//! What `gopatch` makes of a program: which files it takes, what its rules mean, and that the
//! output is the program.
//!
//! One module for each promise. A file of rules lies beside the module that uses it.

mod captures;
mod compatibility;
mod conditions;
mod fidelity;
mod inputs;
mod outputs;
mod refusals;
mod revision;
mod rules;
mod skip;
mod stripped;
mod symbols;
mod traces;
