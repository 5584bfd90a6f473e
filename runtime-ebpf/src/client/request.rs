//! Asking the running gopatchd, by its control socket.
//!
//! Trusts: whoever may open the socket: it is gopatchd's own.
//! Never does: waiting for long.

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

/// Asks for something.
pub(crate) fn get<T: DeserializeOwned>(control: &Path, what: &str) -> Result<T> {
    ask(control, Method::GET, what, Vec::new())
}

pub(super) fn ask<T: DeserializeOwned>(control: &Path, method: Method, what: &str, body: Vec<u8>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, send(control, method, what, body)).await });
    let (is_good, body) = answer.context("gopatchd does not answer")??;
    if !is_good {
        bail!("gopatchd says: {}", String::from_utf8_lossy(&body));
    }
    serde_json::from_slice(&body).context("the answer is of another version of gopatchd")
}

async fn send(control: &Path, method: Method, what: &str, body: Vec<u8>) -> Result<(bool, Bytes)> {
    let stream = tokio::net::UnixStream::connect(control).await;
    let stream = stream.with_context(|| format!("no gopatchd can be asked at {}", control.display()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::builder().method(method).uri(what).header("host", "gopatchd");
    let answer = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
    let is_good = answer.status().is_success();
    let body = answer.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((is_good, body))
}
