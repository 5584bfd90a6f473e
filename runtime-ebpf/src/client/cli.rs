//! The flags of `status`, `top` and `rule`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gopatch_protocol::manifest::Ratio;
use gopatch_protocol::wire::DEFAULT_SOCKET;

use crate::control;

/// How to reach the running gopatchd.
#[derive(Debug, Args)]
pub struct ControlArgs {
    /// Control socket of the running gopatchd
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

    /// Seconds between two refreshes
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = interval)]
    pub(crate) interval: f64,
}

/// The flags of `rule`.
#[derive(Debug, Args)]
pub struct RuleArgs {
    /// What to do with the rule
    #[arg(value_enum)]
    pub(crate) what: RuleAction,

    /// Name of the rule, as `gopatchd status` shows it
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,

    /// With `sample`: the part of recorded calls that becomes operations; greater than 0 and at
    /// most 1
    #[arg(value_name = "RATIO", required_if_eq("what", "sample"), value_parser = ratio)]
    pub(crate) ratio: Option<Ratio>,

    /// Switch it only in this process; otherwise in all, and in those that attach later
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,

    #[command(flatten)]
    pub(crate) control: ControlArgs,
}

/// What can be done with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RuleAction {
    /// Let its hooks record
    Enable,
    /// Let its hooks do nothing
    Disable,
    /// Let its hooks record, and make operations of a part of the recorded calls
    Sample,
}

fn default_control() -> PathBuf {
    control::default_socket(DEFAULT_SOCKET.as_ref())
}

fn interval(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (0.1..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("not between 0.1 and 3600".to_owned()) }
}

fn ratio(text: &str) -> Result<Ratio, String> {
    let ratio = text.parse().map_err(|error| format!("{error}"))?;
    Ratio::new(ratio).ok_or_else(|| "must be greater than 0 and at most 1".to_owned())
}
