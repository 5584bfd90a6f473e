//! gopatchd: collects the events of programs that gopatch has patched.
//!
//! The way of an event, and the rooms that it meets:
//!
//! ```text
//!   attach      listener -> handshake -> session      a process attaches and gets its rings
//!   rings       {bpf, memfd}                          its records are drained
//!   calls       order -> pairing, clock, attributes   records become calls,
//!               operation, ids                        and calls become operations
//!   outlet      console: print -> output              operations are printed,
//!               telemetry -> export                   and become spans and metrics
//! ```
//!
//! `daemon` runs the loop. `control` holds what a client and the daemon say to each other; `client` is
//! `gopatchd status`, `top` and `rule`; `config` reads settings.
//!
//! `gopatchd ab` is the crate `gopatchd-ab`, which uses nothing of this one: it runs gopatchd as a process.
//! `gopatchd uprobes` ([`uprobes`]) makes the same of records that uprobes write, to compare hooks with.
//!
//! Trusts: the kernel. A process trusts what gopatchd sends it; gopatchd trusts nothing that comes from a process.
//! Never does: following a length, an index or a position from a process before it was checked.

mod attach;
mod calls;
mod cli;
mod client;
mod config;
mod console;
mod control;
mod daemon;
mod export;
mod host;
mod outlet;
mod rings;
mod session;
mod socket;
mod summary;
mod telemetry;
pub mod uprobes;

pub use cli::{Cli, CollectArgs, Command, ConfigCommand};
pub use client::cli::{ControlArgs, RuleAction, RuleArgs, StatusArgs, TopArgs};
pub use client::{rule, status, top};
pub use config::Config;
pub use config::{check as check_config, example as example_config};
pub use console::log::{Level, start as start_log, start_default as start_default_log};
pub use console::print::Print;
pub use daemon::run;
pub use rings::Choice;
pub use uprobes::cli::UprobeArgs;
