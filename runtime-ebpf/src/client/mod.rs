//! The commands that talk to a running gopatchd over its control socket.
//!
//! - [`cli`]: their flags;
//! - [`request`]: one request and its answer;
//! - [`status`], [`rule`], [`top`]: the commands.

pub(crate) mod cli;
mod request;
mod rule;
mod status;
mod top;

pub use rule::rule;
pub use status::status;
pub use top::run as top;
