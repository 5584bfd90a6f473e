//! The protocol of the control socket: what a client requests from the running gopatchd, and the
//! answers.
//!
//! - [`api`]: the answers;
//! - [`switch`]: the requests that switch rules.

use std::path::{Path, PathBuf};

pub(crate) mod api;
pub(crate) mod switch;

/// The default control socket: beside the one to which programs connect.
pub(crate) fn default_socket(listen: &Path) -> PathBuf {
    listen.with_extension("control")
}
