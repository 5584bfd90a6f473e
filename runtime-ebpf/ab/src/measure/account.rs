//! What the kernel counts for a program: processor time, context switches, memory.
//!
//! Decides: that a program is its whole process group. Processor time is that of the processes' own clocks, which count
//! nanoseconds and the threads that have ended, and of children that have ended and were waited for, in ticks.
//! Trusts: the kernel.
//! Never does: estimate. Context switches of threads that ended within a window are missing, as nobody counts them.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

/// Counts since a program's start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Account {
    cpu: Duration,
    voluntary: u64,
    involuntary: u64,
    peak_bytes: u64,
    anonymous_bytes: u64,
}

/// What a program used in a window.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Used {
    /// Processor time, of the user and of the kernel, over all threads.
    pub(crate) cpu_seconds: f64,
    /// Context switches because a thread waited.
    pub(crate) voluntary_switches: u64,
    /// Context switches because a thread had to make room.
    pub(crate) involuntary_switches: u64,
    /// The most resident memory since its start.
    pub(crate) peak_bytes: u64,
    /// Resident memory that is its own and of no file, at the end.
    pub(crate) anonymous_bytes: u64,
}

impl Account {
    /// Of the process group with this leader.
    pub(crate) fn of_group(leader: u32) -> Result<Self> {
        let mut account = Self::default();
        let mut found = false;
        for entry in fs::read_dir("/proc").context("/proc cannot be read")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A process may end while we look at it; what it used is then its parent's to count.
            let Some(stat) = Stat::of(pid).filter(|stat| stat.group == leader) else {
                continue;
            };
            found |= pid == leader && !stat.over;
            if pid == leader {
                account.cpu += stat.waited_for;
            }
            account.add_process(pid);
        }
        ensure!(found, "process {leader} has ended");
        Ok(account)
    }

    /// What was used since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Used {
        Used {
            cpu_seconds: self.cpu.saturating_sub(earlier.cpu).as_secs_f64(),
            voluntary_switches: self.voluntary.saturating_sub(earlier.voluntary),
            involuntary_switches: self.involuntary.saturating_sub(earlier.involuntary),
            peak_bytes: self.peak_bytes,
            anonymous_bytes: self.anonymous_bytes,
        }
    }

    fn add_process(&mut self, pid: u32) {
        self.cpu += cpu_clock(pid).unwrap_or_default();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        self.peak_bytes += 1024 * field(&status, "VmHWM:");
        self.anonymous_bytes += 1024 * field(&status, "RssAnon:");
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
            return;
        };
        for thread in threads.flatten() {
            let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            self.voluntary += field(&status, "voluntary_ctxt_switches:");
            self.involuntary += field(&status, "nonvoluntary_ctxt_switches:");
        }
    }
}

/// What `/proc/PID/stat` says.
struct Stat {
    group: u32,
    /// It has ended and was not waited for.
    over: bool,
    /// Processor time of children that have ended and were waited for.
    waited_for: Duration,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in front may have blanks and parentheses of its own.
        let fields: Vec<_> = stat.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
        // Numbered as in proc_pid_stat(5), where the state is number 3.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        let ticks = number(16)? + number(17)?;
        Some(Self {
            group: number(5)? as u32,
            over: matches!(*fields.first()?, "Z" | "X"),
            waited_for: Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64),
        })
    }
}

/// The number behind a name in a `status` file; 0 if it is not there, as for a process that has ended.
fn field(status: &str, name: &str) -> u64 {
    let value = status.lines().find_map(|line| line.strip_prefix(name));
    value.and_then(|value| value.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Processor time of all threads of a process since its start, with those that have ended.
fn cpu_clock(pid: u32) -> Option<Duration> {
    let pid = libc::pid_t::try_from(pid).ok()?;
    let mut clock: libc::clockid_t = 0;
    // SAFETY: writes one clock id to where it may.
    if unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) } != 0 {
        return None;
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one timespec to where it may.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return None;
    }
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Instant;

    use super::*;
    use crate::process::Process;

    #[test]
    fn work_of_a_child_is_the_programs() {
        let folder = tempfile::tempdir().unwrap();
        // The shell that works is a child of the one that is started.
        let script = "sh -c 'while :; do :; done'; true";
        let words = ["sh", "-c", script].map(str::to_owned);
        let busy = Process::start(&folder.path().join("busy"), "busy", &words, &[]).unwrap();
        let words = ["sleep", "60"].map(str::to_owned);
        let idle = Process::start(&folder.path().join("idle"), "idle", &words, &[("A", Path::new("b"))]).unwrap();
        let start = Instant::now();
        let before = [&busy, &idle].map(|process| Account::of_group(process.pid()).unwrap());
        let used = loop {
            std::thread::sleep(Duration::from_millis(20));
            let used = Account::of_group(busy.pid()).unwrap().since(before[0]);
            assert!(start.elapsed() < Duration::from_mins(1), "{used:?}");
            if used.cpu_seconds > 0.1 {
                break used;
            }
        };
        assert!(used.cpu_seconds <= start.elapsed().as_secs_f64(), "{used:?}");
        assert!(used.peak_bytes > 100_000 && used.anonymous_bytes > 0, "{used:?}");
        let idle = Account::of_group(idle.pid()).unwrap().since(before[1]);
        assert!(idle.cpu_seconds < used.cpu_seconds / 2.0, "{idle:?}");
        let gone = busy.pid();
        drop(busy);
        assert!(Account::of_group(gone).is_err());
    }
}
