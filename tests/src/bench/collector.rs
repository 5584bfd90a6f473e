//! A gopatchd that collects the hooks' records while they are measured.
//!
//! It prints only its summary; its ring size and everything else are the defaults.

use std::io::{BufRead, BufReader, Read};
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Scratch, Summary, gopatchd, release_binary};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

/// A gopatchd that runs.
pub(crate) struct Collector {
    child: Child,
    socket: PathBuf,
}

#[derive(Deserialize)]
struct LastLine {
    summary: Summary,
}

impl Collector {
    /// Starts a gopatchd with files of its own in `scratch`.
    pub(crate) fn start(scratch: &Scratch, backend: &str) -> Result<Self> {
        let socket = gopatchd::socket(scratch);
        let mut command = Command::new(release_binary("gopatchd")?);
        command.arg("--listen").arg(&socket).args(["--backend", backend, "--print", "none"]);
        command.arg("--pin").arg(gopatchd::pin(scratch.path()));
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("cannot start gopatchd")?;
        let mut collector = Self { child, socket };
        let mut messages = BufReader::new(collector.child.stderr.take().context("gopatchd's stderr is piped")?);
        let mut printed = String::new();
        while !printed.contains("listening on") {
            ensure!(messages.read_line(&mut printed)? > 0, "gopatchd did not start\n{}", printed.trim_end());
        }
        // What it says later is in the summary too, but a full pipe would stop it.
        std::thread::spawn(move || messages.read_to_end(&mut Vec::new()));
        Ok(collector)
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The seconds that processors have spent on it.
    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        let (mut clock, mut time) = (0, MaybeUninit::<libc::timespec>::uninit());
        // SAFETY: both pointers are valid for writes while the calls last; the second call is made only with a clock that
        // the first has named.
        let known = unsafe {
            libc::clock_getcpuclockid(self.child.id().cast_signed(), &raw mut clock) == 0
                && libc::clock_gettime(clock, time.as_mut_ptr()) == 0
        };
        ensure!(known, "gopatchd has no clock");
        // SAFETY: a call that succeeded has filled it in.
        let time = unsafe { time.assume_init() };
        Ok(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
    }

    /// Ends gopatchd and gives what it saw.
    pub(crate) fn end(mut self) -> Result<Summary> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot end gopatchd")?;
        let mut printed = String::new();
        let mut stdout = self.child.stdout.take().context("gopatchd's stdout is piped")?;
        stdout.read_to_string(&mut printed)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "gopatchd ended with {status}");
        let LastLine { summary } = serde_json::from_str(&printed).context("gopatchd printed no summary")?;
        Ok(summary)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // After an ordinary end there is nothing to kill, which is an error that says so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
