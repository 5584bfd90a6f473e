//! From a connection to all that a session needs.
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
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};

use super::peer::Peer;
use crate::calls::program::{Program, ProgramError};
use crate::telemetry::resource::{Naming, Resource};

/// How long a peer may take to send its hello, and then gopatchd to read its executable.
const PATIENCE: Duration = Duration::from_secs(1);

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
    #[error("its socket failed: {0}")]
    Socket(io::Error),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("its executable was not read within {} ms", PATIENCE.as_millis())]
    SlowFile,
    #[error("{0:#}")]
    Rings(anyhow::Error),
}

/// Threads that read executables and find out about their processes. Each wakes the main loop when
/// it is done.
#[derive(Debug)]
pub(crate) struct Readers {
    naming: Arc<Naming>,
    running: Arc<AtomicUsize>,
    wake: Arc<OwnedFd>,
}

/// A connection without a session.
#[derive(Debug)]
pub(crate) struct Handshake {
    socket: OwnedFd,
    peer: Peer,
    deadline: Instant,
    stage: Stage,
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
    /// The process gets no session.
    Refused(Handshake, Refusal),
}

/// A process to which a session can be given.
pub(crate) struct Candidate {
    socket: OwnedFd,
    pub(crate) peer: Peer,
    pub(crate) hello: Hello,
    pub(crate) program: Program,
    pub(crate) resource: Resource,
}

impl Readers {
    pub(crate) fn new(naming: Naming) -> io::Result<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { naming: Arc::new(naming), running: Arc::new(AtomicUsize::new(0)), wake: Arc::new(wake) })
    }

    /// Readable when a reader is done.
    pub(crate) fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Makes `wake` unreadable again.
    pub(crate) fn clear_wake(&self) {
        // Nothing to read means that it was not set.
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
    }

    /// Whether no more executables can be read now.
    fn are_busy(&self) -> bool {
        self.running.load(Ordering::Relaxed) >= MAX_READERS
    }

    /// Reads an executable in a thread.
    fn start(&self, executable: Option<OwnedFd>, pid: u32, id: [u8; 16]) -> io::Result<Reading> {
        let (sender, reading) = channel();
        let (running, wake) = (Arc::clone(&self.running), Arc::clone(&self.wake));
        let naming = Arc::clone(&self.naming);
        running.fetch_add(1, Ordering::Relaxed);
        let reader = move || {
            // The handshake may be over already.
            let _ = sender.send(read(executable, pid, id, &naming));
            running.fetch_sub(1, Ordering::Relaxed);
            // A full counter is readable already.
            let _ = rustix::io::write(&*wake, &1u64.to_ne_bytes());
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
        let peer = Peer::from_socket(socket.as_fd()).map_err(Refusal::Peer)?;
        Ok(Self { socket, peer, deadline: Instant::now() + PATIENCE, stage: Stage::Silent })
    }

    /// When it needs attention even if nothing comes from the peer.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The socket, while a hello is expected from it.
    pub(crate) fn silent_socket(&self) -> Option<BorrowedFd<'_>> {
        matches!(self.stage, Stage::Silent).then(|| self.socket.as_fd())
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
            Ok(Ok((program, resource))) => {
                let hello = *hello;
                let Self { socket, peer, .. } = self;
                Progress::Complete(Box::new(Candidate { socket, peer, hello, program, resource }))
            }
            Ok(Err(error)) => Progress::Refused(self, error.into()),
            Err(TryRecvError::Empty) if !late => Progress::Waiting(self),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => Progress::Refused(self, Refusal::SlowFile),
        }
    }

    /// Tells the peer that it gets no session.
    pub(crate) fn refuse(&self) {
        let reply = Reply { status: REFUSED, rings: 0, ring_bytes: 0, control_bytes: 0 };
        // The peer may be gone.
        drop(send(self.socket.as_fd(), &reply, &[]));
    }

    /// Receives a hello, if one has come.
    fn receive(&self) -> Result<Option<Message>, Refusal> {
        let mut message = [0; Hello::SIZE + 1];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let received = match recvmsg(&self.socket, &mut [IoSliceMut::new(&mut message)], &mut ancillary, flags) {
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
        Ok(Some(Message::Hello(hello, executable)))
    }
}

/// What a peer sends first.
enum Message {
    Hello(Hello, Option<OwnedFd>),
    /// The peer has closed the connection.
    Closed,
}

impl Candidate {
    /// How many rings the process gets.
    pub(crate) fn rings(&self) -> u32 {
        self.hello.rings_wanted.clamp(1, MAX_RINGS)
    }

    /// Sends the session: the file of the control page, then those of the rings. The socket is
    /// closed after that.
    pub(crate) fn send_session(
        &self,
        control: (&OwnedFd, u32),
        rings: &[OwnedFd],
        ring_bytes: u32,
    ) -> Result<(), Refusal> {
        let (control, control_bytes) = control;
        let reply = Reply { status: Reply::OK, rings: rings.len() as u32, ring_bytes, control_bytes };
        let files: Vec<_> = std::iter::once(control).chain(rings).map(AsFd::as_fd).collect();
        send(self.socket.as_fd(), &reply, &files).map_err(Refusal::Socket)
    }

    /// The handshake again, to refuse it.
    pub(crate) fn into_handshake(self) -> Handshake {
        Handshake { socket: self.socket, peer: self.peer, deadline: Instant::now(), stage: Stage::Silent }
    }

    /// Everything about the process.
    pub(crate) fn into_parts(self) -> (Peer, Hello, Program, Resource) {
        (self.peer, self.hello, self.program, self.resource)
    }
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
