//! The comparison as text, JSON and HTML.
//!
//! Decides: what goes where. The text goes to stdout unless the JSON does.
//! Trusts: the comparison for every text of every figure.
//! Never does: format a figure.

mod html;
mod plot;
mod text;

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::options::Options;
use crate::result::comparison::Comparison;

/// Writes all that was asked for. A limit that could not be judged is an error, once everything is written.
pub(crate) fn write(comparison: &Comparison, options: &Options) -> Result<()> {
    let json = || anyhow::Ok(format!("{}\n", serde_json::to_string_pretty(comparison)?));
    if let Some(path) = &options.html {
        fs::write(path, html::page(comparison)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut stdout = std::io::stdout();
    match options.json.as_deref() {
        Some(path) if path == Path::new("-") => stdout.write_all(json()?.as_bytes())?,
        json_to => {
            if let Some(path) = json_to {
                fs::write(path, json()?).with_context(|| format!("cannot write {}", path.display()))?;
            }
            stdout.write_all(text::table(comparison).as_bytes())?;
        }
    }
    if let Some(gate) = comparison.gates.iter().find(|gate| gate.unknown) {
        bail!("{} cannot be judged for variant {}: {}", gate.limit, gate.variant, gate.measured);
    }
    Ok(())
}
