//! The wire format between a patched process and gopatchd.
//!
//! Decides: the layout of the hello and the reply on the socket, of the control page, of a ring and
//! of a record.
//! Trusts: nothing. Every reader here takes bytes that another process wrote and returns `None` if
//! they are not valid.
//! Never does: I/O.
//!
//! All integers are little-endian. `docs/wire-format.md` is the prose of this file.

pub use crate::context;
pub use crate::context::TraceContext;

/// First eight bytes of a hello and of a reply: `GOPATCH` and the version of the format.
pub const MAGIC: u64 = u64::from_le_bytes(*b"GOPATCH\x03");

/// Where a patched program looks for gopatchd by default.
pub const DEFAULT_SOCKET: &str = "/run/gopatch/gopatchd.sock";

/// Environment variable that overrides the socket's path; empty means: never attach.
pub const SOCKET_ENV: &str = "GOPATCH_SOCKET";

/// Environment variable that overrides when a process looks for gopatchd: `late`, `start` or
/// `never`.
pub const ATTACH_ENV: &str = "GOPATCH_ATTACH";

/// Name of the memory file with the control page.
pub const CONTROL_NAME: &str = "gopatch-control";

/// Name of the memory file with the large rings, unless they are BPF maps.
pub const RINGS_NAME: &str = "gopatch-rings";

/// Name of the memory file with the spare rings.
pub const SPARE_RINGS_NAME: &str = "gopatch-spare-rings";

/// Size of a page, and so of the two position pages of a ring.
pub const PAGE: usize = 4096;

/// Most rings a process can be given: one reply carries the control page and every ring as file
/// descriptors, and the kernel passes at most 253 (`SCM_MAX_FD`, `include/net/scm.h`).
pub const MAX_RINGS: u32 = 128;

/// Largest payload of a record, in bytes. The BPF program copies records through a buffer of this
/// size.
pub const MAX_PAYLOAD: usize = 2048;

/// Most captures at one point: the `present` word has one bit for each.
pub const MAX_CAPTURES: usize = 32;

/// What a process sends when it connects (`SOCK_SEQPACKET`, one message). If the process could open
/// its own executable, it sends that along as `SCM_RIGHTS`, so that gopatchd can read the manifest
/// from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// How many rings the process can use: one for each P.
    pub rings_wanted: u32,
    /// How many sessions gopatchd has granted this process before.
    pub sessions_before: u32,
    /// First 16 bytes of the SHA-256 of the manifest's JSON.
    pub manifest_id: [u8; 16],
    /// Records of the previous session that were published and never consumed.
    pub lost_unconsumed: u64,
    /// Records of the previous session that found their ring full or their P's slot busy.
    pub lost_ring_full: u64,
}

impl Hello {
    /// Bytes of a hello.
    pub const SIZE: usize = 64;
    /// Offset of `rings_wanted`.
    pub const RINGS_WANTED: usize = 8;
    /// Offset of `sessions_before`.
    pub const SESSIONS_BEFORE: usize = 12;
    /// Offset of `manifest_id`.
    pub const MANIFEST_ID: usize = 16;
    /// Offset of `lost_unconsumed`.
    pub const LOST_UNCONSUMED: usize = 32;
    /// Offset of `lost_ring_full`.
    pub const LOST_RING_FULL: usize = 40;

    /// Parses a hello; `None` if it is not one of this version.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != Self::SIZE || u64_at(bytes, 0)? != MAGIC {
            return None;
        }
        Some(Self {
            rings_wanted: u32_at(bytes, Self::RINGS_WANTED)?,
            sessions_before: u32_at(bytes, Self::SESSIONS_BEFORE)?,
            manifest_id: bytes.get(Self::MANIFEST_ID..Self::MANIFEST_ID + 16)?.try_into().ok()?,
            lost_unconsumed: u64_at(bytes, Self::LOST_UNCONSUMED)?,
            lost_ring_full: u64_at(bytes, Self::LOST_RING_FULL)?,
        })
    }
}

/// What gopatchd replies. With it come, as `SCM_RIGHTS` and in this order, the control page, the
/// large rings (one file with all of them, or a file for each), and one file with the spare rings.
/// Rings in one file lie [`ring::stride`] bytes apart. Each ring starts at position 0. A refusal
/// carries no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// 0: attached; anything else: refused, do not use any descriptor that came along.
    pub status: u32,
    /// Rings that come with this reply, 2 to [`MAX_RINGS`].
    pub rings: u32,
    /// How many of them, the first ones, are large: at least one, and not all.
    pub large_rings: u32,
    /// Data bytes of each large ring: a power of two, at least one page. Each of the others has
    /// [`ring::SPARE_BYTES`].
    pub ring_bytes: u32,
    /// Bytes of the control page's file: whole pages, with the header and one enable byte for each
    /// function.
    pub control_bytes: u32,
}

impl Reply {
    /// Bytes of a reply.
    pub const SIZE: usize = 64;
    /// Offset of `status`.
    pub const STATUS: usize = 8;
    /// Offset of `rings`.
    pub const RINGS: usize = 12;
    /// Offset of `ring_bytes`.
    pub const RING_BYTES: usize = 16;
    /// Offset of `control_bytes`.
    pub const CONTROL_BYTES: usize = 20;
    /// Offset of `large_rings`.
    pub const LARGE_RINGS: usize = 24;
    /// `status` of an accepted session.
    pub const OK: u32 = 0;

    /// The bytes to send.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&MAGIC.to_le_bytes());
        for (offset, value) in [
            (Self::STATUS, self.status),
            (Self::RINGS, self.rings),
            (Self::RING_BYTES, self.ring_bytes),
            (Self::CONTROL_BYTES, self.control_bytes),
            (Self::LARGE_RINGS, self.large_rings),
        ] {
            bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }
}

/// The control page: gopatchd writes it, the process maps it read-only.
///
/// gopatchd makes it when the process connects to it, or the process when none answers. It and the
/// rings stay mapped when gopatchd ends, so that the next one finds them, and goes on where the
/// other stopped.
///
/// The process reads it ten times a second, and more often while [`control::ASLEEP`] is set, from
/// the runtime's `sysmon` thread, never from a hook.
pub mod control {
    /// `u64` that gopatchd changes at least every [`HEARTBEAT_MILLIS`]. A process that sees no
    /// change for [`STALE_MILLIS`] assumes that gopatchd is dead, and writes no more records until
    /// it changes again.
    pub const HEARTBEAT: usize = 0;
    /// `u32` of flags.
    pub const FLAGS: usize = 8;
    /// `u32` that gopatchd increments after it has changed enable bytes.
    pub const ENABLE_GENERATION: usize = 12;
    /// `u32`: 1 while gopatchd does not poll the rings. Meanwhile a process checks its rings every
    /// [`ASLEEP_MILLIS`] and, if one has something unread, wakes gopatchd by FUTEX_WAKE (shared) on
    /// this word.
    pub const ASLEEP: usize = 16;
    /// `u32`: rings of the session.
    pub const RINGS: usize = 20;
    /// `u32`: data bytes of each large ring.
    pub const RING_BYTES: usize = 24;
    /// `u32`: how many rings, the first ones, are large.
    pub const LARGE_RINGS: usize = 28;
    /// `u64`: the gopatchd that drains the rings, as a random number; 0 while none does.
    pub const OWNER: usize = 32;
    /// `u64`: how much of the rings' [`ring::DROPPED`](super::ring::DROPPED) gopatchd has counted.
    pub const COUNTED_DROPPED: usize = 40;
    /// `u64`: the same of [`ring::WORDS_MISSING`](super::ring::WORDS_MISSING).
    pub const COUNTED_WORDS_MISSING: usize = 48;
    /// `u64`: [`MAGIC`](super::MAGIC), once all else before [`ENABLE`] is complete.
    pub const MAGIC: usize = 56;
    /// The manifest's id, as in [`Hello`](super::Hello).
    pub const MANIFEST_ID: usize = 64;
    /// `u64`: device of the socket's folder, if gopatchd has made the page, else 0.
    pub const DEVICE: usize = 80;
    /// `u32`: 1 if the large rings are BPF maps, 0 if they are in a memory file.
    pub const ARE_BPF: usize = 88;
    /// `u64`: how much of the rings' [`ring::SLOT_BUSY`](super::ring::SLOT_BUSY) gopatchd has counted.
    pub const COUNTED_SLOT_BUSY: usize = 96;
    /// `u32` of bits: what is done with trace contexts.
    pub const PROPAGATION: usize = 104;
    /// `u64`: which traces are sampled, by their ids: see [`sampled_below`]. 0: all.
    pub const SAMPLED_BELOW: usize = 112;
    /// The socket's path, which ends with a zero: the path that gopatchd listens on, if it has made
    /// the page, else the path that the process connects to.
    pub const SOCKET: usize = 128;
    /// Bytes of [`SOCKET`].
    pub const SOCKET_BYTES: usize = 112;
    /// `u32` for each large ring, if they are BPF maps: the kernel's id of the map.
    pub const BPF_IDS: usize = 256;
    /// One byte for each function of the manifest, in its order: 0 off, 1 on.
    pub const ENABLE: usize = BPF_IDS + 4 * super::MAX_RINGS as usize;
    /// Bit of [`PROPAGATION`]: contexts are read from requests and written into them.
    pub const PROPAGATES: u32 = 1;
    /// Bit of [`PROPAGATION`]: a caller's decision about sampling is not followed.
    pub const DECIDES: u32 = 2;
    /// Bit of [`FLAGS`]: gopatchd is about to exit; write no more records.
    pub const FLAG_DETACH: u32 = 1;
    /// Longest time between two heartbeats.
    pub const HEARTBEAT_MILLIS: u64 = 200;
    /// Time between two checks of its rings by a process while [`ASLEEP`] is set.
    pub const ASLEEP_MILLIS: u64 = 1;
    /// A heartbeat older than this means that gopatchd is dead.
    pub const STALE_MILLIS: u64 = 700;

    /// First of the eight digits of a trace id that decide: the highest of the 56 bits that are
    /// random by W3C Trace Context, level 2.
    pub const SAMPLED_DIGIT: usize = 18;

    /// [`SAMPLED_BELOW`] for a part of all traces: the digits, as text in big-endian order, below which
    /// a trace is sampled. Text of hex digits compares as their number does.
    pub fn sampled_below(ratio: f64) -> u64 {
        let bound = (ratio * 2f64.powi(32)).round();
        if bound >= 2f64.powi(32) {
            return 0;
        }
        if bound < 1.0 {
            // No text is below.
            return 1;
        }
        let digits = format!("{:08x}", bound as u32);
        digits.bytes().fold(0, |text, digit| text << 8 | u64::from(digit))
    }
}

/// A ring: one producer (the thread that holds the P), one consumer.
///
/// The layout is the kernel's (`kernel/bpf/ringbuf.c`), so that a ring can be a
/// `BPF_MAP_TYPE_USER_RINGBUF`: page 0 consumer position, page 1 producer position, then the data,
/// a power of two of bytes.
///
/// A session has a *large* ring for each P that the process has when it starts, and *spare* ones for
/// a GOMAXPROCS that grows.
pub mod ring {
    /// Fewest rings of a session.
    pub const FEWEST: u32 = 16;
    /// Data bytes of a spare ring.
    pub const SPARE_BYTES: u32 = 256 << 10;
    /// Data bytes of a large ring that a process with at most [`FEW`] Ps makes itself, as no
    /// gopatchd answers.
    pub const OWN_BYTES: u32 = 4 << 20;
    /// The same for a process with more Ps: a locked address space includes its rings.
    pub const OWN_BYTES_OF_MANY: u32 = 1 << 20;
    /// See [`OWN_BYTES`].
    pub const FEW: u32 = 8;

    /// Large rings for a process with this many Ps.
    pub fn large(wanted: u32) -> u32 {
        wanted.clamp(1, super::MAX_RINGS - 1)
    }

    /// All rings for a process with this many Ps.
    pub fn count(wanted: u32) -> u32 {
        wanted.saturating_mul(2).clamp(FEWEST, super::MAX_RINGS)
    }

    /// Bytes from a ring to the next one in the same file.
    pub fn stride(data_bytes: u32) -> u64 {
        DATA as u64 + u64::from(data_bytes)
    }

    /// File offset of the consumer position (`u64`, free running).
    pub const CONSUMER_POS: usize = 0;
    /// File offset of the producer position (`u64`, free running).
    pub const PRODUCER_POS: usize = super::PAGE;
    /// File offset of the `u64` that counts records dropped because the ring was full. It shares
    /// the producer's page but not its cache line; the kernel uses only the first sixteen bytes of
    /// that page.
    pub const DROPPED: usize = super::PAGE + 64;
    /// File offset of the `u64` that counts exits for which no words were kept (see the thunks of
    /// `gopatch-trampolines`).
    pub const WORDS_MISSING: usize = super::PAGE + 72;
    /// File offset of the `u64` that counts records of hooks in signal handlers that found their P's
    /// slot in use by the hook that the signal interrupted.
    pub const SLOT_BUSY: usize = super::PAGE + 80;
    /// File offset of the `u64` time stamp counter when hooks last began to write again after they
    /// had stopped because no heartbeat beat. In the first ring only. Calls that were open before
    /// may have ended, and others begun, without a record.
    pub const RESUMED: usize = super::PAGE + 88;
    /// File offset of the `u64`s that count what became of contexts, one for each
    /// [`Event`](super::context::Event).
    pub const CONTEXTS: usize = super::PAGE + 128;
    /// File offset of the data.
    pub const DATA: usize = 2 * super::PAGE;
    /// Bytes of a record's header: `u32` length, `u32` zero.
    pub const HEADER: usize = 8;
    /// Bit of a record's length: still being written (`BPF_RINGBUF_BUSY_BIT`). gopatch's thunks
    /// never set it.
    pub const BUSY: u32 = 1 << 31;
    /// Bit of a record's length: to be skipped (`BPF_RINGBUF_DISCARD_BIT`). gopatch's thunks never
    /// set it.
    pub const DISCARD: u32 = 1 << 30;
}

/// A record's payload: a fixed header, one word for each capture, then the bytes of the strings.
///
/// ```text
///  0 u32 size      bytes of the payload, this header included, padding excluded
///  4 u32 point     index into the manifest's `points`
///  8 u64 tsc       time stamp counter
/// 16 u64 goid      goroutine
/// 24 u32 frame     bytes from the high end of the goroutine's stack to the call's frame (its CFA):
///                  grows with depth, survives a move of the stack
/// 28 u32 present   bit i: capture i could be followed to its end
/// 32 u64 words[n]  one for each capture: a number, or u32 stored and u32 full length of a string
///    u8  bytes[]   the stored bytes of the strings, in the captures' order, unpadded
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    payload: &'a [u8],
}

/// Offsets in a record's payload.
pub mod record {
    /// `u32` size.
    pub const SIZE: usize = 0;
    /// `u32` point.
    pub const POINT: usize = 4;
    /// `u64` time stamp counter.
    pub const TSC: usize = 8;
    /// `u64` goroutine id.
    pub const GOID: usize = 16;
    /// `u32` frame.
    pub const FRAME: usize = 24;
    /// `u32` present bits.
    pub const PRESENT: usize = 28;
    /// First capture's word.
    pub const WORDS: usize = 32;
}

// Inlined into other crates: every record goes through these.
impl<'a> Record<'a> {
    /// Parses a payload as it lies in a ring, padding included; `None` if its size is not valid.
    #[inline]
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let size = u32_at(payload, record::SIZE)? as usize;
        if !(record::WORDS..=MAX_PAYLOAD).contains(&size) {
            return None;
        }
        Some(Self { payload: payload.get(..size)? })
    }

    #[inline]
    fn u32(&self, offset: usize) -> u32 {
        u32_at(self.payload, offset).unwrap_or(0)
    }

    #[inline]
    fn u64(&self, offset: usize) -> u64 {
        u64_at(self.payload, offset).unwrap_or(0)
    }

    /// Index into the manifest's points.
    #[inline]
    pub fn point(&self) -> u32 {
        self.u32(record::POINT)
    }

    /// Time stamp counter.
    #[inline]
    pub fn tsc(&self) -> u64 {
        self.u64(record::TSC)
    }

    /// Goroutine id.
    #[inline]
    pub fn goid(&self) -> u64 {
        self.u64(record::GOID)
    }

    /// Depth of the call in its stack, in bytes.
    #[inline]
    pub fn frame(&self) -> u32 {
        self.u32(record::FRAME)
    }

    /// Which captures could be followed: one bit each, from the lowest up.
    #[inline]
    pub fn present(&self) -> u32 {
        self.u32(record::PRESENT)
    }

    /// The payload, without padding.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The words of `captures` captures, little-endian, and the bytes after them, where the strings
    /// lie; `None` if the payload is too short.
    #[inline]
    pub fn captured(&self, captures: usize) -> Option<(&'a [[u8; 8]], &'a [u8])> {
        let (words, strings) = self.payload.get(record::WORDS..)?.split_at_checked(8 * captures)?;
        Some((words.as_chunks().0, strings))
    }
}

/// The prefix that the BPF program adds to each payload that it forwards to the output ring. A
/// piece of the output is a sequence of prefixes, each followed by its payload, padded to a
/// multiple of 8.
pub mod forwarded {
    use super::u32_at;

    /// `u32`: index of the ring in the array of rings.
    pub const RING: usize = 0;
    /// `u32`: bytes of the payload that follows.
    pub const SIZE: usize = 4;
    /// Bytes of this prefix.
    pub const PREFIX: usize = 8;

    /// The records of a piece: for each the ring, the offset of the payload, and the payload.
    pub fn records(piece: &[u8]) -> impl Iterator<Item = (u32, usize, &[u8])> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (ring, size) = (u32_at(piece, at + RING)?, u32_at(piece, at + SIZE)? as usize);
            let start = at + PREFIX;
            let end = start.checked_add(size)?;
            let payload = piece.get(start..end)?;
            at = end.next_multiple_of(8);
            Some((ring, start, payload))
        })
    }
}

#[inline]
fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

#[inline]
fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(offset..offset + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_claims_more_than_it_has_is_refused() {
        let mut payload = vec![0; 40];
        payload[..4].copy_from_slice(&48u32.to_le_bytes());
        assert!(Record::parse(&payload).is_none());
        payload[..4].copy_from_slice(&40u32.to_le_bytes());
        let record = Record::parse(&payload).expect("40 bytes of 40");
        assert_eq!(record.captured(1), Some((&[[0; 8]][..], &[][..])));
        assert_eq!(record.captured(2), None);
        payload[..4].copy_from_slice(&31u32.to_le_bytes());
        assert!(Record::parse(&payload).is_none(), "shorter than its own header");
    }

    #[test]
    fn sampling_compares_digits_as_text() {
        assert_eq!([1.0, 0.0].map(control::sampled_below), [0, 1]);
        assert_eq!(control::sampled_below(0.5), u64::from_be_bytes(*b"80000000"));
        assert!(control::sampled_below(0.7) < control::sampled_below(0.71), "letters come after figures");
    }

    #[test]
    fn a_piece_of_the_output_is_a_sequence_of_records() {
        let mut piece = vec![0; 72];
        (piece[0], piece[4], piece[8]) = (3, 33, 1);
        (piece[48], piece[52], piece[56]) = (4, 12, 2);
        let records: Vec<_> = forwarded::records(&piece).map(|(ring, at, it)| (ring, at, it.len(), it[0])).collect();
        assert_eq!(records, [(3, 8, 33, 1), (4, 56, 12, 2)], "the last is not padded");
        piece[52] = 200;
        assert_eq!(forwarded::records(&piece).count(), 1, "a record that is cut off is left out");
    }

    #[test]
    fn a_hello_of_another_version_is_refused() {
        let mut bytes = [0; Hello::SIZE];
        bytes[..8].copy_from_slice(b"GOPATCH\x01");
        assert!(Hello::parse(&bytes).is_none());
        bytes[..8].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[Hello::RINGS_WANTED] = 3;
        assert_eq!(Hello::parse(&bytes).map(|hello| hello.rings_wanted), Some(3));
        assert!(Hello::parse(&bytes[..63]).is_none());
    }
}
