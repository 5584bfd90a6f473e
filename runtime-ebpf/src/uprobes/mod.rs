//! `gopatchd uprobes`: collects the same calls by uprobes, from a program that is not patched, for
//! comparison with hooks.
//!
//! - [`cli`]: its flags;
//! - [`probes`]: attaches the uprobes;
//! - [`table`]: plans in the form that the BPF program reads.
//!
//! Trusts: the kernel, which orders the records of its one ring: those of a goroutine are in the
//! order of writing.
//! Never does: more with a record than the daemon. The daemon's code makes operations of records
//! and prints them.

pub(crate) mod cli;
mod probes;
mod table;

use std::collections::HashMap;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use aya::maps::{Array, MapData, RingBuf};
use gopatch::rules;
use gopatch_protocol::wire::forwarded;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::calls::clock::Clock;
use crate::calls::program::Program;
use crate::calls::{Calls, Entries, Event};
use crate::console::output::LAST_OUTPUT;
use crate::console::print::{Print, Printer};
use crate::host::{raise_file_limit, stop_signals};
use crate::rings::cadence::Cadence;
use crate::summary::Summary;

/// The options of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The executable.
    pub original: PathBuf,
    /// Files of rules.
    pub rules: Vec<PathBuf>,
    /// Whether gopatch's default rules are omitted.
    pub no_default_rules: bool,
    /// How operations are printed.
    pub print: Print,
    /// Data bytes of the ring: a power of two, at least a page.
    pub ring_bytes: u32,
}

/// Time for running probes to finish.
const SETTLED: Duration = Duration::from_millis(1);

/// Indexes of the counters of the BPF program.
const RING_FULL: u32 = 0;
const NO_SCRATCH: u32 = 1;
const WORDS_MISSING: u32 = 2;
const UNREADABLE: u32 = 3;

/// Runs until a signal, or until the output is closed.
pub fn run(options: &Options) -> Result<()> {
    let mut signals = stop_signals().context("cannot wait for signals")?;
    raise_file_limit();
    let mut attached = probes::attach(&options.original, rule_sources(options)?, options.ring_bytes)?;
    let mut collector = Collector {
        program: Program::new(attached.manifest),
        events: attached.events,
        counters: attached.counters,
        processes: HashMap::new(),
        clock: Clock::start_monotonic(),
        printer: Printer::new(options.print).context("cannot write to standard output")?,
        summary: Summary::default(),
    };
    tracing::info!("uprobes attached: {} places", attached.links.len());

    let mut cadence = Cadence::start();
    loop {
        let bytes = collector.pass();
        cadence.adapt(bytes as f64 / f64::from(options.ring_bytes));
        if let Err(error) = collector.printer.flush() {
            tracing::error!("cannot write the output, stopping: {error}");
            break;
        }
        if collector.wait(&signals, cadence.interval())? {
            drop(signals.read(&mut [0; 64]));
            break;
        }
    }
    // From now on probes write nothing, except those that run already on another CPU.
    attached.stopped.set(0, 1, 0)?;
    thread::sleep(SETTLED);
    collector.end();
    Ok(())
}

fn rule_sources(options: &Options) -> Result<Vec<rules::Source>> {
    let defaults = (!options.no_default_rules).then(rules::Source::default_rules);
    let files = options.rules.iter().map(|path| {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read rules {}", path.display()))?;
        Ok(rules::Source { name: path.display().to_string(), text })
    });
    defaults.into_iter().map(Ok).chain(files).collect()
}

struct Collector {
    program: Program,
    events: RingBuf<MapData>,
    counters: Array<MapData, u64>,
    /// By their pid.
    processes: HashMap<u32, ProbedProcess>,
    clock: Clock,
    printer: Printer,
    summary: Summary,
}

/// A process that has made a record.
struct ProbedProcess {
    calls: Calls,
    /// Readable once the process is gone; none if it was gone before its first record was read.
    pidfd: Option<OwnedFd>,
}

impl ProbedProcess {
    fn new(pid: u32) -> Self {
        let pidfd = Pid::from_raw(pid as i32).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        Self { calls: Calls::new(pid, Entries::MayRepeat), pidfd }
    }
}

impl Collector {
    /// Empties the ring. Returns the bytes that it held.
    fn pass(&mut self) -> u64 {
        self.clock.update();
        let Self { program, events, processes, clock, printer, summary, .. } = self;
        let mut bytes = 0;
        while let Some(record) = events.next() {
            bytes += record.len() as u64;
            let (prefix, payload) = record.split_at(forwarded::PREFIX);
            let pid = u32::from_le_bytes(prefix[..4].try_into().expect("4 of 8 bytes"));
            let Some(event) = Event::read(payload, program) else {
                summary.lost.malformed += 1;
                continue;
            };
            summary.records += 1;
            let process = processes.entry(pid).or_insert_with(|| {
                summary.sessions += 1;
                ProbedProcess::new(pid)
            });
            process.calls.take(event, program, clock, &mut |operation| printer.print(operation));
        }
        bytes
    }

    /// Sleeps until there is something to do. Returns whether a signal came.
    fn wait(&mut self, signals: &UnixStream, interval: Duration) -> Result<bool> {
        let pids: Vec<_> = self.processes.iter().filter_map(|(pid, one)| one.pidfd.as_ref().map(|_| *pid)).collect();
        let mut files = vec![PollFd::new(signals, PollFlags::IN)];
        files.extend(self.processes.values().filter_map(|one| Some(PollFd::new(one.pidfd.as_ref()?, PollFlags::IN))));
        let timeout = Timespec::try_from(interval).expect("some milliseconds");
        match poll(&mut files, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("cannot wait for events"),
        }
        let is_ready = |file: &PollFd<'_>| !file.revents().is_empty();
        let stop = is_ready(&files[0]);
        let gone: Vec<_> = files[1..].iter().zip(pids).filter(|(file, _)| is_ready(file)).map(|(_, pid)| pid).collect();
        if !gone.is_empty() {
            // The last records of a process that is gone are in the ring by now.
            self.pass();
        }
        for pid in gone {
            self.close(pid);
        }
        Ok(stop)
    }

    fn close(&mut self, pid: u32) {
        let Some(ProbedProcess { calls, .. }) = self.processes.remove(&pid) else { return };
        if calls.repeated > 0 {
            tracing::info!(
                "pid {pid}: {} entries were recorded twice, because the stack check restarts a function",
                calls.repeated
            );
        }
        let now = self.clock.update();
        let printer = &mut self.printer;
        calls.finish(now, &self.program, &self.clock, &mut self.summary, &mut |operation| printer.print(operation));
    }

    /// Reads what is left, and prints and logs the summary.
    fn end(mut self) {
        self.pass();
        let mut pids: Vec<_> = self.processes.keys().copied().collect();
        pids.sort_unstable();
        for pid in pids {
            self.close(pid);
        }
        let counted = |counter| self.counters.get(&counter, 0).unwrap_or(0);
        let unreadable = counted(UNREADABLE);
        if unreadable > 0 {
            tracing::info!("{unreadable} reads of unmapped memory failed; captures are missing");
        }
        self.summary.lost.ring_full = counted(RING_FULL);
        self.summary.lost.output_full = counted(NO_SCRATCH);
        self.summary.words_missing = counted(WORDS_MISSING);
        self.printer.count_into(&mut self.summary);
        let summary = self.summary.total();
        self.printer.finish(&summary, LAST_OUTPUT);
        tracing::info!("{summary}");
    }
}
