//! What runs alongside the program: gopatchd as a process, another tool's agent, or the server that
//! a program exports to.
//!
//! gopatchd does all its usual work, up to writing the JSON, which it then discards. Its summary
//! says how many records it received and lost. It has its own socket and pins, so that a gopatchd
//! that serves this host is not disturbed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::options::Rules;
use crate::process::{Process, stop};
use crate::template::{Template, Values};

/// How long gopatchd may take to start. Thousands of uprobes take some seconds.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The running executable, even if its file has been replaced.
const OWN_EXECUTABLE: &str = "/proc/self/exe";

/// What runs alongside a program.
#[derive(Debug, Clone)]
pub(crate) enum Companion {
    /// gopatchd with this backend.
    Daemon(&'static str),
    /// gopatchd with uprobes on this file, and the flags for its rules.
    Uprobes { original: PathBuf, rules: Vec<String> },
    /// Another tool's agent, which finds the program by itself.
    Agent(Template, Duration),
    /// What a program needs before it starts, such as the server its SDK exports to.
    Sink(Template, Duration),
}

/// A running companion.
#[derive(Debug)]
pub(crate) struct Collector {
    process: Process,
    /// The folder in a BPF file system to remove at the end.
    pin: Option<PathBuf>,
    prints_summary: bool,
}

/// The parts of gopatchd's summary that are needed here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Operations reported.
    pub(crate) operations: u64,
    /// Records received.
    pub(crate) records: u64,
    /// Programs attached.
    pub(crate) sessions: u64,
    /// Records lost.
    lost: Lost,
    /// Calls recorded or reported in part because the program ran out of room.
    words_missing: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Lost {
    total: u64,
}

#[derive(Deserialize)]
struct LastLine {
    summary: Summary,
}

impl Summary {
    /// Records lost for any reason.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.total + self.words_missing
    }
}

/// The flags that make gopatchd's uprobes use the same rules as the patch.
pub(crate) fn rule_flags(rules: &Rules) -> Vec<String> {
    let mut flags = Vec::new();
    if !rules.default {
        flags.push("--no-default-rules".to_owned());
    }
    for file in &rules.files {
        flags.extend(["--rules".to_owned(), file.display().to_string()]);
    }
    flags
}

impl Companion {
    /// Starts what must run before the program.
    pub(crate) fn start_before(&self, folder: &Path, socket: &Path, values: &Values) -> Result<Option<Collector>> {
        let path = |path: &Path| path.display().to_string();
        let mut pin = None;
        // The texts by which gopatchd reports on stderr that it is ready are part of its interface.
        let (mut words, ready) = match self {
            Self::Daemon(backend) => {
                let name = format!("gopatch-ab-{}", std::process::id());
                let folder = pin.insert(Path::new("/sys/fs/bpf").join(name));
                let words = ["--listen", &path(socket), "--backend", backend, "--pin", &path(folder)];
                (words.map(str::to_owned).to_vec(), "listening on")
            }
            Self::Uprobes { original, rules } => {
                let mut words = vec!["uprobes".to_owned(), path(original)];
                words.extend_from_slice(rules);
                (words, "uprobes attached")
            }
            Self::Sink(command, wait) => return start_foreign(command, *wait, folder, values).map(Some),
            Self::Agent(..) => return Ok(None),
        };
        words.extend(["--print", "discard"].map(str::to_owned));
        words.insert(0, OWN_EXECUTABLE.to_owned());
        let process = Process::start(&folder.join("collector"), "gopatchd", &words, &[])?;
        let mut collector = Collector { process, pin, prints_summary: true };
        let is_ready = |process: &Process| Ok(process.stderr().contains(ready).then_some(()));
        collector.process.wait_for("start", START_TIMEOUT, is_ready)?;
        Ok(Some(collector))
    }

    /// Starts what must find the running program.
    pub(crate) fn start_after(&self, folder: &Path, values: &Values) -> Result<Option<Collector>> {
        match self {
            Self::Agent(command, wait) => start_foreign(command, *wait, folder, values).map(Some),
            _ => Ok(None),
        }
    }
}

/// Starts another tool and gives it a fixed time, since there is no general way to tell when it is
/// ready.
fn start_foreign(command: &Template, wait: Duration, folder: &Path, values: &Values) -> Result<Collector> {
    let words = command.fill(values);
    let mut process = Process::start(&folder.join("collector"), "the agent", &words, &[])?;
    if let Some(status) = stop::poll(wait, || process.exit_status())? {
        bail!("{}", process.with_output(&format!("ended with {status}")));
    }
    Ok(Collector { process, pin: None, prints_summary: false })
}

impl Collector {
    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Stops the process; returns the summary of a gopatchd.
    pub(crate) fn stop(mut self) -> Result<Option<Summary>> {
        self.process.stop()?;
        if !self.prints_summary {
            return Ok(None);
        }
        let stdout = self.process.stdout();
        let last = stdout.lines().next_back().unwrap_or_default();
        let LastLine { summary } =
            serde_json::from_str(last).with_context(|| self.process.with_output("printed no summary"))?;
        Ok(Some(summary))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // A gopatchd that was not killed has removed its pin itself; with memfd there is none.
        if let Some(pin) = &self.pin {
            let _ = fs::remove_file(pin.join("gopatch_events"));
            let _ = fs::remove_dir(pin);
        }
    }
}
