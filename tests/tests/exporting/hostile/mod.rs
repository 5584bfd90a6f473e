//! A hostile client beside the programs of another user: it spoils its own records and metrics, and
//! nothing else.
//!
//! The attackers (`tests/src/attacker`) are processes of an unprivileged user, which do at the same
//! time all that `attackers` lists. The victims are of another user: one makes hundreds of thousands of
//! calls a second, one more starts each second. Meanwhile metrics are scraped by a real Prometheus,
//! and spans and metrics are pushed.
//!
//! The short form runs in CI, where other processes may take the processors: its bounds on times are
//! wide. The long ones have the bounds that gopatchd is made for, and need a quiet machine.

mod attackers;
mod hanging;
mod victims;
mod watch;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gopatch_tests::otlpsink::OtlpSink;
use gopatch_tests::prometheus::{self, Prometheus};
use gopatch_tests::soak::{self, Held};
use gopatch_tests::{Gopatchd, Scratch, alone, backends, real};
use serde_json::Value;

use attackers::{Attackers, Place};
use hanging::Hanging;
use victims::{Called, Caller};
use watch::Answers;

/// How long an attack lasts, and what must hold.
#[derive(Debug, Clone, Copy)]
struct Attack {
    /// Without attackers, to compare with.
    alone: Duration,
    lasts: Duration,
    /// Calls of the victim a second, and how long a newcomer runs.
    rate: u32,
    stays: Duration,
    /// By when a newcomer is attached, health is known, and gopatchd ends.
    attached: Duration,
    healthy: Duration,
    ended: Duration,
    /// The part of the victim's records that may be missing beyond what is missing alone, and of the
    /// newcomers'.
    lost: f64,
    newcomers_lost: f64,
    /// Whether each record must be in a count. A program whose gopatchd does not run for 0.7 s, as on
    /// a busy machine, makes none.
    counts_all: bool,
    /// How often Prometheus scrapes.
    scrapes: Duration,
}

const SHORT: Attack = Attack {
    alone: Duration::from_secs(3),
    lasts: Duration::from_secs(8),
    // A ring holds these for seconds.
    rate: 20_000,
    stays: Duration::from_secs(4),
    attached: Duration::from_secs(10),
    healthy: Duration::from_secs(5),
    ended: Duration::from_secs(10),
    lost: 0.05,
    newcomers_lost: 1.0,
    counts_all: false,
    scrapes: Duration::from_secs(2),
};

const LONG: Attack = Attack {
    alone: Duration::from_mins(1),
    lasts: Duration::from_mins(10),
    rate: 300_000,
    stays: Duration::from_millis(1500),
    attached: Duration::from_millis(300),
    healthy: Duration::from_millis(100),
    ended: Duration::from_secs(2),
    // What the machine takes from gopatchd in ten minutes may be 60 ms more than in one.
    lost: 0.0001,
    newcomers_lost: 0.0,
    counts_all: true,
    scrapes: Duration::from_secs(10),
};

/// How long gopatchd may take to forget the attackers' sessions and to push what waits.
const SETTLES: Duration = Duration::from_mins(1);

/// What was seen in an attack.
struct Seen {
    alone: Called,
    attacked: Called,
    health: Answers,
    held: Held,
    status: Value,
    scrape_faults: Vec<String>,
    ended_after: Duration,
    received: u64,
}

#[test]
fn a_hostile_client_spoils_only_its_own() -> Result<()> {
    let _turn = alone();
    for backend in backends() {
        SHORT.run(backend).with_context(|| format!("backend {backend}"))?;
    }
    Ok(())
}

#[test]
#[ignore = "soak: ten minutes for each backend, on a quiet machine"]
fn a_hostile_client_spoils_only_its_own_for_ten_minutes() -> Result<()> {
    let _turn = alone();
    let lasts = soak::length(LONG.lasts)?;
    for backend in backends() {
        Attack { lasts, ..LONG }.run(backend).with_context(|| format!("backend {backend}"))?;
    }
    Ok(())
}

#[test]
#[ignore = "soak: an hour, on a quiet machine"]
fn a_hostile_client_spoils_only_its_own_for_an_hour() -> Result<()> {
    let _turn = alone();
    let lasts = soak::length(Duration::from_hours(1))?;
    let backend = backends().last().context("a backend")?;
    Attack { lasts, ..LONG }.run(backend).with_context(|| format!("backend {backend}"))
}

/// All that can be exported is. Of the victim's spans a sample is: all of them would take a receiver
/// more than the victim takes gopatchd.
fn settings(address: &str, receiver: &str) -> String {
    format!(
        "http: {{ listen: '{address}', page_bytes: 4194304 }}
otlp: {{ endpoint: '{receiver}', protocol: grpc }}
traces: {{ sampler: traceidratio, sampler_arg: 0.01, batch_delay: 1s }}
metrics: {{ exporters: [otlp, prometheus], interval: 5s }}
"
    )
}

impl Attack {
    fn run(self, backend: &str) -> Result<()> {
        if !prometheus::is_installed("a hostile client")? {
            return Ok(());
        }
        let seen = self.observe(backend)?;
        seen.print(backend);
        let faults = self.faults(&seen)?;
        ensure!(faults.is_empty(), "{}", faults.join("\n"));
        Ok(())
    }

    /// Attacks, and watches.
    fn observe(self, backend: &str) -> Result<Seen> {
        let scratch = Scratch::new()?;
        // The users of the programs reach the socket.
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o755))?;
        let hanging = Hanging::mount(scratch.file("hanging"))?;
        let [address] = real::free_addresses()?;
        let sink = OtlpSink::start(&scratch, false)?;
        let mut gopatchd = Gopatchd::start_silent_by(&scratch, backend, &settings(&address, sink.url()))?;
        let pid = gopatchd.process().pid();
        let prometheus = Prometheus::start(&scratch, &[&address], self.scrapes, true)?;
        let caller = Caller::new(&scratch, self.stays)?;
        let place = Place { socket: gopatchd.socket(), address: &address, hanging: &hanging.file() };

        let is_over = AtomicBool::new(false);
        let (alone, attacked, health, held) = std::thread::scope(|scope| -> Result<_> {
            let health = scope.spawn(|| watch::ask_for_health(&address, &is_over));
            let held = scope.spawn(|| watch::look_at_memory(pid, &is_over));
            let called = (|| {
                let alone = caller.call(&gopatchd, "alone", self.rate, self.alone)?;
                let attackers = Attackers::start(&scratch, &place)?;
                let attacked = caller.call(&gopatchd, "attacked", self.rate, self.lasts)?;
                println!("{backend}: {}", attackers.stop()?.join("; "));
                anyhow::Ok((alone, attacked))
            })();
            is_over.store(true, Ordering::Relaxed);
            let (health, held) = (health.join().expect("no panic"), held.join().expect("no panic")?);
            let (alone, attacked) = called?;
            Ok((alone, attacked, health, held))
        })?;
        let status = soak::settled_status(&gopatchd.control(), SETTLES)?;
        let scrape_faults = scrape_faults(&prometheus, &address)?;
        prometheus.stop()?;
        let began = Instant::now();
        gopatchd.stop_silent()?;
        let ended_after = began.elapsed();
        let received = sink.stop()?.spans;
        Ok(Seen { alone, attacked, health, held, status, scrape_faults, ended_after, received })
    }

    /// What did not hold.
    fn faults(self, seen: &Seen) -> Result<Vec<String>> {
        let mut faults = seen.scrape_faults.clone();
        let mut check = |holds: bool, fault: String| faults.extend((!holds).then_some(fault));
        let stated = seen.stated();
        check(seen.held.bytes() <= stated, format!("gopatchd held {} bytes, and states {stated}", seen.held.bytes()));
        let lost = seen.attacked.account.share() - seen.alone.account.share();
        check(lost <= self.lost, format!("the victim lost {lost:.6} more of its records than alone"));
        for (when, called) in [("alone", &seen.alone), ("attacked", &seen.attacked)] {
            let uncounted = called.account.uncounted;
            check(
                uncounted == 0 || !self.counts_all,
                format!("{uncounted} records of the victim are in no count, {when}"),
            );
        }
        for newcomer in seen.alone.newcomers.iter().chain(&seen.attacked.newcomers) {
            let attached = newcomer.attached_after;
            check(attached <= self.attached, format!("{} attached after {attached:?}", newcomer.service));
            let lost = newcomer.account.share();
            check(lost <= self.newcomers_lost, format!("{} lost {lost:.6} of its records", newcomer.service));
            let uncounted = newcomer.account.uncounted;
            check(
                uncounted == 0 || !self.counts_all,
                format!("{uncounted} records of {} are in no count", newcomer.service),
            );
        }
        let late = seen.health.times.iter().filter(|time| **time > self.healthy).count();
        check(late == 0, format!("{late} of {} answers about health came late", seen.health.times.len()));
        check(seen.health.failures.is_empty(), format!("no health: {:?}", seen.health.failures));
        check(seen.ended_after <= self.ended, format!("gopatchd ended after {:?}", seen.ended_after));
        let pushed = seen.status["spans"]["pushed"].as_u64().context("a count")?;
        check(seen.received == pushed, format!("{} spans arrived, and {pushed} were pushed", seen.received));
        Ok(faults)
    }
}

impl Seen {
    /// The memory that gopatchd states.
    fn stated(&self) -> u64 {
        self.status["memory_limit_bytes"].as_u64().unwrap_or(0)
    }

    fn print(&self, backend: &str) {
        let Self { alone, attacked, health, held, status, .. } = self;
        let mebibytes = |bytes: u64| format!("{} MiB", bytes >> 20);
        let [own, rings, stated] = [held.own, held.rings, self.stated()].map(mebibytes);
        println!("{backend}: gopatchd held {own}, {rings} of rings, {} files; it states {stated}", held.files);
        println!("{backend}: the victim alone: {:?}; attacked: {:?}", alone.account, attacked.account);
        for (when, called) in [("alone", alone), ("attacked", attacked)] {
            let times: Vec<_> = called.newcomers.iter().map(|newcomer| newcomer.attached_after).collect();
            let lost: u64 = called.newcomers.iter().map(|newcomer| newcomer.account.lost).sum();
            println!("{backend}: newcomers, {when}, attached: {}; {lost} records lost", watch::describe(&times));
        }
        println!("{backend}: health: {}; {} failures", watch::describe(&health.times), health.failures.len());
        println!("{backend}: spans: {}; totals: {}", status["spans"], status["totals"]);
        println!("{backend}: limits: {}; ended after {:?}", status["limits"], self.ended_after);
    }
}

/// Scrapes that failed, and samples that Prometheus did not take.
fn scrape_faults(prometheus: &Prometheus, address: &str) -> Result<Vec<String>> {
    let number = |query: &str| -> Result<f64> {
        let result = prometheus.query(query)?;
        let value = result[0]["value"][1].as_str().with_context(|| format!("no value of {query}"))?;
        Ok(value.parse()?)
    };
    let up = format!("up{{instance=\"{address}\"}}[2h]");
    let (scrapes, succeeded) = (number(&format!("count_over_time({up})"))?, number(&format!("sum_over_time({up})"))?);
    println!("Prometheus: {succeeded} of {scrapes} scrapes succeeded");
    let mut faults = Vec::new();
    if succeeded < scrapes || scrapes == 0.0 {
        faults.push(format!("{succeeded} of {scrapes} scrapes succeeded"));
    }
    for refused in ["duplicate_timestamp", "out_of_order", "out_of_bounds"] {
        let count = number(&format!("sum(prometheus_target_scrapes_sample_{refused}_total)"))?;
        if count > 0.0 {
            faults.push(format!("Prometheus did not take {count} samples: {refused}"));
        }
    }
    Ok(faults)
}
