//! How a process attaches to gopatchd, and how the two stay in touch.
//!
//! - [`listener`]: the socket on which processes find gopatchd;
//! - [`handshake`]: from a connection to all that a session needs;
//! - [`peer`]: which process is at the other end;
//! - [`control_page`]: the page on which gopatchd switches a process's hooks;
//! - [`heartbeat`]: the threads that keep control pages alive and hear processes ring.

pub(crate) mod control_page;
pub(crate) mod handshake;
pub(crate) mod heartbeat;
pub(crate) mod listener;
pub(crate) mod peer;
