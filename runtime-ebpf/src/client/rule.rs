//! `gopatchd rule`: switches a rule in running processes.

use anyhow::{Result, bail};
use hyper::Method;

use super::cli::{RuleAction, RuleArgs};
use super::request::ask;
use crate::control::switch::{Setting, Switch, Switched};

/// Switches a rule. Gives whether any process has it.
pub fn rule(args: &RuleArgs) -> Result<bool> {
    let setting = match (args.what, args.ratio) {
        (RuleAction::Enable, None) => Setting::Enable,
        (RuleAction::Disable, None) => Setting::Disable,
        (RuleAction::Sample, Some(ratio)) => Setting::Sample(ratio),
        (_, Some(_)) => bail!("a ratio only goes with sample"),
        (RuleAction::Sample, None) => bail!("sample needs a ratio"),
    };
    let switch = Switch { rule: args.rule.clone(), setting, pid: args.pid };
    let body = serde_json::to_vec(&switch)?;
    let Switched { processes, functions } = ask(&args.control.control, Method::POST, "/rule", body)?;
    let later = if args.pid.is_none() { "; it holds for those that come later too" } else { "" };
    println!("{functions} functions in {processes} processes{later}");
    Ok(processes > 0)
}
