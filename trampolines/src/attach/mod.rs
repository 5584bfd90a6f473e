//! The code by which a patched process and gopatchd meet: the entry stub, the tick, and the steps
//! they share.
//!
//! Decides: when a process connects, what it maps, and when its hooks write records.
//! Trusts: gopatchd's reply only after checking it. Never does: install a signal handler, allocate,
//! or wait in the tick.
//!
//! Here: the constants, the order of the parts, and what they share. `stub` and `tick` are the two
//! entry points; `probe` decides which calls the stub and the tick may make; `hello` and `reply` are
//! the exchange, `make` a session without one, `map` maps either; `search` is how a tick attaches; `clear` and `bell` are parts of the tick; `sys` is the
//! kernel's interface.
//!
//! Registers: RBX is the session, RBP the slots or a mapping, R13 to R15 work, R12 the return
//! address of a routine. System call numbers: `arch/x86/entry/syscalls/syscall_64.tbl`.
//!
//! # A session outlives gopatchd
//!
//! The stub ends with a *session* mapped: a control page and rings. gopatchd has granted it, or the
//! process has made it (`make`). From then on, what gopatchd does is seen in the control page: its
//! heartbeat beats, or stands still, or beats again. A gopatchd that begins later finds the session
//! by itself (`/proc/PID/map_files`, gopatchd's `attach::finder`) and reads on where the last one
//! stopped. So a process that has a session makes no system call to keep, lose or regain a
//! gopatchd.
//!
//! Only a gopatchd that may not look into the process needs the search, with a helper thread. It
//! is limited to processes whose mode is [`AttachMode::Late`], and to times when the heartbeat
//! stands still although a gopatchd lives (`search`).
//!
//! # Invariants
//!
//! Besides those of [`crate::thunk`] (I1 to I12), of which I4, I10 and I11 rely on this code:
//!
//! * **A1. One owner of the session.** The stub runs before the program has a second thread, and the
//!   tick only on `sysmon`'s, of which a program has one. While a helper runs (`search`), the
//!   session is the helper's: the tick only looks whether it has ended, and uses its own fields
//!   (`NEXT_TICK`, `SAVED`, `BLOCKED`, `OLD_MASK`). So the session needs no lock.
//! * **A2. Every register is given back.** The stub saves them on the kernel's initial stack, the
//!   tick in the session: it uses no stack, like a thunk (I2). R12, R13 and R15 are scratch at the
//!   tick's site (I1). A helper uses no stack either, and ends where it began.
//! * **A3. Never wait.** No system call of the tick blocks. The stub waits for at most
//!   [`START_WAIT_MILLIS`] and [`READ_WAIT_MILLIS`], and a helper for [`HELPER_WAIT_MILLIS`] on a thread of its own.
//! * **A4. No descriptor of the program's.** The stub closes each descriptor that it opened before
//!   the program's first instruction. A helper has a table of descriptors of its own, which ends
//!   with it, so no number of the program's is read, written, closed or taken, and the next
//!   descriptor that the program opens has the number that it has without us.
//! * **A5. Nothing in a reply is used unchecked**: not its length, its files' number, kinds and
//!   sizes, or that they can shrink. No value read from a mapped ring or control page becomes part
//!   of an address without a mask, or bounds a loop without a bound of ours.
//! * **A6. Every failure of a system call is handled**: it is tested, or it changes nothing that
//!   matters, as a comment there explains. An answer that the kernel never gives (0 for an address,
//!   success without effect) counts as a failure wherever it would do harm.
//! * **A7. Stores in order.** To let hooks write: slots, then `ATTACHED = 1`, then the epoch, then
//!   the enable bytes. To stop them: the enable bytes, then `ATTACHED = 0`, then after [`SETTLE`] the
//!   look at each `BUSY`. x86-64 keeps stores in order, so a thunk that sees an enable byte set sees
//!   all that was stored before it.
//! * **A8. Never fault.** What this code touches is the image (session, slots, switches, table,
//!   constants), the initial stack, or a mapping that it has made and not yet unmapped, of a file
//!   that cannot shrink.
//! * **A9. A store is seen after [`SETTLE`].** A processor empties its store buffer within
//!   microseconds while it runs, and at every interrupt (Intel's manual, volume 3, "Store Buffer").
//!   So what a thread has stored before it loaded an old value of ours is visible to the tick that
//!   long after it changed the value: no barrier in the other threads is needed, and no system call
//!   for one.
//! * **A10. Few calls.** While the heartbeat beats, the tick calls `futex` alone, as Go's runtime
//!   does. While it does not, a process that may not search makes no call at all, and one that may
//!   makes those of `search`: a bounded number until the next session or heartbeat.
//! * **A11. Mapped for good.** A session is unmapped only to map another in its place, and only
//!   after each `BUSY` was seen 0 (`tick`).
//! * **A12. No call that a filter kills for.** If the process was started under a filter of system
//!   calls, or that cannot be known, it makes no call but Go's own before a child has made it and
//!   lived (`probe`). A call that is added to this code belongs into the probe's child too.
//!
//! # What remains
//!
//! * A process with a limit of address space never attaches. One with a limit of file sizes makes no
//!   session; if gopatchd grants it none, only a search finds gopatchd.
//! * A locked address space (`mlockall`) includes the session: if the process has made it, 4 MiB a P
//!   (with more than 8 Ps 1 MiB) and 256 KiB for each spare ring.
//! * A filter that was installed before the program began kills it for the probe if it forbids
//!   `clone` without `CLONE_THREAD` but allows threads. That cannot be told beforehand, and such a
//!   filter is rarer than one that lists numbers. Threads of a program with cgo are made by a C
//!   library: if that is glibc, linked dynamically, of version 2.34 or later, by `clone3`, which the
//!   probe then calls too. Static glibc is taken for one that calls `clone`. [`AttachMode::Never`]
//!   makes no probe.
//! * A probe's child that is killed is noted in the kernel's log, and leaves a core file if there is
//!   no limit and the filter kills for `prlimit64` or `wait4`. Beside other children it stays a
//!   zombie if the filter kills for `wait4`; if it can be waited for, its time and memory count among
//!   those of the ended children (`getrusage`).
//! * Without other children, a SIGCHLD that was pending and blocked when the program was executed is
//!   lost, as nothing has a handler for it then. With a limit of tasks or without `/proc` the process
//!   stays unattached, as a filter's answer to `clone` says nothing.
//! * A helper is one thread that Go does not know, for at most [`HELPER_WAIT_MILLIS`] and what mapping
//!   takes. All its signals are blocked. It keeps the credentials that it began with. A limit of
//!   tasks counts it: Go ends a program that cannot start a thread because a helper has the last
//!   task.
//! * A helper's table begins as a copy of the program's and is emptied at once by `close_range`. So
//!   what the program closes in between is released only when that is done; each open file is
//!   flushed, which a file system in user space sees, and which waits as long as it hangs; and a
//!   notification of a message queue (`mq_notify`) is lost. Where the kernel has no `close_range`
//!   (before Linux 5.9) all that lasts until the helper ends.
//! * A filter that kills on a call of `search` kills a process that searches. gopatch finds programs
//!   that can install one and gives them [`AttachMode::Start`], after which nothing is searched for.
//! * `newfstatat` of a path on a file system that hangs holds up `sysmon`.
//! * A file whose mode has no type and that the kernel maps is taken for a BPF map.

#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;
use iced_x86::{IcedError, Instruction};

mod bell;
mod clear;
mod hello;
mod make;
mod map;
mod probe;
mod reply;
mod search;
mod stub;
mod sys;
mod tick;

pub use crate::arena::AttachMode;
use crate::arena::{Arena, Phase, session};
use crate::asm::{EmitError, finish};
use gopatch_protocol::wire::{ATTACH_ENV, CONTROL_NAME, RINGS_NAME, SOCKET_ENV, SPARE_RINGS_NAME, control};

/// Longest wait for gopatchd's reply before the program starts (A3), unless gopatchd has read the
/// hello by then: one that is stopped does not read. On a machine with eight ready threads a
/// processor, 19 of 20 replies come within 8 ms (memfd) or 16 ms (bpf). If one comes later, the
/// process has made its session, and a gopatchd that may look at the process takes that.
pub const START_WAIT_MILLIS: i32 = 20;

/// Longest wait after that for a gopatchd that has read the hello.
pub const READ_WAIT_MILLIS: i32 = 180;

/// Longest wait for it in a helper, which holds nothing up.
pub const HELPER_WAIT_MILLIS: i32 = 1_000;

/// Most attempts to attach since the start or the last session: the first ten minutes' and then one
/// a minute for more than 16 hours.
pub const MAX_ATTEMPTS: u32 = 1_000;

/// Most looks for the end of the probe's child: about a second.
const MAX_LOOKS: u32 = 100_000;

/// What precedes the mode of filtering in `/proc/self/status`.
const SECCOMP: &[u8] = b"\nSeccomp:\t";

const MILLI: u64 = 1_000_000;
const TICK: u64 = 100 * MILLI;
/// Between checks for something that is about to happen: the end of a helper or of a thunk.
const SHORT_TICK: u64 = 10 * MILLI;
/// While gopatchd sleeps.
const ALERT_TICK: u64 = control::ASLEEP_MILLIS * MILLI;
/// From the first attempt of a search to the second; each further distance is twice the last.
const RETRY: u64 = 500 * MILLI;
/// From the first look at a changed socket to the attempt: until then, a gopatchd that may look into
/// this process has found it by itself.
const GRACE: u64 = 3_000 * MILLI;
/// The greatest distance.
const MAX_DISTANCE: u64 = 60_000 * MILLI;
/// See A9.
const SETTLE: u64 = 20 * MILLI;
const STALE: u64 = control::STALE_MILLIS * MILLI;

/// Bytes of the manifest's id: the head of its SHA-256.
pub const MANIFEST_ID_BYTES: usize = 16;

/// Bytes of `sun_path`, the final zero included (`include/uapi/linux/un.h`).
pub const MAX_SOCKET_PATH: usize = 108;

/// What the emitted code needs to know.
#[derive(Debug, Clone)]
pub struct AttachPlan<'a> {
    /// Path of gopatchd's socket; at most [`MAX_SOCKET_PATH`] less one byte.
    pub socket: &'a [u8],
    /// When the process may look for gopatchd, unless its environment says otherwise.
    pub mode: AttachMode,
    /// Whether the program's own threads are started by `clone3`.
    pub clone3: bool,
    /// The original entry point.
    pub entry: u64,
    /// Instructions that the tick's site displaced.
    pub tick_after: &'a [Instruction],
    /// Where the program resumes after the tick.
    pub tick_resume: u64,
}

/// The emitted code and its two entry points.
#[derive(Debug, Clone)]
pub struct AttachCode {
    /// The bytes, for the address that was given to [`emit`].
    pub bytes: Vec<u8>,
    /// Address of the entry stub: the file's new entry point.
    pub stub: u64,
    /// Address of the tick's thunk.
    pub tick: u64,
    /// Offset in `bytes` of the manifest's id. The caller fills it in: the manifest describes this
    /// code, so its id comes last.
    pub id_offset: usize,
}

/// Emits the attach code for address `va`.
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
        attach_env: constant(format!("{ATTACH_ENV}=").as_bytes()),
        attach_words: AttachMode::ALL.map(|mode| constant(mode.word().as_bytes())),
        gomaxprocs_env: constant(b"GOMAXPROCS="),
        control_name: constant(CONTROL_NAME.as_bytes()),
        rings_name: constant(RINGS_NAME.as_bytes()),
        spare_rings_name: constant(SPARE_RINGS_NAME.as_bytes()),
        all_signals: constant(&[0xFF; 8]),
        status: constant(b"/proc/self/status"),
        children: constant(b"/proc/thread-self/children"),
        seccomp: constant(SECCOMP),
        // The handler, and no flags, restorer and mask.
        ignored: constant(&std::array::from_fn::<u8, 32, _>(|index| u8::from(index == 0))),
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
    parts.map_session = emit_part(|emitter| emitter.map_session(), parts)?;
    parts.make_session = emit_part(|emitter| emitter.make_session(), parts)?;
    parts.take_reply = emit_part(|emitter| emitter.take_reply(), parts)?;
    let stub = emit_part(|emitter| emitter.stub(), parts)?;
    let tick = emit_part(|emitter| emitter.tick(), parts)?;
    Ok(AttachCode { bytes, stub, tick, id_offset })
}

/// One of the templates of this module.
type Template = fn(&mut Emitter<'_>) -> Result<(), IcedError>;

struct Constants {
    manifest_id: u64,
    socket: u64,
    executable: u64,
    socket_env: u64,
    attach_env: u64,
    /// In the order of [`AttachMode::ALL`].
    attach_words: [u64; 3],
    gomaxprocs_env: u64,
    control_name: u64,
    rings_name: u64,
    spare_rings_name: u64,
    /// A signal set.
    all_signals: u64,
    status: u64,
    children: u64,
    seccomp: u64,
    /// A `struct sigaction` with SIG_IGN.
    ignored: u64,
}

/// Addresses of the routines emitted so far. Each is entered by a jump, with its return address in
/// R12.
#[derive(Default, Clone, Copy)]
struct Parts {
    connect: u64,
    unmap: u64,
    copy_enables: u64,
    map_session: u64,
    make_session: u64,
    take_reply: u64,
}

struct Emitter<'a> {
    asm: &'a mut CodeAssembler,
    plan: &'a AttachPlan<'a>,
    arena: &'a Arena,
    constants: &'a Constants,
    parts: Parts,
}

/// The general registers that the tick saves, in the order of their places (A2).
const SAVED: [AsmRegister64; 12] = [rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r14];

impl Emitter<'_> {
    /// A system call. Uses RAX, and the kernel RCX and R11.
    fn syscall(&mut self, number: u32) -> Result<(), IcedError> {
        self.asm.mov(eax, number)?;
        self.asm.syscall()
    }

    /// Runs a routine: jumps to it with the return address in R12.
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

    /// Closes a descriptor. Linux frees it even if `close` fails (A6).
    fn close(&mut self, fd: AsmRegister32) -> Result<(), IcedError> {
        self.asm.mov(edi, fd)?;
        self.syscall(sys::CLOSE)
    }

    /// RAX += `nanoseconds`. Uses RCX.
    fn add_to_rax(&mut self, nanoseconds: u64) -> Result<(), IcedError> {
        self.asm.mov(rcx, nanoseconds)?;
        self.asm.add(rax, rcx)
    }
}
