//! What the kernel accounts for a program: CPU time, context switches, memory.
//!
//! A program is its whole process group. CPU time is that of the processes' CPU clocks, in
//! nanoseconds and with threads that have ended, plus that of reaped children, in ticks. Nothing is
//! estimated: context switches of threads that ended within a window are missing, because the
//! kernel does not keep them.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

/// The accounts of a program since its start.
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
pub(crate) struct Usage {
    /// User and system CPU time of all threads.
    pub(crate) cpu_seconds: f64,
    /// Context switches of threads that blocked.
    pub(crate) voluntary_switches: u64,
    /// Context switches of threads that were preempted.
    pub(crate) involuntary_switches: u64,
    /// Peak resident memory since the start.
    pub(crate) peak_bytes: u64,
    /// Anonymous resident memory at the end of the window.
    pub(crate) anonymous_bytes: u64,
}

impl Account {
    /// Reads the accounts of the process group with this leader.
    pub(crate) fn read(leader: u32) -> Result<Self> {
        let mut account = Self::default();
        let mut found = false;
        for entry in fs::read_dir("/proc").context("cannot read /proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A process may have ended since; its parent then accounts for what it used.
            let Some(stat) = Stat::read(pid).filter(|stat| stat.group == leader) else {
                continue;
            };
            found |= pid == leader && !stat.zombie;
            if pid == leader {
                account.cpu += stat.children_cpu;
            }
            account.add_process(pid);
        }
        ensure!(found, "process {leader} has ended");
        Ok(account)
    }

    /// What the program used since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Usage {
        Usage {
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

/// The needed fields of `/proc/PID/stat`.
struct Stat {
    group: u32,
    /// Ended, but not reaped.
    zombie: bool,
    /// CPU time of reaped children.
    children_cpu: Duration,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name before it may contain blanks and parentheses.
        let fields: Vec<_> = stat.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
        // Numbered as in proc_pid_stat(5), where the state is number 3.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        let ticks = number(16)? + number(17)?;
        Some(Self {
            group: number(5)? as u32,
            zombie: matches!(*fields.first()?, "Z" | "X"),
            children_cpu: Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64),
        })
    }
}

/// The number after a name in a `status` file; 0 if the name is missing, as for a process that has
/// ended.
fn field(status: &str, name: &str) -> u64 {
    let value = status.lines().find_map(|line| line.strip_prefix(name));
    value.and_then(|value| value.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// CPU time of all threads of a process since its start, with those that have ended.
fn cpu_clock(pid: u32) -> Option<Duration> {
    let pid = libc::pid_t::try_from(pid).ok()?;
    let mut clock: libc::clockid_t = 0;
    // SAFETY: writes one clock id, to a local variable.
    if unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) } != 0 {
        return None;
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one timespec, to a local variable.
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
    fn a_childs_cpu_time_counts_as_the_programs() {
        let folder = tempfile::tempdir().unwrap();
        // The busy shell is a child of the started one.
        let script = "sh -c 'while :; do :; done'; true";
        let words = ["sh", "-c", script].map(str::to_owned);
        let busy = Process::start(&folder.path().join("busy"), "busy", &words, &[]).unwrap();
        let words = ["sleep", "60"].map(str::to_owned);
        let idle = Process::start(&folder.path().join("idle"), "idle", &words, &[("A", Path::new("b"))]).unwrap();
        let start = Instant::now();
        let before = [&busy, &idle].map(|process| Account::read(process.pid()).unwrap());
        let used = loop {
            std::thread::sleep(Duration::from_millis(20));
            let used = Account::read(busy.pid()).unwrap().since(before[0]);
            assert!(start.elapsed() < Duration::from_mins(1), "{used:?}");
            if used.cpu_seconds > 0.1 {
                break used;
            }
        };
        assert!(used.cpu_seconds <= start.elapsed().as_secs_f64(), "{used:?}");
        assert!(used.peak_bytes > 100_000 && used.anonymous_bytes > 0, "{used:?}");
        let idle = Account::read(idle.pid()).unwrap().since(before[1]);
        assert!(idle.cpu_seconds < used.cpu_seconds / 2.0, "{idle:?}");
        let ended = busy.pid();
        drop(busy);
        assert!(Account::read(ended).is_err());
    }
}
