//! The load generator of the corpus, and what it saw of each request.
//!
//! Decides which operation belongs to a request: the one with its path. No request is sent twice.

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use xtask::corpus;

use crate::gopatchd::Operation;
use crate::process::Process;
use crate::{NEWEST_GO, Scratch, Server};

/// Plain HTTP, and HTTPS with each protocol.
pub const HTTP: [(bool, &str); 3] = [(false, "h1"), (true, "h1"), (true, "h2")];

/// The handler that behaves as most handlers do.
pub const FAST: &str = "fast";

/// Every behaviour of the corpus server's handlers.
pub const MIX: &str = "fast,slow,stream,panic,hijack,echo,missing,status";

/// A load for a server.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// Over HTTPS.
    pub tls: bool,
    /// `h1` or `h2`.
    pub proto: &'a str,
    /// Handlers, in turn.
    pub mix: &'a str,
    /// Requests.
    pub count: usize,
    /// Requests in flight.
    pub in_flight: usize,
    /// A part of the paths that distinguishes this load from others.
    pub tag: &'a str,
}

/// A request as the client saw it.
#[derive(Debug, Clone, Deserialize)]
pub struct Seen {
    /// HTTP method.
    pub method: String,
    /// Path, unique to this request.
    pub path: String,
    /// Status; 0 without an answer.
    pub status: u64,
    /// When it was sent.
    pub start_unix_nano: u64,
    /// Until the last byte of the answer.
    pub duration_nano: u64,
}

impl Load<'_> {
    /// Sends it and waits for all answers, which must be the expected ones.
    pub fn send(&self, scratch: &Scratch, server: &Server) -> Result<Vec<Seen>> {
        self.send_to(scratch, &server.url(self.tls))
    }

    /// The same, to any server that has such handlers.
    pub fn send_to(&self, scratch: &Scratch, url: &str) -> Result<Vec<Seen>> {
        self.send_by(scratch, self.command(scratch, url)?, Duration::ZERO)
    }

    /// The same at this many requests a second.
    pub fn send_at(&self, rate: u32, scratch: &Scratch, server: &Server) -> Result<Vec<Seen>> {
        let mut command = self.command(scratch, &server.url(self.tls))?;
        command.args(["-rate", &rate.to_string()]);
        self.send_by(scratch, command, Duration::from_secs_f64(self.count as f64 / f64::from(rate)))
    }

    /// Sends it, which should not take much longer than `takes`.
    fn send_by(&self, scratch: &Scratch, mut command: Command, takes: Duration) -> Result<Vec<Seen>> {
        command.args(["-n", &self.count.to_string()]);
        Process::run(&mut command, scratch.path(), &self.name(), takes + Duration::from_mins(2))?;
        let seen = self.read(scratch)?;
        ensure!(seen.len() == self.count, "loadgen sent {} requests instead of {}", seen.len(), self.count);
        Ok(seen)
    }

    fn read(&self, scratch: &Scratch) -> Result<Vec<Seen>> {
        let path = scratch.file(&format!("{}.seen", self.name()));
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("loadgen wrote {line:?}"))).collect()
    }

    fn name(&self) -> String {
        format!("loadgen-{}", self.tag)
    }

    fn command(&self, scratch: &Scratch, url: &str) -> Result<Command> {
        let mut command = Command::new(corpus::build("loadgen", NEWEST_GO, "default")?);
        command.args(["-url", url, "-proto", self.proto, "-mix", self.mix, "-tag", self.tag]);
        command.args(["-c", &self.in_flight.to_string()]);
        command.arg("-out").arg(scratch.file(&format!("{}.seen", self.name())));
        Ok(command)
    }
}

impl Seen {
    /// The handler of its path.
    pub fn handler(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }
}

/// Pairs requests with operations by path. Each request must have one, and each operation a
/// request.
pub fn pair<'a>(
    seen: &'a [Seen],
    operations: impl Iterator<Item = &'a Operation>,
) -> Result<Vec<(&'a Seen, &'a Operation)>> {
    let mut by_path: HashMap<&str, &Operation> = HashMap::new();
    for operation in operations {
        let path = operation.text("url.path").with_context(|| format!("no path: {operation:?}"))?;
        if let Some(twin) = by_path.insert(path, operation) {
            bail!("two operations of one request:\n{twin:?}\n{operation:?}");
        }
    }
    let mut pairs = Vec::with_capacity(seen.len());
    let mut missed = Vec::new();
    for one in seen {
        match by_path.remove(one.path.as_str()) {
            Some(operation) => pairs.push((one, operation)),
            None => missed.push(one),
        }
    }
    ensure!(
        missed.is_empty(),
        "{} of {} requests have no operation, such as {:?}",
        missed.len(),
        seen.len(),
        missed[0]
    );
    ensure!(by_path.is_empty(), "{} operations have no request, such as {:?}", by_path.len(), by_path.values().next());
    Ok(pairs)
}
