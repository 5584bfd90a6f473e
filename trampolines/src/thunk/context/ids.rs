//! Random ids, as hex digits.
//!
//! Decides: how the ids of traces and calls are drawn.
//! Trusts: the kernel's random numbers, with which a P's generator starts. Never does: give an id of
//! zeros.
//!
//! The generator is SplitMix64 (Steele, Lea and Flood, 2014): a state that grows by 2^64 / phi, mixed
//! by a bijection. Two Ps, or two processes, start at random places. 64 bits are too few for ids
//! of traces in a large system, so the second half of a trace id is the mixture of the state with a
//! random key of the P's: then equal ids need an equal state and an equal key, 128 random bits.
//!
//! Which digit stands for which bits does not matter, so the digits are not in the order of the bits.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use super::Emitter;
use crate::arena::{context, slot, switches};
use crate::asm::{GOLDEN, at};
use gopatch_protocol::wire::context::By;
use gopatch_protocol::wire::control;

/// Multipliers of the mixture.
const MIX: [u64; 2] = [0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB];

impl Emitter<'_> {
    /// RAX = the next random number, never 0. Uses RDX.
    pub(super) fn random(&mut self) -> Result<(), IcedError> {
        let mut drawn = self.asm.create_label();
        let asm = &mut *self.asm;
        asm.mov(rax, GOLDEN)?;
        asm.add(rax, qword_ptr(r13 + slot::ID_STATE))?;
        asm.mov(qword_ptr(r13 + slot::ID_STATE), rax)?;
        self.mix()?;
        let asm = &mut *self.asm;
        asm.test(rax, rax)?;
        asm.jne(drawn)?;
        asm.inc(eax)?;
        asm.set_label(&mut drawn)?;
        asm.zero_bytes()
    }

    /// Mixes RAX. Uses RDX.
    fn mix(&mut self) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        for (shift, multiplier) in [(30, Some(MIX[0])), (27, Some(MIX[1])), (31, None)] {
            asm.mov(rdx, rax)?;
            asm.shr(rdx, shift)?;
            asm.xor(rax, rdx)?;
            if let Some(multiplier) = multiplier {
                asm.mov(rdx, multiplier)?;
                asm.imul_2(rax, rdx)?;
            }
        }
        Ok(())
    }

    /// Stores RAX as 16 hex digits at `offset` of the context in RSI. Uses RAX, RCX, RDX and R15.
    pub(super) fn hex(&mut self, offset: u64) -> Result<(), IcedError> {
        let asm = &mut *self.asm;
        asm.mov(rdx, 0x0F0F_0F0F_0F0F_0F0Fu64)?;
        asm.mov(rcx, rax)?;
        asm.shr(rcx, 4)?;
        asm.and(rax, rdx)?;
        asm.and(rcx, rdx)?;
        for (digits, offset) in [(rax, offset), (rcx, offset + 8)] {
            // Each byte is a digit's value. Those above 9 are letters, which lie 0x27 higher.
            asm.mov(rdx, 0x0606_0606_0606_0606u64)?;
            asm.add(rdx, digits)?;
            asm.shr(rdx, 4)?;
            asm.mov(r15, 0x0101_0101_0101_0101u64)?;
            asm.and(rdx, r15)?;
            asm.imul_3(rdx, rdx, 0x27)?;
            asm.mov(r15, 0x3030_3030_3030_3030u64)?;
            asm.add(digits, r15)?;
            asm.add(digits, rdx)?;
            asm.mov(qword_ptr(rsi + offset), digits)?;
        }
        Ok(())
    }

    /// The call in RSI begins a trace. Uses RAX, RCX, RDX, R15 and X15.
    pub(super) fn begin_trace(&mut self) -> Result<(), IcedError> {
        self.random()?;
        self.hex(context::TRACE)?;
        self.asm.mov(rax, qword_ptr(r13 + slot::ID_STATE))?;
        self.asm.xor(rax, qword_ptr(r13 + slot::ID_KEY))?;
        self.mix()?;
        self.hex(context::TRACE + 16)?;
        let asm = &mut *self.asm;
        asm.xorps(xmm15, xmm15)?;
        asm.movups(xmmword_ptr(rsi + context::PARENT), xmm15)?;
        asm.movups(xmmword_ptr(rsi + context::REMOTE), xmm15)?;
        asm.mov(qword_ptr(rsi + context::FLAGS), (By::Nothing as i32) << 8)?;
        asm.mov(dword_ptr(rsi + context::STATE_BYTES), 0)?;
        self.decide()
    }

    /// Decides by its id whether the trace of the call in RSI is sampled, as every program with the
    /// same part would. Uses RAX and RDX.
    pub(super) fn decide(&mut self) -> Result<(), IcedError> {
        let mut all = self.asm.create_label();
        let asm = &mut *self.asm;
        asm.and(byte_ptr(rsi + context::FLAGS), !1)?;
        asm.mov(edx, 1)?;
        asm.mov(rax, qword_ptr(at(self.arena.switches() + switches::SAMPLED_BELOW)))?;
        asm.test(rax, rax)?;
        asm.je(all)?;
        asm.mov(rdx, qword_ptr(rsi + (context::TRACE + control::SAMPLED_DIGIT as u64)))?;
        asm.bswap(rdx)?;
        asm.cmp(rdx, rax)?;
        asm.setb(dl)?;
        asm.set_label(&mut all)?;
        asm.or(byte_ptr(rsi + context::FLAGS), dl)
    }
}
