//! gopatchd starts late, is killed, and starts again: the server does not notice, and what it records
//! while there is no gopatchd is read by the next one.
//!
//! * While a gopatchd lives and has rings, every request is an operation.
//! * So is one between its death and the moment the server notices: the rings stay.
//! * No request is ever two operations, and no operation is without a request.
//!
//! What a gopatchd had read and not yet printed when it was killed cannot be known. What its BPF
//! program had taken and it had not read is counted by the next one.

use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatchd, Load, Operation, SOON, Scratch, Seen, Server, alone, backends, gopatch};
use serde_json::Value;

/// How many times gopatchd is killed.
const KILLS: u64 = 10;

/// Longest time from gopatchd's start to its first operation.
const RESUMES: Duration = Duration::from_secs(10);

/// How long a gopatchd lives after its first operation.
const ALIVE: Duration = Duration::from_millis(400);

/// A gopatchd has printed what ended this long ago: it reads its rings every 10 ms or more often.
const PRINTED: Duration = Duration::from_millis(200);

/// The server does not consider gopatchd dead before this time: the heartbeat must be 0.7 s old,
/// and the last beat is at most 0.2 s before the death.
const UNNOTICED: Duration = Duration::from_millis(250);

/// Records at the end of each connection, and of handshakes.
const OTHER_RECORDS_OF_A_LOAD: u64 = 16;

#[test]
fn go_1_21() -> Result<()> {
    for backend in backends() {
        killed_and_started_again("1.21.13", backend).with_context(|| format!("backend {backend}"))?;
    }
    Ok(())
}

#[test]
fn go_1_27() -> Result<()> {
    for backend in backends() {
        killed_and_started_again("1.27.4", backend).with_context(|| format!("backend {backend}"))?;
    }
    Ok(())
}

/// One gopatchd's life.
struct Life {
    /// When it had begun to print operations.
    from: u64,
    /// It has printed what ended long before this time.
    until: u64,
    /// When it was killed or terminated.
    dead: u64,
    /// Records lost before it, as it reported.
    reported: u64,
    operations: Vec<Operation>,
}

fn killed_and_started_again(go: &str, backend: &str) -> Result<()> {
    // Heartbeats and deaths are compared by the clock.
    let _turn = alone();
    let scratch = Scratch::new()?;
    let server = Server::start(&scratch, &mut Command::new(gopatch::patched(&scratch, "httpserver", go, "default")?))?;
    let enough = AtomicBool::new(false);
    let (lives, loads) = std::thread::scope(|scope| {
        let client = scope.spawn(|| load_until(&enough, &scratch, &server));
        let lives = (0..=KILLS).map(|life| live(&scratch, backend, life)).collect::<Result<Vec<Life>>>();
        enough.store(true, Ordering::Relaxed);
        (lives, client.join().expect("the client does not panic"))
    });
    // Of two failures the client's is more important.
    let loads = loads.context("the server failed a request")?;
    server.stop()?;
    check(&lives?, &loads)
}

/// Sends requests without a pause. Each load is another client; a failed request is an error.
fn load_until(enough: &AtomicBool, scratch: &Scratch, server: &Server) -> Result<Vec<Vec<Seen>>> {
    let mut loads = Vec::new();
    while !enough.load(Ordering::Relaxed) {
        let tag = format!("{}-", loads.len());
        let mix = "fast,slow,echo";
        loads.push(Load { tls: false, proto: "h1", mix, count: 2_000, in_flight: 8, tag: &tag }.send(scratch, server)?);
    }
    Ok(loads)
}

/// Starts a gopatchd some time after the previous one has ended. The last is terminated, others are
/// killed.
fn live(scratch: &Scratch, backend: &str, life: u64) -> Result<Life> {
    std::thread::sleep(Duration::from_millis(life % 4 * 100));
    let mut gopatchd = Gopatchd::start_named(scratch, &format!("gopatchd-{life}"), backend, &[])?;
    let listening = Instant::now();
    // Before it has the session, the server writes until it notices that the last one is dead, and
    // then nothing.
    gopatchd.wait_for_session()?;
    wait_for_one_after(&mut gopatchd, now())?;
    let waited = listening.elapsed();
    ensure!(waited <= RESUMES, "life {life}: the first operation came after {waited:?}");
    let from = now();
    std::thread::sleep(ALIVE);
    let stderr = gopatchd.process().stderr();
    let reported = losses_reported(&stderr).with_context(|| format!("life {life}: gopatchd printed {stderr:?}"))?;
    ensure!(reported == 0 || life > 0 && backend == "bpf", "life {life}: gopatchd printed {stderr:?}");
    let until = now();
    if life < KILLS {
        // It prints what begins now after everything that has ended by now.
        wait_for_one_after(&mut gopatchd, until)?;
        gopatchd.process().kill()?;
        let dead = now();
        return Ok(Life { from, until, dead, reported, operations: gopatchd.operations_so_far()? });
    }
    let collected = gopatchd.stop()?;
    let lost = &collected.summary.lost;
    ensure!(
        lost.unconsumed + lost.ring_full + lost.left_by_earlier == reported,
        "it reported {reported}, and in the summary {lost:?}"
    );
    ensure!(lost.total == reported && collected.summary.sessions == 1, "{:?}", collected.summary);
    Ok(Life { from, until, dead: until, reported, operations: collected.operations })
}

/// Waits until it has printed an operation that began after `time`.
fn wait_for_one_after(gopatchd: &mut Gopatchd, time: u64) -> Result<()> {
    gopatchd.process().wait_for("print what comes now", SOON, |process| {
        let text = process.stdout()?;
        let whole = &text[..text.rfind('\n').unwrap_or(0)];
        let last: Option<Value> = whole.lines().next_back().and_then(|line| serde_json::from_str(line).ok());
        Ok(last.filter(|it| it["start_unix_nano"].as_u64() > Some(time)).map(drop))
    })
}

fn check(lives: &[Life], loads: &[Vec<Seen>]) -> Result<()> {
    let seen: HashMap<&str, &Seen> = loads.iter().flatten().map(|seen| (seen.path.as_str(), seen)).collect();
    let mut printed: HashMap<&str, &Operation> = HashMap::new();
    for operation in lives.iter().flat_map(|life| &life.operations).filter(|operation| operation.rule == "http.server")
    {
        let path = operation.text("url.path").with_context(|| format!("no path: {operation:?}"))?;
        ensure!(!printed.contains_key(path), "printed twice: {operation:?}");
        let request = seen.get(path).with_context(|| format!("no request of {operation:?}"))?;
        // A session can begin or end in the middle of a request, which gopatchd then marks.
        let status = (!operation.unfinished && !operation.unwound).then_some(request.status);
        ensure!(operation.number("http.response.status_code") == status, "{operation:?} of {request:?}");
        printed.insert(path, operation);
    }
    let between = |from: u64, until: u64| {
        seen.values()
            .filter(move |seen| seen.start_unix_nano > from && seen.start_unix_nano + seen.duration_nano < until)
    };
    for (number, life) in lives.iter().enumerate() {
        let missed: Vec<_> = between(life.from, life.until - nanos(PRINTED))
            .filter(|seen| !printed.contains_key(seen.path.as_str()))
            .collect();
        ensure!(missed.is_empty(), "life {number} missed {} requests, such as {:?}", missed.len(), missed[0]);
    }
    let mut loaded = 0;
    for (number, pair) in lives.windows(2).enumerate() {
        let unnoticed: Vec<_> = between(pair[0].dead, pair[0].dead + nanos(UNNOTICED)).collect();
        // There are none between two loads.
        loaded += u64::from(!unnoticed.is_empty());
        let missed: Vec<_> = unnoticed.iter().filter(|seen| !printed.contains_key(seen.path.as_str())).collect();
        // Each has two records.
        ensure!(
            2 * missed.len() as u64 <= pair[1].reported,
            "of {} requests after life {number}, {} were not read by the next, such as {:?}",
            unnoticed.len(),
            missed.len(),
            missed[0]
        );
    }
    ensure!(loaded >= KILLS / 2, "only {loaded} gopatchds were killed under load");
    let reported: u64 = lives.iter().map(|life| life.reported).sum();
    let most = 2 * (seen.len() - printed.len()) as u64 + OTHER_RECORDS_OF_A_LOAD * loads.len() as u64;
    ensure!(reported <= most, "{reported} records were counted as lost, but there were at most {most}");
    Ok(())
}

/// Records lost before this gopatchd, as it reported.
fn losses_reported(stderr: &str) -> Result<u64> {
    let mut reported = 0;
    for (before, after) in [
        (": of its earlier session, ", " records were not drained"),
        ("were not drained and ", " found no room"),
        (": ", " records were left by an earlier gopatchd"),
    ] {
        for line in stderr.lines() {
            let number = line.split_once(after).and_then(|(text, _)| text.rsplit_once(before));
            reported += number.map_or(Ok(0), |(_, number)| number.parse::<u64>()).with_context(|| line.to_owned())?;
        }
    }
    Ok(reported)
}

fn now() -> u64 {
    nanos(SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970"))
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos() as u64
}
