//! A program that runs beside a test.
//!
//! Its output goes to files, so it never waits for a reader, and it ends with the test. No other
//! process is signalled.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait_until;

/// A running program.
pub struct Process {
    child: Child,
    name: String,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Process {
    /// Starts a program. Its output goes to `NAME.out` and `NAME.err` in `folder`.
    pub fn start(command: &mut Command, folder: &Path, name: &str) -> Result<Self> {
        let (stdout, stderr) = (folder.join(format!("{name}.out")), folder.join(format!("{name}.err")));
        let create = |path: &Path| File::create(path).with_context(|| format!("cannot make {}", path.display()));
        let child = command
            .stdin(Stdio::null())
            .stdout(create(&stdout)?)
            .stderr(create(&stderr)?)
            .spawn()
            .with_context(|| format!("cannot start {}", xtask::workspace::command_line(command)))?;
        Ok(Self { child, name: name.to_owned(), stdout, stderr })
    }

    /// Runs a program, which must succeed, and returns its stdout.
    pub fn run(command: &mut Command, folder: &Path, name: &str, patience: Duration) -> Result<String> {
        let mut process = Self::start(command, folder, name)?;
        let status = process.wait(patience)?;
        if !status.success() {
            bail!("{}", process.describe(&format!("ended with {status}")));
        }
        process.stdout()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file that its stdout goes to.
    pub fn stdout_path(&self) -> &Path {
        &self.stdout
    }

    /// What it has written to stdout so far.
    pub fn stdout(&self) -> Result<String> {
        fs::read_to_string(&self.stdout).with_context(|| format!("cannot read {}", self.stdout.display()))
    }

    /// What it has written to stderr so far.
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_else(|error| format!("cannot read its stderr: {error}"))
    }

    /// A message about it, with its stderr.
    pub fn describe(&self, what: &str) -> String {
        format!("{} (pid {}) {what}; its stderr:\n{}", self.name, self.pid(), self.stderr())
    }

    /// Waits until `ask` returns a value. Fails when the program ends before.
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        patience: Duration,
        mut ask: impl FnMut(&Self) -> Result<Option<T>>,
    ) -> Result<T> {
        wait_until(what, patience, || {
            let answer = ask(self)?;
            match self.child.try_wait()? {
                Some(status) if answer.is_none() => bail!("it ended with {status}"),
                _ => Ok(answer),
            }
        })
        .with_context(|| self.describe(&format!("did not {what}")))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.child), signal).with_context(|| self.describe("cannot be signalled"))
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits for its end.
    pub fn wait(&mut self, patience: Duration) -> Result<ExitStatus> {
        wait_until("its end", patience, || Ok(self.child.try_wait()?)).with_context(|| self.describe("did not end"))
    }

    /// Ends it with SIGTERM; its exit status must be success.
    pub fn terminate(&mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let status = self.wait(crate::SOON)?;
        if !status.success() {
            bail!("{}", self.describe(&format!("ended with {status}")));
        }
        Ok(())
    }

    /// Kills it.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails when the process has ended already, which is the usual case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
