//! What puts the program under load, and what it tells of its requests.
//!
//! Decides: what a load can tell: requests answered, errors, seconds, percentiles of latency. What it does not tell stays
//! untold.
//! Trusts: the load.
//! Never does: derive a figure that was not told from one that was.

mod command;
mod http;
pub(crate) mod output;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use output::Told;

use crate::options::Load;
use crate::template::Values;

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
