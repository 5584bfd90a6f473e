//! One execution of a program and its rings.
//!
//! Decides: when a session is over.
//! Trusts: the order of a goroutine's records (see `calls::order`). Sizes and counters are checked.
//! Never does: print. It hands finished operations to the outlet.
//!
//! - [`all`]: the sessions of all processes;
//! - [`turn`]: how long those of each user are served;
//! - [`unlogged`]: how its losses are logged;
//! - [`contexts`]: what its process counts of trace contexts.

pub(crate) mod all;
mod contexts;
pub(crate) mod turn;
mod unlogged;

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::contexts::ContextCounts;
use self::turn::Allowance;
use self::unlogged::Unlogged;
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
use crate::quota::Share;
use crate::quota::table::Kind;
use crate::rings::claims::Claims;
use crate::rings::{Counters, Drained, Positions, Rings};
use crate::summary::Summary;

/// Bytes that are read, and records that are processed, between two looks at the clock.
const PART_BYTES: usize = 256 << 10;
const PART_RECORDS: usize = 1 << 10;

/// Most records and bytes that one pass reads. They are put in order at once, while no other session
/// is served, and take up to nine times their bytes of memory. A process whose rings hold more may have
/// written faster than gopatchd reads for a third of a second; then the exit of a call may come before
/// its entry.
const PASS_RECORDS: usize = 1 << 18;
const PASS_BYTES: usize = 32 << 20;

/// Bytes in rings that are read at once when the session is closed, and passes for more than that.
const LITTLE_BYTES: u64 = 256 << 10;
const LAST_PASSES: u32 = 64;

/// In what steps the memory of open calls is taken from its user, and how often it is logged that there
/// is no more.
const CALL_BYTES_STEP: u64 = 256 << 10;
const LOG_CALLS_EVERY: Duration = Duration::from_mins(1);

/// How far a pass over the rings of a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The rings are read.
    Reading,
    /// The records that are complete are processed; so many are.
    Processing(usize),
}

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
    stage: Stage,
    /// The pass is somewhere in the rings.
    is_cut: bool,
    /// How many passes there may be before it is closed. `None` as long as its program runs.
    passes_left: Option<u32>,
    calls: Calls,
    counters: Counters,
    contexts: ContextCounts,
    claims: Claims,
    /// The positions of its first ring, where the process notes when it resumed, and when it last
    /// did.
    first_ring: Arc<Positions>,
    resumed: u64,
    unlogged: Unlogged,
    /// When to close it, once another session has replaced it.
    give_up_at: Option<Instant>,
    _shares: Vec<Share>,
    /// For its open calls.
    call_bytes: Option<Share>,
    calls_logged_at: Option<Instant>,
}

impl Session {
    /// Begins one, which takes `shares` from its user.
    pub(crate) fn new(
        peer: Peer,
        control: ControlPage,
        started: Started,
        execution: Execution,
        shares: Vec<Share>,
    ) -> Self {
        let (ring_bytes, ring_memory) = (started.ring_bytes, started.ring_memory());
        let rings = started.rings;
        let counters = control.counted();
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
            stage: Stage::Reading,
            is_cut: false,
            passes_left: None,
            contexts: ContextCounts::new(&*rings),
            counters,
            claims,
            resumed: first_ring.resumed(),
            first_ring,
            unlogged: Unlogged::default(),
            give_up_at: None,
            call_bytes: shares.first().and_then(|share| share.another(Kind::CallBytes)),
            calls_logged_at: None,
            _shares: shares,
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

    /// Records that found no room in their ring or its slot busy, by the counters that the process
    /// keeps.
    pub(crate) fn unwritten(&mut self, summary: &mut Summary) -> u64 {
        if self.control.is_ours() {
            self.count(summary, &Drained::default(), (0, 0));
        }
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
        let log = self.unlogged.deadline();
        self.give_up_at.into_iter().chain(log).min()
    }

    /// When to close it, if another session has replaced it.
    pub(crate) fn give_up_at(&self) -> Option<Instant> {
        self.give_up_at
    }

    /// Reads every ring once, and processes the records of the pass before; or goes on with that,
    /// as far as it is allowed. Returns how full the fullest ring was.
    pub(crate) fn pass(
        &mut self,
        Allowance { until, bytes: most }: Allowance,
        clock: &mut Clock,
        summary: &mut Summary,
        outlet: &mut Outlet,
    ) -> f64 {
        let mut fullest = 0;
        if self.stage == Stage::Reading {
            loop {
                fullest = self.drain(summary).max(fullest);
                let (records, bytes) = self.order.read();
                if !self.is_cut || records >= PASS_RECORDS || bytes >= PASS_BYTES.min(most) {
                    break;
                }
                if Instant::now() >= until {
                    return fullest as f64 / f64::from(self.ring_bytes);
                }
            }
            // After the rings: a record from after a gap that this pass has read shows the gap's end.
            let resumed = self.first_ring.resumed();
            if resumed != self.resumed {
                self.resumed = resumed;
                self.calls.begin_gap(resumed);
            }
            self.passes_left = self.passes_left.map(|passes| passes.saturating_sub(1));
            // Without records nothing needs the time.
            if self.order.is_empty() && !self.calls.has_gap() {
                return 0.0;
            }
            self.order.end_pass();
            self.stage = Stage::Processing(0);
        }
        clock.update();
        self.process_records(until, clock, outlet);
        fullest as f64 / f64::from(self.ring_bytes)
    }

    /// Bytes that were read and not processed yet.
    pub(crate) fn waiting(&self) -> usize {
        self.order.waiting()
    }

    /// Whether a pass is not over. The next call goes on with it.
    pub(crate) fn is_behind(&self) -> bool {
        self.is_cut || self.stage != Stage::Reading
    }

    /// Its program is over, or has another session: no more records come, beyond those in its rings.
    pub(crate) fn begin_close(&mut self) {
        self.passes_left.get_or_insert(LAST_PASSES);
    }

    /// Whether it is about to be closed.
    pub(crate) fn is_closing(&self) -> bool {
        self.passes_left.is_some()
    }

    /// Whether so little is left of it that it can be closed at once.
    pub(crate) fn can_close(&mut self) -> bool {
        let Some(passes) = self.passes_left else { return false };
        if passes == 0 {
            return true;
        }
        let unread = self.rings.positions().iter().map(|ring| ring.unread(self.ring_bytes)).sum::<u64>();
        unread <= LITTLE_BYTES && !self.is_behind() && self.rings.is_ready()
    }

    /// The last pass, which ends soon after `until`. Calls that are still open are unfinished. The
    /// next gopatchd may take the session.
    pub(crate) fn close(mut self, until: Instant, clock: &mut Clock, summary: &mut Summary, outlet: &mut Outlet) {
        let now = clock.update();
        self.rings.wait_until_ready();
        // One that goes on, one that reads what is left, and one that processes it, which has nothing
        // to read.
        for _ in 0..3 {
            self.pass(Allowance::until(until), clock, summary, outlet);
        }
        self.contexts.count_now(&*self.rings, summary);
        self.unlogged.log_now(self.peer.pid);
        self.control.release();
        let Self { execution, calls, .. } = self;
        let mut state = execution.process.state();
        calls.finish(now, &execution.program, clock, summary, &mut |operation| {
            outlet.take(&execution, &mut state, operation);
        });
    }

    /// Reads a part of its rings. Returns how many bytes the fullest of them had.
    fn drain(&mut self, summary: &mut Summary) -> u64 {
        if !self.control.is_ours() {
            // Another gopatchd reads them. This one was stopped for so long that it seemed dead.
            self.give_up_at = Some(Instant::now());
            self.is_cut = false;
            return 0;
        }
        let (mut records, mut malformed) = (0, 0);
        let program: &Program = &self.execution.program;
        let (bytes, mut fresh) = self.order.fresh();
        let mut sink = |at, payload: &[u8]| match Event::read(payload, program) {
            Some((event, payload)) => {
                records += 1;
                fresh.push(event, at, payload.len());
            }
            None => malformed += 1,
        };
        // All rings or none: a goroutine's records may be in several (see `calls::order`).
        let drained =
            if self.rings.is_ready() { self.rings.drain(PART_BYTES, bytes, &mut sink) } else { Drained::default() };
        self.is_cut = drained.is_cut;
        for (ring, error) in &drained.broken {
            tracing::warn!("pid {}: ring {ring} is no longer read: {error}", self.peer.pid);
        }
        malformed += drained.malformed;
        self.count(summary, &drained, (records, malformed));
        drained.fullest
    }

    /// Counts what was read, and what the process has lost by its own count.
    fn count(&mut self, summary: &mut Summary, drained: &Drained, (records, malformed): (u64, u64)) {
        self.contexts.count(&*self.rings, summary);
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
        self.unlogged.log(self.peer.pid);
    }

    /// Takes the memory of its open calls from its user. Without it the oldest are given up.
    fn take_call_bytes(&mut self) {
        let (Some(share), needed) = (&mut self.call_bytes, self.calls.memory() as u64) else { return };
        // It is mostly little, and then always the same.
        let wanted = needed.next_multiple_of(CALL_BYTES_STEP);
        if wanted == share.amount() {
            return;
        }
        match share.resize(wanted) {
            Ok(()) => self.calls.limit(None),
            Err(exceeded) => {
                self.calls.limit(Some(share.amount().max(CALL_BYTES_STEP) as usize));
                if self.calls_logged_at.is_none_or(|logged_at| logged_at.elapsed() >= LOG_CALLS_EVERY) {
                    self.calls_logged_at = Some(Instant::now());
                    tracing::warn!("pid {}: open calls are given up: {exceeded}", self.peer.pid);
                }
            }
        }
    }

    /// Processes the records that are complete, until soon after `until`.
    fn process_records(&mut self, until: Instant, clock: &Clock, outlet: &mut Outlet) {
        let Stage::Processing(mut done) = self.stage else { return };
        let execution = &self.execution;
        let program: &Program = &execution.program;
        let mut state = execution.process.state();
        outlet.watch(&mut state);
        let mut sink = |operation: &mut Operation<'_>| outlet.take(execution, &mut state, operation);
        loop {
            let left = self.order.ready(done);
            let part = left.len().min(PART_RECORDS);
            let is_last = part == left.len();
            self.calls.take_all(left.take(part), program, clock, &mut sink);
            done += part;
            if is_last {
                break;
            }
            if Instant::now() >= until {
                self.stage = Stage::Processing(done);
                return;
            }
        }
        self.calls.end_pass(program, clock, &mut sink);
        drop(state);
        self.stage = Stage::Reading;
        self.take_call_bytes();
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
        let program: &Program = &self.execution.program;
        let mut state = self.execution.process.state();
        let known: HashMap<_, _> = state.rules.iter().map(|rule| (rule.name.as_str(), rule.state)).collect();
        let settings = program.rules().iter().map(|rule| known.get(rule.name.as_str()).copied().unwrap_or_default());
        let settings: Vec<_> = settings.collect();
        drop(known);
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
