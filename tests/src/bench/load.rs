//! `cargo xtask bench collector`: the throughput of gopatchd.
//!
//! Four loads: bursts that fit into a ring, for the cost of a record; a steady rate, which must
//! lose nothing; rates that double until records are lost; and silence. Trusts the kernel's account
//! of gopatchd's processor time, which includes the drain program, and gopatchd's summary.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gopatch_tests::gopatchd::Lost;
use gopatch_tests::statistics::{Goal, machine};
use gopatch_tests::{Scratch, Summary};
use serde::Serialize;
use xtask::corpus;

use crate::budgets::Budgets;
use crate::collector::Collector;
use crate::cpu::Cpus;
use crate::flags::Flags;
use crate::hookbench::{Burst, Hookbench};
use crate::variants::{VARIANTS, Variant};

/// Measures the throughput of gopatchd.
#[derive(Debug, clap::Args)]
pub(crate) struct Cli {
    /// Seconds for which a million records a second are made.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    #[command(flatten)]
    flags: Flags,
}

const CPU_SECOND: &str = "million records a CPU second";
const LOST: &str = "records lost";
const RATE: &str = "million records a second";
const SHARE: &str = "% of a CPU";

/// Bytes of a burst, in a ring of gopatchd's default size.
const BURST_BYTES: u32 = 384 << 10;
/// Number of bursts, and the pause before each in milliseconds.
const BURSTS: (u32, u32) = (500, 10);
/// Records a second that must not be lost.
const PACE: u64 = 1_000_000;
/// Seconds for each rate on the way to the first loss.
const STEP_SECONDS: u64 = 2;
/// A rate counts when this part of it is reached.
const REACHED: f64 = 0.9;
/// How long silence is measured.
const IDLE: Duration = Duration::from_secs(10);
/// Longer than gopatchd takes to process published records.
const SETTLED: Duration = Duration::from_millis(300);

/// A line of the table.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    note: String,
    goal: Option<Goal>,
}

/// Measures and prints. Returns whether all figures are within their budgets, or need not be.
pub(crate) fn run(cli: &Cli) -> Result<bool> {
    let budgets = Budgets::read(cli.flags.budgets.as_deref())?;
    let cpus = Cpus::choose()?;
    let scratch = Scratch::new()?;
    let bench =
        Hookbench::copy(&corpus::build("hookbench", &cli.flags.go, "default")?, scratch.file("hookbench"), cpus)?;
    let hooked = |name: &str| {
        let variant = VARIANTS.iter().find(|variant| variant.name == name).context("no such variant")?;
        anyhow::Ok((variant, bench.patched(name, variant.rules)?))
    };
    let (entries, pairs) = (hooked("entry, no captures")?, hooked("pair, three strings and a status")?);
    cpus.use_collectors()?;

    let (processor, kernel) = machine();
    if !cli.flags.json {
        println!(
            "{processor}, Linux {kernel}, Go {}; calls on processor {}, gopatchd on {}\n",
            cli.flags.go, cpus.measured, cpus.collectors
        );
    }
    let mut rows = Vec::new();
    let mut add = |name: String, (value, note): (f64, String), unit: &'static str| {
        let goal = budgets.judge(&name, unit, value);
        let row = Row { name, value, unit, note, goal };
        if !cli.flags.json {
            println!("{}", row.line());
        }
        rows.push(row);
    };
    let (begin, before) = (Instant::now(), cpus.stolen()?);
    for backend in ["memfd", "bpf"] {
        add(format!("{backend}, entries"), throughput(backend, &entries)?, CPU_SECOND);
        add(format!("{backend}, pairs"), throughput(backend, &pairs)?, CPU_SECOND);
        let Paced { rate, lost, unseen, share, causes } = pace(backend, &pairs, PACE, cli.seconds)?;
        let note = format!("{} s of {:.2} million a second, {share:.0} % of a CPU", cli.seconds, rate / 1e6);
        let note = if unseen == 0 { note } else { format!("{note}, {unseen} records before it was attached") };
        let note = if lost == 0 { note } else { format!("{note}; {causes}") };
        add(format!("{backend}, paced"), (lost as f64, note), LOST);
        add(format!("{backend}, first loss"), first_loss(backend, &pairs)?, RATE);
        add(format!("{backend}, idle"), idle(backend, &pairs)?, SHARE);
    }
    let stolen = cpus.stolen()?.saturating_sub(before).as_secs_f64() / begin.elapsed().as_secs_f64();
    add("stolen".to_owned(), (stolen * 50.0, "by the hypervisor, of the two processors, meanwhile".to_owned()), SHARE);
    if cli.flags.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    }
    Ok(!cli.flags.check || rows.iter().flat_map(|row| &row.goal).all(|goal| goal.met))
}

/// A variant and hookbench with its hooks.
type Hooked<'a> = (&'a Variant, Hookbench);

/// Million records for each second of gopatchd's processor time.
fn throughput(backend: &str, (variant, program): &Hooked<'_>) -> Result<(f64, String)> {
    let scratch = Scratch::new()?;
    let collector = Collector::start(&scratch, backend)?;
    let burst = Burst { calls: BURST_BYTES / variant.bytes, rounds: BURSTS.0, pause_millis: BURSTS.1 };
    let before = collector.processor_seconds()?;
    program.run_with(collector.socket(), variant.call, burst)?;
    thread::sleep(SETTLED);
    let took = collector.processor_seconds()? - before;
    let summary = collector.end()?;
    ensure!(summary.sessions == 1, "{backend}: hookbench did not attach");
    let note = format!("{} records, {} operations, {} lost", summary.records, summary.operations, summary.lost.total);
    Ok((summary.records as f64 / 1e6 / took, note))
}

/// The result of a steady load.
struct Paced {
    /// Records made a second.
    rate: f64,
    lost: u64,
    /// Records that were not made, since their calls came before gopatchd's reply.
    unseen: u64,
    /// gopatchd's share of a processor, in percent.
    share: f64,
    /// Causes of the losses.
    causes: String,
}

/// Makes records at a rate for some time.
fn pace(backend: &str, (variant, program): &Hooked<'_>, records: u64, seconds: u64) -> Result<Paced> {
    let scratch = Scratch::new()?;
    let collector = Collector::start(&scratch, backend)?;
    let (started, before) = (Instant::now(), collector.processor_seconds()?);
    let each = u64::from(variant.records);
    let rate = program.pace(collector.socket(), variant.call, records / each, seconds)? * each as f64;
    let share = (collector.processor_seconds()? - before) / started.elapsed().as_secs_f64() * 100.0;
    let summary = collector.end()?;
    ensure!(summary.sessions == 1, "{backend}: hookbench did not attach");
    let lost = summary.lost.total + summary.words_missing;
    let unseen = (records * seconds).saturating_sub(summary.records + lost);
    let Summary { lost: Lost { ring_full, output_full, .. }, words_missing, .. } = summary;
    let causes = format!("ring full: {ring_full}, output full: {output_full}, words missing: {words_missing}");
    Ok(Paced { rate, lost, unseen, share, causes })
}

/// The first rate, in million records a second and doubled each time, at which records are lost; or
/// the highest that was reached without a loss.
fn first_loss(backend: &str, pairs: &Hooked<'_>) -> Result<(f64, String)> {
    let mut most = 0.0;
    let mut records = PACE;
    loop {
        let Paced { rate, lost, .. } = pace(backend, pairs, records, STEP_SECONDS)?;
        let million = rate / 1e6;
        if lost > 0 {
            let share = lost as f64 / (rate * STEP_SECONDS as f64) * 100.0;
            return Ok((million, format!("{share:.1} % are lost; none at {most:.2}")));
        }
        if rate < records as f64 * REACHED {
            return Ok((
                million,
                format!("none lost; hookbench makes no more than this (requested {:.0})", records as f64 / 1e6),
            ));
        }
        most = million;
        records *= 2;
    }
}

/// gopatchd's share of a processor, in percent, while one program is attached and idle.
fn idle(backend: &str, (variant, program): &Hooked<'_>) -> Result<(f64, String)> {
    let scratch = Scratch::new()?;
    let collector = Collector::start(&scratch, backend)?;
    let rests = Burst { calls: 1, rounds: 1, pause_millis: 2000 + IDLE.as_millis() as u32 };
    let took = thread::scope(|scope| {
        let silent = scope.spawn(|| program.run_with(collector.socket(), variant.call, rests));
        thread::sleep(Duration::from_secs(1));
        let before = collector.processor_seconds()?;
        thread::sleep(IDLE);
        let took = collector.processor_seconds()? - before;
        silent.join().expect("the thread does not panic")?;
        anyhow::Ok(took)
    })?;
    thread::sleep(SETTLED);
    let summary = collector.end()?;
    ensure!(summary.sessions == 1, "{backend}: hookbench did not attach");
    Ok((took / IDLE.as_secs_f64() * 100.0, format!("{} s, one program attached", IDLE.as_secs())))
}

impl Row {
    fn line(&self) -> String {
        let Self { name, value, unit, note, goal } = self;
        let goal = goal
            .as_ref()
            .map(|Goal { wanted, met, .. }| format!("  {} {wanted}", if *met { "pass " } else { "SHORT" }));
        format!("{name:20}{value:>10.2} {unit:30}{}  ({note})", goal.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_budget_names_a_figure() -> Result<()> {
        let rows = ["entries", "pairs", "paced", "idle"];
        let figures = ["memfd", "bpf"].iter().flat_map(|backend| rows.map(|row| format!("{backend}, {row}")));
        let figures: Vec<String> = figures.collect();
        for (figure, unit) in Budgets::read(None)?.figures(&[CPU_SECOND, LOST, RATE, SHARE]) {
            assert!(figures.iter().any(|it| it == figure), "{figure}: {unit}");
        }
        Ok(())
    }
}
