//! The comparison as text (`text`), JSON, and an HTML page (`html`) with plots (`plot`). The text
//! goes to stdout unless the JSON does. Reports show the comparison's formatted values and format
//! none themselves.

mod html;
mod plot;
#[cfg(test)]
mod sample;
mod text;

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::options::Options;
use crate::result::comparison::Comparison;

/// Writes the reports. After that, fails if a limit could not be judged.
pub(crate) fn write(comparison: &Comparison, options: &Options) -> Result<()> {
    let json = || anyhow::Ok(format!("{}\n", serde_json::to_string_pretty(comparison)?));
    if let Some(path) = &options.html {
        fs::write(path, html::page(comparison)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut stdout = std::io::stdout();
    match options.json.as_deref() {
        Some(path) if path == Path::new("-") => stdout.write_all(json()?.as_bytes())?,
        file => {
            if let Some(path) = file {
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
