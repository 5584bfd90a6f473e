//! The binary `gopatchd`: reads the command line, runs, and turns an error into a message.
//!
//! Exit status: 0 if it ran and was stopped by a signal; 1 if the end of its output could not be
//! written, `ab` found a limit exceeded or errors under load, or no process has the rule of `rule`; 2
//! if it could not run.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use gopatchd::{Cli, Command, ConfigCommand, uprobes};
use mimalloc::MiMalloc;

/// Every record and every operation is allocated. A core handles a quarter more of them than with
/// the allocator of the C library.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.command.is_some() {
        gopatchd::start_default_log();
    }
    let result = match cli.command {
        None => cli.collect.config().and_then(|config| {
            gopatchd::renounce_new_privileges()?;
            let _log = gopatchd::start_log(config.log_level()).context("cannot write to standard error")?;
            gopatchd::run(&config)
        }),
        Some(Command::Ab(args)) => gopatchd_ab::run(*args),
        Some(Command::Uprobes(args)) => uprobes::run(&args.into()).map(|()| true),
        Some(Command::Config(ConfigCommand::Check { file })) => gopatchd::check_config(file.as_deref()).map(|()| true),
        Some(Command::Config(ConfigCommand::Example)) => gopatchd::example_config().map(|()| true),
        Some(Command::Status(args)) => gopatchd::status(&args).map(|()| true),
        Some(Command::Top(args)) => gopatchd::top(&args).map(|()| true),
        Some(Command::Rule(args)) => gopatchd::rule(&args),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("gopatchd: error: {}", gopatchd::format_error(&error));
            ExitCode::from(2)
        }
    }
}
