//! The commands, a module each. A command takes its arguments and does its work with the tools of the machine.

pub(crate) mod bpf;
pub(crate) mod check;
pub(crate) mod corpus;
pub(crate) mod demo;
pub(crate) mod docs;
pub(crate) mod structure;
