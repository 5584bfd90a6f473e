//! The Collector that other tests export to keeps everything it receives, once each.
//!
//! OpenTelemetry's own SDK sends it a known load, and it is stopped and started again in between.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::load::MIX;
use gopatch_tests::otelcol::{Data, HistogramPoint, Metric, Options, Otelcol, Received, Temporality};
use gopatch_tests::{Load, NEWEST_GO, Scratch, Seen, Server, tls};
use serde_json::{Value, json};
use xtask::corpus;

/// The bounds of OpenTelemetry's semantic conventions for durations of requests.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The server with the SDK, which exports to `endpoint`.
fn sdk(endpoint: &str) -> Result<Command> {
    let mut command = Command::new(corpus::build("httpserver-otel", NEWEST_GO, "default")?);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_SERVICE_NAME", "sdk");
    Ok(command)
}

#[test]
fn what_the_sdk_exports_arrives_once() -> Result<()> {
    let scratch = Scratch::new()?;
    let mut collector = Otelcol::start(&scratch, Options::default())?;
    let mut seen = Vec::new();
    for tag in ["a", "b"] {
        let server = Server::start(&scratch, &mut sdk(&collector.grpc())?)?;
        let load = Load { tls: false, proto: "h1", mix: MIX, count: 400, in_flight: 16, tag };
        seen.extend(load.send(&scratch, &server)?);
        server.stop()?;
        collector.stop()?;
        ensure!(TcpStream::connect(collector.grpc().trim_start_matches("http://")).is_err(), "it still listens");
        // Started again, it has the same addresses and keeps what it had.
        collector.start_again()?;
    }
    let received = collector.received()?;
    each_request_is_one_span(&received, &seen)?;
    each_request_is_measured(&received, &seen)
}

fn each_request_is_one_span(received: &Received, seen: &[Seen]) -> Result<()> {
    let mut by_path: BTreeMap<_, _> = seen.iter().map(|seen| (seen.path.as_str(), seen)).collect();
    for span in &received.spans {
        let path = span.attributes["url.path"].as_str().context("a path")?;
        let seen = by_path.remove(path).with_context(|| format!("{path} has two spans or no request"))?;
        let details = || format!("{seen:?} {span:?}");
        ensure!(span.resource["service.name"] == "sdk" && span.kind == 2, "{}", details());
        ensure!(span.scope.ends_with("otelhttp") && span.parent_span_id.is_empty(), "{}", details());
        ensure!((span.trace_id.len(), span.span_id.len()) == (32, 16), "{}", details());
        ensure!(span.attributes["http.request.method"] == json!(seen.method), "{}", details());
        // The SDK's account of these differs from the client's.
        if !["panic", "hijack"].contains(&seen.handler()) {
            ensure!(span.attributes["http.response.status_code"] == json!(seen.status), "{}", details());
            ensure!(span.status.code == if seen.status >= 500 { 2 } else { 0 }, "{}", details());
            let took = span.end_time_unix_nano - span.start_time_unix_nano;
            ensure!(took <= seen.duration_nano, "{}", details());
        }
    }
    ensure!(by_path.is_empty(), "no spans of {:?}", by_path.keys());
    Ok(())
}

/// The points of each of the two servers count all of its requests.
fn each_request_is_measured(received: &Received, seen: &[Seen]) -> Result<()> {
    let metrics: Vec<_> = received.metrics_named("http.server.request.duration").collect();
    ensure!(metrics.iter().all(|metric| metric.unit == "s" && metric.scope.ends_with("otelhttp")), "{metrics:?}");
    let mut counted = 0;
    let mut statuses = BTreeMap::<u64, u64>::new();
    // Each server exports once, at its end.
    for points in metrics.iter().map(|metric| histogram(metric)) {
        for point in points? {
            ensure!(point.explicit_bounds == BOUNDS, "{point:?}");
            ensure!(point.bucket_counts.len() == BOUNDS.len() + 1, "{point:?}");
            ensure!(point.bucket_counts.iter().sum::<u64>() == point.count && point.sum > 0.0, "{point:?}");
            counted += point.count;
            let status = point.attributes.get("http.response.status_code").and_then(Value::as_u64);
            *statuses.entry(status.unwrap_or_default()).or_default() += point.count;
        }
    }
    let of = |handler| seen.iter().filter(|seen| seen.handler() == handler).count() as u64;
    // The SDK does not measure a request whose handler panics.
    let measured = seen.len() as u64 - of("panic");
    ensure!(counted == measured, "{counted} of {measured} requests: {metrics:#?}");
    ensure!(statuses[&404] >= of("missing") && of("missing") > 0, "{statuses:?}");
    Ok(())
}

fn histogram(metric: &Metric) -> Result<&[HistogramPoint]> {
    match &metric.data {
        Data::Histogram { data_points, aggregation_temporality: Temporality::Cumulative } => Ok(data_points),
        other => anyhow::bail!("not a cumulative histogram: {other:?}"),
    }
}

#[test]
fn it_accepts_otlp_over_http() -> Result<()> {
    let scratch = Scratch::new()?;
    let collector = Otelcol::start(&scratch, Options::default())?;
    let address = collector.http().trim_start_matches("http://").to_owned();
    let span = json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "one", "kind": 3,
        "startTimeUnixNano": "1000", "endTimeUnixNano": "3000", "status": {"code": 2, "message": "no"},
        "attributes": [{"key": "n", "value": {"intValue": "7"}}, {"key": "x", "value": {"doubleValue": 0.5}}]});
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string();
    let answer = post(&address, "/v1/traces", &body)?;
    ensure!(answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"), "{answer}");
    let span = collector.wait_for("the span", |mut received| received.spans.pop())?;
    ensure!((span.name.as_str(), span.kind, span.end_time_unix_nano) == ("one", 3, 3000), "{span:?}");
    ensure!((span.status.code, span.status.message.as_str()) == (2, "no"), "{span:?}");
    ensure!(json!(span.attributes) == json!({"n": 7, "x": 0.5}), "{span:?}");
    let answer = post(&address, "/v1/traces", "no JSON")?;
    ensure!(answer.contains(" 400 "), "{answer}");
    Ok(())
}

fn post(address: &str, path: &str, body: &str) -> Result<String> {
    let mut connection = TcpStream::connect(address)?;
    let head = format!("POST {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
    write!(connection, "{head}\r\n\r\n{body}")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn it_accepts_otlp_over_tls() -> Result<()> {
    let scratch = Scratch::new()?;
    let Some((certificate, key)) = tls::self_signed(&scratch)? else { return Ok(()) };
    let mut collector = Otelcol::start(&scratch, Options { tls: Some((&certificate, &key)) })?;
    ensure!(collector.grpc().starts_with("https://"), "{}", collector.grpc());
    let mut command = sdk(&collector.grpc())?;
    let server = Server::start(&scratch, command.env("OTEL_EXPORTER_OTLP_CERTIFICATE", &certificate))?;
    let load = Load { tls: false, proto: "h1", mix: "fast", count: 20, in_flight: 1, tag: "t" };
    load.send(&scratch, &server)?;
    server.stop()?;
    collector.stop()?;
    let spans = collector.received()?.spans.len();
    ensure!(spans == load.count, "{spans} spans");
    Ok(())
}
