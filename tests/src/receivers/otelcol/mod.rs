//! A real OpenTelemetry Collector (corpus/otelcol), and what it has received.
//!
//! It accepts OTLP over gRPC and over HTTP and writes everything to a file at once, without
//! aggregating or removing duplicates: a test sees every span and every data point.

mod otlp;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use xtask::corpus;

pub use otlp::{Attributes, Data, Event, Exemplar, HistogramPoint, Metric, NumberPoint, Received, Span, Temporality};

use crate::process::Process;
use crate::{NEWEST_GO, SOON, Scratch, real, wait_until};

/// How a Collector is configured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Certificate and key, as PEM files: with them it accepts OTLP over TLS only.
    pub tls: Option<(&'a Path, &'a Path)>,
}

/// A Collector. It runs until it is stopped, and can be started again.
pub struct Otelcol {
    process: Option<Process>,
    program: PathBuf,
    folder: PathBuf,
    grpc: String,
    http: String,
    scheme: &'static str,
}

impl Otelcol {
    /// Starts a Collector on loopback and waits until it listens.
    pub fn start(scratch: &Scratch, options: Options<'_>) -> Result<Self> {
        let [grpc, http] = real::free_addresses()?;
        let folder = scratch.file("otelcol");
        fs::create_dir(&folder).context("a test has one collector")?;
        let tls = options.tls.map_or_else(String::new, |(certificate, key)| {
            format!(", tls: {{ cert_file: {}, key_file: {} }}", certificate.display(), key.display())
        });
        let config = format!(
            "receivers:
  otlp:
    protocols:
      grpc: {{ endpoint: {grpc}{tls} }}
      http: {{ endpoint: {http}{tls} }}
exporters:
  file: {{ path: {}, append: true, flush_interval: 20ms }}
service:
  telemetry: {{ metrics: {{ level: none }} }}
  pipelines:
    traces: {{ receivers: [otlp], exporters: [file] }}
    metrics: {{ receivers: [otlp], exporters: [file] }}
",
            folder.join("received").display()
        );
        fs::write(folder.join("config.yaml"), config)?;
        let program = corpus::build("otelcol", NEWEST_GO, "default")?;
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let mut collector = Self { process: None, program, folder, grpc, http, scheme };
        collector.start_again()?;
        Ok(collector)
    }

    /// Starts it again at the same addresses. What it had received stays.
    pub fn start_again(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "the collector runs");
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.folder.join("config.yaml"));
        let mut process = Process::start(&mut command, &self.folder, "otelcol")?;
        for address in [&self.grpc, &self.http] {
            real::wait_for_listener(&mut process, address)?;
        }
        self.process = Some(process);
        Ok(())
    }

    /// Ends it. It first writes everything that it has accepted.
    pub fn stop(&mut self) -> Result<()> {
        self.process.take().context("the collector does not run")?.terminate()
    }

    /// The URL for OTLP over gRPC.
    pub fn grpc(&self) -> String {
        format!("{}://{}", self.scheme, self.grpc)
    }

    /// The URL for OTLP over HTTP, without a path.
    pub fn http(&self) -> String {
        format!("{}://{}", self.scheme, self.http)
    }

    /// Everything that it has written so far. While it runs, that may be less than it has accepted.
    pub fn received(&self) -> Result<Received> {
        let path = self.folder.join("received");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // The last line may be incomplete.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        Received::parse(whole).with_context(|| format!("{} is not OTLP", path.display()))
    }

    /// Waits until `ask` returns a value for what was received.
    pub fn wait_for<T>(&self, what: &str, mut ask: impl FnMut(Received) -> Option<T>) -> Result<T> {
        wait_until(what, SOON, || Ok(ask(self.received()?)))
    }
}
