//! Flags that the timed benchmarks share.

use std::path::PathBuf;

use gopatch_tests::NEWEST_GO;

/// How a benchmark runs and prints.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// Version of Go that hookbench is built with, as in corpus/manifest.yaml.
    #[arg(long, value_name = "VERSION", default_value = NEWEST_GO)]
    pub(crate) go: String,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Exit with status 1 if a figure is over its budget or a measured record was lost.
    #[arg(long)]
    pub(crate) check: bool,

    /// File of budgets, instead of the committed one.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
}
