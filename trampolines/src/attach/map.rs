//! Mapping a control page and rings, and unmapping them.
//!
//! Decides: where rings lie in memory, and what a slot begins with.
//! Trusts: that the files were checked, or made here: they have the size that the session states,
//! and cannot shrink (A5). Never does: map over anything but its own reservation.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::Emitter;
use super::sys::{
    self, GRND_NONBLOCK, MADV_DONTDUMP, MADV_DONTFORK, MAP_FIXED, MAP_RESERVE, MAP_SHARED, MAP_SHARED_POPULATE,
    PROT_NONE, PROT_READ, PROT_READ_WRITE,
};
use crate::arena::{SLOT_SHIFT, session, slot, switches};
use crate::asm::{GOLDEN, at};
use gopatch_protocol::wire::{PAGE, control, ring};

impl Emitter<'_> {
    /// Routine: maps the session whose sizes are stored, from the R13D files at `FILES`. EAX = 1 if
    /// all is mapped then, else 0 and nothing is. Uses all registers but RBX, R13 and R15.
    pub(super) fn map_session(&mut self) -> Result<(), IcedError> {
        let mut map_next = self.asm.create_label();
        let mut unmap_all = self.asm.create_label();
        let mut unmap_control = self.asm.create_label();
        let mut failed = self.asm.create_label();

        self.asm.mov(qword_ptr(rbx + session::BACK), r12)?;
        let asm = &mut *self.asm;
        asm.xor(edi, edi)?;
        asm.mov(rsi, qword_ptr(rbx + session::CONTROL_BYTES))?;
        asm.mov(rax, qword_ptr(rbx + session::FILES))?;
        asm.mov(r8d, dword_ptr(rax))?;
        asm.xor(r9d, r9d)?;
        self.mmap(PROT_READ, MAP_SHARED_POPULATE)?;
        self.fail_if_error(failed)?;
        self.asm.mov(qword_ptr(rbx + session::CONTROL), rax)?;
        self.asm.mov(rdi, rax)?;
        self.asm.mov(rsi, qword_ptr(rbx + session::CONTROL_BYTES))?;
        self.keep_private()?;

        // Reserve room first, so that MAP_FIXED below can replace nothing else. RBP = where ring R14
        // begins.
        let asm = &mut *self.asm;
        asm.xor(edi, edi)?;
        asm.mov(rsi, qword_ptr(rbx + session::RING_BYTES))?;
        asm.lea(rsi, ptr(rsi * 2 + ring::DATA as i32))?;
        asm.mov(eax, dword_ptr(rbx + session::LARGE_RINGS))?;
        asm.imul_2(rsi, rax)?;
        asm.mov(ecx, dword_ptr(rbx + session::RINGS))?;
        asm.sub(ecx, eax)?;
        asm.imul_3(rcx, rcx, ring::DATA as i32 + 2 * ring::SPARE_BYTES as i32)?;
        asm.add(rsi, rcx)?;
        asm.mov(qword_ptr(rbx + session::RINGS_SPAN), rsi)?;
        asm.mov(r8d, -1)?;
        asm.xor(r9d, r9d)?;
        self.mmap(PROT_NONE, MAP_RESERVE)?;
        self.fail_if_error(unmap_control)?;
        self.asm.mov(qword_ptr(rbx + session::RINGS_BASE), rax)?;
        self.asm.mov(dword_ptr(rbx + session::MAPPED), 1)?;
        self.asm.mov(rbp, rax)?;
        self.asm.xor(r14d, r14d)?;
        self.asm.set_label(&mut map_next)?;
        self.map_ring(unmap_all)?;
        self.asm.inc(r14d)?;
        self.asm.cmp(r14d, dword_ptr(rbx + session::RINGS))?;
        self.asm.jb(map_next)?;
        self.asm.mov(rdi, qword_ptr(rbx + session::RINGS_BASE))?;
        self.asm.mov(rsi, qword_ptr(rbx + session::RINGS_SPAN))?;
        self.keep_private()?;
        self.asm.mov(eax, dword_ptr(rbx + session::RINGS))?;
        self.asm.mov(dword_ptr(at(self.arena.switches() + switches::RINGS)), eax)?;
        self.asm.mov(eax, 1)?;
        self.asm.jmp(qword_ptr(rbx + session::BACK))?;

        self.asm.set_label(&mut unmap_all)?;
        self.run(self.parts.unmap)?;
        self.asm.jmp(failed)?;
        self.asm.set_label(&mut unmap_control)?;
        self.asm.mov(rdi, qword_ptr(rbx + session::CONTROL))?;
        self.asm.mov(rsi, qword_ptr(rbx + session::CONTROL_BYTES))?;
        self.syscall(sys::MUNMAP)?;
        self.asm.set_label(&mut failed)?;
        self.asm.xor(eax, eax)?;
        self.asm.jmp(qword_ptr(rbx + session::BACK))
    }

    /// Maps ring R14 at RBP, its data twice in a row (I7), sets up its slot, and moves RBP past it.
    /// Uses RAX, RCX, RDX, RSI, RDI and R8 to R11.
    fn map_ring(&mut self, failed: CodeLabel) -> Result<(), IcedError> {
        let page = PAGE as i32;
        self.asm.mov(rdi, rbp)?;
        self.asm.mov(esi, page)?;
        self.ring_part(ring::CONSUMER_POS as i32)?;
        // Not populated, none of it: memory that no record reaches costs nothing. The first record
        // on a page waits for a page fault.
        self.mmap_fixed(PROT_READ, MAP_SHARED, failed)?;

        self.ring_bytes()?;
        self.asm.lea(rdi, ptr(rbp + page))?;
        self.asm.lea(rsi, ptr(rdx + page))?;
        self.ring_part(ring::PRODUCER_POS as i32)?;
        self.mmap_fixed(PROT_READ_WRITE, MAP_SHARED, failed)?;

        self.ring_bytes()?;
        self.asm.lea(rdi, ptr(rbp + rdx + ring::DATA as i32))?;
        self.asm.mov(rsi, rdx)?;
        self.ring_part(ring::DATA as i32)?;
        self.mmap_fixed(PROT_READ_WRITE, MAP_SHARED, failed)?;

        // RCX = slot. Its thunks do not use it before ATTACHED is 1 (A7). A new ring's positions
        // are 0; whatever a peer has written there, no address depends on it.
        let asm = &mut *self.asm;
        asm.mov(ecx, r14d)?;
        asm.shl(ecx, SLOT_SHIFT)?;
        asm.lea(rax, at(self.arena.slots()))?;
        asm.add(rcx, rax)?;
        asm.mov(qword_ptr(rcx + slot::CONSUMER), rbp)?;
        asm.lea(rax, ptr(rbp + page))?;
        asm.mov(qword_ptr(rcx + slot::PRODUCER), rax)?;
        asm.add(rax, page)?;
        asm.mov(qword_ptr(rcx + slot::DATA), rax)?;
        self.ring_bytes()?;
        let asm = &mut *self.asm;
        asm.lea(rbp, ptr(rbp + rdx * 2 + ring::DATA as i32))?;
        asm.mov(qword_ptr(rcx + slot::LIMIT), rdx)?;
        asm.dec(rdx)?;
        asm.mov(qword_ptr(rcx + slot::MASK), rdx)?;
        asm.xor(eax, eax)?;
        asm.mov(qword_ptr(rcx + slot::POSITION), rax)?;
        // Start each P's random numbers at a different place: time and slot, spread by a
        // multiplication with 2^64 / phi.
        asm.rdtsc()?;
        asm.shl(rdx, 32)?;
        asm.or(rax, rdx)?;
        asm.add(rax, rcx)?;
        asm.mov(rdx, GOLDEN)?;
        asm.imul_2(rax, rdx)?;
        asm.mov(qword_ptr(rcx + slot::RANDOM), rax)?;
        if self.arena.has_contexts() {
            self.seed_ids()?;
        }
        Ok(())
    }

    /// Starts the generator of the ids of the P whose slot is in RCX, with RAX unless the kernel has
    /// random numbers. If the call fails, they are those of the time, as `RANDOM` is (A6). Uses RAX,
    /// RCX, RDX, RSI, RDI and R11.
    fn seed_ids(&mut self) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.mov(qword_ptr(rcx + slot::ID_STATE), rax)?;
        asm.not(rax)?;
        asm.mov(qword_ptr(rcx + slot::ID_KEY), rax)?;
        asm.lea(rdi, ptr(rcx + slot::ID_STATE))?;
        asm.mov(esi, 16)?;
        asm.mov(edx, GRND_NONBLOCK)?;
        self.syscall(sys::GETRANDOM)
    }

    /// RDX = data bytes of ring R14.
    fn ring_bytes(&mut self) -> Result<(), IcedError> {
        let mut large = self.asm.create_label();
        self.asm.mov(rdx, qword_ptr(rbx + session::RING_BYTES))?;
        self.asm.cmp(r14d, dword_ptr(rbx + session::LARGE_RINGS))?;
        self.asm.jb(large)?;
        self.asm.mov(edx, ring::SPARE_BYTES)?;
        self.asm.set_label(&mut large)?;
        self.asm.zero_bytes()
    }

    /// R8D, R9 = file and offset of a part of ring R14. The last of the R13D files has the spare
    /// rings. If there are three files, the second has all large ones, else each has its own. Uses
    /// RAX, RCX, RDX and R10.
    fn ring_part(&mut self, offset: i32) -> Result<(), IcedError> {
        let mut in_one = self.asm.create_label();
        let mut spare = self.asm.create_label();
        let mut done = self.asm.create_label();
        self.ring_bytes()?;
        let asm = &mut *self.asm;
        asm.mov(rax, qword_ptr(rbx + session::FILES))?;
        asm.mov(r9d, offset)?;
        asm.mov(r10d, r14d)?;
        asm.mov(ecx, dword_ptr(rbx + session::LARGE_RINGS))?;
        asm.cmp(r14d, ecx)?;
        asm.jae(spare)?;
        asm.mov(r8d, dword_ptr(rax + 4))?;
        asm.cmp(r13d, 3)?;
        asm.je(in_one)?;
        asm.mov(r8d, dword_ptr(rax + r14 * 4 + 4))?;
        asm.jmp(done)?;
        asm.set_label(&mut spare)?;
        asm.sub(r10d, ecx)?;
        asm.mov(r8d, dword_ptr(rax + r13 * 4 - 4))?;
        // It is number R10 in its file.
        asm.set_label(&mut in_one)?;
        asm.add(rdx, ring::DATA as i32)?;
        asm.imul_2(r10, rdx)?;
        asm.add(r9, r10)?;
        asm.set_label(&mut done)?;
        asm.zero_bytes()
    }

    /// Routine: unmaps the control page and all rings of the session. No thunk uses them any more
    /// (I4). If a call fails, something stays mapped that nothing uses (A6). Uses neither RBP nor
    /// R13 to R15.
    pub(super) fn unmap(&mut self) -> Result<(), IcedError> {
        self.asm.mov(dword_ptr(rbx + session::MAPPED), 0)?;
        for (address, bytes) in [(session::CONTROL, session::CONTROL_BYTES), (session::RINGS_BASE, session::RINGS_SPAN)]
        {
            self.asm.mov(rdi, qword_ptr(rbx + address))?;
            self.asm.mov(rsi, qword_ptr(rbx + bytes))?;
            self.syscall(sys::MUNMAP)?;
        }
        self.asm.jmp(r12)
    }

    /// Closes the R13D files at `FILES`. Uses RAX, RCX, RDI, R11 and R13.
    pub(super) fn close_files(&mut self) -> Result<(), IcedError> {
        let mut next = self.asm.create_label();
        let mut done = self.asm.create_label();
        self.asm.zero_bytes()?;
        self.asm.set_label(&mut next)?;
        self.asm.test(r13d, r13d)?;
        self.asm.je(done)?;
        self.asm.dec(r13d)?;
        self.asm.mov(rax, qword_ptr(rbx + session::FILES))?;
        self.asm.mov(eax, dword_ptr(rax + r13 * 4))?;
        self.close(eax)?;
        self.asm.jmp(next)?;
        self.asm.set_label(&mut done)?;
        self.asm.zero_bytes()
    }

    /// Keeps RSI bytes at RDI out of forked children and core files. If a call fails, a child has
    /// mappings that it does not use, or a core file is larger (A6). Uses RDX.
    fn keep_private(&mut self) -> Result<(), IcedError> {
        self.madvise(MADV_DONTFORK)?;
        self.madvise(MADV_DONTDUMP)
    }

    /// `madvise` of RSI bytes at RDI. Uses RDX.
    pub(super) fn madvise(&mut self, advice: i32) -> Result<(), IcedError> {
        self.asm.mov(edx, advice)?;
        self.syscall(sys::MADVISE)
    }

    /// `mmap` with address RDI, length RSI, file R8D, offset R9; RAX = address or a negative error.
    /// Uses RDX and R10.
    fn mmap(&mut self, protection: i32, flags: i32) -> Result<(), IcedError> {
        self.asm.mov(edx, protection)?;
        self.asm.mov(r10d, flags)?;
        self.syscall(sys::MMAP)
    }

    /// `mmap` at the address in RDI, over a part of our reservation; goes to `failed` unless it is
    /// mapped there (A6).
    fn mmap_fixed(&mut self, protection: i32, flags: i32, failed: CodeLabel) -> Result<(), IcedError> {
        self.mmap(protection, flags | MAP_FIXED)?;
        self.asm.cmp(rax, rdi)?;
        self.asm.jne(failed)
    }

    /// Goes to `failed` unless RAX is an address that `mmap` can have chosen (A6). Uses RCX.
    fn fail_if_error(&mut self, failed: CodeLabel) -> Result<(), IcedError> {
        // The kernel's errors are -4095 to -1. No mapping lies there, nor in the first page.
        let page = PAGE as i32;
        self.asm.lea(rcx, ptr(rax - page))?;
        self.asm.cmp(rcx, -2 * page)?;
        self.asm.ja(failed)
    }

    /// Routine: copies the enable bytes from the control page, and notes their generation.
    ///
    /// The words of a function that was disabled in between may be those of an earlier call, so
    /// they become void before any byte is 1 (A7, I11). The page has a byte for each function (A5).
    pub(super) fn copy_enables(&mut self) -> Result<(), IcedError> {
        self.next_epoch()?;
        let asm = &mut *self.asm;
        asm.mov(rsi, qword_ptr(rbx + session::CONTROL))?;
        // The generation first: a change that comes in between is copied at the next tick.
        asm.mov(eax, dword_ptr(rsi + control::ENABLE_GENERATION))?;
        asm.mov(dword_ptr(rbx + session::ENABLE_GENERATION), eax)?;
        asm.add(rsi, control::ENABLE as i32)?;
        asm.lea(rdi, at(self.arena.switches() + switches::ENABLE))?;
        asm.mov(ecx, self.arena.functions() as u32)?;
        asm.rep().movsb()?;
        self.copy_propagation()?;
        self.asm.jmp(r12)
    }

    /// Copies from the control page what is done with contexts. Uses RAX and RDX. Any value is
    /// valid (A5).
    pub(super) fn copy_propagation(&mut self) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.mov(rdx, qword_ptr(rbx + session::CONTROL))?;
        asm.mov(eax, dword_ptr(rdx + control::PROPAGATION))?;
        asm.mov(dword_ptr(at(self.arena.switches() + switches::PROPAGATION)), eax)?;
        asm.mov(rax, qword_ptr(rdx + control::SAMPLED_BELOW))?;
        asm.mov(qword_ptr(at(self.arena.switches() + switches::SAMPLED_BELOW)), rax)
    }
}
