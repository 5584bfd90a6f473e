//! The gate on what hooks cost, `cargo xtask bench --check`, fails when a count is over its budget.

use std::fs;
use std::process::Command;

use anyhow::Result;
use gopatch_tests::{Scratch, alone};

const COMMITTED: &str = include_str!("../../bench/budgets.yaml");

#[test]
fn a_hook_beyond_its_budget_fails_the_check_by_name() -> Result<()> {
    // Under callgrind a program is slow to find its gopatchd.
    let _turn = alone();
    let scratch = Scratch::new()?;
    let tight = scratch.file("tight.yaml");
    let figure = r#"{ figure: "entry, no captures", unit: instructions, at_most: "#;
    let budget = COMMITTED.split_once(figure).and_then(|(_, rest)| rest.split_once(',')).expect("it has a budget").0;
    let less = format!("{figure}{}", budget.parse::<u32>()? - 1);
    fs::write(&tight, COMMITTED.replace(&format!("{figure}{budget}"), &less))?;

    let output =
        Command::new(env!("CARGO_BIN_EXE_bench-hooks")).arg("instructions").arg("--budgets").arg(&tight).output()?;
    let (stdout, stderr) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
    assert_eq!(stderr, "bench: over budget: entry, no captures\n");
    assert_eq!(stdout.matches("SHORT").count(), 1, "{stdout}");
    Ok(())
}
