//! What puts the program under load, and what it tells of its requests.
//!
//! Decides: what a load can tell: requests answered, errors, seconds, percentiles of latency. What it does not tell stays
//! untold.
//! Trusts: the load.
//! Never does: derive a figure that was not told from one that was.

mod command;
mod http;
mod output;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::options::Load;
use crate::template::Values;

/// Percentiles that the built-in load gives, for plots. Those that the tables show are among them.
pub(crate) const PERCENTILES: [f64; 16] =
    [1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 97.5, 99.0, 99.5, 99.75, 99.9, 99.95, 99.99, 100.0];

/// What a load tells of one window.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Told {
    /// Requests answered, errors not among them where the load tells them apart.
    pub(crate) requests: Option<u64>,
    /// Requests that failed, or were answered with an error.
    pub(crate) errors: Option<u64>,
    /// How long it took.
    pub(crate) seconds: Option<f64>,
    /// Percentiles, ascending, and microseconds.
    pub(crate) latency_us: Vec<(f64, f64)>,
    /// The first errors, in words.
    pub(crate) messages: Vec<String>,
}

impl Load {
    /// Puts a program under load.
    pub(crate) fn run(&self, values: &Values, duration: Duration, folder: &Path) -> Result<Told> {
        let values = values.lasting(duration);
        match self {
            Self::Command(command) => command::run(&command.filled(&values), duration, folder),
            Self::Http { connections, threads, rate } => {
                let url = values.url().context("the built-in load needs --url")?;
                http::run(url, *connections, *threads, *rate, duration)
            }
        }
    }
}
