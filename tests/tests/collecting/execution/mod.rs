//! A process that executes a program begins another execution, with a service name, rules, metrics
//! and sessions of its own, and the calls that were open before are unfinished.

mod clock;
mod handover;
mod vfork;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::SOCKET_ENV;
use gopatch_tests::otelcol::{Data, Options, Otelcol, Received};
use gopatch_tests::{Gopatchd, Process, SOON, Scratch, alone, backends, gopatch, prometheus, real, wait_until};
use xtask::workspace;

const FIRST_RULES: &str = "rules:
- { name: tick, import: main, function: Tick, kind: internal, operation: tick, enter: {}, exit: {} }
- { name: hold, import: main, function: Hold, kind: internal, operation: hold, enter: {}, exit: {} }
";

const SECOND_RULES: &str = "rules:
- { name: warm, import: main, function: Warm, kind: internal, operation: warm, enter: {}, exit: {} }
- { name: b, import: main, function: [B0, B1, B2], kind: internal, operation: b, enter: {}, exit: {} }
";

/// Calls of Tick by the first program, and of all functions by the second.
const TICKS: u64 = 20;
const BS: u64 = 90;

/// Two programs, each patched by rules of its own.
struct Programs {
    scratch: Scratch,
    first: PathBuf,
    second: PathBuf,
}

impl Programs {
    fn build() -> Result<Self> {
        let scratch = Scratch::new()?;
        let patched = |name: &str, source: &str, rules: &str| {
            let program = build(&scratch, name, source, "0")?;
            let patched = scratch.file(&format!("{name}.patched"));
            std::fs::rename(gopatch::patch_with(&scratch, &program, rules)?, &patched)?;
            anyhow::Ok(patched)
        };
        let first = patched("first", include_str!("first.go"), FIRST_RULES)?;
        let second = patched("second", include_str!("second.go"), SECOND_RULES)?;
        Ok(Self { scratch, first, second })
    }

    /// The first program, for the service `name`.
    fn command(&self, name: &str, socket: &Path) -> Command {
        let mut command = Command::new(&self.first);
        command.env("OTEL_SERVICE_NAME", name).env(SOCKET_ENV, socket).env("GOMAXPROCS", "2");
        command
    }

    /// Starts it with these arguments, in which `FIRST` and `SECOND` are the programs.
    fn start(&self, name: &str, socket: &Path, arguments: &[&str]) -> Result<Process> {
        let mut command = self.command(name, socket);
        for argument in arguments {
            match *argument {
                "FIRST" => command.arg(&self.first),
                "SECOND" => command.arg(&self.second),
                other => command.arg(other),
            };
        }
        Process::start(&mut command, self.scratch.path(), name)
    }
}

fn build(scratch: &Scratch, name: &str, source: &str, cgo: &str) -> Result<PathBuf> {
    let file = format!("{name}.go");
    std::fs::write(scratch.file(&file), source)?;
    let mut build = Command::new("go");
    build.args(["build", "-o", name, &file]).current_dir(scratch.path());
    build.envs([("GOFLAGS", ""), ("GOTOOLCHAIN", "local"), ("CGO_ENABLED", cgo)]);
    workspace::run(&mut build)?;
    Ok(scratch.file(name))
}

fn end(process: &mut Process) -> Result<String> {
    let status = process.wait(SOON)?;
    ensure!(status.success(), "{}", process.describe(&format!("ended with {status}")));
    process.stdout()
}

/// How many finished and unfinished operations of each name each service has.
type Counts = BTreeMap<String, BTreeMap<(String, bool), u64>>;

/// The same of one service: the names, whether unfinished, and how many.
type OfService<'a> = &'a [(&'a str, bool, u64)];

fn counts<const N: usize>(expected: [(&str, OfService<'_>); N]) -> Counts {
    let of = |counts: OfService<'_>| {
        counts.iter().map(|(name, unfinished, count)| (((*name).to_owned(), *unfinished), *count)).collect()
    };
    expected.into_iter().map(|(service, of_service)| (service.to_owned(), of(of_service))).collect()
}

fn counts_of_spans(received: &Received) -> Result<Counts> {
    let mut counts = Counts::new();
    for span in &received.spans {
        let service = span.resource["service.name"].as_str().context("a name")?;
        let unfinished = span.attributes.contains_key("gopatch.unfinished");
        *counts.entry(service.to_owned()).or_default().entry((span.name.clone(), unfinished)).or_default() += 1;
        ensure!(span.end_time_unix_nano >= span.start_time_unix_nano, "{span:?}");
    }
    Ok(counts)
}

/// The last count of each histogram of each service, and what services have points at all.
fn counts_of_metrics(received: &Received) -> Result<Counts> {
    let mut counts = Counts::new();
    for metric in &received.metrics {
        let (Some(name), Data::Histogram { data_points, .. }) = (metric.name.strip_suffix(".duration"), &metric.data)
        else {
            continue;
        };
        let service = metric.resource["service.name"].as_str().context("a name")?;
        let count = data_points.iter().map(|point| point.count).sum();
        counts.entry(service.to_owned()).or_default().insert((name.to_owned(), false), count);
    }
    Ok(counts)
}

#[test]
fn each_execution_is_counted_under_its_own_name() -> Result<()> {
    // On a machine that is very busy, a program that waits for an answer for 200 ms may get none.
    let _turn = alone();
    let programs = Programs::build()?;
    for backend in backends() {
        own_names(&programs, backend).with_context(|| format!("backend {backend}"))?;
    }
    Ok(())
}

fn own_names(programs: &Programs, backend: &str) -> Result<()> {
    let scratch = Scratch::new()?;
    let mut collector = Otelcol::start(&scratch, Options::default())?;
    let [page] = real::free_addresses()?;
    let settings = format!(
        "otlp: {{ endpoint: '{}' }}\nhttp: {{ listen: '{page}' }}\n\
        metrics: {{ exporters: [otlp, prometheus], interval: 500ms }}\n",
        collector.http()
    );
    let gopatchd = Gopatchd::start_by(&scratch, backend, &settings)?;
    let socket = gopatchd.socket();

    // Of itself, of itself by another thread, and by a child of its own.
    let itself = ["exec", "s-1", "FIRST", "thread", "s-2", "FIRST", "child", "s-3", "SECOND"];
    let mut chain = programs.start("s-0", socket, &itself)?;
    // Of another, whose functions have other numbers.
    let mut other = programs.start("t-0", socket, &["exec", "t-1", "SECOND"])?;
    // Of one that is not patched, and of a patched one again.
    let go_on = scratch.file("go-on");
    let script = "while ! [ -e \"$1\" ]; do sleep 0.1; done; OTEL_SERVICE_NAME=u-2 exec \"$0\" end";
    let go_on_path = go_on.display().to_string();
    let unpatched = ["exec", "u-1", "/bin/sh", "-c", script, "FIRST", &go_on_path];
    let mut between = programs.start("u-0", socket, &unpatched)?;

    // Nothing tells gopatchd that a process now runs a program that does not know it.
    let pid = between.pid();
    let mut status = serde_json::Value::Null;
    let waited = wait_until("the first execution to end", SOON, || {
        status = gopatchd.status()?;
        let of_it = status["processes"].as_array().context("a list")?.iter().find(|it| it["service"] == "u-0");
        Ok(of_it.filter(|it| it["pid"] == pid && it["ended"] == true).map(drop))
    });
    waited.with_context(|| format!("{status}"))?;
    ensure!(!between.has_ended()?, "the process has ended");
    let held = gopatchd.operations_so_far()?;
    let held = held.iter().find(|it| it.pid == pid && it.rule == "hold").context("its open call is over")?;
    ensure!(held.unfinished, "{held:?}");
    std::fs::write(&go_on, "")?;

    for (process, printed) in [(&mut chain, "done\ndone\n"), (&mut other, "done\n"), (&mut between, "done\n")] {
        ensure!(end(process)? == printed, "{}", process.describe("printed something else"));
    }
    let pids = [&chain, &other, &between].map(Process::pid);
    let collected = gopatchd.stop()?;
    collected.ensure_all_seen()?;
    ensure!(collected.summary.sessions == 8, "{:?}", collected.summary);
    collector.stop()?;
    let received = collector.received()?;

    let first = [("hold", true, 1), ("tick", false, TICKS)];
    let (twice, second) = ([("hold", true, 1), ("tick", false, 2 * TICKS)], [("b", false, BS)]);
    let expected = counts([
        ("s-0", &first),
        ("s-1", &first),
        ("s-2", &twice),
        ("s-3", &second),
        ("t-0", &first),
        ("t-1", &second),
        ("u-0", &first),
        ("u-2", &first),
    ]);
    let spans = counts_of_spans(&received)?;
    ensure!(spans == expected, "spans: {spans:?}");
    // Metrics count what is finished.
    let mut finished = expected;
    for of_service in finished.values_mut() {
        of_service.retain(|(_, unfinished), _| !unfinished);
    }
    let metrics = counts_of_metrics(&received)?;
    ensure!(metrics == finished, "metrics: {metrics:?}");

    let mut instances = BTreeMap::new();
    for span in &received.spans {
        let of = |name: &str| span.resource[name].clone();
        instances.insert(of("service.name").to_string(), (of("service.instance.id").to_string(), of("process.pid")));
    }
    let ids: BTreeSet<_> = instances.values().map(|(id, _)| id).collect();
    ensure!(ids.len() == instances.len(), "{instances:?}");
    for (name, (_, pid)) in instances.iter().filter(|(name, _)| *name != "\"s-3\"") {
        let of = ['s', 't', 'u'].iter().position(|letter| name.contains(*letter)).context("one of three")?;
        ensure!(*pid == pids[of], "{name} is process {pid} and not of {pids:?}");
    }
    Ok(())
}

#[test]
fn a_program_that_executes_itself_again_and_again_has_one_series_for_each_time() -> Result<()> {
    const TIMES: usize = 8;
    // On a machine that is very busy, a program that waits for an answer for 200 ms may get none.
    let _turn = alone();
    let programs = Programs::build()?;
    for backend in backends() {
        let scratch = Scratch::new()?;
        let [address] = real::free_addresses()?;
        let gopatchd = Gopatchd::start_by(&scratch, backend, &format!("http: {{ listen: '{address}' }}\n"))?;
        let mut arguments = ["exec", "same", "FIRST"].repeat(TIMES - 1);
        arguments.push("end");
        let mut process = programs.start("same", gopatchd.socket(), &arguments)?;
        ensure!(end(&mut process)? == "done\n");
        let series = wait_until("all executions to end", SOON, || {
            let (status, page) = prometheus::get(&address, "/metrics")?;
            ensure!(status == 200, "{page}");
            let lines = page.lines().filter(|line| line.starts_with("tick_duration_seconds_count{"));
            let series: Vec<_> =
                lines.filter_map(|line| line.rsplit_once(' ')).map(|(s, n)| (s.to_owned(), n.to_owned())).collect();
            let is_over = page.lines().any(|line| line == "gopatchd_processes 0");
            Ok((is_over && series.len() >= TIMES).then_some(series))
        })?;
        let names: BTreeSet<_> = series.iter().map(|(name, _)| name).collect();
        ensure!(names.len() == TIMES && series.len() == TIMES, "{backend}: {series:?}");
        ensure!(series.iter().all(|(_, count)| *count == TICKS.to_string()), "{backend}: {series:?}");
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        ensure!(collected.of_rule("hold").filter(|call| call.unfinished).count() == TIMES);
    }
    Ok(())
}
