//! The assembler that every template uses: iced's, plus addresses of the image.
//!
//! Decides: that emitted code addresses places outside itself relative to RIP, and that every block
//! is encoded within reach.
//! Trusts: the caller's addresses. Knows nothing of what the code is for.

use iced_x86::code_asm::{AsmMemoryOperand, CodeAssembler, ptr};
use iced_x86::{BlockEncoderOptions, IcedError, Register};

/// 2^64 / phi. Products with it have very different high bits even for numbers that are close.
pub(crate) const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Why code could not be emitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The assembler refused: an operand or a branch cannot be encoded.
    #[error("cannot encode the code at {va:#x}")]
    Encode {
        /// The block's address.
        va: u64,
        /// The assembler's error.
        source: IcedError,
    },
    /// A branch or a memory operand was out of reach, and the encoder replaced it with something
    /// longer.
    #[error("the code at {va:#x} refers to an address more than 2 GiB away")]
    OutOfReach {
        /// The block's address.
        va: u64,
    },
}

/// Memory operand at address `va` of the image, RIP-relative: the same code serves an image with or
/// without a fixed address.
pub(crate) fn at(va: u64) -> AsmMemoryOperand {
    ptr(Register::RIP) + va
}

/// Encodes what was assembled, for address `va`.
pub(crate) fn finish(asm: &mut CodeAssembler, va: u64) -> Result<Vec<u8>, EmitError> {
    let result = asm
        .assemble_options(va, BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS)
        .map_err(|source| EmitError::Encode { va, source })?;
    // The encoder silently turns a branch that is out of reach into an indirect one, and gives
    // u32::MAX as its offset.
    if result.inner.new_instruction_offsets.contains(&u32::MAX) {
        return Err(EmitError::OutOfReach { va });
    }
    Ok(result.inner.code_buffer)
}
