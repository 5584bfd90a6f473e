//! A receiver that counts spans and keeps nothing (corpus/otlpsink), for more of them than a test
//! could read.

use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;
use xtask::corpus;

use crate::process::Process;
use crate::{NEWEST_GO, SOON, Scratch};

/// A running receiver.
pub struct OtlpSink {
    process: Process,
    url: String,
}

/// What it has received.
#[derive(Debug, Deserialize)]
pub struct Counts {
    /// Spans.
    pub spans: u64,
    /// Different ids of spans; 0 unless they are counted.
    pub distinct_spans: u64,
    /// Metrics in all messages.
    pub metrics: u64,
}

#[derive(Deserialize)]
struct Ready {
    grpc: String,
}

impl OtlpSink {
    /// Starts one on loopback. Counting ids takes memory for each.
    pub fn start(scratch: &Scratch, distinct: bool) -> Result<Self> {
        let mut command = Command::new(corpus::build("otlpsink", NEWEST_GO, "default")?);
        command.arg(format!("-distinct={distinct}"));
        let mut process = Process::start(&mut command, scratch.path(), "otlpsink")?;
        let ready: Ready = process.wait_for("listen", SOON, |process| {
            let text = process.stdout()?;
            text.split_once('\n').map(|(line, _)| Ok(serde_json::from_str(line)?)).transpose()
        })?;
        Ok(Self { process, url: format!("http://{}", ready.grpc) })
    }

    /// Its URL, for OTLP over gRPC.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it and returns what it has received.
    pub fn stop(mut self) -> Result<Counts> {
        self.process.terminate()?;
        let text = self.process.stdout()?;
        serde_json::from_str(text.lines().last().context("it prints its counts")?).context("its counts")
    }
}
