//! The assembler under every template: iced's, plus addresses of the image.
//!
//! Decides: how emitted code names a place outside itself (RIP-relative), and that every block is encoded in reach.
//! Trusts: the caller's addresses.
//! Never does: know what the code is for.

use iced_x86::code_asm::{AsmMemoryOperand, CodeAssembler, ptr};
use iced_x86::{BlockEncoderOptions, IcedError, Register};

/// 2^64 / phi. Multiplied with it, numbers that are close get high bits that are not.
pub(crate) const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Why code could not be emitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The assembler refused: an operand or a branch cannot be encoded.
    #[error("cannot encode the code at {va:#x}")]
    Encode {
        /// Where the block was to lie.
        va: u64,
        /// The assembler's words.
        source: IcedError,
    },
    /// A branch or a memory operand was out of reach, and the encoder replaced it by something longer.
    #[error("a branch from the code at {va:#x} is out of its reach of 2 GiB")]
    OutOfReach {
        /// Where the block was to lie.
        va: u64,
    },
}

/// Memory operand at address `va` of the image, RIP-relative: the same code serves a fixed and a movable image.
pub(crate) fn at(va: u64) -> AsmMemoryOperand {
    ptr(Register::RIP) + va
}

/// Encodes what was assembled, to lie at `va`.
pub(crate) fn finish(asm: &mut CodeAssembler, va: u64) -> Result<Vec<u8>, EmitError> {
    let result = asm
        .assemble_options(va, BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS)
        .map_err(|source| EmitError::Encode { va, source })?;
    // The encoder turns a branch that is out of reach into an indirect one; it says so by having no offset for it.
    if result.inner.new_instruction_offsets.contains(&u32::MAX) {
        return Err(EmitError::OutOfReach { va });
    }
    Ok(result.inner.code_buffer)
}
