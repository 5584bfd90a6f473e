//! Finds the processes that have a session and no gopatchd: those that began without one, and those
//! that an earlier gopatchd has left.
//!
//! Decides: whether a session that a process has mapped belongs to this gopatchd, and when to look.
//! Trusts: the kernel, for what a process has mapped. Never does: change anything before the session
//! is known to look for this gopatchd's socket, and to have no other gopatchd that is alive.
//!
//! A process needs to do nothing for this, and does not notice it. gopatchd needs the right to look
//! into processes (`/proc/PID/map_files`: CAP_CHECKPOINT_RESTORE, and CAP_SYS_PTRACE for those of
//! other users). Without it, processes come to the socket by themselves, if they may.
//!
//! A process that has not waited for its reply is looked at by name, as soon as that is known, and
//! again until it has made its session.
//!
//! The thread may wait for a file system that hangs. Nothing else waits for it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use gopatch_protocol::wire::{CONTROL_NAME, RINGS_NAME, SPARE_RINGS_NAME, control};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::control_page::{ControlPage, Description, Owner, SocketPlace};
use super::peer::{Memory, Peer, has_ended};
use crate::host::rights;
use crate::host::waker::Waker;

/// How long a heartbeat must stand still.
const STALE: Duration = Duration::from_millis(control::STALE_MILLIS + control::HEARTBEAT_MILLIS);

/// From one look to the next: soon after the start, when many processes wait, and then rarely, as
/// a process that starts comes by itself.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(20),
];

/// From the first look at a process that makes its session to the second; each further pause is
/// twice the last.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The longest such pause. After that the process is one like others.
const LAST_PAUSE: Duration = Duration::from_secs(4);

/// For how long it is known that a process had a session. It may be looked at by name later, as
/// gopatchd notices only then that the process has not taken another one.
const REMEMBERED: Duration = Duration::from_mins(1);

/// A session that a process has and that is now this gopatchd's.
#[derive(Debug)]
pub(crate) struct Found {
    /// When the look began that found it: what the process had mapped before then, it has no more.
    pub(crate) seen_at: Instant,
    pub(crate) peer: Peer,
    pub(crate) control: ControlPage,
    pub(crate) description: Description,
    pub(crate) files: RingFiles,
}

/// The memory files with a session's rings.
#[derive(Debug)]
pub(crate) struct RingFiles {
    /// None if these are BPF maps.
    pub(crate) large: Option<File>,
    pub(crate) spare: File,
}

/// The socket that this gopatchd listens on.
#[derive(Debug, Clone)]
pub(crate) struct OwnSocket {
    path: PathBuf,
    /// Of the socket.
    file: (u64, u64),
    /// Of its folder.
    device: u64,
}

impl OwnSocket {
    /// The socket at `path`, which is bound.
    pub(crate) fn at(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path)?;
        let status = fs::symlink_metadata(&path).with_context(|| format!("cannot look up {}", path.display()))?;
        let folder = path.parent().context("the socket has no folder")?;
        let device = fs::metadata(folder).with_context(|| format!("cannot look up {}", folder.display()))?.dev();
        Ok(Self { file: (status.dev(), status.ino()), path, device })
    }

    /// As the control pages made here describe it.
    pub(crate) fn place(&self) -> SocketPlace {
        SocketPlace::Listener { path: self.path.clone(), device: self.device }
    }

    /// Whether process `pid`, which looks for gopatchd at `place`, finds this socket.
    fn is_at(&self, place: &SocketPlace, pid: u32) -> bool {
        let path = match place {
            SocketPlace::Listener { .. } => return *place == self.place(),
            SocketPlace::Process(path) => path,
        };
        // A path that is not absolute begins at the folder the process works in.
        let seen = match path.strip_prefix("/") {
            Ok(below_root) => PathBuf::from(format!("/proc/{pid}/root")).join(below_root),
            Err(_) => PathBuf::from(format!("/proc/{pid}/cwd")).join(path),
        };
        fs::metadata(seen).is_ok_and(|status| (status.dev(), status.ino()) == self.file)
    }
}

/// The finder, as the main loop has it.
#[derive(Debug)]
pub(crate) struct Search {
    found: Receiver<Found>,
    wanted: Sender<u32>,
    missed: Arc<AtomicU64>,
}

impl Search {
    /// Starts to look, in a thread that ends when this is dropped.
    pub(crate) fn start(socket: OwnSocket, owner: Owner, waker: Waker) -> io::Result<Self> {
        let (sender, found) = channel();
        let (wanted, receiver) = channel();
        let missed = Arc::new(AtomicU64::new(0));
        let finder = Finder {
            socket,
            owner,
            waker,
            sender,
            wanted: receiver,
            awaited: HashMap::new(),
            missed: Arc::clone(&missed),
            taken: HashMap::new(),
            owned: Vec::new(),
            others: HashMap::new(),
            is_refused: false,
        };
        thread::Builder::new().name("finder".into()).spawn(move || {
            rights::keep_in_thread(rights::FIND);
            finder.run();
        })?;
        Ok(Self { found, wanted, missed })
    }

    /// Processes that were looked at by name and ended before they were found to have a session.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// The sessions found since the last time.
    pub(crate) fn found(&self) -> impl Iterator<Item = Found> {
        self.found.try_iter()
    }

    /// Looks at a process that has gone on without a session of ours, as soon as it has its own.
    pub(crate) fn look_at(&self, pid: u32) {
        // Without the thread nothing is found.
        let _ = self.wanted.send(pid);
    }
}

struct Finder {
    socket: OwnSocket,
    owner: Owner,
    waker: Waker,
    sender: Sender<Found>,
    /// Processes to look at by name.
    wanted: Receiver<u32>,
    /// Those that had no session yet: when to look again, and the pause after that.
    awaited: HashMap<u32, (Instant, Duration)>,
    /// Those of them that ended, without those whose sessions were taken before.
    missed: Arc<AtomicU64>,
    /// Processes whose sessions were taken, and when.
    taken: HashMap<u32, Instant>,
    /// Sessions that have an owner, until it is known whether its heartbeat stands still.
    owned: Vec<Seen>,
    /// Processes without a session: their pids, what they run, and whether they had none at two
    /// looks. At one look a process may not have come to make it.
    others: HashMap<u32, (Running, bool)>,
    /// The kernel has refused to open what a process has mapped, and that was logged.
    is_refused: bool,
}

/// What a process runs: its executable, and what the kernel gave it at exec(2), in which addresses
/// are chosen by chance. A process that runs another program, or the same one again, differs, and
/// so does a later process with its pid.
#[derive(PartialEq, Eq)]
struct Running {
    executable: PathBuf,
    auxiliary: Vec<u8>,
}

impl Running {
    /// `None` if the process is gone, or one of the kernel's own.
    fn of(pid: u32) -> Option<Self> {
        let executable = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let auxiliary = fs::read(format!("/proc/{pid}/auxv")).unwrap_or_default();
        Some(Self { executable, auxiliary })
    }
}

/// Why a session that was seen is not taken.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error("the kernel refuses to open what it has mapped: {0}")]
    Refused(io::Error),
    #[error("it has not mapped its rings")]
    NoRings,
    #[error(transparent)]
    Page(#[from] io::Error),
}

/// What became of a look at a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// It has no session that looks for this gopatchd, or not yet.
    Nothing,
    /// It has one that was not taken, as it may still be mapping it.
    Obstacle,
    /// It has one, of which all is known that can be for now.
    Done,
}

/// A session, before it is known whether it has another gopatchd.
struct Seen {
    found: Found,
    heartbeat: u64,
}

impl Finder {
    fn run(mut self) {
        let mut pauses = PAUSES.into_iter();
        let mut next_look = Instant::now();
        while self.take_stale().is_some() && self.look_at_awaited().is_some() {
            if next_look <= Instant::now() {
                if self.look().is_none() {
                    return;
                }
                next_look = Instant::now() + pauses.next().unwrap_or(PAUSES[PAUSES.len() - 1]);
            }
            let stale = self.owned.iter().map(|seen| seen.found.seen_at + STALE);
            let awaited = self.awaited.values().map(|(at, _)| *at);
            let next = stale.chain(awaited).min().map_or(next_look, |at| at.min(next_look));
            match self.wanted.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(pid) => {
                    self.others.remove(&pid);
                    self.awaited.insert(pid, (Instant::now(), FIRST_PAUSE));
                    // gopatchd was slow. Others may have found no place to wait, and did not connect.
                    pauses = PAUSES.into_iter();
                    next_look = next_look.min(Instant::now() + PAUSES[0]);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Looks once at all processes. `None` when gopatchd ends.
    fn look(&mut self) -> Option<()> {
        self.taken.retain(|_, at| at.elapsed() < REMEMBERED);
        let mut running = HashMap::new();
        for pid in pids() {
            let Some(runs) = Running::of(pid) else { continue };
            let known = self.others.get(&pid).filter(|(known, _)| *known == runs);
            if known.is_some_and(|(_, is_sure)| *is_sure) {
                running.insert(pid, (runs, true));
                continue;
            }
            let is_known = known.is_some();
            if self.awaited.contains_key(&pid) || self.owned.iter().any(|seen| seen.found.peer.pid == pid) {
                continue;
            }
            if self.look_at(pid)? == Look::Nothing {
                running.insert(pid, (runs, is_known));
            }
        }
        self.others = running;
        Some(())
    }

    /// Looks at the processes whose time has come. `None` when gopatchd ends.
    fn look_at_awaited(&mut self) -> Option<()> {
        let now = Instant::now();
        let due: Vec<_> = self.awaited.extract_if(|_, (at, _)| *at <= now).collect();
        for (pid, (_, pause)) in due {
            if has_ended(pid) {
                if !self.taken.contains_key(&pid) {
                    self.missed.fetch_add(1, Ordering::Relaxed);
                    self.waker.wake();
                }
            } else if self.look_at(pid)? != Look::Done && pause <= LAST_PAUSE {
                self.awaited.insert(pid, (Instant::now() + pause, 2 * pause));
            }
        }
        Some(())
    }

    /// Looks at a process, and takes its session if that has no owner. `None` when gopatchd ends.
    fn look_at(&mut self, pid: u32) -> Option<Look> {
        match self.session_of(pid) {
            Ok(Some(seen)) if seen.found.control.is_ours() => {}
            Ok(Some(seen)) if seen.found.control.has_owner() => self.owned.push(seen),
            Ok(Some(seen)) => self.take(seen.found)?,
            Ok(None) => return Some(Look::Nothing),
            Err(error) => {
                self.log(pid, &error);
                return Some(Look::Obstacle);
            }
        }
        Some(Look::Done)
    }

    /// Takes the sessions whose owners have had time to beat and have not. `None` when gopatchd ends.
    fn take_stale(&mut self) -> Option<()> {
        let now = Instant::now();
        let known: Vec<_> = self.owned.extract_if(.., |seen| seen.found.seen_at + STALE <= now).collect();
        for Seen { found, heartbeat } in known {
            if found.control.heartbeat() == heartbeat {
                self.take(found)?;
            }
        }
        Some(())
    }

    fn take(&mut self, found: Found) -> Option<()> {
        found.control.claim();
        self.taken.insert(found.peer.pid, Instant::now());
        self.sender.send(found).ok()?;
        self.waker.wake();
        Some(())
    }

    /// The session of a process, if it has one that looks for this gopatchd.
    fn session_of(&self, pid: u32) -> Result<Option<Seen>, Obstacle> {
        let seen_at = Instant::now();
        // Before the files are opened: if the process still runs after that, they are its own.
        let Some(Ok(pidfd)) = Pid::from_raw(pid as i32).map(|pid| pidfd_open(pid, PidfdFlags::empty())) else {
            return Ok(None);
        };
        let memory = Memory::open(pid);
        let Ok(maps) = fs::read(format!("/proc/{pid}/maps")) else { return Ok(None) };
        let Some(control) = mapping_of(&maps, CONTROL_NAME) else { return Ok(None) };
        // A child of vfork(2) uses its parent's memory until it runs a program of its own.
        if is_of_parent(pid, &maps, control) {
            return Ok(None);
        }
        let open = |range: &str| {
            let path = format!("/proc/{pid}/map_files/{range}");
            File::options().read(true).write(true).open(path).map_err(Obstacle::Refused)
        };
        let (control, description) = ControlPage::open(&open(control)?, self.owner)?;
        let spare = open(mapping_of(&maps, SPARE_RINGS_NAME).ok_or(Obstacle::NoRings)?)?;
        let files = RingFiles { large: mapping_of(&maps, RINGS_NAME).map(open).transpose()?, spare };
        // A process that has BPF rings has mapped each in three parts.
        let bpf_parts = maps.split(|byte| *byte == b'\n').filter(|line| line.ends_with(b"bpf-map")).count();
        if bpf_parts < 3 * description.bpf_ids.len() {
            return Err(Obstacle::NoRings);
        }
        let uid = fs::metadata(format!("/proc/{pid}")).map_or(u32::MAX, |status| status.uid());
        let peer = Peer { pid, uid, pidfd, memory };
        let is_over = peer.has_ended() || peer.memory.as_ref().is_some_and(|memory| memory.check());
        if is_over || !self.socket.is_at(&description.socket, pid) {
            return Ok(None);
        }
        let heartbeat = control.heartbeat();
        let found = Found { seen_at, peer, control, description, files };
        Ok(Some(Seen { found, heartbeat }))
    }

    fn log(&mut self, pid: u32, obstacle: &Obstacle) {
        tracing::debug!("pid {pid}: its session was not taken: {obstacle}");
        if matches!(obstacle, Obstacle::Refused(error) if error.kind() == io::ErrorKind::PermissionDenied)
            && !std::mem::replace(&mut self.is_refused, true)
        {
            tracing::info!(
                "processes that run already attach by themselves, if they may (to find them needs \
                 CAP_CHECKPOINT_RESTORE)"
            );
        }
    }
}

/// All processes that are visible from here.
fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Whether the parent of a process has the same file mapped at `range`.
fn is_of_parent(pid: u32, maps: &[u8], range: &str) -> bool {
    let line = |maps: &[u8]| {
        let mut lines = maps.split(|byte| *byte == b'\n');
        lines.find(|line| line.starts_with(range.as_bytes())).map(<[u8]>::to_vec)
    };
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Field 4. The name before it may hold anything.
    let parent = stat.rsplit_once(')').and_then(|(_, fields)| fields.split_whitespace().nth(1));
    let of_parent = parent.and_then(|parent| fs::read(format!("/proc/{parent}/maps")).ok());
    of_parent.is_some_and(|of_parent| line(&of_parent) == line(maps))
}

/// The address range of the first read-only mapping of a memory file of that name, as
/// `/proc/PID/maps` and the names in `/proc/PID/map_files` write it. A program maps its control page
/// and the first page of each ring so; a gopatchd, which has mapped the same files, maps none so.
fn mapping_of<'m>(maps: &'m [u8], name: &str) -> Option<&'m str> {
    let suffix = format!(" /memfd:{name} (deleted)");
    maps.split(|byte| *byte == b'\n').find_map(|line| {
        let line = std::str::from_utf8(line).ok().filter(|line| line.ends_with(&suffix))?;
        let mut words = line.split(' ');
        let range = words.next()?;
        (words.next()? == "r--s").then_some(range)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_a_mapping_is_the_name_of_its_file() {
        let maps = b"00400000-00401000 r-xp 00000000 08:01 5   /memfd:gopatch-control\n\
            7e00-7e10 rw-s 00000000 00:01 1056                 /memfd:gopatch-rings (deleted)\n\
            7f00-7f10 r--s 00000000 00:01 1056                 /memfd:gopatch-rings (deleted)\n\
            7f20-7f30 r--s 00000000 00:01 1055                 /memfd:gopatch-control (deleted)\n\
            7f40-7f50 rw-s 00001000 00:01 1056                 /memfd:gopatch-rings (deleted)\n";
        assert_eq!(mapping_of(maps, CONTROL_NAME), Some("7f20-7f30"));
        assert_eq!(mapping_of(maps, RINGS_NAME), Some("7f00-7f10"));
        assert_eq!(mapping_of(maps, "other"), None);
    }
}
