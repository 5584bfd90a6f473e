//! Why a process does not get a session.

use std::io;
use std::time::Duration;

use crate::calls::program::ProgramError;
use crate::host::allow::Credentials;
use crate::quota::Exceeded;

/// How long a peer may take to send its hello, and then gopatchd to read its executable.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Why a connection does not become a session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("no hello within {} ms", PATIENCE.as_millis())]
    Silent,
    #[error("its hello is invalid or of another version")]
    NotAHello,
    #[error("cannot identify the process: {0}")]
    Peer(io::Error),
    /// Pid, or 0.
    #[error("process {0} has ended")]
    Ended(u32),
    #[error("its socket failed: {0}")]
    Socket(io::Error),
    #[error("it has gone on without a reply")]
    Left,
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("its executable was not read within {} ms", PATIENCE.as_millis())]
    SlowFile,
    #[error(transparent)]
    Quota(#[from] Exceeded),
    #[error("{0} is not in collect.allow")]
    NotAllowed(Credentials),
    #[error("its session is not of a process in collect.allow")]
    SessionNotAllowed,
    #[error("its program is over")]
    Over,
    #[error("{0:#}")]
    Rings(anyhow::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Rings(error.into())
    }
}
