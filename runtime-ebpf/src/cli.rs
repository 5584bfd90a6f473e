//! The command line.
//!
//! Decides: flags and their defaults. Turns them into plain options before anything else sees them.
//! Trusts: nothing; sizes are checked here.
//! Never does: anything.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use gopatch_trampolines::wire::{DEFAULT_RING_BYTES, DEFAULT_SOCKET, PAGE};

use crate::ab;
use crate::daemon::Options;
use crate::print::Print;
use crate::rings::Choice;
use crate::uprobes;

/// Largest ring. Each P of each process gets one.
const MAX_RING_BYTES: u32 = 1 << 28;

/// The ring of `uprobes`: as large as the one that hooks' records come through.
const UPROBE_RING_BYTES: u32 = 16 << 20;

/// Collects the events of programs patched by gopatch, and prints their operations.
#[derive(Debug, Parser)]
#[command(name = "gopatchd", version, args_override_self = true, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do instead of collecting.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// How to collect.
    #[command(flatten)]
    pub collect: CollectArgs,
}

/// What gopatchd does besides collecting.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compares a program with itself patched, and with rivals, under load: what does it cost?
    Ab(Box<ab::AbArgs>),

    /// Collects the operations of a program that is not patched, by uprobes, to compare hooks with
    #[command(hide = true)]
    Uprobes(UprobeArgs),
}

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
    #[arg(long, value_name = "N", default_value_t = UPROBE_RING_BYTES, value_parser = ring_bytes)]
    ring_bytes: u32,
}

/// The daemon's flags.
#[derive(Debug, Args)]
pub struct CollectArgs {
    /// Unix socket on which patched programs find gopatchd
    #[arg(long, value_name = "PATH", default_value = DEFAULT_SOCKET)]
    listen: PathBuf,

    /// How rings are made and drained
    #[arg(long, value_enum, default_value = "auto")]
    backend: Choice,

    /// How operations are printed
    #[arg(long, value_enum, default_value = "text")]
    print: Print,

    /// Bytes of each ring; a power of two. Larger rings bear longer bursts
    #[arg(long, value_name = "N", default_value_t = DEFAULT_RING_BYTES, value_parser = ring_bytes)]
    ring_bytes: u32,

    /// Folder in a BPF file system where the bpf backend pins its output for other tools
    #[arg(long, value_name = "DIR", default_value = "/sys/fs/bpf/gopatch")]
    pin: PathBuf,
}

impl From<CollectArgs> for Options {
    fn from(args: CollectArgs) -> Self {
        let CollectArgs { listen, backend, print, ring_bytes, pin } = args;
        Self { listen, backend, print, ring_bytes, pin }
    }
}

impl From<UprobeArgs> for uprobes::Options {
    fn from(args: UprobeArgs) -> Self {
        let UprobeArgs { original, rules, no_default_rules, print, ring_bytes } = args;
        Self { original, rules, no_default_rules, print, ring_bytes }
    }
}

fn ring_bytes(text: &str) -> Result<u32, String> {
    let bytes: u32 = text.parse().map_err(|error| format!("{error}"))?;
    if bytes.is_power_of_two() && (PAGE as u32..=MAX_RING_BYTES).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(format!("not a power of two from {PAGE} to {MAX_RING_BYTES}"))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        assert_eq!(ring_bytes("4096"), Ok(4096));
        for bad in ["0", "5000", "2048", "536870912", "x"] {
            assert!(ring_bytes(bad).is_err(), "{bad}");
        }
    }
}
