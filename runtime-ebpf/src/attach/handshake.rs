//! From a connection, or a session that was found, to all that a session needs.
//!
//! Decides: whether a hello is valid, and how long a peer may take.
//! Trusts: nothing. A peer may send nothing, send too much, or pass a file on a file system that
//! never answers.
//! Never does: wait. Sockets do not block, and a thread of its own reads each executable.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use gopatch_protocol::wire::{Hello, MAX_RINGS, Reply};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};

use super::control_page::{ControlPage, Description};
use super::finder::{Found, RingFiles};
use super::peer::{Peer, credentials_of, pid_of};
use crate::calls::program::{Program, ProgramError};
use crate::host::allow::{Allow, Credentials};
use crate::host::waker::Waker;
use crate::telemetry::resource::{Naming, Resource};

/// How long a peer may take to send its hello, and then gopatchd to read its executable.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long gopatchd may take to read the executable of a process that does not wait for it.
const LONG_PATIENCE: Duration = Duration::from_secs(30);

/// Most executables that are read at a time. A read that hangs keeps its place.
const MAX_READERS: usize = 16;

/// `status` of a reply that grants no session. The reason is in gopatchd's log.
const REFUSED: u32 = 1;

/// Why a connection does not become a session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("no hello within {} ms", PATIENCE.as_millis())]
    Silent,
    #[error("its hello is invalid or of another version")]
    NotAHello,
    #[error("cannot identify the process: {0}")]
    Peer(io::Error),
    /// Pid, or 0.
    #[error("process {0} has ended")]
    Ended(u32),
    #[error("its socket failed: {0}")]
    Socket(io::Error),
    #[error("it has gone on without a reply")]
    Left,
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("its executable was not read within {} ms", PATIENCE.as_millis())]
    SlowFile,
    #[error("{0} is not in collect.allow")]
    NotAllowed(Credentials),
    #[error("its session is not of a process in collect.allow")]
    SessionNotAllowed,
    #[error("its program is over")]
    Over,
    #[error("{0:#}")]
    Rings(anyhow::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Rings(error.into())
    }
}

/// Threads that read executables and find out about their processes. Each wakes the main loop when
/// it is done.
#[derive(Debug)]
pub(crate) struct Readers {
    naming: Arc<Naming>,
    running: Arc<AtomicUsize>,
    waker: Waker,
}

/// A connection without a session, or a session of which the program is not known yet.
#[derive(Debug)]
pub(crate) struct Handshake {
    source: Source,
    peer: Peer,
    deadline: Instant,
    stage: Stage,
}

/// How a process was met.
#[derive(Debug)]
pub(crate) enum Source {
    /// It has connected.
    Connection(OwnedFd),
    /// It has a session, as was seen in a look that began then.
    Session { control: ControlPage, description: Description, files: RingFiles, seen_at: Instant },
}

/// How far a handshake has come.
#[derive(Debug)]
enum Stage {
    /// No hello yet.
    Silent,
    /// The hello has come, perhaps with the executable, and waits for a reader.
    Greeted(Hello, Option<OwnedFd>),
    /// The executable is being read.
    Reading(Hello, Reading),
}

/// Where a reader leaves what it has read.
type Reading = Receiver<Result<(Program, Resource), ProgramError>>;

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
    source: Source,
    pub(crate) peer: Peer,
    pub(crate) hello: Hello,
    pub(crate) program: Program,
    pub(crate) resource: Resource,
}

impl Readers {
    pub(crate) fn new(naming: Naming) -> io::Result<Self> {
        Ok(Self { naming: Arc::new(naming), running: Arc::new(AtomicUsize::new(0)), waker: Waker::new()? })
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

    /// Whether no more executables can be read now.
    fn are_busy(&self) -> bool {
        self.running.load(Ordering::Relaxed) >= MAX_READERS
    }

    /// Reads an executable in a thread.
    fn start(&self, executable: Option<OwnedFd>, pid: u32, id: [u8; 16]) -> io::Result<Reading> {
        let (sender, reading) = channel();
        let (running, waker) = (Arc::clone(&self.running), self.waker.clone());
        let naming = Arc::clone(&self.naming);
        running.fetch_add(1, Ordering::Relaxed);
        let reader = move || {
            // The handshake may be over already.
            let _ = sender.send(read(executable, pid, id, &naming));
            running.fetch_sub(1, Ordering::Relaxed);
            waker.wake();
        };
        let started = std::thread::Builder::new().name("manifest".into()).spawn(reader);
        started.map(|_| reading).inspect_err(|_| {
            self.running.fetch_sub(1, Ordering::Relaxed);
        })
    }
}

fn read(
    executable: Option<OwnedFd>,
    pid: u32,
    id: [u8; 16],
    naming: &Naming,
) -> Result<(Program, Resource), ProgramError> {
    let file = match executable {
        Some(file) => File::from(file),
        None => File::open(format!("/proc/{pid}/exe"))?,
    };
    let program = Program::read(file, id)?;
    let resource = Resource::detect(pid, program.input(), naming);
    Ok((program, resource))
}

impl Handshake {
    /// Starts with a new connection.
    pub(crate) fn new(socket: OwnedFd) -> Result<Self, Refusal> {
        let peer = Peer::from_socket(socket.as_fd()).map_err(|error| match pid_of(socket.as_fd()) {
            Ok(pid) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Refusal::Ended(pid),
            _ => Refusal::Peer(error),
        })?;
        let source = Source::Connection(socket);
        Ok(Self { source, peer, deadline: Instant::now() + PATIENCE, stage: Stage::Silent })
    }

    /// Starts with a session that a process has.
    pub(crate) fn with_session(found: Found) -> Self {
        let Found { seen_at, peer, control, description, files } = found;
        let hello = Hello {
            rings_wanted: description.large_rings,
            sessions_before: 0,
            manifest_id: description.manifest_id,
            lost_unconsumed: 0,
            lost_ring_full: 0,
        };
        let source = Source::Session { control, description, files, seen_at };
        Self { source, peer, deadline: Instant::now() + LONG_PATIENCE, stage: Stage::Greeted(hello, None) }
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
        if let Stage::Silent = self.stage {
            match self.receive() {
                Ok(Some(Message::Hello(hello, executable))) => {
                    self.stage = Stage::Greeted(hello, executable);
                    self.deadline = Instant::now() + PATIENCE;
                }
                Ok(Some(Message::Closed)) => return Progress::Probe,
                Ok(Some(Message::Late)) => return Progress::Left(self),
                Ok(None) if late => return Progress::Refused(self, Refusal::Silent),
                Ok(None) => return Progress::Waiting(self),
                Err(refusal) => return Progress::Refused(self, refusal),
            }
        }
        if let Stage::Greeted(hello, executable) = &mut self.stage {
            if readers.are_busy() {
                return if late { Progress::Refused(self, Refusal::SlowFile) } else { Progress::Waiting(self) };
            }
            match readers.start(executable.take(), self.peer.pid, hello.manifest_id) {
                Ok(reading) => self.stage = Stage::Reading(*hello, reading),
                Err(error) => return Progress::Refused(self, ProgramError::from(error).into()),
            }
        }
        let Stage::Reading(hello, reading) = &self.stage else {
            unreachable!("the earlier stages have returned or gone on");
        };
        match reading.try_recv() {
            // What was read of the process may be of its next program.
            Ok(Ok(_)) if self.peer.memory.as_ref().is_some_and(|memory| memory.check()) => {
                Progress::Refused(self, Refusal::Over)
            }
            Ok(Ok((program, resource))) => {
                let hello = *hello;
                let Self { source, peer, .. } = self;
                Progress::Complete(Box::new(Candidate { source, peer, hello, program, resource }))
            }
            Ok(Err(error)) => Progress::Refused(self, error.into()),
            Err(TryRecvError::Empty) if !late => Progress::Waiting(self),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) if self.has_left() => Progress::Left(self),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => Progress::Refused(self, Refusal::SlowFile),
        }
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
        let Source::Connection(socket) = &self.source else { return false };
        let mut ended = [PollFd::new(socket, PollFlags::empty())];
        poll(&mut ended, Some(&Timespec::default())).is_ok_and(|ended| ended > 0)
    }

    /// Receives a hello, if one has come.
    fn receive(&self) -> Result<Option<Message>, Refusal> {
        let Source::Connection(socket) = &self.source else {
            unreachable!("a session that was found is past this stage");
        };
        let mut message = [0; Hello::SIZE + 1];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let received = match recvmsg(socket, &mut [IoSliceMut::new(&mut message)], &mut ancillary, flags) {
            Ok(received) => received,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
            Err(error) => return Err(Refusal::Socket(error.into())),
        };
        let executable = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut files) => files.next(),
            _ => None,
        });
        if received.bytes == 0 {
            return Ok(Some(Message::Closed));
        }
        let hello = Hello::parse(&message[..received.bytes]).ok_or(Refusal::NotAHello)?;
        if self.has_left() {
            return Ok(Some(Message::Late));
        }
        Ok(Some(Message::Hello(hello, executable)))
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
        Handshake { source: self.source, peer: self.peer, deadline: Instant::now(), stage: Stage::Silent }
    }

    /// Everything about the process.
    pub(crate) fn into_parts(self) -> (Source, Peer, Hello, Program, Resource) {
        (self.source, self.peer, self.hello, self.program, self.resource)
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
