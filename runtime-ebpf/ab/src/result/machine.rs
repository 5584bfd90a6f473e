//! Where and when the comparison ran, and the command to repeat it.

use std::fs;
use std::time::SystemTime;

use anyhow::Result;
use serde::Serialize;

use crate::template;

/// The machine, the time and the command.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// The CPU's model name.
    pub(crate) processor: String,
    /// CPUs that gopatchd may use.
    pub(crate) processors: usize,
    /// Memory.
    pub(crate) memory_bytes: u64,
    /// The kernel's release.
    pub(crate) kernel: String,
    /// The load average of the last minute of the comparison.
    pub(crate) load_average: String,
    /// gopatchd's version.
    pub(crate) gopatchd: &'static str,
    /// The command.
    pub(crate) command: String,
    /// The end of the comparison, in UTC.
    pub(crate) date: String,
}

impl Machine {
    /// Describes this machine, now.
    pub(crate) fn detect() -> Result<Self> {
        let cpuinfo = read("/proc/cpuinfo");
        let processor = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let meminfo = read("/proc/meminfo");
        let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_ascii_whitespace().next());
        Ok(Self {
            processor: processor.map_or("unknown", |(_, name)| name).to_owned(),
            processors: std::thread::available_parallelism()?.get(),
            memory_bytes: total.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024,
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            load_average: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            gopatchd: env!("CARGO_PKG_VERSION"),
            command: command(),
            date: format_minute(SystemTime::now()),
        })
    }

    /// All but the command, in one line.
    pub(crate) fn summary_line(&self) -> String {
        let gib = self.memory_bytes as f64 / f64::from(1 << 30);
        format!(
            "{}, {} CPUs, {gib:.0} GiB, Linux {}, load average {} at the end, gopatchd {}, {}",
            self.processor, self.processors, self.kernel, self.load_average, self.gopatchd, self.date
        )
    }
}

fn command() -> String {
    let mut words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(program) = words.first_mut() {
        "gopatchd".clone_into(program);
    }
    template::quote_words(&words)
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// A time such as `2026-01-31 09:30 UTC`.
fn format_minute(time: SystemTime) -> String {
    let rfc3339 = humantime::format_rfc3339_seconds(time).to_string();
    format!("{} UTC", rfc3339[.."2026-01-31T09:30".len()].replace('T', " "))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn times_are_cut_to_the_minute() {
        assert_eq!(format_minute(UNIX_EPOCH + Duration::from_secs(1_767_225_599)), "2025-12-31 23:59 UTC");
    }
}
