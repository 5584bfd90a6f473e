//! The command line.
//!
//! Decides: flags and their defaults. Turns them into plain options before anything else sees them.
//! Trusts: nothing; sizes are checked here.
//! Never does: anything.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use gopatch_protocol::manifest::Ratio;
use gopatch_protocol::wire::DEFAULT_SOCKET;

use crate::config::file::Settings;
use crate::config::{self, Config};
use crate::print::Print;
use crate::rings::Choice;
use crate::uprobes;

/// The ring of `uprobes`: as large as the one that hooks' records come through.
const UPROBE_RING_BYTES: u32 = 16 << 20;

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

/// Where the running gopatchd is asked.
#[derive(Debug, Args)]
pub struct ControlArgs {
    /// The control socket of the running gopatchd. Without it, the one beside the default socket
    #[arg(long, value_name = "PATH", env = "GOPATCHD_CONTROL_SOCKET", default_value_os_t = default_control())]
    pub(crate) control: PathBuf,
}

/// The flags of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub(crate) control: ControlArgs,

    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// The flags of `top`.
#[derive(Debug, Args)]
pub struct TopArgs {
    #[command(flatten)]
    pub(crate) control: ControlArgs,

    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = interval)]
    pub(crate) interval: f64,
}

/// The flags of `rule`.
#[derive(Debug, Args)]
pub struct RuleArgs {
    /// What to do with it
    #[arg(value_enum)]
    pub(crate) what: RuleAction,

    /// The rule's name, as `gopatchd status` shows it
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,

    /// With `sample`: the part of what is recorded that becomes operations; more than 0, at most 1
    #[arg(value_name = "RATIO", required_if_eq("what", "sample"), value_parser = ratio)]
    pub(crate) ratio: Option<Ratio>,

    /// Only in this process; otherwise in all, and in those that come later
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,

    #[command(flatten)]
    pub(crate) control: ControlArgs,
}

/// What can be done with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RuleAction {
    /// Its hooks record
    Enable,
    /// Its hooks do nothing
    Disable,
    /// Its hooks record, and a part of that becomes operations
    Sample,
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
    #[arg(long, value_name = "N", value_parser = ring_bytes)]
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

fn default_control() -> PathBuf {
    config::default_control(DEFAULT_SOCKET.as_ref())
}

fn interval(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (0.1..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("not from 0.1 to 3600".to_owned()) }
}

fn ratio(text: &str) -> Result<Ratio, String> {
    let ratio = text.parse().map_err(|error| format!("{error}"))?;
    Ratio::new(ratio).ok_or_else(|| "not more than 0 and at most 1".to_owned())
}

impl From<UprobeArgs> for uprobes::Options {
    fn from(args: UprobeArgs) -> Self {
        let UprobeArgs { original, rules, no_default_rules, print, ring_bytes } = args;
        Self { original, rules, no_default_rules, print, ring_bytes }
    }
}

fn ring_bytes(text: &str) -> Result<u32, String> {
    let bytes: u32 = text.parse().map_err(|error| format!("{error}"))?;
    config::check_ring_bytes(bytes).map(|()| bytes)
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
