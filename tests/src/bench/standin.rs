//! A stand-in for gopatchd: it accepts sessions as gopatchd does, and reads nothing.
//!
//! It can switch all functions off from the start, before the first call. Its rings hold all
//! records of a measurement: none is dropped, and no collector runs beside the program.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use gopatch_protocol::wire::{Hello, MAX_RINGS, PAGE, Reply, control, ring};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::{pread, pwrite};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, recvmsg, sendmsg, socket_with,
};

/// Sixteen times gopatchd's default. Untouched memory costs nothing.
const RING_BYTES: u32 = 16 << 20;
/// A control page with enable bytes for more functions than any rule here hooks.
const CONTROL_BYTES: u32 = PAGE as u32;

/// A stand-in that listens until the benchmark ends.
pub(crate) struct Standin {
    socket: PathBuf,
    newest: Newest,
}

/// The newest session, until it is taken.
type Newest = Arc<Mutex<Option<Session>>>;

struct Session {
    control: OwnedFd,
    rings: Vec<OwnedFd>,
}

impl Standin {
    /// Listens at `socket`, with every function on or off.
    pub(crate) fn start(socket: &Path, on: bool) -> Result<Self> {
        let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        bind(&listener, &SocketAddrUnix::new(socket)?).with_context(|| format!("cannot bind {}", socket.display()))?;
        listen(&listener, 1)?;
        let newest = Newest::default();
        let (given, beating) = (Arc::clone(&newest), Arc::clone(&newest));
        std::thread::spawn(move || {
            // A program without a session is noticed when its records are counted.
            while let Ok(peer) = accept_with(&listener, SocketFlags::CLOEXEC) {
                *lock(&given) = serve(peer.as_fd(), on).ok();
            }
        });
        std::thread::spawn(move || {
            for beat in 1_u64.. {
                if let Some(session) = &*lock(&beating) {
                    // A missing heartbeat is noticed in the same way.
                    let _ = pwrite(&session.control, &beat.to_le_bytes(), control::HEARTBEAT as u64);
                }
                std::thread::sleep(Duration::from_millis(control::HEARTBEAT_MILLIS / 2));
            }
        });
        Ok(Self { socket: socket.to_owned(), newest })
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends the newest session and returns how many records it left.
    pub(crate) fn take_records(&self) -> Result<u64> {
        let session = lock(&self.newest).take().context("the program did not attach")?;
        session.rings.iter().map(count).sum()
    }
}

fn lock(newest: &Newest) -> MutexGuard<'_, Option<Session>> {
    newest.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(peer: BorrowedFd<'_>, on: bool) -> Result<Session> {
    let mut hello = [0; Hello::SIZE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    // The executable that the message carries is closed with the buffer.
    let mut files = RecvAncillaryBuffer::new(&mut space);
    recvmsg(peer, &mut [IoSliceMut::new(&mut hello)], &mut files, RecvFlags::CMSG_CLOEXEC)?;
    let hello = Hello::parse(&hello).context("a hello was expected")?;

    let control = memory("control", CONTROL_BYTES)?;
    pwrite(&control, &[u8::from(on); CONTROL_BYTES as usize - control::ENABLE], control::ENABLE as u64)?;
    let rings = (0..ring::large(hello.rings_wanted))
        .map(|_| memory("ring", ring::DATA as u32 + RING_BYTES))
        .collect::<Result<Vec<_>>>()?;
    let large_rings = rings.len() as u32;
    let spare = memory("spare", ring::stride(ring::SPARE_BYTES) as u32)?;
    let reply = Reply {
        status: Reply::OK,
        rings: large_rings + 1,
        large_rings,
        ring_bytes: RING_BYTES,
        control_bytes: CONTROL_BYTES,
    };
    let files: Vec<_> = std::iter::once(&control).chain(&rings).chain([&spare]).map(AsFd::as_fd).collect();
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_RINGS as usize + 1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&files));
    sendmsg(peer, &[IoSlice::new(&reply.encode())], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(Session { control, rings })
}

/// A process accepts only memory that cannot shrink.
fn memory(name: &str, bytes: u32) -> Result<OwnedFd> {
    let file = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&file, u64::from(bytes))?;
    fcntl_add_seals(&file, SealFlags::SHRINK)?;
    Ok(file)
}

/// Counts the records of a ring that was never emptied.
fn count(ring: &OwnedFd) -> Result<u64> {
    let word = |offset: u64| {
        let mut bytes = [0; 8];
        pread(ring, &mut bytes, offset)?;
        anyhow::Ok(u64::from_le_bytes(bytes))
    };
    let end = word(ring::PRODUCER_POS as u64)?;
    if word(ring::DROPPED as u64)? > 0 || end > u64::from(RING_BYTES) {
        bail!("a ring of {RING_BYTES} bytes was too small");
    }
    let (mut position, mut records) = (0, 0);
    while position < end {
        let length = word(ring::DATA as u64 + position)? & u64::from(u32::MAX);
        position += (ring::HEADER as u64 + length).next_multiple_of(8);
        records += 1;
    }
    Ok(records)
}
