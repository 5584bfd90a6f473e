//! Settings: a YAML file, then environment variables, then flags. Each overrides the one before.
//!
//! - [`file`]: the keys of the file;
//! - [`environment`]: OpenTelemetry's variables;
//! - [`values`]: the values that a setting can have;
//! - [`resolved`]: defaults, and settings that cannot be combined.
//!
//! An error names the key or variable that is wrong.

mod environment;
pub(crate) mod file;
mod resolved;
mod values;

use std::path::Path;

use anyhow::{Context, Result};

use self::file::Settings;

pub use self::resolved::Config;
pub(crate) use self::resolved::{ContextsConfig, Endpoint, MetricsConfig, TracesConfig};
pub(crate) use self::values::{Exemplars, Protocol};

/// Checks a file and the environment.
pub fn check(file: Option<&Path>) -> Result<()> {
    let settings = file.map_or_else(|| Ok(Settings::default()), Settings::read)?;
    settings.with_environment(&|name| std::env::var(name).ok())?.resolve()?;
    Ok(())
}

/// Prints a file with all settings.
pub fn example() -> Result<()> {
    std::io::Write::write_all(&mut std::io::stdout(), EXAMPLE.as_bytes()).context("cannot print")
}

/// A file with all settings and their defaults.
pub(crate) const EXAMPLE: &str = include_str!("example.yaml");

#[cfg(test)]
mod tests;
