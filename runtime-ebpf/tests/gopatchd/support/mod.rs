//! What the tests of gopatchd share: a gopatchd to test, and a process to play.
//!
//! Decides: nothing of the format; it writes what `gopatch_protocol::wire` says, as a patched program's code does.
//! Trusts: the gopatchd under test, so that a wrong reply fails loudly.
//! Never does: using gopatchd's own code, apart from the crate that both sides share.

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

/// Backends to test. Where bpf(2) is refused, that is a failure in CI and said aloud elsewhere.
pub(crate) fn backends() -> Vec<&'static str> {
    if bpf_works() { vec!["memfd", "bpf"] } else { vec!["memfd"] }
}

/// Whether the bpf backend can be tested.
pub(crate) fn bpf_works() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut gopatchd = Gopatchd::command(folder.path(), "bpf", &[]).spawn().expect("gopatchd runs");
        let mut said = String::new();
        let mut stderr = BufReader::new(gopatchd.stderr.take().expect("piped"));
        while !said.contains("listening on") && stderr.read_line(&mut said).is_ok_and(|bytes| bytes > 0) {}
        let works = said.contains("listening on");
        if works {
            kill_process(Pid::from_child(&gopatchd), Signal::TERM).expect("it is ours");
        } else {
            assert!(std::env::var_os("CI").is_none(), "bpf must work in CI: {said}");
            eprintln!("NOT TESTED: the bpf backend, since this machine refuses it: {said}");
        }
        gopatchd.wait().expect("it is ours");
        remove_pin(folder.path());
        works
    })
}

/// A running gopatchd that prints JSON.
pub(crate) struct Gopatchd {
    child: Child,
    pub(crate) folder: tempfile::TempDir,
    stdout: Receiver<String>,
    /// Operations that a test has taken already.
    taken: Cell<usize>,
    stderr: Arc<Mutex<String>>,
}

/// All that a gopatchd has said.
pub(crate) struct Said {
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

    /// The same, in a folder that another has left.
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

    /// The next line of output.
    pub(crate) fn next_operation(&self) -> Value {
        let line = self.stdout.recv_timeout(SOON).unwrap_or_else(|_| panic!("no operation; {}", self.stderr()));
        self.taken.set(self.taken.get() + 1);
        serde_json::from_str(&line).expect("a line is a JSON object")
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).expect("it is ours");
    }

    /// Kills it. Gives the folder, for another.
    pub(crate) fn kill(mut self) -> tempfile::TempDir {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("temporary folder"))
    }

    /// Stops it and takes what it says.
    pub(crate) fn stop(self) -> Said {
        self.terminate();
        self.wait()
    }

    /// Waits for its end and takes what it says.
    pub(crate) fn wait(mut self) -> Said {
        let mut lines: Vec<Value> =
            self.stdout.iter().map(|line| serde_json::from_str(&line).expect("a line is a JSON object")).collect();
        let status = self.child.wait().expect("it is ours");
        assert!(status.success(), "{status}: {}", self.stderr());
        let mut summary = lines.pop().expect("a summary");
        let summary = summary["summary"].take();
        assert!(summary.is_object(), "the last line is no summary");
        assert_eq!(summary["operations"], self.taken.get() + lines.len(), "the summary miscounts");
        assert!(!self.socket().exists(), "the socket is left");
        self.wait_for_stderr("records lost: ");
        Said { operations: lines, summary, stderr: self.stderr() }
    }
}

impl Drop for Gopatchd {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        remove_pin(self.folder.path());
    }
}

/// A folder for the pin, for each test its own.
pub(crate) fn pin(folder: &Path) -> PathBuf {
    Path::new("/sys/fs/bpf")
        .join(folder.file_name().expect("a temporary folder's name").to_string_lossy().replace('.', "gopatch-test-"))
}

/// Removes what a gopatchd in `folder` may have left in bpffs.
pub(crate) fn remove_pin(folder: &Path) {
    let _ = std::fs::remove_file(pin(folder).join("gopatch_events"));
    let _ = std::fs::remove_dir(pin(folder));
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "this did not happen: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a gopatchd that is expected to fail, and gives its message.
pub(crate) fn failing(mut command: Command) -> String {
    let mut child = command.spawn().expect("gopatchd runs");
    let mut stderr = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("UTF-8");
    assert_eq!(child.wait().expect("it is ours").code(), Some(2), "{stderr}");
    stderr
}
