//! `cargo xtask demo`: from a Go executable to a table of the requests that it served.
//!
//! It fails unless gopatchd saw as many requests as the client sent. No process outlives it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::{Map, Value};
use xtask::corpus::{self, Manifest};
use xtask::workspace;

/// Every behaviour of the corpus server's handlers.
const MIX: &str = "fast,slow,stream,panic,hijack,echo,missing,status";

/// Requests of each of the three runs.
const REQUESTS: usize = 800;

/// How long a program may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(15);

/// Longest path of a Unix socket (`sun_path` in unix(7), less its final zero).
const SOCKET_PATH_MAX: usize = 107;

/// Flags of a socket that listens (`__SO_ACCEPTCON` in the kernel's net.h), as /proc/net/unix shows
/// them.
const ACCEPTS: &str = "00010000";

/// The line of the corpus server when it is ready.
#[derive(Deserialize)]
struct Ready {
    http: String,
    https: String,
    go: String,
}

/// The part of gopatchd's line for an operation that is shown here.
#[derive(Deserialize)]
struct Operation {
    name: String,
    duration_nano: u64,
    attributes: Map<String, Value>,
}

/// Builds, patches and runs a server, and shows what gopatchd saw.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    ensure!(arguments.is_empty(), "usage: cargo xtask demo");
    workspace::require(&["go", "gcc"])?;
    let manifest = Manifest::read()?;
    let newest = manifest.go_versions().next_back().context("corpus/manifest.yaml names no Go")?;

    step("building gopatch and gopatchd");
    workspace::build_release()?;
    step(&format!("building the Go web server and its client with Go {newest}"));
    let original = corpus::build("httpserver", newest, "default")?;
    let loadgen = corpus::build("loadgen", newest, "default")?;

    let folder = workspace::target().join("demo");
    if folder.exists() {
        // The socket of an earlier demo would look like gopatchd's.
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let patched = folder.join("httpserver");
    step("patching the server");
    workspace::run(Command::new(workspace::release_binary("gopatch")).arg(&original).arg("-o").arg(&patched))?;

    let (socket, operations, log) =
        (folder.join("gopatchd.sock"), folder.join("operations.jsonl"), folder.join("gopatchd.log"));
    ensure!(
        socket.as_os_str().len() <= SOCKET_PATH_MAX,
        "{} is too long for a Unix socket\nhint: set CARGO_TARGET_DIR to a shorter path",
        socket.display()
    );
    step("starting gopatchd, then the patched server");
    let mut gopatchd = Running::start(
        Command::new(workspace::release_binary("gopatchd"))
            .arg("--listen")
            .arg(&socket)
            .args(["--print", "json"])
            .stdout(File::create(&operations)?)
            .stderr(File::create(&log)?),
    )?;
    gopatchd.wait_for_socket(&socket).with_context(|| contents(&log))?;
    let mut server = Running::start(Command::new(&patched).env("GOPATCH_SOCKET", &socket).stdout(Stdio::piped()))?;
    let ready = server.ready()?;

    let (plain, secure) = (format!("http://{}", ready.http), format!("https://{}", ready.https));
    for (run, (url, proto)) in [(&plain, "h1"), (&secure, "h1"), (&secure, "h2")].into_iter().enumerate() {
        step(&format!("sending {REQUESTS} requests to {url} ({proto})"));
        let count = REQUESTS.to_string();
        let tag = format!("run{run}-");
        let options = ["-url", url, "-proto", proto, "-n", &count, "-c", "16", "-mix", MIX, "-tag", &tag];
        workspace::output(Command::new(&loadgen).args(options))?;
    }

    let ended = server.end(Signal::TERM)?;
    ensure!(ended.success(), "the server ended with {ended}");
    let ended = gopatchd.end(Signal::INT)?;
    ensure!(ended.success(), "gopatchd ended with {ended}\n{}", contents(&log));

    let seen = read_operations(&operations)?;
    println!("\nWhat gopatchd saw of a server built with {}:\n", ready.go);
    print_table(&seen);
    println!("\nMessages of gopatchd:\n\n{}", contents(&log));
    let requests = seen.iter().filter(|one| one.is_request()).count();
    println!("The client sent {} requests, gopatchd saw {requests}.", 3 * REQUESTS);
    println!("Every operation is in {}; the patched server is {}.", operations.display(), patched.display());
    ensure!(requests == 3 * REQUESTS, "these numbers should be equal");
    Ok(())
}

fn step(what: &str) {
    eprintln!("demo: {what}");
}

fn contents(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| format!("cannot read {}: {error}", path.display()))
}

/// A process that does not outlive the demo.
struct Running {
    child: Child,
    name: String,
}

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn().map_err(|error| workspace::cannot_start(command, &error))?;
        let program = Path::new(command.get_program());
        Ok(Self { child, name: program.file_name().unwrap_or_default().to_string_lossy().into_owned() })
    }

    /// Waits until `ask` returns a value, or fails after [`PATIENCE`].
    fn wait<T>(&mut self, what: &str, mut ask: impl FnMut(&mut Child) -> Result<Option<T>>) -> Result<T> {
        let started = Instant::now();
        loop {
            if let Some(answer) = ask(&mut self.child)? {
                return Ok(answer);
            }
            ensure!(started.elapsed() < PATIENCE, "{} did not {what} within {PATIENCE:?}", self.name);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a process listens at a path. It reads the kernel's list: gopatchd would count a
    /// connection without a hello.
    fn wait_for_socket(&mut self, path: &Path) -> Result<()> {
        let name = self.name.clone();
        let path = path.to_string_lossy();
        self.wait("listen", |child| {
            if let Some(status) = child.try_wait()? {
                bail!("{name} ended with {status} instead of listening");
            }
            // Num RefCount Protocol Flags Type St Inode Path, see proc_net_unix(5).
            let sockets = fs::read_to_string("/proc/net/unix")?;
            let listening = |line: &str| line.ends_with(&*path) && line.split_whitespace().nth(3) == Some(ACCEPTS);
            Ok(sockets.lines().any(listening).then_some(()))
        })
    }

    /// Reads the line with the server's addresses.
    fn ready(&mut self) -> Result<Ready> {
        let stdout = self.child.stdout.take().context("the server's stdout is piped")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("{} did not print its addresses: {line:?}", self.name))
    }

    /// Sends a signal and waits for the end.
    fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        kill_process(Pid::from_child(&self.child), signal).with_context(|| format!("cannot end {}", self.name))?;
        self.wait("end", |child| Ok(child.try_wait()?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails when the process has ended already, which is the usual case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Operation {
    fn is_request(&self) -> bool {
        self.attributes.contains_key("http.request.method")
    }

    fn attribute(&self, name: &str) -> String {
        match self.attributes.get(name) {
            None => "-".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        }
    }

    /// The columns that requests to one handler share: paths end with a number, which is left out.
    fn row(&self) -> [String; 4] {
        if !self.is_request() {
            let version = self.attribute("tls.protocol.version");
            return [self.name.clone(), self.attribute("tls.cipher"), "-".to_owned(), format!("TLS {version}")];
        }
        let path = self.attribute("url.path");
        let route = path.split('/').nth(1).unwrap_or_default();
        let status = if route == "status" { "(many)".to_owned() } else { self.attribute("http.response.status_code") };
        let version = self.attribute("network.protocol.version");
        [self.attribute("http.request.method"), format!("/{route}/..."), status, format!("HTTP {version}")]
    }
}

fn read_operations(path: &Path) -> Result<Vec<Operation>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    // The last line is the summary, which gopatchd also prints as a message.
    text.lines()
        .filter(|line| !line.starts_with(r#"{"summary":"#))
        .map(|line| serde_json::from_str(line).with_context(|| format!("{}: not an operation: {line}", path.display())))
        .collect()
}

fn print_table(operations: &[Operation]) {
    let mut rows: BTreeMap<[String; 4], Vec<u64>> = BTreeMap::new();
    for operation in operations {
        rows.entry(operation.row()).or_default().push(operation.duration_nano);
    }
    let width =
        |column: usize, title: &str| rows.keys().map(|row| row[column].len()).max().unwrap_or(0).max(title.len());
    let (a, b, c, d) = (width(0, "method"), width(1, "path"), width(2, "status"), width(3, "protocol"));
    println!(
        "{:a$}  {:b$}  {:c$}  {:d$}  {:>7}  {:>10}  {:>10}",
        "method", "path", "status", "protocol", "count", "p50", "max"
    );
    for ([method, path, status, protocol], mut durations) in rows.clone() {
        durations.sort_unstable();
        let (median, longest) = (durations[durations.len() / 2], durations[durations.len() - 1]);
        println!(
            "{method:a$}  {path:b$}  {status:c$}  {protocol:d$}  {:>7}  {:>10}  {:>10}",
            durations.len(),
            milliseconds(median),
            milliseconds(longest)
        );
    }
}

fn milliseconds(nanoseconds: u64) -> String {
    format!("{:.3} ms", nanoseconds as f64 / 1e6)
}
