//! What a client and the running gopatchd say to each other over the control socket.
//!
//! - [`api`]: the answers;
//! - [`switch`]: the requests that switch rules.

use std::path::{Path, PathBuf};

pub(crate) mod api;
pub(crate) mod switch;

/// The control socket where none is named: it stands beside the one that programs find.
pub(crate) fn default_socket(listen: &Path) -> PathBuf {
    listen.with_extension("control")
}
