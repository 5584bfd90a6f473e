//! The corpus server, patched or not.
//!
//! Decides: that it finds the gopatchd of its test and no other.
//! Trusts: the line with which it says that it is ready.
//! Never does: let it end otherwise than by itself and with success.

use std::process::Command;

use anyhow::{Context, Result};
use gopatch_trampolines::wire::SOCKET_ENV;
use serde::Deserialize;

use crate::process::Process;
use crate::{SOON, Scratch, gopatchd};

/// A running server.
pub struct Server {
    process: Process,
    ready: Ready,
}

#[derive(Deserialize)]
struct Ready {
    http: String,
    https: String,
}

impl Server {
    /// Starts a server that looks for the test's gopatchd, unless the command says otherwise.
    pub fn start(scratch: &Scratch, command: &mut Command) -> Result<Self> {
        if !command.get_envs().any(|(name, _)| name == SOCKET_ENV) {
            command.env(SOCKET_ENV, gopatchd::socket(scratch));
        }
        let mut process = Process::start(command, scratch.path(), "server")?;
        let ready = process.wait_for("listen", SOON, |process| {
            let text = process.stdout()?;
            let line = text.split_once('\n').map(|(line, _)| serde_json::from_str(line));
            line.transpose().with_context(|| format!("the server said {text:?}"))
        })?;
        Ok(Self { process, ready })
    }

    /// Its base URL for a protocol of loadgen's, over TLS or not.
    pub fn url(&self, tls: bool) -> String {
        if tls { format!("https://{}", self.ready.https) } else { format!("http://{}", self.ready.http) }
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Asks it to end, which it must do with success.
    pub fn stop(mut self) -> Result<()> {
        self.process.terminate()
    }
}
