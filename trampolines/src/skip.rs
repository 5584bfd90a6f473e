//! The skip thunk: what runs in place of a function's body.
//!
//! Decides: the code that puts constants where a caller expects results, and returns.
//! Trusts: the plan for the places of the results, and that the goroutine is at an entry site (see
//! [`crate::thunk`]): after the stack check, before the frame, so that RSP is where it is at a
//! return.
//! Never does: check whether a collector listens; call, push, block, or read what the program can
//! write.
//!
//! It writes the registers of the results, R13, and the place of the results in the caller's frame.
//! All other registers are caller-saved in ABIInternal or left alone: RSP, RBP, R14, X15. The stack
//! needs no write barrier, and a text's pointer leads into the image, where the garbage collector
//! does not look. Its only stores go to the caller's frame, at RSP + 8 and above, so it cannot
//! fault.

use iced_x86::IcedError;
#[allow(clippy::wildcard_imports, reason = "registers read as they do in any assembler")]
use iced_x86::code_asm::*;

use crate::asm::{EmitError, finish};
use crate::plan::{Gpr, ResultPart, ResultPlace, ResultValue};

/// Registers of floating-point results, in the ABI's order.
const FLOATS: [AsmRegisterXmm; 15] =
    [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14];

/// Emits the thunk for address `va`. It jumps to `next`, or returns. The bytes of texts follow the
/// code.
pub fn emit(results: &[ResultPart], next: Option<u64>, va: u64) -> Result<Vec<u8>, EmitError> {
    let encode = |source| EmitError::Encode { va, source };
    let mut asm = CodeAssembler::new(64).map_err(encode)?;
    assemble(&mut asm, results, next).map_err(encode)?;
    finish(&mut asm, va)
}

fn assemble(asm: &mut CodeAssembler, results: &[ResultPart], next: Option<u64>) -> Result<(), IcedError> {
    let mut texts = Vec::new();
    for part in results {
        match &part.value {
            ResultValue::Bits(bits) => set(asm, part, *bits)?,
            ResultValue::Text(text) => {
                let label = asm.create_label();
                let register = if let ResultPlace::Register(gpr) = part.place { wide(gpr) } else { r13 };
                asm.lea(register, ptr(label))?;
                if let ResultPlace::Stack(offset) = part.place {
                    asm.mov(qword_ptr(rsp + 8 + offset), r13)?;
                }
                texts.push((label, text));
            }
        }
    }
    match next {
        Some(next) => asm.jmp(next)?,
        None => asm.rep().ret()?,
    }
    for (mut label, text) in texts {
        asm.set_label(&mut label)?;
        asm.db(text)?;
    }
    Ok(())
}

/// Sets one part to these bits.
fn set(asm: &mut CodeAssembler, part: &ResultPart, bits: u64) -> Result<(), IcedError> {
    let low = bits as u32 as i32;
    match part.place {
        ResultPlace::Register(gpr) if bits == 0 => asm.xor(narrow(gpr), narrow(gpr)),
        ResultPlace::Register(gpr) if u32::try_from(bits).is_ok() => asm.mov(narrow(gpr), low),
        ResultPlace::Register(gpr) => asm.mov(wide(gpr), bits),
        ResultPlace::Float(index) => {
            let register = FLOATS[usize::from(index)];
            if bits == 0 {
                return asm.xorps(register, register);
            }
            asm.mov(r13, bits)?;
            asm.movq(register, r13)
        }
        ResultPlace::Stack(offset) => {
            let to = rsp + 8 + offset;
            match part.size {
                1 => asm.mov(byte_ptr(to), i32::from(bits as u8)),
                2 => asm.mov(word_ptr(to), i32::from(bits as u16)),
                4 => asm.mov(dword_ptr(to), low),
                // An immediate has 32 bits, sign-extended.
                _ if i64::from(low) as u64 == bits => asm.mov(qword_ptr(to), low),
                _ => {
                    asm.mov(r13, bits)?;
                    asm.mov(qword_ptr(to), r13)
                }
            }
        }
    }
}

fn wide(gpr: Gpr) -> AsmRegister64 {
    match gpr {
        Gpr::Rax => rax,
        Gpr::Rbx => rbx,
        Gpr::Rcx => rcx,
        Gpr::Rdi => rdi,
        Gpr::Rsi => rsi,
        Gpr::R8 => r8,
        Gpr::R9 => r9,
        Gpr::R10 => r10,
        Gpr::R11 => r11,
    }
}

fn narrow(gpr: Gpr) -> AsmRegister32 {
    match gpr {
        Gpr::Rax => eax,
        Gpr::Rbx => ebx,
        Gpr::Rcx => ecx,
        Gpr::Rdi => edi,
        Gpr::Rsi => esi,
        Gpr::R8 => r8d,
        Gpr::R9 => r9d,
        Gpr::R10 => r10d,
        Gpr::R11 => r11d,
    }
}
