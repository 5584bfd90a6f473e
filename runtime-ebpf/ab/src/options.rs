//! The options of `gopatchd ab` as plain types. `cli` has validated them.

use std::path::PathBuf;
use std::time::Duration;

use crate::limits::Limit;
use crate::template::Template;

/// All options.
#[derive(Debug)]
pub(crate) struct Options {
    /// The unpatched program.
    pub(crate) original: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Template,
    /// The patched program, if the user provides one.
    pub(crate) patched: Option<PathBuf>,
    /// What to hook, for patching and for uprobes.
    pub(crate) rules: Rules,
    /// The URL to request; replaces `{url}` in other options.
    pub(crate) url: Option<String>,
    /// How to detect that the program is ready.
    pub(crate) ready: Ready,
    /// How long to wait for that.
    pub(crate) ready_within: Duration,
    /// The load.
    pub(crate) load: Load,
    /// Runs of each variant.
    pub(crate) rounds: u32,
    /// Measured time of each run.
    pub(crate) duration: Duration,
    /// Time under load before that.
    pub(crate) warm_up: Duration,
    /// The built-in variants to run; `None` for all that can run here.
    pub(crate) variants: Option<Vec<BuiltIn>>,
    /// Other programs: name and command.
    pub(crate) also: Vec<(String, Template)>,
    /// Agents to run alongside the original: name and command.
    pub(crate) agents: Vec<(String, Template)>,
    /// What another program needs to run: the program's name and the command.
    pub(crate) sinks: Vec<(String, Template)>,
    /// How long an agent has to attach, and a sink to start.
    pub(crate) agent_wait: Duration,
    /// Limits.
    pub(crate) limits: Vec<Limit>,
    /// The variants that the limits apply to; empty for all patched ones.
    pub(crate) gate_variants: Vec<String>,
    /// Failed requests do not fail the comparison.
    pub(crate) allow_errors: bool,
    /// Where to write the JSON.
    pub(crate) json: Option<PathBuf>,
    /// Where to write the HTML.
    pub(crate) html: Option<PathBuf>,
}

/// Rules for patching and for uprobes.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Files with rules.
    pub(crate) files: Vec<PathBuf>,
    /// Whether to use the default rules too.
    pub(crate) default: bool,
}

/// How to detect that the program is ready.
#[derive(Debug)]
pub(crate) enum Ready {
    /// This URL answers HTTP, with any status.
    Url(String),
    /// This address accepts connections.
    Tcp(String),
    /// The program's output contains this text.
    Line(String),
}

/// What puts the program under load.
#[derive(Debug)]
pub(crate) enum Load {
    /// A command, run for each window.
    Command(Template),
    /// The built-in HTTP client.
    Http {
        /// Connections, each with one request in flight.
        connections: usize,
        /// Threads that share them.
        threads: usize,
        /// Requests per second over all connections; `None` for as many as possible.
        rate: Option<f64>,
    },
}

/// The variants that need nothing from the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BuiltIn {
    /// The unpatched program. Always runs, twice per round: the second run shows the noise
    Original,
    /// Patched, without a collector
    Inert,
    /// Patched, collected by gopatchd with the bpf backend
    Bpf,
    /// Patched, collected by gopatchd with the memfd backend
    Memfd,
    /// Unpatched, with gopatchd's uprobes recording the same data at the same functions
    Uprobes,
}
