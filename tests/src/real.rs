//! Real programs: somebody else's servers, patched and used.
//!
//! Decides: how a program is patched for that, and that the file which it was can be had back.
//! Trusts: the program's clients to say what they asked, and to fail when an answer is not the one expected.
//! Never does: compare in part. All that was seen under the default rules is compared, each operation with its attributes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::SOCKET_ENV;

use crate::process::Process;
use crate::{Gopatch, Gopatchd, Operation, Said, Scratch, gopatch, gopatchd, wait_until};

/// Bytes of each ring of a program of which every function is hooked: large enough for all that a test makes it do.
const LARGE_RING: &str = "67108864";

/// What is hooked in a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hooked {
    /// Nothing: the program as it was built.
    Nothing,
    /// What the default rules name.
    Default,
    /// That, and every function that can be hooked.
    Everything,
}

impl Hooked {
    /// Patches a program so, and looks whether it can be verified and be taken back.
    pub fn patch(self, scratch: &Scratch, original: &Path) -> Result<PathBuf> {
        let patched = match self {
            Self::Nothing => return Ok(original.to_owned()),
            Self::Default => gopatch::patch(original, scratch.file("patched"))?,
            Self::Everything => gopatch::patch_everything(scratch, original)?,
        };
        let restored = scratch.file("restored");
        let verified = Gopatch::run(gopatch::command(&["verify"])?.arg(&patched))?;
        ensure!(verified.status == Some(0), "verify: {}", verified.stderr);
        let done = Gopatch::run(gopatch::command(&["restore"])?.arg(&patched).arg("-o").arg(&restored))?;
        ensure!(done.status == Some(0), "restore: {}", done.stderr);
        ensure!(fs::read(&restored)? == fs::read(original)?, "the restored file is another");
        fs::remove_file(restored)?;
        Ok(patched)
    }

    /// Starts a gopatchd that has room for all that such a program records.
    pub fn gopatchd(self, scratch: &Scratch, backend: &str) -> Result<Gopatchd> {
        let options: &[&str] = if self == Self::Everything { &["--ring-bytes", LARGE_RING] } else { &[] };
        Gopatchd::start(scratch, backend, options)
    }
}

/// Starts a program that looks for the test's gopatchd.
pub fn start(scratch: &Scratch, command: &mut Command, name: &str) -> Result<Process> {
    Process::start(command.env(SOCKET_ENV, gopatchd::socket(scratch)), scratch.path(), name)
}

/// Addresses of loopback on which no process listens. No two tests get the same.
pub fn free_addresses<const N: usize>() -> Result<[String; N]> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Held to the end, so that the kernel gives another port each time.
    let mut held = Vec::new();
    let mut addresses = Vec::new();
    while addresses.len() < N {
        let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
        let address = listener.local_addr()?;
        held.push(listener);
        if given.insert(address.port()) {
            addresses.push(address.to_string());
        }
    }
    Ok(addresses.try_into().expect("one for each"))
}

/// Waits until a program listens there.
pub fn wait_for_listener(process: &mut Process, address: &str) -> Result<()> {
    process.wait_for("listen", crate::SOON, |_| Ok(TcpStream::connect(address).is_ok().then_some(())))
}

/// Waits until gopatchd has heard of a process, which something makes it do things meanwhile.
pub fn wait_until_heard(gopatchd: &Gopatchd, pid: u32) -> Result<()> {
    wait_until("gopatchd to hear of it", crate::SOON, || Ok(gopatchd.has_heard_of(pid)?.then_some(())))
}

/// How often each line is there.
pub type Tally = BTreeMap<String, usize>;

/// Counts lines.
pub fn tally(lines: impl IntoIterator<Item = String>) -> Tally {
    let mut tally = Tally::new();
    for line in lines {
        *tally.entry(line).or_default() += 1;
    }
    tally
}

/// What was seen under the default rules, told by `line`, must be what was expected, and nothing was lost.
pub fn compare(said: &Said, expected: &Tally, line: impl Fn(&Operation) -> Option<String>) -> Result<()> {
    // A session that begins while calls are open has exits without an entry.
    ensure!(said.summary.lost.total == 0 && said.summary.broken_rings == 0, "{:?}\n{}", said.summary, said.stderr);
    let of_default_rules = said.operations.iter().filter(|operation| operation.rule != "everything");
    let seen = tally(of_default_rules.filter_map(line));
    let difference: Vec<_> = expected
        .keys()
        .chain(seen.keys().filter(|key| !expected.contains_key(*key)))
        .filter(|key| expected.get(*key) != seen.get(*key))
        .map(|key| format!("{key}: {:?}, expected {:?}", seen.get(key), expected.get(key)))
        .collect();
    ensure!(difference.is_empty(), "{}\n{:?}\n{}", difference.join("\n"), said.summary, said.stderr);
    Ok(())
}

/// An attribute as it is told: text as it is, a number in digits, `-` when it is not there.
pub fn shown(operation: &Operation, attribute: &str) -> String {
    match operation.attributes.get(attribute) {
        None => "-".to_owned(),
        Some(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    }
}
