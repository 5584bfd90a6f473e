//! gopatchd: collects the events of programs that gopatch has patched.
//!
//! The way of an event, and the modules it meets:
//!
//! ```text
//!   socket      listen -> hello -> program            a process comes and says what it is
//!   rings       rings::{bpf, memfd}                   its records are drained
//!   operations  session: order -> calls, pairing      records become calls
//!               attributes, clock -> operation        calls become operations
//!               lineage                           they get their ids
//!   outlet      print -> output                   operations are printed,
//!               telemetry -> export               and become spans and metrics that others take
//! ```
//!
//! `gopatchd ab` is the crate `gopatchd-ab`, which uses nothing of this one: it runs gopatchd as a process.
//! `gopatchd uprobes` ([`uprobes`]) makes the same of records that uprobes write, to compare hooks with.
//!
//! Decides: nothing here; `daemon` runs the loop.
//! Trusts: the kernel. A process trusts what gopatchd sends it; gopatchd trusts nothing that comes from a process.
//! Never does: following a length, an index or a position from a process before it was checked.

mod attributes;
mod cadence;
mod calls;
mod cli;
mod client;
mod clock;
mod config;
mod control;
mod daemon;
mod export;
mod heart;
mod hello;
mod lineage;
mod listen;
mod log;
mod mapping;
mod operation;
mod order;
mod outlet;
mod output;
mod pairing;
mod peer;
mod print;
mod program;
mod rings;
mod session;
mod summary;
mod switch;
mod telemetry;
mod tls;
mod top;
pub mod uprobes;

pub use cli::{
    Cli, CollectArgs, Command, ConfigCommand, ControlArgs, RuleAction, RuleArgs, StatusArgs, TopArgs, UprobeArgs,
};
pub use client::{rule, status};
pub use config::Config;
pub use config::{check as check_config, example as example_config};
pub use daemon::run;
pub use log::{start as start_log, start_default as start_default_log};
pub use print::Print;
pub use rings::Choice;
pub use top::run as top;
