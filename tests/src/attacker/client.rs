//! The client's side of the wire format. Nothing here keeps to it by itself: whoever calls decides
//! what is sent and written.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gopatch_protocol::wire::{Hello, MAGIC, PAGE, Reply, record, ring};
use memmap2::{MmapOptions, MmapRaw};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recvmsg, sendmsg, socket_with, sockopt,
};

use crate::Tally;
use crate::manifests::Executable;

/// How long an attacker waits for gopatchd at a time.
const PATIENCE: Duration = Duration::from_secs(2);

/// The gopatchd that is attacked.
#[derive(Clone)]
pub(crate) struct Target {
    address: SocketAddrUnix,
    pub(crate) tally: Tally,
}

/// A valid hello with this manifest.
pub(crate) fn hello(rings: u32, manifest_id: [u8; 16]) -> [u8; Hello::SIZE] {
    let mut hello = [0; Hello::SIZE];
    hello[..8].copy_from_slice(&MAGIC.to_le_bytes());
    hello[Hello::RINGS_WANTED..][..4].copy_from_slice(&rings.to_le_bytes());
    hello[Hello::MANIFEST_ID..][..16].copy_from_slice(&manifest_id);
    hello
}

/// Sends a message with a file. Returns whether it was sent.
pub(crate) fn send(connection: &OwnedFd, message: &[u8], file: Option<BorrowedFd<'_>>) -> bool {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let files: Vec<_> = file.into_iter().collect();
    (files.is_empty() || ancillary.push(SendAncillaryMessage::ScmRights(&files)))
        && sendmsg(connection, &[IoSlice::new(message)], &mut ancillary, SendFlags::NOSIGNAL).is_ok()
}

impl Target {
    pub(crate) fn new(socket: &Path) -> Self {
        Self { address: SocketAddrUnix::new(socket).expect("a path for a socket"), tally: Tally::default() }
    }

    /// A connection, unless too many wait already.
    pub(crate) fn connect(&self) -> Option<OwnedFd> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let connection = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).ok()?;
        let connected = connect(&connection, &self.address).is_ok();
        self.tally.add(if connected { "connected" } else { "not connected" }, 1);
        if !connected {
            // The backlog is full.
            std::thread::sleep(Duration::from_millis(1));
            return None;
        }
        rustix::io::ioctl_fionbio(&connection, false).ok()?;
        sockopt::set_socket_timeout(&connection, sockopt::Timeout::Recv, Some(PATIENCE)).ok()?;
        sockopt::set_socket_timeout(&connection, sockopt::Timeout::Send, Some(PATIENCE)).ok()?;
        Some(connection)
    }

    /// Takes a session as a patched program does.
    pub(crate) fn attach(&self, rings: u32, executable: &Executable) -> Option<Session> {
        let connection = self.connect()?;
        if !send(&connection, &hello(rings, executable.id), Some(executable.file.as_fd())) {
            return None;
        }
        let session = receive(&connection);
        self.tally.add(if session.is_some() { "attached" } else { "refused" }, 1);
        session
    }
}

/// Receives a session, if one is granted in time.
pub(crate) fn receive(connection: &OwnedFd) -> Option<Session> {
    let mut reply = [0; Reply::SIZE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    recvmsg(connection, &mut [IoSliceMut::new(&mut reply)], &mut ancillary, RecvFlags::CMSG_CLOEXEC).ok()?;
    let files = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => files.collect(),
        _ => Vec::new(),
    });
    let files: Vec<_> = files.collect();
    let field = |offset: usize| u32::from_le_bytes(reply[offset..offset + 4].try_into().expect("four bytes"));
    if field(Reply::STATUS) != Reply::OK || files.len() < 3 {
        return None;
    }
    let (bytes, large) = (field(Reply::RING_BYTES), field(Reply::LARGE_RINGS));
    let rings = (0..large as usize).map(|index| match files.len() {
        // All large rings are in one file.
        3 => Ring::map(&files[1], index as u64 * ring::stride(bytes), bytes),
        _ => Ring::map(files.get(1 + index)?, 0, bytes),
    });
    Some(Session { rings: rings.collect::<Option<_>>()? })
}

/// What a process has of a session. The control page is not read: an attacker does not obey.
pub(crate) struct Session {
    pub(crate) rings: Vec<Ring>,
}

/// A large ring, from the side of its producer.
pub(crate) struct Ring {
    consumer: MmapRaw,
    /// The producer's page and the data.
    rest: MmapRaw,
    pub(crate) bytes: u64,
    pub(crate) producer: u64,
}

impl Ring {
    fn map(file: &OwnedFd, offset: u64, bytes: u32) -> Option<Self> {
        let consumer = MmapOptions::new().offset(offset).len(PAGE).map_raw_read_only(file).ok()?;
        let mut options = MmapOptions::new();
        let rest = options.offset(offset + PAGE as u64).len(PAGE + bytes as usize).map_raw(file).ok()?;
        Some(Self { consumer, rest, bytes: bytes.into(), producer: 0 })
    }

    pub(crate) fn consumer(&self) -> u64 {
        word(&self.consumer, 0).load(Ordering::Acquire)
    }

    /// Writes a word of the producer's page or of the data, at an offset in the ring's file.
    pub(crate) fn set(&self, offset: usize, value: u64) {
        word(&self.rest, offset - PAGE).store(value, Ordering::Release);
    }

    /// Publishes everything before `position`, or says so.
    pub(crate) fn publish(&mut self, position: u64) {
        self.producer = position;
        self.set(ring::PRODUCER_POS, position);
    }

    /// Writes a header and a payload at the producer's position and publishes them. Returns whether
    /// there was room.
    pub(crate) fn write(&mut self, header: u32, payload: &[u8]) -> bool {
        let total = (ring::HEADER + payload.len()).next_multiple_of(8) as u64;
        if self.producer.wrapping_sub(self.consumer()).saturating_add(total) > self.bytes {
            return false;
        }
        self.put(self.producer, u64::from(header));
        for (place, chunk) in (1..).zip(payload.chunks(8)) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.put(self.producer + 8 * place, u64::from_le_bytes(word));
        }
        self.publish(self.producer + total);
        true
    }

    /// Writes a word of the data.
    pub(crate) fn put(&self, position: u64, value: u64) {
        self.set(ring::DATA + (position & (self.bytes - 1)) as usize, value);
    }
}

fn word(memory: &MmapRaw, offset: usize) -> &AtomicU64 {
    assert!(offset + 8 <= memory.len() && offset.is_multiple_of(8));
    // SAFETY: the eight bytes are in the mapping, which lives as long as the reference; gopatchd
    // accesses them as atomics.
    unsafe { AtomicU64::from_ptr(memory.as_mut_ptr().wrapping_add(offset).cast()) }
}

/// A record of a point, with words and strings in the order of its captures.
pub(crate) fn payload(point: u32, goid: u64, strings: &[&str]) -> Vec<u8> {
    let mut bytes = vec![0; record::WORDS];
    bytes[record::POINT..][..4].copy_from_slice(&point.to_le_bytes());
    bytes[record::TSC..][..8].copy_from_slice(&now().to_le_bytes());
    bytes[record::GOID..][..8].copy_from_slice(&goid.to_le_bytes());
    bytes[record::FRAME..][..4].copy_from_slice(&0x200u32.to_le_bytes());
    bytes[record::PRESENT..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    bytes.extend(strings.iter().flat_map(|text| (text.len() as u64 | (text.len() as u64) << 32).to_le_bytes()));
    bytes.extend(strings.iter().flat_map(|text| text.bytes()));
    let size = bytes.len() as u32;
    bytes[..4].copy_from_slice(&size.to_le_bytes());
    bytes
}

/// The time stamp counter.
pub(crate) fn now() -> u64 {
    // SAFETY: every x86-64 CPU has the instruction.
    unsafe { std::arch::x86_64::_rdtsc() }
}
