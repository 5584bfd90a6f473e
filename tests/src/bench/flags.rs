//! Flags that the timed benchmarks share.

use std::path::PathBuf;

use gopatch_tests::NEWEST_GO;

/// How a benchmark is run and shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Version of Go that hookbench is built with, as in corpus/manifest.yaml.
    #[arg(long, value_name = "VERSION", default_value = NEWEST_GO)]
    pub(crate) go: String,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Exit with status 1 if a figure is beyond its budget or a record that was to be measured was lost.
    #[arg(long)]
    pub(crate) check: bool,

    /// Budgets to hold the figures against, instead of those that are committed.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
}
