//! Detects that the program is ready.
//!
//! Trusts that what answers is the program: its address must be free before it starts.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hyper::Uri;

use super::Process;
use crate::options::Ready;
use crate::template::Values;
use crate::url;

/// How long to wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(1);

impl Ready {
    /// Fails if a process already listens at the program's address.
    pub(crate) fn check_address_is_free(&self, values: &Values) -> Result<()> {
        let address = match self {
            Self::Url(url) => url::address(&values.fill(url))?,
            Self::Tcp(address) => values.fill(address),
            Self::Line(_) => return Ok(()),
        };
        ensure!(connect(&address).is_none(), "another process already listens at {address}");
        Ok(())
    }

    /// Waits until the program is ready.
    pub(crate) fn wait(&self, process: &mut Process, values: &Values, timeout: Duration) -> Result<()> {
        match self {
            Self::Url(url) => {
                let url = values.fill(url);
                let what = format!("answer at {url}");
                process.wait_for(&what, timeout, |_| Ok(answers(&url)?.then_some(())))
            }
            Self::Tcp(address) => {
                let address = values.fill(address);
                let what = format!("listen at {address}");
                process.wait_for(&what, timeout, |_| Ok(connect(&address).map(drop)))
            }
            Self::Line(text) => {
                let text = values.fill(text);
                let what = format!("print {text:?}");
                let printed = |process: &Process| process.stdout().contains(&text) || process.stderr().contains(&text);
                process.wait_for(&what, timeout, |process| Ok(printed(process).then_some(())))
            }
        }
    }
}

fn connect(address: &str) -> Option<TcpStream> {
    let mut addresses = address.to_socket_addrs().ok()?;
    addresses.find_map(|address| TcpStream::connect_timeout(&address, TIMEOUT).ok())
}

/// Whether a URL answers with an HTTP status line.
fn answers(url: &str) -> Result<bool> {
    let uri: Uri = url.parse().with_context(|| format!("invalid URL {url:?}"))?;
    let address = url::address(url)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = || -> std::io::Result<bool> {
        let Some(mut connection) = connect(&address) else {
            return Ok(false);
        };
        connection.set_read_timeout(Some(TIMEOUT))?;
        write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 7];
        connection.read_exact(&mut start)?;
        Ok(&start == b"HTTP/1.")
    };
    Ok(request().unwrap_or(false))
}
