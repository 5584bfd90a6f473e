//! `cargo xtask test`, `soak` and `bench`: everything that judges the workspace.
//!
//! Decides: what is checked, and in which order: cheap things first.
//! Trusts: cargo's exit status.
//! Never does: skip a step because a tool is missing.

use anyhow::{Result, bail};
use xtask::workspace::{build_release, cargo, require_all, run as run_command};

use super::{bpf, docs, structure};

/// What a change has to pass.
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

/// The tests that take long: every Go version, every backend, the full number of requests.
pub(crate) fn soak(arguments: &[&str]) -> Result<()> {
    no_arguments("soak", arguments)?;
    require_all()?;
    build_release()?;
    run_command(&mut cargo(&["test", "--release", "--package", "gopatch-tests", "--", "--ignored"]))
}

/// The benchmarks, programs of the tests' crate.
pub(crate) fn bench(arguments: &[&str]) -> Result<()> {
    let program = |name| ["--package", "gopatch-tests", "--bin", name, "--"];
    match arguments {
        // It measures no time, so it needs no release build, and the tests have built this one.
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
