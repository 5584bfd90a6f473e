//! Tests of the program `gopatchd`: they start it, attach processes to it, and check what it
//! prints.
//!
//! They run on both backends. Where bpf(2) is refused the bpf backend is not tested, with a message
//! on stderr; with `CI` set that is a failure.

mod hostile;
mod lifecycle;
mod scrape;
mod sessions;
mod silence;
mod strangers;
mod support;
