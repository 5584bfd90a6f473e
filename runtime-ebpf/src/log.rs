//! What gopatchd says of itself, on standard error.
//!
//! Decides: how a message looks: `gopatchd: ` and the text, with a word before it for what is not just news.
//! Trusts: its callers to keep control characters out of what they say.
//! Never does: failing: a standard error that is closed is no reason to end.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer as _;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

use crate::config::{self, Config};

struct Line;

impl<S: Subscriber + for<'s> LookupSpan<'s>, N: for<'w> FormatFields<'w> + 'static> FormatEvent<S, N> for Line {
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let word = match *event.metadata().level() {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            Level::INFO => "",
            Level::DEBUG | Level::TRACE => "debug: ",
        };
        write!(out, "gopatchd: {word}")?;
        context.field_format().format_fields(out.by_ref(), event)?;
        writeln!(out)
    }
}

/// Says what the settings ask for.
pub fn start(config: &Config) {
    start_at(config.level);
}

/// Says what is said if nothing is asked for.
pub fn start_default() {
    start_at(config::Level::Info);
}

fn start_at(level: config::Level) {
    let most = match level {
        config::Level::Error => Level::ERROR,
        config::Level::Warn => Level::WARN,
        config::Level::Info => Level::INFO,
        config::Level::Debug => Level::DEBUG,
    };
    // Libraries have their own idea of news.
    let is_ours = tracing_subscriber::filter::filter_fn(move |metadata| {
        *metadata.level() <= most && (metadata.target().starts_with("gopatchd") || *metadata.level() <= Level::WARN)
    });
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Line)
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(is_ours));
    // A second one would only mean that it has begun before.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
