//! One variant in one round.

use serde::Serialize;

use super::account::Used;
use crate::load::output::Told;
use crate::setup::collector::Summary;

/// One variant in one round.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run {
    /// Which variant.
    pub(crate) variant: String,
    /// Which round, from 1.
    pub(crate) round: u32,
    /// What the load tells of the window.
    pub(crate) load: Told,
    /// Requests that the warm-up tells of, errors included.
    pub(crate) warm_up_requests: Option<u64>,
    /// What the program used in the window.
    pub(crate) program: Used,
    /// What ran beside it used in the window.
    pub(crate) collector: Option<Used>,
    /// What gopatchd says of all that the program did, warm-up included.
    pub(crate) collected: Option<Summary>,
}

impl Run {
    /// A line for whoever watches.
    pub(crate) fn line(&self) -> String {
        let rate = self.load.requests.zip(self.load.seconds).map(|(requests, seconds)| requests as f64 / seconds);
        let rate = rate.map_or("requests not told".to_owned(), |rate| format!("{rate:.0} requests/s"));
        let mut line = format!("{:<16} {rate}", self.variant);
        if let Some(errors) = self.load.errors.filter(|errors| *errors > 0) {
            line = format!("{line}, {errors} ERRORS: {}", self.load.messages.join("; "));
        }
        if let Some(lost) = self.collected.as_ref().map(Summary::lost).filter(|lost| *lost > 0) {
            line = format!("{line}, {lost} RECORDS LOST");
        }
        line
    }
}
