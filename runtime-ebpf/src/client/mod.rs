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
pub(crate) use status::format_status;
pub use status::status;
pub(crate) use top::draw_operations;
pub use top::run as top;
