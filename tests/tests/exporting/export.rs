//! What a real Collector receives from patched programs: each request once, with all attributes.
//!
//! gopatchd must push what it prints. Other tests check, with `exact`, that it prints what the
//! client saw.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::load::{MIX, pair};
use gopatch_tests::otelcol::{Attributes, Data, HistogramPoint, Options, Otelcol, Received, Temporality};
use gopatch_tests::server::KNOCK;
use gopatch_tests::{Collected, Gopatchd, Load, NEWEST_GO, Operation, Scratch, Server, gopatch, tls};
use serde_json::{Value, json};

const SECONDS: [f64; 15] = [0.0, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const BYTES: [f64; 10] = [0.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0];

/// Attributes of the metrics of HTTP servers.
const DIMENSIONS: [&str; 6] = [
    "http.request.method",
    "url.scheme",
    "http.response.status_code",
    "http.route",
    "network.protocol.version",
    "error.type",
];

/// Starts a gopatchd with these settings and a patched server, sends it a known load, and ends
/// both.
fn run(scratch: &Scratch, settings: &str, load: Load<'_>) -> Result<Collected> {
    let gopatchd = Gopatchd::start_by(scratch, "memfd", settings)?;
    let server = gopatch::patched(scratch, "httpserver", NEWEST_GO, "default")?;
    let server = Server::start(scratch, &mut Command::new(server))?;
    server.knock(|| gopatchd.has_operation())?;
    let seen = load.send(scratch, &server)?;
    server.stop()?;
    let collected = gopatchd.stop()?;
    collected.ensure_all_seen()?;
    let known = collected.of_rule("http.server").filter(|operation| operation.text("url.path") != Some(KNOCK));
    pair(&seen, known)?;
    Ok(collected)
}

fn over_http(tag: &str) -> Load<'_> {
    Load { tls: false, proto: "h1", mix: MIX, count: 400, in_flight: 16, tag }
}

#[test]
fn requests_arrive_over_grpc() -> Result<()> {
    let scratch = Scratch::new()?;
    let mut collector = Otelcol::start(&scratch, Options::default())?;
    let settings = format!(
        "otlp: {{ endpoint: '{}', protocol: grpc, compression: gzip }}\ntraces: {{ batch_delay: 100ms }}\n\
         resource: {{ attributes: {{ deployment.environment.name: test }} }}\nmetrics: {{ interval: 300ms }}\n",
        collector.grpc()
    );
    let collected = run(&scratch, &settings, over_http("g"))?;
    collector.stop()?;
    let received = collector.received()?;
    same_spans(&received, &collected)?;
    same_metrics(&received, &collected)?;
    for resource in
        received.spans.iter().map(|span| &span.resource).chain(received.metrics.iter().map(|it| &it.resource))
    {
        same_process(resource, &collected)?;
    }
    ensure!(!collected.stderr.contains("warning"), "{}", collected.stderr);
    Ok(())
}

#[test]
fn requests_arrive_over_http_as_protobuf_and_as_json() -> Result<()> {
    for (protocol, compression) in [("http/protobuf", "gzip"), ("http/json", "none")] {
        let scratch = Scratch::new()?;
        let mut collector = Otelcol::start(&scratch, Options::default())?;
        let settings = format!(
            "otlp: {{ endpoint: '{}', protocol: {protocol}, compression: {compression} }}\ntraces: {{ batch_spans: 7 }}\n",
            collector.http()
        );
        let collected = run(&scratch, &settings, Load { tls: true, proto: "h2", ..over_http("h") })?;
        collector.stop()?;
        let received = collector.received()?;
        same_spans(&received, &collected)?;
        same_metrics(&received, &collected)?;
    }
    Ok(())
}

#[test]
fn requests_arrive_over_tls() -> Result<()> {
    let scratch = Scratch::new()?;
    let Some((certificate, key)) = tls::self_signed(&scratch)? else { return Ok(()) };
    let mut collector = Otelcol::start(&scratch, Options { tls: Some((&certificate, &key)) })?;
    let settings = format!(
        "otlp:\n  ca_file: {}\n  traces: {{ endpoint: '{}', protocol: grpc }}\n  metrics: {{ endpoint: '{}/v1/metrics' }}\n",
        certificate.display(),
        collector.grpc(),
        collector.http()
    );
    let collected = run(&scratch, &settings, over_http("t"))?;
    collector.stop()?;
    let received = collector.received()?;
    same_spans(&received, &collected)?;
    same_metrics(&received, &collected)
}

#[test]
fn a_receiver_with_an_unknown_certificate_gets_nothing() -> Result<()> {
    let scratch = Scratch::new()?;
    let Some((certificate, key)) = tls::self_signed(&scratch)? else { return Ok(()) };
    let mut collector = Otelcol::start(&scratch, Options { tls: Some((&certificate, &key)) })?;
    let settings = format!("otlp: {{ endpoint: '{}' }}\ntraces: {{ batch_delay: 100ms }}\n", collector.http());
    let collected = run(&scratch, &settings, Load { count: 16, ..over_http("u") })?;
    collector.stop()?;
    ensure!(collected.stderr.contains("cannot push spans, will retry"), "{}", collected.stderr);
    let left = format!("{} spans were not pushed before gopatchd stopped", collected.operations.len());
    ensure!(collected.stderr.contains(&left), "{}", collected.stderr);
    ensure!(collector.received().map_or(0, |received| received.spans.len()) == 0);
    Ok(())
}

#[test]
fn sampled_traces_are_kept_and_metrics_count_all() -> Result<()> {
    let scratch = Scratch::new()?;
    let mut collector = Otelcol::start(&scratch, Options::default())?;
    let settings = format!(
        "otlp: {{ endpoint: '{}' }}\ntraces: {{ sampler: parentbased_traceidratio, sampler_arg: 0.25 }}\n\
         metrics: {{ histogram: base2_exponential_bucket_histogram, temporality: delta, interval: 200ms }}\n",
        collector.http()
    );
    let load = Load { tls: false, proto: "h1", mix: "fast", count: 2000, in_flight: 16, tag: "p" };
    let collected = run(&scratch, &settings, load)?;
    collector.stop()?;
    let received = collector.received()?;
    // 25 % of 2,000 is 500, with a standard deviation of 19.4.
    let kept = received.spans.iter().filter(|span| span.kind == 2).count();
    ensure!((380..=620).contains(&kept), "{kept} of 2000 spans");
    let random = |id: &str| u64::from_str_radix(&id[18..], 16).map(|random| random as f64 / 2f64.powi(56));
    for span in &received.spans {
        ensure!(random(&span.trace_id)? < 0.25, "{}", span.trace_id);
    }
    let (mut count, mut sum) = (0, 0.0);
    for metric in received.metrics_named("http.server.request.duration") {
        let Data::ExponentialHistogram { data_points, aggregation_temporality: Temporality::Delta } = &metric.data
        else {
            anyhow::bail!("{metric:?}");
        };
        for point in data_points {
            ensure!(point.positive.bucket_counts.iter().sum::<u64>() + point.zero_count == point.count, "{point:?}");
            ensure!(point.start_time_unix_nano < point.time_unix_nano, "{point:?}");
            count += point.count;
            sum += point.sum;
        }
    }
    let durations = finished(&collected).map(|operation| operation.duration_nano as f64 / 1e9);
    ensure!(count == finished(&collected).count() as u64, "{count} requests are counted");
    ensure!((durations.sum::<f64>() / sum - 1.0).abs() < 1e-9, "{sum} s");
    Ok(())
}

/// A request that a handler sends is a child of the handler's, and a trace does not go beyond the
/// process.
#[test]
fn a_request_is_the_child_of_the_one_that_it_is_sent_for() -> Result<()> {
    let scratch = Scratch::new()?;
    let mut collector = Otelcol::start(&scratch, Options::default())?;
    let settings = format!("otlp: {{ endpoint: '{}' }}\n", collector.http());
    let gopatchd = Gopatchd::start_by(&scratch, "memfd", &settings)?;
    let server = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    let mut server = Server::start(&scratch, &mut Command::new(server))?;
    let folder = Scratch::new()?;
    let mut command = Command::new(gopatch::patched(&folder, "relay", NEWEST_GO, "default")?);
    command.args(["-upstream", &server.url(false)]).env("GOPATCH_SOCKET", gopatchd.socket());
    command.env("OTEL_SERVICE_NAME", "till").env("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=shop,team=a%20b");
    let mut relay = Server::start(&folder, &mut command)?;
    let (pid, upstream, url) = (relay.process().pid(), server.process().pid(), server.url(false));
    relay.knock(|| Ok(gopatchd.has_operation_of(pid)? && gopatchd.has_operation_of(upstream)?))?;
    let load = Load { tls: false, proto: "h1", mix: "fast,status", count: 100, in_flight: 4, tag: "r" };
    let seen = load.send(&folder, &relay)?;
    relay.stop()?;
    server.stop()?;
    gopatchd.stop()?.ensure_all_seen()?;
    collector.stop()?;

    let received = collector.received()?;
    let of = |service: &str, kind: u32| {
        let mut spans = BTreeMap::new();
        for span in &received.spans {
            let path = span.attributes.get("url.path").or(span.attributes.get("url.full")).and_then(Value::as_str);
            if span.resource["service.name"] == service && span.kind == kind {
                let path = path.context("a path")?.trim_start_matches("http://");
                let path = path[path.find('/').context("a path")?..].to_owned();
                ensure!(path == KNOCK || spans.insert(path.clone(), span).is_none(), "{path} has two spans");
            }
        }
        Ok(spans)
    };
    let (served, sent, answered) = (of("till", 2)?, of("till", 3)?, of("httpserver", 2)?);
    for seen in &seen {
        let details = || format!("{seen:?} {:?}", received.spans);
        let (served, sent, answered) = (served[&seen.path], sent[&seen.path], answered[&seen.path]);
        ensure!(served.parent_span_id.is_empty() && answered.parent_span_id.is_empty(), "{}", details());
        ensure!(sent.parent_span_id == served.span_id && sent.trace_id == served.trace_id, "{}", details());
        ensure!(answered.trace_id != served.trace_id, "{}", details());
        ensure!(
            served.start_time_unix_nano <= sent.start_time_unix_nano
                && sent.end_time_unix_nano <= served.end_time_unix_nano,
            "{}",
            details()
        );
        let expected = json!({
            "http.request.method": "GET",
            "url.scheme": "http",
            "url.full": format!("{}{}", url, seen.path),
            "server.address": "127.0.0.1",
            "server.port": url.rsplit(':').next().context("a port")?.parse::<u16>()?,
            "http.response.status_code": seen.status,
            "network.protocol.version": "1.1",
        });
        let mut attributes = json!(sent.attributes);
        let error = attributes.as_object_mut().and_then(|attributes| attributes.remove("error.type"));
        ensure!(attributes == expected, "{attributes} {expected}");
        // A status of 400 or more is an error to the client.
        ensure!(error == (seen.status >= 400).then(|| json!(seen.status.to_string())), "{}", details());
        ensure!(sent.status.code == if seen.status >= 400 { 2 } else { 0 }, "{}", details());
        let resource = &sent.resource;
        ensure!(resource["service.namespace"] == "shop" && resource["team"] == "a b", "{resource:?}");
    }
    Ok(())
}

/// Requests that have ended.
fn finished(collected: &Collected) -> impl Iterator<Item = &Operation> {
    collected.of_rule("http.server").filter(|operation| !operation.unfinished)
}

/// Each operation is one span with the same content.
fn same_spans(received: &Received, collected: &Collected) -> Result<()> {
    let mut spans = BTreeMap::new();
    for span in &received.spans {
        ensure!(spans.insert(span.span_id.as_str(), span).is_none(), "a span arrived twice: {span:?}");
    }
    for operation in &collected.operations {
        let span = spans.remove(operation.span_id.as_str()).with_context(|| format!("no span: {operation:?}"))?;
        let details = || format!("{span:?} {operation:?}");
        let kind = ["internal", "server", "client"].iter().position(|kind| *kind == operation.kind);
        ensure!(Some(span.kind as usize) == kind.map(|kind| kind + 1), "{}", details());
        ensure!(span.name == operation.name && span.scope == "gopatch", "{}", details());
        ensure!(span.trace_id == operation.trace_id && span.flags == 0x101, "{}", details());
        ensure!(span.parent_span_id == operation.parent_span_id.clone().unwrap_or_default(), "{}", details());
        ensure!(span.start_time_unix_nano == operation.start_unix_nano, "{}", details());
        ensure!(span.end_time_unix_nano == operation.start_unix_nano + operation.duration_nano, "{}", details());
        let expected = expected_attributes(operation);
        ensure!(span.attributes == expected, "{expected:?} {}", details());
        let is_error = expected.contains_key("error.type");
        ensure!(span.status.code == if is_error { 2 } else { 0 }, "{}", details());
        ensure!(span.status.message == if operation.unwound { "left by a panic" } else { "" }, "{}", details());
    }
    ensure!(spans.is_empty(), "spans without an operation: {spans:?}");
    Ok(())
}

/// The attributes of an operation's span, as in docs/telemetry.md.
fn expected_attributes(operation: &Operation) -> Attributes {
    let mut attributes = operation.attributes.clone();
    match operation.rule.as_str() {
        "http.server" => {
            let failed = operation.number("http.response.status_code").filter(|status| *status >= 500);
            let error = operation.unwound.then(|| "panic".to_owned()).or(failed.map(|status| status.to_string()));
            attributes.extend(error.map(|error| ("error.type".to_owned(), json!(error))));
            if has_other_body(operation) {
                attributes.remove("http.response.body.size");
            }
        }
        "tls.handshake" => {
            if attributes.remove("tls.established") == Some(json!(false)) {
                attributes.insert("error.type".to_owned(), json!("_OTHER"));
            }
            attributes.insert("code.function.name".to_owned(), json!("crypto/tls.(*Conn).serverHandshake"));
        }
        rule => panic!("the corpus server has no calls of {rule}"),
    }
    if operation.unfinished {
        attributes.insert("gopatch.unfinished".to_owned(), json!(true));
    }
    attributes
}

/// Whether what the handler has written is not what the client gets.
fn has_other_body(operation: &Operation) -> bool {
    operation.text("http.request.method") == Some("HEAD")
        || operation.attributes.get("http.connection.hijacked") == Some(&json!(true))
}

/// The last export of each metric counts each operation once, in its bucket.
fn same_metrics(received: &Received, collected: &Collected) -> Result<()> {
    let names: BTreeSet<_> = received.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let mut expected = BTreeSet::from([
        "http.server.request.duration",
        "http.server.request.body.size",
        "http.server.response.body.size",
    ]);
    expected.extend(collected.of_rule("tls.handshake").next().map(|_| "tls.handshake.duration"));
    ensure!(names == expected, "{names:?}");
    same_histogram(received, collected, "http.server.request.duration", "s", &SECONDS, |operation| {
        Some(operation.duration_nano as f64 / 1e9)
    })?;
    for end in ["request", "response"] {
        let attribute = format!("http.{end}.body.size");
        same_histogram(received, collected, &format!("http.server.{end}.body.size"), "By", &BYTES, |operation| {
            let is_known = end == "request" || !has_other_body(operation);
            operation.number(&attribute).filter(|_| is_known).map(|bytes| bytes as f64)
        })?;
    }
    Ok(())
}

fn same_histogram(
    received: &Received,
    collected: &Collected,
    name: &str,
    unit: &str,
    bounds: &[f64],
    value: impl Fn(&Operation) -> Option<f64>,
) -> Result<()> {
    let metric = received.metrics_named(name).last().with_context(|| format!("no {name}"))?;
    ensure!(metric.unit == unit && metric.scope == "gopatch" && !metric.description.is_empty(), "{metric:?}");
    let Data::Histogram { data_points, aggregation_temporality: Temporality::Cumulative } = &metric.data else {
        anyhow::bail!("{metric:?}");
    };
    let mut expected: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for operation in finished(collected) {
        let mut attributes = expected_attributes(operation);
        attributes.retain(|name, _| DIMENSIONS.contains(&name.as_str()));
        if let Some(value) = value(operation) {
            expected.entry(json!(attributes).to_string()).or_default().push(value);
        }
    }
    let spans: BTreeSet<_> = collected.operations.iter().map(|operation| operation.span_id.as_str()).collect();
    for point in data_points {
        let attributes = json!(point.attributes).to_string();
        let values = expected.remove(&attributes).with_context(|| format!("no operation of {name} {attributes}"))?;
        same_point(point, bounds, &values, &spans).with_context(|| format!("{name} {attributes}: {point:?}"))?;
    }
    ensure!(expected.is_empty(), "{name}: not counted: {expected:?}");
    Ok(())
}

fn same_point(point: &HistogramPoint, bounds: &[f64], values: &[f64], spans: &BTreeSet<&str>) -> Result<()> {
    ensure!(point.explicit_bounds == bounds, "the bounds");
    let mut counts = vec![0; bounds.len() + 1];
    for value in values {
        counts[bounds.iter().position(|bound| value <= bound).unwrap_or(bounds.len())] += 1;
    }
    ensure!(point.bucket_counts == counts && point.count == values.len() as u64, "the counts, not {counts:?}");
    let sum: f64 = values.iter().sum();
    ensure!((point.sum - sum).abs() <= 1e-9 * sum.max(1.0), "the sum, not {sum}");
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    ensure!((point.min, point.max) == (Some(least), Some(greatest)), "least and greatest");
    ensure!(!point.exemplars.is_empty(), "no exemplar");
    for exemplar in &point.exemplars {
        ensure!(spans.contains(exemplar.span_id.as_str()) && exemplar.trace_id.len() == 32, "{exemplar:?}");
        ensure!(values.contains(&exemplar.value), "{exemplar:?}");
    }
    Ok(())
}

/// The resource is the patched server.
fn same_process(resource: &Attributes, collected: &Collected) -> Result<()> {
    let pid = collected.operations.first().context("some operation")?.pid;
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    let mut resource = resource.clone();
    for (name, value) in [
        ("service.name", json!("httpserver")),
        ("process.pid", json!(pid)),
        ("process.runtime.name", json!("go")),
        ("process.runtime.version", json!(format!("go{NEWEST_GO}"))),
        ("host.name", json!(host.trim())),
        ("os.type", json!("linux")),
        ("deployment.environment.name", json!("test")),
        ("telemetry.sdk.name", json!("gopatch")),
        ("telemetry.sdk.language", json!("go")),
        ("telemetry.sdk.version", json!(env!("CARGO_PKG_VERSION"))),
    ] {
        ensure!(resource.remove(name) == Some(value), "{name}: {resource:?}");
    }
    let id = resource.remove("service.instance.id").unwrap_or_default();
    ensure!(id.as_str().is_some_and(|id| id.len() == 36), "{id}");
    let executable = resource.remove("process.executable.name").unwrap_or_default();
    ensure!(executable.as_str().is_some_and(|name| !name.is_empty()), "{executable}");
    // These depend on where the tests run.
    for name in ["container.id", "k8s.pod.uid", "vcs.ref.head.revision"] {
        resource.remove(name);
    }
    ensure!(resource.is_empty(), "{resource:?}");
    Ok(())
}
