//! Runs the command `gopatchd` and parses what it prints.
//!
//! Decides which backends are tested on this machine. Every printed field is parsed strictly. In CI
//! a bpf backend that does not work is a failure.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use rustix::fs::{FallocateFlags, fallocate};
use serde::Deserialize;
use serde_json::Value;

use crate::process::Process;
use crate::{SOON, Scratch, release_binary, wait_until};

/// A running gopatchd that prints JSON.
pub struct Gopatchd {
    process: Process,
    socket: PathBuf,
    pin: PathBuf,
    /// What a test has taken of its output.
    taken: Taken,
}

#[derive(Default)]
struct Taken {
    bytes: u64,
    operations: u64,
}

/// Everything that a gopatchd has printed.
pub struct Collected {
    /// In the order they were printed.
    pub operations: Vec<Operation>,
    /// The last line.
    pub summary: Summary,
    /// Its messages.
    pub stderr: String,
}

/// One operation, as gopatchd prints it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named and explained as gopatchd prints them")]
pub struct Operation {
    pub name: String,
    pub start_unix_nano: u64,
    pub duration_nano: u64,
    pub pid: u32,
    pub goid: u64,
    pub rule: String,
    pub kind: String,
    pub sample: Option<f64>,
    #[serde(default)]
    pub unwound: bool,
    #[serde(default)]
    pub unfinished: bool,
    pub trace_id: String,
    pub span_id: String,
    pub parent_span_id: Option<String>,
    #[serde(default)]
    pub remote_parent: bool,
    pub attributes: BTreeMap<String, Value>,
}

/// Totals, as gopatchd prints them when it ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named and explained as gopatchd prints them")]
pub struct Summary {
    pub operations: u64,
    pub unprinted: u64,
    pub records: u64,
    pub sessions: u64,
    pub refused: u64,
    pub lost: Lost,
    pub unpaired_exits: u64,
    pub evicted_calls: u64,
    pub words_missing: u64,
    pub broken_rings: u64,
    pub unproven_losses: u64,
    pub contexts: Vec<u64>,
}

/// Records lost, by cause.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named and explained as gopatchd prints them")]
pub struct Lost {
    pub total: u64,
    pub ring_full: u64,
    pub unconsumed: u64,
    pub left_by_earlier: u64,
    pub slot_busy: u64,
    pub output_full: u64,
    pub malformed: u64,
}

impl Operation {
    /// The value of an attribute that exists and is text.
    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute)?.as_str()
    }

    /// The value of an attribute that exists and is a number.
    pub fn number(&self, attribute: &str) -> Option<u64> {
        self.attributes.get(attribute)?.as_u64()
    }
}

impl Collected {
    /// The operations of one rule.
    pub fn of_rule(&self, rule: &str) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |operation| operation.rule == rule)
    }

    /// Fails if a record was lost or an exit had no entry.
    pub fn ensure_all_seen(&self) -> Result<()> {
        let summary = &self.summary;
        let missed = [
            summary.lost.total,
            summary.unprinted,
            summary.unpaired_exits,
            summary.evicted_calls,
            summary.words_missing,
            summary.unproven_losses,
        ];
        ensure!(missed.iter().all(|count| *count == 0) && summary.broken_rings == 0, "{summary:?}\n{}", self.stderr);
        Ok(())
    }
}

impl Gopatchd {
    /// Starts a gopatchd in the test's folder and waits until it listens.
    pub fn start(scratch: &Scratch, backend: &str, options: &[&str]) -> Result<Self> {
        Self::start_named(scratch, "gopatchd", backend, options)
    }

    /// Starts one that prints no operations, for programs that have too many.
    pub fn start_silent(scratch: &Scratch, backend: &str) -> Result<Self> {
        Self::start_printing(scratch, "gopatchd", backend, "none", &[])
    }

    /// The same with a name for its output files, for a test that starts several in turn.
    pub fn start_named(scratch: &Scratch, name: &str, backend: &str, options: &[&str]) -> Result<Self> {
        Self::start_printing(scratch, name, backend, "json", options)
    }

    fn start_printing(scratch: &Scratch, name: &str, backend: &str, print: &str, options: &[&str]) -> Result<Self> {
        let (socket, pin) = (socket(scratch), pin(scratch.path()));
        let mut command = Command::new(release_binary("gopatchd")?);
        command.args(["--print", print, "--backend", backend]).arg("--listen").arg(&socket);
        command.arg("--pin").arg(&pin).args(options);
        let process = Process::start(&mut command, scratch.path(), name)?;
        let mut gopatchd = Self { process, socket, pin, taken: Taken::default() };
        gopatchd
            .process
            .wait_for("listen", SOON, |process| Ok(process.stderr().contains("listening on").then_some(())))?;
        Ok(gopatchd)
    }

    /// Starts one with these settings, as text of a configuration file.
    pub fn start_by(scratch: &Scratch, backend: &str, settings: &str) -> Result<Self> {
        let file = scratch.file("gopatchd.yaml");
        fs::write(&file, settings)?;
        Self::start(scratch, backend, &["--config", &file.display().to_string()])
    }

    /// Runs a client command of gopatchd, such as `status`, against this gopatchd.
    pub fn run_client(&self, arguments: &[&str]) -> Result<std::process::Output> {
        let mut command = Command::new(release_binary("gopatchd")?);
        command.args(arguments).arg("--control").arg(self.control());
        command.output().context("cannot run gopatchd")
    }

    /// What `gopatchd status --json` prints.
    pub fn status(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.run_client(&["status", "--json"])?.stdout)?)
    }

    /// The path of its control socket.
    pub fn control(&self) -> PathBuf {
        self.socket.with_extension("control")
    }

    /// Starts `gopatchd uprobes` for an unpatched program and waits until the probes are attached.
    pub fn uprobes(scratch: &Scratch, original: &Path, options: &[&str]) -> Result<Self> {
        let mut command = Command::new(release_binary("gopatchd")?);
        command.args(["uprobes", "--print", "json"]).arg(original).args(options);
        let (socket, pin) = (socket(scratch), pin(scratch.path()));
        let process = Process::start(&mut command, scratch.path(), "uprobes")?;
        let mut gopatchd = Self { process, socket, pin, taken: Taken::default() };
        gopatchd
            .process
            .wait_for("attach", SOON, |process| Ok(process.stderr().contains("uprobes attached").then_some(())))?;
        Ok(gopatchd)
    }

    /// The path of its session socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Whether it has printed an operation.
    pub fn has_operation(&self) -> Result<bool> {
        has_printed(&self.process)
    }

    /// Waits until it has a session. Before that, a process writes until it notices that the last
    /// gopatchd is dead, and then nothing.
    pub fn wait_for_session(&self) -> Result<()> {
        wait_until("a session", SOON, || Ok((self.status()?["totals"]["sessions"] != 0).then_some(())))
    }

    /// Whether it has printed an operation that began after `time`.
    pub fn has_operation_since(&self, time: SystemTime) -> Result<bool> {
        let time = time.duration_since(UNIX_EPOCH)?.as_nanos() as u64;
        Ok(self.operations_so_far()?.iter().any(|operation| operation.start_unix_nano > time))
    }

    /// Whether it has printed an operation of that process.
    pub fn has_operation_of(&self, pid: u32) -> Result<bool> {
        Ok(self.left()?.contains(&format!("\"pid\":{pid},")))
    }

    /// Waits until it has printed an operation.
    pub fn wait_for_operation(&mut self) -> Result<()> {
        self.process.wait_for("print an operation", SOON, |process| Ok(has_printed(process)?.then_some(())))
    }

    /// Ends it and returns everything that it printed.
    pub fn stop(mut self) -> Result<Collected> {
        self.process.terminate()?;
        let (operations, summary) = read(&self.left()?)?;
        let summary = summary.with_context(|| self.process.describe("printed no summary"))?;
        let printed = self.taken.operations + operations.len() as u64;
        ensure!(
            summary.operations == printed + summary.unprinted,
            "gopatchd counts {} operations and printed {printed}, and {} not",
            summary.operations,
            summary.unprinted
        );
        Ok(Collected { operations, summary, stderr: self.process.stderr() })
    }

    /// Ends one that prints no operations, and returns its totals.
    pub fn stop_silent(mut self) -> Result<Summary> {
        self.process.terminate()?;
        read(&self.process.stdout()?)?.1.with_context(|| self.process.describe("printed no summary"))
    }

    /// Kills it and returns the operations that it printed in full.
    pub fn kill(mut self) -> Result<Vec<Operation>> {
        self.process.kill()?;
        self.operations_so_far()
    }

    /// The operations that it has printed in full.
    pub fn operations_so_far(&self) -> Result<Vec<Operation>> {
        let text = self.left()?;
        Ok(read(whole_lines(&text))?.0)
    }

    /// Takes the operations that it has printed in full since this was called last, and frees the
    /// disk of them. No other method sees them again.
    pub fn take_operations(&mut self) -> Result<Vec<Operation>> {
        let text = self.left()?;
        let text = whole_lines(&text);
        let operations = read(text)?.0;
        self.taken.bytes += text.len() as u64;
        self.taken.operations += operations.len() as u64;
        let file = File::options().write(true).open(self.process.stdout_path())?;
        fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, self.taken.bytes)?;
        Ok(operations)
    }

    /// What it has printed and no test has taken.
    fn left(&self) -> Result<String> {
        let mut file = File::open(self.process.stdout_path())?;
        file.seek(SeekFrom::Start(self.taken.bytes))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(text)
    }
}

impl Drop for Gopatchd {
    fn drop(&mut self) {
        // A killed gopatchd leaves its pin. The memfd backend has none.
        let _ = fs::remove_file(self.pin.join("gopatch_events"));
        let _ = fs::remove_dir(&self.pin);
    }
}

fn whole_lines(text: &str) -> &str {
    &text[..text.rfind('\n').map_or(0, |end| end + 1)]
}

fn has_printed(process: &Process) -> Result<bool> {
    Ok(fs::metadata(process.stdout_path())?.len() > 0)
}

/// Where this test's gopatchd listens.
pub fn socket(scratch: &Scratch) -> PathBuf {
    scratch.file("gopatchd.sock")
}

/// The backends to test: bpf only where the kernel permits it, which it must in CI.
pub fn backends() -> &'static [&'static str] {
    static BPF: OnceLock<bool> = OnceLock::new();
    let bpf = *BPF.get_or_init(|| {
        // A test that runs alone may wait for this value, so computing it waits for no turn.
        let scratch = Scratch::without_turn().expect("a temporary folder");
        match Gopatchd::start(&scratch, "bpf", &[]) {
            Ok(_) => true,
            Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
                panic!("the bpf backend must work in CI: {error:#}")
            }
            Err(error) => {
                eprintln!("NOT TESTED: the bpf backend, which this machine refuses: {error:#}");
                false
            }
        }
    });
    if bpf { &["memfd", "bpf"] } else { &["memfd"] }
}

/// This test's folder in the BPF file system.
pub fn pin(scratch: &Path) -> PathBuf {
    // Such folders' names have no dots, see bpf_lookup in the kernel's kernel/bpf/inode.c.
    let name = scratch.file_name().unwrap_or_default().to_string_lossy().replace('.', "_");
    Path::new("/sys/fs/bpf").join(name)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Last { summary: Summary },
    Operation(Operation),
}

fn read(text: &str) -> Result<(Vec<Operation>, Option<Summary>)> {
    let mut operations = Vec::new();
    let mut summary = None;
    for line in text.lines() {
        ensure!(summary.is_none(), "a line after the summary: {line}");
        match serde_json::from_str(line).with_context(|| format!("gopatchd printed {line:?}"))? {
            Line::Operation(operation) => operations.push(operation),
            Line::Last { summary: last } => summary = Some(last),
        }
    }
    Ok((operations, summary))
}
