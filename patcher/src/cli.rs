//! The command line: one place a flag.
//!
//! Decides: names, defaults and help. Never does: act.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use gopatch_trampolines::wire;

const AFTER_HELP: &str = "\
Exit status:
  0  every site of every matched rule is hooked
  1  the output was written, but something was refused; the report names it
  2  failed; nothing was written";

/// Gives a Go executable (Linux, x86-64) its own instrumentation.
///
/// Writes a copy of IN in which the functions that rules name are hooked. The copy runs anywhere; while no gopatchd
/// listens, its hooks do nothing.
#[derive(Debug, Parser)]
#[command(name = "gopatch", version, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    /// The executable to patch.
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,

    /// Where to write the patched executable.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,

    /// A file of rules, on top of the default ones; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Vec<PathBuf>,

    /// Leave out the rules that gopatch comes with (HTTP server, TLS handshake).
    #[arg(long)]
    pub(crate) no_default_rules: bool,

    /// Where the patched program will look for gopatchd; GOPATCH_SOCKET overrides it when the program starts.
    #[arg(long, value_name = "PATH", default_value = wire::DEFAULT_SOCKET)]
    pub(crate) socket: PathBuf,

    /// Write the report to FILE instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Form of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// Print no report.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Report also what was not found, what is recorded, and how long each phase took.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person.
    Text,
    /// For a pipeline.
    Json,
}
