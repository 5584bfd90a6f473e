//! What happens between a connection and a session.
//!
//! Decides: whether a hello is good, and how long a peer may take.
//! Trusts: nothing. A peer may say nothing, say too much, or pass a file on a file system that never answers.
//! Never does: waiting. Sockets do not block, and a peer's executable is read by a thread of its own.

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

/// How long a peer may take for its hello, and then its file for its manifest.
const PATIENCE: Duration = Duration::from_secs(1);

/// Most executables that are read at a time. Those that hang stay in the count.
const MAX_READERS: usize = 16;

/// `status` of a reply that grants nothing. Why is in gopatchd's log.
const REFUSED: u32 = 1;

/// Why a connection does not become a session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("it said no hello within {} ms", PATIENCE.as_millis())]
    Silent,
    #[error("its hello is not one that this gopatchd understands")]
    NotAHello,
    #[error("who it is cannot be found out: {0}")]
    Peer(io::Error),
    #[error("its socket failed: {0}")]
    Socket(io::Error),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("its executable could not be read within {} ms", PATIENCE.as_millis())]
    SlowFile,
    #[error("{0:#}")]
    Rings(anyhow::Error),
}

/// Reads executables, and what else there is to know of processes, in threads, and wakes the main loop when one is done.
#[derive(Debug)]
pub(crate) struct Readers {
    naming: Arc<Naming>,
    running: Arc<AtomicUsize>,
    wake: Arc<OwnedFd>,
}

/// A connection that is not yet a session.
#[derive(Debug)]
pub(crate) struct Greeting {
    socket: OwnedFd,
    peer: Peer,
    deadline: Instant,
    stage: Stage,
}

/// How far a greeting has come.
#[derive(Debug)]
enum Stage {
    /// Nothing was said yet.
    Silent,
    /// The hello has come, and with it perhaps the executable; no reader is free.
    Heard(Hello, Option<OwnedFd>),
    /// The executable is being read.
    Reading(Hello, Answer),
}

/// Where a reader leaves what it has read.
type Answer = Receiver<Result<(Program, Resource), ProgramError>>;

/// What became of a greeting.
pub(crate) enum Progress {
    /// Ask again later.
    Waiting(Greeting),
    /// All that a session needs.
    Complete(Box<Granted>),
    /// Nothing; somebody only looked whether gopatchd lives.
    Probe,
    /// It cannot be.
    Refused(Greeting, Refusal),
}

/// A process to which a session can be given.
pub(crate) struct Granted {
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

    /// Becomes readable when a reader is done.
    pub(crate) fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Makes `wake` unreadable again.
    pub(crate) fn awake(&self) {
        // Nothing to read only means that it was awake.
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
    }

    /// Whether no executable can be read now.
    fn are_busy(&self) -> bool {
        self.running.load(Ordering::Relaxed) >= MAX_READERS
    }

    /// Reads an executable in a thread.
    fn start(&self, executable: Option<OwnedFd>, pid: u32, id: [u8; 16]) -> io::Result<Answer> {
        let (sender, answer) = channel();
        let (running, wake) = (Arc::clone(&self.running), Arc::clone(&self.wake));
        let naming = Arc::clone(&self.naming);
        running.fetch_add(1, Ordering::Relaxed);
        let reader = move || {
            // If nobody waits any more, nobody needs the answer.
            let _ = sender.send(read(executable, pid, id, &naming));
            running.fetch_sub(1, Ordering::Relaxed);
            // A full counter means that it is readable already.
            let _ = rustix::io::write(&*wake, &1u64.to_ne_bytes());
        };
        let started = std::thread::Builder::new().name("manifest".into()).spawn(reader);
        started.map(|_| answer).inspect_err(|_| {
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
    let resource = Resource::of(pid, program.input(), naming);
    Ok((program, resource))
}

impl Greeting {
    /// Begins with a new connection.
    pub(crate) fn new(socket: OwnedFd) -> Result<Self, Refusal> {
        let peer = Peer::of(socket.as_fd()).map_err(Refusal::Peer)?;
        Ok(Self { socket, peer, deadline: Instant::now() + PATIENCE, stage: Stage::Silent })
    }

    /// When it must be looked at again at the latest.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The socket, while something is expected of it.
    pub(crate) fn awaits(&self) -> Option<BorrowedFd<'_>> {
        matches!(self.stage, Stage::Silent).then(|| self.socket.as_fd())
    }

    /// The peer's pid.
    pub(crate) fn pid(&self) -> u32 {
        self.peer.pid
    }

    /// Does what can be done without waiting.
    pub(crate) fn advance(mut self, readers: &Readers) -> Progress {
        let late = Instant::now() >= self.deadline;
        if let Stage::Silent = self.stage {
            match self.receive() {
                Ok(Some(Said::Hello(hello, executable))) => {
                    self.stage = Stage::Heard(hello, executable);
                    self.deadline = Instant::now() + PATIENCE;
                }
                Ok(Some(Said::Nothing)) => return Progress::Probe,
                Ok(None) if late => return Progress::Refused(self, Refusal::Silent),
                Ok(None) => return Progress::Waiting(self),
                Err(refusal) => return Progress::Refused(self, refusal),
            }
        }
        if let Stage::Heard(hello, executable) = &mut self.stage {
            if readers.are_busy() {
                return if late { Progress::Refused(self, Refusal::SlowFile) } else { Progress::Waiting(self) };
            }
            match readers.start(executable.take(), self.peer.pid, hello.manifest_id) {
                Ok(answer) => self.stage = Stage::Reading(*hello, answer),
                Err(error) => return Progress::Refused(self, ProgramError::from(error).into()),
            }
        }
        let Stage::Reading(hello, answer) = &self.stage else {
            unreachable!("the stages before have returned or gone on");
        };
        match answer.try_recv() {
            Ok(Ok((program, resource))) => {
                let hello = *hello;
                let Self { socket, peer, .. } = self;
                Progress::Complete(Box::new(Granted { socket, peer, hello, program, resource }))
            }
            Ok(Err(error)) => Progress::Refused(self, error.into()),
            Err(TryRecvError::Empty) if !late => Progress::Waiting(self),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => Progress::Refused(self, Refusal::SlowFile),
        }
    }

    /// Tells the peer that it gets nothing.
    pub(crate) fn refuse(&self) {
        let reply = Reply { status: REFUSED, rings: 0, ring_bytes: 0, control_bytes: 0 };
        // Who is gone needs no refusal.
        drop(send(self.socket.as_fd(), &reply, &[]));
    }

    /// Receives a hello, if one has come.
    fn receive(&self) -> Result<Option<Said>, Refusal> {
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
            return Ok(Some(Said::Nothing));
        }
        let hello = Hello::parse(&message[..received.bytes]).ok_or(Refusal::NotAHello)?;
        Ok(Some(Said::Hello(hello, executable)))
    }
}

enum Said {
    Hello(Hello, Option<OwnedFd>),
    Nothing,
}

impl Granted {
    /// How many rings the process gets.
    pub(crate) fn rings(&self) -> u32 {
        self.hello.rings_wanted.clamp(1, MAX_RINGS)
    }

    /// Sends the session: the control page's file, then the rings'. The socket is closed after that.
    pub(crate) fn grant(&self, control: (&OwnedFd, u32), rings: &[OwnedFd], ring_bytes: u32) -> Result<(), Refusal> {
        let (control, control_bytes) = control;
        let reply = Reply { status: Reply::OK, rings: rings.len() as u32, ring_bytes, control_bytes };
        let files: Vec<_> = std::iter::once(control).chain(rings).map(AsFd::as_fd).collect();
        send(self.socket.as_fd(), &reply, &files).map_err(Refusal::Socket)
    }

    /// Takes the greeting back, to refuse it.
    pub(crate) fn ungrant(self) -> Greeting {
        Greeting { socket: self.socket, peer: self.peer, deadline: Instant::now(), stage: Stage::Silent }
    }

    /// The process, when all is said.
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
