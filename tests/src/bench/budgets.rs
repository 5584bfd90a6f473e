//! Budgets: what each figure may be at the most, or must be at the least.
//!
//! Decides: the form of `bench/budgets.yaml`.
//! Trusts: nobody to remember a figure's name: a budget that nothing asks for is an error.
//! Never does: hold a figure against a time. What is budgeted are counts and ratios, which other machines share.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use gopatch_tests::statistics::Goal;
use serde::Deserialize;

/// The budgets that are committed.
const COMMITTED: &str = include_str!("../../bench/budgets.yaml");

/// All budgets of a file.
#[derive(Debug)]
pub(crate) struct Budgets(Vec<Budget>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    figure: String,
    unit: String,
    #[serde(flatten)]
    limit: Limit,
    #[expect(dead_code, reason = "for who reads the file, which must not leave it out")]
    why: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Budgets {
    /// Those of a file, or the committed ones.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self> {
        let Some(file) = file else { return Self::parse(COMMITTED) };
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("{} has no budgets", file.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(Self(serde_yaml_ng::from_str(text)?))
    }

    /// Holds a figure against its budget, if it has one.
    pub(crate) fn judge(&self, figure: &str, unit: &str, value: f64) -> Option<Goal> {
        let budget = self.0.iter().find(|budget| budget.figure == figure && budget.unit == unit)?;
        Some(match budget.limit {
            Limit::AtMost(limit) => Goal::at_most(limit, unit, value),
            Limit::AtLeast(limit) => Goal::at_least(limit, unit, value),
        })
    }

    /// The figures that have a budget in one of these units.
    pub(crate) fn figures<'a>(&'a self, units: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let budgets = self.0.iter().filter(|budget| units.contains(&budget.unit.as_str()));
        budgets.map(|budget| (budget.figure.as_str(), budget.unit.as_str()))
    }
}
