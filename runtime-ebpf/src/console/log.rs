//! Messages on standard error.
//!
//! Decides: the form of a message: `gopatchd: ` and the text, with `error: ` or `warning: ` between
//! the two.
//! Trusts: nothing in the texts of messages, which may come from processes.
//! Never does: fail. A closed standard error does not end gopatchd, and a daemon does not wait for
//! the reader.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
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
use super::text::printable_message;

/// Which messages appear on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Failures.
    Error,
    /// Also warnings.
    Warn,
    /// Also information.
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
        let mut text = String::new();
        context.field_format().format_fields(Writer::new(&mut text), event)?;
        writeln!(out, "gopatchd: {word}{}", printable_message(&text))
    }
}

/// How long the reader may take for the last messages.
const LAST_MESSAGES: Duration = Duration::from_secs(1);

/// The log of a daemon. Dropping it waits for the last messages to be read, but not for long.
#[derive(Debug)]
pub struct Log(Arc<Mutex<Output>>);

impl Drop for Log {
    fn drop(&mut self) {
        // An error cannot be reported: this is where errors go.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).flush_all(LAST_MESSAGES);
    }
}

/// What writes a message of a daemon.
struct Message {
    output: Arc<Mutex<Output>>,
    unwritten: Arc<Unwritten>,
}

/// Messages that could not be written.
#[derive(Debug, Default)]
struct Unwritten {
    /// Those for which there was no room.
    crowded: AtomicU64,
    /// Those that a later message has reported.
    reported: AtomicU64,
}

impl Write for Message {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = output.lost().0 + self.unwritten.crowded.load(Ordering::Relaxed);
        if output.is_full() {
            self.unwritten.crowded.fetch_add(1, Ordering::Relaxed);
        } else {
            if lost > self.unwritten.reported.load(Ordering::Relaxed) {
                let more = lost - self.unwritten.reported.swap(lost, Ordering::Relaxed);
                output.buffer().extend(format!("gopatchd: warning: {more} messages were not written\n").as_bytes());
            }
            output.buffer().extend(text);
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// Starts the log of a daemon, which never waits for its reader.
pub fn start(level: Level) -> io::Result<Log> {
    let output = Arc::new(Mutex::new(Output::new(io::stderr())?));
    let messages = Arc::clone(&output);
    let unwritten = Arc::new(Unwritten::default());
    start_at(level, move || Message { output: Arc::clone(&messages), unwritten: Arc::clone(&unwritten) });
    Ok(Log(output))
}

/// Starts the log of a command.
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
    // Libraries log too much at the level of information.
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
    // An error means that the log has started already.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
