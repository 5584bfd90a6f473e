//! What the tests of gopatchd share: a gopatchd to test, and a process that attaches to it.
//!
//! Trusts: the gopatchd under test, so that a wrong reply fails loudly.
//! Never does: use gopatchd's code, apart from the crate that both sides share.

pub(crate) mod hanging;
pub(crate) mod process;

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Longest wait for something that should happen at once.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// Backends to test. If bpf(2) is refused, that is a failure in CI and a message elsewhere.
pub(crate) fn backends() -> Vec<&'static str> {
    if bpf_works() { vec!["memfd", "bpf"] } else { vec!["memfd"] }
}

/// Whether the bpf backend can be tested.
pub(crate) fn bpf_works() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut gopatchd = Gopatchd::command(folder.path(), "bpf", &[]).spawn().expect("gopatchd runs");
        let mut message = String::new();
        let mut stderr = BufReader::new(gopatchd.stderr.take().expect("piped"));
        while !message.contains("listening on") && stderr.read_line(&mut message).is_ok_and(|bytes| bytes > 0) {}
        let works = message.contains("listening on");
        if works {
            kill_process(Pid::from_child(&gopatchd), Signal::TERM).expect("a child of this process");
        } else {
            assert!(std::env::var_os("CI").is_none(), "bpf must work in CI: {message}");
            eprintln!("NOT TESTED: the bpf backend, which this machine refuses: {message}");
        }
        gopatchd.wait().expect("a child of this process");
        remove_pin(folder.path());
        works
    })
}

/// A running gopatchd that prints JSON.
pub(crate) struct Gopatchd {
    child: Child,
    pub(crate) folder: tempfile::TempDir,
    stdout: Receiver<String>,
    /// Operations that the test has taken already.
    taken: Cell<usize>,
    stderr: Arc<Mutex<String>>,
}

/// All output of a gopatchd.
pub(crate) struct Collected {
    pub(crate) operations: Vec<Value>,
    pub(crate) summary: Value,
    pub(crate) stderr: String,
}

impl Gopatchd {
    /// The command that starts a gopatchd in `folder`.
    pub(crate) fn command(folder: &Path, backend: &str, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gopatchd"));
        command
            .args(["--print", "json", "--backend", backend, "--listen"])
            .arg(folder.join("gopatchd.sock"))
            .arg("--pin")
            .arg(pin(folder))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a gopatchd and waits until it listens.
    pub(crate) fn start(backend: &str, options: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("temporary folder"), backend, options)
    }

    /// The same, in the folder of an earlier gopatchd.
    pub(crate) fn start_in(folder: tempfile::TempDir, backend: &str, options: &[&str]) -> Self {
        let mut child = Self::command(folder.path(), backend, options).spawn().expect("gopatchd runs");
        let (sender, stdout) = channel();
        let reader = BufReader::new(child.stdout.take().expect("piped"));
        std::thread::spawn(move || reader.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let stderr = Arc::new(Mutex::new(String::new()));
        let collected = Arc::clone(&stderr);
        let reader = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                *collected.lock().expect("no panic") += &(line + "\n");
            }
        });
        let gopatchd = Self { child, folder, stdout, taken: Cell::new(0), stderr };
        gopatchd.wait_for_stderr("listening on");
        assert!(gopatchd.stderr().contains(&format!("backend {backend} (")), "{}", gopatchd.stderr());
        gopatchd
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("gopatchd.sock")
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().expect("no panic").clone()
    }

    pub(crate) fn wait_for_stderr(&self, text: &str) {
        wait_until(text, || self.stderr().contains(text));
    }

    /// The next operation printed.
    pub(crate) fn next_operation(&self) -> Value {
        let line = self.stdout.recv_timeout(SOON).unwrap_or_else(|_| panic!("no operation; {}", self.stderr()));
        self.taken.set(self.taken.get() + 1);
        serde_json::from_str(&line).expect("a line is a JSON object")
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).expect("a child of this process");
    }

    /// Kills gopatchd. Returns its folder, for another gopatchd.
    pub(crate) fn kill(mut self) -> tempfile::TempDir {
        self.child.kill().expect("a child of this process");
        self.child.wait().expect("a child of this process");
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("temporary folder"))
    }

    /// Stops gopatchd and takes its output.
    pub(crate) fn stop(self) -> Collected {
        self.terminate();
        self.wait()
    }

    /// Stops gopatchd and takes its output, which is not JSON.
    pub(crate) fn stop_text(mut self) -> String {
        self.terminate();
        self.child.wait().expect("a child of this process");
        self.stdout.iter().map(|line| line + "\n").collect()
    }

    /// Waits for the end of gopatchd and takes its output.
    pub(crate) fn wait(mut self) -> Collected {
        let mut lines: Vec<Value> =
            self.stdout.iter().map(|line| serde_json::from_str(&line).expect("a line is a JSON object")).collect();
        let status = self.child.wait().expect("a child of this process");
        assert!(status.success(), "{status}: {}", self.stderr());
        let mut summary = lines.pop().expect("a summary");
        let summary = summary["summary"].take();
        assert!(summary.is_object(), "the last line is not a summary");
        assert_eq!(summary["operations"], self.taken.get() + lines.len(), "the summary miscounts");
        assert!(!self.socket().exists(), "the socket still exists");
        self.wait_for_stderr("records lost: ");
        Collected { operations: lines, summary, stderr: self.stderr() }
    }
}

impl Drop for Gopatchd {
    fn drop(&mut self) {
        // gopatchd may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        remove_pin(self.folder.path());
    }
}

/// The folder for the pin, another one for each test.
pub(crate) fn pin(folder: &Path) -> PathBuf {
    Path::new("/sys/fs/bpf")
        .join(folder.file_name().expect("a temporary folder's name").to_string_lossy().replace('.', "gopatch-test-"))
}

/// Removes what a gopatchd in `folder` may have left in bpffs.
pub(crate) fn remove_pin(folder: &Path) {
    let _ = std::fs::remove_file(pin(folder).join("gopatch_events"));
    let _ = std::fs::remove_dir(pin(folder));
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "this did not happen: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a gopatchd that is expected to fail, and gives its message.
pub(crate) fn failing(mut command: Command) -> String {
    let mut child = command.spawn().expect("gopatchd runs");
    let mut stderr = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("UTF-8");
    assert_eq!(child.wait().expect("a child of this process").code(), Some(2), "{stderr}");
    stderr
}
