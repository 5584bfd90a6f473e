//! `cargo xtask bench hooks`: what a hook costs, and what a uprobe that records the same costs.
//!
//! Each round measures everything once, so a change of the machine's speed affects all figures
//! alike; the report has medians over the rounds. A figure counts only if every call left its
//! records and none was lost: a record that finds its ring full is cheaper than one that is
//! written. A missed goal is shown as `SHORT`; with `--check` it is a failure.

use std::path::Path;

use anyhow::Result;
use gopatch_tests::Scratch;
use xtask::corpus;

use crate::budgets::Budgets;
use crate::collector::Collector;
use crate::cpu::Cpus;
use crate::figures::{
    Events, FLOOR, HOOKED, Machine, NEW_RING, ONE_BARE, ONE_HOOKED, RDTSC, Report, Rounds, TWO_BARE, TWO_HOOKED,
    UPROBE_ENTRY, UPROBE_NOP, UPROBE_PAIR, UPROBE_PUSH,
};
use crate::flags::Flags;
use crate::hookbench::{Burst, Hookbench};
use crate::standin::Standin;
use crate::uprobe::{Uprobes, places};
use crate::variants::{Session, VARIANTS, Variant};

/// Measures the cost of a hook, and of a uprobe that records the same.
#[derive(Debug, clap::Args)]
pub(crate) struct Cli {
    /// Number of rounds, each of which measures everything.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(3..))]
    rounds: u32,

    #[command(flatten)]
    flags: Flags,
}

/// Calls that cost a few nanoseconds. A burst is long enough for the clock and too short to be
/// interrupted often.
const CALLS: Burst = Burst { calls: 100_000, rounds: 50, pause_millis: 0 };
/// Bytes of records in a burst: a thirty-second of what a ring of gopatchd's default size holds.
const BURST_BYTES: u32 = 256 << 10;
/// Bursts that fill a ring once. In these a hook is the first to write to each page, and waits
/// until the kernel allocates it.
const FIRST_LAP: u32 = 32;
/// Bursts after that; the best counts.
const BURSTS: u32 = 15;
/// Time in which gopatchd empties the rings.
const PAUSE_MILLIS: u32 = 40;
/// Calls that trap into the kernel.
const TRAPS: Burst = Burst { calls: 40, rounds: 25, pause_millis: 0 };

/// The function with the probes at both ends, and the one with the NOP.
const PROBED: (&str, &str) = ("ServeLike", "Nop");

/// The burst for a variant.
fn burst(variant: &Variant) -> Burst {
    match variant.bytes {
        0 => CALLS,
        bytes => bursts(bytes, FIRST_LAP + BURSTS),
    }
}

fn bursts(bytes: u32, rounds: u32) -> Burst {
    Burst { calls: BURST_BYTES / bytes, rounds, pause_millis: PAUSE_MILLIS }
}

/// Measures and prints. Returns whether all figures are within their budgets, or need not be.
pub(crate) fn run(cli: &Cli) -> Result<bool> {
    let budgets = Budgets::read(cli.flags.budgets.as_deref())?;
    let cpus = Cpus::choose()?;
    let scratch = Scratch::new()?;
    let program = corpus::build("hookbench", &cli.flags.go, "default")?;
    let bench = Hookbench::copy(&program, scratch.file("hookbench"), cpus)?;
    let hooked = VARIANTS.iter().map(|variant| Ok((variant, bench.patched(variant.name, variant.rules)?)));
    let hooked: Vec<(&Variant, Hookbench)> = hooked.collect::<Result<_>>()?;

    cpus.use_collectors()?;
    let (serve, nop) = PROBED;
    let places = places(bench.path(), &format!("main.{serve}"), "main.Nop.abi0")?;
    let mut uprobes = Uprobes::load(bench.path(), &places)?;
    // Another file, since a removed probe may still exist for a while.
    let other = Hookbench::copy(&program, scratch.file("other"), cpus)?;
    let mut other_uprobes = Uprobes::load(other.path(), &places)?;
    let collector = Collector::start(&scratch, "memfd")?;
    let switched_off = Standin::start(&scratch.file("off.sock"), false)?;

    let (mut rounds, mut records) = (Rounds::default(), 0);
    for round in 1..=cli.rounds {
        eprint!("\rround {round} of {}", cli.rounds);
        rounds.add(RDTSC, cpus.rdtsc_nanoseconds()?);
        rounds.add(FLOOR, cpus.floor_nanoseconds()?);
        for (index, (variant, program)) in hooked.iter().enumerate() {
            // Variants of one function follow each other.
            if index == 0 || hooked[index - 1].0.call != variant.call {
                rounds.add(variant.call, bench.run(variant.call, CALLS)?);
            }
            let socket = match variant.session {
                Session::None => Path::new(""),
                Session::Off => switched_off.socket(),
                Session::On => collector.socket(),
            };
            rounds.add(variant.name, program.run_with(socket, variant.call, burst(variant))?);
            records += burst(variant).total() * u64::from(variant.records);
            if variant.name == HOOKED {
                let new_ring = bursts(variant.bytes, BURSTS);
                rounds.add(NEW_RING, program.run_with(socket, variant.call, new_ring)?);
                records += new_ring.total() * u64::from(variant.records);
                for (goroutines, bare, hooked) in [(1, ONE_BARE, ONE_HOOKED), (2, TWO_BARE, TWO_HOOKED)] {
                    // A goroutine that moves to another P fills two rings.
                    let burst = bursts(variant.bytes, 2 * FIRST_LAP + BURSTS);
                    rounds.add(bare, bench.run_on_both(Path::new(""), variant.call, burst, goroutines)?);
                    rounds.add(hooked, program.run_on_both(socket, variant.call, burst, goroutines)?);
                    records += u64::from(goroutines) * burst.total() * u64::from(variant.records);
                }
            }
        }
        let mut links = Vec::new();
        let probed = || bench.run(serve, TRAPS);
        rounds.add(UPROBE_ENTRY, uprobes.measure(&mut links, (&[places.first_byte], &[]), probed)?);
        rounds.add(UPROBE_PAIR, uprobes.measure(&mut links, (&[], &places.returns), probed)?);
        rounds.add(UPROBE_PUSH, other_uprobes.measure(&mut links, (&[places.push], &[]), || other.run(serve, TRAPS))?);
        rounds.add(nop, bench.run(nop, CALLS)?);
        rounds.add(UPROBE_NOP, other_uprobes.measure(&mut links, (&[places.nop], &[]), || other.run(nop, TRAPS))?);
    }
    eprint!("\r{:24}\r", "");

    let summary = collector.end()?;
    let lost = summary.lost.total + summary.words_missing;
    let probed = u64::from(cli.rounds) * TRAPS.total();
    let events = vec![
        Events { of: "hooks", expected: records, seen: summary.records, lost, may_repeat: false },
        uprobes.end("uprobes at the first byte and RET", 3 * probed, true),
        other_uprobes.end("uprobes on push and NOP", 2 * probed, false),
    ];
    let report = Report::new(Machine::this(&cli.flags.go, cpus), &rounds, events, &budgets);
    if cli.flags.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(report.passed() || !cli.flags.check)
}
