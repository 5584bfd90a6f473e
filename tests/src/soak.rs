//! What tests of endurance share: how long they last, and what a process holds meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{SOON, wait_until};

/// Overrides how long each test of endurance lasts.
const LENGTH: &str = "GOPATCH_SOAK_SECONDS";

/// How long a test of endurance lasts.
pub fn length(default: Duration) -> Result<Duration> {
    match std::env::var(LENGTH) {
        Ok(seconds) => Ok(Duration::from_secs(seconds.parse().with_context(|| format!("{LENGTH}={seconds}"))?)),
        Err(_) => Ok(default),
    }
}

/// What a process holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    /// Bytes of memory of its own.
    pub own: u64,
    /// Bytes of rings and control pages, in memory files and BPF maps.
    pub rings: u64,
    /// Open files.
    pub files: u64,
}

impl Held {
    /// What a process holds now.
    pub fn by(pid: u32) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let field = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| name.to_owned())?;
            Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
        };
        let (mut files, mut rings) = (0, 0);
        for file in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
            files += 1;
            // A file may be closed at any time.
            let info = file.and_then(|file| fs::read_to_string(file.path())).unwrap_or_default();
            let is_map = info.lines().any(|line| line.starts_with("map_type:"));
            let bytes = info.lines().find_map(|line| line.strip_prefix("memlock:")).filter(|_| is_map);
            rings += bytes.and_then(|bytes| bytes.trim().parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Self { own: field("RssAnon:")? + field("RssFile:")?, rings: rings + memory_files(pid)?, files })
    }

    /// All bytes.
    pub fn bytes(&self) -> u64 {
        self.own + self.rings
    }

    /// The most of each.
    #[must_use]
    pub fn most(self, other: Self) -> Self {
        let Self { own, rings, files } = other;
        Self { own: self.own.max(own), rings: self.rings.max(rings), files: self.files.max(files) }
    }
}

/// Bytes of the memory files of gopatch that a process has mapped.
fn memory_files(pid: u32) -> Result<u64> {
    let mut sizes = BTreeMap::new();
    for line in fs::read_to_string(format!("/proc/{pid}/maps"))?.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(range), Some(inode)) = (words.next(), words.nth(3)) else { continue };
        if !line.contains("/memfd:gopatch") || sizes.contains_key(inode) {
            continue;
        }
        // A mapping may be gone by now.
        if let Ok(file) = fs::metadata(format!("/proc/{pid}/map_files/{range}")) {
            sizes.insert(inode.to_owned(), file.blocks() * 512);
        }
    }
    Ok(sizes.values().sum())
}

/// The medians of the second and of the last quarter of a series: what a process holds once it has
/// settled, and what it holds at the end.
pub fn early_and_late(series: &[u64]) -> (u64, u64) {
    let median = |part: &[u64]| {
        let mut sorted = part.to_vec();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(0)
    };
    let quarter = series.len() / 4;
    (median(&series[quarter..2 * quarter]), median(&series[series.len() - quarter..]))
}

/// What `gopatchd status --json` prints, without a process for it.
pub fn status(control: &Path) -> Result<Value> {
    let mut connection = UnixStream::connect(control).context("cannot connect to gopatchd")?;
    connection.set_read_timeout(Some(SOON))?;
    connection.write_all(b"GET /status HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("not HTTP")?;
    ensure!(head.starts_with("HTTP/1.0 200") || head.starts_with("HTTP/1.1 200"), "{head}");
    Ok(serde_json::from_str(body)?)
}

/// The status once all processes have ended, and all spans are pushed.
pub fn settled_status(control: &Path, patience: Duration) -> Result<Value> {
    wait_until("all processes to have ended and all spans to be pushed", patience, || {
        std::thread::sleep(Duration::from_millis(200));
        let status = status(control)?;
        let processes = status["processes"].as_array().context("a list")?;
        let is_over = processes.iter().all(|process| process["ended"] == true);
        Ok((is_over && status["spans"]["waiting"] == 0).then_some(status))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_shows_in_the_last_quarter() {
        assert_eq!(early_and_late(&[9, 9, 1, 1, 5, 5, 2, 2]), (1, 2));
        assert_eq!(early_and_late(&[]), (0, 0));
    }

    #[test]
    fn a_process_holds_memory_and_files() -> Result<()> {
        let held = Held::by(std::process::id())?;
        assert!(held.own > 1 << 20 && held.files >= 3 && held.rings == 0, "{held:?}");
        Ok(())
    }
}
