//! The values that settings can have, and the error for an invalid one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;

/// Where the HTTP server listens if it is enabled without an address.
pub(crate) const DEFAULT_HTTP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// Where spans go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TracesExporter {
    Otlp,
    /// Standard output.
    Console,
    None,
}

/// Where metrics go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MetricsExporter {
    Otlp,
    Prometheus,
}

/// Which traces are kept. Those with the prefix `parentbased` follow a caller that has decided
/// already; else, and where a trace begins, all decide alike, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sampler {
    AlwaysOn,
    AlwaysOff,
    #[serde(rename = "traceidratio")]
    TraceIdRatio,
    #[serde(rename = "parentbased_always_on")]
    ParentBasedAlwaysOn,
    #[serde(rename = "parentbased_always_off")]
    ParentBasedAlwaysOff,
    #[serde(rename = "parentbased_traceidratio")]
    ParentBasedTraceIdRatio,
}

/// The transport and encoding of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Protocol {
    #[serde(rename = "grpc")]
    Grpc,
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
    #[serde(rename = "http/json")]
    HttpJson,
}

/// How requests are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    Gzip,
    None,
}

/// Since when pushed metrics count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Temporality {
    /// The start of the process.
    Cumulative,
    /// The last push.
    Delta,
    /// The same as delta for histograms, and all metrics are histograms.
    LowMemory,
}

/// The form of pushed histograms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Histogram {
    ExplicitBucketHistogram,
    #[serde(rename = "base2_exponential_bucket_histogram")]
    Exponential,
}

/// Which operations become exemplars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exemplars {
    AlwaysOn,
    AlwaysOff,
    /// Those whose spans are pushed.
    TraceBased,
}

/// An invalid setting.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {reason}")]
pub(crate) struct Invalid {
    /// The name of the key or variable.
    pub(crate) name: String,
    pub(crate) reason: String,
}

pub(super) fn invalid(name: &str, reason: &str) -> Invalid {
    Invalid { name: name.to_owned(), reason: reason.to_owned() }
}
