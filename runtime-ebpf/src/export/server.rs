//! The HTTP server: metrics to scrape and health on a TCP port; the requests of `gopatchd status`,
//! `top` and `rule` on a Unix socket that only gopatchd's user can open.
//!
//! Decides: paths and status codes. `connections` decides how long a client may take.
//! Trusts: nothing. A client may be slow, silent, or one of many.
//! Never does: make the main loop wait for a client.

use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::SocketType;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};

use super::connections::{Connection, Connections, Place, Watched};
use super::page::Page;
use super::prometheus::Form;
use super::shared::Shared;
use super::status;
use crate::control::switch::Switch;
use crate::socket::{self, BoundPath};

/// How long a client may take to send its request, and the main loop to switch a rule.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: i32 = 4096;

/// Bytes of an answer that wait to be written.
const MAX_WAITING: usize = 1 << 17;

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

type HttpResponse = Response<Content>;

/// The content of an answer.
enum Content {
    Whole(Option<Bytes>),
    Page(Box<Page>, Arc<Connection>),
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = match self.get_mut() {
            Self::Whole(bytes) => bytes.take(),
            Self::Page(page, connection) => {
                let chunk = page.next_chunk().map(Bytes::from);
                if chunk.is_none() {
                    connection.end_page();
                }
                chunk
            }
        };
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Page(..) => SizeHint::default(),
        }
    }
}

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
        // The standard library has asked for fewer.
        rustix::net::listen(&listener, BACKLOG)?;
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
    let connections = Arc::new(Connections::default());
    let place = || connections.enter(&shared.closed_connections);
    match bound {
        Bound::Tcp(listener) => {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(talk(stream, Arc::clone(&shared), Door::Public, place()))),
                    Err(error) => pause(&error).await,
                }
            }
        }
        Bound::Unix(listener) => {
            let listener = tokio::net::UnixListener::from_std(listener)?;
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(talk(stream, Arc::clone(&shared), Door::Control, place()))),
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

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    shared: Arc<Shared>,
    door: Door,
    place: Place,
) {
    let connection = Arc::clone(&place.connection);
    let watched = Watched { stream, connection: Arc::clone(&connection) };
    let (place, of_service) = (Arc::new(place), Arc::clone(&shared));
    let service = service_fn(move |request| {
        let (shared, place) = (Arc::clone(&of_service), Arc::clone(&place));
        async move { Ok::<_, Infallible>(answer(request, &shared, door, &place).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MAX_WAITING)
        .serve_connection(TokioIo::new(watched), service);
    tokio::select! {
        served = served => if let Err(error) = served {
            tracing::debug!("a client's connection ended: {error}");
        },
        () = connection.end(&shared.closed_connections) => {}
    }
}

async fn answer(request: Request<Incoming>, shared: &Arc<Shared>, door: Door, place: &Place) -> HttpResponse {
    let (head, body) = request.into_parts();
    match (head.uri.path(), &head.method, door) {
        ("/metrics", &Method::GET | &Method::HEAD, _) => {
            let accepted = head.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let (form, kind) = if accepted.contains("application/openmetrics-text") {
                (Form::OpenMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8")
            } else {
                (Form::Text, "text/plain; version=0.0.4; charset=utf-8")
            };
            if head.method == Method::HEAD {
                return reply(StatusCode::OK, kind, "");
            }
            place.begin_page(&shared.closed_connections);
            let page = Page::plan(shared, form).await;
            with_content(StatusCode::OK, kind, Content::Page(Box::new(page), Arc::clone(&place.connection)))
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
    let body = match tokio::time::timeout(PATIENCE, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) => return refused(error.to_string()),
        Err(late) => return refused(late.to_string()),
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
    with_content(status, kind, Content::Whole(Some(body.into())))
}

fn with_content(status: StatusCode, kind: &str, content: Content) -> HttpResponse {
    let mut answer = Response::new(content);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, kind.parse().expect("a valid value"));
    answer
}
