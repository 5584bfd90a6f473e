//! The arguments that a function keeps when its stack grows.
//!
//! If the stack must grow, a function calls `morestack` and begins again. It saves its arguments
//! around that call, except those that it never uses (`RegArgs` in Go's
//! `src/cmd/compile/internal/ssagen/ssa.go`; `SpillRegisterArgs` in
//! `src/cmd/internal/obj/x86/obj6.go`). A hook runs after the stack check, so in the registers of
//! the others it finds what `morestack` left there.
//!
//! Trusts: the body's stack check.

use std::ops::Range;

use gopatch_trampolines::plan::Gpr;
use iced_x86::{FlowControl, Instruction, OpKind, Register};

use super::Text;
use super::body::Body;
use crate::golang::pclntab::Function;

impl Text<'_> {
    /// The argument registers that a hook at the entry of `function` may find overwritten.
    pub fn lost_arguments(&self, function: &Function<'_>) -> Vec<Gpr> {
        let Ok(body) = self.decode(function) else { return Vec::new() };
        match body.stack_check(self.functions) {
            Ok(check) if !check.is_empty() => {
                let saved = saved(&body, &check);
                Gpr::ALL.into_iter().filter(|register| !saved.contains(register)).collect()
            }
            // It never begins again, or its entry is refused.
            _ => Vec::new(),
        }
    }
}

/// The argument registers that the function saves before it calls `morestack`.
fn saved(body: &Body<'_>, check: &Range<usize>) -> Vec<Gpr> {
    let is_store = |instruction: &&Instruction| {
        instruction.op0_kind() == OpKind::Memory
            && instruction.memory_base() == Register::RSP
            && instruction.op1_kind() == OpKind::Register
    };
    let growth = body.instructions[body.growth(&body.instructions[check.end - 1])..].iter();
    let stores = growth.take_while(|instruction| instruction.flow_control() == FlowControl::Next).filter(is_store);
    stores.filter_map(|store| argument(store.op1_register())).collect()
}

/// The argument register of which this is all or a part.
fn argument(register: Register) -> Option<Gpr> {
    Some(match register.full_register() {
        Register::RAX => Gpr::Rax,
        Register::RBX => Gpr::Rbx,
        Register::RCX => Gpr::Rcx,
        Register::RDI => Gpr::Rdi,
        Register::RSI => Gpr::Rsi,
        Register::R8 => Gpr::R8,
        Register::R9 => Gpr::R9,
        Register::R10 => Gpr::R10,
        Register::R11 => Gpr::R11,
        _ => return None,
    })
}
