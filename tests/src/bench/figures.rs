//! What came out: medians, ratios, and whether they meet the goals.
//!
//! Decides: what the cost of a hook is (a call with it less a call without it, in the same round), and the goals.
//! Trusts: its callers' numbers.
//! Never does: average. One round that something else disturbed would move an average, and does not move a median.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::fs;

use serde::Serialize;

use crate::cpu::Cpus;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Rdtsc,
    BareEntry,
    InertEntry,
    HookedEntry,
    BarePair,
    InertPair,
    HookedPair,
    UprobeEntry,
    UprobePair,
}

/// Nanoseconds of each subject, a value a round.
#[derive(Debug, Default)]
pub(crate) struct Rounds(BTreeMap<Subject, Vec<f64>>);

impl Rounds {
    pub(crate) fn add(&mut self, subject: Subject, nanoseconds: f64) {
        self.0.entry(subject).or_default().push(nanoseconds);
    }

    fn of(&self, subject: Subject) -> &[f64] {
        self.0.get(&subject).map_or(&[], Vec::as_slice)
    }

    /// One value a round, made of two subjects' values in it.
    fn join(&self, left: Subject, right: Subject, join: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        self.of(left).iter().zip(self.of(right)).map(|(left, right)| join(*left, *right)).collect()
    }
}

/// A median and the quartiles around it.
#[derive(Debug, Clone, Copy, Serialize)]
struct Spread {
    median: f64,
    low: f64,
    high: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |part: f64| values.get(((values.len() as f64 - 1.0) * part).round() as usize).copied();
        let at = |part| at(part).unwrap_or(f64::NAN);
        Self { median: at(0.5), low: at(0.25), high: at(0.75) }
    }
}

impl Display for Spread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = if self.median < 100.0 { 2 } else { 0 };
        let quartiles = format!("{:.digits$} .. {:.digits$}", self.low, self.high);
        write!(f, "{:>9.digits$}  {quartiles:<16}", self.median)
    }
}

/// What a figure is held against.
#[derive(Debug, Serialize)]
struct Goal {
    /// In words.
    wanted: String,
    /// The figure that is compared with it.
    value: f64,
    met: bool,
}

impl Goal {
    fn at_most(limit: f64, unit: &str, value: f64) -> Self {
        Self { wanted: format!("<= {limit} {unit}"), value, met: value <= limit }
    }

    fn at_least(limit: f64, unit: &str, value: f64) -> Self {
        Self { wanted: format!(">= {limit} {unit}"), value, met: value >= limit }
    }
}

/// A line of the table.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    /// Nanoseconds of a call, with everything.
    call_ns: Spread,
    /// Nanoseconds that the hook or the probe adds.
    cost_ns: Option<Spread>,
    /// The same as a multiple of `rdtsc` in the same round.
    cost_rdtsc: Option<Spread>,
    goal: Option<Goal>,
}

/// How many records there were.
#[derive(Debug, Serialize)]
pub(crate) struct Events {
    /// Whose.
    pub(crate) of: &'static str,
    /// How many the calls must have left.
    pub(crate) expected: u64,
    /// How many were collected.
    pub(crate) seen: u64,
    /// How many found no room.
    pub(crate) lost: u64,
}

impl Events {
    fn complete(&self) -> bool {
        self.seen == self.expected && self.lost == 0
    }
}

/// Where it was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    processor: String,
    kernel: String,
    go: String,
    measured_on: usize,
    collected_on: usize,
}

impl Machine {
    /// This one.
    pub(crate) fn this(go: &str, cpus: Cpus) -> Self {
        let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let kernel = rustix::system::uname();
        Self {
            processor: processor.map_or("unknown processor", |(_, name)| name).to_owned(),
            kernel: kernel.release().to_string_lossy().into_owned(),
            go: go.to_owned(),
            measured_on: cpus.measured,
            collected_on: cpus.collectors,
        }
    }
}

/// Everything that is printed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    rounds: usize,
    rows: Vec<Row>,
    events: Vec<Events>,
}

impl Report {
    /// Works out the rows.
    pub(crate) fn new(machine: Machine, rounds: &Rounds, events: Vec<Events>) -> Self {
        let call = |name, subject| Row {
            name,
            call_ns: Spread::of(rounds.of(subject).to_vec()),
            cost_ns: None,
            cost_rdtsc: None,
            goal: None,
        };
        let cost = |name, subject, bare: Subject| {
            let costs = rounds.join(subject, bare, |with, without| with - without);
            let ratios = costs.iter().zip(rounds.of(Subject::Rdtsc)).map(|(cost, rdtsc)| cost / rdtsc).collect();
            let row = call(name, subject);
            Row { cost_ns: Some(Spread::of(costs)), cost_rdtsc: Some(Spread::of(ratios)), ..row }
        };
        let per_site = |row: Row, sites: f64| {
            let goal = row.cost_ns.map(|cost| Goal::at_most(1.5, "ns a site", cost.median / sites));
            Row { goal, ..row }
        };
        let times_rdtsc = |row: Row, limit| {
            let goal = row.cost_rdtsc.map(|ratio| Goal::at_most(limit, "x rdtsc", ratio.median));
            Row { goal, ..row }
        };

        let (entry, pair) = (Subject::BareEntry, Subject::BarePair);
        let hooked = rounds.join(Subject::HookedPair, pair, |with, without| with - without);
        let probed = rounds.join(Subject::UprobePair, pair, |with, without| with - without);
        let cheaper = hooked.iter().zip(probed).map(|(hooked, probed)| probed / hooked).collect();
        let cheaper = Goal::at_least(50.0, "x the hooked pair", Spread::of(cheaper).median);
        let rows = vec![
            call("rdtsc alone", Subject::Rdtsc),
            call("bare call of Hot", entry),
            per_site(cost("  hook at its entry, inert", Subject::InertEntry, entry), 1.0),
            times_rdtsc(cost("  hook at its entry, no captures", Subject::HookedEntry, entry), 1.6),
            call("bare call of ServeLike", pair),
            per_site(cost("  hooks at both ends, inert", Subject::InertPair, pair), 2.0),
            times_rdtsc(cost("  hooks: method, path; status", Subject::HookedPair, pair), 6.0),
            cost("  uprobe: method, path", Subject::UprobeEntry, pair),
            Row { goal: Some(cheaper), ..cost("  uprobes: method, path; status", Subject::UprobePair, pair) },
        ];
        Self { machine, rounds: rounds.of(Subject::Rdtsc).len(), rows, events }
    }

    /// Whether every goal was met by figures that count.
    pub(crate) fn passed(&self) -> bool {
        self.events.iter().all(Events::complete) && self.rows.iter().flat_map(|row| &row.goal).all(|goal| goal.met)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Machine { processor, kernel, go, measured_on, collected_on } = &self.machine;
        writeln!(
            f,
            "{processor}, Linux {kernel}, Go {go}; calls on processor {measured_on}, gopatchd on {collected_on}"
        )?;
        writeln!(f, "medians of {} interleaved rounds, and quartiles; cost = with less without\n", self.rounds)?;
        writeln!(f, "{:32}{:>9}  {:<16}{:>9}  {:<16}{:>9}", "", "ns a call", "", "ns cost", "", "x rdtsc")?;
        for row in &self.rows {
            write!(f, "{:32}{}", row.name, row.call_ns)?;
            if let (Some(cost), Some(ratio)) = (row.cost_ns, row.cost_rdtsc) {
                write!(f, "{cost}{:>9.2}", ratio.median)?;
            }
            if let Some(Goal { wanted, value, met }) = &row.goal {
                write!(f, "  {} {wanted}: {value:.2}", if *met { "pass " } else { "SHORT" })?;
            }
            writeln!(f)?;
        }
        writeln!(f)?;
        for events in &self.events {
            let Events { of, expected, seen, lost } = events;
            let verdict = if events.complete() { "" } else { "; SHORT: the figures above do not count" };
            let share = *lost as f64 / *expected as f64 * 100.0;
            writeln!(f, "{of}: {seen} of {expected} records, {lost} lost ({share:.2} %){verdict}")?;
        }
        Ok(())
    }
}
