//! Child processes: the measured program, its collector, or a load (`Process`); when one is ready
//! (`ready`); and when to stop (`stop`).
//!
//! Each child has its own process group, which includes what it starts in turn, and writes its
//! output to files, so that it never waits for a reader. No child outlives its `Process`.

pub(crate) mod ready;
pub(crate) mod stop;

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::template;

/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// How many characters of a failed process's output are reported.
const TAIL: usize = 2000;

/// A running child process.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    reaped: bool,
}

impl Process {
    /// Starts a process. Its output goes to files in `folder`.
    pub(crate) fn start(folder: &Path, name: &str, words: &[String], environment: &[(&str, &Path)]) -> Result<Self> {
        let (program, arguments) = words.split_first().context("empty command")?;
        let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let create = |path: &Path| File::create(path).with_context(|| format!("cannot create {}", path.display()));
        let mut command = Command::new(program);
        command.args(arguments).envs(environment.iter().copied()).process_group(0);
        command.stdin(Stdio::null()).stdout(create(&stdout)?).stderr(create(&stderr)?);
        let child =
            command.spawn().with_context(|| format!("cannot start {name}: {}", template::quote_words(words)))?;
        Ok(Self { name: name.to_owned(), child, stdout, stderr, reaped: false })
    }

    /// The process id, which is also the process group's.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The output on stdout so far.
    pub(crate) fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// The output on stderr so far.
    pub(crate) fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// The exit status, if the process has ended. Kills what it left running.
    pub(crate) fn exit_status(&mut self) -> Result<Option<ExitStatus>> {
        if !self.reaped {
            let flags = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let ended = waitid(WaitId::Pid(Pid::from_child(&self.child)), flags);
            if ended.with_context(|| format!("cannot wait for {}", self.name))?.is_none() {
                return Ok(None);
            }
            // The id cannot be reused before the process is reaped, so killing its group is safe
            // only now.
            self.kill();
        }
        Ok(self.child.try_wait()?)
    }

    /// Polls until there is a value; fails when the process ends before, or after the timeout.
    pub(crate) fn wait_for<T>(
        &mut self,
        what: &str,
        timeout: Duration,
        mut get: impl FnMut(&Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let value = stop::poll(timeout, || {
            if let Some(status) = self.exit_status()? {
                bail!("{}", self.with_output(&format!("ended with {status} and did not {what}")));
            }
            get(self)
        })?;
        value
            .with_context(|| self.with_output(&format!("did not {what} within {}", template::format_duration(timeout))))
    }

    /// Waits until the process ends, which must be with status 0.
    pub(crate) fn wait_for_success(&mut self, timeout: Duration) -> Result<()> {
        match stop::poll(timeout, || self.exit_status())? {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("{}", self.with_output(&format!("ended with {status}"))),
            None => {
                bail!("{}", self.with_output(&format!("did not end within {}", template::format_duration(timeout))))
            }
        }
    }

    /// Terminates the process, and kills its group if it does not end in time.
    pub(crate) fn stop(&mut self) -> Result<()> {
        if !self.reaped {
            self.signal(Signal::TERM);
            stop::poll(GRACE, || self.exit_status())?;
        }
        if !self.reaped {
            self.kill();
        }
        Ok(())
    }

    /// A message about the process, with the end of its output.
    pub(crate) fn with_output(&self, event: &str) -> String {
        let mut message = format!("{} {event}", self.name);
        for (stream, text) in [("stdout", self.stdout()), ("stderr", self.stderr())] {
            let text = text.trim_end();
            let from = text.char_indices().rev().nth(TAIL - 1).map_or(0, |(at, _)| at);
            if !text.is_empty() {
                message = format!("{message}; its {stream}:\n{}", &text[from..]);
            }
        }
        message
    }

    fn signal(&self, signal: Signal) {
        // Fails only if the group has ended.
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }

    /// Kills the group and reaps the process, which must not have been reaped before.
    fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
        self.reaped = true;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
        }
    }
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
