//! OpenTelemetry's standard environment variables. They override the file.
//!
//! Decides: which of them have a meaning here; docs/configuration.md lists them.
//! Trusts: nothing. An invalid value is an error that names the variable. An empty value counts as
//! unset, as the specification demands.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::value::StrDeserializer;

use super::file::{Settings, SignalSettings};
use super::values::{DEFAULT_HTTP, Invalid, MetricsExporter, TracesExporter};
use crate::telemetry::resource::parse_attributes;

/// Every variable that is read.
pub(crate) const VARIABLES: [&str; 47] = [
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SDK_DISABLED",
    "OTEL_LOG_LEVEL",
    "OTEL_TRACES_EXPORTER",
    "OTEL_PROPAGATORS",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_METRICS_EXPORTER",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
    "OTEL_EXPORTER_PROMETHEUS_HOST",
    "OTEL_EXPORTER_PROMETHEUS_PORT",
    "GOPATCH_SOCKET",
    "GOPATCHD_CONTROL_SOCKET",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_INSECURE",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
    "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
    "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
    "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_METRICS_INSECURE",
];

impl Settings {
    /// Overrides settings by environment variables.
    pub(crate) fn with_environment(mut self, get: &dyn Fn(&str) -> Option<String>) -> Result<Self, Invalid> {
        apply(&mut self, get)?;
        Ok(self)
    }
}

fn apply(settings: &mut Settings, get: &dyn Fn(&str) -> Option<String>) -> Result<(), Invalid> {
    for name in VARIABLES {
        let Some(value) = get(name).filter(|value| !value.trim().is_empty()) else { continue };
        let value = value.trim();
        set(settings, name, value).map_err(|reason| Invalid { name: format!("{name}={value}"), reason })?;
    }
    if get("OTEL_SDK_DISABLED").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
        settings.traces.exporter = Some(TracesExporter::None);
        settings.metrics.exporters = Some(Vec::new());
    }
    Ok(())
}

fn set(settings: &mut Settings, name: &str, value: &str) -> Result<(), String> {
    let Settings { service, resource, traces, metrics, otlp, http, .. } = settings;
    match name {
        "OTEL_SERVICE_NAME" => service.name = Some(value.to_owned()),
        "OTEL_RESOURCE_ATTRIBUTES" => resource.attributes.extend(parse_attributes(value)?),
        "OTEL_SDK_DISABLED" => {
            boolean(value)?;
        }
        "OTEL_LOG_LEVEL" => settings.log.level = Some(one_of(value)?),
        "OTEL_TRACES_EXPORTER" => traces.exporter = Some(one_of(value)?),
        "OTEL_PROPAGATORS" => traces.propagators = Some(propagators(value)),
        "OTEL_TRACES_SAMPLER" => traces.sampler = Some(one_of(value)?),
        "OTEL_TRACES_SAMPLER_ARG" => traces.sampler_arg = Some(number(value)?),
        "OTEL_BSP_SCHEDULE_DELAY" => traces.batch_delay = Some(millis(value)?),
        "OTEL_BSP_MAX_QUEUE_SIZE" => traces.queue_spans = Some(number(value)?),
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE" => traces.batch_spans = Some(number(value)?),
        "OTEL_METRICS_EXPORTER" => {
            let named = value.split(',').map(str::trim).filter(|name| *name != "none");
            metrics.exporters = Some(named.map(one_of).collect::<Result<_, _>>()?);
            if metrics.exporters.as_ref().is_some_and(|all| all.contains(&MetricsExporter::Prometheus)) {
                http.listen = http.listen.or(Some(DEFAULT_HTTP));
            }
        }
        "OTEL_METRICS_EXEMPLAR_FILTER" => metrics.exemplars = Some(one_of(value)?),
        "OTEL_METRIC_EXPORT_INTERVAL" => metrics.interval = Some(millis(value)?),
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE" => metrics.temporality = Some(one_of(value)?),
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION" => metrics.histogram = Some(one_of(value)?),
        "OTEL_EXPORTER_PROMETHEUS_HOST" => {
            let host = if value == "localhost" { "127.0.0.1" } else { value };
            let host = host.parse().map_err(|_| "neither an IP address nor localhost".to_owned())?;
            http.listen.get_or_insert(DEFAULT_HTTP).set_ip(host);
        }
        "OTEL_EXPORTER_PROMETHEUS_PORT" => http.listen.get_or_insert(DEFAULT_HTTP).set_port(number(value)?),
        "GOPATCH_SOCKET" => settings.collect.listen = Some(value.into()),
        "GOPATCHD_CONTROL_SOCKET" => settings.control.socket = Some(value.into()),
        _ => {
            let key = name.strip_prefix("OTEL_EXPORTER_OTLP_").expect("all other variables are handled above");
            if let Some(key) = key.strip_prefix("TRACES_") {
                return set_signal(&mut otlp.traces, key, value);
            }
            if let Some(key) = key.strip_prefix("METRICS_") {
                return set_signal(&mut otlp.metrics, key, value);
            }
            let mut signal = SignalSettings::default();
            set_signal(&mut signal, key, value)?;
            let SignalSettings { endpoint, protocol, headers, compression, timeout, .. } = signal;
            let SignalSettings { ca_file, certificate_file, key_file, insecure, .. } = signal;
            otlp.endpoint = endpoint.or(otlp.endpoint.take());
            otlp.protocol = protocol.or(otlp.protocol);
            otlp.headers = headers.or(otlp.headers.take());
            otlp.compression = compression.or(otlp.compression);
            otlp.timeout = timeout.or(otlp.timeout);
            otlp.ca_file = ca_file.or(otlp.ca_file.take());
            otlp.certificate_file = certificate_file.or(otlp.certificate_file.take());
            otlp.key_file = key_file.or(otlp.key_file.take());
            otlp.insecure = insecure.or(otlp.insecure);
        }
    }
    Ok(())
}

/// Sets what a variable `OTEL_EXPORTER_OTLP_...` with this ending means.
fn set_signal(signal: &mut SignalSettings, key: &str, value: &str) -> Result<(), String> {
    match key {
        "ENDPOINT" => signal.endpoint = Some(value.to_owned()),
        "PROTOCOL" => signal.protocol = Some(one_of(value)?),
        "HEADERS" => signal.headers = Some(headers(value)?),
        "COMPRESSION" => signal.compression = Some(one_of(value)?),
        "TIMEOUT" => signal.timeout = Some(millis(value)?),
        "CERTIFICATE" => signal.ca_file = Some(value.into()),
        "CLIENT_CERTIFICATE" => signal.certificate_file = Some(value.into()),
        "CLIENT_KEY" => signal.key_file = Some(value.into()),
        "INSECURE" => signal.insecure = Some(boolean(value)?),
        _ => unreachable!("`VARIABLES` has none with the ending {key}"),
    }
    Ok(())
}

/// The names in a list. An unknown one is no error: other programs may read the same variable.
fn propagators(value: &str) -> Vec<String> {
    value.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).collect()
}

fn headers(value: &str) -> Result<BTreeMap<String, String>, String> {
    parse_attributes(value)
}

/// One of the named values of a setting, spelled as in the file, in upper or lower case.
fn one_of<T: for<'de> Deserialize<'de>>(value: &str) -> Result<T, String> {
    let value = value.to_ascii_lowercase();
    T::deserialize(StrDeserializer::<serde::de::value::Error>::new(&value)).map_err(|error| error.to_string())
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    value.parse().map_err(|error: T::Err| error.to_string())
}

/// Milliseconds.
fn millis(value: &str) -> Result<Duration, String> {
    value.parse().map(Duration::from_millis).map_err(|error| format!("not a number of milliseconds: {error}"))
}

fn boolean(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("neither true nor false".to_owned()),
    }
}
