//! The settings with their defaults filled in.
//!
//! Decides: defaults, and which settings cannot be combined.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use gopatch_protocol::wire::DEFAULT_SOCKET;

use super::file::{MetricsSettings, OtlpSettings, Settings, SignalSettings, TracesSettings};
use super::values::{
    Compression, Exemplars, Histogram, Invalid, MetricsExporter, Protocol, Sampler, Temporality, TracesExporter,
    invalid,
};
use crate::console::log::Level;
use crate::console::print::Print;
use crate::control;
use crate::host::allow::Allow;
use crate::rings::{BackendChoice, check_ring_bytes};
use crate::telemetry::metrics::{Keeping, Pushed};
use crate::telemetry::resource::Naming;

/// The registered port of OTLP over gRPC.
const GRPC_PORT: u16 = 4317;

/// All settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub(crate) listen: PathBuf,
    pub(crate) allow: Allow,
    /// Whether gopatchd restricts its own system calls.
    pub(crate) filter: bool,
    pub(crate) backend: BackendChoice,
    /// `None`: as large as memory allows.
    pub(crate) ring_bytes: Option<u32>,
    pub(crate) pin: PathBuf,
    pub(crate) naming: Naming,
    /// Whether gopatchd, in a pod, queries the Kubernetes API server about pods.
    pub(crate) kubernetes: bool,
    pub(crate) contexts: ContextsConfig,
    pub(crate) traces: Option<TracesConfig>,
    pub(crate) metrics: MetricsConfig,
    pub(crate) http: Option<SocketAddr>,
    /// Most bytes of processes on a page of metrics.
    pub(crate) page_bytes: usize,
    pub(crate) control: PathBuf,
    pub(crate) level: Level,
    pub(crate) print: Print,
}

impl Config {
    /// Which messages appear on standard error.
    pub fn log_level(&self) -> Level {
        self.level
    }
}

/// What processes do with trace contexts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ContextsConfig {
    /// Whether they are read from requests and written into them.
    pub(crate) propagates: bool,
    /// Whether a trace is sampled as it would be here, whatever its caller has decided.
    pub(crate) decides: bool,
    /// The part of traces that is sampled: of those that begin here, or of all.
    pub(crate) ratio: f64,
}

/// How spans are pushed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TracesConfig {
    /// The part of all traces that is kept.
    pub(crate) ratio: f64,
    pub(crate) queue_bytes: usize,
    pub(crate) queue_spans: usize,
    pub(crate) batch_spans: usize,
    pub(crate) batch_delay: Duration,
    pub(crate) endpoint: Endpoint,
}

/// How metrics are kept and pushed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MetricsConfig {
    /// None if metrics are neither pushed nor scraped.
    pub(crate) keeping: Option<Keeping>,
    pub(crate) exemplars: Exemplars,
    pub(crate) interval: Duration,
    /// None if they are not pushed.
    pub(crate) endpoint: Option<Endpoint>,
    /// Whether they can be scraped.
    pub(crate) scraped: bool,
}

/// Where one signal goes, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Endpoint {
    /// With `http://` or `https://`; for OTLP over HTTP with the whole path.
    pub(crate) url: String,
    pub(crate) protocol: Protocol,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) gzip: bool,
    pub(crate) timeout: Duration,
    /// Files in PEM form.
    pub(crate) ca_file: Option<PathBuf>,
    /// The certificate and its key.
    pub(crate) client: Option<(PathBuf, PathBuf)>,
}

impl Settings {
    /// Fills in the defaults, and rejects settings that cannot be combined.
    pub(crate) fn resolve(self) -> Result<Config> {
        let Self { collect, service, resource, traces, metrics, otlp, http, control, log, print } = self;
        let has_endpoint = |signal: &SignalSettings| otlp.endpoint.is_some() || signal.endpoint.is_some();
        let traces_exporter = traces
            .exporter
            .unwrap_or_else(|| if has_endpoint(&otlp.traces) { TracesExporter::Otlp } else { TracesExporter::None });
        let metrics_exporters = metrics.exporters.clone().unwrap_or_else(|| {
            let pushed = has_endpoint(&otlp.metrics).then_some(MetricsExporter::Otlp);
            pushed.into_iter().chain(http.listen.map(|_| MetricsExporter::Prometheus)).collect()
        });
        let scraped = metrics_exporters.contains(&MetricsExporter::Prometheus);
        if scraped && http.listen.is_none() {
            return Err(invalid("metrics.exporters", "prometheus needs http.listen, the address to scrape").into());
        }
        let metrics = metrics.resolve(&metrics_exporters, &otlp)?;
        let contexts = traces.contexts()?;
        let traces = match traces_exporter {
            TracesExporter::Otlp => Some(traces.resolve(&otlp)?),
            TracesExporter::Console | TracesExporter::None => {
                traces.ratio()?;
                None
            }
        };
        let is_exported = traces.is_some() || metrics.keeping.is_some();
        let print = print.unwrap_or(match (traces_exporter, is_exported) {
            (TracesExporter::Console, _) | (_, false) => Print::Text,
            _ => Print::None,
        });
        if let Some(bytes) = collect.ring_bytes {
            check_ring_bytes(bytes).map_err(|reason| invalid("collect.ring_bytes", &reason))?;
        }
        let allow = collect.allow.as_deref().map(Allow::parse).transpose();
        let allow = allow.map_err(|reason| invalid("collect.allow", &reason))?.unwrap_or_default();
        let listen = collect.listen.unwrap_or_else(|| DEFAULT_SOCKET.into());
        Ok(Config {
            allow,
            filter: collect.filter.unwrap_or(true),
            backend: collect.backend.unwrap_or(BackendChoice::Auto),
            ring_bytes: collect.ring_bytes,
            pin: collect.pin.unwrap_or_else(|| "/sys/fs/bpf/gopatch".into()),
            naming: Naming {
                service_name: service.name,
                attributes: resource.attributes,
                process_environment: resource.process_environment.unwrap_or(true),
            },
            kubernetes: resource.kubernetes.unwrap_or(true),
            contexts,
            traces,
            metrics,
            http: http.listen,
            page_bytes: http.page_bytes.unwrap_or(64 << 20),
            control: control.socket.unwrap_or_else(|| control::default_socket(&listen)),
            level: log.level.unwrap_or(Level::Info),
            print,
            listen,
        })
    }
}

impl TracesSettings {
    /// What processes do with contexts. Without an exporter of traces all are sampled: the next
    /// program may have one.
    fn contexts(&self) -> Result<ContextsConfig, Invalid> {
        let decides = matches!(self.sampler, Some(Sampler::AlwaysOn | Sampler::AlwaysOff | Sampler::TraceIdRatio));
        Ok(ContextsConfig { propagates: self.propagates(), decides, ratio: self.ratio()? })
    }

    /// Whether contexts are read and written: by W3C's headers, or not at all.
    fn propagates(&self) -> bool {
        let Some(named) = &self.propagators else { return true };
        for other in named.iter().filter(|name| !["tracecontext", "baggage", "none"].contains(&name.as_str())) {
            tracing::warn!("traces.propagators: {other} is not supported, and is left out; tracecontext is");
        }
        named.iter().any(|name| name == "tracecontext") && !named.iter().any(|name| name == "none")
    }

    /// The part of all traces that is kept.
    fn ratio(&self) -> Result<f64, Invalid> {
        let argument = self.sampler_arg.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&argument) {
            return Err(invalid("traces.sampler_arg", &format!("{argument} is not between 0 and 1")));
        }
        Ok(match self.sampler.unwrap_or(Sampler::ParentBasedAlwaysOn) {
            Sampler::AlwaysOn | Sampler::ParentBasedAlwaysOn => 1.0,
            Sampler::AlwaysOff | Sampler::ParentBasedAlwaysOff => 0.0,
            Sampler::TraceIdRatio | Sampler::ParentBasedTraceIdRatio => argument,
        })
    }

    fn resolve(&self, otlp: &OtlpSettings) -> Result<TracesConfig, Invalid> {
        let batch_spans = self.batch_spans.unwrap_or(512);
        let queue_spans = self.queue_spans.unwrap_or(usize::MAX);
        if batch_spans == 0 || batch_spans > queue_spans {
            let reason = format!("{batch_spans} is not between 1 and {queue_spans}, the size of the queue");
            return Err(invalid("traces.batch_spans", &reason));
        }
        Ok(TracesConfig {
            ratio: self.ratio()?,
            queue_bytes: self.queue_bytes.unwrap_or(64 << 20),
            queue_spans,
            batch_spans,
            batch_delay: self.batch_delay.unwrap_or(Duration::from_secs(5)),
            endpoint: otlp.endpoint(&otlp.traces, "traces")?,
        })
    }
}

impl MetricsSettings {
    fn resolve(&self, exporters: &[MetricsExporter], otlp: &OtlpSettings) -> Result<MetricsConfig, Invalid> {
        let is_pushed = exporters.contains(&MetricsExporter::Otlp);
        let limit = self.cardinality.unwrap_or(2000);
        if limit < 2 {
            return Err(invalid("metrics.cardinality", "must be at least 2: one series is for overflow"));
        }
        let interval = self.interval.unwrap_or(Duration::from_mins(1));
        if interval.is_zero() {
            return Err(invalid("metrics.interval", "must be greater than 0"));
        }
        let pushed = Pushed {
            delta: is_pushed && matches!(self.temporality, Some(Temporality::Delta | Temporality::LowMemory)),
            exponential: is_pushed && self.histogram == Some(Histogram::Exponential),
        };
        Ok(MetricsConfig {
            keeping: (!exporters.is_empty()).then_some(Keeping { pushed, limit }),
            exemplars: self.exemplars.unwrap_or(Exemplars::TraceBased),
            interval,
            endpoint: is_pushed.then(|| otlp.endpoint(&otlp.metrics, "metrics")).transpose()?,
            scraped: exporters.contains(&MetricsExporter::Prometheus),
        })
    }
}

impl OtlpSettings {
    /// The endpoint of a signal. Its own settings override those for both signals.
    fn endpoint(&self, signal: &SignalSettings, name: &str) -> Result<Endpoint, Invalid> {
        let key_name = |key: &str| format!("otlp.{name}.{key} or otlp.{key}");
        let insecure = signal.insecure.or(self.insecure).unwrap_or(false);
        let configured = signal.endpoint.as_ref().or(self.endpoint.as_ref());
        // An endpoint without a scheme is one for gRPC, where `insecure` decides the scheme.
        let with_scheme = configured.map(|url| match url.contains("://") {
            true => url.clone(),
            false if insecure => format!("http://{url}"),
            false => format!("https://{url}"),
        });
        let url = with_scheme.as_deref().map(reqwest::Url::parse).transpose();
        let url = url.map_err(|error| invalid(&key_name("endpoint"), &error.to_string()))?;
        if let Some(url) = &url
            && !matches!(url.scheme(), "http" | "https")
        {
            return Err(invalid(&key_name("endpoint"), &format!("`{}` is neither http nor https", url.scheme())));
        }
        let by_port = match url.as_ref().and_then(reqwest::Url::port) {
            Some(GRPC_PORT) => Protocol::Grpc,
            _ => Protocol::HttpProtobuf,
        };
        let protocol = signal.protocol.or(self.protocol).unwrap_or(by_port);
        let default = if protocol == Protocol::Grpc { "http://localhost:4317" } else { "http://localhost:4318" };
        let mut url = url.unwrap_or_else(|| reqwest::Url::parse(default).expect("a valid URL"));
        if protocol != Protocol::Grpc && signal.endpoint.is_none() {
            let path = format!("{}/v1/{name}", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        let mut headers = self.headers.clone().unwrap_or_default();
        headers.extend(signal.headers.clone().unwrap_or_default());
        for (header, value) in &headers {
            let is_valid = reqwest::header::HeaderName::from_bytes(header.as_bytes()).is_ok()
                && reqwest::header::HeaderValue::from_str(value).is_ok();
            if !is_valid {
                return Err(invalid(&key_name("headers"), &format!("`{header}` cannot be sent as a header")));
            }
        }
        let certificate = signal.certificate_file.as_ref().or(self.certificate_file.as_ref());
        let client = match (certificate, signal.key_file.as_ref().or(self.key_file.as_ref())) {
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (None, None) => None,
            (Some(_), None) => return Err(invalid(&key_name("key_file"), "the key of the certificate is missing")),
            (None, Some(_)) => {
                return Err(invalid(&key_name("certificate_file"), "the certificate of the key is missing"));
            }
        };
        Ok(Endpoint {
            url: url.into(),
            protocol,
            headers,
            gzip: signal.compression.or(self.compression) == Some(Compression::Gzip),
            timeout: signal.timeout.or(self.timeout).unwrap_or(Duration::from_secs(10)),
            ca_file: signal.ca_file.clone().or_else(|| self.ca_file.clone()),
            client,
        })
    }
}
