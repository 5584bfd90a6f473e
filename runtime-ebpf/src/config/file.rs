//! The settings as a file has them. The environment and flags override the same fields.
//!
//! Decides: the keys. `example.yaml` shows all of them.
//! Trusts: nothing. An unknown key is an error that names the key and its line.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::values::{
    Compression, Exemplars, Histogram, MetricsExporter, Protocol, Sampler, Temporality, TracesExporter,
};
use crate::console::log::Level;
use crate::console::print::Print;
use crate::rings::BackendChoice;

/// All settings. A setting that is none gets its default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) collect: CollectSettings,
    pub(crate) service: ServiceSettings,
    pub(crate) resource: ResourceSettings,
    pub(crate) traces: TracesSettings,
    pub(crate) metrics: MetricsSettings,
    pub(crate) otlp: OtlpSettings,
    pub(crate) http: HttpSettings,
    pub(crate) control: ControlSettings,
    pub(crate) log: LogSettings,
    pub(crate) print: Option<Print>,
}

impl Settings {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("invalid settings in {}", path.display()))
    }

    /// Parses the text of a file. A file of comments sets nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_yaml_ng::Error> {
        Ok(serde_yaml_ng::from_str::<Option<Self>>(text)?.unwrap_or_default())
    }
}

/// How records are collected.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CollectSettings {
    pub(crate) listen: Option<PathBuf>,
    pub(crate) allow: Option<Vec<String>>,
    pub(crate) filter: Option<bool>,
    pub(crate) backend: Option<BackendChoice>,
    pub(crate) ring_bytes: Option<u32>,
    pub(crate) pin: Option<PathBuf>,
}

/// The names of services.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServiceSettings {
    pub(crate) name: Option<String>,
}

/// Attributes of every process.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ResourceSettings {
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) process_environment: Option<bool>,
    pub(crate) kubernetes: Option<bool>,
}

/// Spans.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TracesSettings {
    pub(crate) exporter: Option<TracesExporter>,
    pub(crate) propagators: Option<Vec<String>>,
    pub(crate) sampler: Option<Sampler>,
    pub(crate) sampler_arg: Option<f64>,
    pub(crate) queue_bytes: Option<usize>,
    pub(crate) queue_spans: Option<usize>,
    pub(crate) batch_spans: Option<usize>,
    #[serde(deserialize_with = "duration")]
    pub(crate) batch_delay: Option<Duration>,
}

/// Metrics.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MetricsSettings {
    pub(crate) exporters: Option<Vec<MetricsExporter>>,
    #[serde(deserialize_with = "duration")]
    pub(crate) interval: Option<Duration>,
    pub(crate) temporality: Option<Temporality>,
    pub(crate) histogram: Option<Histogram>,
    pub(crate) cardinality: Option<usize>,
    pub(crate) exemplars: Option<Exemplars>,
}

/// OTLP: for both signals, and for one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OtlpSettings {
    pub(crate) endpoint: Option<String>,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) headers: Option<BTreeMap<String, String>>,
    pub(crate) compression: Option<Compression>,
    #[serde(deserialize_with = "duration")]
    pub(crate) timeout: Option<Duration>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) certificate_file: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) insecure: Option<bool>,
    pub(crate) traces: SignalSettings,
    pub(crate) metrics: SignalSettings,
}

/// What one signal overrides.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignalSettings {
    pub(crate) endpoint: Option<String>,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) headers: Option<BTreeMap<String, String>>,
    pub(crate) compression: Option<Compression>,
    #[serde(deserialize_with = "duration")]
    pub(crate) timeout: Option<Duration>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) certificate_file: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) insecure: Option<bool>,
}

/// The HTTP server: metrics to scrape, health.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HttpSettings {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) page_bytes: Option<usize>,
}

/// The socket of `gopatchd status`, `top` and `rule`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ControlSettings {
    pub(crate) socket: Option<PathBuf>,
}

/// Which messages appear on standard error.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogSettings {
    pub(crate) level: Option<Level>,
}

/// `10s`, `250ms`, `1m`.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    // serde adds the key and the line to an error of a visitor.
    struct Text;
    impl Visitor<'_> for Text {
        type Value = Duration;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a duration such as 10s or 250ms")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duration, E> {
            humantime::parse_duration(text).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
        }
    }
    deserializer.deserialize_str(Text).map(Some)
}
