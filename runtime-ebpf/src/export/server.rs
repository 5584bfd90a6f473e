//! The HTTP server: metrics to scrape and health on a TCP port; the requests of `gopatchd status`,
//! `top` and `rule` on a Unix socket that only gopatchd's user can open.
//!
//! Decides: paths and status codes.
//! Trusts: nothing. A client may be slow, silent, or one of many.
//! Never does: make the main loop wait for a client.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::SocketType;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

use super::prometheus::{self, Form};
use super::shared::Shared;
use super::status;
use crate::control::switch::Switch;
use crate::socket::{self, BoundPath};

/// How long a client may take to send its request, and the main loop to switch a rule.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most connections of each socket at a time. Others wait.
const MAX_CONNECTIONS: usize = 64;

/// Most bytes of the body of a request.
const MAX_BODY_BYTES: usize = 4096;

/// The socket that clients connect to.
const CONTROL: socket::SocketKind = socket::SocketKind { socket: SocketType::STREAM, mode: 0o600, flag: "--control" };

/// The socket of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// The TCP port: any client.
    Public,
    /// The control socket: only gopatchd's user.
    Control,
}

type HttpResponse = Response<Full<Bytes>>;

/// A bound socket that is not served yet.
pub(crate) enum Bound {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

impl Bound {
    /// A TCP port.
    pub(crate) fn tcp(address: std::net::SocketAddr) -> Result<Self> {
        let listener = std::net::TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
        listener.set_nonblocking(true)?;
        Ok(Self::Tcp(listener))
    }

    /// A Unix socket, which only gopatchd's user can open, and its path.
    pub(crate) fn unix(path: &Path) -> Result<(Self, BoundPath)> {
        let (socket, path) = socket::bind_at(path, CONTROL)?;
        Ok((Self::Unix(socket.into()), path))
    }
}

/// Serves a socket, forever.
pub(crate) async fn serve(bound: Bound, shared: Arc<Shared>) -> Result<()> {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    match bound {
        Bound::Tcp(listener) => {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let place = Arc::clone(&room).acquire_owned().await;
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(talk(stream, Arc::clone(&shared), Door::Public, place))),
                    Err(error) => pause(&error).await,
                }
            }
        }
        Bound::Unix(listener) => {
            let listener = tokio::net::UnixListener::from_std(listener)?;
            loop {
                let place = Arc::clone(&room).acquire_owned().await;
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(talk(stream, Arc::clone(&shared), Door::Control, place))),
                    Err(error) => pause(&error).await,
                }
            }
        }
    }
}

/// Waits for a moment: for lack of files, say, accepting may only fail for now.
async fn pause(error: &std::io::Error) {
    tracing::warn!("cannot accept a connection: {error}");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn talk<P>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    shared: Arc<Shared>,
    door: Door,
    place: P,
) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(request, &shared, door).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!("a client's connection ended: {error}");
    }
    drop(place);
}

async fn answer(request: Request<Incoming>, shared: &Shared, door: Door) -> HttpResponse {
    let (head, body) = request.into_parts();
    match (head.uri.path(), &head.method, door) {
        ("/metrics", &Method::GET | &Method::HEAD, _) => {
            let accepted = head.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let (form, kind) = if accepted.contains("application/openmetrics-text") {
                (Form::OpenMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8")
            } else {
                (Form::Text, "text/plain; version=0.0.4; charset=utf-8")
            };
            let page = prometheus::page(shared, form);
            shared.forget_ended();
            reply(StatusCode::OK, kind, page)
        }
        ("/healthz", &Method::GET | &Method::HEAD, _) => {
            if shared.is_alive() {
                reply(StatusCode::OK, "text/plain", "ok\n")
            } else {
                reply(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "the main loop does not look at the rings\n")
            }
        }
        ("/status", &Method::GET, Door::Control) => json(StatusCode::OK, &status::status(shared)),
        ("/operations", &Method::GET, Door::Control) => json(StatusCode::OK, &status::operations(shared)),
        ("/rule", &Method::POST, Door::Control) => switch(body, shared).await,
        ("/metrics" | "/healthz", _, _) => {
            let mut answer = reply(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "only GET and HEAD are allowed\n");
            answer.headers_mut().insert(ALLOW, "GET, HEAD".parse().expect("a valid value"));
            answer
        }
        _ => reply(StatusCode::NOT_FOUND, "text/plain", "not found; try /metrics or /healthz\n"),
    }
}

/// Has the main loop switch a rule, and waits for the result.
async fn switch(body: Incoming, shared: &Shared) -> HttpResponse {
    let refused = |why: String| json(StatusCode::BAD_REQUEST, &serde_json::json!({ "error": why }));
    let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return refused(error.to_string()),
    };
    let switch: Switch = match serde_json::from_slice(&body) {
        Ok(switch) => switch,
        Err(error) => return refused(error.to_string()),
    };
    match tokio::time::timeout(PATIENCE, shared.request_switch(switch)).await {
        Ok(Some(switched)) => json(StatusCode::OK, &switched),
        Ok(None) | Err(_) => {
            json(StatusCode::SERVICE_UNAVAILABLE, &serde_json::json!({ "error": "gopatchd is stopping" }))
        }
    }
}

fn json(status: StatusCode, value: &impl Serialize) -> HttpResponse {
    let body = serde_json::to_vec(value).expect("all keys are text");
    reply(status, "application/json", body)
}

fn reply(status: StatusCode, kind: &str, body: impl Into<Bytes>) -> HttpResponse {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, kind.parse().expect("a valid value"));
    answer
}
