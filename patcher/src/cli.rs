//! The command line: one place a flag.
//!
//! Decides: names, defaults and help. Never does: act.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gopatch_protocol::wire;

const AFTER_HELP: &str = "\
Exit status of patching:
  0  every site of every matched rule is hooked
  1  the output was written, but something was refused; the report names it
  2  failed; nothing was written
Exit status of the commands: 0 as it should be, 2 otherwise; of inspect --policy
1 when a line of the policy is not met, 2 when that could not be judged.";

/// Gives a Go executable (Linux, x86-64) its own instrumentation.
///
/// Writes a copy of IN in which the functions that rules name are hooked. The copy runs anywhere; while no gopatchd
/// listens, its hooks do nothing.
#[derive(Debug, Parser)]
#[command(
    name = "gopatch",
    version,
    after_help = AFTER_HELP,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) patch: PatchArgs,
}

/// Patching.
#[derive(Debug, Args)]
pub(crate) struct PatchArgs {
    /// The executable to patch.
    #[arg(value_name = "IN", required = true)]
    pub(crate) input: Option<PathBuf>,

    /// Where to write the patched executable.
    #[arg(short, long, value_name = "OUT", required = true)]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    /// Where the patched program will look for gopatchd; GOPATCH_SOCKET overrides it when the program starts.
    #[arg(long, value_name = "PATH", default_value = wire::DEFAULT_SOCKET)]
    pub(crate) socket: PathBuf,

    /// Give the thunks symbols, for debuggers and profilers. A file that has a symbol table grows by a copy of it.
    #[arg(long)]
    pub(crate) symbols: bool,

    /// Write the report to FILE instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Form of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// Write to FILE, as an unsigned in-toto statement, what the output was made from: docs/hardening.md.
    #[arg(long, value_name = "FILE")]
    pub(crate) provenance: Option<PathBuf>,

    /// Print no report.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Report also what was not found, what is recorded, and how long each phase took.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// Which rules to use.
#[derive(Debug, Args)]
pub(crate) struct RuleArgs {
    /// A file of rules, on top of the default ones; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Vec<PathBuf>,

    /// Leave out the rules that gopatch comes with (HTTP, gRPC, TLS handshakes).
    #[arg(long)]
    pub(crate) no_default_rules: bool,
}

/// What can be done with a patched file, or asked of any.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a patched file hooks, or what would be hooked in one that is not patched.
    Inspect {
        /// The executable.
        #[arg(value_name = "FILE")]
        file: PathBuf,

        #[command(flatten)]
        rules: RuleArgs,

        /// Instead, judge the patched file by a policy, and name every line of it that is not met.
        #[arg(long, value_name = "POLICY", conflicts_with_all = ["rules", "no_default_rules"])]
        policy: Option<PathBuf>,

        /// Form of what is shown.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },

    /// Check that a patched file is its input with nothing but the listed sites changed.
    Verify {
        /// The patched executable.
        #[arg(value_name = "OUT")]
        file: PathBuf,

        /// The file that it was made from, to compare with byte for byte.
        #[arg(long, value_name = "IN")]
        original: Option<PathBuf>,
    },

    /// Check or list rules, or give their JSON Schema.
    #[command(subcommand)]
    Rules(RulesCommand),

    /// Give back the file that a patched one was made from, byte for byte.
    Restore {
        /// The patched executable.
        #[arg(value_name = "OUT")]
        file: PathBuf,

        /// Where to write it.
        #[arg(short, long, value_name = "IN")]
        output: PathBuf,
    },
}

/// What can be asked of rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Check a file of rules; with BINARY, show what each rule would hook there.
    Check {
        /// The rules.
        #[arg(value_name = "FILE")]
        file: PathBuf,

        /// An executable to match them with.
        #[arg(value_name = "BINARY")]
        binary: Option<PathBuf>,
    },

    /// List the rules that gopatch comes with, and those of FILE.
    List {
        /// More rules.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,

        /// Form of the list.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },

    /// Print the JSON Schema of rule files, for editors.
    Schema,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person.
    Text,
    /// For a pipeline.
    Json,
}
