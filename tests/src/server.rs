//! The web server of the corpus, patched or not.
//!
//! It finds the gopatchd of its test and no other, is ready when it has printed its addresses, and
//! must end with success.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use anyhow::{Context, Result};
use gopatch_protocol::wire::SOCKET_ENV;
use serde::Deserialize;

use crate::process::Process;
use crate::{SOON, Scratch, gopatchd, wait_until};

/// A path that no handler serves and no load requests.
pub const KNOCK: &str = "/knock";

/// A running server.
pub struct Server {
    process: Process,
    ready: Ready,
}

#[derive(Deserialize)]
struct Ready {
    http: String,
    https: String,
    go: String,
}

impl Server {
    /// Starts a server that connects to the test's gopatchd unless the command sets another socket.
    pub fn start(scratch: &Scratch, command: &mut Command) -> Result<Self> {
        if !command.get_envs().any(|(name, _)| name == SOCKET_ENV) {
            command.env(SOCKET_ENV, gopatchd::socket(scratch));
        }
        let mut process = Process::start(command, scratch.path(), "server")?;
        let ready = process.wait_for("listen", SOON, |process| {
            let text = process.stdout()?;
            let line = text.split_once('\n').map(|(line, _)| serde_json::from_str(line));
            line.transpose().with_context(|| format!("the server printed {text:?}"))
        })?;
        Ok(Self { process, ready })
    }

    /// Its base URL, over TLS or not.
    pub fn url(&self, tls: bool) -> String {
        if tls { format!("https://{}", self.ready.https) } else { format!("http://{}", self.ready.http) }
    }

    /// The release of Go that it was built with, such as 27 for `go1.27.4`.
    pub fn go_release(&self) -> Result<u32> {
        let release = self.ready.go.strip_prefix("go1.").and_then(|rest| rest.split('.').next()?.parse().ok());
        release.with_context(|| format!("the server was built with {}", self.ready.go))
    }

    /// Sends requests for [`KNOCK`] until `heard`, which is when it has found its gopatchd.
    pub fn knock(&self, heard: impl FnMut() -> Result<bool>) -> Result<()> {
        knock(&self.ready.http, heard)
    }

    /// Makes it run without an operation: a program that got no reply from gopatchd in time when it
    /// started tries again while it runs.
    pub fn stir(&self) -> Result<()> {
        let address = &self.ready.http;
        TcpStream::connect(address).map(drop).with_context(|| format!("cannot connect to {address}"))
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends it; its exit status must be success.
    pub fn stop(mut self) -> Result<()> {
        self.process.terminate()
    }
}

/// Sends requests for [`KNOCK`] to the server at an address until `heard`.
pub fn knock(address: &str, mut heard: impl FnMut() -> Result<bool>) -> Result<()> {
    let once = || {
        let mut connection = TcpStream::connect(address)?;
        connection.write_all(format!("GET {KNOCK} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").as_bytes())?;
        connection.read_to_end(&mut Vec::new())
    };
    wait_until("its gopatchd to see a request", SOON, || {
        once().context("cannot send the server a request")?;
        Ok(heard()?.then_some(()))
    })
}
