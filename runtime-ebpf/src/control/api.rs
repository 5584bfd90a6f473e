//! The answers of the control socket: what `gopatchd status` and `gopatchd top` show.
//!
//! Plain data with the names that the JSON objects have.

use serde::{Deserialize, Serialize};

use super::switch::RuleState;
use crate::summary::{Lost, Summary};

/// Buckets of durations grow by 2^(1/8), 9 %.
pub(crate) const DURATION_SCALE: i32 = 3;

/// The running gopatchd.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) uptime_seconds: f64,
    pub(crate) backend: String,
    /// Whether the main loop looks at the rings.
    pub(crate) alive: bool,
    /// Totals over all processes.
    pub(crate) totals: Summary,
    /// None when spans are not pushed.
    pub(crate) spans: Option<Spans>,
    /// Most bytes of memory that gopatchd takes; 0 from a gopatchd that does not say.
    #[serde(default)]
    pub(crate) memory_limit_bytes: u64,
    /// What is limited, for all users.
    #[serde(default)]
    pub(crate) limits: Vec<Quota>,
    /// Attached processes, and those that have just ended.
    pub(crate) processes: Vec<ProcessStatus>,
}

/// Spans on their way to the receiver.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Spans {
    pub(crate) waiting: usize,
    pub(crate) waiting_bytes: usize,
    pub(crate) pushed: u64,
    pub(crate) lost_queue_full: u64,
    pub(crate) lost_rejected: u64,
}

/// What all users may take of something.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Quota {
    /// As in the settings.
    pub(crate) name: String,
    pub(crate) used: u64,
    pub(crate) limit: u64,
    /// How often it, or the limit of a user, has refused something.
    pub(crate) refused: u64,
}

/// A process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ProcessStatus {
    pub(crate) pid: u32,
    pub(crate) service: String,
    pub(crate) instance: String,
    pub(crate) version: String,
    pub(crate) go_version: String,
    pub(crate) ended: bool,
    pub(crate) records: u64,
    pub(crate) operations: u64,
    pub(crate) lost: Lost,
    pub(crate) rules: Vec<RuleStatus>,
}

/// A rule of a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RuleStatus {
    pub(crate) name: String,
    /// Functions that the rule hooks.
    pub(crate) functions: usize,
    #[serde(flatten)]
    pub(crate) state: RuleState,
}

/// Operations of one name in one process, since a client began to watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operations {
    pub(crate) pid: u32,
    pub(crate) instance: String,
    pub(crate) service: String,
    pub(crate) rule: String,
    pub(crate) name: String,
    pub(crate) count: u64,
    pub(crate) errors: u64,
    /// Counts of durations: bucket `i` is up to 2^((i+1)/8) ns.
    pub(crate) durations: Vec<(i32, u64)>,
}
