//! The built-in load: hyper's HTTP/1.1 client on kept connections.
//!
//! Decides: one request in flight a connection; an answer that is neither 2xx nor 3xx is an error; what was sent before
//! the end of the window is waited for and counted.
//! With a rate, requests are due at fixed times. One that is late because the answer before it was late counts from when it was
//! due, or slow answers would hide the requests that they hold up (coordinated omission). One that waits for its time
//! counts from when it is sent, since what is late then is this process's timer.
//! Trusts: hyper for HTTP, hdrhistogram for percentiles.
//! Never does: send a request twice, unless its connection was closed before it was sent.

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

use super::output::Told;
use crate::process::stop;
use crate::url;

/// Percentiles that the built-in load gives, for plots. Those that the tables show are among them.
const PERCENTILES: [f64; 16] =
    [1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 97.5, 99.0, 99.5, 99.75, 99.9, 99.95, 99.99, 100.0];

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest latency that is told apart, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// Pause after a connection that could not be made.
const PAUSE: Duration = Duration::from_millis(10);

/// How many errors are told in words.
const MESSAGES: usize = 3;

/// What one thread has seen.
struct Seen {
    /// Latencies in nanoseconds.
    latencies: Histogram<u64>,
    errors: u64,
    messages: Vec<String>,
    /// When the last answer came.
    last: Instant,
}

/// What all clients of a thread do.
struct Plan {
    uri: Uri,
    address: String,
    start: Instant,
    end: Instant,
    /// Time between two requests of one client.
    interval: Option<Duration>,
}

type Sender = SendRequest<Empty<Bytes>>;

/// Sends requests for a time.
pub(super) fn run(url: &str, connections: usize, threads: usize, rate: Option<f64>, time: Duration) -> Result<Told> {
    let uri: Uri = url.parse().with_context(|| format!("{url:?} is not a URL"))?;
    let address = url::address_of(url)?;
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
        // Threads that are left alone end by themselves within their patience, or with the process.
        stop::check()?;
        thread::sleep(Duration::from_millis(5));
    }
    let mut all = Seen::new(start)?;
    for thread in running {
        all.add(thread.join().map_err(|_| anyhow!("the built-in load panicked"))??)?;
    }
    Ok(all.told(start))
}

/// Runs some of the clients on this thread.
fn drive(plan: Plan, clients: &[usize], of: usize) -> Result<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seen = Rc::new(RefCell::new(Seen::new(plan.start)?));
    let (local, plan) = (LocalSet::new(), Rc::new(plan));
    for client in clients {
        // Clients that are paced begin one after the other, so that requests come evenly.
        let first = plan.interval.map_or(Duration::ZERO, |interval| interval.mul_f64(*client as f64 / of as f64));
        let (plan, seen) = (Rc::clone(&plan), Rc::clone(&seen));
        local.spawn_local(async move { client_loop(&plan, first, &seen).await });
    }
    runtime.block_on(local);
    Ok(Rc::into_inner(seen).context("a client is left over")?.into_inner())
}

async fn client_loop(plan: &Plan, first: Duration, seen: &RefCell<Seen>) {
    let mut sender: Option<Sender> = None;
    let mut due = plan.start + first;
    loop {
        let now = Instant::now();
        // A request that is due within the window is sent, however late it is.
        let intended = if plan.interval.is_some() { due } else { now };
        if intended >= plan.end || now >= plan.end + PATIENCE {
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
        match timeout(PATIENCE, once(plan, &mut sender)).await.unwrap_or_else(|_| Err(anyhow!("no answer in time"))) {
            Ok(()) => seen.borrow_mut().answered(from),
            Err(error) => {
                sender = None;
                seen.borrow_mut().failed(&error);
                sleep(PAUSE).await;
            }
        }
    }
}

/// Sends one request and reads its answer to the end.
async fn once(plan: &Plan, sender: &mut Option<Sender>) -> Result<()> {
    loop {
        let kept = sender.is_some();
        let mut current = match sender.take() {
            Some(kept) => kept,
            None => connect(&plan.address).await?,
        };
        // The server may close a kept connection at any time; then there is no answer to wait for yet.
        if current.ready().await.is_err() && kept {
            continue;
        }
        let request = Request::get(plan.uri.path_and_query().map_or("/", |path| path.as_str()))
            .header(HOST, &plan.address)
            .body(Empty::new())?;
        let mut response = match current.try_send_request(request).await {
            Ok(response) => response,
            // hyper gives the request back if no byte of it was sent.
            Err(mut error) => match error.take_message() {
                Some(_) if kept => continue,
                _ => return Err(error.into_error()).context("no answer"),
            },
        };
        while let Some(frame) = response.body_mut().frame().await {
            frame.context("the answer broke off")?;
        }
        let status = response.status();
        if !(status.is_success() || status.is_redirection()) {
            // The connection is still good.
            *sender = Some(current);
            return Err(anyhow!("status {status}"));
        }
        *sender = Some(current);
        return Ok(());
    }
}

async fn connect(address: &str) -> Result<Sender> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // What ends the connection is told to whoever waits for an answer.
    tokio::task::spawn_local(async move { drop(connection.await) });
    Ok(sender)
}

impl Seen {
    fn new(start: Instant) -> Result<Self> {
        let latencies = Histogram::new_with_bounds(1, LONGEST, 3).context("a histogram of latencies")?;
        Ok(Self { latencies, errors: 0, messages: Vec::new(), last: start })
    }

    fn answered(&mut self, from: Instant) {
        self.last = Instant::now();
        self.latencies.saturating_record((self.last - from).as_nanos() as u64);
    }

    fn failed(&mut self, error: &anyhow::Error) {
        self.last = Instant::now();
        self.errors += 1;
        if self.messages.len() < MESSAGES {
            self.messages.push(format!("{error:#}"));
        }
    }

    fn add(&mut self, other: Self) -> Result<()> {
        self.latencies.add(&other.latencies).context("two histograms of one kind")?;
        self.errors += other.errors;
        self.messages.extend(other.messages);
        self.messages.truncate(MESSAGES);
        self.last = self.last.max(other.last);
        Ok(())
    }

    fn told(self, start: Instant) -> Told {
        let requests = self.latencies.len();
        let at = |percentile: f64| (percentile, self.latencies.value_at_percentile(percentile) as f64 / 1e3);
        Told {
            requests: Some(requests),
            errors: Some(self.errors),
            seconds: Some((self.last - start).as_secs_f64()),
            latency_us: if requests == 0 { Vec::new() } else { PERCENTILES.map(at).to_vec() },
            messages: self.messages,
        }
    }
}
