//! The harness of the end-to-end tests.
//!
//! A test patches a Go program with the command `gopatch`, runs it with the command `gopatchd`,
//! sends it a load, and compares what gopatchd printed with what the program or its client reports.
//!
//! The two commands are the release build's, as users get them, and tests use nothing else of them.
//! Every wait has an end, and every process ends with its test. Which tests may run at the same
//! time: [`turns`].

pub mod chain;
pub mod exact;
pub mod gopatch;
pub mod gopatchd;
pub mod load;
pub mod probe;
pub mod process;
pub mod programs;
pub mod public;
pub mod random;
pub mod real;
pub mod receivers;
pub mod server;
pub mod soak;
pub mod statistics;
pub mod std_test;
pub mod turns;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use xtask::workspace;

pub use gopatch::Gopatch;
pub use gopatchd::{Collected, Gopatchd, Operation, Summary, backends};
pub use load::{Load, Seen};
pub use probe::Probe;
pub use process::Process;
pub use receivers::{otelcol, otlpsink, peers, prometheus, raw, tls};
pub use server::Server;
pub use turns::{Turn, alone, beside};

/// The newest Go of the corpus. The load generator is built with it for servers of every version.
pub const NEWEST_GO: &str = "1.27.4";

/// Longest wait for something that should happen at once, on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

/// A folder for the files of one test, removed at its end. Its path is short enough for a socket's.
///
/// As long as a test has one, no other test runs [`alone`](turns::alone).
pub struct Scratch {
    folder: tempfile::TempDir,
    _turn: Option<Turn>,
}

impl Scratch {
    /// Makes a new one.
    pub fn new() -> Result<Self> {
        let turn = turns::beside();
        Ok(Self { _turn: Some(turn), ..Self::without_turn()? })
    }

    /// Makes one for code that must not wait for other tests.
    fn without_turn() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("gopatch-").tempdir().context("cannot make a temporary folder")?;
        Ok(Self { folder, _turn: None })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A command of the workspace in the release profile.
pub fn release_binary(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe().context("this test has no path")?;
    program.ancestors().map(|folder| folder.join("release").join(name)).find(|path| path.is_file()).with_context(|| {
        format!(
            "no release build of {name} near {}; `cargo xtask test` makes it, or \
             `cargo build --release -p gopatch -p gopatchd`",
            program.display()
        )
    })
}

/// The command of a tool if it is installed, as it must be in CI.
pub fn tool(name: &str) -> Result<Option<Command>> {
    let ours = workspace::target().join("tools/bin").join(name);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&folders).map(|folder| folder.join(name));
    match std::iter::once(ours).chain(on_path).find(|path| path.is_file()) {
        Some(path) => Ok(Some(Command::new(path))),
        None if std::env::var("CI").is_ok_and(|ci| ci == "true") => bail!("CI needs {name}: .ci/tools"),
        None => {
            eprintln!("NOT TESTED: by {name}, which is not installed; run .ci/tools");
            Ok(None)
        }
    }
}

/// Waits until `ask` returns a value.
pub fn wait_until<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        ensure!(started.elapsed() < patience, "timed out after {patience:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
