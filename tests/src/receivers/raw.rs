//! A server that keeps the bytes of each request, and can leave a connection as servers do.
//!
//! It reads requests without a body over HTTP/1.1 and answers each with 200.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// A server. Its threads end with the test's process.
pub struct Raw {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// How it treats its clients.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// How many requests of a connection it answers. The next one it reads, and closes.
    pub answers: usize,
    /// How long it waits before each answer.
    pub delay: Duration,
}

impl Manners {
    /// Answers everything at once.
    pub const USUAL: Self = Self { answers: usize::MAX, delay: Duration::ZERO };
}

impl Raw {
    /// Starts one on loopback.
    pub fn start(manners: Manners) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
        let address = listener.local_addr()?.to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                // A client that goes away ends its thread.
                thread::spawn(move || serve(connection, manners, &kept));
            }
        });
        Ok(Self { address, requests })
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of all requests so far, as they came, without the empty line at their end.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The values of a header in a request's head, each line by itself.
pub fn header<'a>(head: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(": "));
    lines.filter(move |(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The path in the first line of a request's head.
pub fn path(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

fn serve(mut connection: TcpStream, manners: Manners, kept: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    for answered in 0.. {
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            let mut more = [0; 4096];
            match connection.read(&mut more)? {
                0 => return Ok(()),
                count => bytes.extend_from_slice(&more[..count]),
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).map_err(|_| ErrorKind::InvalidData)?;
        bytes.drain(..end + 4);
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(head);
        if answered == manners.answers {
            return Ok(());
        }
        thread::sleep(manners.delay);
        connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    }
    Ok(())
}
