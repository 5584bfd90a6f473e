//! The HTTP server: metrics to scrape and health on a TCP port; what `gopatchd status`, `top` and `rule` ask for on a Unix
//! socket that only gopatchd's own user can open.
//!
//! Decides: paths and status codes.
//! Trusts: nothing; a client may be slow, silent, or one of many.
//! Never does: waiting for a client in the main loop's place.

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

/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most connections at a time, of each socket. The others wait.
const MOST: usize = 64;

/// Most bytes of a request's body.
const MOST_OF_A_BODY: usize = 4096;

/// The socket that clients connect to.
const CONTROL: socket::Kind = socket::Kind { socket: SocketType::STREAM, mode: 0o600, flag: "--control" };

/// Which socket a request came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Anybody may have come.
    Public,
    /// Only who may use gopatchd has come.
    Control,
}

type Answer = Response<Full<Bytes>>;

/// A socket that is bound, and not served yet.
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

/// Serves a socket for ever.
pub(crate) async fn serve(bound: Bound, shared: Arc<Shared>) -> Result<()> {
    let room = Arc::new(Semaphore::new(MOST));
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

/// There is no file left, or the like: a moment later there may be.
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

async fn answer(request: Request<Incoming>, shared: &Shared, door: Door) -> Answer {
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
            shared.forget();
            reply(StatusCode::OK, kind, page)
        }
        ("/healthz", &Method::GET | &Method::HEAD, _) => {
            if shared.is_alive() {
                reply(StatusCode::OK, "text/plain", "ok\n")
            } else {
                reply(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "the rings have not been looked at\n")
            }
        }
        ("/status", &Method::GET, Door::Control) => json(StatusCode::OK, &status::of(shared)),
        ("/operations", &Method::GET, Door::Control) => json(StatusCode::OK, &status::operations(shared)),
        ("/rule", &Method::POST, Door::Control) => switch(body, shared).await,
        ("/metrics" | "/healthz", _, _) => {
            let mut answer = reply(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "only GET and HEAD\n");
            answer.headers_mut().insert(ALLOW, "GET, HEAD".parse().expect("a good value"));
            answer
        }
        _ => reply(StatusCode::NOT_FOUND, "text/plain", "there are /metrics and /healthz\n"),
    }
}

/// Has the main loop switch a rule, and waits for what it has done.
async fn switch(body: Incoming, shared: &Shared) -> Answer {
    let refused = |why: String| json(StatusCode::BAD_REQUEST, &serde_json::json!({ "error": why }));
    let body = match Limited::new(body, MOST_OF_A_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return refused(error.to_string()),
    };
    let switch: Switch = match serde_json::from_slice(&body) {
        Ok(switch) => switch,
        Err(error) => return refused(error.to_string()),
    };
    match tokio::time::timeout(PATIENCE, shared.ask(switch)).await {
        Ok(Some(switched)) => json(StatusCode::OK, &switched),
        Ok(None) | Err(_) => {
            json(StatusCode::SERVICE_UNAVAILABLE, &serde_json::json!({ "error": "gopatchd is about to end" }))
        }
    }
}

fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(value).expect("it has only text keys");
    reply(status, "application/json", body)
}

fn reply(status: StatusCode, kind: &str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, kind.parse().expect("a good value"));
    answer
}
