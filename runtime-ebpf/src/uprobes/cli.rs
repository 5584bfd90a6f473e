//! The flags of `uprobes`.

use std::path::PathBuf;

use clap::Args;

use super::Options;
use crate::console::print::Print;
use crate::rings::parse_ring_bytes;

/// The ring of `uprobes`: as large as the one that hooks' records come through.
const UPROBE_RING_BYTES: u32 = 16 << 20;

/// The flags of `uprobes`.
#[derive(Debug, Args)]
pub struct UprobeArgs {
    /// The executable; every process that runs it is probed
    #[arg(value_name = "ORIGINAL")]
    original: PathBuf,

    /// A file of rules, on top of gopatch's default ones; may be given several times
    #[arg(long, value_name = "FILE", action = clap::ArgAction::Append)]
    rules: Vec<PathBuf>,

    /// Leave out the rules that gopatch comes with
    #[arg(long)]
    no_default_rules: bool,

    /// How operations are printed
    #[arg(long, value_enum, default_value = "text")]
    print: Print,

    /// Bytes of the ring that all CPUs share; a power of two
    #[arg(long, value_name = "N", default_value_t = UPROBE_RING_BYTES, value_parser = parse_ring_bytes)]
    ring_bytes: u32,
}

impl From<UprobeArgs> for Options {
    fn from(args: UprobeArgs) -> Self {
        let UprobeArgs { original, rules, no_default_rules, print, ring_bytes } = args;
        Self { original, rules, no_default_rules, print, ring_bytes }
    }
}
