//! How a process attaches to gopatchd, and how the two stay in touch.
//!
//! - [`listener`]: the socket on which processes find gopatchd;
//! - [`acceptor`]: new connections, and the log of refusals;
//! - [`finder`]: processes that have a session and no gopatchd;
//! - [`handshake`]: from a connection to all that a session needs;
//! - [`readers`]: threads that receive hellos and read executables, which may wait;
//! - [`closer`]: a thread that closes what strangers have made, which may wait too;
//! - [`refusal`]: why a process gets no session;
//! - [`starter`]: makes what a session consists of, or opens it again;
//! - [`offer`]: a session until the process has taken it;
//! - [`peer`]: the process at the other end;
//! - [`control_page`]: what a process reads about gopatchd;
//! - [`heartbeat`]: the threads that keep control pages alive and hear processes ring.

pub(crate) mod acceptor;
pub(crate) mod closer;
pub(crate) mod control_page;
pub(crate) mod finder;
pub(crate) mod handshake;
pub(crate) mod heartbeat;
pub(crate) mod listener;
pub(crate) mod offer;
pub(crate) mod peer;
pub(crate) mod readers;
pub(crate) mod refusal;
pub(crate) mod starter;
