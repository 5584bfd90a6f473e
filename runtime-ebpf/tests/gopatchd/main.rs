//! Tests of the program `gopatchd`: they start it, play processes that attach to it, and look at what it prints.
//!
//! They run on both backends. Where bpf(2) is refused the bpf half is left out, with a word on stderr; with `CI` set
//! that is a failure.

mod hostile;
mod lifecycle;
mod sessions;
mod silence;
mod support;
