//! gopatchd, as it collects the hooks' records while they are measured.
//!
//! Decides: that only its last line is kept: it prints a million operations. Ring size and all else are what a user gets.
//! The backend is memfd, which needs no right; a hook does not know the backend.
//! Trusts: gopatchd's summary for how many records came.
//! Never does: leave a gopatchd behind.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context, Result, bail, ensure};
use gopatch_tests::{Summary, release_binary};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::figures::Events;

/// A gopatchd that runs.
pub(crate) struct Collector {
    child: Child,
    socket: PathBuf,
    /// Reads the operations and keeps the last line, which is the summary.
    last_line: Option<JoinHandle<Result<String>>>,
}

#[derive(Deserialize)]
struct LastLine {
    summary: Summary,
}

impl Collector {
    /// Starts gopatchd, to be found at `socket`.
    pub(crate) fn start(socket: &Path) -> Result<Self> {
        let mut command = Command::new(release_binary("gopatchd")?);
        command.arg("--listen").arg(socket).args(["--backend", "memfd", "--print", "json"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("cannot start gopatchd")?;
        let mut collector = Self { child, socket: socket.to_owned(), last_line: None };
        let operations = collector.child.stdout.take().context("gopatchd's stdout is piped")?;
        collector.last_line = Some(std::thread::spawn(move || {
            let mut last = String::new();
            for line in BufReader::new(operations).lines() {
                last = line?;
            }
            Ok(last)
        }));
        let mut messages = BufReader::new(collector.child.stderr.take().context("gopatchd's stderr is piped")?);
        let mut said = String::new();
        while !said.contains("listening on") {
            ensure!(messages.read_line(&mut said)? > 0, "gopatchd did not start\n{}", said.trim_end());
        }
        // What it says later is in the summary too, but a full pipe would stop it.
        std::thread::spawn(move || messages.read_to_end(&mut Vec::new()));
        Ok(collector)
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends gopatchd and gives what it saw of `expected` records.
    pub(crate) fn end(mut self, of: &'static str, expected: u64) -> Result<Events> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot end gopatchd")?;
        let status = self.child.wait()?;
        ensure!(status.success(), "gopatchd ended with {status}");
        let Some(Ok(last_line)) = self.last_line.take().map(JoinHandle::join) else {
            bail!("gopatchd's output could not be read");
        };
        let LastLine { summary } = serde_json::from_str(&last_line?).context("gopatchd printed no summary")?;
        let lost = summary.lost.total + summary.words_missing;
        Ok(Events { of, expected, seen: summary.records, lost, may_repeat: false })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // After an ordinary end there is nothing to kill, which is an error that says so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
