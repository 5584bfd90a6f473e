//! The server with OpenTelemetry's own SDK, which hooks are compared with, exports each request's
//! span once.
//!
//! The SDK drops spans when its queue is full, so the load is smaller than the queue.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::load::{HTTP, MIX};
use gopatch_tests::{Load, NEWEST_GO, Process, SOON, Scratch, Server};
use serde::Deserialize;
use xtask::corpus;

#[derive(Deserialize)]
struct Ready {
    grpc: String,
}

#[derive(Debug, Deserialize)]
struct Counts {
    spans: usize,
    distinct_spans: usize,
    metrics: usize,
}

#[test]
fn each_request_is_one_span() -> Result<()> {
    let scratch = Scratch::new()?;
    let server = corpus::build("httpserver-otel", NEWEST_GO, "default")?;
    let sink = corpus::build("otlpsink", NEWEST_GO, "default")?;
    for (tls, proto) in HTTP {
        let mut sink = Process::start(Command::new(&sink).arg("-distinct"), scratch.path(), "sink")?;
        let ready: Ready = sink.wait_for("listen", SOON, |sink| line(sink, 0))?;
        let mut command = Command::new(&server);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", ready.grpc));
        let server = Server::start(&scratch, &mut command)?;
        let load = Load { tls, proto, mix: MIX, count: 1_000, in_flight: 16, tag: "o" };
        load.send(&scratch, &server)?;
        server.stop()?;
        sink.terminate()?;
        let counts: Counts = line(&sink, 1)?.with_context(|| sink.describe("printed no counts"))?;
        ensure!((counts.spans, counts.distinct_spans) == (load.count, load.count), "{load:?}: {counts:?}");
        ensure!(counts.metrics > 0, "no metrics: {counts:?}");
    }
    Ok(())
}

/// A line of the sink's output, once it is complete.
fn line<T: for<'de> Deserialize<'de>>(sink: &Process, index: usize) -> Result<Option<T>> {
    let text = sink.stdout()?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let line = whole.lines().nth(index).map(serde_json::from_str);
    line.transpose().with_context(|| format!("the sink printed {text:?}"))
}
