//! What `gopatchd ab` is asked to do, in plain types.
//!
//! Decides: nothing.
//! Trusts: `cli`, which has checked it.
//! Never does: anything.

use std::path::PathBuf;
use std::time::Duration;

use crate::limits::Limit;
use crate::template::Template;

/// Everything that was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    /// The program as it was built.
    pub(crate) original: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Template,
    /// The program patched, if the user has it.
    pub(crate) patched: Option<PathBuf>,
    /// What is hooked: by a patch made here, and by uprobes.
    pub(crate) rules: Rules,
    /// What is asked under load, and `{url}` everywhere.
    pub(crate) url: Option<String>,
    /// How to know that the program is ready.
    pub(crate) ready: Ready,
    /// How long that may take.
    pub(crate) ready_within: Duration,
    /// What puts the program under load.
    pub(crate) load: Load,
    /// How often each variant runs.
    pub(crate) rounds: u32,
    /// How long each is measured.
    pub(crate) duration: Duration,
    /// How long each is under load before.
    pub(crate) warm_up: Duration,
    /// The built-in variants asked for by name, or all that can run.
    pub(crate) variants: Option<Vec<BuiltIn>>,
    /// Other programs: name and command.
    pub(crate) also: Vec<(String, Template)>,
    /// Other agents, which run beside the original: name and command.
    pub(crate) agents: Vec<(String, Template)>,
    /// What other programs need beside them: the program's name and the command.
    pub(crate) sinks: Vec<(String, Template)>,
    /// How long an agent gets to attach, and a sink to start.
    pub(crate) agent_wait: Duration,
    /// Limits.
    pub(crate) limits: Vec<Limit>,
    /// The variants that the limits hold for, or the built-in choice.
    pub(crate) gate_variants: Vec<String>,
    /// Failed requests are shown and do not fail the comparison.
    pub(crate) allow_errors: bool,
    /// Where the JSON goes.
    pub(crate) json: Option<PathBuf>,
    /// Where the HTML goes.
    pub(crate) html: Option<PathBuf>,
}

/// Rules for the patch and the uprobes.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Files.
    pub(crate) files: Vec<PathBuf>,
    /// Whether the default rules hold too.
    pub(crate) default: bool,
}

/// How to know that the program is ready.
#[derive(Debug)]
pub(crate) enum Ready {
    /// It answers HTTP at this URL, with whatever status.
    Url(String),
    /// It accepts connections at this address.
    Tcp(String),
    /// It has printed a line with this text.
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
        /// Requests a second over all, or as many as are answered.
        rate: Option<f64>,
    },
}

/// The variants that need nothing from the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BuiltIn {
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
