//! The values that settings can have, and what is said of one that is wrong.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;

/// Where the HTTP server listens when it is only said that there is to be one.
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

/// Which traces are kept. A span that has no parent here decides for its whole trace, so those that ask the parent first
/// decide as those that do not.
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

/// How OTLP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Protocol {
    #[serde(rename = "grpc")]
    Grpc,
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
    #[serde(rename = "http/json")]
    HttpJson,
}

/// How what is sent is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    Gzip,
    None,
}

/// What counts in a pushed metric count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Temporality {
    /// The process's start.
    Cumulative,
    /// The last push.
    Delta,
    /// The same for histograms, and there are no others.
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

/// Which operations metrics show one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exemplars {
    AlwaysOn,
    AlwaysOff,
    /// Those whose spans are pushed.
    TraceBased,
}

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub(crate) struct Invalid {
    /// Under what name it was given.
    pub(crate) what: String,
    pub(crate) why: String,
}

pub(super) fn invalid(what: &str, why: &str) -> Invalid {
    Invalid { what: what.to_owned(), why: why.to_owned() }
}
