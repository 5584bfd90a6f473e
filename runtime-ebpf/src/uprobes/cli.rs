//! The flags of `uprobes`.

use std::path::PathBuf;

use clap::Args;

use super::Options;
use crate::console::print::Print;
use crate::rings::parse_ring_bytes;

/// The default size of the ring: as large as the output ring for the records of hooks.
const UPROBE_RING_BYTES: u32 = 16 << 20;

/// The flags of `uprobes`.
#[derive(Debug, Args)]
pub struct UprobeArgs {
    /// Executable; every process that runs it is probed
    #[arg(value_name = "ORIGINAL")]
    original: PathBuf,

    /// File of rules, in addition to gopatch's default rules; may be given several times
    #[arg(long, value_name = "FILE", action = clap::ArgAction::Append)]
    rules: Vec<PathBuf>,

    /// Omit gopatch's default rules
    #[arg(long)]
    no_default_rules: bool,

    /// How operations are printed
    #[arg(long, value_enum, default_value = "text")]
    print: Print,

    /// Bytes of the ring that all CPUs share, a power of two
    #[arg(long, value_name = "N", default_value_t = UPROBE_RING_BYTES, value_parser = parse_ring_bytes)]
    ring_bytes: u32,
}

impl From<UprobeArgs> for Options {
    fn from(args: UprobeArgs) -> Self {
        let UprobeArgs { original, rules, no_default_rules, print, ring_bytes } = args;
        Self { original, rules, no_default_rules, print, ring_bytes }
    }
}
