//! Threads that get to know a process: they receive its hello, read its executable and look at it
//! in /proc, and make what a session needs.
//!
//! Decides: how many there are, by user, and which file systems hang.
//! Trusts: nothing. Each call here may wait for the process, or for a file system, for any time: to
//! receive a message may close a descriptor that came with it, an executable may be on a file system
//! that never answers, and a process in the middle of an exec(2) makes a look at it wait. Then this
//! thread waits, and nothing else.
//! Never does: hold a lock while it waits.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gopatch_protocol::wire::Hello;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, FileType, StatxFlags, statx};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::peer::Memory;
use super::refusal::Refusal;
use crate::calls::program::{Program, ProgramError};
use crate::host::closer::Closing;
use crate::host::waker::Waker;
use crate::quota::table::Kind;
use crate::quota::{Quotas, Share};
use crate::telemetry::metrics::{Keeping, Metrics};
use crate::telemetry::resource::{Naming, Resource};

/// The threads. Each wakes the main loop when it is done.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    shared: Arc<Shared>,
    waker: Waker,
}

#[derive(Debug)]
struct Shared {
    naming: Naming,
    keeping: Option<Keeping>,
    quotas: Arc<Quotas>,
    next: AtomicU64,
    running: Mutex<HashMap<u64, Running>>,
}

/// A thread that reads an executable.
#[derive(Debug)]
struct Running {
    uid: u32,
    /// Of the file, once it is known.
    device: Option<(u32, u32)>,
    /// Nothing waits for it any more.
    is_late: bool,
    /// Its place among those of its user, until it is late.
    share: Option<Share>,
}

/// How a process is known to a reader.
pub(crate) enum Subject {
    /// It has connected, and its hello has come or it has gone.
    Connection(Arc<Closing<OwnedFd>>),
    /// It has a session for the manifest with this id.
    Session([u8; 16]),
}

/// What a reader has found out.
pub(crate) enum Greeting {
    Complete(Box<Introduced>),
    /// The peer only checked that gopatchd is running.
    Probe,
    /// The process has gone on without a reply.
    Late,
    Refused(Refusal),
}

/// All that a session needs to know of a process.
pub(crate) struct Introduced {
    /// None of a process that has a session.
    pub(crate) hello: Option<Hello>,
    pub(crate) memory: Option<Arc<Memory>>,
    pub(crate) program: Program,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) resource: Resource,
}

/// What a reader does, as the main loop has it.
#[derive(Debug)]
pub(crate) struct Reading {
    id: u64,
    shared: Arc<Shared>,
    pub(crate) greeting: Receiver<Greeting>,
}

/// The reader is done, however it ends.
struct Done {
    id: u64,
    shared: Arc<Shared>,
    waker: Waker,
}

impl Drop for Done {
    fn drop(&mut self) {
        self.shared.lock().remove(&self.id);
        self.waker.wake();
    }
}

impl Readers {
    pub(crate) fn new(naming: Naming, keeping: Option<Keeping>, quotas: Arc<Quotas>) -> io::Result<Self> {
        let shared = Shared { naming, keeping, quotas, next: AtomicU64::new(0), running: Mutex::default() };
        Ok(Self { shared: Arc::new(shared), waker: Waker::new()? })
    }

    /// Readable when a reader is done.
    pub(crate) fn wake(&self) -> BorrowedFd<'_> {
        self.waker.as_fd()
    }

    /// Makes `wake` readable.
    pub(crate) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Makes `wake` unreadable again.
    pub(crate) fn clear_wake(&self) {
        self.waker.clear();
    }

    /// Counts a process that got no reader in time.
    pub(crate) fn count_refused(&self) {
        self.shared.quotas.count(Kind::Readers);
    }

    /// Starts a reader. `None` if all that its user may have are busy.
    pub(crate) fn start(&self, subject: Subject, (pid, uid): (u32, u32)) -> io::Result<Option<Reading>> {
        let Some(share) = self.shared.quotas.try_take(uid, Kind::Readers, 1) else { return Ok(None) };
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let (sender, greeting) = channel();
        self.shared.lock().insert(id, Running { uid, device: None, is_late: false, share: Some(share) });
        let done = Done { id, shared: Arc::clone(&self.shared), waker: self.waker.clone() };
        let reader = move || {
            let found = match done.shared.greet(id, &subject, (pid, uid)) {
                Ok(greeting) => greeting,
                Err(refusal) => Greeting::Refused(refusal),
            };
            // The handshake may be over already.
            let _ = sender.send(found);
            drop(done);
        };
        std::thread::Builder::new().name("manifest".into()).spawn(reader)?;
        Ok(Some(Reading { id, shared: Arc::clone(&self.shared), greeting }))
    }
}

impl Reading {
    /// Nothing waits for the reader any more. Its place is free for another, but for no more than as
    /// many again of each user: those that are late stay until their file systems answer.
    pub(crate) fn give_up(&self) {
        let mut running = self.shared.lock();
        let Some(own) = running.get_mut(&self.id) else { return };
        own.is_late = true;
        let (uid, share) = (own.uid, own.share.take());
        let late = running.values().filter(|other| other.uid == uid && other.is_late && other.share.is_none());
        if late.count() as u64 > self.shared.quotas.limits.user[Kind::Readers as usize]
            && let Some(own) = running.get_mut(&self.id)
        {
            own.share = share;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn greet(&self, id: u64, subject: &Subject, (pid, uid): (u32, u32)) -> Result<Greeting, Refusal> {
        let (hello, executable, manifest_id) = match subject {
            Subject::Connection(socket) => match receive(socket)? {
                Message::Hello(hello, executable) => (Some(hello), executable, hello.manifest_id),
                Message::Closed => return Ok(Greeting::Probe),
                Message::Late => return Ok(Greeting::Late),
            },
            Subject::Session(manifest_id) => (None, None, *manifest_id),
        };
        // Before the file is read: what was read belongs to this program if its memory still exists
        // then.
        let memory = Memory::open(pid);
        let file = if let Some(file) = executable {
            File::from(file)
        } else {
            let path = format!("/proc/{pid}/exe");
            self.look_at_file(id, uid, rustix::fs::CWD, &path)?;
            File::open(path).map_err(ProgramError::from)?
        };
        self.look_at_file(id, uid, file.as_fd(), "")?;
        let program = Program::read(file, manifest_id, uid, &self.quotas)?;
        if let Some(running) = self.lock().get_mut(&id) {
            running.device = None;
        }
        let resource = Resource::detect(pid, program.input(), &self.naming);
        let metrics = self.keeping.map(|keeping| Metrics::new(&program, keeping, uid, &self.quotas));
        Ok(Greeting::Complete(Box::new(Introduced { hello, memory, program, metrics, resource })))
    }

    /// Checks that a file is a regular one, and that its file system is not one that hangs, without a
    /// request to it (AT_STATX_DONT_SYNC).
    ///
    /// Once as many readers of a user are late as half of those that it may have, no other reads on
    /// their file systems: programs on other ones still have a reader.
    fn look_at_file(&self, id: u64, uid: u32, folder: BorrowedFd<'_>, path: &str) -> Result<(), ProgramError> {
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let status = statx(folder, path, flags, StatxFlags::TYPE).map_err(io::Error::from)?;
        if FileType::from_raw_mode(status.stx_mode.into()) != FileType::RegularFile {
            return Err(ProgramError::NotAFile);
        }
        let device = (status.stx_dev_major, status.stx_dev_minor);
        let mut running = self.lock();
        let late: Vec<_> = running.values().filter(|other| other.uid == uid && other.is_late).collect();
        let is_half = 2 * late.len() as u64 >= self.quotas.limits.user[Kind::Readers as usize];
        if is_half && late.iter().any(|other| other.device == Some(device)) {
            return Err(ProgramError::Hangs);
        }
        if let Some(own) = running.get_mut(&id) {
            own.device = Some(device);
        }
        Ok(())
    }
}

/// What a peer sends first.
enum Message {
    Hello(Hello, Option<OwnedFd>),
    /// The peer has closed the connection.
    Closed,
    /// The same after a hello.
    Late,
}

/// Receives a hello, or the end of the connection, one of which has come.
fn receive(socket: &OwnedFd) -> Result<Message, Refusal> {
    let mut message = [0; Hello::SIZE + 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = match recvmsg(socket, &mut [IoSliceMut::new(&mut message)], &mut ancillary, flags) {
        Ok(received) => received,
        Err(Errno::AGAIN | Errno::INTR) => return Ok(Message::Closed),
        Err(error) => return Err(Refusal::Socket(error.into())),
    };
    let executable = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        _ => None,
    });
    if received.bytes == 0 {
        return Ok(Message::Closed);
    }
    let hello = Hello::parse(&message[..received.bytes]).ok_or(Refusal::NotAHello)?;
    Ok(if has_left(socket.as_fd()) { Message::Late } else { Message::Hello(hello, executable) })
}

/// Whether the process at the other end does not wait for a reply any more.
pub(super) fn has_left(socket: BorrowedFd<'_>) -> bool {
    let mut ended = [PollFd::from_borrowed_fd(socket, PollFlags::empty())];
    poll(&mut ended, Some(&Timespec::default())).is_ok_and(|ended| ended > 0)
}
