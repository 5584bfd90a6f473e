//! gopatchd comes late, is killed, comes again: the server does not notice, and what was lost is known.
//!
//! Decides: how often, and what is counted against what:
//!
//! * while a gopatchd lives and has rings, every request is an operation;
//! * what is written between its death and the moment the server notices is lost, and the next gopatchd tells how much;
//! * no request is ever two operations, and no operation is nobody's.
//!
//! Trusts: loadgen's account of its requests.
//! Never does: count what a gopatchd had read and not yet printed when it was killed. Nobody can know that; it is
//! bounded instead.

use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatchd, Load, Operation, SOON, Scratch, Seen, Server, alone, backends, gopatch};
use serde_json::Value;

/// How often gopatchd is killed.
const KILLS: u64 = 20;

/// Longest time from gopatchd's first word to its first operation.
const RESUMES: Duration = Duration::from_secs(10);

/// How long a gopatchd lives once it sees operations.
const ALIVE: Duration = Duration::from_millis(400);

/// A gopatchd has printed what ended this long ago: it looks at its rings every 10 ms or more often.
const PRINTED: Duration = Duration::from_millis(200);

/// The server does not take gopatchd for dead before this time: its heartbeat must be 0.7 s old, and it beat no longer than 0.2 s before.
const UNNOTICED: Duration = Duration::from_millis(250);

/// The boundary's record at the end of each connection, and handshakes.
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
    /// When it was known to print operations.
    from: u64,
    /// What had ended long before, it has printed.
    until: u64,
    /// When it was killed, or asked to end.
    dead: u64,
    /// Records that it said were lost before it.
    told: u64,
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
    // Of two failures the client's is the worse.
    let loads = loads.context("the server failed a request")?;
    server.stop()?;
    check(&lives?, &loads)
}

/// Sends requests without a pause. Each load is a client of its own; any request that fails is an error.
fn load_until(enough: &AtomicBool, scratch: &Scratch, server: &Server) -> Result<Vec<Vec<Seen>>> {
    let mut loads = Vec::new();
    while !enough.load(Ordering::Relaxed) {
        let tag = format!("{}-", loads.len());
        let mix = "fast,slow,echo";
        loads.push(Load { tls: false, proto: "h1", mix, count: 2_000, in_flight: 8, tag: &tag }.send(scratch, server)?);
    }
    Ok(loads)
}

/// Starts a gopatchd some time after the one before has ended, and ends it: the last as it should be, others by a kill.
fn live(scratch: &Scratch, backend: &str, life: u64) -> Result<Life> {
    std::thread::sleep(Duration::from_millis(life % 4 * 100));
    let mut gopatchd = Gopatchd::start_named(scratch, &format!("gopatchd-{life}"), backend, &[])?;
    let listening = Instant::now();
    gopatchd.wait_for_operation()?;
    let waited = listening.elapsed();
    ensure!(waited <= RESUMES, "life {life}: the first operation came after {waited:?}");
    let from = now();
    std::thread::sleep(ALIVE);
    let said = gopatchd.process().stderr();
    let told = told(&said).with_context(|| format!("life {life}: gopatchd said {said:?}"))?;
    ensure!((told > 0) == (life > 0), "life {life}: of what was lost before it, gopatchd said {said:?}");
    let until = now();
    if life < KILLS {
        // However late it is: behind what has ended by now it prints what begins now.
        gopatchd.process().wait_for("print what comes now", SOON, |process| {
            let text = process.stdout()?;
            let whole = &text[..text.rfind('\n').unwrap_or(0)];
            let last: Option<Value> = whole.lines().next_back().and_then(|line| serde_json::from_str(line).ok());
            Ok(last.filter(|it| it["start_unix_nano"].as_u64() > Some(until)).map(drop))
        })?;
        gopatchd.process().kill()?;
        let dead = now();
        return Ok(Life { from, until, dead, told, operations: gopatchd.operations_so_far()? });
    }
    let said = gopatchd.stop()?;
    let lost = &said.summary.lost;
    ensure!(lost.unconsumed + lost.ring_full + lost.left_by_earlier == told, "it told {told}, and at last {lost:?}");
    ensure!(lost.total == told && said.summary.sessions == 1, "{:?}", said.summary);
    Ok(Life { from, until, dead: until, told, operations: said.operations })
}

fn check(lives: &[Life], loads: &[Vec<Seen>]) -> Result<()> {
    let seen: HashMap<&str, &Seen> = loads.iter().flatten().map(|seen| (seen.path.as_str(), seen)).collect();
    let mut printed: HashMap<&str, &Operation> = HashMap::new();
    for operation in lives.iter().flat_map(|life| &life.operations).filter(|operation| operation.rule == "http.server")
    {
        let path = operation.text("url.path").with_context(|| format!("no path: {operation:?}"))?;
        ensure!(!printed.contains_key(path), "seen twice: {operation:?}");
        let request = seen.get(path).with_context(|| format!("nobody's: {operation:?}"))?;
        // A session can begin or end in the middle of a request. Then gopatchd says so.
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
        let unnoticed = between(pair[0].dead, pair[0].dead + nanos(UNNOTICED)).count() as u64;
        // Between two loads there is none.
        loaded += u64::from(unnoticed > 0);
        ensure!(
            pair[1].told >= 2 * unnoticed,
            "after life {number} {unnoticed} requests had two records each, {} were counted as lost",
            pair[1].told
        );
    }
    ensure!(loaded >= KILLS / 2, "only {loaded} gopatchds were killed under load");
    let told: u64 = lives.iter().map(|life| life.told).sum();
    let most = 2 * (seen.len() - printed.len()) as u64 + OTHER_RECORDS_OF_A_LOAD * loads.len() as u64;
    ensure!(told <= most, "{told} records were counted as lost, but there were at most {most}");
    Ok(())
}

/// Records lost before this gopatchd, as it said.
fn told(stderr: &str) -> Result<u64> {
    let mut told = 0;
    for (before, after) in [
        (": ", " records of its earlier session were not drained"),
        ("were not drained, ", " found no room"),
        (": ", " records were left by an earlier gopatchd"),
    ] {
        for line in stderr.lines() {
            let number = line.split_once(after).and_then(|(text, _)| text.rsplit_once(before));
            told += number.map_or(Ok(0), |(_, number)| number.parse::<u64>()).with_context(|| line.to_owned())?;
        }
    }
    Ok(told)
}

fn now() -> u64 {
    nanos(SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970"))
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos() as u64
}
