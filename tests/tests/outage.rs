//! A receiver that is gone for a while, under load.
//!
//! Decides: that what the queue's bound allows to keep is kept, that the rest is counted, and that gopatchd stays small.
//! Trusts: the Collector, which keeps what it has taken.
//! Never does: judge the time that the server takes; it is printed.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gopatch_tests::load::FAST;
use gopatch_tests::otelcol::{Options, Otelcol};
use gopatch_tests::{Gopatchd, Load, NEWEST_GO, Scratch, Server, gopatch};

/// Requests a second.
const RATE: u32 = 2000;

/// What gopatchd takes besides its queue, with the memfd backend and one process.
const BESIDES: usize = 64 << 20;

#[test]
fn nothing_is_lost_that_the_queue_can_keep() -> Result<()> {
    outage(Duration::from_secs(3), 64 << 20)
}

#[test]
fn what_the_queue_cannot_keep_is_counted() -> Result<()> {
    outage(Duration::from_secs(3), 1 << 20)
}

#[test]
#[ignore = "two minutes; `cargo xtask soak` runs it"]
fn a_minute_without_a_receiver() -> Result<()> {
    outage(Duration::from_mins(1), 128 << 20)?;
    outage(Duration::from_mins(1), 8 << 20)
}

/// Stops the receiver for a time, in the middle of three times as much load, with a queue of so many bytes.
fn outage(down: Duration, queue_bytes: usize) -> Result<()> {
    let scratch = Scratch::new()?;
    let mut collector = Otelcol::start(&scratch, Options::default())?;
    let settings = format!(
        "otlp: {{ endpoint: '{}' }}\ntraces: {{ queue_bytes: {queue_bytes}, batch_delay: 100ms }}\n\
         metrics: {{ interval: 500ms }}\n",
        collector.http()
    );
    let mut gopatchd = Gopatchd::start_by(&scratch, "memfd", &settings)?;
    let server = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    let server = Server::start(&scratch, &mut Command::new(server))?;
    server.knock(|| gopatchd.has_operation())?;
    let count = (RATE * 3) as usize * down.as_secs() as usize;
    let load = Load { tls: false, proto: "h1", mix: FAST, count, in_flight: 64, tag: "o" };
    let seen = std::thread::scope(|scope| -> Result<_> {
        let sending = scope.spawn(|| load.send_at(RATE, &scratch, &server));
        std::thread::sleep(down);
        collector.stop()?;
        std::thread::sleep(down);
        collector.start_again()?;
        sending.join().expect("it does not panic")
    })?;
    server.stop()?;
    // What waits is sent before the next pause is over; then nothing waits.
    let begin = Instant::now();
    let status = loop {
        let status: serde_json::Value = serde_json::from_slice(&gopatchd.ask(&["status", "--json"])?.stdout)?;
        if status["spans"]["waiting"] == 0 || begin.elapsed() > Duration::from_mins(1) {
            break status;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let most = peak_memory(gopatchd.process().pid())?;
    let said = gopatchd.stop()?;
    collector.stop()?;
    said.ensure_all_seen()?;
    ensure!(seen.len() == count && said.stderr.contains("the receiver takes spans again"), "{}", said.stderr);

    let received = collector.received()?;
    let ids: BTreeSet<_> = received.spans.iter().map(|span| span.span_id.as_str()).collect();
    ensure!(ids.len() == received.spans.len(), "{} came twice", received.spans.len() - ids.len());
    let operations = said.operations.len();
    let lost = status["spans"]["lost_queue_full"].as_u64().context("a count")? as usize;
    ensure!(ids.len() + lost == operations, "{} of {operations} came, {lost} are counted as lost", ids.len());
    // A span of these takes less than 1 kB.
    let kept_at_least = (queue_bytes >> 10).min(operations);
    let came_in_outage = RATE as usize * down.as_secs() as usize;
    ensure!(lost == 0 || came_in_outage > kept_at_least, "{lost} are lost, and the queue held {queue_bytes} bytes");
    ensure!((queue_bytes >> 10 < came_in_outage) || lost == 0, "{lost}");
    let counted = received.metrics_named("http.server.request.duration").last().context("metrics")?;
    let gopatch_tests::otelcol::Data::Histogram { data_points, .. } = &counted.data else {
        anyhow::bail!("{counted:?}");
    };
    let counted: u64 = data_points.iter().map(|point| point.count).sum();
    ensure!(counted == operations as u64, "metrics count {counted} of {operations}");
    println!("{operations} operations, {lost} lost by the queue; at most {} MiB", most >> 20);
    let begin = seen.iter().map(|seen| seen.start_unix_nano).min().context("requests")?;
    for (part, name) in (0..).zip(["before", "in", "after"]) {
        let is_in = |at: u64| (down * part..down * (part + 1)).contains(&Duration::from_nanos(at - begin));
        let of_part = seen.iter().filter(|seen| is_in(seen.start_unix_nano));
        let mut latencies: Vec<_> = of_part.map(|seen| seen.duration_nano / 1000).collect();
        latencies.sort_unstable();
        let [p50, p99] = [0.5, 0.99].map(|part| latencies[(latencies.len() as f64 * part) as usize]);
        println!("latency {name} the outage: p50 {p50} us, p99 {p99} us, of {} requests", latencies.len());
    }
    ensure!(most <= BESIDES + 2 * queue_bytes, "it took {most} bytes");
    Ok(())
}

/// The most memory that a process has had, in bytes.
fn peak_memory(pid: u32) -> Result<usize> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes << 10)
}
