//! `gopatchd rule`: switches a rule in running processes.

use anyhow::{Result, bail};
use hyper::Method;

use super::cli::{RuleAction, RuleArgs};
use super::request::send_request;
use crate::control::switch::{Setting, Switch, Switched};

/// Switches a rule. Returns whether any process has it.
pub fn rule(args: &RuleArgs) -> Result<bool> {
    let setting = match (args.what, args.ratio) {
        (RuleAction::Enable, None) => Setting::Enable,
        (RuleAction::Disable, None) => Setting::Disable,
        (RuleAction::Sample, Some(ratio)) => Setting::Sample(ratio),
        (_, Some(_)) => bail!("RATIO is allowed only with `sample`"),
        (RuleAction::Sample, None) => bail!("`sample` needs RATIO"),
    };
    let switch = Switch { rule: args.rule.clone(), setting, pid: args.pid };
    let body = serde_json::to_vec(&switch)?;
    let Switched { processes, functions } = send_request(&args.control.control, Method::POST, "/rule", body)?;
    let later = if args.pid.is_none() { "; also applies to processes that attach later" } else { "" };
    let (functions, in_processes) =
        (count(functions, "function", "functions"), count(processes, "process", "processes"));
    println!("{functions} in {in_processes}{later}");
    Ok(processes > 0)
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
