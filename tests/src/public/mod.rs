//! Executables that others built, from public registries of packages, and what is run with them.
//!
//! Decides how a package is fetched and how its program runs: in a folder of its own that is also
//! its home, with an end to every wait, in a process group that is killed at its end. Trusts the
//! registries' clients. Never installs anything, so that no service starts.

mod fetch;
mod run;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

pub use fetch::{Fetched, fetch};
pub use run::{Trial, run};

/// A program, as `programs.yaml` lists it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Its name in the table.
    pub name: String,
    /// Where it comes from: `REGISTRY PACKAGE`.
    from: String,
    /// Packages with libraries that it needs.
    #[serde(default)]
    needs: Vec<String>,
    /// Its path in the package. A `*` stands for a part with a version.
    file: String,
    /// Whether it needs the other files of its package.
    #[serde(default)]
    pub whole: bool,
    /// Other programs of the package that it runs, which are patched, too.
    #[serde(default)]
    tools: Vec<String>,
    /// Commands without the program's own name, which run one after another.
    #[serde(default)]
    run: Vec<String>,
    /// Arguments of a server, which listens at `@port`.
    serve: Option<String>,
    /// What the server is sent: paths of HTTP requests.
    #[serde(default)]
    get: Vec<String>,
    /// Files that it needs, besides those that all have.
    #[serde(default)]
    input: BTreeMap<String, String>,
    /// Files or folders that must be the same when it has run.
    #[serde(default)]
    leaves: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// The list, in the order of the table.
pub fn programs() -> Result<Vec<Program>> {
    let programs: Vec<Program> =
        serde_yaml_ng::from_str(include_str!("programs.yaml")).context("tests/src/public/programs.yaml")?;
    for program in &programs {
        ensure!(!program.run.is_empty() || program.serve.is_some(), "{} is never run", program.name);
    }
    Ok(programs)
}

impl Program {
    /// The registry and the package.
    pub fn source(&self) -> &str {
        &self.from
    }
}
