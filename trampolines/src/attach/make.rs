//! A session of the process's own making, for a gopatchd that comes later.
//!
//! Decides: how many rings a process has that no gopatchd answers, and of what size.
//! Trusts: nothing. Never does: leave a descriptor open (A4), or make a file where a limit could
//! turn that into a signal.
//!
//! The stub makes the same files that gopatchd makes: a control page, and the rings. The
//! process maps them and closes their descriptors, and needs no system call for them any more. A
//! gopatchd that may look into the process (`/proc/PID/map_files`) finds them, begins to beat, and
//! the tick sees that. Nothing in the rings' memory is touched before, so they take none.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::sys::{self, F_ADD_SEALS, F_GET_SEALS, MFD_CLOEXEC_ALLOW_SEALING, RLIM_INFINITY, RLIMIT_FSIZE, SEALS};
use super::{Emitter, MANIFEST_ID_BYTES, MAX_SOCKET_PATH};
use crate::arena::{Phase, session, switches};
use crate::asm::at;
use gopatch_protocol::wire::{MAGIC, MAX_RINGS, PAGE, Reply, control, ring};

const _: () = assert!(control::ENABLE <= session::CPU_MASK_BYTES as usize, "the header fits where it is built");
const _: () = assert!(MAX_SOCKET_PATH <= control::SOCKET_BYTES, "the longest path fits into the page");

impl Emitter<'_> {
    /// Routine: makes and maps a session. EAX = 1 if there is one then, else 0. Uses all registers
    /// but RBX. No descriptor is open afterwards (A4).
    pub(super) fn make_session(&mut self) -> Result<(), IcedError> {
        let mut close_all = self.asm.create_label();
        let mut failed = self.asm.create_label();

        self.asm.mov(r15, r12)?;
        // `ftruncate` beyond RLIMIT_FSIZE sends SIGXFSZ.
        self.check_unlimited(RLIMIT_FSIZE, failed)?;
        self.choose_sizes()?;
        self.build_header()?;

        // R13D = files made, which are stored as if a reply had brought them.
        let asm = &mut *self.asm;
        asm.lea(rax, ptr(rbx + session::FDS))?;
        asm.mov(qword_ptr(rbx + session::FILES), rax)?;
        asm.xor(r13d, r13d)?;
        asm.mov(r14, qword_ptr(rbx + session::CONTROL_BYTES))?;
        self.make_file(self.constants.control_name, close_all)?;
        let asm = &mut *self.asm;
        asm.mov(edi, dword_ptr(rbx + session::FDS))?;
        asm.lea(rsi, ptr(rbx + session::CPU_MASK))?;
        asm.mov(edx, control::ENABLE as i32)?;
        asm.xor(r10d, r10d)?;
        self.syscall(sys::PWRITE64)?;
        let asm = &mut *self.asm;
        asm.cmp(rax, control::ENABLE as i32)?;
        asm.jne(close_all)?;
        asm.mov(r14, qword_ptr(rbx + session::RING_BYTES))?;
        asm.add(r14, ring::DATA as i32)?;
        asm.mov(eax, dword_ptr(rbx + session::LARGE_RINGS))?;
        asm.imul_2(r14, rax)?;
        self.make_file(self.constants.rings_name, close_all)?;
        let asm = &mut *self.asm;
        asm.mov(r14d, dword_ptr(rbx + session::RINGS))?;
        asm.sub(r14d, dword_ptr(rbx + session::LARGE_RINGS))?;
        asm.imul_3(r14, r14, ring::stride(ring::SPARE_BYTES) as i32)?;
        self.make_file(self.constants.spare_rings_name, close_all)?;

        // A6: the sizes and seals took effect. The check reads the sizes where a reply has them.
        let asm = &mut *self.asm;
        for (to, from) in [
            (Reply::RINGS, session::RINGS),
            (Reply::LARGE_RINGS, session::LARGE_RINGS),
            (Reply::RING_BYTES, session::RING_BYTES),
            (Reply::CONTROL_BYTES, session::CONTROL_BYTES),
        ] {
            asm.mov(eax, dword_ptr(rbx + from))?;
            asm.mov(dword_ptr(rbx + session::MESSAGE + to), eax)?;
        }
        self.check_files(close_all)?;
        self.run(self.parts.map_session)?;
        self.asm.mov(r14d, eax)?;
        self.close_files()?;
        self.asm.mov(eax, r14d)?;
        self.asm.test(eax, eax)?;
        self.asm.je(failed)?;
        // No heartbeat was ever seen, so the first tick finds a gopatchd that is dead.
        self.set_phase(Phase::Mapped)?;
        self.asm.mov(eax, 1)?;
        self.asm.jmp(r15)?;

        self.asm.set_label(&mut close_all)?;
        self.close_files()?;
        self.asm.set_label(&mut failed)?;
        self.asm.xor(eax, eax)?;
        self.asm.jmp(r15)
    }

    /// Goes to `limited` unless the process has no such limit, or if that cannot be known (A6). Uses
    /// RAX, RDX, RSI, RDI and R10.
    pub(super) fn check_unlimited(&mut self, limit: i32, limited: CodeLabel) -> Result<(), IcedError> {
        self.asm.xor(edi, edi)?;
        self.asm.mov(esi, limit)?;
        self.asm.xor(edx, edx)?;
        self.asm.lea(r10, ptr(rbx + session::STAT))?;
        self.asm.mov(qword_ptr(rbx + session::STAT), 0)?;
        self.syscall(sys::PRLIMIT64)?;
        self.asm.test(eax, eax)?;
        self.asm.jne(limited)?;
        self.asm.cmp(qword_ptr(rbx + session::STAT), RLIM_INFINITY)?;
        self.asm.jne(limited)
    }

    /// There is a session, and a gopatchd that has not answered in time: it takes the session when
    /// it reads the hello. So hooks write as if its heartbeat had just beaten: the first tick notes
    /// the time, and if none beats until [`super::STALE`] later, they become idle. Uses RAX, RCX
    /// and RDI.
    pub(super) fn begin_unanswered(&mut self) -> Result<(), IcedError> {
        let switches_va = self.arena.switches();
        // The page has no heartbeat yet: anything but 0.
        self.asm.mov(qword_ptr(rbx + session::HEARTBEAT), -1)?;
        // A7: slots, then ATTACHED, then the epoch, then the enable bytes. Those of the page are
        // gopatchd's to set.
        self.asm.mov(dword_ptr(at(switches_va + switches::ATTACHED)), 1)?;
        self.next_epoch()?;
        let asm = &mut *self.asm;
        asm.lea(rdi, at(switches_va + switches::ENABLE))?;
        asm.mov(ecx, self.arena.functions() as u32)?;
        asm.mov(eax, 1)?;
        asm.rep().stosb()?;
        // gopatchd, when it takes the session, enables every function too and counts that as the
        // first change: there is nothing to copy, so what an entry has kept stays valid.
        asm.mov(dword_ptr(rbx + session::ENABLE_GENERATION), 1)
    }

    /// The sizes of the session: `ring::count` and `ring::large` of the protocol. Uses RAX and RCX.
    fn choose_sizes(&mut self) -> Result<(), IcedError> {
        let mut not_few = self.asm.create_label();
        let mut not_many = self.asm.create_label();
        let mut not_all = self.asm.create_label();
        let mut few = self.asm.create_label();
        let control_bytes = (control::ENABLE as u64 + self.arena.functions()).next_multiple_of(PAGE as u64);
        let asm = &mut *self.asm;
        // At least one was wanted, and at most some millions (see `environment`).
        asm.mov(ecx, dword_ptr(rbx + session::RINGS_WANTED))?;
        asm.lea(eax, ptr(rcx + rcx))?;
        asm.cmp(eax, ring::FEWEST as i32)?;
        asm.jae(not_few)?;
        asm.mov(eax, ring::FEWEST)?;
        asm.set_label(&mut not_few)?;
        asm.cmp(eax, MAX_RINGS as i32)?;
        asm.jbe(not_many)?;
        asm.mov(eax, MAX_RINGS)?;
        asm.set_label(&mut not_many)?;
        asm.mov(dword_ptr(rbx + session::RINGS), eax)?;
        asm.cmp(ecx, MAX_RINGS as i32 - 1)?;
        asm.jbe(not_all)?;
        asm.mov(ecx, MAX_RINGS - 1)?;
        asm.set_label(&mut not_all)?;
        asm.mov(dword_ptr(rbx + session::LARGE_RINGS), ecx)?;
        asm.mov(eax, ring::OWN_BYTES)?;
        asm.cmp(ecx, ring::FEW as i32)?;
        asm.jbe(few)?;
        asm.mov(eax, ring::OWN_BYTES_OF_MANY)?;
        asm.set_label(&mut few)?;
        asm.mov(qword_ptr(rbx + session::RING_BYTES), rax)?;
        asm.mov(eax, control_bytes as u32)?;
        asm.mov(qword_ptr(rbx + session::CONTROL_BYTES), rax)
    }

    /// Builds the header of the control page where the CPU mask was. Uses RAX, RCX, RSI and RDI.
    fn build_header(&mut self) -> Result<(), IcedError> {
        let header = session::CPU_MASK;
        let asm = &mut *self.asm;
        asm.lea(rdi, ptr(rbx + header))?;
        asm.mov(ecx, control::ENABLE as u32)?;
        asm.xor(eax, eax)?;
        asm.rep().stosb()?;
        for (to, from) in [
            (control::RINGS, session::RINGS),
            (control::LARGE_RINGS, session::LARGE_RINGS),
            (control::RING_BYTES, session::RING_BYTES),
        ] {
            asm.mov(eax, dword_ptr(rbx + from))?;
            asm.mov(dword_ptr(rbx + header + to), eax)?;
        }
        for half in (0..MANIFEST_ID_BYTES).step_by(8) {
            asm.mov(rax, qword_ptr(at(self.constants.manifest_id + half as u64)))?;
            asm.mov(qword_ptr(rbx + header + (control::MANIFEST_ID + half)), rax)?;
        }
        // With its final zero, without the family's two bytes.
        asm.lea(rsi, ptr(rbx + session::ADDRESS + 2))?;
        asm.lea(rdi, ptr(rbx + header + control::SOCKET))?;
        asm.mov(ecx, dword_ptr(rbx + session::ADDRESS_BYTES))?;
        asm.sub(ecx, 2)?;
        asm.rep().movsb()?;
        asm.mov(rax, MAGIC)?;
        asm.mov(qword_ptr(rbx + header + control::MAGIC), rax)
    }

    /// Makes file R13 of R14 bytes that can no longer change its size; goes to `failed` if that
    /// fails. Uses RAX, RCX, RDX, RSI, RDI and R11, and counts the file in R13D once it is open.
    fn make_file(&mut self, name: u64, failed: CodeLabel) -> Result<(), IcedError> {
        let mut open = self.asm.create_label();
        self.asm.lea(rdi, at(name))?;
        self.asm.mov(esi, MFD_CLOEXEC_ALLOW_SEALING)?;
        self.syscall(sys::MEMFD_CREATE)?;
        self.asm.mov(dword_ptr(rbx + r13 * 4 + session::FDS), eax)?;
        self.asm.test(eax, eax)?;
        self.asm.js(failed)?;
        self.asm.jne(open)?;
        // A6: 0 is our file if the program was started without a standard input, or a kernel's answer
        // that means nothing. A new file alone has no seals.
        self.asm.xor(edi, edi)?;
        self.asm.mov(esi, F_GET_SEALS)?;
        self.asm.xor(edx, edx)?;
        self.syscall(sys::FCNTL)?;
        self.asm.test(eax, eax)?;
        self.asm.jne(failed)?;
        self.asm.set_label(&mut open)?;
        let asm = &mut *self.asm;
        asm.mov(edi, dword_ptr(rbx + r13 * 4 + session::FDS))?;
        asm.inc(r13d)?;
        asm.mov(rsi, r14)?;
        self.syscall(sys::FTRUNCATE)?;
        self.asm.test(eax, eax)?;
        self.asm.jne(failed)?;
        self.asm.mov(edi, dword_ptr(rbx + r13 * 4 + (session::FDS - 4)))?;
        self.asm.mov(esi, F_ADD_SEALS)?;
        self.asm.mov(edx, SEALS)?;
        self.syscall(sys::FCNTL)?;
        self.asm.test(eax, eax)?;
        self.asm.jne(failed)
    }
}
