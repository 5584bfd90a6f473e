//! The benchmarks of hooks: `cargo xtask bench hooks` and `collector`, and `cargo xtask bench
//! --check`, which is short and exact.
//!
//! Where time is measured the machine should be idle. A figure over its budget is shown as such,
//! and is a failure where checked.

mod budgets;
mod callgrind;
mod collector;
mod cpu;
mod figures;
mod flags;
mod hookbench;
mod hooks;
mod instructions;
mod load;
mod standin;
mod uprobe;
mod variants;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

/// Measures hooks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
enum Bench {
    Collector(load::Cli),
    Hooks(hooks::Cli),
    Instructions(instructions::Cli),
}

fn main() -> ExitCode {
    let passed = match Bench::parse() {
        Bench::Collector(cli) => load::run(&cli),
        Bench::Hooks(cli) => hooks::run(&cli),
        Bench::Instructions(cli) => instructions::run(&cli),
    };
    exit(passed)
}

fn exit(passed: Result<bool>) -> ExitCode {
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
