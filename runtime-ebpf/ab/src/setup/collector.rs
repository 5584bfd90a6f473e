//! What runs beside the program: gopatchd itself, in a process of its own, or somebody else's agent.
//!
//! Decides: that gopatchd does all that it does for a user, up to the JSON, which it throws away.
//! Trusts: its summary for how many records came and how many were lost.
//! Never does: touch the socket or the pins of a gopatchd that serves this host.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::options::Rules;
use crate::process::Process;
use crate::process::stop;
use crate::template::{Template, Values};

/// How long gopatchd may take to start. Uprobes of thousands of functions take some seconds.
const SOON: Duration = Duration::from_secs(30);

/// The running executable, even if its file was replaced since.
const OWN_EXECUTABLE: &str = "/proc/self/exe";

/// What runs beside a program.
#[derive(Debug, Clone)]
pub(crate) enum Beside {
    /// gopatchd with this backend.
    Daemon(&'static str),
    /// gopatchd with uprobes on this file, and flags for the rules.
    Uprobes { original: PathBuf, rules: Vec<String> },
    /// Somebody else's agent, which finds the program by itself.
    Agent(Template, Duration),
    /// What a program needs to be there before it, such as what an SDK exports to.
    Sink(Template, Duration),
}

/// It, running.
#[derive(Debug)]
pub(crate) struct Collector {
    process: Process,
    /// A folder in a BPF file system, to be removed.
    pin: Option<PathBuf>,
    summarizes: bool,
}

/// What gopatchd says at its end, as far as it is of interest here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Calls that were told.
    pub(crate) operations: u64,
    /// Records received.
    pub(crate) records: u64,
    /// Programs that attached.
    pub(crate) sessions: u64,
    /// Records lost.
    lost: Lost,
    /// Calls told or recorded in part, for want of room in the program.
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
    /// Records that were lost, for whatever reason.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.total + self.words_missing
    }
}

/// Flags that make gopatchd's uprobes those of a patch by the same rules.
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

impl Beside {
    /// Starts what has to be there before the program.
    pub(crate) fn start_before(&self, folder: &Path, socket: &Path, values: &Values) -> Result<Option<Collector>> {
        let path = |path: &Path| path.display().to_string();
        let mut pin = None;
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
            Self::Sink(command, wait) => return foreign(command, *wait, folder, values).map(Some),
            Self::Agent(..) => return Ok(None),
        };
        words.extend(["--print", "discard"].map(str::to_owned));
        words.insert(0, OWN_EXECUTABLE.to_owned());
        let process = Process::start(&folder.join("collector"), "gopatchd", &words, &[])?;
        let mut collector = Collector { process, pin, summarizes: true };
        let is_ready = |process: &Process| Ok(process.stderr().contains(ready).then_some(()));
        collector.process.wait_for("start", SOON, is_ready)?;
        Ok(Some(collector))
    }

    /// Starts what has to find the program.
    pub(crate) fn start_after(&self, folder: &Path, values: &Values) -> Result<Option<Collector>> {
        match self {
            Self::Agent(command, wait) => foreign(command, *wait, folder, values).map(Some),
            _ => Ok(None),
        }
    }
}

/// Starts somebody else's program, and gives it time. Nobody knows by what it tells that it is ready.
fn foreign(command: &Template, wait: Duration, folder: &Path, values: &Values) -> Result<Collector> {
    let words = command.filled(values);
    let mut process = Process::start(&folder.join("collector"), "the agent", &words, &[])?;
    if let Some(status) = stop::wait(wait, || process.ended())? {
        bail!("{}", process.told(&format!("ended with {status}")));
    }
    Ok(Collector { process, pin: None, summarizes: false })
}

impl Collector {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Ends it and gives what it says, if it is gopatchd.
    pub(crate) fn stop(mut self) -> Result<Option<Summary>> {
        self.process.stop()?;
        if !self.summarizes {
            return Ok(None);
        }
        let said = self.process.stdout();
        let last = said.lines().next_back().unwrap_or_default();
        let LastLine { summary } =
            serde_json::from_str(last).with_context(|| self.process.told("printed no summary"))?;
        Ok(Some(summary))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // A gopatchd that ends in order has removed its pin, and with memfd there is none.
        if let Some(pin) = &self.pin {
            let _ = fs::remove_file(pin.join("gopatch_events"));
            let _ = fs::remove_dir(pin);
        }
    }
}
