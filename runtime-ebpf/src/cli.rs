//! The command line: flags, and the settings that they give.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::client::cli::{RuleArgs, StatusArgs, TopArgs};
use crate::config::Config;
use crate::config::file::Settings;
use crate::console::print::Print;
use crate::rings::{BackendChoice, parse_ring_bytes};
use crate::uprobes::cli::UprobeArgs;

const AFTER_HELP: &str = "\
Exit status:
  0  success; a collecting gopatchd was stopped by a signal
  1  rule: no process has the rule; ab: see `gopatchd ab --help`
  2  failed

Examples:
  gopatchd
  gopatchd --http 127.0.0.1:9464 --print text
  gopatchd status
  gopatchd rule disable tls.handshake";

/// Collect the events of programs patched by gopatch, and make OpenTelemetry spans and metrics of
/// them
#[derive(Debug, Parser)]
#[command(
    name = "gopatchd",
    version,
    after_help = AFTER_HELP,
    args_override_self = true,
    args_conflicts_with_subcommands = true
)]
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

    /// Collect the operations of a program that is not patched, by uprobes, for comparison with
    /// hooks
    #[command(hide = true)]
    Uprobes(UprobeArgs),

    /// Show or check settings
    #[command(subcommand)]
    Config(ConfigCommand),

    /// Show what the running gopatchd has collected, and from which processes
    Status(StatusArgs),

    /// Show live what patched programs do
    Top(TopArgs),

    /// Switch a rule in running processes
    Rule(RuleArgs),
}

/// Settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a file and the environment; print nothing if both are valid
    Check {
        /// File of settings; without it only the environment is checked
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print a file of all settings with their defaults
    Example,
}

/// The flags of the daemon.
#[derive(Debug, Args)]
pub struct CollectArgs {
    /// File of settings (`gopatchd config example` prints all); the standard OTEL_ variables and
    /// flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Unix socket to which patched programs connect [default: /run/gopatch/gopatchd.sock]
    #[arg(long, value_name = "PATH")]
    listen: Option<PathBuf>,

    /// How rings are created and drained [default: auto]
    #[arg(long, value_enum)]
    backend: Option<BackendChoice>,

    /// How operations are printed [default: text, or none if spans or metrics are exported]
    #[arg(long, value_enum)]
    print: Option<Print>,

    /// Bytes of each ring, a power of two; larger rings survive longer bursts [default: 8 MiB, or
    /// less, down to 1 MiB, if the rings of a process would exceed 32 MiB, or those of all
    /// processes 256 MiB]
    #[arg(long, value_name = "N", value_parser = parse_ring_bytes)]
    ring_bytes: Option<u32>,

    /// Folder in a BPF file system where the bpf backend pins its output for other tools [default:
    /// /sys/fs/bpf/gopatch]
    #[arg(long, value_name = "DIR")]
    pin: Option<PathBuf>,

    /// Serve /metrics and /healthz on this address, such as 127.0.0.1:9464
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,

    /// Unix socket for `gopatchd status`, `top` and `rule` [default: beside the one of --listen]
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
}

impl CollectArgs {
    /// All settings: those of the file, overridden by the environment, overridden by the flags.
    pub fn config(self) -> Result<Config> {
        let Self { config, listen, backend, print, ring_bytes, pin, http, control } = self;
        let settings = config.as_deref().map_or_else(|| Ok(Settings::default()), Settings::read)?;
        let mut settings = settings.with_environment(&|name| std::env::var(name).ok())?;
        override_with(&mut settings.collect.listen, listen);
        override_with(&mut settings.collect.backend, backend);
        override_with(&mut settings.print, print);
        override_with(&mut settings.collect.ring_bytes, ring_bytes);
        override_with(&mut settings.collect.pin, pin);
        override_with(&mut settings.http.listen, http);
        override_with(&mut settings.control.socket, control);
        settings.resolve()
    }
}

/// Replaces a setting by a flag, if the flag was given.
fn override_with<T>(setting: &mut Option<T>, flag: Option<T>) {
    *setting = flag.or(setting.take());
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_valid() {
        Cli::command().debug_assert();
    }
}
