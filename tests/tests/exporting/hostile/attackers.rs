//! The processes that attack (`tests/src/attacker`), all at the same time.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Process, Scratch, wait_until};

/// The user of the attackers.
const USER: u32 = 65534;

/// Each process that attacks: a way, and what it must have done to count. The first get sessions
/// before the others take what their user may have of gopatchd.
const WAYS: [(&str, &str); 11] = [
    ("rings", "records"),
    ("labels", "calls"),
    ("collisions", "calls"),
    // Another one with the same identity.
    ("collisions", "calls"),
    ("positions", "lies"),
    ("hellos", "hellos"),
    ("silent", "held at once"),
    ("manifests", "sent"),
    ("files", "sent"),
    ("executions", "started"),
    ("web", "opened"),
];

/// How many of them are the first.
const FIRST: usize = 5;

/// What the attackers say about themselves: some of it stands for other things, or collides.
const ATTRIBUTES: &str = "service.instance.id=same,job=x,instance=y,le=1,__name__=z,a.b=1,a_b=2,a-b=3,host.name=h";

/// How long each of them may take to begin, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is attacked.
pub(super) struct Place<'a> {
    pub(super) socket: &'a Path,
    /// Of the HTTP port.
    pub(super) address: &'a str,
    /// A file that never answers a read.
    pub(super) hanging: &'a Path,
}

/// The processes.
pub(super) struct Attackers(Vec<(&'static str, &'static str, Process)>);

impl Attackers {
    /// Starts them, and waits until each attacks.
    pub(super) fn start(scratch: &Scratch, place: &Place<'_>) -> Result<Self> {
        let program = scratch.file("attacker");
        // The user of the attackers may be unable to reach the workspace.
        fs::copy(env!("CARGO_BIN_EXE_attacker"), &program)?;
        fs::set_permissions(&program, Permissions::from_mode(0o755))?;
        let start = |(number, (way, does)): (usize, (&'static str, &'static str))| -> Result<_> {
            let mut command = Command::new(&program);
            command.arg(way).arg(place.socket).uid(USER).gid(USER);
            match way {
                "files" => command.arg(place.hanging),
                "executions" => command.arg(place.socket),
                "web" => command.arg(place.address),
                _ => &mut command,
            };
            command.env("OTEL_SERVICE_NAME", "attacker").env("OTEL_RESOURCE_ATTRIBUTES", ATTRIBUTES);
            Ok((way, does, Process::start(&mut command, scratch.path(), &format!("attacker-{number}-{way}"))?))
        };
        let mut attackers = Self(Vec::new());
        for (number, way) in WAYS.into_iter().enumerate() {
            if number == FIRST {
                attackers.wait(|_| false)?;
            }
            attackers.0.push(start((number, way))?);
        }
        // One that gopatchd refuses all the time attacks, too.
        attackers.wait(|tally| tally.contains_key("refused"))?;
        Ok(attackers)
    }

    /// Waits until each has begun, or something else holds.
    fn wait(&mut self, or: impl Fn(&BTreeMap<String, u64>) -> bool) -> Result<()> {
        for (way, does, process) in &mut self.0 {
            wait_until("all attackers to attack", PATIENCE, || {
                ensure!(!process.has_ended()?, "{}", process.describe("ended"));
                let tally = tally(process)?;
                Ok((tally.contains_key(*does) || or(&tally)).then_some(()))
            })
            .with_context(|| format!("the attacker {way} has done nothing"))?;
        }
        Ok(())
    }

    /// Ends them, all of which must still attack, and returns what each has done.
    pub(super) fn stop(self) -> Result<Vec<String>> {
        let mut done = Vec::new();
        for (way, _, mut process) in self.0 {
            ensure!(!process.has_ended()?, "{}", process.describe("ended"));
            process.kill()?;
            done.push(format!("{way}: {:?}", tally(&process)?));
        }
        Ok(done)
    }
}

/// The last tally that an attacker has printed.
fn tally(process: &Process) -> Result<BTreeMap<String, u64>> {
    let text = process.stdout()?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().last().map_or_else(|| Ok(BTreeMap::new()), |line| Ok(serde_json::from_str(line)?))
}
