//! The code by which a patched process and gopatchd meet: the entry stub, the tick, and the steps they share.
//!
//! Decides: when a process connects, maps its rings, notices that gopatchd is gone, and leaves its rings.
//! Trusts: gopatchd's reply only after checking it. Never does: start a thread, install a signal handler, keep a
//! file descriptor, allocate, or wait in the tick.
//!
//! # The entry stub
//!
//! Runs in place of the file's entry point, on the kernel's initial stack, before the dynamic loader's or Go's first
//! instruction of the program. It reads `GOPATCH_SOCKET` and `GOMAXPROCS` from the environment, tries once to attach,
//! waits at most [`START_WAIT_MILLIS`] for the reply if somebody listens, and jumps to the original entry point with
//! every register as it found it.
//!
//! # The tick
//!
//! Hooks never look at the time. The runtime does: its `sysmon` thread calls `runtime.retake(now)` every 20 µs to 10 ms
//! while goroutines run (Go's `src/runtime/proc.go`), with `nanotime()` in RAX. A site at its entry compares `now` with
//! the next tick and, ten times a second, runs one step of the session:
//!
//! ```text
//!         connect, hello           reply, map                gone or asked to leave
//! Idle ─────────────────▶ Waiting ────────────▶ Attached ───────────────────────────▶ Leaving ──▶ Idle
//!   ▲                        │ no reply in 2 s                                            all thunks out:
//!   └────────────────────────┘                                                            count losses, unmap
//! ```
//!
//! `sysmon` has no P, runs on its thread's system stack, and is one thread; the stub runs before there is any other.
//! So the session belongs to one thread at a time. Each step is a handful of system calls that do not block.
//!
//! # Leaving the rings
//!
//! A thunk stores `BUSY = 1` in its slot and then loads `ATTACHED`; the tick stores `ATTACHED = 0`, runs
//! `membarrier(PRIVATE_EXPEDITED)`, which puts a full barrier into every running thread, and then loads each `BUSY`.
//! If a thunk's load came before the barrier, its store did too and the tick sees `BUSY = 1`; if after, it saw
//! `ATTACHED = 0`. So when all are 0 no thunk uses the rings, and none will. Where the kernel has no such membarrier
//! the mappings are left in place for good.
//!
//! # Clearing the words table
//!
//! A call that leaves by a panic never frees its place in the words table, and neither does one whose exit is not seen. Once
//! an entry has found no place, the tick adds one to `EPOCH`, which makes all words void, runs a `membarrier`, and frees
//! the places of older epochs when it has seen each slot idle. From then on they are the tick's alone: entries and exits
//! touch only what bears the epoch that they have loaded (see [`crate::thunk`]), and one that loaded an older epoch did so
//! before the barrier, so its `BUSY = 1` is seen behind it, and its last store comes before its `BUSY = 0`. Hooks without a
//! ring have no slot: they count themselves in and out of `RINGLESS` with locked instructions, which are barriers. Where
//! the kernel has no such membarrier the table is never cleared, and later calls do without the words.
//!
//! Code here keeps to registers: RBX is the session, RBP the slots or a mapping, R13 to R15 work, R12 a link. There is
//! no stack use outside the stub's first lines. System call numbers: `arch/x86/entry/syscalls/syscall_64.tbl`.

#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;
use iced_x86::{IcedError, Instruction};

use crate::arena::{Arena, Phase, SLOT_BYTES, SLOT_SHIFT, session, slot, switches, table};
use crate::asm::{EmitError, at, displaced, finish};
use crate::wire::{Hello, MAGIC, MAX_RINGS, PAGE, Reply, SOCKET_ENV, control, ring};

/// Longest wait for gopatchd's reply before the program starts. Later replies are taken by the tick.
pub const START_WAIT_MILLIS: i32 = 200;

const MILLI: u64 = 1_000_000;
const TICK: u64 = 100 * MILLI;
/// Between looks at something that is about to happen: a reply, a thunk's end.
const SHORT_TICK: u64 = 10 * MILLI;
const RETRY: u64 = 500 * MILLI;
const REPLY_WAIT: u64 = 2000 * MILLI;
const STALE: u64 = control::STALE_MILLIS * MILLI;

/// Bytes of the manifest's id: the head of its SHA-256.
pub const MANIFEST_ID_BYTES: usize = 16;

/// Bytes of `sun_path`, the final zero included (`include/uapi/linux/un.h`).
pub const MAX_SOCKET_PATH: usize = 108;

mod sys {
    pub(super) const POLL: u32 = 7;
    pub(super) const MMAP: u32 = 9;
    pub(super) const MUNMAP: u32 = 11;
    pub(super) const CLOSE: u32 = 3;
    pub(super) const MADVISE: u32 = 28;
    pub(super) const SOCKET: u32 = 41;
    pub(super) const CONNECT: u32 = 42;
    pub(super) const SENDMSG: u32 = 46;
    pub(super) const RECVMSG: u32 = 47;
    pub(super) const SCHED_GETAFFINITY: u32 = 204;
    pub(super) const CLOCK_GETTIME: u32 = 228;
    pub(super) const OPENAT: u32 = 257;
    pub(super) const MEMBARRIER: u32 = 324;
}

const AF_UNIX: i32 = 1;
const SOCK_SEQPACKET_NONBLOCK_CLOEXEC: i32 = 5 | 0o4000 | 0o2_000_000;
const O_RDONLY_CLOEXEC: i32 = 0o2_000_000;
const AT_FDCWD: i32 = -100;
const MSG_NOSIGNAL: i32 = 0x4000;
const MSG_DONTWAIT_CMSG_CLOEXEC: i32 = 0x40 | 0x4000_0000;
const EAGAIN: i32 = -11;
const POLLIN: i32 = 1;
/// Key of the auxiliary vector (`include/uapi/linux/auxvec.h`).
const AT_SECURE: i32 = 23;
const CLOCK_MONOTONIC: i32 = 1;
const PROT_NONE: i32 = 0;
const PROT_READ: i32 = 1;
const PROT_READ_WRITE: i32 = 3;
const MAP_SHARED_POPULATE: i32 = 0x8001;
const MAP_FIXED: i32 = 0x10;
/// `MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE`.
const MAP_RESERVE: i32 = 0x4022;
const MADV_DONTFORK: i32 = 10;
const MADV_WIPEONFORK: i32 = 18;
const MEMBARRIER_PRIVATE_EXPEDITED: i32 = 8;
const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED: i32 = 16;
/// `SOL_SOCKET` and `SCM_RIGHTS`, as the eight bytes behind `cmsg_len`.
const SCM_RIGHTS: u64 = 1 | 1 << 32;
const CMSG_HEADER: u64 = 16;

/// Offsets in `struct msghdr`.
mod msghdr {
    pub(super) const NAME: u64 = 0;
    pub(super) const NAME_LEN: u64 = 8;
    pub(super) const IOV: u64 = 16;
    pub(super) const IOV_LEN: u64 = 24;
    pub(super) const CONTROL: u64 = 32;
    pub(super) const CONTROL_LEN: u64 = 40;
    pub(super) const FLAGS: u64 = 48;
}

/// Answer of the routine that takes the reply, in EAX.
mod taken {
    pub(super) const NOT_YET: i32 = 0;
    pub(super) const ATTACHED: i32 = 1;
    pub(super) const FAILED: i32 = 2;
}

/// What the emitted code must know.
#[derive(Debug, Clone)]
pub struct AttachPlan<'a> {
    /// Path of gopatchd's socket; at most [`MAX_SOCKET_PATH`] less one byte.
    pub socket: &'a [u8],
    /// The original entry point.
    pub entry: u64,
    /// Instructions that the tick's site displaced.
    pub tick_after: &'a [Instruction],
    /// Where the tick goes on.
    pub tick_resume: u64,
}

/// The emitted code and its two ways in.
#[derive(Debug, Clone)]
pub struct AttachCode {
    /// The bytes, to lie at the address they were emitted for.
    pub bytes: Vec<u8>,
    /// Address of the entry stub: the file's new entry point.
    pub stub: u64,
    /// Address of the tick's thunk.
    pub tick: u64,
    /// Where in `bytes` the manifest's id stands, which is not known before the rest is.
    pub id_offset: usize,
}

/// Emits the attach code, to lie at `va`.
#[expect(clippy::redundant_closure_for_method_calls, reason = "a method's own path fixes one lifetime")]
pub fn emit(plan: &AttachPlan<'_>, arena: &Arena, va: u64) -> Result<AttachCode, EmitError> {
    let encode = |source| EmitError::Encode { va, source };
    // The constants come first, so that their addresses are known before any code is assembled.
    let id_offset = 0;
    let mut bytes = vec![0; MANIFEST_ID_BYTES];
    let mut constant = |text: &[u8]| {
        let address = va + bytes.len() as u64;
        bytes.extend_from_slice(text);
        bytes.push(0);
        address
    };
    let constants = Constants {
        manifest_id: va + id_offset as u64,
        socket: constant(plan.socket),
        executable: constant(b"/proc/self/exe"),
        socket_env: constant(format!("{SOCKET_ENV}=").as_bytes()),
        gomaxprocs_env: constant(b"GOMAXPROCS="),
    };
    let mut emit_part = |part: Template, parts: Parts| {
        bytes.resize(bytes.len().next_multiple_of(16), 0xCC);
        let part_va = va + bytes.len() as u64;
        let mut asm = CodeAssembler::new(64).map_err(encode)?;
        part(&mut Emitter { asm: &mut asm, plan, arena, constants: &constants, parts }).map_err(encode)?;
        bytes.extend(finish(&mut asm, part_va)?);
        Ok::<u64, EmitError>(part_va)
    };
    let mut parts = Parts::default();
    parts.connect = emit_part(|emitter| emitter.connect(), parts)?;
    parts.unmap = emit_part(|emitter| emitter.unmap(), parts)?;
    parts.copy_enables = emit_part(|emitter| emitter.copy_enables(), parts)?;
    parts.take_reply = emit_part(|emitter| emitter.take_reply(), parts)?;
    let stub = emit_part(|emitter| emitter.stub(), parts)?;
    let tick = emit_part(|emitter| emitter.tick(), parts)?;
    Ok(AttachCode { bytes, stub, tick, id_offset })
}

/// One of the templates below.
type Template = fn(&mut Emitter<'_>) -> Result<(), IcedError>;

struct Constants {
    manifest_id: u64,
    socket: u64,
    executable: u64,
    socket_env: u64,
    gomaxprocs_env: u64,
}

/// Addresses of the routines that were emitted so far. Each is entered by a jump, with its way back in R12.
#[derive(Default, Clone, Copy)]
struct Parts {
    connect: u64,
    unmap: u64,
    copy_enables: u64,
    take_reply: u64,
}

struct Emitter<'a> {
    asm: &'a mut CodeAssembler,
    plan: &'a AttachPlan<'a>,
    arena: &'a Arena,
    constants: &'a Constants,
    parts: Parts,
}

/// A general register as it is saved by the tick, in the order of its place.
const SAVED: [AsmRegister64; 12] = [rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r14];

impl Emitter<'_> {
    fn syscall(&mut self, number: u32) -> Result<(), IcedError> {
        self.asm.mov(eax, number)?;
        self.asm.syscall()
    }

    /// Jumps to a routine and comes back behind. The way back is in R12.
    fn run(&mut self, routine: u64) -> Result<(), IcedError> {
        let mut back = self.asm.create_label();
        self.asm.lea(r12, ptr(back))?;
        self.asm.jmp(routine)?;
        self.asm.set_label(&mut back)?;
        self.asm.zero_bytes()
    }

    fn set_phase(&mut self, phase: Phase) -> Result<(), IcedError> {
        self.asm.mov(dword_ptr(rbx + session::PHASE), phase as u32)
    }

    fn close(&mut self, fd: AsmRegister32) -> Result<(), IcedError> {
        self.asm.mov(edi, fd)?;
        self.syscall(sys::CLOSE)
    }

    /// Fills the message header for [`session::MESSAGE`] of 64 bytes, without control data.
    fn message_header(&mut self) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.lea(rax, ptr(rbx + session::MESSAGE))?;
        asm.mov(qword_ptr(rbx + session::IOVEC), rax)?;
        asm.mov(qword_ptr(rbx + session::IOVEC + 8), Hello::SIZE as i32)?;
        asm.xor(eax, eax)?;
        for offset in [msghdr::NAME, msghdr::NAME_LEN, msghdr::CONTROL, msghdr::CONTROL_LEN, msghdr::FLAGS] {
            asm.mov(qword_ptr(rbx + session::MSGHDR + offset), rax)?;
        }
        asm.lea(rax, ptr(rbx + session::IOVEC))?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::IOV), rax)?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::IOV_LEN), 1)
    }

    /// Routine: connects and says hello. EAX = 1 when it was said, else 0 and nothing is left open.
    fn connect(&mut self) -> Result<(), IcedError> {
        let mut failed = self.asm.create_label();
        let mut close_failed = self.asm.create_label();
        let mut no_file = self.asm.create_label();
        let mut sent = self.asm.create_label();

        self.asm.mov(edi, AF_UNIX)?;
        self.asm.mov(esi, SOCK_SEQPACKET_NONBLOCK_CLOEXEC)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::SOCKET)?;
        self.asm.test(eax, eax)?;
        self.asm.js(failed)?;
        self.asm.mov(dword_ptr(rbx + session::SOCKET), eax)?;
        self.asm.mov(edi, eax)?;
        self.asm.lea(rsi, ptr(rbx + session::ADDRESS))?;
        self.asm.mov(edx, dword_ptr(rbx + session::ADDRESS_BYTES))?;
        self.syscall(sys::CONNECT)?;
        self.asm.test(eax, eax)?;
        self.asm.js(close_failed)?;

        // The executable goes along, so that gopatchd needs no right to look into this process.
        self.asm.mov(edi, AT_FDCWD)?;
        self.asm.lea(rsi, at(self.constants.executable))?;
        self.asm.mov(edx, O_RDONLY_CLOEXEC)?;
        self.syscall(sys::OPENAT)?;
        self.asm.mov(r13d, eax)?;

        self.message_header()?;
        let asm = &mut *self.asm;
        let message = session::MESSAGE;
        asm.mov(rax, MAGIC)?;
        asm.mov(qword_ptr(rbx + message), rax)?;
        asm.mov(eax, dword_ptr(rbx + session::RINGS_WANTED))?;
        asm.mov(dword_ptr(rbx + message + Hello::RINGS_WANTED), eax)?;
        asm.mov(eax, dword_ptr(rbx + session::SESSIONS))?;
        asm.mov(dword_ptr(rbx + message + Hello::SESSIONS_BEFORE), eax)?;
        for half in (0..MANIFEST_ID_BYTES).step_by(8) {
            asm.mov(rax, qword_ptr(at(self.constants.manifest_id + half as u64)))?;
            asm.mov(qword_ptr(rbx + message + Hello::MANIFEST_ID + half), rax)?;
        }
        asm.mov(rax, qword_ptr(rbx + session::LOST_UNCONSUMED))?;
        asm.mov(qword_ptr(rbx + message + Hello::LOST_UNCONSUMED), rax)?;
        asm.mov(rax, qword_ptr(rbx + session::LOST_RING_FULL))?;
        asm.add(rax, qword_ptr(rbx + session::LOST_NO_RING))?;
        asm.mov(qword_ptr(rbx + message + Hello::LOST_RING_FULL), rax)?;
        asm.xor(eax, eax)?;
        asm.mov(qword_ptr(rbx + message + 48u64), rax)?;
        asm.mov(qword_ptr(rbx + message + 56u64), rax)?;

        asm.test(r13d, r13d)?;
        asm.js(no_file)?;
        asm.lea(rax, ptr(rbx + session::FDS))?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL), rax)?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL_LEN), 24)?;
        asm.mov(qword_ptr(rbx + session::FDS), CMSG_HEADER as i32 + 4)?;
        asm.mov(rax, SCM_RIGHTS)?;
        asm.mov(qword_ptr(rbx + session::FDS + 8), rax)?;
        asm.mov(dword_ptr(rbx + session::FDS + CMSG_HEADER), r13d)?;
        asm.set_label(&mut no_file)?;
        asm.mov(edi, dword_ptr(rbx + session::SOCKET))?;
        asm.lea(rsi, ptr(rbx + session::MSGHDR))?;
        asm.mov(edx, MSG_NOSIGNAL)?;
        self.syscall(sys::SENDMSG)?;
        self.asm.mov(r14, rax)?;
        self.asm.test(r13d, r13d)?;
        let mut closed = self.asm.create_label();
        self.asm.js(closed)?;
        self.close(r13d)?;
        self.asm.set_label(&mut closed)?;
        self.asm.cmp(r14, Hello::SIZE as i32)?;
        self.asm.je(sent)?;

        self.asm.set_label(&mut close_failed)?;
        self.asm.mov(eax, dword_ptr(rbx + session::SOCKET))?;
        self.close(eax)?;
        self.asm.set_label(&mut failed)?;
        self.asm.xor(eax, eax)?;
        self.asm.jmp(r12)?;

        self.asm.set_label(&mut sent)?;
        // What the old session lost has been told.
        self.asm.xor(eax, eax)?;
        self.asm.mov(qword_ptr(rbx + session::LOST_UNCONSUMED), rax)?;
        self.asm.mov(qword_ptr(rbx + session::LOST_RING_FULL), rax)?;
        self.asm.mov(qword_ptr(rbx + session::LOST_NO_RING), rax)?;
        self.set_phase(Phase::Waiting)?;
        self.asm.mov(eax, 1)?;
        self.asm.jmp(r12)
    }

    /// `mmap` with RDI address, RSI length, R9 offset, R8D file; RAX = address or a negative error.
    fn mmap(&mut self, protection: i32, flags: i32) -> Result<(), IcedError> {
        self.asm.mov(edx, protection)?;
        self.asm.mov(r10d, flags)?;
        self.syscall(sys::MMAP)
    }

    /// Routine: takes gopatchd's reply if it is there, and maps what came with it. EAX is one of [`taken`].
    ///
    /// Every file descriptor that came is closed, whatever becomes of the reply.
    fn take_reply(&mut self) -> Result<(), IcedError> {
        let mut has_message = self.asm.create_label();
        let mut failed = self.asm.create_label();
        let mut close_all = self.asm.create_label();
        let mut close_next = self.asm.create_label();
        let mut closed = self.asm.create_label();
        let mut map_next = self.asm.create_label();
        let mut mapped = self.asm.create_label();
        let mut unmap_failed = self.asm.create_label();

        self.message_header()?;
        let asm = &mut *self.asm;
        asm.lea(rax, ptr(rbx + session::FDS))?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL), rax)?;
        asm.mov(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL_LEN), session::FDS_BYTES as i32)?;
        asm.xor(eax, eax)?;
        asm.mov(qword_ptr(rbx + session::FDS), rax)?;
        asm.mov(edi, dword_ptr(rbx + session::SOCKET))?;
        asm.lea(rsi, ptr(rbx + session::MSGHDR))?;
        asm.mov(edx, MSG_DONTWAIT_CMSG_CLOEXEC)?;
        self.syscall(sys::RECVMSG)?;
        self.asm.cmp(rax, EAGAIN)?;
        self.asm.jne(has_message)?;
        self.asm.mov(eax, taken::NOT_YET)?;
        self.asm.jmp(r12)?;

        self.asm.set_label(&mut has_message)?;
        // R13D = file descriptors that came, R15D = 1 once all is mapped.
        let asm = &mut *self.asm;
        asm.mov(r14, rax)?;
        asm.xor(r13d, r13d)?;
        asm.xor(r15d, r15d)?;
        asm.cmp(qword_ptr(rbx + session::MSGHDR + msghdr::CONTROL_LEN), CMSG_HEADER as i32)?;
        asm.jb(failed)?;
        asm.mov(rax, SCM_RIGHTS)?;
        asm.cmp(qword_ptr(rbx + session::FDS + 8), rax)?;
        asm.jne(failed)?;
        asm.mov(r13, qword_ptr(rbx + session::FDS))?;
        asm.sub(r13, CMSG_HEADER as i32)?;
        asm.shr(r13, 2)?;

        asm.cmp(r14, Reply::SIZE as i32)?;
        asm.jne(failed)?;
        asm.mov(rax, MAGIC)?;
        asm.cmp(qword_ptr(rbx + session::MESSAGE), rax)?;
        asm.jne(failed)?;
        asm.cmp(dword_ptr(rbx + session::MESSAGE + Reply::STATUS), Reply::OK)?;
        asm.jne(failed)?;
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::RINGS))?;
        asm.lea(ecx, ptr(rax - 1))?;
        asm.cmp(ecx, MAX_RINGS)?;
        asm.jae(failed)?;
        asm.mov(dword_ptr(rbx + session::RINGS), eax)?;
        asm.inc(eax)?;
        asm.cmp(eax, r13d)?;
        asm.jne(failed)?;
        // Ring bytes: a power of two of at least one page, at most 1 GiB.
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::RING_BYTES))?;
        asm.mov(qword_ptr(rbx + session::RING_BYTES), rax)?;
        asm.lea(ecx, ptr(rax - 1))?;
        asm.test(ecx, eax)?;
        asm.jne(failed)?;
        asm.sub(eax, PAGE as i32)?;
        asm.cmp(eax, 1 << 30)?;
        asm.jae(failed)?;
        asm.mov(eax, dword_ptr(rbx + session::MESSAGE + Reply::CONTROL_BYTES))?;
        asm.mov(qword_ptr(rbx + session::CONTROL_BYTES), rax)?;
        asm.cmp(rax, (control::ENABLE as u64 + self.arena.functions()) as i32)?;
        asm.jb(failed)?;

        asm.xor(edi, edi)?;
        asm.mov(rsi, rax)?;
        asm.mov(r8d, dword_ptr(rbx + session::FDS + CMSG_HEADER))?;
        asm.xor(r9d, r9d)?;
        self.mmap(PROT_READ, MAP_SHARED_POPULATE)?;
        self.fail_if_error(failed)?;
        self.asm.mov(qword_ptr(rbx + session::CONTROL), rax)?;
        self.asm.mov(rdi, rax)?;
        self.asm.mov(rsi, qword_ptr(rbx + session::CONTROL_BYTES))?;
        self.madvise(MADV_DONTFORK)?;

        // R14 = ring index.
        self.asm.xor(r14d, r14d)?;
        self.asm.set_label(&mut map_next)?;
        self.map_ring(unmap_failed)?;
        self.asm.inc(r14d)?;
        self.asm.cmp(r14d, dword_ptr(rbx + session::RINGS))?;
        self.asm.jb(map_next)?;

        let switches_va = self.arena.switches();
        let asm = &mut *self.asm;
        asm.inc(dword_ptr(rbx + session::SESSIONS))?;
        asm.mov(dword_ptr(rbx + session::SEEN_IDLE), 0)?;
        asm.mov(eax, dword_ptr(rbx + session::RINGS))?;
        asm.mov(dword_ptr(at(switches_va + switches::RINGS)), eax)?;
        asm.mov(rcx, qword_ptr(rbx + session::CONTROL))?;
        asm.mov(rax, qword_ptr(rcx + control::HEARTBEAT))?;
        asm.mov(qword_ptr(rbx + session::HEARTBEAT), rax)?;
        asm.mov(rax, qword_ptr(rbx + session::NEXT_ATTEMPT))?;
        asm.mov(qword_ptr(rbx + session::HEARTBEAT_AT), rax)?;
        // Slots before ATTACHED, ATTACHED before the enable bytes: a thunk that sees the last sees the first.
        asm.mov(dword_ptr(at(switches_va + switches::ATTACHED)), 1)?;
        asm.mov(rbp, r12)?;
        self.run(self.parts.copy_enables)?;
        self.asm.mov(r12, rbp)?;
        self.asm.mov(r15d, 1)?;
        self.asm.jmp(close_all)?;

        self.asm.set_label(&mut unmap_failed)?;
        // Ring R14 and those behind it are not mapped.
        self.asm.mov(dword_ptr(rbx + session::RINGS), r14d)?;
        self.asm.mov(rbp, r12)?;
        self.run(self.parts.unmap)?;
        self.asm.mov(r12, rbp)?;
        self.asm.set_label(&mut failed)?;
        self.asm.xor(r15d, r15d)?;

        self.asm.set_label(&mut close_all)?;
        self.asm.mov(eax, dword_ptr(rbx + session::SOCKET))?;
        self.close(eax)?;
        self.asm.set_label(&mut close_next)?;
        self.asm.test(r13d, r13d)?;
        self.asm.je(closed)?;
        self.asm.dec(r13d)?;
        self.asm.mov(eax, dword_ptr(rbx + r13 * 4 + (session::FDS + CMSG_HEADER)))?;
        self.close(eax)?;
        self.asm.jmp(close_next)?;
        self.asm.set_label(&mut closed)?;
        self.asm.test(r15d, r15d)?;
        self.asm.jne(mapped)?;
        self.set_phase(Phase::Idle)?;
        self.asm.mov(eax, taken::FAILED)?;
        self.asm.jmp(r12)?;
        self.asm.set_label(&mut mapped)?;
        self.set_phase(Phase::Attached)?;
        self.asm.mov(eax, taken::ATTACHED)?;
        self.asm.jmp(r12)
    }

    fn fail_if_error(&mut self, failed: CodeLabel) -> Result<(), IcedError> {
        // The kernel's errors are -4095 to -1, and no mapping lies there.
        self.asm.cmp(rax, -4096)?;
        self.asm.ja(failed)
    }

    /// `madvise` of RSI bytes at RDI. Its failure costs only tidiness in a forked child.
    fn madvise(&mut self, advice: i32) -> Result<(), IcedError> {
        self.asm.mov(edx, advice)?;
        self.syscall(sys::MADVISE)
    }

    /// Maps ring R14, its data twice in a row, and sets up its slot. Uses RBP.
    fn map_ring(&mut self, unmap_failed: CodeLabel) -> Result<(), IcedError> {
        let mut failed = self.asm.create_label();
        let mut done = self.asm.create_label();
        let page = PAGE as i32;

        // Room first, so that the pieces that follow can only lie on it.
        let asm = &mut *self.asm;
        asm.xor(edi, edi)?;
        asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        asm.lea(rsi, ptr(rsi * 2 + 2 * page))?;
        asm.mov(r8d, -1)?;
        asm.xor(r9d, r9d)?;
        self.mmap(PROT_NONE, MAP_RESERVE)?;
        self.fail_if_error(unmap_failed)?;
        self.asm.mov(rbp, rax)?;
        self.asm.mov(qword_ptr(rbx + r14 * 8 + session::RING_BASES), rax)?;

        self.asm.mov(rdi, rbp)?;
        self.asm.mov(esi, page)?;
        self.ring_piece(0)?;
        self.mmap(PROT_READ, MAP_SHARED_POPULATE | MAP_FIXED)?;
        self.fail_if_error(failed)?;

        self.asm.lea(rdi, ptr(rbp + page))?;
        self.asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        self.asm.add(rsi, page)?;
        self.ring_piece(ring::PRODUCER_POS as i32)?;
        self.mmap(PROT_READ_WRITE, MAP_SHARED_POPULATE | MAP_FIXED)?;
        self.fail_if_error(failed)?;

        self.asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        self.asm.lea(rdi, ptr(rbp + rsi + 2 * page))?;
        self.ring_piece(ring::DATA as i32)?;
        self.mmap(PROT_READ_WRITE, MAP_SHARED_POPULATE | MAP_FIXED)?;
        self.fail_if_error(failed)?;

        self.asm.mov(rdi, rbp)?;
        self.asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        self.asm.lea(rsi, ptr(rsi * 2 + 2 * page))?;
        self.madvise(MADV_DONTFORK)?;

        // RCX = slot.
        let asm = &mut *self.asm;
        asm.mov(ecx, r14d)?;
        asm.shl(ecx, SLOT_SHIFT)?;
        asm.lea(rax, at(self.arena.slots()))?;
        asm.add(rcx, rax)?;
        asm.mov(qword_ptr(rcx + slot::CONSUMER), rbp)?;
        asm.lea(rax, ptr(rbp + page))?;
        asm.mov(qword_ptr(rcx + slot::PRODUCER), rax)?;
        asm.mov(rdx, qword_ptr(rax))?;
        asm.mov(qword_ptr(rcx + slot::POSITION), rdx)?;
        asm.add(rax, page)?;
        asm.mov(qword_ptr(rcx + slot::DATA), rax)?;
        asm.mov(rdx, qword_ptr(rbx + session::RING_BYTES))?;
        asm.mov(rax, qword_ptr(rbp))?;
        asm.add(rax, rdx)?;
        asm.mov(qword_ptr(rcx + slot::LIMIT), rax)?;
        asm.dec(rdx)?;
        asm.mov(qword_ptr(rcx + slot::MASK), rdx)?;
        asm.jmp(done)?;

        asm.set_label(&mut failed)?;
        asm.mov(rdi, rbp)?;
        asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        asm.lea(rsi, ptr(rsi * 2 + 2 * page))?;
        self.syscall(sys::MUNMAP)?;
        self.asm.jmp(unmap_failed)?;
        self.asm.set_label(&mut done)?;
        self.asm.zero_bytes()
    }

    /// R8D, R9 = file and offset of a piece of ring R14.
    fn ring_piece(&mut self, offset: i32) -> Result<(), IcedError> {
        self.asm.mov(r8d, dword_ptr(rbx + r14 * 4 + (session::FDS + CMSG_HEADER + 4)))?;
        self.asm.mov(r9d, offset)
    }

    /// Routine: unmaps the control page and all rings of the session. Uses R14.
    fn unmap(&mut self) -> Result<(), IcedError> {
        let mut next = self.asm.create_label();
        let mut done = self.asm.create_label();
        self.asm.mov(rdi, qword_ptr(rbx + session::CONTROL))?;
        self.asm.mov(rsi, qword_ptr(rbx + session::CONTROL_BYTES))?;
        self.syscall(sys::MUNMAP)?;
        self.asm.mov(r14d, dword_ptr(rbx + session::RINGS))?;
        self.asm.set_label(&mut next)?;
        self.asm.test(r14d, r14d)?;
        self.asm.je(done)?;
        self.asm.dec(r14d)?;
        self.asm.mov(rdi, qword_ptr(rbx + r14 * 8 + session::RING_BASES))?;
        self.asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        self.asm.lea(rsi, ptr(rsi * 2 + 2 * PAGE as i32))?;
        self.syscall(sys::MUNMAP)?;
        self.asm.jmp(next)?;
        self.asm.set_label(&mut done)?;
        self.asm.jmp(r12)
    }

    /// Routine: copies the enable bytes from the control page, and notes their generation.
    ///
    /// Words of a function that was off in between may be those of an earlier call: before any byte is 1 they are void.
    fn copy_enables(&mut self) -> Result<(), IcedError> {
        self.next_epoch()?;
        let asm = &mut *self.asm;
        asm.mov(rsi, qword_ptr(rbx + session::CONTROL))?;
        // The generation first: a change that comes in between is copied again.
        asm.mov(eax, dword_ptr(rsi + control::ENABLE_GENERATION))?;
        asm.mov(dword_ptr(rbx + session::ENABLE_GENERATION), eax)?;
        asm.add(rsi, control::ENABLE as i32)?;
        asm.lea(rdi, at(self.arena.switches() + switches::ENABLE))?;
        asm.mov(ecx, self.arena.functions() as u32)?;
        asm.rep().movsb()?;
        asm.jmp(r12)
    }

    /// The entry stub.
    fn stub(&mut self) -> Result<(), IcedError> {
        let mut start = self.asm.create_label();
        self.asm.pushfq()?;
        for register in SAVED.into_iter().chain([r12, r13, r15]) {
            self.asm.push(register)?;
        }
        // The kernel guarantees DF = 0 at the first instruction, the dynamic loader might not.
        self.asm.cld()?;
        self.asm.lea(rbx, at(self.arena.session()))?;
        // R15 = argc's address, 16 pushes above.
        self.asm.lea(r15, ptr(rsp + 8 * (SAVED.len() as i32 + 4)))?;
        self.default_address()?;
        self.count_processors()?;
        self.environment()?;

        self.asm.cmp(dword_ptr(rbx + session::OFF), 0)?;
        self.asm.jne(start)?;
        // While this is the only thread, registering costs nothing.
        self.asm.mov(edi, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED)?;
        self.asm.xor(esi, esi)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::MEMBARRIER)?;
        self.asm.xor(ecx, ecx)?;
        self.asm.test(eax, eax)?;
        self.asm.sete(cl)?;
        self.asm.mov(dword_ptr(rbx + session::MEMBARRIER), ecx)?;
        // A forked child has no rings (MADV_DONTFORK below), so its switches must be off.
        self.asm.lea(rdi, at(self.arena.switches()))?;
        self.asm.mov(esi, self.arena.switches_bytes() as i32)?;
        self.madvise(MADV_WIPEONFORK)?;

        self.asm.mov(edi, CLOCK_MONOTONIC)?;
        self.asm.lea(rsi, ptr(rbx + session::TIMESPEC))?;
        self.syscall(sys::CLOCK_GETTIME)?;
        let asm = &mut *self.asm;
        asm.imul_3(rax, qword_ptr(rbx + session::TIMESPEC), 1_000_000_000)?;
        asm.add(rax, qword_ptr(rbx + session::TIMESPEC + 8))?;
        asm.mov(qword_ptr(rbx + session::NEXT_ATTEMPT), rax)?;
        self.run(self.parts.connect)?;
        self.asm.test(eax, eax)?;
        self.asm.je(start)?;
        self.asm.mov(rax, qword_ptr(rbx + session::NEXT_ATTEMPT))?;
        self.add_to_rax(REPLY_WAIT)?;
        self.asm.mov(qword_ptr(rbx + session::DEADLINE), rax)?;

        self.asm.mov(eax, dword_ptr(rbx + session::SOCKET))?;
        self.asm.mov(dword_ptr(rbx + session::POLLFD), eax)?;
        self.asm.mov(dword_ptr(rbx + session::POLLFD + 4), POLLIN)?;
        self.asm.lea(rdi, ptr(rbx + session::POLLFD))?;
        self.asm.mov(esi, 1)?;
        self.asm.mov(edx, START_WAIT_MILLIS)?;
        self.syscall(sys::POLL)?;
        self.run(self.parts.take_reply)?;

        self.asm.set_label(&mut start)?;
        for register in SAVED.into_iter().chain([r12, r13, r15]).rev() {
            self.asm.pop(register)?;
        }
        self.asm.popfq()?;
        self.asm.jmp(self.plan.entry)
    }

    fn add_to_rax(&mut self, nanoseconds: u64) -> Result<(), IcedError> {
        self.asm.mov(rcx, nanoseconds)?;
        self.asm.add(rax, rcx)
    }

    /// The socket's address as it was fixed when the file was patched.
    fn default_address(&mut self) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.mov(word_ptr(rbx + session::ADDRESS), AF_UNIX)?;
        asm.lea(rsi, at(self.constants.socket))?;
        asm.lea(rdi, ptr(rbx + session::ADDRESS + 2))?;
        asm.mov(ecx, self.plan.socket.len() as u32 + 1)?;
        asm.rep().movsb()?;
        asm.mov(dword_ptr(rbx + session::ADDRESS_BYTES), self.plan.socket.len() as u32 + 3)
    }

    /// Rings wanted = processors that this thread may run on, at least 1.
    fn count_processors(&mut self) -> Result<(), IcedError> {
        let mut word = self.asm.create_label();
        let mut bit = self.asm.create_label();
        let mut done = self.asm.create_label();
        let mut some = self.asm.create_label();
        self.asm.xor(edi, edi)?;
        self.asm.mov(esi, session::CPU_MASK_BYTES as i32)?;
        self.asm.lea(rdx, ptr(rbx + session::CPU_MASK))?;
        self.syscall(sys::SCHED_GETAFFINITY)?;
        let asm = &mut *self.asm;
        // EDX = count, ECX = words left: the mask was zero before, so words the kernel did not write count nothing.
        asm.xor(edx, edx)?;
        asm.mov(ecx, (session::CPU_MASK_BYTES / 8) as u32)?;
        asm.set_label(&mut word)?;
        asm.mov(rax, qword_ptr(rbx + rcx * 8 + (session::CPU_MASK - 8)))?;
        asm.set_label(&mut bit)?;
        asm.test(rax, rax)?;
        asm.je(done)?;
        // Clears the lowest bit that is set.
        asm.lea(rsi, ptr(rax - 1))?;
        asm.and(rax, rsi)?;
        asm.inc(edx)?;
        asm.jmp(bit)?;
        asm.set_label(&mut done)?;
        asm.dec(ecx)?;
        asm.jne(word)?;
        asm.test(edx, edx)?;
        asm.jne(some)?;
        asm.inc(edx)?;
        asm.set_label(&mut some)?;
        asm.mov(dword_ptr(rbx + session::RINGS_WANTED), edx)
    }

    /// Looks through the environment. R15 = address of argc.
    fn environment(&mut self) -> Result<(), IcedError> {
        let mut next = self.asm.create_label();
        let mut not_socket = self.asm.create_label();
        let mut copy = self.asm.create_label();
        let mut too_long = self.asm.create_label();
        let mut digit = self.asm.create_label();
        let mut number = self.asm.create_label();
        let mut done = self.asm.create_label();
        let mut end = self.asm.create_label();

        // R14 = first of the pointers to the environment: behind argc, argc arguments and a nil.
        let asm = &mut *self.asm;
        asm.mov(rax, qword_ptr(r15))?;
        asm.lea(r14, ptr(r15 + rax * 8 + 16))?;
        asm.set_label(&mut next)?;
        asm.mov(rsi, qword_ptr(r14))?;
        asm.add(r14, 8)?;
        asm.test(rsi, rsi)?;
        asm.je(done)?;

        self.starts_with(self.constants.socket_env, SOCKET_ENV.len() + 1, not_socket)?;
        let asm = &mut *self.asm;
        // RSI = value. Empty: off.
        asm.cmp(byte_ptr(rsi), 0)?;
        asm.sete(al)?;
        asm.movzx(eax, al)?;
        asm.mov(dword_ptr(rbx + session::OFF), eax)?;
        asm.xor(ecx, ecx)?;
        asm.set_label(&mut copy)?;
        asm.cmp(ecx, MAX_SOCKET_PATH as i32)?;
        asm.je(too_long)?;
        asm.mov(al, byte_ptr(rsi + rcx))?;
        asm.mov(byte_ptr(rbx + rcx + (session::ADDRESS + 2)), al)?;
        asm.inc(ecx)?;
        asm.test(al, al)?;
        asm.jne(copy)?;
        asm.add(ecx, 2)?;
        asm.mov(dword_ptr(rbx + session::ADDRESS_BYTES), ecx)?;
        asm.jmp(next)?;
        asm.set_label(&mut too_long)?;
        // No socket can have such a path.
        asm.mov(dword_ptr(rbx + session::OFF), 1)?;
        asm.jmp(next)?;

        asm.set_label(&mut not_socket)?;
        asm.mov(rsi, qword_ptr(r14 - 8))?;
        self.starts_with(self.constants.gomaxprocs_env, "GOMAXPROCS=".len(), next)?;
        let asm = &mut *self.asm;
        asm.xor(eax, eax)?;
        asm.set_label(&mut digit)?;
        asm.movzx(ecx, byte_ptr(rsi))?;
        asm.sub(ecx, i32::from(b'0'))?;
        asm.cmp(ecx, 9)?;
        asm.ja(number)?;
        // Past what there can be of rings, more digits change nothing.
        asm.cmp(eax, 1_000_000)?;
        asm.ja(number)?;
        asm.imul_3(eax, eax, 10)?;
        asm.add(eax, ecx)?;
        asm.inc(rsi)?;
        asm.jmp(digit)?;
        asm.set_label(&mut number)?;
        asm.cmp(eax, dword_ptr(rbx + session::RINGS_WANTED))?;
        asm.jbe(next)?;
        asm.mov(dword_ptr(rbx + session::RINGS_WANTED), eax)?;
        asm.jmp(next)?;

        // Behind the environment lies the auxiliary vector: pairs, up to AT_NULL. In a program that gives its user rights
        // that he did not have (AT_SECURE), the user must not choose who sees its records.
        asm.set_label(&mut done)?;
        asm.mov(rax, qword_ptr(r14))?;
        asm.mov(rcx, qword_ptr(r14 + 8))?;
        asm.add(r14, 16)?;
        asm.test(rax, rax)?;
        asm.je(end)?;
        asm.cmp(rax, AT_SECURE)?;
        asm.jne(done)?;
        asm.test(rcx, rcx)?;
        asm.je(end)?;
        asm.mov(dword_ptr(rbx + session::OFF), 0)?;
        self.default_address()?;
        self.asm.set_label(&mut end)?;
        self.asm.zero_bytes()
    }

    /// Goes to `otherwise` unless the string at RSI starts with the `bytes` at `prefix`; then RSI is behind them.
    /// A string ends with a zero, which no prefix has, so nothing behind a string is read.
    fn starts_with(&mut self, prefix: u64, bytes: usize, otherwise: CodeLabel) -> Result<(), IcedError> {
        self.asm.lea(rdi, at(prefix))?;
        self.asm.mov(ecx, bytes as u32)?;
        self.asm.repe().cmpsb()?;
        self.asm.jne(otherwise)
    }

    /// The tick's thunk: RAX = now.
    fn tick(&mut self) -> Result<(), IcedError> {
        let session_va = self.arena.session();
        let mut due = self.asm.create_label();
        let mut go_on = self.asm.create_label();
        let mut leave = self.asm.create_label();
        let mut idle = self.asm.create_label();
        let mut waiting = self.asm.create_label();
        let mut attached = self.asm.create_label();
        let mut leaving = self.asm.create_label();

        self.asm.cmp(rax, qword_ptr(at(session_va + session::NEXT_TICK)))?;
        self.asm.jge(due)?;
        self.asm.set_label(&mut go_on)?;
        displaced(self.asm, self.plan.tick_after)?;
        self.asm.jmp(self.plan.tick_resume)?;

        self.asm.set_label(&mut due)?;
        for (index, register) in SAVED.into_iter().enumerate() {
            self.asm.mov(qword_ptr(at(session_va + session::SAVED + 8 * index as u64)), register)?;
        }
        self.asm.lea(rbx, at(session_va))?;
        self.next_tick(TICK)?;
        let asm = &mut *self.asm;
        asm.mov(eax, dword_ptr(rbx + session::PHASE))?;
        asm.cmp(eax, Phase::Waiting as i32)?;
        asm.je(waiting)?;
        asm.cmp(eax, Phase::Attached as i32)?;
        asm.je(attached)?;
        asm.cmp(eax, Phase::Leaving as i32)?;
        asm.je(leaving)?;

        asm.set_label(&mut idle)?;
        asm.cmp(dword_ptr(rbx + session::OFF), 0)?;
        asm.jne(leave)?;
        self.now_to_rax()?;
        self.asm.cmp(rax, qword_ptr(rbx + session::NEXT_ATTEMPT))?;
        self.asm.jl(leave)?;
        self.add_to_rax(RETRY)?;
        self.asm.mov(qword_ptr(rbx + session::NEXT_ATTEMPT), rax)?;
        self.run(self.parts.connect)?;
        self.asm.test(eax, eax)?;
        self.asm.je(leave)?;
        self.now_to_rax()?;
        self.add_to_rax(REPLY_WAIT)?;
        self.asm.mov(qword_ptr(rbx + session::DEADLINE), rax)?;
        self.next_tick(SHORT_TICK)?;
        self.asm.jmp(leave)?;

        self.asm.set_label(&mut waiting)?;
        self.tick_waiting(leave)?;
        self.asm.set_label(&mut attached)?;
        self.tick_attached(leave)?;
        self.asm.set_label(&mut leaving)?;
        self.tick_leaving(leave)?;
        self.asm.jmp(idle)?;

        self.asm.set_label(&mut leave)?;
        for (index, register) in SAVED.into_iter().enumerate() {
            self.asm.mov(register, qword_ptr(at(session_va + session::SAVED + 8 * index as u64)))?;
        }
        self.asm.jmp(go_on)
    }

    /// RAX = the tick's `now`.
    fn now_to_rax(&mut self) -> Result<(), IcedError> {
        self.asm.mov(rax, qword_ptr(rbx + session::SAVED))
    }

    fn next_tick(&mut self, nanoseconds: u64) -> Result<(), IcedError> {
        self.now_to_rax()?;
        self.add_to_rax(nanoseconds)?;
        self.asm.mov(qword_ptr(rbx + session::NEXT_TICK), rax)
    }

    fn tick_waiting(&mut self, leave: CodeLabel) -> Result<(), IcedError> {
        let mut attached = self.asm.create_label();
        self.run(self.parts.take_reply)?;
        self.asm.cmp(eax, taken::ATTACHED)?;
        self.asm.je(attached)?;
        self.asm.cmp(eax, taken::FAILED)?;
        self.asm.je(leave)?;
        self.next_tick(SHORT_TICK)?;
        self.now_to_rax()?;
        self.asm.cmp(rax, qword_ptr(rbx + session::DEADLINE))?;
        self.asm.jl(leave)?;
        self.asm.mov(eax, dword_ptr(rbx + session::SOCKET))?;
        self.close(eax)?;
        self.set_phase(Phase::Idle)?;
        self.asm.jmp(leave)?;
        self.asm.set_label(&mut attached)?;
        self.now_to_rax()?;
        self.asm.mov(qword_ptr(rbx + session::HEARTBEAT_AT), rax)?;
        self.asm.jmp(leave)
    }

    fn tick_attached(&mut self, leave: CodeLabel) -> Result<(), IcedError> {
        let switches_va = self.arena.switches();
        let mut same = self.asm.create_label();
        let mut alive = self.asm.create_label();
        let mut enough_rings = self.asm.create_label();
        let mut detach = self.asm.create_label();
        let mut no_membarrier = self.asm.create_label();

        self.asm.mov(rdx, qword_ptr(rbx + session::CONTROL))?;
        self.asm.mov(rax, qword_ptr(rdx + control::HEARTBEAT))?;
        self.asm.cmp(rax, qword_ptr(rbx + session::HEARTBEAT))?;
        self.asm.je(same)?;
        self.asm.mov(qword_ptr(rbx + session::HEARTBEAT), rax)?;
        self.now_to_rax()?;
        self.asm.mov(qword_ptr(rbx + session::HEARTBEAT_AT), rax)?;
        self.asm.jmp(alive)?;
        self.asm.set_label(&mut same)?;
        self.now_to_rax()?;
        self.asm.sub(rax, qword_ptr(rbx + session::HEARTBEAT_AT))?;
        self.asm.mov(rcx, STALE)?;
        self.asm.cmp(rax, rcx)?;
        self.asm.jg(detach)?;
        self.asm.set_label(&mut alive)?;
        let asm = &mut *self.asm;
        asm.test(dword_ptr(rdx + control::FLAGS), control::FLAG_DETACH)?;
        asm.jne(detach)?;
        // A P without a ring was seen: leave, and ask for more, for as many again as it takes.
        asm.mov(eax, dword_ptr(rbx + session::RINGS_MISSED))?;
        asm.cmp(eax, dword_ptr(rbx + session::RINGS_WANTED))?;
        asm.jbe(enough_rings)?;
        asm.add(eax, eax)?;
        asm.mov(dword_ptr(rbx + session::RINGS_WANTED), eax)?;
        asm.cmp(dword_ptr(rbx + session::RINGS), MAX_RINGS)?;
        asm.jb(detach)?;
        asm.set_label(&mut enough_rings)?;
        self.clear_table()?;
        let asm = &mut *self.asm;
        asm.mov(rdx, qword_ptr(rbx + session::CONTROL))?;
        asm.mov(eax, dword_ptr(rdx + control::ENABLE_GENERATION))?;
        asm.cmp(eax, dword_ptr(rbx + session::ENABLE_GENERATION))?;
        asm.je(leave)?;
        self.run(self.parts.copy_enables)?;
        self.asm.jmp(leave)?;

        self.asm.set_label(&mut detach)?;
        let asm = &mut *self.asm;
        asm.lea(rdi, at(switches_va + switches::ENABLE))?;
        asm.mov(ecx, self.arena.functions() as u32)?;
        asm.xor(eax, eax)?;
        asm.rep().stosb()?;
        asm.mov(dword_ptr(at(switches_va + switches::ATTACHED)), 0)?;
        asm.cmp(dword_ptr(rbx + session::MEMBARRIER), 0)?;
        asm.je(no_membarrier)?;
        self.membarrier()?;
        self.asm.set_label(&mut no_membarrier)?;
        self.set_phase(Phase::Leaving)?;
        self.next_tick(SHORT_TICK)?;
        self.asm.jmp(leave)
    }

    /// Makes void what entries have kept so far. Uses RAX.
    fn next_epoch(&mut self) -> Result<(), IcedError> {
        self.asm.mov(rax, 1u64 << table::FUNCTION_BITS)?;
        self.asm.add(qword_ptr(at(self.arena.switches() + switches::EPOCH)), rax)
    }

    /// Clears the words table if it is crowded, as far as thunks are out of the way. Uses all but RBX.
    fn clear_table(&mut self) -> Result<(), IcedError> {
        if !self.arena.has_table() {
            return Ok(());
        }
        let mut look = self.asm.create_label();
        let mut next_slot = self.asm.create_label();
        let mut next_place = self.asm.create_label();
        let mut skip = self.asm.create_label();
        let mut slots_idle = self.asm.create_label();
        let mut not_yet = self.asm.create_label();
        let mut done = self.asm.create_label();

        let asm = &mut *self.asm;
        asm.cmp(dword_ptr(rbx + session::SEEN_IDLE), 0)?;
        asm.jne(look)?;
        asm.cmp(dword_ptr(rbx + session::CROWDED), 0)?;
        asm.je(done)?;
        asm.cmp(dword_ptr(rbx + session::MEMBARRIER), 0)?;
        asm.je(done)?;
        asm.mov(dword_ptr(rbx + session::SEEN_IDLE), 1)?;
        self.next_epoch()?;
        self.membarrier()?;

        // Each slot need be seen idle once.
        let asm = &mut *self.asm;
        asm.set_label(&mut look)?;
        asm.mov(ecx, dword_ptr(rbx + session::SEEN_IDLE))?;
        asm.lea(eax, ptr(rcx - 1))?;
        asm.shl(eax, SLOT_SHIFT)?;
        asm.lea(rbp, at(self.arena.slots()))?;
        asm.add(rbp, rax)?;
        asm.set_label(&mut next_slot)?;
        asm.cmp(ecx, dword_ptr(rbx + session::RINGS))?;
        asm.ja(slots_idle)?;
        asm.cmp(byte_ptr(rbp + slot::BUSY), 0)?;
        asm.jne(not_yet)?;
        asm.add(rbp, SLOT_BYTES as i32)?;
        asm.inc(ecx)?;
        asm.jmp(next_slot)?;

        asm.set_label(&mut not_yet)?;
        asm.mov(dword_ptr(rbx + session::SEEN_IDLE), ecx)?;
        self.next_tick(SHORT_TICK)?;
        self.asm.jmp(done)?;

        let asm = &mut *self.asm;
        asm.set_label(&mut slots_idle)?;
        asm.cmp(dword_ptr(rbx + session::RINGLESS), 0)?;
        asm.jne(not_yet)?;
        // Whoever finds no place from now on asks anew.
        asm.mov(dword_ptr(rbx + session::CROWDED), 0)?;
        asm.mov(dword_ptr(rbx + session::SEEN_IDLE), 0)?;
        asm.mov(edx, dword_ptr(at(self.arena.switches() + switches::EPOCH + 4)))?;
        asm.lea(rbp, at(self.arena.table()))?;
        asm.mov(ecx, (table::ENTRIES + table::PROBES) as u32)?;
        asm.set_label(&mut next_place)?;
        asm.cmp(qword_ptr(rbp + table::KEY), table::CLAIMED)?;
        asm.jbe(skip)?;
        asm.cmp(dword_ptr(rbp + table::OWNER + 4), edx)?;
        asm.je(skip)?;
        asm.mov(qword_ptr(rbp + table::KEY), table::FREE as i32)?;
        asm.set_label(&mut skip)?;
        asm.add(rbp, table::ENTRY_BYTES as i32)?;
        asm.dec(ecx)?;
        asm.jne(next_place)?;
        asm.set_label(&mut done)?;
        asm.zero_bytes()
    }

    /// A full barrier in every thread of the process that runs.
    fn membarrier(&mut self) -> Result<(), IcedError> {
        self.asm.mov(edi, MEMBARRIER_PRIVATE_EXPEDITED)?;
        self.asm.xor(esi, esi)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::MEMBARRIER)
    }

    /// Goes to `leave` while a thunk is still busy; else counts what was lost, unmaps, and falls through, idle.
    fn tick_leaving(&mut self, leave: CodeLabel) -> Result<(), IcedError> {
        let mut next_slot = self.asm.create_label();
        let mut next_ring = self.asm.create_label();
        let mut next_record = self.asm.create_label();
        let mut ring_done = self.asm.create_label();
        let mut keep_mapped = self.asm.create_label();
        let mut idle = self.asm.create_label();

        self.next_tick(SHORT_TICK)?;
        let asm = &mut *self.asm;
        asm.lea(rbp, at(self.arena.slots()))?;
        asm.mov(ecx, dword_ptr(rbx + session::RINGS))?;
        asm.set_label(&mut next_slot)?;
        asm.cmp(byte_ptr(rbp + slot::BUSY), 0)?;
        asm.jne(leave)?;
        asm.add(rbp, SLOT_BYTES as i32)?;
        asm.dec(ecx)?;
        asm.jne(next_slot)?;

        // What was published and never consumed is lost: R8 walks from the consumer's position to ours.
        asm.lea(rbp, at(self.arena.slots()))?;
        asm.mov(ecx, dword_ptr(rbx + session::RINGS))?;
        asm.set_label(&mut next_ring)?;
        asm.mov(rax, qword_ptr(rbp + slot::PRODUCER))?;
        asm.mov(rax, qword_ptr(rax + (ring::DROPPED - ring::PRODUCER_POS) as i32))?;
        asm.add(qword_ptr(rbx + session::LOST_RING_FULL), rax)?;
        asm.mov(rsi, qword_ptr(rbp + slot::CONSUMER))?;
        asm.mov(r8, qword_ptr(rsi))?;
        asm.mov(rdi, qword_ptr(rbp + slot::DATA))?;
        asm.set_label(&mut next_record)?;
        asm.cmp(r8, qword_ptr(rbp + slot::POSITION))?;
        asm.jae(ring_done)?;
        asm.mov(rax, r8)?;
        asm.and(rax, qword_ptr(rbp + slot::MASK))?;
        // Positions are multiples of eight, so the header lies within the data; each round moves on by eight or more.
        asm.and(rax, -8)?;
        asm.mov(eax, dword_ptr(rdi + rax))?;
        asm.and(eax, !(ring::BUSY | ring::DISCARD))?;
        asm.add(eax, ring::HEADER as i32 + 7)?;
        asm.and(eax, -8)?;
        asm.add(r8, rax)?;
        asm.inc(qword_ptr(rbx + session::LOST_UNCONSUMED))?;
        asm.jmp(next_record)?;
        asm.set_label(&mut ring_done)?;
        asm.add(rbp, SLOT_BYTES as i32)?;
        asm.dec(ecx)?;
        asm.jne(next_ring)?;

        asm.cmp(dword_ptr(rbx + session::MEMBARRIER), 0)?;
        asm.je(keep_mapped)?;
        self.run(self.parts.unmap)?;
        self.asm.jmp(idle)?;
        self.asm.set_label(&mut keep_mapped)?;
        self.asm.nop()?;
        self.asm.set_label(&mut idle)?;
        self.set_phase(Phase::Idle)
    }
}
