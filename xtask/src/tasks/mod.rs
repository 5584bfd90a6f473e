//! The commands, one module each: a function that takes the command's arguments.

pub(crate) mod bpf;
pub(crate) mod check;
pub(crate) mod corpus;
pub(crate) mod demo;
pub(crate) mod docs;
pub(crate) mod fuzz;
pub(crate) mod structure;
