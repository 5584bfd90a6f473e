//! The code by which a patched process attaches to gopatchd: the entry stub, the tick, and the
//! steps they share.
//!
//! Decides: when a process connects, maps its rings, notices that gopatchd is gone, and leaves its
//! rings.
//! Trusts: gopatchd's reply only after checking it. Never does: start a thread, install a signal
//! handler, keep a file descriptor, allocate, or wait in the tick.
//!
//! Here: the constants, the order of the parts, and what they share. `stub` and `tick` are the two
//! entry points; `hello` and `rings` are the routines that both run; `clear` and `bell` are parts
//! of the tick; `sys` is the kernel's interface.
//!
//! Registers: RBX is the session, RBP the slots or a mapping, R13 to R15 work, R12 the return
//! address of a routine. System call numbers: `arch/x86/entry/syscalls/syscall_64.tbl`.
//!
//! # Invariants
//!
//! Besides those of [`crate::thunk`] (I1 to I12), of which I4, I10 and I11 rely on this code:
//!
//! * **A1. One thread.** The stub runs before the program has a second thread, and the tick only on
//!   `sysmon`'s, of which a program has one. So the session needs no lock.
//! * **A2. Every register is given back.** The stub saves them on the kernel's initial stack, the
//!   tick in the session: it uses no stack, like a thunk (I2). R12, R13 and R15 are scratch at the
//!   tick's site (I1).
//! * **A3. Never wait.** No system call of the tick blocks. The stub waits once, for at most
//!   [`START_WAIT_MILLIS`].
//! * **A4. No descriptor stays open.** Each is closed on every path, except the socket while the
//!   process waits for the reply.
//! * **A5. Nothing in a reply is used unchecked**, except that gopatchd's files have the sizes that
//!   it states. No value read from a mapped ring or control page becomes part of an address without
//!   a mask.
//! * **A6. Every failure of a system call is handled**: it is tested, or it changes nothing that
//!   matters, as a comment there explains.
//! * **A7. Stores in order.** Attaching: slots, then `ATTACHED = 1`, then the epoch, then the
//!   enable bytes. Detaching: the enable bytes, then `ATTACHED = 0`, then `membarrier`, then the
//!   look at each `BUSY`. x86-64 keeps stores in order, so a thunk that sees an enable byte set
//!   sees all that was stored before it.
//! * **A8. Never fault.** What this code touches is the image (session, slots, switches, table,
//!   constants), the initial stack, or a mapping that it has made and not yet unmapped, of a file
//!   that gopatchd keeps from shrinking.

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

/// Longest wait for gopatchd's reply before the program starts (A3). The tick takes later replies.
pub const START_WAIT_MILLIS: i32 = 200;

const MILLI: u64 = 1_000_000;
const TICK: u64 = 100 * MILLI;
/// Between checks for something that is about to happen: a reply, the end of a thunk.
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

/// What the emitted code needs to know.
#[derive(Debug, Clone)]
pub struct AttachPlan<'a> {
    /// Path of gopatchd's socket; at most [`MAX_SOCKET_PATH`] less one byte.
    pub socket: &'a [u8],
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

/// One of the templates of this module.
type Template = fn(&mut Emitter<'_>) -> Result<(), IcedError>;

struct Constants {
    manifest_id: u64,
    socket: u64,
    executable: u64,
    socket_env: u64,
    gomaxprocs_env: u64,
}

/// Addresses of the routines emitted so far. Each is entered by a jump, with its return address in
/// R12.
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

    /// Closes a descriptor (A4). Linux frees it even if `close` fails (A6).
    fn close(&mut self, fd: AsmRegister32) -> Result<(), IcedError> {
        self.asm.mov(edi, fd)?;
        self.syscall(sys::CLOSE)
    }

    /// RAX += `nanoseconds`. Uses RCX.
    fn add_to_rax(&mut self, nanoseconds: u64) -> Result<(), IcedError> {
        self.asm.mov(rcx, nanoseconds)?;
        self.asm.add(rax, rcx)
    }

    /// A full barrier in every running thread of the process. Where it can be used it cannot fail:
    /// the stub registered for it (A6).
    fn membarrier(&mut self) -> Result<(), IcedError> {
        self.asm.mov(edi, MEMBARRIER_PRIVATE_EXPEDITED)?;
        self.asm.xor(esi, esi)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::MEMBARRIER)
    }
}
