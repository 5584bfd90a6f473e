//! What gopatchd writes to standard output and standard error.
//!
//! - [`print`]: operations and the summary, on standard output;
//! - [`line`]: one operation as a line of a table;
//! - [`text`]: what a terminal can show, and durations;
//! - [`log`]: messages, on standard error;
//! - [`error`]: the message of an error;
//! - [`output`]: the thread that writes either without making the main loop wait.

pub(crate) mod error;
pub(crate) mod line;
pub(crate) mod log;
pub(crate) mod output;
pub(crate) mod print;
pub(crate) mod text;
