//! What gopatchd says of itself, on standard error.
//!
//! Decides: how a message looks: `gopatchd: ` and the text, with a word before it for what is not just news.
//! Trusts: its callers to keep control characters out of what they say.
//! Never does: failing: a standard error that is closed is no reason to end. A daemon's does not wait either.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer as _;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

use super::output::Output;

/// What is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What stops gopatchd or loses data.
    Error,
    /// Also what may be wrong.
    Warn,
    /// Also news.
    Info,
    /// Everything.
    Debug,
}

struct Line;

impl<S: Subscriber + for<'s> LookupSpan<'s>, N: for<'w> FormatFields<'w> + 'static> FormatEvent<S, N> for Line {
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let word = match *event.metadata().level() {
            tracing::Level::ERROR => "error: ",
            tracing::Level::WARN => "warning: ",
            tracing::Level::INFO => "",
            tracing::Level::DEBUG | tracing::Level::TRACE => "debug: ",
        };
        write!(out, "gopatchd: {word}")?;
        context.field_format().format_fields(out.by_ref(), event)?;
        writeln!(out)
    }
}

/// How long whoever reads may take for the last messages.
const LAST_MESSAGES: Duration = Duration::from_secs(1);

/// What a daemon says. Dropped, it waits for it to be read, but not for long.
#[derive(Debug)]
pub struct Log(Arc<Mutex<Output>>);

impl Drop for Log {
    fn drop(&mut self) {
        // Who does not read what is said will not read that either.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).flush_all(LAST_MESSAGES);
    }
}

/// A message of a daemon's.
struct Message(Arc<Mutex<Output>>);

impl Write for Message {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !output.is_full() {
            output.buffer().extend(text);
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// Says what the settings ask for, and waits for nobody who reads it.
pub fn start(level: Level) -> io::Result<Log> {
    let output = Arc::new(Mutex::new(Output::to(io::stderr())?));
    let messages = Arc::clone(&output);
    start_at(level, move || Message(Arc::clone(&messages)));
    Ok(Log(output))
}

/// Says what is said if nothing is asked for.
pub fn start_default() {
    start_at(Level::Info, io::stderr);
}

fn start_at(level: Level, writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) {
    let most = match level {
        Level::Error => tracing::Level::ERROR,
        Level::Warn => tracing::Level::WARN,
        Level::Info => tracing::Level::INFO,
        Level::Debug => tracing::Level::DEBUG,
    };
    // Libraries have their own idea of news.
    let is_ours = tracing_subscriber::filter::filter_fn(move |metadata| {
        *metadata.level() <= most
            && (metadata.target().starts_with("gopatchd") || *metadata.level() <= tracing::Level::WARN)
    });
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Line)
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(writer);
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(is_ours));
    // A second one would only mean that it has begun before.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
