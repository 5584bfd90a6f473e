//! The connections of clients: how many, how long, and which has to go.
//!
//! Decides: when a connection is closed. A new one always gets a place, so that a question about
//! health is answered however many others are silent or slow: the one that has not moved for the
//! longest gives way. Pages have places of their own, and the same holds among them.
//! Trusts: nothing. A client may be slow, silent, or one of many.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// Most connections of a socket that read no page.
const MAX_OTHERS: usize = 256;

/// Most connections of a socket that read a page.
const MAX_PAGES: usize = 32;

/// How long a client may take none of an answer, and how long all of an answer may take.
const STALLED: Duration = Duration::from_secs(10);
const WHOLE_ANSWER: Duration = Duration::from_mins(1);

/// How often the two are checked.
const CHECK: Duration = Duration::from_secs(1);

/// Connections that gopatchd has closed, by cause.
#[derive(Debug, Default)]
pub(crate) struct Closed {
    crowded: AtomicU64,
    slow: AtomicU64,
}

impl Closed {
    pub(super) fn counts(&self) -> [(&'static str, u64); 2] {
        [("too_many", self.crowded.load(Ordering::Relaxed)), ("slow", self.slow.load(Ordering::Relaxed))]
    }
}

/// The connections of a socket.
#[derive(Debug, Default)]
pub(super) struct Connections {
    all: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// When the client last took something of an answer, or connected.
    moved: Mutex<Instant>,
    /// Whether a write waits for the client.
    waits: AtomicBool,
    /// Since when it reads a page.
    page: Mutex<Option<Instant>>,
    must_go: Notify,
}

/// A connection's place, which is free once this is dropped.
pub(super) struct Place {
    pub(super) connection: Arc<Connection>,
    number: u64,
    connections: Arc<Connections>,
}

/// No code panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    /// A place for a new connection.
    pub(super) fn enter(self: &Arc<Self>, closed: &Closed) -> Place {
        let connection = Arc::new(Connection {
            moved: Mutex::new(Instant::now()),
            waits: AtomicBool::new(false),
            page: Mutex::new(None),
            must_go: Notify::new(),
        });
        self.make_room(false, MAX_OTHERS, closed);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.all).insert(number, Arc::clone(&connection));
        Place { connection, number, connections: Arc::clone(self) }
    }

    /// Closes the connection that has not moved for the longest, if there are too many that read a
    /// page, or that read none.
    fn make_room(&self, pages: bool, most: usize, closed: &Closed) {
        let mut all = lock(&self.all);
        let alike = |connection: &Connection| lock(&connection.page).is_some() == pages;
        if all.values().filter(|connection| alike(connection)).count() < most {
            return;
        }
        let alike = all.iter().filter(|(_, connection)| alike(connection));
        if let Some(number) = alike.min_by_key(|(_, connection)| *lock(&connection.moved)).map(|(number, _)| *number)
            && let Some(connection) = all.remove(&number)
        {
            connection.must_go.notify_one();
            closed.crowded.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Place {
    /// Takes a place for a page.
    pub(super) fn begin_page(&self, closed: &Closed) {
        self.connections.make_room(true, MAX_PAGES, closed);
        *lock(&self.connection.page) = Some(Instant::now());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.connections.all).remove(&self.number);
    }
}

impl Connection {
    /// The page, if it has read one, has been handed over.
    pub(super) fn end_page(&self) {
        *lock(&self.page) = None;
    }

    /// Returns when the connection must be closed.
    pub(super) async fn end(&self, closed: &Closed) {
        loop {
            tokio::select! {
                () = self.must_go.notified() => return,
                () = tokio::time::sleep(CHECK) => {}
            }
            let is_stalled = self.waits.load(Ordering::Relaxed) && lock(&self.moved).elapsed() >= STALLED;
            let is_late = lock(&self.page).is_some_and(|began| began.elapsed() >= WHOLE_ANSWER);
            if is_stalled || is_late {
                closed.slow.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
    }
}

/// A stream that notes when it moves.
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) connection: Arc<Connection>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.connection.waits.store(result.is_pending(), Ordering::Relaxed);
        if result.is_ready() {
            *lock(&self.connection.moved) = Instant::now();
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
