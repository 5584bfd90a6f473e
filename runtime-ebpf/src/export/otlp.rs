//! OpenTelemetry's protocol: how a request reaches a receiver.
//!
//! Decides: what an answer means: delivered, try again, or never accepted (the specification of the
//! protocol, 1.9, "Failures").
//! Trusts: nothing. The size of an answer and the time for it are bounded.
//! Never does: try again. The caller does.

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
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::config::{Endpoint, Protocol};

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The receiver has it, except for some rejected parts, for this reason.
    Delivered { rejected: u64, reason: String },
    /// The receiver does not have it. It may be sent again, after the time that the receiver
    /// demands.
    Again { after: Option<Duration>, reason: String },
    /// The receiver will never accept it.
    Refused(String),
}

/// A connection to the receiver of one signal.
#[derive(Debug, Clone)]
pub(crate) enum Sender {
    Grpc { channel: Channel, metadata: MetadataMap, gzip: bool, timeout: Duration },
    Http { client: reqwest::Client, url: reqwest::Url, json: bool, gzip: bool },
}

/// A request of one signal.
pub(crate) trait Export: Message + Clone + Serialize + Sized {
    type Response: Message + Default;

    /// The rejected parts that a response reports, and the reason.
    fn rejected(response: Self::Response) -> (i64, String);

    /// Sends the request over gRPC.
    fn over_grpc(
        channel: Channel,
        gzip: bool,
        request: Request<Self>,
    ) -> impl Future<Output = Result<Self::Response, Status>> + Send;
}

impl Export for ExportTraceServiceRequest {
    type Response = ExportTraceServiceResponse;

    fn rejected(response: Self::Response) -> (i64, String) {
        response.partial_success.map(|partial| (partial.rejected_spans, partial.error_message)).unwrap_or_default()
    }

    async fn over_grpc(channel: Channel, gzip: bool, request: Request<Self>) -> Result<Self::Response, Status> {
        let mut client = TraceServiceClient::new(channel);
        if gzip {
            client = client.send_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Gzip);
        }
        client.export(request).await.map(tonic::Response::into_inner)
    }
}

impl Export for ExportMetricsServiceRequest {
    type Response = ExportMetricsServiceResponse;

    fn rejected(response: Self::Response) -> (i64, String) {
        response
            .partial_success
            .map(|partial| (partial.rejected_data_points, partial.error_message))
            .unwrap_or_default()
    }

    async fn over_grpc(channel: Channel, gzip: bool, request: Request<Self>) -> Result<Self::Response, Status> {
        let mut client = MetricsServiceClient::new(channel);
        if gzip {
            client = client.send_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Gzip);
        }
        client.export(request).await.map(tonic::Response::into_inner)
    }
}

impl Sender {
    /// Prepares the connection, which is made with the first request: the receiver may start later.
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self> {
        let read =
            |path: &std::path::Path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let ca = endpoint.ca_file.as_deref().map(read).transpose()?;
        let client = endpoint.client.as_ref().map(|(certificate, key)| anyhow::Ok((read(certificate)?, read(key)?)));
        let client = client.transpose()?;
        let why = || format!("cannot use the OTLP endpoint {}", endpoint.url);
        if endpoint.protocol == Protocol::Grpc {
            let mut channel = Channel::from_shared(endpoint.url.clone())?
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
                channel = channel.tls_config(tls).with_context(why)?;
            }
            let metadata = MetadataMap::from_headers(headers(endpoint)?);
            return Ok(Self::Grpc {
                channel: channel.connect_lazy(),
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
                    Ok(response) => delivered::<E>(response),
                    Err(status) => outcome_of_grpc(&status),
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
                    Ok(response) => outcome_of_http::<E>(response, *json).await,
                    Err(error) => Outcome::Again { after: None, reason: with_causes(&error) },
                }
            }
        }
    }
}

const USER_AGENT: &str = concat!("gopatchd/", env!("CARGO_PKG_VERSION"));

/// Most bytes of a response that are read.
const MAX_RESPONSE_BYTES: usize = 64 << 10;

fn headers(endpoint: &Endpoint) -> Result<HeaderMap> {
    let headers = endpoint.headers.iter().map(|(name, value)| {
        let mut value = HeaderValue::from_str(value)?;
        // The value may be a password.
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

fn delivered<E: Export>(response: E::Response) -> Outcome {
    let (rejected, reason) = E::rejected(response);
    Outcome::Delivered { rejected: rejected.try_into().unwrap_or(0), reason }
}

fn outcome_of_grpc(status: &Status) -> Outcome {
    let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let reason = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Outcome::Again { after: delay, reason },
        // Not an answer of the receiver: the connection broke.
        _ if std::error::Error::source(status).is_some() => {
            Outcome::Again { after: delay, reason: with_causes(status) }
        }
        // Only if the receiver states when it will have room.
        Code::ResourceExhausted if delay.is_some() => Outcome::Again { after: delay, reason },
        _ => Outcome::Refused(reason),
    }
}

async fn outcome_of_http<E: Export>(mut response: reqwest::Response, json: bool) -> Outcome {
    let status = response.status();
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    // A body that breaks off only shortens the message.
    while let Ok(Some(piece)) = response.chunk().await {
        body.extend_from_slice(&piece[..piece.len().min(MAX_RESPONSE_BYTES - body.len())]);
        if body.len() == MAX_RESPONSE_BYTES {
            break;
        }
    }
    let text = || {
        let text = if json { String::from_utf8_lossy(&body).into_owned() } else { String::new() };
        format!("{status} {}", text.chars().filter(|c| !c.is_control()).take(200).collect::<String>())
    };
    match status {
        status if status.is_success() => {
            if json {
                let (rejected, reason) = rejected_in_json(&body).unwrap_or_default();
                return Outcome::Delivered { rejected, reason };
            }
            delivered::<E>(E::Response::decode(&*body).unwrap_or_default())
        }
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            Outcome::Again { after: after.map(Duration::from_secs), reason: text().trim().to_owned() }
        }
        _ => Outcome::Refused(text().trim().to_owned()),
    }
}

/// The rejected parts that a response reports, and the reason. JSON has 64-bit numbers as text, or
/// from some receivers as numbers.
fn rejected_in_json(body: &[u8]) -> Option<(u64, String)> {
    let response: serde_json::Value = serde_json::from_slice(body).ok()?;
    let partial = response.get("partialSuccess")?;
    let rejected = ["rejectedSpans", "rejectedDataPoints"].iter().find_map(|name| partial.get(name));
    let rejected = rejected.and_then(|count| count.as_u64().or_else(|| count.as_str()?.parse().ok()));
    let reason = partial.get("errorMessage").and_then(serde_json::Value::as_str).unwrap_or_default();
    Some((rejected.unwrap_or(0), reason.to_owned()))
}

/// An error with all its causes.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn grpc_statuses_follow_the_specification() {
        for (code, again) in [
            (Code::Unavailable, true),
            (Code::DeadlineExceeded, true),
            (Code::Aborted, true),
            (Code::InvalidArgument, false),
            (Code::Unauthenticated, false),
            (Code::PermissionDenied, false),
            (Code::Unimplemented, false),
            (Code::ResourceExhausted, false),
            (Code::Unknown, false),
        ] {
            let outcome = outcome_of_grpc(&Status::new(code, "reason"));
            assert_eq!(matches!(outcome, Outcome::Again { after: None, .. }), again, "{code:?}: {outcome:?}");
        }
        let details = tonic_types::ErrorDetails::with_retry_info(Some(Duration::from_secs(7)));
        let throttled = Status::with_error_details(Code::ResourceExhausted, "later", details);
        assert!(
            matches!(outcome_of_grpc(&throttled), Outcome::Again { after: Some(after), .. } if after.as_secs() == 7)
        );
    }

    /// Sends an empty request to a server that answers with `answer`. Returns the outcome and what
    /// was sent.
    fn exchange(answer: &'static str) -> (Outcome, String) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/v1/traces", listener.local_addr().expect("an address"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a request");
                request.extend(byte);
            }
            stream.write_all(answer.as_bytes()).expect("the client listens");
            String::from_utf8_lossy(&request).to_lowercase()
        });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let endpoint = Endpoint {
            url,
            protocol: Protocol::HttpJson,
            headers: [("authorization".to_owned(), "Basic eDp5".to_owned())].into(),
            gzip: false,
            timeout: Duration::from_secs(20),
            ca_file: None,
            client: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let outcome = runtime.block_on(async {
            let sender = Sender::new(&endpoint).expect("a valid endpoint");
            sender.send(&ExportTraceServiceRequest::default()).await
        });
        (outcome, server.join().expect("no panic"))
    }

    #[test]
    fn http_responses_follow_the_specification() {
        let (outcome, request) = exchange("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        assert!(matches!(outcome, Outcome::Delivered { rejected: 0, .. }), "{outcome:?}");
        assert!(request.starts_with("post /v1/traces http/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: basic edp5\r\n"), "{request}");
        assert!(request.contains("content-type: application/json\r\n"), "{request}");

        let (outcome, _) = exchange("HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n");
        assert!(matches!(&outcome, Outcome::Again { after: Some(after), .. } if after.as_secs() == 3), "{outcome:?}");
        let (outcome, _) = exchange("HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\nbad token");
        assert!(
            matches!(&outcome, Outcome::Refused(reason) if reason.contains("401") && reason.contains("bad token")),
            "{outcome:?}"
        );
        let partial = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\
                       {\"partialSuccess\":{\"rejectedSpans\":\"5\",\"errorMessage\":\"too old\"}}";
        let (outcome, _) = exchange(partial);
        assert!(matches!(&outcome, Outcome::Delivered { rejected: 5, reason } if reason == "too old"), "{outcome:?}");
        let (outcome, _) = exchange("");
        assert!(matches!(outcome, Outcome::Again { after: None, .. }), "{outcome:?}");
    }
}
