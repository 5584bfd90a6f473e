//! One run: a variant in a round.

use serde::Serialize;

use super::account::Usage;
use crate::load::output::LoadReport;
use crate::setup::collector::Summary;

/// One variant in one round.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run {
    /// The variant's name.
    pub(crate) variant: String,
    /// The round, from 1.
    pub(crate) round: u32,
    /// What the load reports of the window.
    pub(crate) load: LoadReport,
    /// Requests in the warm-up, with errors.
    pub(crate) warm_up_requests: Option<u64>,
    /// What the program used in the window.
    pub(crate) program: Usage,
    /// What the collector, agent or sink used in the window.
    pub(crate) collector: Option<Usage>,
    /// gopatchd's summary, which includes the warm-up.
    pub(crate) collected: Option<Summary>,
}

impl Run {
    /// A line for the progress on stderr.
    pub(crate) fn progress_line(&self) -> String {
        let rate = self.load.requests.zip(self.load.seconds).map(|(requests, seconds)| requests as f64 / seconds);
        let rate = rate.map_or("requests not reported".to_owned(), |rate| format!("{rate:.0} requests/s"));
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
