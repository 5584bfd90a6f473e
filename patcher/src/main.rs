//! The command `gopatch`: reads files, calls the library, writes files, prints.
//!
//! Decides: exit status, and that an output is written whole or not at all. Never does: look into a binary.

mod cli;
mod files;

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use gopatch::patch::{self, Options};
use gopatch::rules;

use cli::{Cli, Format};

/// Some place that was asked for is not hooked; the output was written.
const REFUSED: u8 = 1;
/// Nothing was written.
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
    match run(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(REFUSED),
        Err(error) => {
            eprintln!("gopatch: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Patches one file; `Ok(true)` when every place that was asked for is hooked.
fn run(cli: &Cli) -> anyhow::Result<bool> {
    let socket = cli.socket.as_os_str().as_encoded_bytes().to_vec();
    let mut sources = Vec::new();
    if !cli.no_default_rules {
        sources.push(rules::Source::default_rules());
    }
    for path in &cli.rules {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read rules {}", path.display()))?;
        sources.push(rules::Source { name: path.display().to_string(), text });
    }

    files::check_paths(&cli.input, &cli.output, cli.report.as_deref())?;
    let input = files::Input::open(&cli.input)?;
    let mut patched = patch::patch(input.bytes(), &Options { rules: sources, socket })
        .with_context(|| cli.input.display().to_string())?;
    patched.report.input.path = Some(cli.input.display().to_string());
    patched.report.output.path = Some(cli.output.display().to_string());

    let report = match cli.format {
        Format::Text => patched.report.text(cli.verbose).to_string(),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&patched.report)?),
    };
    let mut outputs = vec![files::Pending::write(&cli.output, &patched.bytes, input.permissions())?];
    if let Some(path) = &cli.report {
        outputs.push(files::Pending::write(path, report.as_bytes(), Permissions::from_mode(0o644))?);
    }
    for output in outputs {
        output.keep()?;
    }
    if !cli.quiet && cli.report.is_none() {
        // The file is written; a reader that has gone away changes nothing about that.
        let _ = std::io::stdout().write_all(report.as_bytes());
    }
    if !patched.report.is_complete() {
        eprintln!(
            "gopatch: {}: {} refused; see the report",
            cli.output.display(),
            if patched.report.refused.len() == 1 {
                "1 site was".to_owned()
            } else {
                format!("{} sites were", patched.report.refused.len())
            },
        );
    }
    Ok(patched.report.is_complete())
}
