//! Processors: one for the measured program, another for the collectors; the cost of reading the
//! clock; and stolen time.
//!
//! Decides which processors. On a machine with two, both are in use, so nothing else should run.
//! Trusts the kernel to keep a process on the processors that it was started on, and its account of
//! stolen time.

use std::arch::x86_64::_rdtsc;
use std::cell::Cell;
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::param::clock_ticks_per_second;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Reads of the time stamp counter in one loop, as in hookbench.
const READS: u32 = 6_000;
/// 8-byte words of a record that holds no captures, its header in the ring included.
const RECORD_WORDS: usize = 5;
/// Loops; the best counts, as in hookbench.
const LOOPS: u32 = 50;

/// The processors in use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpus {
    pub(crate) measured: usize,
    pub(crate) collectors: usize,
}

impl Cpus {
    /// The first two that this process may use.
    pub(crate) fn choose() -> Result<Self> {
        let allowed = sched_getaffinity(None).context("cannot read this process's processors")?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu));
        let (measured, collectors) = (allowed.next(), allowed.next());
        ensure!(
            collectors.is_some(),
            "a collector must not run where the hooks are measured: this needs two processors"
        );
        Ok(Self { measured: measured.unwrap_or_default(), collectors: collectors.unwrap_or_default() })
    }

    /// From now on this thread starts threads and processes on the measured processor.
    pub(crate) fn use_measured(self) -> Result<()> {
        use_only(&[self.measured])
    }

    /// From now on this thread starts threads and processes on the collectors' processor.
    pub(crate) fn use_collectors(self) -> Result<()> {
        use_only(&[self.collectors])
    }

    /// From now on this thread starts threads and processes on both processors.
    pub(crate) fn use_both(self) -> Result<()> {
        use_only(&[self.measured, self.collectors])
    }

    /// Stolen time of both processors: the hypervisor ran others while something here could have
    /// run.
    pub(crate) fn stolen(self) -> Result<Duration> {
        const STOLEN: usize = 8;
        let stat = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
        let ticks = |cpu: usize| {
            let name = format!("cpu{cpu}");
            let mut lines = stat.lines().map(|line| line.split(' ').collect::<Vec<_>>());
            lines.find(|fields| fields[0] == name)?.get(STOLEN)?.parse::<u64>().ok()
        };
        let ticks = [self.measured, self.collectors].map(ticks).into_iter().sum::<Option<u64>>();
        Ok(Duration::from_secs(ticks.context("/proc/stat lacks a processor")?) / clock_ticks_per_second() as u32)
    }

    /// Nanoseconds of one `rdtsc` among many in a row.
    pub(crate) fn rdtsc_nanoseconds(self) -> Result<f64> {
        self.best(|| {
            for _ in 0..READS {
                black_box(read_clock());
            }
        })
    }

    /// Nanoseconds of the smallest record: a read of the clock, and the stores of a hook that
    /// captures nothing.
    pub(crate) fn floor_nanoseconds(self) -> Result<f64> {
        let (ring, published) = (vec![Cell::new(0); READS as usize * RECORD_WORDS], Cell::new(0));
        self.best(|| {
            for record in ring.chunks_exact(RECORD_WORDS) {
                // Header; size and point; time; goroutine; frame and present bits.
                for (word, value) in record.iter().zip([32, 0, read_clock(), 1, 2]) {
                    word.set(value);
                }
                published.set(published.get() + size_of_val(record) as u64);
                black_box((&ring, &published));
            }
        })
    }

    /// The best time of one turn of a loop on the measured processor.
    fn best(self, turns: impl Fn()) -> Result<f64> {
        let time = || {
            let start = Instant::now();
            turns();
            start.elapsed()
        };
        self.use_measured()?;
        let best = (0..LOOPS).map(|_| time()).min().unwrap_or_default();
        self.use_collectors()?;
        Ok(best.as_nanos() as f64 / f64::from(READS))
    }
}

fn read_clock() -> u64 {
    // SAFETY: every x86-64 processor has `rdtsc`, and Linux permits it unless a program forbids it
    // to itself (`PR_SET_TSC`). It only changes registers.
    unsafe { _rdtsc() }
}

fn use_only(cpus: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for cpu in cpus {
        set.set(*cpu);
    }
    sched_setaffinity(None, &set).with_context(|| format!("cannot run on processors {cpus:?}"))
}
