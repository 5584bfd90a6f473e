//! A real Prometheus and its promtool, from Debian's package `prometheus`.
//!
//! It keeps its data in the test's folder. In CI it must be installed.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process::Process;
use crate::{Scratch, real};

/// Whether Prometheus is installed, as it must be in CI; elsewhere a note says what is not tested.
pub fn is_installed(what: &str) -> Result<bool> {
    for program in ["prometheus", "promtool"] {
        let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if let Err(error) = found {
            if std::env::var_os("CI").is_some() {
                return Err(error).with_context(|| format!("CI needs {program}: apt-get install prometheus"));
            }
            eprintln!("NOT TESTED: {what}: {program}: {error}");
            return Ok(false);
        }
    }
    Ok(true)
}

/// A running Prometheus.
pub struct Prometheus {
    process: Process,
    address: String,
}

impl Prometheus {
    /// Starts one on loopback that scrapes these addresses and itself, and waits until it is ready.
    /// With `honor_labels` the labels `job` and `instance` of a scraped page stay.
    pub fn start(scratch: &Scratch, targets: &[&str], interval: Duration, honor_labels: bool) -> Result<Self> {
        let [address] = real::free_addresses()?;
        let folder = scratch.file("prometheus");
        fs::create_dir(&folder).context("a test has one Prometheus")?;
        let config = format!(
            "global: {{ scrape_interval: {0}ms, scrape_timeout: {0}ms }}
scrape_configs:
  - {{ job_name: prometheus, static_configs: [{{ targets: ['{address}'] }}] }}
  - {{ job_name: scraped, honor_labels: {honor_labels}, static_configs: [{{ targets: {targets:?} }}] }}
",
            interval.as_millis()
        );
        fs::write(folder.join("config.yaml"), config)?;
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", folder.join("config.yaml").display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
        command.arg(format!("--web.listen-address={address}")).arg("--enable-feature=exemplar-storage");
        let mut process = Process::start(&mut command, &folder, "prometheus")?;
        process.wait_for("be ready", crate::SOON, |_| {
            Ok(get(&address, "/-/ready").ok().filter(|(status, _)| *status == 200).map(drop))
        })?;
        Ok(Self { process, address })
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The results of a PromQL expression now, as a list.
    pub fn query(&self, expression: &str) -> Result<Value> {
        self.call_api(&format!("/api/v1/query?query={}", percent_encoded(expression)))
            .map(|mut data| data["result"].take())
            .with_context(|| format!("query {expression}"))
    }

    /// The `data` that the HTTP API returns for a path.
    pub fn call_api(&self, path: &str) -> Result<Value> {
        let (status, body) = get(&self.address, path).with_context(|| self.process.describe("did not answer"))?;
        let mut answer: Value = serde_json::from_str(&body).with_context(|| format!("{status}: {body}"))?;
        ensure!(status == 200 && answer["status"] == "success", "{status}: {answer:#}");
        Ok(answer["data"].take())
    }

    /// Ends it.
    pub fn stop(mut self) -> Result<()> {
        self.process.terminate()
    }
}

/// The complaints of `promtool check metrics` about a page of metrics in Prometheus' text format.
pub fn promtool_check(text: &str) -> Result<String> {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = command.spawn().context("cannot start promtool")?;
    // It reads everything before it prints.
    promtool.stdin.take().context("promtool's stdin is piped")?.write_all(text.as_bytes())?;
    let output = promtool.wait_with_output()?;
    let complaints = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    ensure!(output.status.success() == complaints.is_empty(), "promtool: {}: {complaints}", output.status);
    Ok(complaints)
}

/// Requests a path from an HTTP server on loopback and returns the status and the body.
pub fn get(address: &str, path: &str) -> Result<(u16, String)> {
    let mut connection = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    // In HTTP/1.0 the body ends with the connection.
    write!(connection, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).with_context(|| format!("no answer from {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("not HTTP: {answer}"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.with_context(|| format!("no status: {head}"))?, body.to_owned()))
}

fn percent_encoded(text: &str) -> String {
    let encode =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}
