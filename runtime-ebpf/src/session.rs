//! One process and its rings.
//!
//! Decides: when a session is over, and what is said of its losses.
//! Trusts: the order of a goroutine's records (see `order`). Sizes and counters are checked.
//! Never does: printing; it hands finished operations to the outlet.

use std::collections::{BTreeMap, HashMap};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::attach::control_page::ControlPage;
use crate::attach::peer::Peer;
use crate::calls::clock::Clock;
use crate::calls::order::Order;
use crate::calls::program::Program;
use crate::calls::{Calls, Entries, Event};
use crate::control::api::Rule;
use crate::control::switch::{Setting, Switches};
use crate::outlet::Outlet;
use crate::rings::{Counters, Rings};
use crate::summary::Summary;
use crate::telemetry::process::Process;

/// How often losses of one process are told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A session.
pub(crate) struct Session {
    pub(crate) peer: Peer,
    control: ControlPage,
    rings: Box<dyn Rings>,
    ring_bytes: u32,
    program: Program,
    process: Arc<Process>,
    /// Which functions are switched on.
    on: Vec<bool>,
    order: Order<Event>,
    calls: Calls,
    counters: Counters,
    untold: Untold,
    /// When it is to be given up, once another session has taken its place.
    until: Option<Instant>,
}

/// Losses that nobody was told of yet.
#[derive(Debug, Default)]
struct Untold {
    ring_full: u64,
    output_full: u64,
    malformed: u64,
    words_missing: u64,
    told_at: Option<Instant>,
}

impl Untold {
    fn is_any(&self) -> bool {
        [self.ring_full, self.output_full, self.malformed, self.words_missing].iter().any(|count| *count > 0)
    }
}

impl Session {
    pub(crate) fn new(
        peer: Peer,
        control: ControlPage,
        rings: (Box<dyn Rings>, u32),
        program: Program,
        process: Arc<Process>,
    ) -> Self {
        let (rings, ring_bytes) = rings;
        // As a control page is made.
        let on = vec![true; program.functions()];
        Self {
            calls: Calls::new(peer.pid, Entries::Once),
            peer,
            control,
            rings,
            ring_bytes,
            program,
            process,
            on,
            order: Order::new(),
            counters: Counters::default(),
            untold: Untold::default(),
            until: None,
        }
    }

    /// Readable once the process is gone.
    pub(crate) fn pidfd(&self) -> BorrowedFd<'_> {
        self.peer.pidfd.as_fd()
    }

    /// Tells the process to leave its rings.
    pub(crate) fn detach(&self) {
        self.control.detach();
    }

    /// Another session has taken this one's place: give it up at `until`.
    pub(crate) fn replaced(&mut self, until: Instant) {
        self.control.detach();
        self.until = Some(self.until.map_or(until, |earlier| earlier.min(until)));
    }

    /// Records that found their ring full, as far as was read.
    pub(crate) fn ring_full(&self) -> u64 {
        self.counters.ring_full
    }

    /// Bytes that its rings take.
    pub(crate) fn ring_memory(&self) -> u64 {
        self.rings.positions().len() as u64 * u64::from(self.ring_bytes)
    }

    /// When it needs a look even if its process does nothing.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let tell = self.untold.told_at.filter(|_| self.untold.is_any()).map(|told_at| told_at + TELL_EVERY);
        self.until.into_iter().chain(tell).min()
    }

    /// When it is to be given up.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Reads every ring once and looks at what may be looked at. Gives how full the fullest ring was.
    pub(crate) fn pass(&mut self, clock: &mut Clock, summary: &mut Summary, outlet: &mut Outlet) -> f64 {
        let fullest = self.drain(summary);
        // Only records need the time.
        if !self.order.is_empty() {
            clock.update();
            self.look(clock, outlet);
        }
        fullest as f64 / f64::from(self.ring_bytes)
    }

    /// The last pass: whatever is still open is unfinished.
    pub(crate) fn close(mut self, clock: &mut Clock, summary: &mut Summary, outlet: &mut Outlet) {
        let now = clock.update();
        self.drain(summary);
        // What this pass has read waits for the next, which has nothing to read.
        self.look(clock, outlet);
        self.look(clock, outlet);
        self.untold.told_at = None;
        self.tell();
        let Self { process, program, calls, .. } = self;
        let mut state = process.state();
        calls.finish(now, &program, clock, summary, &mut |operation| {
            outlet.take(&process, &mut state, &program, operation);
        });
    }

    fn drain(&mut self, summary: &mut Summary) -> u64 {
        let (mut records, mut malformed) = (0, 0);
        let program = &self.program;
        let (bytes, mut fresh) = self.order.fresh();
        let drained = self.rings.drain(bytes, &mut |at, payload| match Event::read(payload, program) {
            Some((event, payload)) => {
                records += 1;
                fresh.push(event, at, payload.len());
            }
            None => malformed += 1,
        });
        for (ring, error) in &drained.broken {
            tracing::warn!("pid {}: ring {ring} is not read any more: {error}", self.peer.pid);
        }
        let counters = self.rings.counters();
        let Counters { ring_full, words_missing } = counters.since(self.counters);
        self.counters = counters;
        malformed += drained.malformed;

        summary.records += records;
        let nothing = [records, ring_full, drained.output_full, malformed].iter().all(|count| *count == 0);
        if !nothing {
            let mut state = self.process.state();
            state.records += records;
            state.lost.ring_full += ring_full;
            state.lost.output_full += drained.output_full;
            state.lost.malformed += malformed;
        }
        summary.broken_rings += drained.broken.len() as u64;
        let untold = &mut self.untold;
        for (count, sums) in [
            (ring_full, [&mut summary.lost.ring_full, &mut untold.ring_full]),
            (drained.output_full, [&mut summary.lost.output_full, &mut untold.output_full]),
            (malformed, [&mut summary.lost.malformed, &mut untold.malformed]),
            (words_missing, [&mut summary.words_missing, &mut untold.words_missing]),
        ] {
            for sum in sums {
                *sum = sum.saturating_add(count);
            }
        }
        self.tell();
        drained.fullest
    }

    fn tell(&mut self) {
        if self.untold.told_at.is_some_and(|told_at| told_at.elapsed() < TELL_EVERY) {
            return;
        }
        let untold = std::mem::take(&mut self.untold);
        for (count, what) in [
            (untold.ring_full, "records lost, their ring was full (see --ring-bytes)"),
            (untold.output_full, "records lost, the output ring was full"),
            (untold.malformed, "records lost, they were malformed"),
            (untold.words_missing, "calls were without what their entry leaves for the exit"),
        ] {
            if count > 0 {
                tracing::warn!("pid {}: {count} {what}", self.peer.pid);
                self.untold.told_at = Some(Instant::now());
            }
        }
    }

    fn look(&mut self, clock: &Clock, outlet: &mut Outlet) {
        let (process, program) = (&self.process, &self.program);
        let mut state = process.state();
        outlet.watch(&mut state);
        self.calls.take_all(self.order.end_pass(), program, clock, &mut |operation| {
            outlet.take(process, &mut state, program, operation);
        });
    }

    /// Switches a rule. Gives how many functions it has here.
    pub(crate) fn switch(&mut self, rule: &str, setting: Setting) -> usize {
        let mut state = self.process.state();
        let Some(known) = state.rules.iter_mut().find(|known| known.name == rule) else { return 0 };
        known.state.set(setting);
        let functions = known.functions;
        drop(state);
        self.apply_rules();
        functions
    }

    /// Has every function do what its rule is switched to.
    pub(crate) fn apply_rules(&mut self) {
        let mut state = self.process.state();
        let rules: HashMap<_, _> = state.rules.iter().map(|rule| (rule.name.clone(), rule.state)).collect();
        state.samples.clear();
        let mut is_changed = false;
        for index in 0..self.program.functions() {
            let set = rules.get(&self.program.function(index).rule).copied().unwrap_or_default();
            if let Some(ratio) = set.sample {
                state.samples.insert(index as u32, ratio);
            }
            if set.enabled == self.on[index] {
                continue;
            }
            self.control.switch(index, set.enabled);
            self.on[index] = set.enabled;
            is_changed = true;
            if !set.enabled {
                // Their exits will not be recorded.
                self.calls.forget(index as u32);
            }
        }
        // To look again costs the process what the entries of its open calls have kept for their exits.
        if is_changed {
            self.control.switched();
        }
    }

    /// Whose session it is.
    pub(crate) fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// The rules of a program, as they are switched.
    pub(crate) fn rules(program: &Program, switches: &Switches) -> Vec<Rule> {
        let mut functions: BTreeMap<&str, usize> = BTreeMap::new();
        for index in 0..program.functions() {
            *functions.entry(&program.function(index).rule).or_default() += 1;
        }
        let rules = functions.into_iter();
        rules.map(|(name, functions)| Rule { name: name.to_owned(), functions, state: switches.of(name) }).collect()
    }
}
