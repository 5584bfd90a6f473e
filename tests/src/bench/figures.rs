//! What came out: medians, ratios, and whether they meet the goals.
//!
//! Decides: what the cost of a hook is (a call with it less a call without it, in the same round), and the goals.
//! Trusts: its callers' numbers.
//! Never does: average. One round that something else disturbed would move an average, and does not move a median.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use gopatch_tests::statistics::{Goal, Spread, machine};
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
    /// How many found no room, or came without what their entry had kept for them.
    pub(crate) lost: u64,
    /// Whether a call may be seen twice: where a goroutine is preempted or its stack grows, the function starts again at
    /// its first byte, so a uprobe there fires again. A hook lies behind.
    pub(crate) may_repeat: bool,
}

impl Events {
    fn complete(&self) -> bool {
        self.lost == 0 && (self.seen == self.expected || self.may_repeat && self.repeated() > 0)
    }

    fn repeated(&self) -> u64 {
        self.seen.saturating_sub(self.expected)
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
        let (processor, kernel) = machine();
        Self { processor, kernel, go: go.to_owned(), measured_on: cpus.measured, collected_on: cpus.collectors }
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
            if let Some(Goal { wanted, value, met, .. }) = &row.goal {
                write!(f, "  {} {wanted}: {value:.2}", if *met { "pass " } else { "SHORT" })?;
            }
            writeln!(f)?;
        }
        writeln!(f)?;
        for events in &self.events {
            let Events { of, expected, seen, lost, .. } = events;
            let share = *lost as f64 / *expected as f64 * 100.0;
            write!(f, "{of}: {seen} of {expected} records, {lost} lost ({share:.2} %)")?;
            if events.repeated() > 0 {
                write!(f, ", {} came twice", events.repeated())?;
            }
            writeln!(f, "{}", if events.complete() { "" } else { "; SHORT: the figures above do not count" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of a machine on which all is well, but for one round.
    fn rounds(captured_pair: f64) -> Rounds {
        let mut rounds = Rounds::default();
        for pace in [1.0, 1.0, 1.0, 7.0, 1.0] {
            for (subject, nanoseconds) in [
                (Subject::Rdtsc, 10.0),
                (Subject::BareEntry, 2.0),
                (Subject::InertEntry, 3.0),
                (Subject::HookedEntry, 17.0),
                (Subject::BarePair, 3.0),
                (Subject::InertPair, 5.0),
                (Subject::HookedPair, 3.0 + captured_pair),
                (Subject::UprobeEntry, 2003.0),
                (Subject::UprobePair, 4003.0),
            ] {
                rounds.add(subject, nanoseconds * pace);
            }
        }
        rounds
    }

    fn report(captured_pair: f64, lost: u64) -> Report {
        let machine = Machine {
            processor: "one".to_owned(),
            kernel: "6.18".to_owned(),
            go: "1.27.4".to_owned(),
            measured_on: 0,
            collected_on: 1,
        };
        let events = Events { of: "hooks", expected: 100, seen: 100 - lost, lost, may_repeat: false };
        Report::new(machine, &rounds(captured_pair), vec![events])
    }

    #[test]
    fn a_missed_goal_is_shown_as_short() {
        let report = report(61.0, 0);
        assert!(!report.passed());
        let text = report.to_string();
        assert!(text.contains("SHORT <= 6 x rdtsc: 6.10"), "{text}");
        assert!(text.contains("pass  <= 1.6 x rdtsc: 1.50"), "{text}");
        assert!(text.contains("pass  >= 50 x the hooked pair: 65.57"), "{text}");
    }

    #[test]
    fn figures_with_lost_records_do_not_count() {
        assert!(report(60.0, 0).passed());
        let report = report(60.0, 1);
        assert!(!report.passed());
        assert!(report.to_string().contains("99 of 100 records, 1 lost (1.00 %); SHORT"), "{report}");
    }
}
