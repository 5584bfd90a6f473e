//! `cargo xtask test`, `soak` and `bench`: the checks of the workspace, cheap ones first.
//!
//! A missing tool is an error, never a skipped step.

use anyhow::{Result, bail};
use xtask::workspace::{build_release, cargo, require_all, run as run_command};

use super::{bpf, docs, structure};

/// Runs everything that a change must pass.
pub(crate) fn test(arguments: &[&str]) -> Result<()> {
    no_arguments("test", arguments)?;
    require_all()?;
    run_command(&mut cargo(&["fmt", "--all", "--check"]))?;
    run_command(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    structure::run(&[])?;
    bpf::run(&[])?;
    // Builds the programs, too.
    docs::run(&[])?;
    run_command(&mut cargo(&["test", "--workspace", "--no-fail-fast"]))
}

/// Runs the long tests: every Go version, every backend, the full number of requests.
pub(crate) fn soak(arguments: &[&str]) -> Result<()> {
    no_arguments("soak", arguments)?;
    require_all()?;
    build_release()?;
    run_command(&mut cargo(&["test", "--release", "--package", "gopatch-tests", "--", "--ignored"]))
}

/// Runs the benchmarks, which are programs of the tests' crate.
pub(crate) fn bench(arguments: &[&str]) -> Result<()> {
    let program = |name| ["--package", "gopatch-tests", "--bin", name, "--"];
    match arguments {
        // It measures no time, so it needs no release build; the tests have built the debug one.
        ["--check", rest @ ..] => {
            run_command(cargo(&["run"]).args(program("bench-hooks")).arg("instructions").args(rest))
        }
        [name @ ("hooks" | "collector" | "patch"), rest @ ..] => {
            build_release()?;
            let run = match *name {
                "patch" => program("bench-patch").to_vec(),
                name => [&program("bench-hooks")[..], &[name]].concat(),
            };
            run_command(cargo(&["run", "--release"]).args(run).args(rest))
        }
        _ => bail!("usage: cargo xtask bench hooks|collector|patch [ARGUMENTS], or cargo xtask bench --check"),
    }
}

fn no_arguments(name: &str, arguments: &[&str]) -> Result<()> {
    if arguments.is_empty() { Ok(()) } else { bail!("usage: cargo xtask {name}") }
}
