//! The command line.
//!
//! Decides: flags and their defaults. Turns them into plain options before anything else sees them.
//! Trusts: nothing; sizes are checked here.
//! Never does: anything.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::client::cli::{RuleArgs, StatusArgs, TopArgs};
use crate::config::Config;
use crate::config::file::Settings;
use crate::console::print::Print;
use crate::rings::{Choice, parse_ring_bytes};
use crate::uprobes::cli::UprobeArgs;

/// Collects the events of programs patched by gopatch, and makes OpenTelemetry spans and metrics of them.
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
    /// Measure what instrumentation costs a program under load
    Ab(Box<gopatchd_ab::AbArgs>),

    /// Collects the operations of a program that is not patched, by uprobes, to compare hooks with
    #[command(hide = true)]
    Uprobes(UprobeArgs),

    /// Says what settings there are, and whether a file of them is good
    #[command(subcommand)]
    Config(ConfigCommand),

    /// Says what the running gopatchd has collected, and from whom
    Status(StatusArgs),

    /// Shows what patched programs do, live
    Top(TopArgs),

    /// Switches a rule in running processes
    Rule(RuleArgs),
}

/// Settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Checks a file together with the environment, and prints nothing if both are good
    Check {
        /// A file of settings; without one, only the environment is checked
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Prints a file of all settings with their defaults
    Example,
}

/// The daemon's flags.
#[derive(Debug, Args)]
pub struct CollectArgs {
    /// A file of settings (`gopatchd config example` shows all). The standard OTEL_ variables and flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Unix socket on which patched programs find gopatchd [default: /run/gopatch/gopatchd.sock]
    #[arg(long, value_name = "PATH")]
    listen: Option<PathBuf>,

    /// How rings are made and drained [default: auto]
    #[arg(long, value_enum)]
    backend: Option<Choice>,

    /// How operations are printed [default: text, unless they go somewhere else]
    #[arg(long, value_enum)]
    print: Option<Print>,

    /// Bytes of each ring; a power of two. Larger rings bear longer bursts [default: 8 MiB, or less, down to 1 MiB, where
    /// a process's rings would take more than 32 MiB, or all processes' 256]
    #[arg(long, value_name = "N", value_parser = parse_ring_bytes)]
    ring_bytes: Option<u32>,

    /// Folder in a BPF file system where the bpf backend pins its output for other tools [default: /sys/fs/bpf/gopatch]
    #[arg(long, value_name = "DIR")]
    pin: Option<PathBuf>,

    /// Serve /metrics and /healthz on this address, such as 127.0.0.1:9464
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,

    /// Unix socket for `gopatchd status`, `top` and `rule` [default: beside the one that programs find]
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
}

impl CollectArgs {
    /// All settings: the file's, the environment's over them, and the flags over both.
    pub fn config(self) -> Result<Config> {
        let Self { config, listen, backend, print, ring_bytes, pin, http, control } = self;
        let settings = config.as_deref().map_or_else(|| Ok(Settings::default()), Settings::read)?;
        let mut settings = settings.with_environment(&|name| std::env::var(name).ok())?;
        over(&mut settings.collect.listen, listen);
        over(&mut settings.collect.backend, backend);
        over(&mut settings.print, print);
        over(&mut settings.collect.ring_bytes, ring_bytes);
        over(&mut settings.collect.pin, pin);
        over(&mut settings.http.listen, http);
        over(&mut settings.control.socket, control);
        settings.resolve()
    }
}

/// Lays a flag over a setting.
fn over<T>(setting: &mut Option<T>, flag: Option<T>) {
    *setting = flag.or(setting.take());
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
