//! One execution of a target after another, in this process.
//!
//! Decides: whether an execution is a fault: by a panic, its time, its memory.
//! Trusts: that a target behaves the same each time.

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fastrand::Rng;
use peak_alloc::PeakAlloc;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::fuzzer::{Done, End, kept};
use crate::mutation::mutate;
use crate::{LONGEST, Target};

/// An execution without an end.
const HANGING: Duration = Duration::from_mins(1);

/// Address space of the process. A target's bound is smaller; this one ends an execution before it
/// takes the memory of the machine.
const ADDRESS_SPACE: u64 = 16 << 30;

/// Executions between two looks at the clock, if they are short.
const BATCH: u64 = 64;

/// What was seen of all executions.
struct Seen {
    slowest: Duration,
    memory: usize,
}

/// Fuzzes a target. `trace` is a file for each input before it is read.
pub fn fuzz(
    (target, memory): (&Target, &PeakAlloc),
    found: &Path,
    begin: u64,
    end: End,
    trace: Option<&Path>,
) -> Result<Done> {
    let limit = Some(ADDRESS_SPACE);
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit })?;
    let mut inputs = (target.seeds)()?;
    if let Ok(folder) = fs::read_dir(kept(target)) {
        let cases = folder.map(|entry| Ok(fs::read(entry?.path())?)).collect::<Result<Vec<_>>>()?;
        inputs.extend(cases.into_iter().filter(|case| case.len() <= target.input));
    }
    // What it needs for all inputs is not counted.
    (target.run)(&[0]);
    let executions = Arc::new(AtomicU64::new(0));
    watch(Arc::clone(&executions));

    let mut random = Rng::with_seed(begin);
    let mut seen = Seen { slowest: Duration::ZERO, memory: 0 };
    let mut input = Vec::new();
    let begun = Instant::now();
    for count in 0.. {
        executions.store(count, Ordering::Relaxed);
        let is_over = match end {
            // Every seed is read, however few the seconds.
            End::Seconds(seconds) => {
                count >= inputs.len() as u64
                    && (count % BATCH == 0 || seen.slowest > Duration::from_millis(1))
                    && begun.elapsed().as_secs() >= seconds
            }
            End::Runs(runs) => count >= runs,
        };
        if is_over {
            break;
        }
        input.clear();
        if let Some(seed) = inputs.get(count as usize) {
            input.extend_from_slice(seed);
        } else {
            input.extend_from_slice(&inputs[random.usize(..inputs.len())]);
            mutate(&mut input, &inputs, target.input, &mut random);
        }
        if let Some(trace) = trace {
            fs::write(trace, &input)?;
        }
        if let Err(fault) = execute((target, memory), &input, &mut seen) {
            let file = found.join(format!("fault-{begin}-{count}"));
            fs::write(&file, &input).with_context(|| format!("cannot write {}", file.display()))?;
            return Err(fault.context(format!("input {}", file.display())));
        }
    }
    Ok(Done {
        executions: executions.load(Ordering::Relaxed),
        slowest_millis: seen.slowest.as_millis() as u64,
        memory: seen.memory as u64,
    })
}

/// Reads one input.
pub fn repeat((target, memory): (&Target, &PeakAlloc), input: &Path) -> Result<()> {
    let input = fs::read(input).with_context(|| input.display().to_string())?;
    (target.run)(&[0]);
    execute((target, memory), &input, &mut Seen { slowest: Duration::ZERO, memory: 0 })
}

fn execute((target, memory): (&Target, &PeakAlloc), input: &[u8], seen: &mut Seen) -> Result<()> {
    let run = || catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let before = memory.current_usage();
    memory.reset_peak_usage();
    let begun = Instant::now();
    if let Err(panic) = run() {
        bail!("a panic: {}", message(&*panic));
    }
    let taken = begun.elapsed();
    let peak = memory.peak_usage().saturating_sub(before);
    seen.slowest = seen.slowest.max(taken);
    seen.memory = seen.memory.max(peak);
    if peak > target.memory {
        bail!("it had {peak} bytes allocated, more than {}", target.memory);
    }
    if taken > LONGEST {
        // The machine may have been busy.
        let before = processor_time();
        let _ = run();
        let taken = processor_time().saturating_sub(before);
        if taken > LONGEST {
            bail!("it took {taken:?}");
        }
    }
    Ok(())
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

/// What this process has used.
pub(crate) fn processor_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

/// Ends the process once an execution takes too long.
fn watch(executions: Arc<AtomicU64>) {
    thread::spawn(move || {
        loop {
            let before = (executions.load(Ordering::Relaxed), processor_time());
            while executions.load(Ordering::Relaxed) == before.0 {
                if processor_time().saturating_sub(before.1) > HANGING {
                    eprintln!("execution {} has no end", before.0);
                    std::process::abort();
                }
                thread::sleep(Duration::from_secs(1));
            }
            thread::sleep(Duration::from_secs(1));
        }
    });
}
