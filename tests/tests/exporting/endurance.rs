//! Programs start and end for a long time under an even load, and everything is exported.
//!
//! Each request must be an operation or a counted loss, each operation a span at the receiver, and
//! Prometheus must have seen all of them. Neither gopatchd nor a program that stays may hold more at
//! the end than it did once it had settled.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gopatch_tests::otlpsink::{Counts, OtlpSink};
use gopatch_tests::prometheus::{self, Prometheus};
use gopatch_tests::soak::{self, Held, early_and_late};
use gopatch_tests::{Gopatchd, NEWEST_GO, Process, SOON, Scratch, Server, alone, backends, gopatch, real};
use serde::Deserialize;
use serde_json::Value;
use xtask::corpus;

/// Requests that a program serves at a time.
const IN_FLIGHT: &str = "4";

/// Time between two looks at what processes hold.
const LOOK: Duration = Duration::from_secs(2);

/// How long gopatchd may take to count and push what is left, and Prometheus to scrape it.
const SETTLES: Duration = Duration::from_mins(2);

/// What runs, and what must hold.
#[derive(Debug, Clone, Copy)]
struct Endurance {
    lasts: Duration,
    programs: u32,
    /// Requests a second, to all programs together.
    rate: u32,
    /// How long a program runs, at most.
    run: Duration,
    scrapes: Duration,
    /// By how many bytes more than a tenth a process may grow.
    grows: u64,
}

const SHORT: Endurance = Endurance {
    lasts: Duration::from_secs(12),
    programs: 5,
    rate: 500,
    run: Duration::from_secs(4),
    scrapes: Duration::from_secs(1),
    grows: 64 << 20,
};

const LONG: Endurance = Endurance {
    lasts: Duration::from_hours(1),
    programs: 20,
    rate: 5000,
    run: Duration::from_secs(40),
    scrapes: Duration::from_secs(5),
    grows: 4 << 20,
};

#[test]
fn each_request_is_counted_while_programs_start_and_end() -> Result<()> {
    let _turn = alone();
    for backend in backends() {
        SHORT.run(backend).with_context(|| format!("backend {backend}"))?;
    }
    Ok(())
}

#[test]
#[ignore = "soak: an hour, on a quiet machine"]
fn each_request_is_counted_for_an_hour_and_memory_stays() -> Result<()> {
    let _turn = alone();
    let backend = backends().last().context("a backend")?;
    Endurance { lasts: soak::length(LONG.lasts)?, ..LONG }.run(backend).with_context(|| format!("backend {backend}"))
}

/// A program that runs, and its load.
struct Running {
    server: Server,
    load: Process,
    /// Its files.
    folder: Scratch,
}

/// What was sent, and what processes have held.
#[derive(Default)]
struct Seen {
    requests: u64,
    programs: u64,
    gopatchd: Vec<Held>,
    /// The program that stays.
    stays: Vec<u64>,
    /// The peaks of those that do not, in the order of their ends.
    peaks: Vec<u64>,
}

/// What loadgen prints.
#[derive(Deserialize)]
struct Sent {
    requests: u64,
    errors: u64,
}

impl Endurance {
    fn run(self, backend: &str) -> Result<()> {
        if !prometheus::is_installed("endurance")? {
            return Ok(());
        }
        let scratch = Scratch::new()?;
        let [address] = real::free_addresses()?;
        let sink = OtlpSink::start(&scratch, false)?;
        let settings = format!(
            "http: {{ listen: '{address}' }}
otlp: {{ endpoint: '{}', protocol: grpc }}
traces: {{ batch_delay: 1s }}
metrics: {{ exporters: [otlp, prometheus], interval: 5s }}
",
            sink.url()
        );
        let mut gopatchd = Gopatchd::start_silent_by(&scratch, backend, &settings)?;
        let prometheus = Prometheus::start(&scratch, &[&address], self.scrapes, true)?;
        let seen = self.serve(&scratch, &mut gopatchd)?;
        let status = soak::settled_status(&gopatchd.control(), SETTLES)?;
        let operations = number(&status, "operations")?;
        let scraped = wait_for_scrape(&prometheus, operations)?;
        prometheus.stop()?;
        gopatchd.stop_silent()?;
        let received = sink.stop()?;
        self.judge(backend, &seen, &status, scraped, &received)
    }

    /// Runs the programs and their load until the time is over.
    fn serve(self, scratch: &Scratch, gopatchd: &mut Gopatchd) -> Result<Seen> {
        let program = gopatch::patched(scratch, "httpserver", NEWEST_GO, "default")?;
        let pid = gopatchd.process().pid();
        let (began, mut looked) = (Instant::now(), Instant::now());
        let mut seen = Seen::default();
        let start = |slot: u32, run: u64| -> Result<Running> {
            let folder = Scratch::new()?;
            let mut command = Command::new(&program);
            command.env("GOPATCH_SOCKET", gopatchd.socket()).env("GOMAXPROCS", "2");
            let server = Server::start(&folder, command.env("OTEL_SERVICE_NAME", format!("slot-{slot}")))?;
            let load = self.load(&folder, &server, slot, run)?;
            Ok(Running { server, load, folder })
        };
        let mut running = BTreeMap::new();
        for slot in 0..self.programs {
            running.insert(slot, start(slot, 0)?);
        }
        seen.programs += running.len() as u64;
        for run in 1_u64.. {
            std::thread::sleep(Duration::from_millis(20));
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                seen.gopatchd.push(Held::by(pid)?);
                if let Some(stays) = running.get_mut(&0) {
                    seen.stays.push(Held::by(stays.server.process().pid())?.own);
                }
            }
            let is_over = began.elapsed() >= self.lasts;
            for slot in 0..self.programs {
                let Some(mut it) = running.remove(&slot) else { continue };
                if !it.load.has_ended()? {
                    running.insert(slot, it);
                    continue;
                }
                let sent: Sent = serde_json::from_str(&it.load.stdout()?).context("loadgen prints what it has sent")?;
                ensure!(sent.errors == 0 && sent.requests > 0, "{}", it.load.describe("had errors"));
                seen.requests += sent.requests;
                if slot == 0 && !is_over {
                    it.load = self.load(&it.folder, &it.server, slot, run)?;
                    running.insert(slot, it);
                    continue;
                }
                seen.peaks.push(peak(it.server.process().pid())?);
                // Some are stopped, and some die.
                if run.is_multiple_of(2) {
                    it.server.stop()?;
                } else {
                    it.server.process().kill()?;
                }
                if !is_over {
                    running.insert(slot, start(slot, run)?);
                    seen.programs += 1;
                }
            }
            if running.is_empty() {
                break;
            }
        }
        Ok(seen)
    }

    /// Sends requests to a program for a while, not the same time for each.
    fn load(self, folder: &Scratch, server: &Server, slot: u32, run: u64) -> Result<Process> {
        let lasts = self.run / 2 + self.run * fastrand::u32(0..32) / 64;
        let mut command = Command::new(corpus::build("loadgen", NEWEST_GO, "default")?);
        command.args(["-url", &server.url(false), "-mix", "fast", "-c", IN_FLIGHT, "-tag", &format!("{slot}-{run}-")]);
        command.args(["-duration", &format!("{}ms", lasts.as_millis())]);
        command.args(["-rate", &format!("{}", f64::from(self.rate) / f64::from(self.programs))]);
        command.env("GOMAXPROCS", "2");
        Process::start(&mut command, folder.path(), "loadgen")
    }

    /// Compares all accounts.
    fn judge(self, backend: &str, seen: &Seen, status: &Value, scraped: u64, received: &Counts) -> Result<()> {
        let operations = number(status, "operations")?;
        let lost = status["totals"]["lost"]["total"].as_u64().context("a count")?;
        let spans = &status["spans"];
        let span_count = |name: &str| spans[name].as_u64().with_context(|| format!("no {name}"));
        let (pushed, dropped) = (span_count("pushed")?, span_count("lost_queue_full")? + span_count("lost_rejected")?);
        let held: Vec<_> = seen.gopatchd.iter().map(|held| held.own).collect();
        let files: Vec<_> = seen.gopatchd.iter().map(|held| held.files).collect();
        println!(
            "{backend}: {} programs, {} requests, {operations} operations, {lost} records lost; {pushed} spans pushed, \
             {dropped} lost, {} received; Prometheus counts {scraped}",
            seen.programs, seen.requests, received.spans
        );
        let mut faults = Vec::new();
        for (what, series, grows) in [
            ("gopatchd's memory", &held, self.grows),
            ("memory of the program that stays", &seen.stays, self.grows),
            ("peaks of the others", &seen.peaks, self.grows),
            ("gopatchd's files", &files, u64::from(self.programs) * 16),
        ] {
            let (early, late) = early_and_late(series);
            println!("{backend}: {what}: {early} early, {late} late, at most {:?}", series.iter().max());
            if late > early + early / 10 + grows {
                faults.push(format!("{what}: {early} early, {late} late"));
            }
        }
        // A record that is lost is an entry, and then the request is no operation, or an exit.
        let missing = seen.requests.checked_sub(operations);
        if missing.is_none_or(|missing| missing > lost) {
            faults.push(format!("{} requests, {operations} operations, {lost} records lost", seen.requests));
        }
        if pushed + dropped != operations || received.spans != pushed {
            faults.push(format!("{operations} operations, {pushed} + {dropped} spans, {} received", received.spans));
        }
        if scraped != operations {
            faults.push(format!("{operations} operations, Prometheus counts {scraped}"));
        }
        let totals = &status["totals"];
        for count in ["refused", "unprinted", "evicted_calls", "broken_rings", "unproven_losses"] {
            if totals[count] != 0 {
                faults.push(format!("{count}: {}", totals[count]));
            }
        }
        ensure!(faults.is_empty(), "{}\n{totals}", faults.join("\n"));
        Ok(())
    }
}

fn number(status: &Value, name: &str) -> Result<u64> {
    status["totals"][name].as_u64().with_context(|| format!("no {name}"))
}

/// Waits until Prometheus has seen this many requests in all processes that there have been, and
/// returns how many it has seen if that does not happen.
fn wait_for_scrape(prometheus: &Prometheus, operations: u64) -> Result<u64> {
    let began = Instant::now();
    loop {
        let result = prometheus.query("sum(max_over_time(http_server_request_duration_seconds_count[2h]))")?;
        let counted = result[0]["value"][1].as_str().map_or(Ok(0.0), str::parse::<f64>)? as u64;
        if counted >= operations || began.elapsed() > SOON {
            return Ok(counted);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The peak memory of a process, in bytes.
fn peak(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
}
