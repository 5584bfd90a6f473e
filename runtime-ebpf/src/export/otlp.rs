//! OpenTelemetry's protocol: how a request gets to a receiver.
//!
//! Decides: what an answer means: delivered, to be tried again, never wanted (the protocol's specification, 1.9, "Failures").
//! Trusts: the receiver only as far as its answer's size is bounded and the time it may take.
//! Never does: trying again; that is its caller's.

use std::time::Duration;

use anyhow::{Context, Result};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::config::{Endpoint, Protocol};

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is there, but for so many of its parts, for the reason that the receiver gives.
    Delivered { rejected: u64, why: String },
    /// Nobody has it. It may be sent again, not before the receiver says so.
    Again { after: Option<Duration>, why: String },
    /// The receiver will never take it.
    Refused(String),
}

/// The way to a receiver of one signal.
#[derive(Debug, Clone)]
pub(crate) enum Sender {
    Grpc { channel: Channel, metadata: MetadataMap, gzip: bool, timeout: Duration },
    Http { client: reqwest::Client, url: reqwest::Url, json: bool, gzip: bool },
}

/// A request of one signal.
pub(crate) trait Export: Message + Clone + Serialize + Sized {
    type Answer: Message + Default + DeserializeOwned;

    /// What of an answer says that parts were not taken.
    fn rejected(answer: Self::Answer) -> (i64, String);

    /// Sends it over gRPC.
    fn over_grpc(
        channel: Channel,
        gzip: bool,
        request: Request<Self>,
    ) -> impl Future<Output = Result<Self::Answer, Status>> + Send;
}

impl Export for ExportTraceServiceRequest {
    type Answer = ExportTraceServiceResponse;

    fn rejected(answer: Self::Answer) -> (i64, String) {
        answer.partial_success.map(|partial| (partial.rejected_spans, partial.error_message)).unwrap_or_default()
    }

    async fn over_grpc(channel: Channel, gzip: bool, request: Request<Self>) -> Result<Self::Answer, Status> {
        let mut client = TraceServiceClient::new(channel);
        if gzip {
            client = client.send_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Gzip);
        }
        client.export(request).await.map(tonic::Response::into_inner)
    }
}

impl Export for ExportMetricsServiceRequest {
    type Answer = ExportMetricsServiceResponse;

    fn rejected(answer: Self::Answer) -> (i64, String) {
        answer.partial_success.map(|partial| (partial.rejected_data_points, partial.error_message)).unwrap_or_default()
    }

    async fn over_grpc(channel: Channel, gzip: bool, request: Request<Self>) -> Result<Self::Answer, Status> {
        let mut client = MetricsServiceClient::new(channel);
        if gzip {
            client = client.send_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Gzip);
        }
        client.export(request).await.map(tonic::Response::into_inner)
    }
}

impl Sender {
    /// Prepares the way. Nothing is connected before the first request, so a receiver may come later.
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self> {
        let read =
            |path: &std::path::Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let ca = endpoint.ca_file.as_deref().map(read).transpose()?;
        let client = endpoint.client.as_ref().map(|(certificate, key)| Ok((read(certificate)?, read(key)?)));
        let client = client.transpose().map_err(|error: anyhow::Error| error)?;
        let why = || format!("cannot use the OTLP endpoint {}", endpoint.url);
        if endpoint.protocol == Protocol::Grpc {
            let mut way = Channel::from_shared(endpoint.url.clone())?
                .timeout(endpoint.timeout)
                .connect_timeout(endpoint.timeout)
                .user_agent(USER_AGENT)?;
            if endpoint.url.starts_with("https://") {
                let mut tls = ClientTlsConfig::new();
                tls = match ca {
                    Some(ca) => tls.ca_certificate(Certificate::from_pem(ca)),
                    None => tls.with_native_roots(),
                };
                if let Some((certificate, key)) = client {
                    tls = tls.identity(Identity::from_pem(certificate, key));
                }
                way = way.tls_config(tls).with_context(why)?;
            }
            let metadata = MetadataMap::from_headers(headers(endpoint)?);
            return Ok(Self::Grpc {
                channel: way.connect_lazy(),
                metadata,
                gzip: endpoint.gzip,
                timeout: endpoint.timeout,
            });
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers(endpoint)?)
            .timeout(endpoint.timeout)
            .redirect(reqwest::redirect::Policy::none());
        if let Some(ca) = ca {
            builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(&ca).with_context(why)?);
        }
        if let Some((certificate, key)) = client {
            let both = [certificate, b"\n".to_vec(), key].concat();
            builder = builder.identity(reqwest::Identity::from_pem(&both).with_context(why)?);
        }
        Ok(Self::Http {
            client: builder.build().with_context(why)?,
            url: endpoint.url.parse().with_context(why)?,
            json: endpoint.protocol == Protocol::HttpJson,
            gzip: endpoint.gzip,
        })
    }

    /// Sends a request once.
    pub(crate) async fn send<E: Export>(&self, request: &E) -> Outcome {
        match self {
            Self::Grpc { channel, metadata, gzip, timeout } => {
                let mut message = Request::new(request.clone());
                *message.metadata_mut() = metadata.clone();
                message.set_timeout(*timeout);
                match E::over_grpc(channel.clone(), *gzip, message).await {
                    Ok(answer) => delivered::<E>(answer),
                    Err(status) => of_status(&status),
                }
            }
            Self::Http { client, url, json, gzip } => {
                let (body, kind) = if *json {
                    (serde_json::to_vec(request).expect("a Vec takes all"), "application/json")
                } else {
                    (request.encode_to_vec(), "application/x-protobuf")
                };
                let mut sent = client.post(url.clone()).header(CONTENT_TYPE, kind);
                sent =
                    if *gzip { sent.header(CONTENT_ENCODING, "gzip").body(compress(&body)) } else { sent.body(body) };
                match sent.send().await {
                    Ok(answer) => of_answer::<E>(answer, *json).await,
                    Err(error) => Outcome::Again { after: None, why: whole(&error) },
                }
            }
        }
    }
}

const USER_AGENT: &str = concat!("gopatchd/", env!("CARGO_PKG_VERSION"));

/// Most bytes of an answer that are read.
const MOST_OF_AN_ANSWER: usize = 64 << 10;

fn headers(endpoint: &Endpoint) -> Result<HeaderMap> {
    let headers = endpoint.headers.iter().map(|(name, value)| {
        let mut value = HeaderValue::from_str(value)?;
        // It may be a password.
        value.set_sensitive(true);
        Ok((HeaderName::from_bytes(name.as_bytes())?, value))
    });
    headers.collect()
}

fn compress(body: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("a Vec takes all")
}

fn delivered<E: Export>(answer: E::Answer) -> Outcome {
    let (rejected, why) = E::rejected(answer);
    Outcome::Delivered { rejected: rejected.try_into().unwrap_or(0), why }
}

fn of_status(status: &Status) -> Outcome {
    let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let why = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Outcome::Again { after: delay, why },
        // No answer of the receiver's: the connection broke.
        _ if std::error::Error::source(status).is_some() => Outcome::Again { after: delay, why: whole(status) },
        // Only when the receiver says when it will have room.
        Code::ResourceExhausted if delay.is_some() => Outcome::Again { after: delay, why },
        _ => Outcome::Refused(why),
    }
}

async fn of_answer<E: Export>(mut answer: reqwest::Response, json: bool) -> Outcome {
    let status = answer.status();
    let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    // What is missing of it is only missed in the message.
    while let Ok(Some(piece)) = answer.chunk().await {
        body.extend_from_slice(&piece[..piece.len().min(MOST_OF_AN_ANSWER - body.len())]);
        if body.len() == MOST_OF_AN_ANSWER {
            break;
        }
    }
    let text = || {
        let text = if json { String::from_utf8_lossy(&body).into_owned() } else { String::new() };
        format!("{status} {}", text.chars().filter(|c| !c.is_control()).take(200).collect::<String>())
    };
    match status {
        status if status.is_success() => {
            let answer = if json { serde_json::from_slice(&body).ok() } else { E::Answer::decode(&*body).ok() };
            delivered::<E>(answer.unwrap_or_default())
        }
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            Outcome::Again { after: after.map(Duration::from_secs), why: text().trim().to_owned() }
        }
        _ => Outcome::Refused(text().trim().to_owned()),
    }
}

/// An error with all that it came from.
fn whole(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
