//! What puts the program under load: a command (`command`) or the built-in HTTP client (`http`),
//! and what each reports (`output`). A figure that a load does not report stays missing; it is
//! never derived from another one.

mod command;
mod http;
pub(crate) mod output;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::options::Load;
use crate::template::Values;
use output::LoadReport;

impl Load {
    /// Puts a program under load.
    pub(crate) fn run(&self, values: &Values, duration: Duration, folder: &Path) -> Result<LoadReport> {
        let values = values.with_duration(duration);
        match self {
            Self::Command(command) => command::run(&command.fill(&values), duration, folder),
            Self::Http { connections, threads, rate } => {
                let url = values.url().context("the built-in load needs --url")?;
                http::run(url, *connections, *threads, *rate, duration)
            }
        }
    }
}
