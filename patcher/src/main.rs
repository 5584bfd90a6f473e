//! The command `gopatch`: reads files, calls the library, writes files, prints.
//!
//! Decides: the exit status, and the form of messages. Never does: look into a binary.

mod command;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use signal_hook::consts::SIGXFSZ;

use command::cli::{Cli, Command, RulesCommand};

/// The output was written, but a place that a rule wants is not hooked; or the file does not meet
/// the policy.
const REFUSED: u8 = 1;
/// Nothing was written, or a check failed.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A request for help is not a failure.
            let code = if error.use_stderr() { FAILED } else { 0 };
            // Without a terminal, the message is lost.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    // Past a limit on the size of files (RLIMIT_FSIZE) a write must fail, not end the program with
    // a half-written file. The handler alone does that; the flag is never read.
    if let Err(error) = signal_hook::flag::register(SIGXFSZ, Arc::default()) {
        eprintln!("gopatch: error: cannot handle SIGXFSZ: {error}");
        return ExitCode::from(FAILED);
    }
    let done = match &cli.command {
        None => command::patch(&cli.patch),
        Some(Command::Inspect { file, policy: Some(policy), format, .. }) => command::judge(file, policy, *format),
        Some(Command::Inspect { file, rules, format, .. }) => command::inspect(file, rules, *format),
        Some(Command::Verify { file, original }) => command::verify(file, original.as_deref()),
        Some(Command::Restore { file, output }) => command::restore(file, output),
        Some(Command::Rules(RulesCommand::Check { file, binary })) => command::check_rules(file, binary.as_deref()),
        Some(Command::Rules(RulesCommand::List { file, format })) => command::list_rules(file.as_deref(), *format),
        Some(Command::Rules(RulesCommand::Schema)) => command::rules_schema(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(REFUSED),
        Err(error) => {
            eprintln!("gopatch: error: {}", format_error(&error));
            ExitCode::from(FAILED)
        }
    }
}

/// An error with its causes on one line, and their hints on lines of their own.
fn format_error(error: &anyhow::Error) -> String {
    let messages: Vec<_> = error.chain().map(ToString::to_string).collect();
    let parts = messages.iter().map(|message| message.split_once('\n').unwrap_or((message, "")));
    let (what, hints): (Vec<_>, Vec<_>) = parts.unzip();
    let hints = hints.into_iter().filter(|hint| !hint.is_empty());
    std::iter::once(what.join(": ").as_str()).chain(hints).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_follows_the_causes() {
        let cause = anyhow::anyhow!("damaged\nhint: rebuild").context("app");
        assert_eq!(format_error(&cause), "app: damaged\nhint: rebuild");
        let deeper = anyhow::anyhow!("bad offset").context("damaged\nhint: rebuild").context("app");
        assert_eq!(format_error(&deeper), "app: damaged: bad offset\nhint: rebuild");
    }
}
