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
    type Answer: Message + Default;

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
        let client = endpoint.client.as_ref().map(|(certificate, key)| anyhow::Ok((read(certificate)?, read(key)?)));
        let client = client.transpose()?;
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
            if json {
                let (rejected, why) = rejected_in_json(&body).unwrap_or_default();
                return Outcome::Delivered { rejected, why };
            }
            delivered::<E>(E::Answer::decode(&*body).unwrap_or_default())
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

/// What an answer says of parts that were not taken. Numbers of 64 bits are text in JSON, or numbers from who does not know.
fn rejected_in_json(body: &[u8]) -> Option<(u64, String)> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let partial = answer.get("partialSuccess")?;
    let rejected = ["rejectedSpans", "rejectedDataPoints"].iter().find_map(|name| partial.get(name));
    let rejected = rejected.and_then(|count| count.as_u64().or_else(|| count.as_str()?.parse().ok()));
    let why = partial.get("errorMessage").and_then(serde_json::Value::as_str).unwrap_or_default();
    Some((rejected.unwrap_or(0), why.to_owned()))
}

/// An error with all that it came from.
fn whole(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn statuses_of_grpc_mean_what_the_specification_says() {
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
            let outcome = of_status(&Status::new(code, "why"));
            assert_eq!(matches!(outcome, Outcome::Again { after: None, .. }), again, "{code:?}: {outcome:?}");
        }
        let details = tonic_types::ErrorDetails::with_retry_info(Some(Duration::from_secs(7)));
        let throttled = Status::with_error_details(Code::ResourceExhausted, "later", details);
        assert!(matches!(of_status(&throttled), Outcome::Again { after: Some(after), .. } if after.as_secs() == 7));
    }

    /// Sends an empty request to a server that answers with this, and gives what it makes of that, and what was sent.
    fn asked(answer: &'static str) -> (Outcome, String) {
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
            let sender = Sender::new(&endpoint).expect("a good endpoint");
            sender.send(&ExportTraceServiceRequest::default()).await
        });
        (outcome, server.join().expect("no panic"))
    }

    #[test]
    fn answers_over_http_mean_what_the_specification_says() {
        let (outcome, request) = asked("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        assert!(matches!(outcome, Outcome::Delivered { rejected: 0, .. }), "{outcome:?}");
        assert!(request.starts_with("post /v1/traces http/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: basic edp5\r\n"), "{request}");
        assert!(request.contains("content-type: application/json\r\n"), "{request}");

        let (outcome, _) = asked("HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n");
        assert!(matches!(&outcome, Outcome::Again { after: Some(after), .. } if after.as_secs() == 3), "{outcome:?}");
        let (outcome, _) = asked("HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\nbad token");
        assert!(
            matches!(&outcome, Outcome::Refused(why) if why.contains("401") && why.contains("bad token")),
            "{outcome:?}"
        );
        let partial = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\
                       {\"partialSuccess\":{\"rejectedSpans\":\"5\",\"errorMessage\":\"too old\"}}";
        let (outcome, _) = asked(partial);
        assert!(matches!(&outcome, Outcome::Delivered { rejected: 5, why } if why == "too old"), "{outcome:?}");
        let (outcome, _) = asked("");
        assert!(matches!(outcome, Outcome::Again { after: None, .. }), "{outcome:?}");
    }
}
