//! What gopatchd writes to standard output and standard error.
//!
//! - [`print`]: operations and the summary, on standard output;
//! - [`log`]: messages, on standard error;
//! - [`output`]: the thread that writes either without making the main loop wait.

pub(crate) mod log;
pub(crate) mod output;
pub(crate) mod print;
