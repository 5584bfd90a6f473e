//! Code for instructions that moved for no hook, but to make room for a jump that others need.
//!
//! Decides: nothing. Trusts: the caller that the instructions may move.
//! Never does: use a register, the stack or the flags for itself. So it changes nothing that the instructions do not.

use iced_x86::Instruction;
use iced_x86::code_asm::CodeAssembler;

use crate::asm::{self, EmitError};
use crate::moved::{Mover, Onward};

/// Emits `instructions`, to lie at `va` and to go on at `resume`.
pub fn emit(instructions: &[Instruction], resume: u64, va: u64) -> Result<Vec<u8>, EmitError> {
    let encode = |source| EmitError::Encode { va, source };
    let mut asm = CodeAssembler::new(64).map_err(encode)?;
    Mover::new(&[]).emit(&mut asm, instructions, Onward::Leave).and_then(|()| asm.jmp(resume)).map_err(encode)?;
    asm::finish(&mut asm, va)
}
