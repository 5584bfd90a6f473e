//! The main loop: who has come, who is gone, what lies in the rings.
//!
//! Decides: when to stop looking at the rings (how often is `cadence`), and the order in which a stop happens.
//! Trusts: nothing from outside; every peer's part is bounded in time and memory where it is handled.
//! Never does: waiting for a peer or a reader. It sleeps only in poll(2), and as long as it likes when nobody is
//! attached, or when all who are will ring.

use std::collections::HashMap;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::attach::control_page::ControlPage;
use crate::attach::handshake::{Granted, Greeting, Progress, Readers, Refusal};
use crate::attach::heartbeat::Heart;
use crate::attach::listener::Listener;
use crate::calls::clock::{Clock, invariant_tsc};
use crate::config::Config;
use crate::console::output::LAST_OUTPUT;
use crate::control::switch::{Switch, Switched, Switches};
use crate::export::{Exporter, Shared, Totals};
use crate::host;
use crate::outlet::Outlet;
use crate::rings::cadence::{Cadence, Rest};
use crate::rings::{self, Backend, Rings};
use crate::session::Session;
use crate::summary::Summary;
use crate::telemetry::metrics::{Keeping, Metrics};
use crate::telemetry::process::Process;

/// How long a session is drained after another has taken its place.
const REPLACED: Duration = Duration::from_secs(2);

/// How long rings are drained after everybody was told to leave: processes look about every 100 ms.
const LEAVING: Duration = Duration::from_millis(400);

/// Most connections that are not yet sessions. The others wait in the socket's backlog.
const MAX_GREETINGS: usize = 64;

/// How often the same is said of a process that is refused, and of how many different things so much is said.
const TELL_REFUSAL_EVERY: Duration = Duration::from_mins(1);
const MOST_REFUSALS_TOLD: usize = 256;

/// Files that are always waited for.
const ALWAYS: usize = 3;

/// How long no connection is accepted after accepting has failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Runs until a signal, or until nobody reads the output.
pub fn run(config: &Config) -> Result<()> {
    let mut daemon = Daemon::start(config)?;
    while !daemon.is_over() {
        daemon.turn()?;
    }
    daemon.end();
    Ok(())
}

struct Daemon {
    ring_bytes: Option<u32>,
    signals: UnixStream,
    listener: Option<Listener>,
    accept_after: Instant,
    readers: Readers,
    greetings: Vec<Greeting>,
    sessions: Vec<Session>,
    backend: Box<dyn Backend>,
    heart: Heart,
    clock: Clock,
    outlet: Outlet,
    summary: Summary,
    /// What was said of whom, and when.
    refusals_told: HashMap<(u32, String), Instant>,
    shared: Arc<Shared>,
    exporter: Exporter,
    keeping: Option<Keeping>,
    switches: Switches,
    passes: u64,
    drain_time: Duration,
    cadence: Cadence,
    /// Since when nothing was found.
    silent_since: Instant,
    /// When the end is due, once it has begun.
    end_at: Option<Instant>,
}

/// What poll(2) has found. The rest is found by trying: nothing that is tried blocks.
#[expect(clippy::struct_excessive_bools, reason = "each is a file of its own, and any of them can be ready")]
struct Ready {
    signal: bool,
    /// An executable was read.
    executable: bool,
    /// Somebody wants a rule switched.
    question: bool,
    /// Somebody wants to be accepted. Trying would cost a socket each time.
    connection: bool,
    /// Sessions whose process is gone, by index.
    gone: Vec<usize>,
}

impl Daemon {
    fn start(config: &Config) -> Result<Self> {
        let signals = host::stop_signals().context("cannot wait for signals")?;
        host::raise_file_limit();
        let listener = Listener::bind(&config.listen)?;
        let (backend, reason) = rings::open(config.backend, &config.pin)?;
        let shared = Arc::new(Shared::new(config)?);
        let exporter = Exporter::start(config, &shared)?;
        // The exporter can wait.
        host::raise_priority();
        if !invariant_tsc() {
            tracing::warn!("this CPU does not promise a steady time stamp counter; times may be wrong");
        }
        let summary = Summary {
            lost: crate::summary::Lost { left_by_earlier: backend.left_by_earlier(), ..Default::default() },
            ..Default::default()
        };
        let daemon = Self {
            ring_bytes: config.ring_bytes,
            signals,
            listener: Some(listener),
            accept_after: Instant::now(),
            readers: Readers::new(config.naming.clone())?,
            greetings: Vec::new(),
            sessions: Vec::new(),
            backend,
            heart: Heart::start().context("cannot start the heartbeat")?,
            clock: Clock::start(),
            outlet: Outlet::new(config, Arc::clone(&shared)).context("cannot write to standard output")?,
            summary,
            refusals_told: HashMap::new(),
            shared,
            exporter,
            keeping: config.metrics.keeping,
            switches: Switches::default(),
            passes: 0,
            drain_time: Duration::ZERO,
            cadence: Cadence::start(),
            silent_since: Instant::now(),
            end_at: None,
        };
        tracing::info!("listening on {}, backend {} ({reason})", config.listen.display(), daemon.backend.name());
        Ok(daemon)
    }

    /// One round: look at the rings, then sleep until something is to be done.
    fn turn(&mut self) -> Result<()> {
        let fullest = self.pass();
        self.cadence.found(fullest);
        if fullest > 0.0 {
            self.wake();
        } else {
            self.heart.doze(self.rest() != Rest::Awake);
        }
        if let Err(error) = self.outlet.printer.flush() {
            if error.kind() != io::ErrorKind::BrokenPipe {
                tracing::error!("cannot write the output, stopping: {error}");
            }
            self.begin_end();
        }
        self.tell();
        let ready = self.wait()?;
        if ready.signal {
            drop(self.signals.read(&mut [0; 64]));
            let asked_before = self.end_at.is_some();
            self.begin_end();
            if asked_before {
                // A second signal means: now.
                self.end_at = Some(Instant::now());
            }
        }
        self.drop_sessions(&ready.gone);
        if ready.question {
            self.switch();
        }
        if ready.connection {
            self.accept();
        }
        if ready.executable {
            self.readers.awake();
        }
        self.greet();
        Ok(())
    }

    /// Reads every ring once. Gives how full the fullest was.
    fn pass(&mut self) -> f64 {
        if self.sessions.is_empty() {
            return 0.0;
        }
        let begin = Instant::now();
        self.outlet.begin_pass();
        let mut fullest = 0.0_f64;
        for session in &mut self.sessions {
            fullest = fullest.max(session.pass(&mut self.clock, &mut self.summary, &mut self.outlet));
        }
        self.passes += 1;
        self.drain_time += begin.elapsed();
        fullest
    }

    /// Tells the exporter's thread what was counted.
    fn tell(&mut self) {
        self.outlet.printer.count(&mut self.summary);
        let totals = Totals {
            summary: self.summary.clone(),
            passes: self.passes,
            drain_time: self.drain_time,
            attached: self.sessions.len(),
            backend: self.backend.name(),
        };
        self.shared.tell(totals, self.looks().then(|| self.cadence.interval()));
    }

    /// Does what was asked for.
    fn switch(&mut self) {
        // What was recorded before is as it was then. One pass reads it, the next looks at it.
        self.pass();
        self.pass();
        for (Switch { rule, setting, pid }, asked) in self.shared.asked() {
            if pid.is_none() {
                self.switches.set(&rule, setting);
            }
            let mut switched = Switched::default();
            for session in &mut self.sessions {
                if pid.is_none_or(|pid| pid == session.peer.pid) {
                    let functions = session.switch(&rule, setting);
                    switched.processes += usize::from(functions > 0);
                    switched.functions += functions;
                }
            }
            // Who asked may be gone.
            let _ = asked.send(switched);
        }
    }

    /// Something has come, and more may follow.
    fn wake(&mut self) {
        if self.rest() == Rest::Asleep {
            self.cadence = Cadence::start();
        }
        self.silent_since = Instant::now();
        self.heart.doze(false);
    }

    fn rest(&self) -> Rest {
        if self.heart.can_listen() { Rest::after(self.silent_since.elapsed()) } else { Rest::Awake }
    }

    /// Whether it looks at the rings by itself.
    fn looks(&self) -> bool {
        !self.sessions.is_empty() && self.rest() != Rest::Asleep
    }

    /// Sleeps until there is something to do.
    fn wait(&self) -> Result<Ready> {
        let now = Instant::now();
        let readable = |file| PollFd::from_borrowed_fd(file, PollFlags::IN);
        let mut files =
            vec![readable(self.signals.as_fd()), readable(self.readers.wake()), readable(self.shared.wake())];
        files.extend(self.sessions.iter().map(|session| readable(session.pidfd())));
        files.extend(self.listener.iter().filter(|_| self.may_accept(now)).map(|listener| readable(listener.as_fd())));
        let others = files.len();
        files.extend(self.greetings.iter().filter_map(Greeting::awaits).map(readable));
        files.push(readable(self.heart.bell()));

        let timeout = self.next_deadline(now).map(|deadline| deadline.saturating_duration_since(now));
        let timeout = timeout.map(|timeout| Timespec::try_from(timeout).expect("some seconds"));
        match poll(&mut files, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("cannot wait for events"),
        }
        let is_ready = |file: &PollFd<'_>| !file.revents().is_empty();
        // The next pass looks for what it is about.
        if files.last().is_some_and(is_ready) {
            self.heart.heard();
        }
        let processes = files.iter().skip(ALWAYS).take(self.sessions.len()).enumerate();
        Ok(Ready {
            signal: is_ready(&files[0]),
            executable: is_ready(&files[1]),
            question: is_ready(&files[2]),
            connection: files[ALWAYS + self.sessions.len()..others].iter().any(is_ready),
            gone: processes.filter(|(_, pidfd)| is_ready(pidfd)).map(|(index, _)| index).collect(),
        })
    }

    fn may_accept(&self, now: Instant) -> bool {
        self.greetings.len() < MAX_GREETINGS && now >= self.accept_after
    }

    /// When something is to be done even if nothing happens; never, while nobody is here.
    fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let next_pass = self.looks().then(|| now + self.cadence.interval());
        let sessions = self.sessions.iter().filter_map(Session::deadline);
        let accept_again = (self.accept_after > now).then_some(self.accept_after);
        let greetings = self.greetings.iter().map(Greeting::deadline);
        greetings.chain(sessions).chain(next_pass).chain(accept_again).chain(self.end_at).min()
    }

    fn drop_sessions(&mut self, gone: &[usize]) {
        let now = Instant::now();
        let mut index = 0;
        let over = self.sessions.extract_if(.., |session| {
            index += 1;
            gone.contains(&(index - 1)) || session.until().is_some_and(|until| now >= until)
        });
        for session in over.collect::<Vec<_>>() {
            let process = Arc::clone(session.process());
            session.close(&mut self.clock, &mut self.summary, &mut self.outlet);
            // One that was only given another session goes on.
            if !self.sessions.iter().any(|other| Arc::ptr_eq(other.process(), &process)) {
                process.end();
                self.shared.forget();
            }
        }
    }

    fn accept(&mut self) {
        while self.may_accept(Instant::now()) {
            let Some(connection) = self.listener.as_ref().map(Listener::accept) else {
                return;
            };
            match connection {
                Ok(Some(socket)) => match Greeting::new(socket) {
                    Ok(greeting) => self.greetings.push(greeting),
                    Err(refusal) => self.count_refusal(0, &refusal),
                },
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    self.accept_after = Instant::now() + ACCEPT_PAUSE;
                    return;
                }
            }
        }
    }

    /// Goes on with everybody who is not yet a session.
    fn greet(&mut self) {
        for greeting in std::mem::take(&mut self.greetings) {
            match greeting.advance(&self.readers) {
                Progress::Waiting(greeting) => self.greetings.push(greeting),
                Progress::Probe => {}
                Progress::Refused(greeting, refusal) => self.refuse(&greeting, &refusal),
                Progress::Complete(granted) => self.grant(granted),
            }
        }
    }

    fn grant(&mut self, granted: Box<Granted>) {
        let (control, rings, ring_bytes) = match self.offer(&granted) {
            Ok(offered) => offered,
            Err(refusal) => return self.refuse(&granted.ungrant(), &refusal),
        };
        let (peer, hello, program, resource) = granted.into_parts();
        // Read for the last time what the process can still have counted in its earlier rings.
        self.pass();
        let now = Instant::now();
        let (mut counted_here, mut same) = (None, None);
        for earlier in self.sessions.iter_mut().filter(|session| peer.pid != 0 && session.peer.pid == peer.pid) {
            counted_here = Some(earlier.ring_full());
            same = Some(Arc::clone(earlier.process()));
            earlier.replaced(if earlier.until().is_some() { now } else { now + REPLACED });
        }
        // Of a session of our own we know better: its rings are still drained, and its counters were read. What the
        // process says beyond that found no ring at all.
        let unconsumed = if counted_here.is_some() { 0 } else { hello.lost_unconsumed };
        let ring_full = hello.lost_ring_full.saturating_sub(counted_here.unwrap_or(0));
        if unconsumed > 0 || ring_full > 0 {
            tracing::info!(
                "pid {}: {unconsumed} records of its earlier session were not drained, {ring_full} found no room",
                peer.pid
            );
        }
        let lost = &mut self.summary.lost;
        lost.unconsumed = lost.unconsumed.saturating_add(unconsumed);
        lost.ring_full = lost.ring_full.saturating_add(ring_full);
        self.summary.sessions += 1;
        let process = same.unwrap_or_else(|| {
            let metrics = self.keeping.map(|keeping| Metrics::new(&program, keeping));
            let process = Arc::new(Process::new(peer.pid, unix_nanos_now(), resource, metrics));
            process.state().rules = Session::rules(&program, &self.switches);
            self.shared.processes.add(Arc::clone(&process));
            process
        });
        let mut session = Session::new(peer, control, (rings, ring_bytes), program, process);
        session.apply_rules();
        self.sessions.push(session);
        self.cadence = Cadence::start();
        self.wake();
    }

    /// Makes all that a session needs and sends it.
    fn offer(&mut self, granted: &Granted) -> Result<(ControlPage, Box<dyn Rings>, u32), Refusal> {
        let (control, file, bytes) =
            ControlPage::create(granted.program.functions()).map_err(|error| Refusal::Rings(error.into()))?;
        let in_use = self.sessions.iter().map(Session::ring_memory).sum();
        let ring_bytes = rings::ring_bytes(self.ring_bytes, granted.rings(), in_use);
        let (rings, files) = self.backend.create(granted.rings(), ring_bytes).map_err(Refusal::Rings)?;
        self.heart.keep(&control, rings.positions()).map_err(|error| Refusal::Rings(error.into()))?;
        granted.grant((&file, bytes), &files, ring_bytes)?;
        Ok((control, rings, ring_bytes))
    }

    fn refuse(&mut self, greeting: &Greeting, refusal: &Refusal) {
        greeting.refuse();
        self.count_refusal(greeting.pid(), refusal);
    }

    fn count_refusal(&mut self, pid: u32, refusal: &Refusal) {
        self.summary.refused += 1;
        // Who is refused tries again and again.
        let now = Instant::now();
        self.refusals_told.retain(|_, told| now.duration_since(*told) < TELL_REFUSAL_EVERY);
        let told = (pid, refusal.to_string());
        if self.refusals_told.len() >= MOST_REFUSALS_TOLD || self.refusals_told.contains_key(&told) {
            return;
        }
        self.refusals_told.insert(told, now);
        tracing::warn!("pid {pid} refused: {refusal}");
    }

    /// Nobody may come any more, and everybody is told to leave.
    fn begin_end(&mut self) {
        if self.end_at.is_some() {
            return;
        }
        self.listener = None;
        self.greetings.clear();
        self.sessions.iter().for_each(Session::detach);
        self.wake();
        let patience = if self.sessions.is_empty() { Duration::ZERO } else { LEAVING };
        self.end_at = Some(Instant::now() + patience);
    }

    fn is_over(&self) -> bool {
        self.end_at.is_some_and(|end_at| Instant::now() >= end_at)
    }

    /// Drains what is left and says what there was.
    fn end(mut self) {
        for session in std::mem::take(&mut self.sessions) {
            let process = Arc::clone(session.process());
            session.close(&mut self.clock, &mut self.summary, &mut self.outlet);
            process.end();
        }
        self.tell();
        self.exporter.end(&self.shared);
        let summary = self.summary.total();
        self.outlet.printer.finish(&summary, LAST_OUTPUT);
        tracing::info!("{summary}");
    }
}

fn unix_nanos_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}
