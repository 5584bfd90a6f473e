//! Every key and every variable has its effect, and errors name an invalid one.

use std::time::Duration;

use anyhow::Result;

use super::values::{DEFAULT_HTTP, Protocol};
use super::*;
use crate::console::log::Level;
use crate::console::print::Print;

/// The settings of a file and an environment.
fn resolve(text: &str, environment: &[(&str, &str)]) -> Result<Config> {
    let get = |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Settings::parse(text)?.with_environment(&get)?.resolve()
}

fn valid(text: &str, environment: &[(&str, &str)]) -> Config {
    resolve(text, environment).unwrap_or_else(|error| panic!("{text} {environment:?}: {error:#}"))
}

fn error(text: &str, environment: &[(&str, &str)]) -> String {
    match resolve(text, environment) {
        Ok(_) => panic!("{text} {environment:?} is valid"),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn the_example_has_the_defaults() {
    assert_eq!(valid(EXAMPLE, &[]), valid("", &[]));
    // Settings in comments, which depend on the machine or have no default, are valid too.
    let shown = |line: &str| {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        let setting = rest.strip_prefix("# ")?;
        let (key, value) = setting.split_once(": ")?;
        let is_setting = key.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.'));
        (is_setting && !value.contains(' ') || setting.starts_with("exporters")).then(|| format!("{indent}{setting}"))
    };
    let lines = EXAMPLE.lines().map(|line| shown(line).unwrap_or_else(|| line.to_owned()));
    let lines = lines.map(|line| line.replace(": {}", ":"));
    let text = lines.collect::<Vec<_>>().join("\n").replace("  traces:\n  metrics:\n", "");
    let all = valid(&text, &[]);
    assert_eq!(all.naming.service_name.as_deref(), Some("shop"), "{text}");
    assert!(all.traces.is_some() && all.metrics.scraped && all.http.is_some(), "{text}");
}

/// Each variable with a value, and a check that only holds with it.
#[test]
fn each_variable_has_its_effect() {
    const BOTH: &[(&str, &str)] = &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")];
    type Check = fn(&Config) -> bool;
    let cases: &[(&str, &str, Check)] = &[
        ("OTEL_SERVICE_NAME", "till", |it| it.naming.service_name.as_deref() == Some("till")),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b%20c,d=e", |it| {
            it.naming.attributes.get("a").is_some_and(|value| value == "b c") && it.naming.attributes.len() == 2
        }),
        ("OTEL_SDK_DISABLED", "true", |it| it.traces.is_none() && it.metrics.endpoint.is_none()),
        ("OTEL_LOG_LEVEL", "DEBUG", |it| it.level == Level::Debug),
        ("OTEL_TRACES_EXPORTER", "none", |it| it.traces.is_none() && it.print == Print::None),
        ("OTEL_PROPAGATORS", "none", |it| !it.contexts.propagates),
        ("OTEL_TRACES_SAMPLER", "always_off", |it| it.traces.as_ref().is_some_and(|it| it.ratio == 0.0)),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25", |it| it.traces.as_ref().is_some_and(|it| it.ratio >= 1.0)),
        ("OTEL_BSP_SCHEDULE_DELAY", "250", |it| {
            it.traces.as_ref().is_some_and(|it| it.batch_delay == Duration::from_millis(250))
        }),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "700", |it| it.traces.as_ref().is_some_and(|it| it.queue_spans == 700)),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "7", |it| it.traces.as_ref().is_some_and(|it| it.batch_spans == 7)),
        ("OTEL_METRICS_EXPORTER", "otlp,prometheus", |it| it.metrics.scraped && it.http == Some(DEFAULT_HTTP)),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "always_off", |it| it.metrics.exemplars == Exemplars::AlwaysOff),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1500", |it| it.metrics.interval == Duration::from_millis(1500)),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta", |it| {
            it.metrics.keeping.is_some_and(|it| it.pushed.delta && !it.pushed.exponential)
        }),
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "base2_exponential_bucket_histogram", |it| {
            it.metrics.keeping.is_some_and(|it| !it.pushed.delta && it.pushed.exponential)
        }),
        ("OTEL_EXPORTER_PROMETHEUS_HOST", "::1", |it| it.http.is_some_and(|it| it.is_ipv6() && it.port() == 9464)),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", "9999", |it| it.http.is_some_and(|it| it.port() == 9999)),
        ("GOPATCH_SOCKET", "/x/y.sock", |it| {
            it.listen == Path::new("/x/y.sock") && it.control == Path::new("/x/y.control")
        }),
        ("GOPATCHD_CONTROL_SOCKET", "/x/z", |it| it.control == Path::new("/x/z")),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1/base/", |it| {
            it.traces.as_ref().is_some_and(|it| it.endpoint.url == "http://h:1/base/v1/traces")
                && it.metrics.endpoint.as_ref().is_some_and(|it| it.url == "http://h:1/base/v1/metrics")
        }),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", |it| both(it, |it| it.protocol == Protocol::Grpc)),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20eDp5", |it| {
            both(it, |it| it.headers.get("authorization").is_some_and(|value| value == "Basic eDp5"))
        }),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", |it| both(it, |it| it.gzip)),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "3000", |it| both(it, |it| it.timeout == Duration::from_secs(3))),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem", |it| {
            both(it, |it| it.ca_file.as_deref() == Some(Path::new("/ca.pem")))
        }),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:1/x", |it| {
            it.traces.as_ref().is_some_and(|it| it.endpoint.url == "http://t:1/x")
        }),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:1/x", |it| {
            it.metrics.endpoint.as_ref().is_some_and(|it| it.url == "http://m:1/x")
        }),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", |it| {
            only_traces(it, |it| it.protocol == Protocol::HttpJson)
        }),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=b", |it| only_traces(it, |it| it.headers.contains_key("a"))),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip", |it| only_traces(it, |it| it.gzip)),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1", |it| only_traces(it, |it| it.timeout == Duration::from_millis(1))),
        ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "/ca", |it| only_traces(it, |it| it.ca_file.is_some())),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json", |it| {
            only_metrics(it, |it| it.protocol == Protocol::HttpJson)
        }),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "a=b", |it| only_metrics(it, |it| it.headers.contains_key("a"))),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip", |it| only_metrics(it, |it| it.gzip)),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "1", |it| only_metrics(it, |it| it.timeout == Duration::from_millis(1))),
        ("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "/ca", |it| only_metrics(it, |it| it.ca_file.is_some())),
    ];
    for (name, value, check) in cases {
        let environment: Vec<_> =
            BOTH.iter().copied().filter(|(known, _)| known != name).chain([(*name, *value)]).collect();
        let config = valid("", &environment);
        assert!(check(&config), "{name}={value}: {config:#?}");
        assert!(!name.starts_with("OTEL") || *name == "OTEL_TRACES_SAMPLER_ARG" || !check(&valid("", BOTH)), "{name}");
    }
    let client = |signal: &str| {
        let name = |key: &str| format!("OTEL_EXPORTER_OTLP_{signal}{key}");
        let (certificate, key) = (name("CLIENT_CERTIFICATE"), name("CLIENT_KEY"));
        valid("", &[BOTH[0], (&certificate, "/c"), (&key, "/k")])
    };
    let has_client = |endpoint: &Endpoint| endpoint.client == Some(("/c".into(), "/k".into()));
    assert!(both(&client(""), has_client));
    assert!(only_traces(&client("TRACES_"), has_client));
    assert!(only_metrics(&client("METRICS_"), has_client));
    let (endpoint, insecure) = (("OTEL_EXPORTER_OTLP_ENDPOINT", "h:4317"), ("OTEL_EXPORTER_OTLP_INSECURE", "true"));
    assert!(both(&valid("", &[endpoint]), |it| it.url == "https://h:4317/"));
    assert!(both(&valid("", &[endpoint, insecure]), |it| it.url == "http://h:4317/"));
    for signal in ["TRACES", "METRICS"] {
        let [endpoint, insecure] = ["ENDPOINT", "INSECURE"].map(|key| format!("OTEL_EXPORTER_OTLP_{signal}_{key}"));
        let config = valid("", &[BOTH[0], (&endpoint, "h:4317"), (&insecure, "true")]);
        let of_signal = if signal == "TRACES" { traces_endpoint(&config) } else { metrics_endpoint(&config) };
        assert_eq!((of_signal.url.as_str(), of_signal.protocol), ("http://h:4317/", Protocol::Grpc));
    }
    let named = cases.iter().map(|(name, ..)| *name);
    let others = ["CLIENT_CERTIFICATE", "CLIENT_KEY"];
    let is_tested = |name: &&str| others.iter().any(|key| name.ends_with(key)) || name.ends_with("INSECURE");
    let tested: std::collections::BTreeSet<_> =
        named.chain(environment::VARIABLES.iter().copied().filter(|it| is_tested(it))).collect();
    assert_eq!(tested, environment::VARIABLES.iter().copied().collect(), "each has a test");
}

fn traces_endpoint(config: &Config) -> &Endpoint {
    &config.traces.as_ref().expect("traces are pushed").endpoint
}

fn metrics_endpoint(config: &Config) -> &Endpoint {
    config.metrics.endpoint.as_ref().expect("metrics are pushed")
}

fn both(config: &Config, check: impl Fn(&Endpoint) -> bool) -> bool {
    check(traces_endpoint(config)) && check(metrics_endpoint(config))
}

fn only_traces(config: &Config, check: impl Fn(&Endpoint) -> bool) -> bool {
    check(traces_endpoint(config)) && !check(metrics_endpoint(config))
}

fn only_metrics(config: &Config, check: impl Fn(&Endpoint) -> bool) -> bool {
    !check(traces_endpoint(config)) && check(metrics_endpoint(config))
}

#[test]
fn samplers() {
    for (sampler, ratio) in [
        ("always_on", 1.0),
        ("always_off", 0.0),
        ("traceidratio", 0.25),
        ("parentbased_always_on", 1.0),
        ("parentbased_always_off", 0.0),
        ("parentbased_traceidratio", 0.25),
    ] {
        let environment =
            [("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_TRACES_SAMPLER", sampler), ("OTEL_TRACES_SAMPLER_ARG", "0.25")];
        assert_eq!(valid("", &environment).traces.map(|traces| traces.ratio), Some(ratio), "{sampler}");
    }
}

#[test]
fn the_environment_overrides_the_file() {
    let text =
        "service: { name: a }\ntraces: { batch_spans: 3, batch_delay: 1s }\notlp: { endpoint: 'http://h:4317' }\n";
    let config = valid(text, &[("OTEL_SERVICE_NAME", "b"), ("OTEL_BSP_SCHEDULE_DELAY", " "), ("OTEL_LOG_LEVEL", "")]);
    assert_eq!(config.naming.service_name.as_deref(), Some("b"));
    let traces = config.traces.expect("there is an endpoint");
    assert_eq!(
        (traces.batch_spans, traces.batch_delay),
        (3, Duration::from_secs(1)),
        "an empty variable counts as unset"
    );
    assert_eq!(traces.endpoint.protocol, Protocol::Grpc, "from its port");
}

#[test]
fn by_default_nothing_is_pushed_or_kept() {
    let config = valid("", &[]);
    assert_eq!((config.traces, config.metrics.keeping, config.http), (None, None, None));
    assert_eq!(config.print, Print::Text);
    let config = valid("http: { listen: '127.0.0.1:1' }", &[]);
    assert!(config.metrics.scraped && config.metrics.endpoint.is_none() && config.traces.is_none());
    assert_eq!(config.print, Print::None);
    let config = valid("traces: { exporter: console }\nhttp: { listen: '127.0.0.1:1' }", &[]);
    assert_eq!(config.print, Print::Text);
}

#[test]
fn errors_name_the_invalid_setting() {
    for (text, expected) in [
        ("colect: {}", "unknown field `colect`, expected one of"),
        ("traces: { sampler: often }", "traces.sampler: unknown variant `often`, expected one of"),
        (
            "traces: { batch_delay: soon }",
            "traces.batch_delay: invalid value: string \"soon\", expected a duration such as 10s or 250ms",
        ),
        ("traces: { sampler_arg: 2 }", "traces.sampler_arg: 2 is not between 0 and 1"),
        ("traces: { exporter: otlp, batch_spans: 0 }", "traces.batch_spans: 0 is not between 1 and"),
        ("collect: { ring_bytes: 5000 }", "collect.ring_bytes: not a power of two"),
        ("collect: { allow: [root] }", "collect.allow: `root` is none of uid:N, gid:N, cgroup:/PATH"),
        ("collect: { backend: tape }", "collect.backend: unknown variant `tape`"),
        ("metrics: { exporters: [prometheus] }", "metrics.exporters: prometheus needs http.listen"),
        ("metrics: { cardinality: 1 }", "metrics.cardinality: must be at least 2"),
        ("metrics: { interval: 0s }", "metrics.interval: must be greater than 0"),
        ("otlp: { endpoint: 'ftp://h' }", "otlp.metrics.endpoint or otlp.endpoint: `ftp` is neither http nor https"),
        ("otlp: { endpoint: 'http://h', headers: { 'a b': c } }", "otlp.headers: `a b` cannot be sent as a header"),
        (
            "otlp: { endpoint: 'http://h', key_file: /k }",
            "otlp.certificate_file: the certificate of the key is missing",
        ),
        (
            "otlp: { endpoint: 'http://h', certificate_file: /c }",
            "otlp.key_file: the key of the certificate is missing",
        ),
        ("http: { listen: here }", "http.listen: invalid socket address syntax"),
        ("log: { level: loud }", "log.level: unknown variant `loud`"),
        ("print: aloud", "print: unknown variant `aloud`"),
    ] {
        let message = error(text, &[]);
        assert!(message.contains(expected), "{text}: {message}");
    }
    for (name, value, expected) in [
        ("OTEL_TRACES_SAMPLER", "often", "unknown variant `often`, expected one of"),
        ("OTEL_BSP_SCHEDULE_DELAY", "5s", "not a number of milliseconds"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1", "invalid digit"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a", "`a` is not `name=value`"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a", "`a` is not `name=value`"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "smtp", "unknown variant `smtp`"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "maybe", "neither true nor false"),
        ("OTEL_METRICS_EXPORTER", "otlp,pigeon", "unknown variant `pigeon`"),
        ("OTEL_EXPORTER_PROMETHEUS_HOST", "everywhere", "neither an IP address"),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", "99999", "number too large"),
    ] {
        let message = error("", &[(name, value)]);
        assert!(message.starts_with(&format!("{name}={value}: ")) && message.contains(expected), "{message}");
    }
}
