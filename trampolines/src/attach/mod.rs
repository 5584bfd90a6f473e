//! The code by which a patched process and gopatchd meet: the entry stub, the tick, and the steps they share.
//!
//! Decides: when a process connects, maps its rings, notices that gopatchd is gone, and leaves its rings.
//! Trusts: gopatchd's reply only after checking it. Never does: start a thread, install a signal handler, keep a
//! file descriptor, allocate, or wait in the tick.
//!
//! Here: the constants, the order of the parts, and what they share. `stub` and `tick` are the two ways in; `hello` and `rings` are
//! the routines that both run; `clear` and `bell` are parts of the tick; `sys` is the kernel's interface.
//!
//! Code here keeps to registers: RBX is the session, RBP the slots or a mapping, R13 to R15 work, R12 a link. There is
//! no stack use outside the stub's first lines. System call numbers: `arch/x86/entry/syscalls/syscall_64.tbl`.

#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;
use iced_x86::{IcedError, Instruction};

mod bell;
mod clear;
mod hello;
mod rings;
mod stub;
mod sys;
mod tick;

use crate::arena::{Arena, Phase, session};
use crate::asm::{EmitError, finish};
use gopatch_protocol::wire::{SOCKET_ENV, control};
use sys::MEMBARRIER_PRIVATE_EXPEDITED;

/// Longest wait for gopatchd's reply before the program starts. Later replies are taken by the tick.
pub const START_WAIT_MILLIS: i32 = 200;

const MILLI: u64 = 1_000_000;
const TICK: u64 = 100 * MILLI;
/// Between looks at something that is about to happen: a reply, a thunk's end.
const SHORT_TICK: u64 = 10 * MILLI;
/// While gopatchd sleeps.
const ALERT_TICK: u64 = control::ASLEEP_MILLIS * MILLI;
const RETRY: u64 = 500 * MILLI;
const REPLY_WAIT: u64 = 2000 * MILLI;
const STALE: u64 = control::STALE_MILLIS * MILLI;

/// Bytes of the manifest's id: the head of its SHA-256.
pub const MANIFEST_ID_BYTES: usize = 16;

/// Bytes of `sun_path`, the final zero included (`include/uapi/linux/un.h`).
pub const MAX_SOCKET_PATH: usize = 108;

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

    fn add_to_rax(&mut self, nanoseconds: u64) -> Result<(), IcedError> {
        self.asm.mov(rcx, nanoseconds)?;
        self.asm.add(rax, rcx)
    }

    /// A full barrier in every thread of the process that runs.
    fn membarrier(&mut self) -> Result<(), IcedError> {
        self.asm.mov(edi, MEMBARRIER_PRIVATE_EXPEDITED)?;
        self.asm.xor(esi, esi)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::MEMBARRIER)
    }
}
