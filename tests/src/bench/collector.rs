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

/// A running gopatchd.
pub(crate) struct Collector {
    child: Child,
    socket: PathBuf,
}

#[derive(Deserialize)]
struct LastLine {
    summary: Summary,
}

impl Collector {
    /// Starts a gopatchd with its files in `scratch`.
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
        // Later messages are also in the summary, but a full pipe would stop it.
        std::thread::spawn(move || messages.read_to_end(&mut Vec::new()));
        Ok(collector)
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Its processor time in seconds.
    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        let (mut clock, mut time) = (0, MaybeUninit::<libc::timespec>::uninit());
        // SAFETY: both pointers are valid for writes during the calls; the second call is made only
        // with the clock that the first has returned.
        let known = unsafe {
            libc::clock_getcpuclockid(self.child.id().cast_signed(), &raw mut clock) == 0
                && libc::clock_gettime(clock, time.as_mut_ptr()) == 0
        };
        ensure!(known, "gopatchd has no clock");
        // SAFETY: the call succeeded and has filled it in.
        let time = unsafe { time.assume_init() };
        Ok(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
    }

    /// Ends gopatchd and returns its summary.
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
        // Fails when the process has ended already, which is the usual case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
