//! A client and three services, one after another: corpus/chain, and corpus/chain-grpc.
//!
//! Decides in which sequence they start and end, so that none misses a call of another. `tree`
//! checks what gopatchd saw of them.

pub mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::SOCKET_ENV;
use serde::Deserialize;

use crate::process::Process;
use crate::{Collected, Gopatchd, Operation, SOON, Scratch, server, wait_until};

/// What the parts of a chain speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 without TLS.
    Http1,
    /// HTTP/2 over TLS.
    Http2,
    /// gRPC without TLS.
    Grpc,
}

/// What is sent along a chain.
#[derive(Debug, Clone, Copy)]
pub struct Requests<'a> {
    /// Between all parts.
    pub protocol: Protocol,
    /// Names of shapes, with commas, in turn.
    pub shapes: &'a str,
    /// Requests.
    pub count: usize,
    /// Requests in flight.
    pub in_flight: usize,
}

/// The programs of a chain, patched or not.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The client.
    pub client: PathBuf,
    /// From the first to the last.
    pub services: Vec<PathBuf>,
    /// Which of them, from 0, have no session, as they are not patched.
    pub unpatched: Vec<usize>,
    /// Where the last service sends its calls, a base URL. Without one, it answers by itself.
    pub next: Option<String>,
    /// Environment variables of all.
    pub environment: Vec<(String, String)>,
}

/// A chain whose services run.
pub struct Chain<'a> {
    scratch: &'a Scratch,
    programs: &'a Programs,
    requests: Requests<'a>,
    services: Vec<Service>,
    /// Numbers used so far.
    sent: usize,
}

/// A request as a service received it: a line of its file of `-seen`.
#[derive(Debug, Deserialize)]
pub struct Received {
    /// Path.
    pub path: String,
    /// The values of the header `traceparent`, each line by itself.
    pub traceparent: Option<Vec<String>>,
    /// The same of `tracestate`.
    pub tracestate: Option<Vec<String>>,
}

/// What a chain has done.
pub struct Outcome {
    /// What gopatchd printed, without the requests that wait for its sessions.
    pub collected: Collected,
    /// Each service's requests, from the first service to the last; none over gRPC.
    pub received: Vec<Vec<Received>>,
}

/// The line that a service prints when it accepts connections.
#[derive(Deserialize)]
struct Ready {
    #[serde(alias = "plain")]
    http: String,
    #[serde(alias = "tls")]
    https: String,
}

struct Service {
    process: Process,
    ready: Ready,
}

impl Outcome {
    /// Fails if anything was lost but what a process has written before its first gopatchd answered:
    /// that are requests that wait for sessions.
    pub fn ensure_all_seen(&mut self) -> Result<()> {
        let lost = &mut self.collected.summary.lost;
        lost.total -= std::mem::take(&mut lost.unconsumed);
        self.collected.ensure_all_seen()
    }
}

impl Received {
    /// The number of the client's request that it belongs to.
    pub fn number(&self) -> Option<usize> {
        self.path.rsplit('/').next()?.split('.').next()?.parse().ok()
    }
}

impl Programs {
    /// One program for all.
    pub fn all(program: &Path) -> Self {
        let services = vec![program.to_owned(); 3];
        Self { client: program.to_owned(), services, unpatched: Vec::new(), next: None, environment: Vec::new() }
    }

    /// Sends requests along the chain while this gopatchd collects, and ends everything.
    pub fn run(&self, scratch: &Scratch, gopatchd: Gopatchd, requests: Requests<'_>) -> Result<Outcome> {
        let mut chain = Chain::start(scratch, self, requests, Some(&gopatchd))?;
        chain.send(requests.count, Some(&gopatchd))?;
        let received = chain.end()?;
        let mut collected = gopatchd.stop()?;
        collected.operations.retain(|operation| !is_knock(operation));
        Ok(Outcome { collected, received })
    }

    /// The same without a gopatchd; returns what the services received.
    pub fn run_alone(&self, scratch: &Scratch, requests: Requests<'_>) -> Result<Vec<Vec<Received>>> {
        let mut chain = Chain::start(scratch, self, requests, None)?;
        chain.send(requests.count, None)?;
        chain.end()
    }

    /// Sends requests to another server, once the client has a session.
    pub fn send_to(
        &self,
        scratch: &Scratch,
        url: &str,
        requests: Requests<'_>,
        gopatchd: &Gopatchd,
        options: &[&str],
    ) -> Result<()> {
        let chain = Chain { scratch, programs: self, requests, services: Vec::new(), sent: 0 };
        chain.send_by_client(url, requests.count, Some(gopatchd), options)
    }

    fn command(&self, scratch: &Scratch, program: &Path, role: &str) -> Command {
        let mut command = Command::new(program);
        command.arg(role).env(SOCKET_ENV, crate::gopatchd::socket(scratch));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl<'a> Chain<'a> {
    /// Starts the services, the last one first, and waits until each has a session.
    pub fn start(
        scratch: &'a Scratch,
        programs: &'a Programs,
        requests: Requests<'a>,
        gopatchd: Option<&Gopatchd>,
    ) -> Result<Self> {
        let mut services: Vec<Service> = Vec::new();
        for (depth, program) in programs.services.iter().enumerate().rev() {
            let mut command = programs.command(scratch, program, "serve");
            match requests.protocol {
                Protocol::Grpc => {
                    command.args(["-n", &requests.count.to_string(), "-depth", &depth.to_string()]);
                }
                Protocol::Http1 => {
                    command.arg("-seen").arg(seen(scratch, depth));
                }
                Protocol::Http2 => {
                    command.arg("-http2").arg("-seen").arg(seen(scratch, depth));
                }
            }
            let next = services.first().map(|next| next.address(requests.protocol)).or(programs.next.clone());
            if let Some(next) = next {
                command.args(["-next", &next]);
            }
            services.insert(0, Service::start(&mut command, scratch, &format!("service-{depth}"))?);
        }
        if let (Some(gopatchd), Protocol::Http1 | Protocol::Http2) = (gopatchd, requests.protocol) {
            let patched = services.iter().enumerate().filter(|(depth, _)| !programs.unpatched.contains(depth));
            for (_, service) in patched {
                server::knock(&service.ready.http, settled(|| gopatchd.has_operation_of(service.process.pid())))?;
            }
        }
        Ok(Self { scratch, programs, requests, services, sent: 0 })
    }

    /// The first service's base URL, or its address over gRPC.
    pub fn address(&self) -> String {
        self.services[0].address(self.requests.protocol)
    }

    /// Sends the next `count` requests.
    pub fn send(&mut self, count: usize, gopatchd: Option<&Gopatchd>) -> Result<()> {
        self.send_by_client(&self.address(), count, gopatchd, &[])?;
        self.sent += count;
        Ok(())
    }

    /// Starts a client that begins when it has a session, and waits for its end.
    fn send_by_client(&self, to: &str, count: usize, gopatchd: Option<&Gopatchd>, options: &[&str]) -> Result<()> {
        let begin = self.scratch.file(&format!("begin-{}", self.sent));
        let mut command = self.programs.command(self.scratch, &self.programs.client, "client");
        command.args(["-shapes", self.requests.shapes, "-first", &self.sent.to_string(), "-n", &count.to_string()]);
        command.args(["-c", &self.requests.in_flight.to_string(), "-to", to]).args(options);
        command.arg("-start").arg(&begin);
        if self.requests.protocol == Protocol::Http2 {
            command.arg("-http2");
        }
        let mut client = Process::start(&mut command, self.scratch.path(), "client")?;
        if let Some(gopatchd) = gopatchd {
            // Over gRPC a knock goes along the whole chain.
            let services = self.services.iter().enumerate();
            let waiting = services.filter(|(depth, _)| self.sent == 0 && !self.programs.unpatched.contains(depth));
            for pid in waiting.map(|(_, service)| service.process.pid()).chain([client.pid()]) {
                let mut heard = settled(|| gopatchd.has_operation_of(pid));
                wait_until("gopatchd to print an operation of each process", SOON, || Ok(heard()?.then_some(())))?;
            }
        }
        fs::write(begin, "")?;
        let status = client.wait(Duration::from_mins(2) + Duration::from_millis(10) * u32::try_from(count)?)?;
        ensure!(status.success(), "{}", client.describe(&format!("ended with {status}")));
        Ok(())
    }

    /// The number of requests sent so far, which is that of the next one.
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// What the services have received so far of the requests from this number on, and of their calls.
    pub fn received_since(&self, number: usize) -> Result<Vec<Received>> {
        let mut received = Vec::new();
        for depth in 0..self.services.len() {
            received.extend(read(&seen(self.scratch, depth))?);
        }
        received.retain(|request| request.number().is_some_and(|one| one >= number));
        Ok(received)
    }

    /// Ends the services, the first one first, as its calls may outlive their requests. Returns what
    /// each received.
    pub fn end(self) -> Result<Vec<Vec<Received>>> {
        let mut received = Vec::new();
        for (depth, mut service) in self.services.into_iter().enumerate() {
            service.process.terminate()?;
            if self.requests.protocol != Protocol::Grpc {
                received.push(read(&seen(self.scratch, depth))?);
            }
        }
        Ok(received)
    }
}

impl Service {
    fn start(command: &mut Command, scratch: &Scratch, name: &str) -> Result<Self> {
        let mut process = Process::start(command, scratch.path(), name)?;
        let ready = process.wait_for("listen", SOON, |process| {
            let text = process.stdout()?;
            let line = text.split_once('\n').map(|(line, _)| serde_json::from_str(line));
            line.transpose().with_context(|| format!("the service printed {text:?}"))
        })?;
        Ok(Self { process, ready })
    }

    fn address(&self, protocol: Protocol) -> String {
        match protocol {
            Protocol::Http1 => format!("http://{}", self.ready.http),
            Protocol::Http2 => format!("https://{}", self.ready.https),
            Protocol::Grpc => self.ready.http.clone(),
        }
    }
}

/// `heard`, and a while later. A process that found its gopatchd while it ran begins to write
/// contexts up to a tenth of a second after its first record, if it runs then.
pub fn settled(mut heard: impl FnMut() -> Result<bool>) -> impl FnMut() -> Result<bool> {
    let mut since: Option<Instant> = None;
    move || {
        if since.is_none() && heard()? {
            since = Some(Instant::now());
        }
        Ok(since.is_some_and(|since| since.elapsed() > Duration::from_millis(500)))
    }
}

fn seen(scratch: &Scratch, depth: usize) -> PathBuf {
    scratch.file(&format!("seen-{depth}"))
}

/// The whole lines of a file of `-seen`.
fn read(path: &Path) -> Result<Vec<Received>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

/// Whether an operation is a request that waits for a session.
pub fn is_knock(operation: &Operation) -> bool {
    operation.text("url.path") == Some(server::KNOCK) || operation.text("rpc.method") == Some("chain.Chain/knock")
}
