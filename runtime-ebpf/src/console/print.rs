//! What appears on standard output.
//!
//! Decides: the form of the output as a whole: one operation a line, and at the end, except in a
//! table, a summary.
//! Never does: wait for the reader, except at the very end and for a moment in a burst (`output`).
//! Operations that find no room are counted.

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
    /// A table for people
    Text,
    /// One JSON object a line; the last line is `{"summary":{...}}`
    Json,
    /// Only the summary line
    None,
    /// Like `json`, but operations are thrown away and only the summary is printed; for measuring
    /// the cost of gopatchd
    Discard,
}

/// Prints operations and counts them.
#[derive(Debug)]
pub(crate) struct Printer {
    print: Print,
    output: Output,
    operations: u64,
    /// Operations not printed because the reader is too slow.
    unprinted: u64,
    /// The reader is gone.
    closed: bool,
    /// A warning has said that lines cannot be written.
    has_warned: bool,
}

impl Printer {
    pub(crate) fn new(print: Print) -> io::Result<Self> {
        Ok(Self {
            print,
            output: Output::new(io::stdout())?,
            operations: 0,
            unprinted: 0,
            closed: false,
            has_warned: false,
        })
    }

    /// Prints an operation, at the next flush.
    pub(crate) fn print(&mut self, operation: &Operation<'_>) {
        self.operations += 1;
        if self.closed {
            return;
        }
        if self.output.is_full() {
            if self.unprinted == 0 {
                tracing::warn!("standard output is not read fast enough; some operations are not printed");
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

    /// Writes its counts so far into the summary.
    pub(crate) fn count_into(&self, summary: &mut Summary) {
        summary.operations = self.operations;
        summary.unprinted = self.unprinted + self.output.lost().0;
    }

    /// Starts writing everything, without waiting.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let result = if self.closed { Ok(()) } else { self.output.flush() };
        if result.is_err() {
            self.close();
        }
        if !self.has_warned
            && let (_, Some(error)) = self.output.lost()
        {
            tracing::warn!("cannot write to standard output, so some operations are not printed: {error}");
            self.has_warned = true;
        }
        result
    }

    /// Writes the rest and the summary. Returns whether all of that was written.
    pub(crate) fn finish(&mut self, summary: &Summary, patience: Duration) -> bool {
        if self.closed {
            return false;
        }
        let (lost_before, _) = self.output.lost();
        if self.print != Print::Text {
            self.output.buffer().extend(format!("{}\n", json!({ "summary": summary })).as_bytes());
        }
        match self.output.flush_all(patience) {
            Ok(()) if self.output.waiting() > 0 => {
                tracing::warn!("the last {} bytes of the output were not read", self.output.waiting());
                false
            }
            Ok(()) => match self.output.lost() {
                (lost, Some(error)) if lost > lost_before => {
                    tracing::warn!("cannot write the end of the output: {error}");
                    false
                }
                _ => true,
            },
            Err(_) => false,
        }
    }

    fn close(&mut self) {
        self.closed = true;
        self.output.buffer().clear();
    }
}
