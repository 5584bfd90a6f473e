//! The command `gopatch`: reads files, calls the library, writes files, prints.
//!
//! Decides: exit status, and that an output is written whole or not at all. Never does: look into a binary.

mod cli;
mod commands;
mod files;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use signal_hook::consts::SIGXFSZ;

use cli::{Cli, Command, RulesCommand};

/// Some place that was asked for is not hooked, and the output was written; or a policy is not met.
const REFUSED: u8 = 1;
/// Nothing was written, or what was asked for is not so.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Asking for help is not a failure.
            let code = if error.use_stderr() { FAILED } else { 0 };
            // If the terminal is gone there is nobody to tell.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    // Past a limit on the size of files (RLIMIT_FSIZE) a write shall fail, not end the program with a half-written file.
    // Nobody looks at the flag; having a handler is what makes the difference.
    if let Err(error) = signal_hook::flag::register(SIGXFSZ, Arc::default()) {
        eprintln!("gopatch: cannot handle SIGXFSZ: {error}");
        return ExitCode::from(FAILED);
    }
    let done = match &cli.command {
        None => commands::patch(&cli.patch),
        Some(Command::Inspect { file, policy: Some(policy), format, .. }) => commands::judge(file, policy, *format),
        Some(Command::Inspect { file, rules, format, .. }) => commands::inspect(file, rules, *format),
        Some(Command::Verify { file, original }) => commands::verify(file, original.as_deref()),
        Some(Command::Restore { file, output }) => commands::restore(file, output),
        Some(Command::Rules(RulesCommand::Check { file, binary })) => commands::check_rules(file, binary.as_deref()),
        Some(Command::Rules(RulesCommand::List { file, format })) => commands::list_rules(file.as_deref(), *format),
        Some(Command::Rules(RulesCommand::Schema)) => commands::rules_schema(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(REFUSED),
        Err(error) => {
            eprintln!("gopatch: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}
