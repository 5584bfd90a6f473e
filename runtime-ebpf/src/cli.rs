//! The command line.
//!
//! Decides: flags and their defaults. Turns them into plain options before anything else sees them.
//! Trusts: nothing; sizes are checked here.
//! Never does: anything.

use std::path::PathBuf;

use clap::Parser;
use gopatch_trampolines::wire::{DEFAULT_RING_BYTES, DEFAULT_SOCKET, PAGE};

use crate::daemon::Options;
use crate::print::Print;
use crate::rings::Choice;

/// Largest ring. Each P of each process gets one.
const MAX_RING_BYTES: u32 = 1 << 28;

/// Collects the events of programs patched by gopatch, and prints their operations.
#[derive(Debug, Parser)]
#[command(name = "gopatchd", version, args_override_self = true)]
pub struct Cli {
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

impl From<Cli> for Options {
    fn from(cli: Cli) -> Self {
        let Cli { listen, backend, print, ring_bytes, pin } = cli;
        Self { listen, backend, print, ring_bytes, pin }
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
