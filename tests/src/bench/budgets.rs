//! Budgets: the upper or lower limit of each figure, from `bench/budgets.yaml`.
//!
//! A budget that names no figure is an error. CI checks only counts (`cargo xtask bench --check`);
//! budgets in units of time are goals for an idle machine.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use gopatch_tests::statistics::Goal;
use serde::Deserialize;

/// The committed budgets.
const COMMITTED: &str = include_str!("../../bench/budgets.yaml");

/// All budgets of a file.
#[derive(Debug)]
pub(crate) struct Budgets(Vec<Budget>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    figure: String,
    unit: String,
    at_most: Option<f64>,
    at_least: Option<f64>,
    #[expect(dead_code, reason = "required for readers of the file")]
    why: String,
}

impl Budgets {
    /// The budgets of a file, or the committed ones.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self> {
        let Some(file) = file else { return Self::parse(COMMITTED) };
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("{} has no budgets", file.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let budgets: Vec<Budget> = serde_yaml_ng::from_str(text)?;
        for Budget { figure, at_most, at_least, .. } in &budgets {
            ensure!(at_most.is_some() != at_least.is_some(), "{figure:?} needs either `at_most` or `at_least`");
        }
        Ok(Self(budgets))
    }

    /// Compares a figure with its budget, if it has one.
    pub(crate) fn judge(&self, figure: &str, unit: &str, value: f64) -> Option<Goal> {
        let budget = self.0.iter().find(|budget| budget.figure == figure && budget.unit == unit)?;
        let at_most = budget.at_most.map(|limit| Goal::at_most(limit, unit, value));
        at_most.or_else(|| budget.at_least.map(|limit| Goal::at_least(limit, unit, value)))
    }

    /// The figures that have a budget in one of these units.
    pub(crate) fn figures<'a>(&'a self, units: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let budgets = self.0.iter().filter(|budget| units.contains(&budget.unit.as_str()));
        budgets.map(|budget| (budget.figure.as_str(), budget.unit.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_has_one_limit_and_a_reason() -> Result<()> {
        let budgets = Budgets::parse("[{ figure: a, unit: ns, at_least: 2, why: so }]")?;
        assert!(budgets.judge("a", "ns", 2.0).is_some_and(|goal| goal.met));
        assert!(budgets.judge("a", "ns", 1.9).is_some_and(|goal| !goal.met));
        assert!(budgets.judge("a", "x rdtsc", 2.0).is_none());
        for bad in ["at_least: 2, at_most: 3, why: so", "why: so", "at_most: 3", "at_most: 3, why: so, atleast: 2"] {
            assert!(Budgets::parse(&format!("[{{ figure: a, unit: ns, {bad} }}]")).is_err(), "{bad}");
        }
        Ok(())
    }
}
