//! Being asked to stop, and waiting that notices it.
//!
//! Decides: that SIGINT and SIGTERM end the comparison, and all that it has started, within some milliseconds.
//! Trusts: that whoever waits does it here.
//! Never does: kill anything. Dropping what was started does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use signal_hook::consts::{SIGINT, SIGTERM};

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// How often a wait looks.
const LOOK: Duration = Duration::from_millis(5);

/// From now on signals stop the comparison in order.
pub(crate) fn on_signals() -> Result<()> {
    let asked = ASKED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(asked)).context("cannot wait for signals")?;
    }
    Ok(())
}

/// An error once a signal has come.
pub(crate) fn check() -> Result<()> {
    ensure!(!ASKED.get().is_some_and(|asked| asked.load(Ordering::Relaxed)), "stopped by a signal");
    Ok(())
}

/// Asks until there is an answer; `None` when the time is over.
pub(crate) fn wait<T>(patience: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask()? {
            return Ok(Some(answer));
        }
        check()?;
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}
