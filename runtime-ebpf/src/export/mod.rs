//! Where spans and metrics go: what the main loop hands over, and a thread that exports it.
//!
//! ```text
//!   main loop   queue (spans), telemetry::process (metrics), shared
//!   thread      push -> otlp, points            to an OTLP receiver
//!               server -> connections, page     to clients
//!               page -> prometheus, labels; status
//!               kubernetes                      the names of pods
//! ```
//!
//! Trusts: nothing from outside.
//! Never does: hold up the main loop for longer than it takes to copy the counters of one process.

mod connections;
mod kubernetes;
mod labels;
mod otlp;
mod page;
mod points;
mod prometheus;
mod push;
mod queue;
mod server;
mod shared;
mod status;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use tokio::sync::watch;

use self::otlp::Sender;
use self::push::{LAST_TRIES, Stop};
use self::server::Bound;
pub(crate) use self::shared::{Shared, Totals};
use crate::config::Config;
use crate::host::rights;
use crate::socket::BoundPath;

/// Requests with spans that are sent at the same time: with a distant receiver each takes a round
/// trip.
const PUSHERS: usize = 4;

/// The exporter's thread.
#[derive(Debug)]
pub(crate) struct Exporter {
    thread: JoinHandle<()>,
    stop: watch::Sender<Option<tokio::time::Instant>>,
    control: BoundPath,
}

impl Exporter {
    /// Starts the thread, after checking the settings.
    pub(crate) fn start(config: &Config, shared: &Arc<Shared>) -> Result<Self> {
        // An error means that a provider was installed before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = watch::channel(None);
        let mut pushers: Vec<tokio::task::JoinHandle<()>> = Vec::new();
        {
            let _inside = runtime.enter();
            if let Some(traces) = &config.traces {
                let sender = Sender::new(&traces.endpoint)?;
                for _ in 0..PUSHERS {
                    let spans = push::spans(Arc::clone(shared), traces.clone(), sender.clone(), Stop::clone(&stopped));
                    pushers.push(runtime.spawn(spans));
                }
            }
            if let Some(endpoint) = &config.metrics.endpoint {
                let sender = Sender::new(endpoint)?;
                let metrics = push::metrics(Arc::clone(shared), config.metrics.clone(), sender, Stop::clone(&stopped));
                pushers.push(runtime.spawn(metrics));
            }
        }
        // Without the API server gopatchd runs too.
        match if config.kubernetes { kubernetes::Api::in_cluster() } else { Ok(None) } {
            Ok(Some(api)) => drop(runtime.spawn(kubernetes::watch(Arc::clone(shared), api))),
            Ok(None) => {}
            Err(error) => tracing::warn!(
                "cannot query the Kubernetes API server, so telemetry lacks the names of pods: {error:#}"
            ),
        }
        let http = config.http.map(Bound::tcp).transpose()?;
        let (clients, control) = Bound::unix(&config.control)?;
        for door in http.into_iter().chain([clients]) {
            runtime.spawn(server::serve(door, Arc::clone(shared)));
        }
        let thread = std::thread::Builder::new().name("export".into()).spawn(move || {
            rights::keep_in_thread(rights::NONE);
            runtime.block_on(async {
                for pusher in pushers {
                    if let Err(error) = pusher.await {
                        tracing::error!("a task of the exporter failed: {error}");
                    }
                }
                // Clients are answered until the end.
                let mut stop = stopped;
                let _ = stop.wait_for(Option::is_some).await;
            });
        });
        let thread = thread.context("cannot start the exporter")?;
        Ok(Self { thread, stop, control })
    }

    /// Sends what is left, as far as the receiver accepts it in time.
    pub(crate) fn end(self, shared: &Shared) {
        self.stop.send_replace(Some(tokio::time::Instant::now() + LAST_TRIES));
        if self.thread.join().is_err() {
            tracing::error!("the exporter failed");
        }
        // The next gopatchd finds the path free.
        drop(self.control);
        if let Some(queue) = &shared.spans {
            let left = queue.waiting().0 as u64 + queue.counts().left.load(Ordering::Relaxed);
            if left > 0 {
                tracing::warn!("{left} spans were not pushed before gopatchd stopped");
            }
        }
    }
}
