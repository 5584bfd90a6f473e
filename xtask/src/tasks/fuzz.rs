//! `cargo xtask fuzz`: builds the fuzzer with optimisation and all checks, and runs it. `tests/fuzz`
//! has the rest.

use anyhow::Result;
use xtask::workspace::{cargo, require, run as run_command};

/// Fuzzes targets.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    require(&["go"])?;
    run_command(cargo(&["run", "--profile", "fuzz", "--package", "gopatch-fuzz", "--"]).args(arguments))
}
