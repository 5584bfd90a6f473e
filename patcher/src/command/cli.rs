//! The command line: names, defaults and help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gopatch_protocol::recipe::TrailingData;
use gopatch_protocol::wire;
use gopatch_trampolines::attach::AttachMode;

const AFTER_HELP: &str = "\
Exit status of patching:
  0  every site of every matched rule is hooked
  1  the output was written, but some site was refused; the report names each
  2  failed; nothing was written
Exit status of the commands:
  0  success
  1  inspect --policy: the file does not meet the policy
  2  failed

Examples:
  gopatch server -o server.patched
  gopatch server -o server.patched --rules shop.yaml --report report.json --format json
  gopatch inspect server
  gopatch verify server.patched --original server
  gopatch restore server.patched -o server";

const INSPECT_EXAMPLES: &str = "\
Examples:
  gopatch inspect server --rules shop.yaml
  gopatch inspect server.patched
  gopatch inspect server.patched --policy policy.yaml";

const VERIFY_EXAMPLES: &str = "\
Examples:
  gopatch verify server.patched
  gopatch verify server.patched --original server";

const RESTORE_EXAMPLES: &str = "\
Example:
  gopatch restore server.patched -o server";

const RULES_EXAMPLES: &str = "\
Examples:
  gopatch rules check shop.yaml
  gopatch rules check shop.yaml server
  gopatch rules list
  gopatch rules schema > rules.schema.json";

/// Add instrumentation to a Go executable (Linux, x86-64)
///
/// Write a copy of IN in which the functions that rules name are hooked. The copy runs anywhere.
/// Its hooks do nothing while no gopatchd listens.
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

#[derive(Debug, Args)]
pub(crate) struct PatchArgs {
    /// Executable to patch
    #[arg(value_name = "IN", required = true)]
    pub(crate) input: Option<PathBuf>,

    /// Write the patched executable to OUT
    #[arg(short, long, value_name = "OUT", required = true)]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) rules: RuleArgs,

    /// Socket where the patched program looks for gopatchd; GOPATCH_SOCKET overrides it at run time
    #[arg(long, value_name = "PATH", default_value = wire::DEFAULT_SOCKET)]
    pub(crate) socket: PathBuf,

    /// When the patched program looks for gopatchd; GOPATCH_ATTACH overrides it at run time
    /// [default: late; start for a program that can confine itself]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(crate) attach: Option<Attach>,

    /// Add symbols for the thunks, for debuggers and profilers; an existing symbol table is copied
    #[arg(long)]
    pub(crate) symbols: bool,

    /// What to do if data follow the ELF file in IN, such as a zip, a payload or a signature
    #[arg(long, value_enum, default_value_t = Trailing::Refuse, value_name = "WHAT")]
    pub(crate) trailing_data: Trailing,

    /// Write the report to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Format of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// Write to FILE an unsigned in-toto statement of what the output was made from
    #[arg(long, value_name = "FILE")]
    pub(crate) provenance: Option<PathBuf>,

    /// Print no report
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Report also rules without a match, recorded attributes, and the time of each phase
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RuleArgs {
    /// Add the rules in FILE to the default ones; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Vec<PathBuf>,

    /// Leave out the default rules (HTTP, gRPC, TLS handshakes)
    #[arg(long)]
    pub(crate) no_default_rules: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a patched file hooks, or what would be hooked in an unpatched one
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect {
        /// Executable
        #[arg(value_name = "FILE")]
        file: PathBuf,

        #[command(flatten)]
        rules: RuleArgs,

        /// Check the patched file against POLICY instead, and name each line that it does not meet
        #[arg(long, value_name = "POLICY", conflicts_with_all = ["rules", "no_default_rules"])]
        policy: Option<PathBuf>,

        /// Format of the output
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },

    /// Check that a patched file is what gopatch makes of its input, byte for byte
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify {
        /// Patched executable
        #[arg(value_name = "OUT")]
        file: PathBuf,

        /// Check too that it was made from IN
        #[arg(long, value_name = "IN")]
        original: Option<PathBuf>,
    },

    /// Check or list rules, or print their JSON Schema
    #[command(subcommand, after_help = RULES_EXAMPLES)]
    Rules(RulesCommand),

    /// Restore the file that a patched one was made from, byte for byte
    #[command(after_help = RESTORE_EXAMPLES)]
    Restore {
        /// Patched executable
        #[arg(value_name = "OUT")]
        file: PathBuf,

        /// Write the original to IN
        #[arg(short, long, value_name = "IN")]
        output: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Check a file of rules; with BINARY, show what each rule would hook in it
    Check {
        /// Rules
        #[arg(value_name = "FILE")]
        file: PathBuf,

        /// Executable to match them with
        #[arg(value_name = "BINARY")]
        binary: Option<PathBuf>,
    },

    /// List the default rules, and those in FILE
    List {
        /// More rules
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,

        /// Format of the list
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },

    /// Print the JSON Schema of rule files, for editors
    Schema,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Attach {
    /// When it starts; later only gopatchd can find it
    Start,
    /// When it starts, and later at growing intervals
    Late,
    /// At no time; gopatchd does not find it either
    Never,
}

impl From<Attach> for AttachMode {
    fn from(attach: Attach) -> Self {
        match attach {
            Attach::Start => Self::Start,
            Attach::Late => Self::Late,
            Attach::Never => Self::Never,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Trailing {
    /// Fail, and name their size
    Refuse,
    /// End OUT with a copy of them, where programs look for them
    Keep,
    /// Do not repeat them at the end of OUT
    Drop,
}

impl From<Trailing> for TrailingData {
    fn from(trailing: Trailing) -> Self {
        match trailing {
            Trailing::Refuse => Self::Refuse,
            Trailing::Keep => Self::Keep,
            Trailing::Drop => Self::Drop,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person
    Text,
    /// For a program
    Json,
}
