//! The results: medians, ratios, and whether they meet the goals.
//!
//! The cost of a hook is a call with it less a call without it, in the same round.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use gopatch_tests::statistics::{Goal, Spread, format_spread, machine, spread};
use serde::Serialize;

use crate::budgets::Budgets;
use crate::cpu::Cpus;
use crate::variants::VARIANTS;

/// Subjects besides the hooks, which have their variants' names, and the bare functions, which have
/// their own.
pub(crate) const RDTSC: &str = "rdtsc";
pub(crate) const FLOOR: &str = "rdtsc and a record's stores";
pub(crate) const HOOKED: &str = "pair, three strings and a status";
pub(crate) const NEW_RING: &str = "  the same, in a new ring";
const HOOKED_ENTRY: &str = "entry, three strings";
pub(crate) const UPROBE_ENTRY: &str = "uprobe at the first byte";
pub(crate) const UPROBE_PAIR: &str = "uprobes at the first byte and RET";
pub(crate) const UPROBE_PUSH: &str = "uprobe on an emulated push";
pub(crate) const UPROBE_NOP: &str = "uprobe on a 5-byte NOP";
pub(crate) const ONE_BARE: &str = "bare call of ServeLike, anywhere";
pub(crate) const ONE_HOOKED: &str = "pair, anywhere";
pub(crate) const TWO_BARE: &str = "bare call of ServeLike, 2 at once";
pub(crate) const TWO_HOOKED: &str = "pair, 2 at once";

/// The budgets' units of these figures.
const UNITS: [&str; 6] = ["ns a site", "x rdtsc", "x the floor", "x the entry", "x the pair", "x one at a time"];

/// Nanoseconds of each subject, one value for each round.
#[derive(Debug, Default)]
pub(crate) struct Rounds(BTreeMap<&'static str, Vec<f64>>);

impl Rounds {
    pub(crate) fn add(&mut self, subject: &'static str, nanoseconds: f64) {
        self.0.entry(subject).or_default().push(nanoseconds);
    }

    fn nanoseconds(&self, subject: &str) -> &[f64] {
        self.0.get(subject).map_or(&[], Vec::as_slice)
    }

    /// The cost that a hook or a probe adds to a call of `bare`.
    fn cost(&self, subject: &str, bare: &str) -> Vec<f64> {
        self.nanoseconds(subject).iter().zip(self.nanoseconds(bare)).map(|(with, without)| with - without).collect()
    }
}

/// A line of the table.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    /// Nanoseconds of a call with the hook or the probe.
    call_ns: Spread,
    /// Nanoseconds that the hook or the probe adds.
    cost_ns: Option<Spread>,
    /// The same as a multiple of `rdtsc` in the same round.
    cost_rdtsc: Option<Spread>,
    /// The goals that it is compared with.
    goals: Vec<Goal>,
}

/// Counts of records.
#[derive(Debug, Serialize)]
pub(crate) struct Events {
    /// The hooks or probes that left them.
    pub(crate) of: &'static str,
    /// Records that the calls must have left.
    pub(crate) expected: u64,
    /// Records that were collected.
    pub(crate) seen: u64,
    /// Records that found no room, or came without the words that their entry had kept.
    pub(crate) lost: u64,
    /// Whether a call may be seen twice: when a goroutine is preempted or its stack grows, the
    /// function starts again at its first byte, so a uprobe there fires again. A hook lies after
    /// the stack check.
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

/// The machine of the measurement.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    processor: String,
    kernel: String,
    go: String,
    measured_on: usize,
    collected_on: usize,
}

impl Machine {
    /// This machine.
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
    /// Computes the rows and compares them with their budgets.
    pub(crate) fn new(machine: Machine, rounds: &Rounds, events: Vec<Events>, budgets: &Budgets) -> Self {
        let call = |name: &'static str| {
            let call_ns = spread(rounds.nanoseconds(name));
            Row { name, call_ns, cost_ns: None, cost_rdtsc: None, goals: Vec::new() }
        };
        let [pair, entry] = [HOOKED, HOOKED_ENTRY].map(|hooked| rounds.cost(hooked, "ServeLike"));
        let one = rounds.cost(ONE_HOOKED, ONE_BARE);
        let cost = |name: &'static str, bare: &str, sites: u32| {
            let costs = rounds.cost(name, bare);
            let times = |of: &[f64]| spread(&costs.iter().zip(of).map(|(cost, of)| cost / of).collect::<Vec<_>>());
            let (cost_ns, cost_rdtsc) = (spread(&costs), times(rounds.nanoseconds(RDTSC)));
            let figures = [
                cost_ns.median / f64::from(sites),
                cost_rdtsc.median,
                times(rounds.nanoseconds(FLOOR)).median,
                times(&entry).median,
                times(&pair).median,
                times(&one).median,
            ];
            let goals =
                UNITS.iter().zip(figures).filter_map(|(unit, value)| budgets.judge(name, unit, value)).collect();
            Row { cost_ns: Some(cost_ns), cost_rdtsc: Some(cost_rdtsc), goals, ..call(name) }
        };

        let mut rows = vec![call(RDTSC), call(FLOOR)];
        for called in ["Hot", "Text16", "Text64", "Text256", "ServeLike"] {
            rows.push(call(called));
            let variants = VARIANTS.iter().filter(|variant| variant.call == called);
            rows.extend(variants.map(|variant| cost(variant.name, called, variant.sites)));
        }
        rows.push(cost(NEW_RING, "ServeLike", 2));
        rows.extend([UPROBE_ENTRY, UPROBE_PAIR, UPROBE_PUSH].map(|probes| cost(probes, "ServeLike", 1)));
        rows.extend([call("Nop"), cost(UPROBE_NOP, "Nop", 1)]);
        rows.extend([call(ONE_BARE), cost(ONE_HOOKED, ONE_BARE, 2), call(TWO_BARE), cost(TWO_HOOKED, TWO_BARE, 2)]);
        Self { machine, rounds: rounds.nanoseconds(RDTSC).len(), rows, events }
    }

    /// Whether every figure counts and is within its budget.
    pub(crate) fn passed(&self) -> bool {
        self.events.iter().all(Events::complete) && self.rows.iter().flat_map(|row| &row.goals).all(|goal| goal.met)
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
        writeln!(f, "{:36}{:>9}  {:<16}{:>9}  {:<16}{:>9}", "", "ns a call", "", "ns cost", "", "x rdtsc")?;
        for row in &self.rows {
            let indent = if row.cost_ns.is_some() { "  " } else { "" };
            write!(f, "{indent}{:1$}{2}", row.name, 36 - indent.len(), format_spread(&row.call_ns))?;
            if let (Some(cost), Some(ratio)) = (row.cost_ns, row.cost_rdtsc) {
                write!(f, "{}{:>9.2}", format_spread(&cost), ratio.median)?;
            }
            for Goal { wanted, value, met, .. } in &row.goals {
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
    use anyhow::Result;

    use super::*;

    /// Figures that are within their budgets, with one disturbed round.
    fn report(pair: f64, lost: u64) -> Result<Report> {
        let mut rounds = Rounds::default();
        for pace in [1.0, 1.0, 1.0, 7.0, 1.0] {
            for (subject, nanoseconds) in [(RDTSC, 10.0), (FLOOR, 12.0), (ONE_HOOKED, 43.0), (TWO_HOOKED, 43.0)] {
                rounds.add(subject, nanoseconds * pace);
            }
            rounds.add(ONE_BARE, 3.0 * pace);
            rounds.add(TWO_BARE, 3.0 * pace);
            for bare in ["Hot", "Text16", "Text64", "Text256", "ServeLike", "Nop"] {
                rounds.add(bare, 2.0 * pace);
            }
            for variant in VARIANTS {
                let cost = if variant.records == 0 { 1.0 } else { 15.0 };
                rounds.add(variant.name, (2.0 + if variant.name == HOOKED { pair } else { cost }) * pace);
            }
            rounds.add(NEW_RING, 50.0 * pace);
            for probes in [UPROBE_ENTRY, UPROBE_PAIR, UPROBE_PUSH, UPROBE_NOP] {
                rounds.add(probes, 4002.0 * pace);
            }
        }
        let machine = Machine {
            processor: "one".to_owned(),
            kernel: "6.18".to_owned(),
            go: "1.27.4".to_owned(),
            measured_on: 0,
            collected_on: 1,
        };
        let events = Events { of: "hooks", expected: 100, seen: 100 - lost, lost, may_repeat: false };
        Ok(Report::new(machine, &rounds, vec![events], &Budgets::read(None)?))
    }

    #[test]
    fn a_missed_budget_is_shown_as_short() -> Result<()> {
        let report = report(51.0, 0)?;
        assert!(!report.passed());
        let text = report.to_string();
        assert!(text.contains("SHORT <= 5 x rdtsc: 5.10"), "{text}");
        assert!(text.contains("pass  <= 1.3 x the floor: 1.25"), "{text}");
        assert!(text.contains("pass  >= 50 x the pair: 78.43"), "{text}");
        Ok(())
    }

    #[test]
    fn figures_with_lost_records_do_not_count() -> Result<()> {
        let good = report(40.0, 0)?;
        assert!(good.passed(), "{good}");
        let report = report(40.0, 1)?;
        assert!(!report.passed());
        assert!(report.to_string().contains("99 of 100 records, 1 lost (1.00 %); SHORT"), "{report}");
        Ok(())
    }

    #[test]
    fn each_budget_is_compared_with_a_figure() -> Result<()> {
        let budgets = Budgets::read(None)?;
        let judged: usize = report(40.0, 0)?.rows.iter().map(|row| row.goals.len()).sum();
        assert_eq!(judged, budgets.figures(&UNITS).count());
        Ok(())
    }
}
