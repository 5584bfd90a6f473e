//! Code for instructions that belong to no hook and moved only to make room for a jump.
//!
//! Trusts: the caller that the instructions may move. Uses no register, stack or flag besides what
//! the instructions use, so it cannot fault where they would not.

use iced_x86::Instruction;
use iced_x86::code_asm::CodeAssembler;

use crate::asm::{self, EmitError};
use crate::moved::{Mover, Onward};

/// Emits `instructions` for address `va`, with a jump to `resume` after them.
pub fn emit(instructions: &[Instruction], resume: u64, va: u64) -> Result<Vec<u8>, EmitError> {
    let encode = |source| EmitError::Encode { va, source };
    let mut asm = CodeAssembler::new(64).map_err(encode)?;
    Mover::new(&[]).emit(&mut asm, instructions, Onward::Leave).and_then(|()| asm.jmp(resume)).map_err(encode)?;
    asm::finish(&mut asm, va)
}
