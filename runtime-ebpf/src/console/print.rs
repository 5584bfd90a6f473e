//! What appears on standard output.
//!
//! Decides: the form of the output as a whole: one operation a line, and at the end, for a program, a summary.
//! Trusts: its callers.
//! Never does: waiting for who reads, except at the very end and for a moment when much waits (`output`). Lines that nobody
//! takes are counted.

use std::io;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::json;

use super::line::{TABLE_HEAD, append_line};
use super::output::Output;
use crate::calls::operation::Operation;
use crate::summary::Summary;

/// How operations are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Print {
    /// A table for a person.
    Text,
    /// One JSON object a line; the last line is `{"summary":{...}}`.
    Json,
    /// Nothing but that last line.
    None,
    /// The work of `json` without the output: operations become JSON and are thrown away, and only the summary is
    /// printed. For measuring what gopatchd costs.
    Discard,
}

/// Prints operations and counts them.
#[derive(Debug)]
pub(crate) struct Printer {
    print: Print,
    output: Output,
    operations: u64,
    /// Of these, how many were not printed, as who reads was too far behind.
    unprinted: u64,
    /// Nobody reads any more.
    closed: bool,
}

impl Printer {
    pub(crate) fn new(print: Print) -> io::Result<Self> {
        Ok(Self { print, output: Output::to(io::stdout())?, operations: 0, unprinted: 0, closed: false })
    }

    /// Prints an operation, at the next flush.
    pub(crate) fn print(&mut self, operation: &Operation<'_>) {
        self.operations += 1;
        if self.closed {
            return;
        }
        if self.output.is_full() {
            if self.unprinted == 0 {
                tracing::warn!("standard output is not read fast enough, so operations are not printed");
            }
            self.unprinted += 1;
            return;
        }
        let buffer = self.output.buffer();
        match self.print {
            Print::Text => {
                if self.operations == 1 {
                    buffer.extend(TABLE_HEAD.as_bytes());
                }
                append_line(operation, buffer);
            }
            Print::Json => operation.json(buffer),
            Print::None => {}
            Print::Discard => {
                operation.json(buffer);
                buffer.clear();
            }
        }
    }

    /// Adds what it has counted so far.
    pub(crate) fn count(&self, summary: &mut Summary) {
        summary.operations = self.operations;
        summary.unprinted = self.unprinted;
    }

    /// Has everything written, without waiting for it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let result = if self.closed { Ok(()) } else { self.output.flush() };
        if result.is_err() {
            self.close();
        }
        result
    }

    /// Writes the rest and the summary.
    pub(crate) fn finish(&mut self, summary: &Summary, patience: Duration) {
        if self.closed {
            return;
        }
        if self.print != Print::Text {
            self.output.buffer().extend(format!("{}\n", json!({ "summary": summary })).as_bytes());
        }
        match self.output.flush_all(patience) {
            Ok(()) if self.output.waiting() > 0 => {
                tracing::warn!("nobody has read the last {} bytes of the output", self.output.waiting());
            }
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                tracing::warn!("the last of the output could not be written: {error}");
            }
            Ok(()) | Err(_) => {}
        }
    }

    fn close(&mut self) {
        self.closed = true;
        self.output.buffer().clear();
    }
}
