//! Stopping on a signal, and waits that notice one.
//!
//! SIGINT and SIGTERM end the comparison within milliseconds: every wait goes through here and
//! returns an error, and dropping what was started kills it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use signal_hook::consts::{SIGINT, SIGTERM};

static STOPPED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Pause between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Makes `check` and `poll` fail once a signal has arrived.
pub(crate) fn catch_signals() -> Result<()> {
    let stopped = STOPPED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(stopped)).context("cannot handle signals")?;
    }
    Ok(())
}

/// Fails once a signal has arrived.
pub(crate) fn check() -> Result<()> {
    ensure!(!STOPPED.get().is_some_and(|stopped| stopped.load(Ordering::Relaxed)), "stopped by a signal");
    Ok(())
}

/// Polls until there is a value; `None` after the timeout.
pub(crate) fn poll<T>(timeout: Duration, mut get: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(value) = get()? {
            return Ok(Some(value));
        }
        check()?;
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}
