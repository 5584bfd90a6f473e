//! `cargo xtask bench hooks`: what a hook costs, and what a uprobe that records the same would cost.
//!
//! Decides: what is measured and in which order. Each round measures everything once, so that a machine that changes its pace
//! changes it for all; what is reported are medians over the rounds.
//! Trusts: hookbench's clock. Not the hooks: a figure counts only if every call left its records and none was lost,
//! since a record that finds its ring full is cheaper than one that is written.
//! Never does: loosen a goal. A goal that is missed is shown as short; with `--check` that is a failure.

use anyhow::Result;
use gopatch_tests::{NEWEST_GO, Scratch};
use xtask::corpus;

use crate::collector::Collector;
use crate::cpu::Cpus;
use crate::figures::{Machine, Report, Rounds, Subject};
use crate::hookbench::{Burst, Hookbench};
use crate::uprobe::Uprobes;

/// Measures what a hook costs beside a uprobe that records the same.
#[derive(Debug, clap::Args)]
pub(crate) struct Cli {
    /// How often everything is measured.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(3..))]
    rounds: u32,

    /// Version of Go that hookbench is built with, as in corpus/manifest.yaml.
    #[arg(long, value_name = "VERSION", default_value = NEWEST_GO)]
    go: String,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    /// Exit with status 1 if a goal is missed or a record was lost.
    #[arg(long)]
    check: bool,
}

/// Calls that cost a few nanoseconds. A burst is long enough for the clock and too short to be interrupted often.
const CALLS: Burst = Burst { calls: 100_000, rounds: 50, pause_millis: 0 };
/// 40 bytes a call, and 128: a quarter of what a ring of gopatchd's default size holds, and time to empty it.
const ENTRY_EVENTS: Burst = Burst { calls: 6_000, rounds: 15, pause_millis: 40 };
/// See [`ENTRY_EVENTS`].
const PAIR_EVENTS: Burst = Burst { calls: 2_000, rounds: 15, pause_millis: 40 };
/// Calls that trap into the kernel.
const TRAPS: Burst = Burst { calls: 40, rounds: 25, pause_millis: 0 };

/// The function that is hooked at its entry only.
const ENTRY: &str = "Hot";
/// The function that is hooked at both ends.
const PAIR: &str = "ServeLike";

/// Measures and prints. Gives whether all goals that were to be checked were met.
pub(crate) fn run(cli: &Cli) -> Result<bool> {
    let cpus = Cpus::choose()?;
    let scratch = Scratch::new()?;
    let bench = Hookbench::copy(&corpus::build("hookbench", &cli.go, "default")?, &scratch, cpus)?;
    let entry_hooked = bench.patched("entry", include_str!("../../bench/entry.yaml"))?;
    let pair_hooked = bench.patched("pair", include_str!("../../bench/pair.yaml"))?;

    cpus.use_collectors()?;
    let mut uprobes = Uprobes::load(bench.path(), &format!("main.{PAIR}"))?;
    let entry_collector = Collector::start(&scratch.file("entry.sock"))?;
    let pair_collector = Collector::start(&scratch.file("pair.sock"))?;
    let nobody = scratch.file("nobody.sock");

    let mut rounds = Rounds::default();
    for round in 1..=cli.rounds {
        eprint!("\rround {round} of {}", cli.rounds);
        rounds.add(Subject::Rdtsc, cpus.rdtsc_nanoseconds()?);
        rounds.add(Subject::BareEntry, bench.run(ENTRY, CALLS)?);
        rounds.add(Subject::InertEntry, entry_hooked.run_with(&nobody, ENTRY, CALLS)?);
        rounds.add(Subject::HookedEntry, entry_hooked.run_with(entry_collector.socket(), ENTRY, ENTRY_EVENTS)?);
        rounds.add(Subject::BarePair, bench.run(PAIR, CALLS)?);
        rounds.add(Subject::InertPair, pair_hooked.run_with(&nobody, PAIR, CALLS)?);
        rounds.add(Subject::HookedPair, pair_hooked.run_with(pair_collector.socket(), PAIR, PAIR_EVENTS)?);
        let (entry, pair) = uprobes.measure(|| bench.run(PAIR, TRAPS))?;
        rounds.add(Subject::UprobeEntry, entry);
        rounds.add(Subject::UprobePair, pair);
    }
    eprint!("\r{:24}\r", "");

    let calls = |burst: Burst| u64::from(cli.rounds) * burst.total();
    let events = vec![
        entry_collector.end("hooks, entry", calls(ENTRY_EVENTS))?,
        pair_collector.end("hooks, entry and exit", 2 * calls(PAIR_EVENTS))?,
        uprobes.end("uprobes", 3 * calls(TRAPS)),
    ];
    let report = Report::new(Machine::this(&cli.go, cpus), &rounds, events);
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(report.passed() || !cli.check)
}
