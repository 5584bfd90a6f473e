//! The arena: the private memory that a patched file gains, a zero-filled segment after the
//! program's own.
//!
//! Decides: where each thing lies that the emitted code reads and writes.
//! Trusts: nothing from the file; it only adds up sizes.
//!
//! ```text
//! arena + 0        switches   state shared by all hooks, and one enable byte for each function;
//!                             wiped in a forked child, which has no rings, so that it is inert
//! + SESSION        session    what the entry stub, the tick and its helper need, one of them at a
//!                             time; hooks touch only `LOST_NO_RING`, `RINGS_MISSED`, `CROWDED` and
//!                             `RINGLESS`
//! + SLOTS          slots      one for each P; only the thread that holds the P touches it
//! + TABLE          words      what entries keep for their exits (absent when nothing does)
//! + CONTEXTS       contexts   the open calls' trace contexts, their `tracestate`, and the index by
//!                             which they are found (absent when no rule has a context)
//! ```

use gopatch_protocol::wire::{MAX_RINGS, PAGE};

const _: () = assert!(session::BYTES <= PAGE as u64, "the slots lie one page after the session");

/// Size of one P's slot: four cache lines, so that no two Ps write to one line.
pub const SLOT_BYTES: u64 = 256;
/// Power of two of [`SLOT_BYTES`].
pub const SLOT_SHIFT: u32 = 8;

/// Offsets in the switches.
pub mod switches {
    /// `u32`: 1 while the rings may be written.
    pub const ATTACHED: u64 = 0;
    /// `u32`: number of rings; a P whose id is not below it has none.
    pub const RINGS: u64 = 4;
    /// `u64`: a number in the high half that only grows; words that were kept under another number
    /// are void.
    pub const EPOCH: u64 = 8;
    /// `u32`: [`control::PROPAGATION`](gopatch_protocol::wire::control::PROPAGATION), as the tick
    /// last saw it; 0 while hooks are idle.
    pub const PROPAGATION: u64 = 16;
    /// `u64`: [`control::SAMPLED_BELOW`](gopatch_protocol::wire::control::SAMPLED_BELOW), likewise.
    pub const SAMPLED_BELOW: u64 = 24;
    /// One byte a function.
    pub const ENABLE: u64 = 64;
}

/// Offsets in a P's slot.
pub mod slot {
    /// `u64`: position in the ring up to which records are published.
    pub const POSITION: u64 = 0;
    /// `u64`: position up to which the ring is known to be free.
    pub const LIMIT: u64 = 8;
    /// `u64`: data bytes less one.
    pub const MASK: u64 = 16;
    /// Address of the ring's data, mapped twice in a row.
    pub const DATA: u64 = 24;
    /// Address of the ring's producer page.
    pub const PRODUCER: u64 = 32;
    /// Address of the ring's consumer page.
    pub const CONSUMER: u64 = 40;
    /// `u8`: 1 from before a thunk loads `ATTACHED` until after its last use of the ring. A thunk
    /// that finds 1 goes back.
    pub const BUSY: u64 = 48;
    /// `u8`: 1 when [`WORDS`] are what the entry kept.
    pub const KEPT: u64 = 49;
    /// Registers that a thunk borrows.
    pub const SAVED_RAX: u64 = 64;
    /// See [`SAVED_RAX`].
    pub const SAVED_RCX: u64 = 72;
    /// See [`SAVED_RAX`].
    pub const SAVED_RDX: u64 = 80;
    /// See [`SAVED_RAX`].
    pub const SAVED_RBX: u64 = 88;
    /// Time stamp of the record being made.
    pub const TSC: u64 = 96;
    /// `u64`: state of this P's random numbers, used by the thread that holds the P, even while
    /// [`BUSY`] is 0.
    pub const RANDOM: u64 = 104;
    /// See [`SAVED_RAX`].
    pub const SAVED_RSI: u64 = 112;
    /// See [`SAVED_RAX`].
    pub const SAVED_RDI: u64 = 120;
    /// The words that the entry kept, copied out of the table.
    pub const WORDS: u64 = 128;
    /// `u64`: state of the generator of this P's ids, and the number that makes its trace ids
    /// different from those of other Ps; random, from the kernel.
    pub const ID_STATE: u64 = 176;
    /// See [`ID_STATE`].
    pub const ID_KEY: u64 = 184;
    /// `u64`: handles that this P has made so far, shifted by [`super::context::COUNT_BIT`].
    pub const HANDLES: u64 = 192;
    /// `u32`: index of a context that is this P's to use, plus one; 0 for none.
    pub const STASH: u64 = 200;
    /// `u32`: steps that a search may still take.
    pub const STEPS: u64 = 204;
    /// The context of the call that begins; 0 if it has none.
    pub const OWN: u64 = 208;
    /// Handle of the goroutine's innermost open call, when this one began.
    pub const OUTER: u64 = 216;
    /// Handle of the parent that was found.
    pub const PARENT: u64 = 224;
    /// Key of the goroutine in the index.
    pub const GOROUTINE: u64 = 232;
    /// A word between two parts of a hook.
    pub const WORK: u64 = 240;
    /// `u32`: 1 if the call's `context.Context` is of a call that is over.
    pub const ENDED: u64 = 248;
}

/// Offsets in the session.
pub mod session {
    /// `u32`: [`super::Phase`].
    pub const PHASE: u64 = 0;
    /// `i32`: the socket, while one is open.
    pub const SOCKET: u64 = 4;
    /// `u32`: never attach, or never again.
    pub const OFF: u64 = 8;
    /// `u32`: [`super::AttachMode`].
    pub const MODE: u64 = 12;
    /// `u64` nanoseconds (`CLOCK_MONOTONIC`): when the tick next does anything.
    pub const NEXT_TICK: u64 = 16;
    /// `u64` nanoseconds: earliest time of the next attempt to attach; 0 before a search begins.
    pub const NEXT_ATTEMPT: u64 = 24;
    /// `u64` nanoseconds: from the next attempt to the one after it.
    pub const DISTANCE: u64 = 32;
    /// `u64`: last heartbeat seen.
    pub const HEARTBEAT: u64 = 40;
    /// `u64` nanoseconds: when [`HEARTBEAT`] last changed.
    pub const HEARTBEAT_AT: u64 = 48;
    /// Address of the control page.
    pub const CONTROL: u64 = 56;
    /// `u64`: bytes of the control page's mapping.
    pub const CONTROL_BYTES: u64 = 64;
    /// `u64`: data bytes of a large ring.
    pub const RING_BYTES: u64 = 72;
    /// `u32`: last enable generation copied.
    pub const ENABLE_GENERATION: u64 = 80;
    /// `u32`: rings of this session.
    pub const RINGS: u64 = 84;
    /// `u32`: rings to request.
    pub const RINGS_WANTED: u64 = 88;
    /// `u32`: sessions that gopatchd has granted so far.
    pub const SESSIONS: u64 = 92;
    /// `u64`: records lost in the previous session, published and not consumed.
    pub const LOST_UNCONSUMED: u64 = 96;
    /// `u64`: records lost in the previous session to a full ring or a busy slot.
    pub const LOST_RING_FULL: u64 = 104;
    /// `u64`: records lost because their P had no ring.
    pub const LOST_NO_RING: u64 = 112;
    /// `u32`: highest P id that found no ring, plus one.
    pub const RINGS_MISSED: u64 = 120;
    /// `u32`: bytes of the socket's address.
    pub const ADDRESS_BYTES: u64 = 124;
    /// `struct sockaddr_un`, 110 bytes.
    pub const ADDRESS: u64 = 128;
    /// `u32`: an entry found no place in the words table.
    pub const CROWDED: u64 = 240;
    /// `u32`: 0, or while old words are being cleared one more than the slots seen idle since.
    pub const SEEN_IDLE: u64 = 244;
    /// `u32`: hooks without a ring that are using the words table.
    pub const RINGLESS: u64 = 248;
    /// `u32`: attempts to attach since the start or the last session.
    pub const ATTEMPTS: u64 = 252;
    /// `struct iovec`, 16 bytes.
    pub const IOVEC: u64 = 256;
    /// `struct msghdr`, 56 bytes.
    pub const MSGHDR: u64 = 272;
    /// Hello or reply, 64 bytes.
    pub const MESSAGE: u64 = 328;
    /// `struct pollfd`, 8 bytes.
    pub const POLLFD: u64 = 392;
    /// `u32`: thread id of the helper, written by the kernel; 0 while there is none.
    pub const HELPER: u64 = 400;
    /// `u32`: 1 while this thread's signals are blocked.
    pub const BLOCKED: u64 = 404;
    /// `u64`: the signals that this thread had blocked before.
    pub const OLD_MASK: u64 = 408;
    /// General registers that the tick borrows: room for 16.
    pub const SAVED: u64 = 416;
    /// Address of the mapping that holds all rings.
    pub const RINGS_BASE: u64 = 544;
    /// `u64`: its bytes.
    pub const RINGS_SPAN: u64 = 552;
    /// Where `map_session` returns to.
    pub const BACK: u64 = 560;
    /// `u32`: rings of this session that are large, the first ones.
    pub const LARGE_RINGS: u64 = 568;
    /// Control message with the file descriptors.
    pub const FDS: u64 = 576;
    /// Bytes of [`FDS`]: header, control page and rings, rounded up.
    pub const FDS_BYTES: u64 = (16 + 4 * (super::MAX_RINGS as u64 + 1)).next_multiple_of(8);
    /// CPU mask for `sched_getaffinity`: 8,192 processors, the kernel's largest. Later the header of
    /// a control page.
    pub const CPU_MASK: u64 = FDS + FDS_BYTES;
    /// Bytes of [`CPU_MASK`].
    pub const CPU_MASK_BYTES: u64 = 1024;
    /// `struct stat`, 144 bytes.
    pub const STAT: u64 = CPU_MASK + CPU_MASK_BYTES;
    /// Address of the descriptors that came with a reply, in [`FDS`].
    pub const FILES: u64 = STAT + 144;
    /// `u64` nanoseconds: when the slots may be looked at to clear the words table.
    pub const CLEAR_AT: u64 = FILES + 8;
    /// `u32`: 1 while a control page and rings are mapped.
    pub const MAPPED: u64 = CLEAR_AT + 8;
    /// `u32`: 1 until it is known that no thunk uses the rings any more.
    pub const UNCOUNTED: u64 = MAPPED + 4;
    /// `u64`: time of the socket's last change when a helper was last started for it.
    pub const CHANGED: u64 = UNCOUNTED + 4;
    /// `u32`: 1 once a changed socket has been seen from which gopatchd may soon find this process.
    pub const SOCKET_SEEN: u64 = CHANGED + 8;
    /// `u32`: the probe's child's id, in that child alone.
    pub const CHILD: u64 = SOCKET_SEEN + 4;
    /// `struct sigaction` of SIGCHLD before the probe, 32 bytes.
    pub const OLD_ACTION: u64 = CHILD + 4;
    /// `i32`: the file by which the probe's child states its stage.
    pub const PROBED: u64 = OLD_ACTION + 32;
    /// Bytes of the session.
    pub const BYTES: u64 = PROBED + 8;
}

/// Whether a process has a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Phase {
    /// Has none. Rings that are still mapped are to be replaced.
    Alone = 0,
    /// Has one, and writes records while gopatchd's heartbeat beats.
    Mapped = 1,
}

/// When a process may look for gopatchd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum AttachMode {
    /// When it starts, and then at growing intervals.
    Late = 0,
    /// When it starts, and at no other time.
    Start = 1,
    /// At no time.
    Never = 2,
}

impl AttachMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Late, Self::Start, Self::Never];

    /// As users spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Start => "start",
            Self::Never => "never",
        }
    }
}

/// The words table: what entries keep for their exits, keyed by goroutine and frame.
pub mod table {
    /// Entries; a power of two.
    pub const ENTRIES: u64 = 1 << 15;
    /// Entries that a search examines, from a key's first place on.
    pub const PROBES: u64 = 8;
    /// Bytes of an entry: one cache line.
    pub const ENTRY_BYTES: u64 = 64;
    /// Power of two of [`ENTRY_BYTES`].
    pub const ENTRY_SHIFT: u32 = 6;
    /// `u64`: goroutine id and frame; [`FREE`], [`CLAIMED`] or a key.
    pub const KEY: u64 = 0;
    /// `u64`: the epoch it was kept in (high half) and the function (low half).
    pub const OWNER: u64 = 8;
    /// The words.
    pub const WORDS: u64 = 16;
    /// Most words that an entry can hold.
    pub const MAX_WORDS: usize = 6;
    /// Key of an unused entry.
    pub const FREE: u64 = 0;
    /// Key of an entry that is being written. Not a real key: real ones contain a goroutine id,
    /// which is not 0, in higher bits.
    pub const CLAIMED: i32 = 1;
    /// Bits of [`OWNER`] that hold the function.
    pub const FUNCTION_BITS: u32 = 32;
    /// Bits of the key that hold the frame, in units of eight bytes: stacks of up to 1 GiB
    /// (`runtime.maxstacksize`).
    pub const FRAME_BITS: u32 = 27;
    /// Bytes of the table; the probes of the last place run past the last entry.
    pub const BYTES: u64 = (ENTRIES + PROBES) * ENTRY_BYTES;
}

/// The contexts of open calls: see [`crate::thunk`]'s `context`.
pub mod context {
    /// Contexts; a power of two.
    pub const ENTRIES: u64 = 1 << 13;
    /// Power of two of a context's bytes.
    pub const ENTRY_SHIFT: u32 = 8;
    /// `u64`: [`FREE`], [`RESERVED`], or the handle of the open call that has this context.
    ///
    /// A handle is never used again: it has the context's index ([`INDEX_BITS`]), then a bit for
    /// [`INHERITED`], the P that made it, and a count of that P's.
    pub const HANDLE: u64 = 0;
    /// 32 hex digits: the trace id. What a record has of a context begins here.
    pub const TRACE: u64 = 8;
    /// 16 hex digits: the call's own id.
    pub const SPAN: u64 = 40;
    /// 16 hex digits: the parent's id, or zeros.
    pub const PARENT: u64 = 56;
    /// `u8`: W3C trace flags.
    pub const FLAGS: u64 = 72;
    /// `u8`: [`gopatch_protocol::wire::context::By`]; the six bytes after it are 0.
    pub const BY: u64 = 73;
    /// Handle of the call around this one on its goroutine, if any.
    pub const OUTER: u64 = 80;
    /// `u64`: the goroutine.
    pub const GOID: u64 = 88;
    /// `u32`: the frame.
    pub const FRAME: u64 = 96;
    /// `u32`: the function.
    pub const FUNCTION: u64 = 100;
    /// `u64` time stamp counter when the call began.
    pub const TSC: u64 = 104;
    /// 16 hex digits: the parent's id in the header that the server call around this one has read.
    pub const REMOTE: u64 = 112;
    /// `u32`: bytes of `tracestate`.
    pub const STATE_BYTES: u64 = 128;
    /// `u32`: 1 once another call has wanted the key under which a writer finds this one.
    pub const SHARED: u64 = 132;
    /// `u64`: bytes that a buffer held when a writer began that has to replace, plus one; else 0.
    pub const REPLACE: u64 = 136;
    /// Address of that buffer's `bufio.Writer`.
    pub const WRITER: u64 = 144;
    /// [`HANDLE`] of an unused context.
    pub const FREE: i32 = 0;
    /// [`HANDLE`] of a context in a P's [`super::slot::STASH`]: negative, as no handle is.
    pub const RESERVED: i32 = -1;
    /// Bits of a handle that are the index.
    pub const INDEX_BITS: u32 = 13;
    /// Bit of a handle in the index: the goroutine was started within the call, and has not made it.
    pub const INHERITED: u32 = INDEX_BITS;
    /// Lowest bit of the P's id in a handle.
    pub const P_BIT: u32 = INHERITED + 1;
    /// Lowest bit of the count in a handle; there are at most 128 Ps with a slot.
    pub const COUNT_BIT: u32 = P_BIT + 7;
    /// Contexts that are tried before the table counts as full.
    pub const TRIES: u32 = 8;
    /// Age, in units of 2^32 ticks of the time stamp counter, from which on another call may take
    /// a context over: a minute or less.
    pub const OLD: i32 = 32;
    /// Age from which on its own call gives a context back by compare-and-swap: some seconds less.
    pub const AGING: i32 = 24;
    /// Most bytes of `tracestate`, and the power of two that they are.
    pub const STATE: u64 = 1 << STATE_SHIFT;
    /// See [`STATE`].
    pub const STATE_SHIFT: u32 = 9;

    /// Buckets of the index; a power of two. Each is a cache line with [`PLACES`] places of a key
    /// and a handle.
    pub const BUCKETS: u64 = 1 << 14;
    /// See [`BUCKETS`].
    pub const PLACES: u64 = 4;
    /// Power of two of a bucket's bytes.
    pub const BUCKET_SHIFT: u32 = 6;
    /// Lowest bit of a key's tag, which is above every address and goroutine id.
    pub const TAG_BIT: u32 = 56;
    /// Tag of a goroutine's id.
    pub const GOROUTINE: u64 = 1;
    /// Tag of the address of a `context.Context`.
    pub const CHAIN: u64 = 2;
    /// Tag of the address by which a writer finds a call.
    pub const SEND: u64 = 3;
    /// Tag of the id of a goroutine that is writing a call's request.
    pub const WRITING: u64 = 4;

    /// Bytes of the index.
    pub const INDEX_BYTES: u64 = BUCKETS << BUCKET_SHIFT;
    /// Bytes of index, contexts and `tracestate`s.
    pub const BYTES: u64 = INDEX_BYTES + (ENTRIES << ENTRY_SHIFT) + (ENTRIES << STATE_SHIFT);
}

/// Addresses of the arena's parts, in the image that is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arena {
    base: u64,
    functions: u64,
    has_table: bool,
    has_contexts: bool,
}

impl Arena {
    /// An arena at `base` (whole page) for `functions` functions.
    pub fn new(base: u64, functions: usize, has_table: bool) -> Self {
        Self { base, functions: functions as u64, has_table, has_contexts: false }
    }

    /// The same with room for contexts.
    #[must_use]
    pub fn with_contexts(self) -> Self {
        Self { has_contexts: true, ..self }
    }

    /// Address of the switches.
    pub fn switches(&self) -> u64 {
        self.base
    }

    /// Bytes of the switches, whole pages.
    pub fn switches_bytes(&self) -> u64 {
        (switches::ENABLE + self.functions).next_multiple_of(PAGE as u64)
    }

    /// Address of the enable byte of function `index`.
    pub fn enable(&self, index: u32) -> u64 {
        self.base + switches::ENABLE + u64::from(index)
    }

    /// Number of functions.
    pub fn functions(&self) -> u64 {
        self.functions
    }

    /// Address of the session.
    pub fn session(&self) -> u64 {
        self.base + self.switches_bytes()
    }

    /// Address of the first P's slot.
    pub fn slots(&self) -> u64 {
        (self.session() + session::BYTES).next_multiple_of(PAGE as u64)
    }

    /// Whether there is a words table.
    pub fn has_table(&self) -> bool {
        self.has_table
    }

    /// Address of the words table.
    pub fn table(&self) -> u64 {
        self.slots() + u64::from(MAX_RINGS) * SLOT_BYTES
    }

    /// Whether there is room for contexts.
    pub fn has_contexts(&self) -> bool {
        self.has_contexts
    }

    /// Address of the index of contexts: whole cache lines.
    pub fn context_index(&self) -> u64 {
        (self.table() + if self.has_table { table::BYTES } else { 0 }).next_multiple_of(PAGE as u64)
    }

    /// Address of the first context.
    pub fn contexts(&self) -> u64 {
        self.context_index() + context::INDEX_BYTES
    }

    /// Address of the first context's `tracestate`.
    pub fn states(&self) -> u64 {
        self.contexts() + (context::ENTRIES << context::ENTRY_SHIFT)
    }

    /// Bytes of the arena, whole pages.
    pub fn bytes(&self) -> u64 {
        let end = self.context_index() + if self.has_contexts { context::BYTES } else { 0 };
        (end - self.base).next_multiple_of(PAGE as u64)
    }
}
