//! gopatchd: collects the events of programs that gopatch has patched.
//!
//! The way of an event, and the modules it meets:
//!
//! ```text
//!   socket      listen -> hello -> program            a process comes and says what it is
//!   rings       rings::{bpf, memfd}                   its records are drained
//!   operations  session: order -> calls, pairing      records become calls
//!               attributes, clock -> operation        calls become operations
//!   stdout      print -> output
//! ```
//!
//! `gopatchd ab` (`ab`) does none of that itself: it runs programs and collectors as processes of their own.
//! `gopatchd uprobes` ([`uprobes`]) makes the same of records that uprobes write, to compare hooks with.
//!
//! Decides: nothing here; `daemon` runs the loop.
//! Trusts: the kernel. A process trusts what gopatchd sends it; gopatchd trusts nothing that comes from a process.
//! Never does: following a length, an index or a position from a process before it was checked.

/// Says something to whoever runs gopatchd, on stderr. Unlike `eprintln!` it survives a stderr that is closed.
macro_rules! say {
    ($($message:tt)*) => {{
        use std::io::Write as _;
        drop(writeln!(std::io::stderr(), "gopatchd: {}", format_args!($($message)*)));
    }};
}

mod ab;
mod attributes;
mod cadence;
mod calls;
mod cli;
mod clock;
mod control;
mod daemon;
mod hello;
mod listen;
mod mapping;
mod operation;
mod order;
mod output;
mod pairing;
mod peer;
mod print;
mod program;
mod rings;
mod session;
mod summary;
mod tls;
pub mod uprobes;

pub use ab::{AbArgs, run as ab};
pub use cli::{Cli, CollectArgs, Command, UprobeArgs};
pub use daemon::{Options, run};
pub use print::Print;
pub use rings::Choice;
