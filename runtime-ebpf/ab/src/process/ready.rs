//! Knowing that a program is ready.
//!
//! Decides: what an answer is: any that has an HTTP status line.
//! Trusts: that whoever answers is the program; nobody may answer before it was started.
//! Never does: wait longer than a moment for one answer.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hyper::Uri;

use crate::options::Ready;
use crate::process::Process;
use crate::template::Values;
use crate::url::address_of;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(1);

impl Ready {
    /// Makes sure that nobody else is there already.
    pub(crate) fn ensure_not_yet(&self, values: &Values) -> Result<()> {
        let address = match self {
            Self::Url(url) => address_of(&values.fill(url))?,
            Self::Tcp(address) => values.fill(address),
            Self::Line(_) => return Ok(()),
        };
        ensure!(connect(&address).is_none(), "somebody listens at {address} already, so nothing can be measured there");
        Ok(())
    }

    /// Waits for it.
    pub(crate) fn wait(&self, process: &mut Process, values: &Values, patience: Duration) -> Result<()> {
        match self {
            Self::Url(url) => {
                let url = values.fill(url);
                let what = format!("answer at {url}");
                process.wait_for(&what, patience, |_| Ok(answers(&url)?.then_some(())))
            }
            Self::Tcp(address) => {
                let address = values.fill(address);
                let what = format!("listen at {address}");
                process.wait_for(&what, patience, |_| Ok(connect(&address).map(drop)))
            }
            Self::Line(text) => {
                let text = values.fill(text);
                let what = format!("print {text:?}");
                let says = |process: &Process| process.stdout().contains(&text) || process.stderr().contains(&text);
                process.wait_for(&what, patience, |process| Ok(says(process).then_some(())))
            }
        }
    }
}

fn connect(address: &str) -> Option<TcpStream> {
    let mut addresses = address.to_socket_addrs().ok()?;
    addresses.find_map(|address| TcpStream::connect_timeout(&address, PATIENCE).ok())
}

fn answers(url: &str) -> Result<bool> {
    let uri: Uri = url.parse().with_context(|| format!("{url:?} is not a URL"))?;
    let address = address_of(url)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let ask = || -> std::io::Result<bool> {
        let Some(mut connection) = connect(&address) else {
            return Ok(false);
        };
        connection.set_read_timeout(Some(PATIENCE))?;
        write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 7];
        connection.read_exact(&mut start)?;
        Ok(&start == b"HTTP/1.")
    };
    Ok(ask().unwrap_or(false))
}
