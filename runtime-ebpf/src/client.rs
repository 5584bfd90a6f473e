//! Asking the running gopatchd, by its control socket.
//!
//! Decides: how answers are shown.
//! Trusts: whoever may open the socket: it is gopatchd's own.
//! Never does: waiting for long.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;

use crate::cli::{RuleAction, RuleArgs, StatusArgs};
use crate::export::status::{Process, Status};
use crate::switch::{Setting, Switch, Switched};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Prints the status.
pub fn status(args: &StatusArgs) -> Result<()> {
    let text = if args.json {
        let status: serde_json::Value = get(&args.control.control, "/status")?;
        format!("{status:#}\n")
    } else {
        shown(&get(&args.control.control, "/status")?)
    };
    std::io::stdout().write_all(text.as_bytes()).context("cannot print")
}

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

/// Asks for something.
pub(crate) fn get<T: DeserializeOwned>(control: &Path, what: &str) -> Result<T> {
    ask(control, Method::GET, what, Vec::new())
}

fn ask<T: DeserializeOwned>(control: &Path, method: Method, what: &str, body: Vec<u8>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, send(control, method, what, body)).await });
    let (is_good, body) = answer.context("gopatchd does not answer")??;
    if !is_good {
        bail!("gopatchd says: {}", String::from_utf8_lossy(&body));
    }
    serde_json::from_slice(&body).context("the answer is of another version of gopatchd")
}

async fn send(control: &Path, method: Method, what: &str, body: Vec<u8>) -> Result<(bool, Bytes)> {
    let stream = tokio::net::UnixStream::connect(control).await;
    let stream = stream.with_context(|| format!("no gopatchd can be asked at {}", control.display()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::builder().method(method).uri(what).header("host", "gopatchd");
    let answer = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
    let is_good = answer.status().is_success();
    let body = answer.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((is_good, body))
}

/// The status for a person.
fn shown(status: &Status) -> String {
    let Status { version, pid, uptime_seconds, backend, alive, totals, spans, processes } = status;
    let mut text = String::new();
    let up = humantime::format_duration(Duration::from_secs(*uptime_seconds as u64));
    let health = if *alive { "" } else { ", STUCK: the rings are not looked at" };
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
    if !processes.is_empty() {
        text += "\n     PID  SERVICE               VERSION       GO          RECORDS  OPERATIONS       LOST\n";
    }
    for process in processes {
        let Process { pid, service, version, go_version, ended, records, operations, lost, rules, .. } = process;
        let lost = lost.sum();
        let ended = if *ended { "  (ended)" } else { "" };
        writeln!(
            text,
            "{pid:>8}  {:<20}  {:<12}  {go_version:<8} {records:>10}  {operations:>10} {lost:>10}{ended}",
            printable(service),
            printable(version)
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

/// Text that a terminal shows and does not obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
