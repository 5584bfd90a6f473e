//! `gopatchd status`: what the running gopatchd has collected, and from which processes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};

use super::cli::StatusArgs;
use super::request::get;
use crate::console::text::{printable, printable_json};
use crate::control::api::{ProcessStatus, Status};

/// Prints the status.
pub fn status(args: &StatusArgs) -> Result<()> {
    let text = if args.json {
        let status: serde_json::Value = get(&args.control.control, "/status")?;
        printable_json(&format!("{status:#}\n")).into_owned()
    } else {
        format_status(&get(&args.control.control, "/status")?)
    };
    std::io::stdout().write_all(text.as_bytes()).context("cannot print")
}

/// The status as text.
fn format_status(status: &Status) -> String {
    let Status { version, pid, uptime_seconds, backend, alive, totals, spans, processes, .. } = status;
    let mut text = String::new();
    let up = humantime::format_duration(Duration::from_secs(*uptime_seconds as u64));
    let health = if *alive { "" } else { ", STUCK: the main loop does not look at the rings" };
    writeln!(text, "gopatchd {version}, pid {pid}, up {up}, backend {backend}{health}").expect("a String takes all");
    writeln!(text, "{totals}").expect("a String takes all");
    if let Some(spans) = spans {
        writeln!(
            text,
            "spans pushed: {}, waiting: {} ({} bytes), lost: {} (queue full), {} (rejected)",
            spans.pushed, spans.waiting, spans.waiting_bytes, spans.lost_queue_full, spans.lost_rejected
        )
        .expect("a String takes all");
    }
    writeln!(text, "memory: at most {} MiB", status.memory_limit_bytes >> 20).expect("a String takes all");
    for limit in status.limits.iter().filter(|limit| limit.refused > 0) {
        writeln!(
            text,
            "limits: {} refused {} times, {} of {} in use",
            limit.name, limit.refused, limit.used, limit.limit
        )
        .expect("a String takes all");
    }
    if !processes.is_empty() {
        text += "\n     PID  SERVICE               VERSION       GO          RECORDS  OPERATIONS       LOST\n";
    }
    for process in processes {
        let ProcessStatus { pid, service, version, go_version, ended, records, operations, lost, rules, .. } = process;
        let lost = lost.sum();
        let ended = if *ended { "  (ended)" } else { "" };
        writeln!(
            text,
            "{pid:>8}  {:<20}  {:<12}  {:<8} {records:>10}  {operations:>10} {lost:>10}{ended}",
            printable(service),
            printable(version),
            printable(go_version)
        )
        .expect("a String takes all");
        for rule in rules {
            let state = match (rule.state.enabled, rule.state.sample) {
                (false, _) => "off".to_owned(),
                (true, None) => "on".to_owned(),
                (true, Some(ratio)) => format!("on, sampled {ratio}"),
            };
            writeln!(text, "          {}: {state}, {} functions", printable(&rule.name), rule.functions)
                .expect("a String takes all");
        }
    }
    text
}
