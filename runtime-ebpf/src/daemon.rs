//! The main loop: processes attach and end, and their rings are drained.
//!
//! Decides: when to stop looking at the rings (`rings::cadence` decides how often), and the order
//! of the steps of a stop.
//! Trusts: nothing from outside. The code that handles a peer bounds the time and memory it can
//! take.
//! Never does: wait for a peer or for a reader of the output. The loop sleeps only in poll(2), and
//! without a limit while no process is attached or all of them will ring.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use gopatch_protocol::wire::Hello;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::attach::acceptor::Acceptor;
use crate::attach::control_page::Owner;
use crate::attach::finder::OwnSocket;
use crate::attach::handshake::{Candidate, Refusal, Source};
use crate::attach::heartbeat::Heartbeat;
use crate::attach::listener::Listener;
use crate::attach::offer::Started;
use crate::attach::peer::Peer;
use crate::attach::starter::Starter;
use crate::calls::clock::{Clock, invariant_tsc};
use crate::calls::program::Program;
use crate::config::{Config, ContextsConfig};
use crate::console::output::LAST_OUTPUT;
use crate::control::switch::{Switch, Switched, Switches};
use crate::execution::Execution;
use crate::export::{Exporter, Shared, Totals};
use crate::host;
use crate::outlet::Outlet;
use crate::rings;
use crate::rings::cadence::{Cadence, Rest};
use crate::rings::claims::most_held;
use crate::session::Session;
use crate::summary::{Lost, Summary};
use crate::telemetry::metrics::{Keeping, Metrics};
use crate::telemetry::process::Process;
use crate::telemetry::resource::Resource;

/// How long a session is drained after another has replaced it.
const REPLACED: Duration = Duration::from_secs(2);

/// How long rings are drained after processes were told to detach: they read their control page
/// about every 100 ms.
const LEAVING: Duration = Duration::from_millis(400);

/// Files that every poll waits for, before those of the sessions.
const ALWAYS: usize = 3;

/// Runs until a signal, or until the output is closed. Returns whether its output was written to
/// the end.
pub fn run(config: &Config) -> Result<bool> {
    let mut daemon = Daemon::start(config)?;
    while !daemon.is_over() {
        daemon.turn()?;
    }
    Ok(daemon.end())
}

struct Daemon {
    signals: UnixStream,
    acceptor: Acceptor,
    starter: Starter,
    sessions: Vec<Session>,
    heartbeat: Heartbeat,
    clock: Clock,
    outlet: Outlet,
    summary: Summary,
    shared: Arc<Shared>,
    exporter: Exporter,
    keeping: Option<Keeping>,
    switches: Switches,
    contexts: ContextsConfig,
    passes: u64,
    drain_time: Duration,
    cadence: Cadence,
    /// Since when no pass has found a record.
    silent_since: Instant,
    /// When the stop is complete, once it has begun.
    end_at: Option<Instant>,
}

/// What poll(2) has found. Everything else is found by trying: nothing that is tried blocks.
#[expect(clippy::struct_excessive_bools, reason = "each is a file of its own, and any of them can be ready")]
struct Ready {
    signal: bool,
    /// An executable has been read.
    executable: bool,
    /// A client wants to switch a rule.
    switch: bool,
    /// A connection waits. To try costs a socket each time.
    connection: bool,
    /// Sessions whose process is gone or has executed another program, by index.
    gone: Vec<usize>,
}

impl Daemon {
    fn start(config: &Config) -> Result<Self> {
        let signals = host::stop_signals().context("cannot wait for signals")?;
        host::raise_file_limit();
        let listener = Listener::bind(&config.listen)?;
        let (socket, owner) = (OwnSocket::at(&config.listen)?, Owner::random()?);
        let (backend, reason) = rings::open(config.backend, &config.pin)?;
        let shared = Arc::new(Shared::new(config)?);
        let exporter = Exporter::start(config, &shared)?;
        // After the exporter's thread was started, which needs no priority.
        host::raise_priority();
        if !invariant_tsc() {
            tracing::warn!("this CPU has no invariant time stamp counter; times may be wrong");
        }
        let lost = Lost { left_by_earlier: backend.left_by_earlier(), ..Default::default() };
        let daemon = Self {
            signals,
            acceptor: Acceptor::start(listener, config, socket.clone(), owner)?,
            starter: Starter { ring_bytes: config.ring_bytes, socket, owner, backend },
            sessions: Vec::new(),
            heartbeat: Heartbeat::start().context("cannot start the heartbeat")?,
            clock: Clock::start(),
            outlet: Outlet::new(config, Arc::clone(&shared)).context("cannot write to standard output")?,
            summary: Summary { lost, ..Default::default() },
            shared,
            exporter,
            keeping: config.metrics.keeping,
            switches: Switches::default(),
            contexts: config.contexts,
            passes: 0,
            drain_time: Duration::ZERO,
            cadence: Cadence::start(),
            silent_since: Instant::now(),
            end_at: None,
        };
        host::rights::keep(host::rights::LOOK | daemon.starter.backend.rights())?;
        if config.filter
            && let Err(error) = host::filter::install()
        {
            tracing::warn!("system calls are not filtered: {error:#}");
        }
        tracing::info!(
            "listening on {}, backend {} ({reason}); {}",
            config.listen.display(),
            daemon.starter.backend.name(),
            host::rights::describe()
        );
        Ok(daemon)
    }

    /// One round: drain the rings, then sleep until there is something to do, and do it.
    fn turn(&mut self) -> Result<()> {
        let fullest = self.pass();
        self.cadence.adapt(fullest);
        if fullest > 0.0 {
            self.stay_awake();
        } else {
            self.heartbeat.doze(self.rest() != Rest::Awake);
        }
        self.flush();
        self.publish();
        let ready = self.wait()?;
        self.handle(&ready);
        Ok(())
    }

    /// Reads every ring once. Returns how full the fullest was.
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

    /// Writes the output. One that is closed ends gopatchd.
    fn flush(&mut self) {
        if let Err(error) = self.outlet.printer.flush() {
            tracing::error!("cannot write the output, stopping: {error}");
            self.begin_end();
        }
    }

    /// Gives the exporter's thread what was counted.
    fn publish(&mut self) {
        self.outlet.printer.count_into(&mut self.summary);
        self.summary.refused = self.acceptor.refused();
        let totals = Totals {
            summary: self.summary.clone(),
            passes: self.passes,
            drain_time: self.drain_time,
            attached: self.sessions.len(),
            backend: self.starter.backend.name(),
        };
        self.shared.publish(totals, self.polls_rings().then(|| self.cadence.interval()));
    }

    /// Sleeps until there is something to do.
    fn wait(&self) -> Result<Ready> {
        let now = Instant::now();
        let readable = |file| PollFd::from_borrowed_fd(file, PollFlags::IN);
        let always: [BorrowedFd<'_>; ALWAYS] =
            [self.signals.as_fd(), self.acceptor.readers_wake(), self.shared.switch_wake()];
        let mut files: Vec<_> = always.into_iter().map(readable).collect();
        files.extend(self.sessions.iter().map(|session| readable(session.pidfd())));
        files.extend(self.acceptor.listener(now).map(readable));
        let others = files.len();
        files.extend(self.acceptor.sockets().map(readable));
        files.push(readable(self.heartbeat.doorbell()));

        let timeout = self.next_deadline(now).map(|deadline| deadline.saturating_duration_since(now));
        let timeout = timeout.map(|timeout| Timespec::try_from(timeout).expect("some seconds"));
        match poll(&mut files, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("cannot wait for events"),
        }
        let is_ready = |file: &PollFd<'_>| !file.revents().is_empty();
        // The next pass finds the records for which a process has rung.
        if files.last().is_some_and(is_ready) {
            self.heartbeat.clear_doorbell();
        }
        let sessions = self.sessions.iter().zip(files.iter().skip(ALWAYS)).enumerate();
        let gone = sessions.filter(|(_, (session, pidfd))| session.is_over() || is_ready(pidfd));
        Ok(Ready {
            signal: is_ready(&files[0]),
            executable: is_ready(&files[1]),
            switch: is_ready(&files[2]),
            connection: files[ALWAYS + self.sessions.len()..others].iter().any(is_ready),
            gone: gone.map(|(index, _)| index).collect(),
        })
    }

    /// Does what poll(2) has found.
    fn handle(&mut self, ready: &Ready) {
        if ready.signal {
            drop(self.signals.read(&mut [0; 64]));
            let is_second = self.end_at.is_some();
            self.begin_end();
            if is_second {
                // A second signal means: now.
                self.end_at = Some(Instant::now());
            }
        }
        self.drop_sessions(&ready.gone);
        if ready.switch {
            self.switch_rules();
        }
        if ready.connection {
            self.acceptor.accept();
        }
        if ready.executable {
            self.acceptor.clear_readers_wake();
        }
        for candidate in self.acceptor.advance() {
            self.attach(candidate);
        }
        self.begin_sessions();
    }

    /// When something is to be done even if no file becomes ready; never, while no process is
    /// attached.
    fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let next_pass = self.polls_rings().then(|| now + self.cadence.interval());
        let sessions = self.sessions.iter().filter_map(Session::deadline);
        sessions.chain(self.acceptor.deadline(now)).chain(next_pass).chain(self.end_at).min()
    }

    /// A record was found, and more may follow.
    fn stay_awake(&mut self) {
        if self.rest() == Rest::Asleep {
            self.cadence = Cadence::start();
        }
        self.silent_since = Instant::now();
        self.heartbeat.doze(false);
    }

    fn rest(&self) -> Rest {
        if self.heartbeat.can_listen() { Rest::after(self.silent_since.elapsed()) } else { Rest::Awake }
    }

    /// Whether the loop looks at the rings without a doorbell.
    fn polls_rings(&self) -> bool {
        !self.sessions.is_empty() && self.rest() != Rest::Asleep
    }

    /// Does the switches that clients have requested.
    fn switch_rules(&mut self) {
        // Records made before the switch follow the old setting. One pass reads them, the next
        // processes them.
        self.pass();
        self.pass();
        for (Switch { rule, setting, pid }, client) in self.shared.take_switches() {
            if pid.is_none() {
                self.switches.set(&rule, setting);
            }
            let mut switched = Switched::default();
            for session in &mut self.sessions {
                if pid.is_none_or(|pid| pid == session.peer.pid) && !session.is_over() {
                    let functions = session.switch_rule(&rule, setting);
                    switched.processes += usize::from(functions > 0);
                    switched.functions += functions;
                }
            }
            // The client may be gone.
            let _ = client.send(switched);
        }
    }

    /// Closes the sessions whose program is over, and those that were replaced long enough ago.
    fn drop_sessions(&mut self, gone: &[usize]) {
        let now = Instant::now();
        let mut index = 0;
        let over = self.sessions.extract_if(.., |session| {
            index += 1;
            gone.contains(&(index - 1)) || session.give_up_at().is_some_and(|at| now >= at)
        });
        for session in over.collect::<Vec<_>>() {
            let execution = session.execution().clone();
            session.close(&mut self.clock, &mut self.summary, &mut self.outlet);
            // An execution whose session was only replaced goes on.
            if !self.sessions.iter().any(|other| other.execution().is(&execution)) {
                execution.process.end();
                self.shared.forget_ended();
            }
        }
    }

    /// Sends a process its session, or takes the one that it has.
    fn attach(&mut self, candidate: Candidate) {
        if let Source::Session { control, .. } = candidate.source()
            && !control.has_room_for(candidate.program.functions())
        {
            let refusal = Refusal::Rings(anyhow!("its page is too small for the functions of its program"));
            return self.acceptor.refuse(&candidate.into_handshake(), &refusal);
        }
        let in_use = self.sessions.iter().map(Session::ring_memory).sum::<u64>() + self.acceptor.ring_memory();
        let started = self.starter.start(&candidate, in_use);
        match (started, candidate.source()) {
            (Ok(started), Source::Connection(_)) => self.acceptor.offer(candidate, started),
            (Ok(started), Source::Session { .. }) => self.begin_session(candidate, started),
            (Err(refusal), _) => self.acceptor.refuse(&candidate.into_handshake(), &refusal),
        }
    }

    /// Begins the sessions that processes have taken.
    fn begin_sessions(&mut self) {
        for (candidate, started) in self.acceptor.taken() {
            self.begin_session(candidate, started);
        }
    }

    /// A process has a session: reads its rings from now on.
    fn begin_session(&mut self, candidate: Candidate, mut started: Started) {
        let (source, peer, hello, program, resource) = candidate.into_parts();
        let is_first = matches!(source, Source::Connection(_)) && hello.sessions_before == 0;
        self.end_other_executions(&peer, hello.manifest_id, is_first);
        let control = match source {
            Source::Session { control, seen_at, .. } if self.has_session_since(&peer, seen_at) => {
                // It may have been replaced by the session that began in between (`attach::offer`).
                control.release();
                return self.acceptor.look_at(peer.pid);
            }
            Source::Session { control, .. } => {
                control.resume(program.functions());
                control
            }
            Source::Connection(_) => started.control.take().expect("an offer has a new control page"),
        };
        let earlier = self.replace_sessions(&peer);
        self.count_earlier_losses(
            &peer,
            &hello,
            most_held(started.ring_memory()),
            earlier.as_ref().map(|(unwritten, _)| *unwritten),
        );
        self.summary.sessions += 1;
        let execution = match earlier {
            Some((_, execution)) => execution,
            None => self.begin_execution(&peer, program, hello.manifest_id, resource),
        };
        let mut session = Session::new(peer, control, started, execution);
        session.set_contexts(self.contexts);
        session.apply_rules();
        if let Err(error) = session.beat(&mut self.heartbeat) {
            tracing::warn!("pid {}: no heartbeat: {error}", session.peer.pid);
        }
        self.sessions.push(session);
        self.cadence = Cadence::start();
        self.stay_awake();
    }

    /// The process is about to have a session for a program with this manifest, the program's first
    /// or not: sessions of programs that it ran before are over.
    fn end_other_executions(&mut self, peer: &Peer, manifest_id: [u8; 16], is_first: bool) {
        let others = self.sessions.iter().enumerate().filter(|(_, session)| {
            peer.pid != 0 && session.peer.pid == peer.pid && !session.has_execution_of(manifest_id, is_first)
        });
        let others: Vec<_> = others.map(|(index, _)| index).collect();
        self.drop_sessions(&others);
    }

    /// Whether a session of the process has begun after `time`.
    fn has_session_since(&self, peer: &Peer, time: Instant) -> bool {
        let mut current = self.sessions.iter().filter(|session| session.give_up_at().is_none());
        current.any(|session| session.peer.pid == peer.pid && session.begun_at() > time)
    }

    /// Detaches the earlier sessions of an execution. Returns how many records of the last one were
    /// not written, and the execution.
    fn replace_sessions(&mut self, peer: &Peer) -> Option<(u64, Execution)> {
        // Reads for the last time what the process can have counted in its earlier rings.
        self.pass();
        let now = Instant::now();
        let mut last = None;
        for earlier in self.sessions.iter_mut().filter(|session| peer.pid != 0 && session.peer.pid == peer.pid) {
            last = Some((earlier.unwritten(), earlier.execution().clone()));
            earlier.replace(if earlier.give_up_at().is_some() { now } else { now + REPLACED });
        }
        last
    }

    /// Counts what a process has lost since its earlier session. If that was ours, `counted` of its
    /// records were not written. Its rings have held `most` records.
    fn count_earlier_losses(&mut self, peer: &Peer, hello: &Hello, most: u64, counted: Option<u64>) {
        // The rings of our own session are still drained, and its counters were read. The records
        // that the process counts beyond those found no ring at all.
        let unconsumed = if counted.is_some() { 0 } else { hello.lost_unconsumed };
        let ring_full = hello.lost_ring_full.saturating_sub(counted.unwrap_or(0));
        let unproven = unconsumed.saturating_sub(most).saturating_add(ring_full.saturating_sub(most));
        self.summary.unproven_losses = self.summary.unproven_losses.saturating_add(unproven);
        let (unconsumed, ring_full) = (unconsumed.min(most), ring_full.min(most));
        if unconsumed > 0 || ring_full > 0 {
            tracing::info!(
                "pid {}: of its earlier session, {unconsumed} records were not drained and {ring_full} found no room",
                peer.pid
            );
        }
        let lost = &mut self.summary.lost;
        lost.unconsumed = lost.unconsumed.saturating_add(unconsumed);
        lost.ring_full = lost.ring_full.saturating_add(ring_full);
    }

    fn begin_execution(
        &mut self,
        peer: &Peer,
        program: Program,
        manifest_id: [u8; 16],
        resource: Resource,
    ) -> Execution {
        let metrics = self.keeping.map(|keeping| Metrics::new(&program, keeping));
        let process = Arc::new(Process::new(peer.pid, host::unix_nanos_now(), resource, metrics));
        process.state().rules = Session::initial_rules(&program, &self.switches);
        self.shared.processes.add(Arc::clone(&process));
        Execution { program: Arc::new(program), process, manifest_id }
    }

    /// Accepts no more processes, and tells those attached to detach.
    fn begin_end(&mut self) {
        if self.end_at.is_some() {
            return;
        }
        self.begin_sessions();
        self.acceptor.close();
        self.sessions.iter().for_each(Session::detach);
        self.stay_awake();
        let patience = if self.sessions.is_empty() { Duration::ZERO } else { LEAVING };
        self.end_at = Some(Instant::now() + patience);
    }

    fn is_over(&self) -> bool {
        self.end_at.is_some_and(|end_at| Instant::now() >= end_at)
    }

    /// Drains what is left, and prints and logs the summary. Returns whether it was printed.
    fn end(mut self) -> bool {
        for session in std::mem::take(&mut self.sessions) {
            let process = Arc::clone(&session.execution().process);
            session.close(&mut self.clock, &mut self.summary, &mut self.outlet);
            process.end();
        }
        self.publish();
        self.exporter.end(&self.shared);
        let summary = self.summary.total();
        let is_written = self.outlet.printer.finish(&summary, LAST_OUTPUT);
        tracing::info!("{summary}");
        is_written
    }
}
