//! HTTP servers that are not Go, and the requests that they have seen: Python's `http.server` and
//! h2, nginx, HAProxy and nghttp2's nghttpd, all from Debian.
//!
//! They answer every request with 200. In CI they must be installed. A peer that dislikes what it
//! receives says so: [`Peer::stop`] fails then.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;
use serde::Deserialize;
use serde_json::Value;

use super::tls;
use crate::process::Process;
use crate::{SOON, Scratch, real};

/// Debian's Python, which sees Debian's packages.
const PYTHON: &str = "/usr/bin/python3";

/// One of the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `http.server`, over HTTP/1.1.
    PythonHttp,
    /// The package h2, over HTTP/2 with TLS.
    PythonH2,
    /// Over HTTP/1.1, and over HTTP/2 with TLS.
    Nginx,
    /// The same.
    HAProxy,
    /// Over HTTP/2 with TLS. It answers requests for `/direct/0` to `/direct/99`.
    Nghttpd,
}

/// A request as a peer saw it.
#[derive(Debug, Deserialize)]
pub struct Seen {
    /// Path.
    pub path: String,
    /// Its headers, each line by itself; nginx and HAProxy show only `traceparent`.
    pub headers: Vec<(String, String)>,
}

/// A running server.
pub struct Peer {
    kind: Kind,
    process: Process,
    http: Option<String>,
    https: Option<String>,
    log: PathBuf,
}

impl Seen {
    /// The values of a header.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

impl Kind {
    /// The Debian package, and a command that succeeds where it is installed.
    fn package(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::PythonHttp => ("python3", &[PYTHON, "-c", "import http.server"]),
            Self::PythonH2 => ("python3-h2", &[PYTHON, "-c", "import h2"]),
            Self::Nginx => ("nginx-light", &["nginx", "-v"]),
            Self::HAProxy => ("haproxy", &["haproxy", "-v"]),
            Self::Nghttpd => ("nghttp2-server", &["nghttpd", "--version"]),
        }
    }

    /// Starts it; `None` where it is not installed.
    pub fn start(self, scratch: &Scratch) -> Result<Option<Peer>> {
        let (package, command) = self.package();
        let tried = Command::new(command[0]).args(&command[1..]).output();
        if !tried.is_ok_and(|output| output.status.success()) {
            if std::env::var_os("CI").is_some() {
                bail!("CI needs {self:?}: apt-get install {package}");
            }
            eprintln!("NOT TESTED: {self:?}, which is not installed: apt-get install {package}");
            return Ok(None);
        }
        let Some((certificate, key)) = tls::self_signed(scratch)? else { return Ok(None) };
        let folder = scratch.file(&format!("{self:?}"));
        fs::create_dir(&folder).context("a test has one peer of a kind")?;
        self.start_in(&folder, &certificate, &key).map(Some)
    }

    fn start_in(self, folder: &Path, certificate: &Path, key: &Path) -> Result<Peer> {
        let [http, https] = real::free_addresses()?;
        let mut log = folder.join("peer.out");
        let mut command = match self {
            Self::PythonHttp | Self::PythonH2 => {
                let is_h2 = self == Self::PythonH2;
                let script = folder.join("peer.py");
                fs::write(&script, if is_h2 { include_str!("http2.py") } else { include_str!("http1.py") })?;
                let mut command = Command::new(PYTHON);
                command.arg(script).args([certificate, key]);
                command
            }
            Self::Nginx => {
                log = folder.join("access.log");
                let config = include_str!("nginx.conf").replace("HTTPS", &https).replace("HTTP", &http);
                let config = config.replace("CERTIFICATE", &certificate.display().to_string());
                fs::write(folder.join("nginx.conf"), config.replace("KEY", &key.display().to_string()))?;
                let mut command = Command::new("nginx");
                command.arg("-p").arg(folder).args(["-c", "nginx.conf"]);
                command
            }
            Self::HAProxy => {
                let both = folder.join("both.pem");
                fs::write(&both, [fs::read(certificate)?, fs::read(key)?].concat())?;
                let config = include_str!("haproxy.cfg").replace("HTTPS", &https).replace("HTTP", &http);
                fs::write(folder.join("haproxy.cfg"), config.replace("CERTIFICATE", &both.display().to_string()))?;
                let mut command = Command::new("haproxy");
                command.args(["-db", "-f"]).arg(folder.join("haproxy.cfg"));
                command
            }
            Self::Nghttpd => {
                let files = folder.join("files/direct");
                fs::create_dir_all(&files)?;
                for number in 0..100 {
                    fs::write(files.join(number.to_string()), "")?;
                }
                fs::write(folder.join("files/knock"), "")?;
                let port = https.rsplit(':').next().context("a port")?;
                let mut command = Command::new("nghttpd");
                command.args(["-v", "-a", "127.0.0.1", "-d"]).arg(folder.join("files"));
                command.arg(port).args([key, certificate]);
                command
            }
        };
        let process = Process::start(&mut command, folder, "peer")?;
        let mut peer = Peer { kind: self, process, http: None, https: None, log };
        match self {
            Self::PythonHttp | Self::PythonH2 => {
                let ready: Value = peer.process.wait_for("listen", SOON, |process| {
                    let text = process.stdout()?;
                    let line = text.split_once('\n').map(|(line, _)| serde_json::from_str(line));
                    Ok(line.transpose()?)
                })?;
                let address = |name: &str| ready[name].as_str().filter(|one| !one.is_empty()).map(str::to_owned);
                (peer.http, peer.https) = (address("http"), address("https"));
            }
            Self::Nginx | Self::HAProxy => {
                real::wait_for_listener(&mut peer.process, &http)?;
                (peer.http, peer.https) = (Some(http), Some(https));
            }
            Self::Nghttpd => {
                real::wait_for_listener(&mut peer.process, &https)?;
                peer.https = Some(https);
            }
        }
        Ok(peer)
    }
}

impl Peer {
    /// Its base URL, with HTTP/2 over TLS or with HTTP/1.1.
    pub fn url(&self, http2: bool) -> Result<String> {
        let (scheme, address) = if http2 { ("https", &self.https) } else { ("http", &self.http) };
        let address = address.as_ref().with_context(|| format!("{:?} has no {scheme}", self.kind))?;
        Ok(format!("{scheme}://{address}"))
    }

    /// Ends it and returns the requests that it has seen. Fails if it reported an error.
    pub fn stop(mut self) -> Result<Vec<Seen>> {
        self.process.signal(Signal::TERM)?;
        self.process.wait(SOON)?;
        let errors = match self.kind {
            Kind::Nginx => fs::read_to_string(self.log.with_file_name("error.log"))?,
            // They print other things there, and nghttpd shows errors among the frames.
            Kind::HAProxy | Kind::Nghttpd => String::new(),
            Kind::PythonHttp | Kind::PythonH2 => self.process.stderr(),
        };
        ensure!(errors.is_empty(), "{:?}: {errors}", self.kind);
        let text = fs::read_to_string(&self.log)?;
        if self.kind == Kind::Nghttpd {
            return frames(&text);
        }
        let requests = text.lines().filter(|line| line.contains("\"headers\""));
        requests.map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
    }
}

/// The requests in nghttpd's output. It shows each header as it comes, and then the frame.
fn frames(text: &str) -> Result<Vec<Seen>> {
    let mut requests = Vec::new();
    let mut headers = Vec::new();
    for line in text.lines() {
        ensure!(!line.contains("GOAWAY frame") || !line.contains("send"), "nghttpd ended a connection:\n{text}");
        ensure!(!line.contains("send RST_STREAM"), "nghttpd ended a stream:\n{text}");
        if let Some((_, header)) = line.split_once("recv (stream_id=").and_then(|(_, rest)| rest.split_once(") ")) {
            // The name of a pseudo-header begins with a colon.
            let colon = header[1..].find(": ").context("a header")? + 1;
            headers.push((header[..colon].to_owned(), header[colon + 2..].to_owned()));
        } else if line.contains("recv HEADERS frame") {
            let headers = std::mem::take(&mut headers);
            let path = headers.iter().find(|(name, _)| name == ":path").context("a path")?.1.clone();
            requests.push(Seen { path, headers });
        }
    }
    Ok(requests)
}
