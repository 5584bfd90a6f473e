//! Clients of the HTTP port that read slowly, or say nothing, or garbage.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::client::Target;

/// Connections that read a page slowly, and those that say nothing.
const READERS: usize = 64;
const SILENT: usize = 300;

/// How long a connection is held if gopatchd does not close it.
const HELD: Duration = Duration::from_secs(20);

struct Held {
    connection: TcpStream,
    since: Instant,
}

/// Holds connections to the HTTP port, and replaces those that gopatchd closes.
pub(crate) fn hold(target: &Target, address: Option<&str>) -> Result<()> {
    let address: SocketAddr = address.context("an HTTP address is needed")?.parse()?;
    let mut held: Vec<Option<Held>> = (0..READERS + SILENT).map(|_| None).collect();
    loop {
        for (number, place) in held.iter_mut().enumerate() {
            // A byte at a time is slow, and shows whether the connection is still open.
            let is_open = place.as_mut().is_some_and(|held| {
                let read = held.connection.read(&mut [0]);
                let waits = read.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
                held.since.elapsed() < HELD && (waits || read.is_ok_and(|read| read > 0))
            });
            if !is_open {
                *place = open(address, number);
                target.tally.add("opened", u64::from(place.is_some()));
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn open(address: SocketAddr, number: usize) -> Option<Held> {
    let mut connection = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    let request: &[u8] = match number {
        0..READERS => b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
        _ if number.is_multiple_of(3) => b"GET /healthz HTTP/1.1\r\nContent-Length: 99999999999\r\n",
        _ if number.is_multiple_of(5) => &[0xff; 4096],
        _ => b"",
    };
    connection.write_all(request).ok()?;
    connection.set_nonblocking(true).ok()?;
    Some(Held { connection, since: Instant::now() })
}
