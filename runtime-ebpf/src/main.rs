//! The binary `gopatchd`: reads the command line, runs, and turns an error into a message and exit status 2.
//!
//! Decides: exit status. 0: it ran and was asked to stop; 1: `ab` found a limit exceeded or errors under load; 2: it
//! could not run.
//! Trusts, and never does: nothing.

use std::process::ExitCode;

use clap::Parser;
use gopatchd::{Cli, Command, uprobes};
use mimalloc::MiMalloc;

/// Every record and every operation is allocated; with this a core takes a quarter more of them than with the C library's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => gopatchd::run(&cli.collect.into()).map(|()| true),
        Some(Command::Ab(args)) => gopatchd::ab(*args),
        Some(Command::Uprobes(args)) => uprobes::run(&args.into()).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("gopatchd: error: {error:#}");
            ExitCode::from(2)
        }
    }
}
