//! One execution of a program and its rings.
//!
//! Decides: when a session is over, and how its losses are logged.
//! Trusts: the order of a goroutine's records (see `calls::order`). Sizes and counters are checked.
//! Never does: print. It hands finished operations to the outlet.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::attach::control_page::ControlPage;
use crate::attach::heartbeat::Heartbeat;
use crate::attach::offer::Started;
use crate::attach::peer::Peer;
use crate::calls::clock::Clock;
use crate::calls::operation::Operation;
use crate::calls::order::Order;
use crate::calls::program::Program;
use crate::calls::{Calls, Entries, Event};
use crate::config::ContextsConfig;
use crate::control::api::RuleStatus;
use crate::control::switch::{Setting, Switches};
use crate::execution::Execution;
use crate::outlet::Outlet;
use crate::rings::claims::Claims;
use crate::rings::{Contexts, Counters, Drained, Positions, Rings};
use crate::summary::Summary;

/// How often the losses of one process are logged.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// How often what processes count of trace contexts is read.
const COUNT_EVERY: Duration = Duration::from_millis(100);

/// A session.
pub(crate) struct Session {
    pub(crate) peer: Peer,
    control: ControlPage,
    rings: Box<dyn Rings>,
    ring_bytes: u32,
    ring_memory: u64,
    begun_at: Instant,
    execution: Execution,
    /// Which functions are switched on.
    enabled: Vec<bool>,
    order: Order<Event>,
    calls: Calls,
    counters: Counters,
    /// What the process had counted of contexts when they were last read, and when that was.
    contexts: (Contexts, Instant),
    claims: Claims,
    /// The positions of its first ring, where the process notes when it resumed, and when it last
    /// did.
    first_ring: Arc<Positions>,
    resumed: u64,
    unlogged: Unlogged,
    /// When to close it, once another session has replaced it.
    give_up_at: Option<Instant>,
}

/// Losses that were not logged yet.
#[derive(Debug, Default)]
struct Unlogged {
    ring_full: u64,
    slot_busy: u64,
    output_full: u64,
    malformed: u64,
    words_missing: u64,
    logged_at: Option<Instant>,
}

impl Unlogged {
    fn is_any(&self) -> bool {
        let counts = [self.ring_full, self.slot_busy, self.output_full, self.malformed, self.words_missing];
        counts.iter().any(|count| *count > 0)
    }
}

impl Session {
    pub(crate) fn new(peer: Peer, control: ControlPage, started: Started, execution: Execution) -> Self {
        let (ring_bytes, ring_memory) = (started.ring_bytes, started.ring_memory());
        let rings = started.rings;
        let (counters, contexts) = (control.counted(), rings.contexts());
        let mut positions = rings.positions();
        let claims = Claims::new(positions.len());
        let first_ring = positions.swap_remove(0);
        // The control page has every function on.
        let enabled = vec![true; execution.program.functions()];
        Self {
            calls: Calls::new(peer.pid, Entries::Once),
            peer,
            control,
            rings,
            ring_bytes,
            ring_memory,
            begun_at: Instant::now(),
            execution,
            enabled,
            order: Order::new(),
            contexts: (contexts, Instant::now()),
            counters,
            claims,
            resumed: first_ring.resumed(),
            first_ring,
            unlogged: Unlogged::default(),
            give_up_at: None,
        }
    }

    /// Shows the process that gopatchd is alive, until the session ends.
    pub(crate) fn beat(&self, heartbeat: &mut Heartbeat) -> io::Result<()> {
        heartbeat.add(&self.control, self.rings.positions(), self.peer.memory.clone())
    }

    /// Readable once the process is gone.
    pub(crate) fn pidfd(&self) -> BorrowedFd<'_> {
        self.peer.pidfd.as_fd()
    }

    /// Says what the process does with trace contexts.
    pub(crate) fn set_contexts(&self, contexts: ContextsConfig) {
        self.control.set_contexts(contexts);
    }

    /// Tells the process to write no more records.
    pub(crate) fn detach(&self) {
        self.control.detach();
    }

    /// Another session has replaced this one: detach, and close it at `at`.
    pub(crate) fn replace(&mut self, at: Instant) {
        self.control.detach();
        self.give_up_at = Some(self.give_up_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// Records that found no room in their ring or its slot busy, by the counters read last.
    pub(crate) fn unwritten(&self) -> u64 {
        self.counters.ring_full.saturating_add(self.counters.slot_busy)
    }

    /// Bytes that its rings take if each P fills one.
    pub(crate) fn ring_memory(&self) -> u64 {
        self.ring_memory
    }

    /// When gopatchd knew that the process has it.
    pub(crate) fn begun_at(&self) -> Instant {
        self.begun_at
    }

    /// When it needs attention even if its process does nothing.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let log = self.unlogged.logged_at.filter(|_| self.unlogged.is_any()).map(|logged_at| logged_at + LOG_EVERY);
        self.give_up_at.into_iter().chain(log).min()
    }

    /// When to close it, if another session has replaced it.
    pub(crate) fn give_up_at(&self) -> Option<Instant> {
        self.give_up_at
    }

    /// Reads every ring once, and processes the records of the pass before. Returns how full the
    /// fullest ring was.
    pub(crate) fn pass(&mut self, clock: &mut Clock, summary: &mut Summary, outlet: &mut Outlet) -> f64 {
        let fullest = self.drain(summary);
        // After the rings: a record from after a gap that this pass has read shows the gap's end.
        let resumed = self.first_ring.resumed();
        if resumed != self.resumed {
            self.resumed = resumed;
            self.calls.begin_gap(resumed);
        }
        // Without records nothing needs the time.
        if !self.order.is_empty() || self.calls.has_gap() {
            clock.update();
            self.process_records(clock, outlet);
        }
        fullest as f64 / f64::from(self.ring_bytes)
    }

    /// The last pass. Calls that are still open are unfinished. The next gopatchd may take the
    /// session.
    pub(crate) fn close(mut self, clock: &mut Clock, summary: &mut Summary, outlet: &mut Outlet) {
        let now = clock.update();
        self.rings.wait_until_ready();
        self.drain(summary);
        self.count_contexts(summary);
        // Records that this pass has read are processed by the next, which has nothing to read.
        self.process_records(clock, outlet);
        self.process_records(clock, outlet);
        self.unlogged.logged_at = None;
        self.log_losses();
        self.control.release();
        let Self { execution, calls, .. } = self;
        let mut state = execution.process.state();
        calls.finish(now, &execution.program, clock, summary, &mut |operation| {
            outlet.take(&execution, &mut state, operation);
        });
    }

    fn drain(&mut self, summary: &mut Summary) -> u64 {
        if !self.control.is_ours() {
            // Another gopatchd reads them. This one was stopped for so long that it seemed dead.
            self.give_up_at = Some(Instant::now());
            return 0;
        }
        let (mut records, mut malformed) = (0, 0);
        let program = &self.execution.program;
        let (bytes, mut fresh) = self.order.fresh();
        let mut sink = |at, payload: &[u8]| match Event::read(payload, program) {
            Some((event, payload)) => {
                records += 1;
                fresh.push(event, at, payload.len());
            }
            None => malformed += 1,
        };
        // All rings or none: a goroutine's records may be in several (see `calls::order`).
        let drained = if self.rings.is_ready() { self.rings.drain(bytes, &mut sink) } else { Drained::default() };
        for (ring, error) in &drained.broken {
            tracing::warn!("pid {}: ring {ring} is no longer read: {error}", self.peer.pid);
        }
        if self.contexts.1.elapsed() >= COUNT_EVERY {
            self.count_contexts(summary);
        }
        let counters = self.rings.counters();
        let claimed = counters.since(self.counters);
        let [ring_full, slot_busy, words_missing] =
            [claimed.ring_full, claimed.slot_busy, claimed.words_missing].map(|claim| {
                let accepted = self.claims.accept(claim);
                summary.unproven_losses = summary.unproven_losses.saturating_add(claim - accepted);
                accepted
            });
        if counters != self.counters {
            self.counters = counters;
            self.control.set_counted(counters);
        }
        malformed += drained.malformed;

        summary.records += records;
        let nothing = [records, ring_full, slot_busy, drained.output_full, malformed].iter().all(|count| *count == 0);
        if !nothing {
            let mut state = self.execution.process.state();
            state.records += records;
            state.lost.ring_full = state.lost.ring_full.saturating_add(ring_full);
            state.lost.slot_busy = state.lost.slot_busy.saturating_add(slot_busy);
            state.lost.output_full += drained.output_full;
            state.lost.malformed += malformed;
        }
        summary.broken_rings += drained.broken.len() as u64;
        let unlogged = &mut self.unlogged;
        for (count, sums) in [
            (ring_full, [&mut summary.lost.ring_full, &mut unlogged.ring_full]),
            (slot_busy, [&mut summary.lost.slot_busy, &mut unlogged.slot_busy]),
            (drained.output_full, [&mut summary.lost.output_full, &mut unlogged.output_full]),
            (malformed, [&mut summary.lost.malformed, &mut unlogged.malformed]),
            (words_missing, [&mut summary.words_missing, &mut unlogged.words_missing]),
        ] {
            for sum in sums {
                *sum = sum.saturating_add(count);
            }
        }
        self.log_losses();
        drained.fullest
    }

    /// Counts what became of trace contexts. Nothing depends on it, so it is not done at every pass.
    fn count_contexts(&mut self, summary: &mut Summary) {
        let contexts = self.rings.contexts();
        let new = contexts.since(self.contexts.0).0;
        self.contexts = (contexts, Instant::now());
        for (sum, count) in summary.contexts.iter_mut().zip(new) {
            *sum = sum.saturating_add(count);
        }
    }

    fn log_losses(&mut self) {
        if self.unlogged.logged_at.is_some_and(|logged_at| logged_at.elapsed() < LOG_EVERY) {
            return;
        }
        let unlogged = std::mem::take(&mut self.unlogged);
        for (count, what) in [
            (unlogged.ring_full, "records lost: their ring was full (see --ring-bytes)"),
            (unlogged.slot_busy, "records lost: their hook interrupted another hook"),
            (unlogged.output_full, "records lost: the output ring was full"),
            (unlogged.malformed, "records lost: they were malformed"),
            (unlogged.words_missing, "exits recorded without the values saved at entry"),
        ] {
            if count > 0 {
                tracing::warn!("pid {}: {count} {what}", self.peer.pid);
                self.unlogged.logged_at = Some(Instant::now());
            }
        }
    }

    fn process_records(&mut self, clock: &Clock, outlet: &mut Outlet) {
        let execution = &self.execution;
        let program = &execution.program;
        let mut state = execution.process.state();
        outlet.watch(&mut state);
        let mut sink = |operation: &mut Operation<'_>| outlet.take(execution, &mut state, operation);
        self.calls.take_all(self.order.end_pass(), program, clock, &mut sink);
        self.calls.end_pass(program, clock, &mut sink);
    }

    /// Switches a rule. Returns how many functions of the program it has.
    pub(crate) fn switch_rule(&mut self, rule: &str, setting: Setting) -> usize {
        let mut state = self.execution.process.state();
        let Some(known) = state.rules.iter_mut().find(|known| known.name == rule) else { return 0 };
        known.state.set(setting);
        let functions = known.functions;
        drop(state);
        self.apply_rules();
        functions
    }

    /// Switches every function to the setting of its rule.
    pub(crate) fn apply_rules(&mut self) {
        let program = &self.execution.program;
        let mut state = self.execution.process.state();
        let known: HashMap<_, _> = state.rules.iter().map(|rule| (rule.name.as_str(), rule.state)).collect();
        let settings = program.rules().iter().map(|rule| known.get(rule.name.as_str()).copied().unwrap_or_default());
        let settings: Vec<_> = settings.collect();
        state.samples.clear();
        let mut is_changed = false;
        for index in 0..program.functions() {
            let set = settings[program.rule_of(index as u32) as usize];
            if let Some(ratio) = set.sample {
                state.samples.insert(index as u32, ratio);
            }
            if set.enabled == self.enabled[index] {
                continue;
            }
            self.control.switch(index, set.enabled);
            self.enabled[index] = set.enabled;
            is_changed = true;
            if !set.enabled {
                // The exits of its open calls will not be recorded.
                self.calls.forget(index as u32);
            }
        }
        // When the process reads its switches again, it loses the values that open calls have saved
        // at entry.
        if is_changed {
            self.control.publish_switches();
        }
    }

    /// The execution that has this session.
    pub(crate) fn execution(&self) -> &Execution {
        &self.execution
    }

    /// Whether its program is known to be over. The last records of one are in the rings.
    pub(crate) fn is_over(&self) -> bool {
        self.peer.is_over()
    }

    /// Whether a session of the same pid, for a program with this manifest, is of the same
    /// execution. `is_first` if its program has had none before.
    pub(crate) fn has_execution_of(&self, manifest_id: [u8; 16], is_first: bool) -> bool {
        self.execution.manifest_id == manifest_id
            && match &self.peer.memory {
                Some(memory) => !memory.check(),
                None => !is_first,
            }
    }

    /// The rules of a program, and how they are set.
    pub(crate) fn initial_rules(program: &Program, switches: &Switches) -> Vec<RuleStatus> {
        let rules = program.rules().iter();
        rules
            .map(|rule| RuleStatus {
                name: rule.name.clone(),
                functions: rule.functions,
                state: switches.state(&rule.name),
            })
            .collect()
    }
}
