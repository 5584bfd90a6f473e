//! The built-in load: hyper's HTTP/1.1 client on kept-alive connections, each with one request in
//! flight. A status other than 2xx and 3xx is an error. Requests sent before the end of the window
//! are awaited and counted. A request is sent again only if its kept-alive connection was closed
//! before any byte of it was sent.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HOST;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{sleep, sleep_until, timeout};

use super::output::LoadReport;
use crate::process::stop;
use crate::url;

/// The percentiles to report, for plots. They include those that the tables show.
const PERCENTILES: [f64; 16] =
    [1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 97.5, 99.0, 99.5, 99.75, 99.9, 99.95, 99.99, 100.0];

/// How long to wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The highest latency that the histogram distinguishes, in nanoseconds.
const MAX_LATENCY: u64 = 60_000_000_000;

/// Pause after a failed request.
const PAUSE: Duration = Duration::from_millis(10);

/// How many error messages to keep.
const MAX_MESSAGES: usize = 3;

/// The results of one thread.
struct Results {
    /// Latencies in nanoseconds.
    latencies: Histogram<u64>,
    errors: u64,
    messages: Vec<String>,
    /// When the last request was answered or failed.
    last: Instant,
}

/// What the clients of a thread do.
struct Plan {
    uri: Uri,
    address: String,
    start: Instant,
    end: Instant,
    /// Time between two requests of one client, with a rate.
    interval: Option<Duration>,
}

type Sender = SendRequest<Empty<Bytes>>;

/// Sends requests for a time and waits for the answers.
pub(super) fn run(
    url: &str,
    connections: usize,
    threads: usize,
    rate: Option<f64>,
    time: Duration,
) -> Result<LoadReport> {
    let uri: Uri = url.parse().with_context(|| format!("invalid URL {url:?}"))?;
    let address = url::address(url)?;
    let start = Instant::now();
    let interval = rate.map(|rate| Duration::from_secs_f64(connections as f64 / rate));
    let plan = || Plan { uri: uri.clone(), address: address.clone(), start, end: start + time, interval };
    let threads = threads.min(connections);
    let running: Vec<_> = (0..threads)
        .map(|thread| {
            let plan = plan();
            let clients: Vec<_> = (thread..connections).step_by(threads).collect();
            thread::spawn(move || drive(plan, &clients, connections))
        })
        .collect();
    while running.iter().any(|thread| !thread.is_finished()) {
        // After a signal the threads end by themselves within their timeouts, or with the process.
        stop::check()?;
        thread::sleep(Duration::from_millis(5));
    }
    let mut total = Results::new(start)?;
    for thread in running {
        total.add(thread.join().map_err(|_| anyhow!("the built-in load panicked"))??)?;
    }
    Ok(total.into_report(start))
}

/// Runs some of the clients on this thread.
fn drive(plan: Plan, clients: &[usize], all_clients: usize) -> Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let results = Rc::new(RefCell::new(Results::new(plan.start)?));
    let (local, plan) = (LocalSet::new(), Rc::new(plan));
    for client in clients {
        // With a rate the clients start one after another, so that requests are evenly spaced.
        let first =
            plan.interval.map_or(Duration::ZERO, |interval| interval.mul_f64(*client as f64 / all_clients as f64));
        let (plan, results) = (Rc::clone(&plan), Rc::clone(&results));
        local.spawn_local(async move { client_loop(&plan, first, &results).await });
    }
    runtime.block_on(local);
    Ok(Rc::into_inner(results).context("a client is still running")?.into_inner())
}

/// Sends one request after another until the end of the window.
///
/// With a rate, requests are due at fixed times. If a slow answer delays the next request, its
/// latency counts from when it was due; otherwise slow answers would hide the requests that they
/// delay (coordinated omission). A request that waits for its time counts from when it is sent,
/// because any delay is then this process's timer.
async fn client_loop(plan: &Plan, first: Duration, results: &RefCell<Results>) {
    let mut sender: Option<Sender> = None;
    let mut due = plan.start + first;
    loop {
        let now = Instant::now();
        // A request that is due within the window is sent, however late.
        let intended = if plan.interval.is_some() { due } else { now };
        if intended >= plan.end || now >= plan.end + TIMEOUT {
            return;
        }
        let mut from = intended;
        if let Some(interval) = plan.interval {
            due += interval;
            if now < intended {
                sleep_until(intended.into()).await;
                from = Instant::now();
            }
        }
        match timeout(TIMEOUT, send_request(plan, &mut sender))
            .await
            .unwrap_or_else(|_| Err(anyhow!("no answer within {} s", TIMEOUT.as_secs())))
        {
            Ok(()) => results.borrow_mut().add_answer(from),
            Err(error) => {
                sender = None;
                results.borrow_mut().add_error(&error);
                sleep(PAUSE).await;
            }
        }
    }
}

/// Sends one request and reads its answer to the end.
async fn send_request(plan: &Plan, sender: &mut Option<Sender>) -> Result<()> {
    loop {
        let kept = sender.is_some();
        let mut current = match sender.take() {
            Some(kept) => kept,
            None => connect(&plan.address).await?,
        };
        // The server may close a kept-alive connection at any time; no request is lost with it.
        if current.ready().await.is_err() && kept {
            continue;
        }
        let request = Request::get(plan.uri.path_and_query().map_or("/", |path| path.as_str()))
            .header(HOST, &plan.address)
            .body(Empty::new())?;
        let mut response = match current.try_send_request(request).await {
            Ok(response) => response,
            // hyper returns the request if no byte of it was sent.
            Err(mut error) => match error.take_message() {
                Some(_) if kept => continue,
                _ => return Err(error.into_error()).context("no answer"),
            },
        };
        while let Some(frame) = response.body_mut().frame().await {
            frame.context("incomplete answer")?;
        }
        let status = response.status();
        // The connection can be used again.
        *sender = Some(current);
        if !(status.is_success() || status.is_redirection()) {
            return Err(anyhow!("status {status}"));
        }
        return Ok(());
    }
}

async fn connect(address: &str) -> Result<Sender> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // An error of the connection also reaches the request that waits for an answer.
    tokio::task::spawn_local(async move { drop(connection.await) });
    Ok(sender)
}

impl Results {
    fn new(start: Instant) -> Result<Self> {
        let latencies = Histogram::new_with_bounds(1, MAX_LATENCY, 3).context("cannot create a histogram")?;
        Ok(Self { latencies, errors: 0, messages: Vec::new(), last: start })
    }

    fn add_answer(&mut self, from: Instant) {
        self.last = Instant::now();
        self.latencies.saturating_record((self.last - from).as_nanos() as u64);
    }

    fn add_error(&mut self, error: &anyhow::Error) {
        self.last = Instant::now();
        self.errors += 1;
        if self.messages.len() < MAX_MESSAGES {
            self.messages.push(format!("{error:#}"));
        }
    }

    fn add(&mut self, other: Self) -> Result<()> {
        self.latencies.add(&other.latencies).context("cannot add histograms")?;
        self.errors += other.errors;
        self.messages.extend(other.messages);
        self.messages.truncate(MAX_MESSAGES);
        self.last = self.last.max(other.last);
        Ok(())
    }

    fn into_report(self, start: Instant) -> LoadReport {
        let requests = self.latencies.len();
        let at = |percentile: f64| (percentile, self.latencies.value_at_percentile(percentile) as f64 / 1e3);
        LoadReport {
            requests: Some(requests),
            errors: Some(self.errors),
            seconds: Some((self.last - start).as_secs_f64()),
            latency_us: if requests == 0 { Vec::new() } else { PERCENTILES.map(at).to_vec() },
            messages: self.messages,
        }
    }
}
