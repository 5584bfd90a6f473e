//! From a connection, or a session that was found, to all that a session needs.
//!
//! Decides: whether a hello is valid, and how long a peer may take.
//! Trusts: nothing. A peer may send nothing, send too much, or pass a file on a file system that
//! never answers.
//! Never does: wait. A thread of its own receives each hello and reads the executable (`readers`),
//! and another one closes the sockets (`closer`).

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use gopatch_protocol::wire::{Hello, MAX_RINGS, Reply};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::closer::{Closer, Closing};
use super::control_page::{ControlPage, Description};
use super::finder::{Found, RingFiles};
use super::peer::{Peer, credentials_of, pid_of};
use super::readers::{Greeting, Introduced, Readers, Reading, Subject, has_left};
use super::refusal::{PATIENCE, Refusal};
use crate::calls::program::{Program, ProgramError};
use crate::host::allow::Allow;
use crate::quota::table::Kind;
use crate::quota::{Quotas, Share};
use crate::telemetry::metrics::Metrics;
use crate::telemetry::resource::Resource;

/// How long gopatchd may take to read the executable of a process that does not wait for it.
const LONG_PATIENCE: Duration = Duration::from_secs(30);

/// `status` of a reply that grants no session. The reason is in gopatchd's log.
const REFUSED: u32 = 1;

/// A connection without a session, or a session of which the program is not known yet.
#[derive(Debug)]
pub(crate) struct Handshake {
    source: Source,
    peer: Peer,
    deadline: Instant,
    stage: Stage,
    /// Of its user's greetings. A session that was found has a process that waits for nothing.
    _share: Option<Share>,
}

/// How a process was met.
#[derive(Debug)]
pub(crate) enum Source {
    /// It has connected.
    Connection(Arc<Closing<OwnedFd>>),
    /// It has a session, as was seen in a look that began then.
    Session { control: ControlPage, description: Description, files: RingFiles, seen_at: Instant },
}

/// How far a handshake has come.
#[derive(Debug)]
enum Stage {
    /// Nothing has come from the peer.
    Silent,
    /// A hello has come, or the process was found, and no reader is free.
    Waiting,
    /// A reader gets to know the process.
    Reading(Reading),
}

/// What became of a handshake.
pub(crate) enum Progress {
    /// Nothing more can be done now.
    Waiting(Handshake),
    /// All that a session needs.
    Complete(Box<Candidate>),
    /// The peer only checked that gopatchd is running.
    Probe,
    /// The process has gone on without a reply.
    Left(Handshake),
    /// The process gets no session.
    Refused(Handshake, Refusal),
}

/// A process to which a session can be given.
pub(crate) struct Candidate {
    pub(crate) source: Source,
    pub(crate) peer: Peer,
    pub(crate) hello: Hello,
    pub(crate) program: Program,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) resource: Resource,
    /// What its session takes from its user.
    pub(crate) shares: Vec<Share>,
}

impl Handshake {
    /// Starts with a new connection.
    pub(crate) fn new(socket: OwnedFd, closer: &Closer, quotas: &Arc<Quotas>) -> Result<Self, Refusal> {
        let socket = Closing::new(socket, closer);
        let peer = Peer::from_socket(socket.as_fd()).map_err(|error| match pid_of(socket.as_fd()) {
            Ok(pid) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Refusal::Ended(pid),
            _ => Refusal::Peer(error),
        })?;
        let share = quotas.take(peer.uid, Kind::Greetings, 1);
        let source = Source::Connection(Arc::new(socket));
        let new = Self { source, peer, deadline: Instant::now() + PATIENCE, stage: Stage::Silent, _share: None };
        match share {
            Ok(share) => Ok(Self { _share: Some(share), ..new }),
            Err(exceeded) => {
                new.refuse();
                Err(exceeded.into())
            }
        }
    }

    /// Starts with a session that a process has.
    pub(crate) fn with_session(found: Found) -> Self {
        let Found { seen_at, peer, control, description, files } = found;
        let source = Source::Session { control, description, files, seen_at };
        Self { source, peer, deadline: Instant::now() + LONG_PATIENCE, stage: Stage::Waiting, _share: None }
    }

    /// Why the process may not have a session, if it may not.
    pub(crate) fn check(&self, allow: &Allow) -> Option<Refusal> {
        let Source::Connection(socket) = &self.source else {
            return (!allow.permits_pid(self.peer.pid)).then_some(Refusal::SessionNotAllowed);
        };
        match credentials_of(socket.as_fd()) {
            Ok(process) => (!allow.permits(process)).then_some(Refusal::NotAllowed(process)),
            Err(error) => Some(Refusal::Peer(error)),
        }
    }

    /// Whether the process has connected, and has ended since.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.source, Source::Connection(_)) && self.peer.has_ended()
    }

    /// When it needs attention even if nothing comes from the peer.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The socket, while a hello is expected from it.
    pub(crate) fn silent_socket(&self) -> Option<BorrowedFd<'_>> {
        match (&self.stage, &self.source) {
            (Stage::Silent, Source::Connection(socket)) => Some(socket.as_fd()),
            _ => None,
        }
    }

    /// The pid of the peer.
    pub(crate) fn pid(&self) -> u32 {
        self.peer.pid
    }

    /// Does what can be done without waiting.
    pub(crate) fn advance(mut self, readers: &Readers) -> Progress {
        let late = Instant::now() >= self.deadline;
        if let Some(socket) = self.silent_socket() {
            let mut readable = [PollFd::from_borrowed_fd(socket, PollFlags::IN)];
            // Only a reader may receive: it may have to wait.
            match poll(&mut readable, Some(&Timespec::default())) {
                Ok(0) | Err(_) if late => return Progress::Refused(self, Refusal::Silent),
                Ok(0) | Err(_) => return Progress::Waiting(self),
                Ok(_) => {
                    self.stage = Stage::Waiting;
                    self.deadline = Instant::now() + PATIENCE;
                }
            }
        }
        if let Stage::Waiting = self.stage {
            let subject = match &self.source {
                Source::Connection(socket) => Subject::Connection(Arc::clone(socket)),
                Source::Session { description, .. } => Subject::Session(description.manifest_id),
            };
            match readers.start(subject, (self.peer.pid, self.peer.uid)) {
                Ok(Some(reading)) => self.stage = Stage::Reading(reading),
                Ok(None) if late => {
                    readers.count_refused();
                    return Progress::Refused(self, Refusal::SlowFile);
                }
                Ok(None) => return Progress::Waiting(self),
                Err(error) => return Progress::Refused(self, ProgramError::from(error).into()),
            }
        }
        let Stage::Reading(reading) = &self.stage else { return Progress::Waiting(self) };
        match reading.greeting.try_recv() {
            Ok(Greeting::Complete(introduced)) => self.complete(*introduced),
            Ok(Greeting::Probe) => Progress::Probe,
            Ok(Greeting::Late) => Progress::Left(self),
            Ok(Greeting::Refused(refusal)) => Progress::Refused(self, refusal),
            Err(TryRecvError::Empty) if !late => Progress::Waiting(self),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
                reading.give_up();
                if self.has_left() { Progress::Left(self) } else { Progress::Refused(self, Refusal::SlowFile) }
            }
        }
    }

    fn complete(self, introduced: Introduced) -> Progress {
        let Introduced { hello, memory, program, metrics, resource } = introduced;
        // What was read of the process may be of its next program.
        let memory = self.peer.memory.clone().or(memory);
        if memory.as_ref().is_some_and(|memory| memory.check()) {
            return Progress::Refused(self, Refusal::Over);
        }
        let Self { source, peer, .. } = self;
        let hello = hello.unwrap_or_else(|| source.hello());
        let peer = Peer { memory, ..peer };
        Progress::Complete(Box::new(Candidate { source, peer, hello, program, metrics, resource, shares: Vec::new() }))
    }

    /// Tells the peer, if it waits for that, that it gets no session.
    pub(crate) fn refuse(&self) {
        let Source::Connection(socket) = &self.source else { return };
        let reply = Reply { status: REFUSED, rings: 0, large_rings: 0, ring_bytes: 0, control_bytes: 0 };
        // The peer may be gone.
        drop(send(socket.as_fd(), &reply, &[]));
    }

    /// Whether the process does not wait for a reply any more.
    fn has_left(&self) -> bool {
        matches!(&self.source, Source::Connection(socket) if has_left(socket.as_fd()))
    }
}

impl Source {
    /// The hello that a session which was found stands for.
    fn hello(&self) -> Hello {
        let (rings_wanted, manifest_id) = match self {
            Self::Session { description, .. } => (description.large_rings, description.manifest_id),
            Self::Connection(_) => (0, [0; 16]),
        };
        Hello { rings_wanted, sessions_before: 0, manifest_id, lost_unconsumed: 0, lost_ring_full: 0 }
    }
}

impl Candidate {
    /// How many Ps the process has, as it says.
    pub(crate) fn processors(&self) -> u32 {
        self.hello.rings_wanted
    }

    /// How the process was met.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The handshake again, to refuse it.
    pub(crate) fn into_handshake(self) -> Handshake {
        let Self { source, peer, .. } = self;
        Handshake { source, peer, deadline: Instant::now(), stage: Stage::Waiting, _share: None }
    }
}

/// Sends a session: the files of the control page, of the large rings and of the spare ones.
pub(crate) fn send_session(socket: BorrowedFd<'_>, reply: &Reply, files: &[OwnedFd]) -> Result<(), Refusal> {
    let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    send(socket, reply, &files).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused => Refusal::Left,
        _ => Refusal::Socket(error),
    })
}

fn send(socket: BorrowedFd<'_>, reply: &Reply, files: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_RINGS as usize + 1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() {
        assert!(
            ancillary.push(SendAncillaryMessage::ScmRights(files)),
            "there is room for the control page and all rings"
        );
    }
    sendmsg(socket, &[IoSlice::new(&reply.encode())], &mut ancillary, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
    Ok(())
}
