//! One request to the running gopatchd over its control socket.
//!
//! Trusts: the process at the other end: only gopatchd's user can open the socket.
//! Never does: wait for long.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Gets a resource.
pub(crate) fn get<T: DeserializeOwned>(control: &Path, path: &str) -> Result<T> {
    send_request(control, Method::GET, path, Vec::new())
}

/// Sends a request and parses the answer.
pub(super) fn send_request<T: DeserializeOwned>(
    control: &Path,
    method: Method,
    path: &str,
    body: Vec<u8>,
) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, send(control, method, path, body)).await });
    let (is_success, body) = answer.context("no answer from gopatchd")??;
    if !is_success {
        bail!("gopatchd refused the request: {}", String::from_utf8_lossy(&body));
    }
    serde_json::from_slice(&body).context("invalid answer; is the running gopatchd another version?")
}

async fn send(control: &Path, method: Method, path: &str, body: Vec<u8>) -> Result<(bool, Bytes)> {
    let stream = tokio::net::UnixStream::connect(control).await;
    let stream = stream.with_context(|| format!("cannot reach a gopatchd at {}", control.display()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::builder().method(method).uri(path).header("host", "gopatchd");
    let answer = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
    let is_success = answer.status().is_success();
    let body = answer.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((is_success, body))
}
