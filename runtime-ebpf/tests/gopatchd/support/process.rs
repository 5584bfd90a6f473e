//! A process as a patched program would be: it sends a hello, maps the files it gets and writes
//! records.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gopatch_protocol::manifest::{FORMAT, SECTION};
use gopatch_protocol::wire::{Hello, MAGIC, PAGE, Reply, control, record, ring};
use memmap2::{MmapOptions, MmapRaw};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recvmsg, sendmsg, socket_with, sockopt,
};
use rustix::thread::futex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Points of the manifest below.
pub(crate) const ENTER: u32 = 0;
pub(crate) const EXIT: u32 = 1;
pub(crate) const BOUNDARY: u32 = 2;
pub(crate) const EVENT: u32 = 3;

/// A server function with entry and exit, the boundary of its goroutine, and a function with an
/// entry only.
pub(crate) fn manifest() -> Value {
    let http = |name, kind, operation| json!({"name": name, "rule": "http.server", "kind": kind, "operation": operation, "va": 0x401000});
    let sha256 = "0".repeat(64);
    json!({
        "format": FORMAT,
        "tool": "gopatchd's tests",
        "input": {"sha256": sha256, "size": 1, "go_version": "go1.27.4", "main_package": null, "main_version": null},
        "rules_sha256": sha256,
        "code": {"va": 0, "offset": 0, "size": 0, "id_offset": 0, "sha256": sha256, "stub": 0},
        "functions": [
            http("net/http.serverHandler.ServeHTTP", "server", "{http.request.method} {url.path}"),
            http("net/http.(*conn).serve", "boundary", "boundary"),
            {"name": "main.note", "rule": "note", "kind": "internal", "operation": "note", "va": 0x401000},
        ],
        "points": [
            {"function": 0, "at": "enter", "captures": [
                {"attribute": "http.request.method", "type": "string"},
                {"attribute": "url.path", "type": "string"},
                {"attribute": "client.address", "type": "string", "format": "host_port"},
            ]},
            {"function": 0, "at": "exit", "captures": [
                {"attribute": "http.response.status_code", "type": "int", "zero_means": 200},
            ]},
            {"function": 1, "at": "exit", "captures": []},
            {"function": 2, "at": "enter", "captures": []},
        ],
        "sites": [],
        "patches": [],
    })
}

/// An executable that has a section with `content`.
pub(crate) fn executable(section: &str, content: &[u8]) -> File {
    use object::write::Object;
    let mut elf = Object::new(object::BinaryFormat::Elf, object::Architecture::X86_64, object::Endianness::Little);
    let section = elf.add_section(vec![], section.into(), object::SectionKind::Other);
    elf.set_section_data(section, content, 1);
    let mut file = tempfile::tempfile().expect("temporary file");
    file.write_all(&elf.write().expect("an ELF file")).expect("disk space");
    file
}

/// A hello and the executable that goes with it.
pub(crate) struct Introduction {
    pub(crate) hello: Vec<u8>,
    pub(crate) executable: Option<OwnedFd>,
}

impl Introduction {
    /// A valid one.
    pub(crate) fn new(rings: u32) -> Self {
        Self::of(&manifest(), rings)
    }

    /// A valid one of a program with this manifest.
    pub(crate) fn of(manifest: &Value, rings: u32) -> Self {
        let json = manifest.to_string().into_bytes();
        let mut hello = vec![0; Hello::SIZE];
        hello[..8].copy_from_slice(&MAGIC.to_le_bytes());
        hello[Hello::RINGS_WANTED..][..4].copy_from_slice(&rings.to_le_bytes());
        hello[Hello::MANIFEST_ID..][..16].copy_from_slice(&Sha256::digest(&json)[..16]);
        Self { hello, executable: Some(executable(SECTION, &json).into()) }
    }

    pub(crate) fn with_losses(mut self, unconsumed: u64, ring_full: u64) -> Self {
        self.hello[Hello::SESSIONS_BEFORE..][..4].copy_from_slice(&1u32.to_le_bytes());
        self.hello[Hello::LOST_UNCONSUMED..][..8].copy_from_slice(&unconsumed.to_le_bytes());
        self.hello[Hello::LOST_RING_FULL..][..8].copy_from_slice(&ring_full.to_le_bytes());
        self
    }
}

/// Connects to a gopatchd.
pub(crate) fn connect_to(socket: &Path) -> OwnedFd {
    let connection =
        socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).expect("a socket");
    let address = SocketAddrUnix::new(socket).expect("a path");
    // The file of the socket exists a moment before gopatchd listens.
    super::wait_until("gopatchd listens", || connect(&connection, &address).is_ok());
    sockopt::set_socket_timeout(&connection, sockopt::Timeout::Recv, Some(super::SOON)).expect("a timeout");
    connection
}

/// Sends a hello.
pub(crate) fn send_hello(connection: &OwnedFd, introduction: &Introduction) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let files: Vec<_> = introduction.executable.iter().map(AsFd::as_fd).collect();
    assert!(files.is_empty() || ancillary.push(SendAncillaryMessage::ScmRights(&files)));
    sendmsg(connection, &[IoSlice::new(&introduction.hello)], &mut ancillary, SendFlags::empty())
        .expect("gopatchd reads");
}

/// Receives a reply: its bytes and the files that came with it.
pub(crate) fn receive_reply(connection: &OwnedFd) -> (Vec<u8>, Vec<OwnedFd>) {
    let mut reply = vec![0; Reply::SIZE + 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(connection, &mut [IoSliceMut::new(&mut reply)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)
        .expect("a reply");
    reply.truncate(received.bytes);
    let files = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => files.collect(),
        _ => Vec::new(),
    });
    (reply, files.collect())
}

/// A process with a session.
pub(crate) struct Process {
    control: Words,
    pub(crate) rings: Vec<Ring>,
}

impl Process {
    /// Attaches to the gopatchd at `socket`.
    pub(crate) fn attach(socket: &Path, rings: u32) -> Self {
        Self::attach_with(socket, &Introduction::new(rings))
    }

    pub(crate) fn attach_with(socket: &Path, introduction: &Introduction) -> Self {
        let connection = connect_to(socket);
        send_hello(&connection, introduction);
        let (reply, files) = receive_reply(&connection);
        assert_eq!(reply.len(), Reply::SIZE);
        let field = |offset: usize| u32::from_le_bytes(reply[offset..offset + 4].try_into().expect("four bytes"));
        assert_eq!(reply[..8], MAGIC.to_le_bytes());
        assert_eq!(field(Reply::STATUS), Reply::OK, "refused");
        let (control, ring_bytes) = (field(Reply::CONTROL_BYTES) as usize, field(Reply::RING_BYTES));
        let large = field(Reply::LARGE_RINGS) as usize;
        assert!(large < field(Reply::RINGS) as usize, "there are spare rings");
        assert!(files.len() == 3 || files.len() == large + 2, "{} files for {large} large rings", files.len());
        let rings = (0..large).map(|index| match files.len() {
            3 => Ring::map(&files[1], index * ring::stride(ring_bytes) as usize, ring_bytes),
            _ => Ring::map(&files[1 + index], 0, ring_bytes),
        });
        Self { control: Words::map(&files[0], 0, control, false), rings: rings.collect() }
    }

    pub(crate) fn heartbeat(&self) -> u64 {
        self.control.at(control::HEARTBEAT).load(Ordering::Acquire)
    }

    pub(crate) fn must_detach(&self) -> bool {
        self.control.at(control::FLAGS).load(Ordering::Acquire) as u32 & control::FLAG_DETACH != 0
    }

    /// Whether gopatchd sleeps and expects the process to ring.
    pub(crate) fn must_ring(&self) -> bool {
        self.asleep().load(Ordering::Acquire) == 1
    }

    /// Wakes gopatchd, as the tick does. Returns how many threads were woken.
    pub(crate) fn ring(&self) -> usize {
        futex::wake(self.asleep(), futex::Flags::empty(), i32::MAX as u32).expect("a futex that is mapped")
    }

    fn asleep(&self) -> &AtomicU32 {
        let word = self.control.at(control::ASLEEP);
        // SAFETY: half of a word that is mapped as long as `self` lives; gopatchd accesses it as an
        // atomic.
        unsafe { AtomicU32::from_ptr(word.as_ptr().cast()) }
    }

    pub(crate) fn enable_bytes(&self) -> [u8; 8] {
        self.control.at(control::ENABLE).load(Ordering::Acquire).to_le_bytes()
    }
}

/// A ring, from the side of its producer.
pub(crate) struct Ring {
    consumer: Words,
    /// The producer page and the data.
    rest: Words,
    bytes: u64,
    producer: u64,
}

impl Ring {
    fn map(file: &OwnedFd, offset: usize, bytes: u32) -> Self {
        Self {
            consumer: Words::map(file, offset, PAGE, false),
            rest: Words::map(file, offset + PAGE, PAGE + bytes as usize, true),
            bytes: bytes.into(),
            producer: 0,
        }
    }

    pub(crate) fn consumer(&self) -> u64 {
        self.consumer.at(0).load(Ordering::Acquire)
    }

    /// Whether everything was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.consumer() == self.producer
    }

    /// Writes a record, or counts it as dropped if there is no room, as a thunk does.
    pub(crate) fn write(&mut self, payload: &[u8]) -> bool {
        let total = (payload.len() as u64 + 8).next_multiple_of(8);
        if self.producer + total - self.consumer() > self.bytes {
            self.rest.at(ring::DROPPED - PAGE).fetch_add(1, Ordering::Relaxed);
            return false;
        }
        self.write_raw(payload.len() as u32, payload);
        true
    }

    /// Waits for room and writes a record.
    pub(crate) fn write_all(&mut self, payload: &[u8]) {
        let total = (payload.len() as u64 + 8).next_multiple_of(8);
        let deadline = Instant::now() + super::SOON;
        while self.producer + total - self.consumer() > self.bytes {
            assert!(Instant::now() < deadline, "the ring is not drained");
            std::thread::sleep(Duration::from_micros(100));
        }
        self.write_raw(payload.len() as u32, payload);
    }

    /// Writes a header and a payload, valid or not.
    pub(crate) fn write_raw(&mut self, header: u32, payload: &[u8]) {
        let mut words = vec![u64::from(header)];
        words.extend(payload.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        }));
        for word in words {
            let place = ring::DATA - PAGE + (self.producer & (self.bytes - 1)) as usize;
            self.rest.at(place).store(word, Ordering::Relaxed);
            self.producer += 8;
        }
        self.set_producer(self.producer);
    }

    pub(crate) fn set_producer(&self, position: u64) {
        self.rest.at(ring::PRODUCER_POS - PAGE).store(position, Ordering::Release);
    }

    pub(crate) fn set_dropped(&self, count: u64) {
        self.rest.at(ring::DROPPED - PAGE).store(count, Ordering::Relaxed);
    }

    pub(crate) fn set_words_missing(&self, count: u64) {
        self.rest.at(ring::WORDS_MISSING - PAGE).store(count, Ordering::Relaxed);
    }
}

/// A call of a function of the manifest, which makes records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) goid: u64,
    pub(crate) frame: u32,
}

impl Call {
    /// The entry of a request.
    pub(crate) fn enter(self, method: &str, path: &str) -> Vec<u8> {
        self.record(ENTER, now(), &[], &[method, path, "127.0.0.1:4711"])
    }

    /// Its exit.
    pub(crate) fn exit(self, status: u64) -> Vec<u8> {
        self.record(EXIT, now(), &[status], &[])
    }

    /// The exit of the boundary of its goroutine, which is outside of all calls here.
    pub(crate) fn boundary(self) -> Vec<u8> {
        Self { frame: 8, ..self }.record(BOUNDARY, now(), &[], &[])
    }

    pub(crate) fn record(self, point: u32, tsc: u64, numbers: &[u64], strings: &[&str]) -> Vec<u8> {
        let mut bytes = vec![0; record::WORDS];
        bytes[record::POINT..][..4].copy_from_slice(&point.to_le_bytes());
        bytes[record::TSC..][..8].copy_from_slice(&tsc.to_le_bytes());
        bytes[record::GOID..][..8].copy_from_slice(&self.goid.to_le_bytes());
        bytes[record::FRAME..][..4].copy_from_slice(&self.frame.to_le_bytes());
        bytes[record::PRESENT..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
        let lengths = strings.iter().map(|text| text.len() as u64 | (text.len() as u64) << 32);
        bytes.extend(numbers.iter().copied().chain(lengths).flat_map(u64::to_le_bytes));
        bytes.extend(strings.iter().flat_map(|text| text.bytes()));
        let size = bytes.len() as u32;
        bytes[..4].copy_from_slice(&size.to_le_bytes());
        bytes
    }
}

/// The time stamp counter.
pub(crate) fn now() -> u64 {
    // SAFETY: every x86-64 CPU has the instruction.
    unsafe { std::arch::x86_64::_rdtsc() }
}

struct Words(MmapRaw);

impl Words {
    fn map(file: &OwnedFd, offset: usize, len: usize, writable: bool) -> Self {
        let mut options = MmapOptions::new();
        options.offset(offset as u64).len(len);
        Self(
            if writable { options.map_raw(file) } else { options.map_raw_read_only(file) }
                .expect("the file can be mapped"),
        )
    }

    fn at(&self, offset: usize) -> &AtomicU64 {
        assert!(offset + 8 <= self.0.len() && offset.is_multiple_of(8));
        // SAFETY: the eight bytes are in the mapping, which lives as long as `self`; gopatchd
        // accesses them as atomics.
        unsafe { AtomicU64::from_ptr(self.0.as_mut_ptr().wrapping_add(offset).cast()) }
    }
}
