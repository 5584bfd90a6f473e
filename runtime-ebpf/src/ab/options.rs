//! What `gopatchd ab` is asked to do, in plain types.
//!
//! Decides: nothing.
//! Trusts: `cli`, which has checked it.
//! Never does: anything.

use std::path::PathBuf;
use std::time::Duration;

use super::gates::Limit;
use super::template::Template;

/// Everything that was asked for.
#[derive(Debug)]
pub(super) struct Options {
    /// The program as it was built.
    pub(super) original: PathBuf,
    /// Its arguments.
    pub(super) arguments: Template,
    /// The program patched, if the user has it.
    pub(super) patched: Option<PathBuf>,
    /// What is hooked: by a patch made here, and by uprobes.
    pub(super) rules: Rules,
    /// What is asked under load, and `{url}` everywhere.
    pub(super) url: Option<String>,
    /// How to know that the program is ready.
    pub(super) ready: Ready,
    /// How long that may take.
    pub(super) ready_within: Duration,
    /// What puts the program under load.
    pub(super) load: Load,
    /// How often each variant runs.
    pub(super) rounds: u32,
    /// How long each is measured.
    pub(super) duration: Duration,
    /// How long each is under load before.
    pub(super) warm_up: Duration,
    /// The built-in variants asked for by name, or all that can run.
    pub(super) variants: Option<Vec<BuiltIn>>,
    /// Other programs: name and command.
    pub(super) also: Vec<(String, Template)>,
    /// Other agents, which run beside the original: name and command.
    pub(super) agents: Vec<(String, Template)>,
    /// What other programs need beside them: the program's name and the command.
    pub(super) sinks: Vec<(String, Template)>,
    /// How long an agent gets to attach, and a sink to start.
    pub(super) agent_wait: Duration,
    /// Limits.
    pub(super) limits: Vec<Limit>,
    /// The variants that the limits hold for, or the built-in choice.
    pub(super) gate_variants: Vec<String>,
    /// Failed requests are shown and do not fail the comparison.
    pub(super) allow_errors: bool,
    /// Where the JSON goes.
    pub(super) json: Option<PathBuf>,
    /// Where the HTML goes.
    pub(super) html: Option<PathBuf>,
}

/// Rules for the patch and the uprobes.
#[derive(Debug)]
pub(super) struct Rules {
    /// Files.
    pub(super) files: Vec<PathBuf>,
    /// Whether the default rules hold too.
    pub(super) default: bool,
}

/// How to know that the program is ready.
#[derive(Debug)]
pub(super) enum Ready {
    /// It answers HTTP at this URL, with whatever status.
    Url(String),
    /// It accepts connections at this address.
    Tcp(String),
    /// It has printed a line with this text.
    Line(String),
}

/// What puts the program under load.
#[derive(Debug)]
pub(super) enum Load {
    /// A command, run for each window.
    Command(Template),
    /// The built-in HTTP client.
    Http {
        /// Connections, each with one request in flight.
        connections: usize,
        /// Threads that share them.
        threads: usize,
        /// Requests a second over all, or as many as are answered.
        rate: Option<f64>,
    },
}

/// The variants that need nothing from the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum BuiltIn {
    /// The program as it was built. Always runs, twice a round: the second run shows how large the noise is
    Original,
    /// Patched, and nobody listens
    Inert,
    /// Patched, collected by gopatchd with the bpf backend
    Bpf,
    /// Patched, collected by gopatchd with the memfd backend
    Memfd,
    /// As it was built, with uprobes at the same functions that record the same, collected by gopatchd
    Uprobes,
}
