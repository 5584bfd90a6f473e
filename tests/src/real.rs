//! Real programs: servers of other projects, patched and put under load.
//!
//! Decides how such a program is patched, and checks that its original can be restored. Trusts the
//! programs' clients to report what they requested, and to fail on an unexpected answer. Everything
//! seen under the default rules is compared, each operation with its attributes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::SOCKET_ENV;

use crate::process::Process;
use crate::{Collected, Gopatch, Gopatchd, Operation, Scratch, gopatch, gopatchd, wait_until};

/// Bytes of each ring of a program whose functions are all hooked: enough for everything in a test.
const LARGE_RING: &str = "67108864";

/// Which functions of a program are hooked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hooked {
    /// None: the program as built.
    Nothing,
    /// Those of the default rules.
    Default,
    /// Every function that can be hooked, besides the default rules.
    Everything,
}

impl Hooked {
    /// Patches a program, and checks that `verify` and `restore` work on the output.
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
        ensure!(fs::read(&restored)? == fs::read(original)?, "the restored file differs from the original");
        fs::remove_file(restored)?;
        Ok(patched)
    }

    /// Starts a gopatchd with rings large enough for such a program.
    pub fn start_gopatchd(self, scratch: &Scratch, backend: &str) -> Result<Gopatchd> {
        let options: &[&str] = if self == Self::Everything { &["--ring-bytes", LARGE_RING] } else { &[] };
        Gopatchd::start(scratch, backend, options)
    }
}

/// Starts a program that connects to the test's gopatchd.
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

/// Waits until a program listens at an address.
pub fn wait_for_listener(process: &mut Process, address: &str) -> Result<()> {
    process.wait_for("listen", crate::SOON, |_| Ok(TcpStream::connect(address).is_ok().then_some(())))
}

/// Waits until gopatchd has printed an operation of a process that is under load.
pub fn wait_for_operation_of(gopatchd: &Gopatchd, pid: u32) -> Result<()> {
    wait_until("gopatchd to print an operation of it", crate::SOON, || {
        Ok(gopatchd.has_operation_of(pid)?.then_some(()))
    })
}

/// How often each line appears.
pub type Tally = BTreeMap<String, usize>;

/// Counts lines.
pub fn tally(lines: impl IntoIterator<Item = String>) -> Tally {
    let mut tally = Tally::new();
    for line in lines {
        *tally.entry(line).or_default() += 1;
    }
    tally
}

/// Fails unless the operations of the default rules, formatted by `line`, are the expected ones and
/// nothing was lost.
pub fn compare(collected: &Collected, expected: &Tally, line: impl Fn(&Operation) -> Option<String>) -> Result<()> {
    // A session that begins during a call has an exit without an entry.
    ensure!(
        collected.summary.lost.total == 0 && collected.summary.broken_rings == 0,
        "{:?}\n{}",
        collected.summary,
        collected.stderr
    );
    let of_default_rules = collected.operations.iter().filter(|operation| operation.rule != "everything");
    let seen = tally(of_default_rules.filter_map(line));
    let difference: Vec<_> = expected
        .keys()
        .chain(seen.keys().filter(|key| !expected.contains_key(*key)))
        .filter(|key| expected.get(*key) != seen.get(*key))
        .map(|key| format!("{key}: {:?}, expected {:?}", seen.get(key), expected.get(key)))
        .collect();
    ensure!(difference.is_empty(), "{}\n{:?}\n{}", difference.join("\n"), collected.summary, collected.stderr);
    Ok(())
}

/// An attribute as text; `-` when it is absent.
pub fn attribute_text(operation: &Operation, attribute: &str) -> String {
    match operation.attributes.get(attribute) {
        None => "-".to_owned(),
        Some(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    }
}
