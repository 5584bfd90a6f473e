//! A receiver that is gone for a while, and a frozen disk, under load.
//!
//! What the queue has room for is kept, the rest is counted, and gopatchd's memory is bounded. The
//! server's latency is printed and not judged.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::SOCKET_ENV;
use gopatch_tests::load::FAST;
use gopatch_tests::otelcol::{Options, Otelcol};
use gopatch_tests::{Gopatchd, Load, NEWEST_GO, SOON, Scratch, Server, alone, gopatch, wait_until};

/// Requests a second.
const RATE: u32 = 2000;

/// Memory of gopatchd besides its queue, with the memfd backend and one process.
const BESIDES: usize = 64 << 20;

#[test]
fn nothing_is_lost_that_the_queue_has_room_for() -> Result<()> {
    outage(Duration::from_secs(3), 64 << 20)
}

#[test]
fn what_the_queue_has_no_room_for_is_counted() -> Result<()> {
    outage(Duration::from_secs(3), 1 << 20)
}

#[test]
#[ignore = "two minutes; `cargo xtask soak` runs it"]
fn a_minute_without_a_receiver() -> Result<()> {
    // Memory and losses are those of a known rate, for minutes.
    let _turn = alone();
    outage(Duration::from_mins(1), 128 << 20)?;
    outage(Duration::from_mins(1), 8 << 20)
}

/// Everything that gopatchd prints goes to a disk that accepts no writes for a while.
#[test]
#[ignore = "makes and freezes a file system of its own, as root; `cargo xtask soak` runs it"]
fn a_frozen_disk_holds_up_no_program() -> Result<()> {
    const FROZEN: Duration = Duration::from_secs(10);
    // What another test writes out (`sync`) would wait for the frozen disk.
    let _turn = alone();
    let scratch = Scratch::new()?;
    let disk = Disk::mount(&scratch)?;
    let mut collector = Otelcol::start(&scratch, Options::default())?;
    let settings = format!("otlp: {{ endpoint: '{}' }}\ntraces: {{ batch_delay: 100ms }}\n", collector.http());
    let gopatchd = Gopatchd::start_by(&disk.0, "memfd", &settings)?;
    let program = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    let start = |scratch: &Scratch| Server::start(scratch, Command::new(&program).env(SOCKET_ENV, gopatchd.socket()));
    let server = start(&scratch)?;
    server.knock(|| gopatchd.has_operation())?;

    let count = RATE as usize * 2 * FROZEN.as_secs() as usize;
    let load = Load { tls: false, proto: "h1", mix: FAST, count, in_flight: 64, tag: "d" };
    std::thread::scope(|scope| -> Result<_> {
        let sending = scope.spawn(|| load.send_at(RATE, &scratch, &server));
        std::thread::sleep(FROZEN / 2);
        let frozen = disk.freeze()?;
        // gopatchd also prints that a process comes and goes.
        start(&Scratch::new()?)?.stop()?;
        std::thread::sleep(FROZEN);
        let status = gopatchd.status()?;
        ensure!(status["alive"] == true && status["totals"]["lost"]["total"] == 0, "{status}");
        drop(frozen);
        sending.join().expect("the thread does not panic")
    })?;
    server.stop()?;
    wait_until("all spans to be pushed", SOON, || {
        let status = gopatchd.status()?;
        Ok((status["spans"]["waiting"] == 0).then_some(()))
    })?;
    let collected = gopatchd.stop()?;
    collector.stop()?;
    collected.ensure_all_seen()?;
    let received = collector.received()?;
    ensure!(received.spans.len() == collected.operations.len() && collected.operations.len() >= count);
    Ok(())
}

/// A file system in a file, mounted on a folder.
struct Disk(Scratch);

impl Disk {
    fn mount(scratch: &Scratch) -> Result<Self> {
        let (image, folder) = (scratch.file("disk"), Scratch::new()?);
        fs::File::create(&image)?.set_len(256 << 20)?;
        run(Command::new("mkfs.ext4").arg("-q").arg(&image))?;
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(folder.path()))?;
        Ok(Self(folder))
    }

    /// Writes to it wait until the returned value is dropped.
    fn freeze(&self) -> Result<Frozen<'_>> {
        run(Command::new("fsfreeze").arg("--freeze").arg(self.0.path()))?;
        Ok(Frozen(self))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A test that has failed may leave a process that still writes there.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

struct Frozen<'d>(&'d Disk);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        let thawed = run(Command::new("fsfreeze").arg("--unfreeze").arg(self.0.0.path()));
        thawed.expect("a frozen file system thaws");
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Stops the receiver for a time, in the middle of a load three times as long, with a queue of so
/// many bytes.
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
        sending.join().expect("the thread does not panic")
    })?;
    server.stop()?;
    // The queue is pushed before the next retry; then no span waits.
    let begin = Instant::now();
    let status = loop {
        let status = gopatchd.status()?;
        if status["spans"]["waiting"] == 0 || begin.elapsed() > Duration::from_mins(1) {
            break status;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let most = peak_memory(gopatchd.process().pid())?;
    let collected = gopatchd.stop()?;
    collector.stop()?;
    collected.ensure_all_seen()?;
    ensure!(
        seen.len() == count && collected.stderr.contains("the receiver accepts spans again"),
        "{}",
        collected.stderr
    );

    let received = collector.received()?;
    let ids: BTreeSet<_> = received.spans.iter().map(|span| span.span_id.as_str()).collect();
    ensure!(ids.len() == received.spans.len(), "{} arrived twice", received.spans.len() - ids.len());
    let operations = collected.operations.len();
    let lost = status["spans"]["lost_queue_full"].as_u64().context("a count")? as usize;
    ensure!(ids.len() + lost == operations, "{} of {operations} arrived, {lost} are counted as lost", ids.len());
    // Such a span takes less than 1 kB.
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
    ensure!(most <= BESIDES + 2 * queue_bytes, "gopatchd used {most} bytes");
    Ok(())
}

/// The peak memory of a process, in bytes.
fn peak_memory(pid: u32) -> Result<usize> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes << 10)
}
