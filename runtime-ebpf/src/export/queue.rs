//! Spans that wait to be pushed.
//!
//! Decides: what is kept when the receiver is slow or gone: the earliest spans, up to a number of
//! bytes. The rest is counted.
//! Never does: make the main loop wait. A push only takes the lock and moves the span.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::telemetry::process::Process;

/// An encoded span and its process.
#[derive(Debug)]
pub(crate) struct QueuedSpan {
    pub(crate) process: Arc<Process>,
    pub(crate) span: Box<[u8]>,
}

/// Bytes that a span takes in the queue besides its own, including those of the allocator.
const OVERHEAD: usize = size_of::<QueuedSpan>() + 16;

/// The queue.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    limits: QueueLimits,
    /// Something was pushed into an empty queue, or a batch is complete.
    changed: Notify,
    counts: Counts,
}

/// QueueLimits of the queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    pub(crate) bytes: usize,
    pub(crate) spans: usize,
    /// Spans of one request.
    pub(crate) batch: usize,
}

#[derive(Debug, Default)]
struct State {
    spans: VecDeque<QueuedSpan>,
    bytes: usize,
}

/// What became of spans.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Delivered to the receiver.
    pub(crate) pushed: AtomicU64,
    /// Lost: the queue was full.
    pub(crate) full: AtomicU64,
    /// Lost: the receiver refused them for good.
    pub(crate) rejected: AtomicU64,
    /// Lost: gopatchd ended before they were pushed.
    pub(crate) left: AtomicU64,
}

impl Queue {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self { state: Mutex::default(), limits, changed: Notify::new(), counts: Counts::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Most bytes of spans that wait.
    pub(crate) fn limit_bytes(&self) -> usize {
        self.limits.bytes
    }

    /// What became of spans so far.
    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Spans and bytes that wait.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let state = self.lock();
        (state.spans.len(), state.bytes)
    }

    /// Adds a span, or counts it as lost.
    pub(crate) fn push(&self, process: &Arc<Process>, span: Box<[u8]>) {
        let bytes = span.len() + OVERHEAD;
        let mut state = self.lock();
        if state.spans.len() >= self.limits.spans || state.bytes + bytes > self.limits.bytes {
            self.counts.full.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.bytes += bytes;
        state.spans.push_back(QueuedSpan { process: Arc::clone(process), span });
        let waiting = state.spans.len();
        drop(state);
        if waiting == 1 || waiting.is_multiple_of(self.limits.batch) {
            self.changed.notify_one();
        }
    }

    /// Waits for a whole batch, or for `delay` after the first span. Then takes the spans that
    /// wait, which may be none if another task took them.
    pub(crate) async fn batch(&self, delay: Duration) -> Vec<QueuedSpan> {
        while self.waiting().0 == 0 {
            self.changed.notified().await;
        }
        let whole = async {
            while self.waiting().0 < self.limits.batch {
                self.changed.notified().await;
            }
        };
        // After a timeout the batch is sent too.
        let _ = tokio::time::timeout(delay, whole).await;
        self.take()
    }

    /// Takes a batch, or fewer spans if fewer wait.
    pub(crate) fn take(&self) -> Vec<QueuedSpan> {
        let mut state = self.lock();
        let count = state.spans.len().min(self.limits.batch);
        let batch: Vec<_> = state.spans.drain(..count).collect();
        state.bytes -= batch.iter().map(|waiting| waiting.span.len() + OVERHEAD).sum::<usize>();
        if state.spans.is_empty() {
            // Frees the memory that a long outage took.
            state.spans.shrink_to(self.limits.batch);
        } else {
            self.changed.notify_one();
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::resource::Resource;

    fn queue(limits: QueueLimits) -> (Queue, Arc<Process>) {
        (Queue::new(limits), Arc::new(Process::new(7, 0, Resource::default(), None)))
    }

    #[test]
    fn a_full_queue_keeps_what_it_has_and_counts_the_rest() {
        let (queue, process) = queue(QueueLimits { bytes: 3 * (OVERHEAD + 100), spans: usize::MAX, batch: 2 });
        for first in 0..5u8 {
            queue.push(&process, vec![first; 100].into());
        }
        assert_eq!(queue.waiting(), (3, 3 * (OVERHEAD + 100)));
        assert_eq!(queue.counts().full.load(Ordering::Relaxed), 2);
        let firsts = |batch: Vec<QueuedSpan>| batch.iter().map(|waiting| waiting.span[0]).collect::<Vec<_>>();
        assert_eq!(firsts(queue.take()), [0, 1], "the earliest come first");
        queue.push(&process, vec![9; 100].into());
        assert_eq!(firsts(queue.take()), [2, 9], "there is room again");
        assert_eq!(queue.waiting(), (0, 0));
    }

    #[test]
    fn the_number_of_spans_is_bounded_too() {
        let (queue, process) = queue(QueueLimits { bytes: usize::MAX, spans: 2, batch: 2 });
        for _ in 0..3 {
            queue.push(&process, Box::default());
        }
        assert_eq!((queue.waiting().0, queue.counts().full.load(Ordering::Relaxed)), (2, 1));
    }

    #[test]
    fn a_batch_is_whole_or_waits() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build().expect("a runtime");
        let (queue, process) = queue(QueueLimits { bytes: usize::MAX, spans: usize::MAX, batch: 2 });
        runtime.block_on(async {
            let delay = Duration::from_secs(5);
            queue.push(&process, Box::default());
            queue.push(&process, Box::default());
            let begin = tokio::time::Instant::now();
            assert_eq!(queue.batch(delay).await.len(), 2);
            assert_eq!(begin.elapsed(), Duration::ZERO, "a whole batch does not wait");
            queue.push(&process, Box::default());
            assert_eq!(queue.batch(delay).await.len(), 1);
            assert_eq!(begin.elapsed(), delay, "a partial batch waits");
        });
    }
}
