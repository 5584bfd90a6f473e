//! One execution of a patched program: from the exec(2) that began it to the next one of its
//! process, or to the end of the process.
//!
//! It is what has a service name, rules, metrics and sessions, and it ties them to its manifest:
//! whatever is kept by the index of a function belongs to an execution, and so to one manifest.
//! A process that executes a program, even the same one again, begins another execution.

use std::sync::Arc;

use crate::attach::closer::Closing;
use crate::calls::program::Program;
use crate::telemetry::process::Process;

/// An execution. All sessions that it has one after another share it.
#[derive(Debug, Clone)]
pub(crate) struct Execution {
    pub(crate) program: Arc<Closing<Program>>,
    /// Made for this program, and used with no other.
    pub(crate) process: Arc<Process>,
    pub(crate) manifest_id: [u8; 16],
}

impl Execution {
    /// Whether both are the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.process, &other.process)
    }
}
