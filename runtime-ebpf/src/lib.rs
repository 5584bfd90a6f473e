//! gopatchd: collects the events of programs that gopatch has patched.
//!
//! The path of an event, and the rooms that it passes:
//!
//! ```text
//!   attach      listener, finder -> handshake         a process attaches and gets its rings, or
//!               -> session                            has them already
//!   rings       bpf or memfd                          its records are drained
//!   calls       order -> pairing, clock, attributes   records become calls,
//!               operation, ids                        and calls become operations
//!   outlet      console: print -> output              operations are printed,
//!               telemetry -> export                   and become spans and metrics
//! ```
//!
//! `daemon` runs the loop. `control` is the protocol of the control socket, and `client` the
//! commands that use it: `status`, `top` and `rule`. `config` reads settings.
//!
//! `gopatchd ab` is in the crate `gopatchd-ab`, which runs programs and collectors as separate
//! processes and uses nothing from this crate. `gopatchd uprobes` ([`uprobes`]) makes the same
//! operations from records that uprobes write, for comparison with hooks.
//!
//! Trusts: the kernel. A process trusts what gopatchd sends; gopatchd trusts nothing that a process
//! sends.
//! Never does: follow a length, an index or a position from a process before checking it.

mod attach;
mod calls;
mod cli;
mod client;
mod config;
mod console;
mod control;
mod daemon;
mod execution;
mod export;
mod host;
mod outlet;
mod quota;
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
pub use console::error::format_error;
pub use console::log::{Level, start as start_log, start_default as start_default_log};
pub use console::print::Print;
pub use daemon::run;
pub use host::rights::renounce_new_privileges;
pub use rings::BackendChoice;
pub use uprobes::cli::UprobeArgs;
