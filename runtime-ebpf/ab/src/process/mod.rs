//! A program that runs for the comparison: the one measured, its collector, or a load.
//!
//! Decides: that each has a process group of its own, which holds what it starts in turn, and that its output goes to
//! files, so that it never waits for a reader.
//! Trusts: the kernel.
//! Never does: signal a process that it has not started; leave one behind.

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

/// How long a program may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// How much of what a program said is shown when it fails.
const TAIL: usize = 2000;

/// A running program.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    over: bool,
}

impl Process {
    /// Starts a program. Its output goes to files in `folder`.
    pub(crate) fn start(folder: &Path, name: &str, words: &[String], environment: &[(&str, &Path)]) -> Result<Self> {
        let (program, arguments) = words.split_first().context("no command")?;
        let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let create = |path: &Path| File::create(path).with_context(|| format!("cannot make {}", path.display()));
        let mut command = Command::new(program);
        command.args(arguments).envs(environment.iter().copied()).process_group(0);
        command.stdin(Stdio::null()).stdout(create(&stdout)?).stderr(create(&stderr)?);
        let child = command.spawn().with_context(|| format!("cannot start {name}: {}", template::shown(words)))?;
        Ok(Self { name: name.to_owned(), child, stdout, stderr, over: false })
    }

    /// Its process id, which is its group's.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to stdout.
    pub(crate) fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// What it has written to stderr.
    pub(crate) fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Whether it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if !self.over {
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let ended = waitid(WaitId::Pid(Pid::from_child(&self.child)), look);
            if ended.with_context(|| format!("cannot wait for {}", self.name))?.is_none() {
                return Ok(None);
            }
            // Until it is waited for, nobody else can have its id, so what it left behind can be ended by it.
            self.kill();
        }
        Ok(self.child.try_wait()?)
    }

    /// Waits until `ask` has an answer, as long as the program runs.
    pub(crate) fn wait_for<T>(
        &mut self,
        what: &str,
        patience: Duration,
        mut ask: impl FnMut(&Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let answer = stop::wait(patience, || {
            if let Some(status) = self.ended()? {
                bail!("{}", self.told(&format!("ended with {status} and did not {what}")));
            }
            ask(self)
        })?;
        answer.with_context(|| self.told(&format!("did not {what} within {}", template::time(patience))))
    }

    /// Waits for its end, which must be a success.
    pub(crate) fn succeed(&mut self, patience: Duration) -> Result<()> {
        match stop::wait(patience, || self.ended())? {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("{}", self.told(&format!("ended with {status}"))),
            None => bail!("{}", self.told(&format!("did not end within {}", template::time(patience)))),
        }
    }

    /// Asks it to end, and kills it and all that it has started if it does not.
    pub(crate) fn stop(&mut self) -> Result<()> {
        if !self.over {
            self.signal(Signal::TERM);
            stop::wait(GRACE, || self.ended())?;
        }
        if !self.over {
            self.kill();
        }
        Ok(())
    }

    /// A message about it, with the last that it said.
    pub(crate) fn told(&self, what: &str) -> String {
        let mut message = format!("{} {what}", self.name);
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
        // A group that is gone needs no signal.
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }

    /// Ends what is left of the group. The child was not waited for before.
    fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
        self.over = true;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.over {
            self.kill();
        }
    }
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
