//! The programs of others: one that calls hooked functions at a high rate, and one that starts each
//! second. Each call must be counted, as recorded or as lost.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::{SOCKET_ENV, control};
use gopatch_tests::{Gopatchd, NEWEST_GO, Process, Scratch, gopatch, soak, wait_until};
use serde::Deserialize;
use serde_json::Value;
use xtask::corpus;
use xtask::workspace;

/// The user of the victims: neither root nor the attackers'.
const USER: u32 = 65533;

/// Records of a call: an entry and an exit.
const RECORDS: u64 = 2;

/// Calls of a newcomer a second.
const NEWCOMER_RATE: u32 = 1000;

/// How long gopatchd may take to count all of a program that has ended. That is no measured time.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program that calls, patched.
pub(super) struct Caller {
    program: PathBuf,
    folder: PathBuf,
    /// How long a newcomer runs.
    stays: Duration,
}

/// What became of the calls of a process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    /// Records that were to be made.
    pub(super) records: u64,
    /// Records that gopatchd has counted as lost.
    pub(super) lost: u64,
    /// Records that it has neither read nor counted as lost.
    pub(super) uncounted: i64,
}

/// A process that was started while others ran.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub(super) service: String,
    /// Until gopatchd had its session.
    pub(super) attached_after: Duration,
    pub(super) account: Account,
}

/// What became of a victim and of the newcomers beside it.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) account: Account,
    pub(super) newcomers: Vec<Newcomer>,
}

#[derive(Deserialize)]
struct Line {
    calls: u64,
}

impl Account {
    /// The part that was lost, counted or not.
    pub(super) fn share(self) -> f64 {
        (self.lost.cast_signed() + self.uncounted) as f64 / self.records.max(1) as f64
    }
}

impl Caller {
    /// Builds and patches it.
    pub(super) fn new(scratch: &Scratch, stays: Duration) -> Result<Self> {
        let rules = fs::read_to_string(workspace::root().join("tests/bench/pair.yaml"))?;
        let program = gopatch::patch_with(scratch, &corpus::build("hookbench", NEWEST_GO, "default")?, &rules)?;
        Ok(Self { program, folder: scratch.path().to_owned(), stays })
    }

    fn start(&self, gopatchd: &Gopatchd, service: &str, rate: u32, lasts: Duration) -> Result<Process> {
        let mut command = Command::new(&self.program);
        command.args(["-fn", "ServeLike", "-rate", &rate.to_string(), "-for", &format!("{}ms", lasts.as_millis())]);
        command.env(SOCKET_ENV, gopatchd.socket()).env("OTEL_SERVICE_NAME", service).env("GOMAXPROCS", "1");
        command.uid(USER).gid(USER);
        Process::start(&mut command, &self.folder, service)
    }

    /// Calls at a rate while a newcomer starts each second.
    pub(super) fn call(&self, gopatchd: &Gopatchd, service: &str, rate: u32, lasts: Duration) -> Result<Called> {
        let mut victim = self.start(gopatchd, service, rate, lasts)?;
        let began = Instant::now();
        let newcomers = std::thread::scope(|scope| {
            let mut newcomers = Vec::new();
            for second in 1.. {
                let at = Duration::from_secs(second);
                if at + self.stays > lasts {
                    break;
                }
                std::thread::sleep((began + at).saturating_duration_since(Instant::now()));
                let service = format!("{service}-newcomer-{second}");
                newcomers.push(scope.spawn(move || self.come(gopatchd, &service)));
            }
            newcomers.into_iter().map(|newcomer| newcomer.join().expect("no panic")).collect::<Result<Vec<_>>>()
        })?;
        // One that is late catches up with its calls.
        let status = victim.wait(2 * lasts + PATIENCE)?;
        ensure!(status.success(), "{}", victim.describe("failed"));
        Ok(Called { account: account(gopatchd, service, &victim)?, newcomers })
    }

    /// Starts a process and accounts for its calls.
    fn come(&self, gopatchd: &Gopatchd, service: &str) -> Result<Newcomer> {
        let began = Instant::now();
        let mut process = self.start(gopatchd, service, NEWCOMER_RATE, self.stays)?;
        let pid = process.pid();
        process.wait_for("attach", PATIENCE, |_| Ok(is_attached(pid).then_some(())))?;
        let attached_after = began.elapsed();
        let status = process.wait(PATIENCE)?;
        ensure!(status.success(), "{}", process.describe("failed"));
        let account = account(gopatchd, service, &process)?;
        // There are many of them.
        fs::remove_file(process.stdout_path())?;
        Ok(Newcomer { service: service.to_owned(), attached_after, account })
    }
}

/// Whether a process has mapped a control page that a gopatchd has taken; only root may see that.
fn is_attached(pid: u32) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let line = maps.lines().find(|line| line.contains("/memfd:gopatch-control"));
    let Some(range) = line.and_then(|line| line.split(' ').next()) else { return false };
    let mut owner = [0; 8];
    let page = File::open(format!("/proc/{pid}/map_files/{range}"));
    page.and_then(|page| page.read_exact_at(&mut owner, control::OWNER as u64)).is_ok() && owner != [0; 8]
}

/// Waits until gopatchd has counted each record of a process that has ended.
fn account(gopatchd: &Gopatchd, service: &str, process: &Process) -> Result<Account> {
    let line: Line = serde_json::from_str(&process.stdout()?).context("hookbench prints its calls")?;
    let records = line.calls * RECORDS;
    let mut counted = None;
    let done = wait_until("all records to be counted", PATIENCE, || {
        let status = soak::status(&gopatchd.control())?;
        let all = status["processes"].as_array().context("a list")?;
        counted = all.iter().find(|it| it["service"] == service).map(counts);
        std::thread::sleep(Duration::from_millis(100));
        Ok(counted.filter(|(read, lost)| read + lost == records).map(|(_, lost)| lost))
    });
    Ok(match (done, counted) {
        (Ok(lost), _) => Account { records, lost, uncounted: 0 },
        (Err(_), Some((read, lost))) => {
            Account { records, lost, uncounted: records.cast_signed() - (read + lost).cast_signed() }
        }
        // It was refused, which is counted, or ended before gopatchd had read its program.
        (Err(_), None) => Account { records, lost: records, uncounted: 0 },
    })
}

/// Records of a process that were read, and that were lost.
fn counts(process: &Value) -> (u64, u64) {
    let causes = ["ring_full", "unconsumed", "slot_busy", "output_full", "malformed"];
    let lost = causes.iter().filter_map(|cause| process["lost"][cause].as_u64()).sum();
    (process["records"].as_u64().unwrap_or(0), lost)
}
