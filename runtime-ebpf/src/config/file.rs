//! The settings as a file has them. Environment variables and flags are laid over the same shape.
//!
//! Decides: the keys. `example.yaml` shows all of them.
//! Trusts: nothing; an unknown key is an error that names it and its line.
//! Never does: defaults (that is `Config`).

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
use crate::rings::Choice;

/// All settings; what is none has its default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) collect: Collect,
    pub(crate) service: Service,
    pub(crate) resource: Resource,
    pub(crate) traces: Traces,
    pub(crate) metrics: Metrics,
    pub(crate) otlp: Otlp,
    pub(crate) http: Http,
    pub(crate) control: Control,
    pub(crate) log: Log,
    pub(crate) print: Option<Print>,
}

impl Settings {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not as it should be", path.display()))
    }

    /// Reads the text of a file. One with nothing but comments sets nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_yaml_ng::Error> {
        Ok(serde_yaml_ng::from_str::<Option<Self>>(text)?.unwrap_or_default())
    }
}

/// How records are collected.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Collect {
    pub(crate) listen: Option<PathBuf>,
    pub(crate) backend: Option<Choice>,
    pub(crate) ring_bytes: Option<u32>,
    pub(crate) pin: Option<PathBuf>,
}

/// What services are called.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Service {
    pub(crate) name: Option<String>,
}

/// What is said of every process.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Resource {
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) process_environment: Option<bool>,
    pub(crate) kubernetes: Option<bool>,
}

/// Spans.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Traces {
    pub(crate) exporter: Option<TracesExporter>,
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
pub(crate) struct Metrics {
    pub(crate) exporters: Option<Vec<MetricsExporter>>,
    #[serde(deserialize_with = "duration")]
    pub(crate) interval: Option<Duration>,
    pub(crate) temporality: Option<Temporality>,
    pub(crate) histogram: Option<Histogram>,
    pub(crate) cardinality: Option<usize>,
    pub(crate) exemplars: Option<Exemplars>,
}

/// Where OTLP goes: for both signals, and for one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Otlp {
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
    pub(crate) traces: Signal,
    pub(crate) metrics: Signal,
}

/// What is different for one signal.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Signal {
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
pub(crate) struct Http {
    pub(crate) listen: Option<SocketAddr>,
}

/// The socket of `gopatchd status`, `top` and `rule`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Control {
    pub(crate) socket: Option<PathBuf>,
}

/// What is said on standard error.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    pub(crate) level: Option<Level>,
}

/// `10s`, `250ms`, `1m`.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    // What a visitor refuses is told with its key and its line.
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
