//! Where debuggers put breakpoints.
//!
//! Decides: which instructions a site had better not hold, except as its first.
//! Trusts: the runtime's table of lines. Never does: refuse a site.
//!
//! A breakpoint is one byte that a debugger writes over an instruction. At a site's first byte it
//! is as good as in the unpatched program: the debugger puts the byte back and steps over the jump.
//! Within the jump it would change where that leads; after the jump it would never be hit. gdb and
//! delve stop for `break F` where the compiler marked the end of the prologue (`PosPrologueEnd` in
//! `preprocess`, Go's `src/cmd/internal/obj/x86/obj6.go`): at the last instruction that makes the
//! frame, or in a function without a frame at the first byte. For `break FILE:LINE` they stop where
//! that line's code begins.

use std::collections::BTreeSet;
use std::ops::Range;

use iced_x86::{Instruction, Mnemonic, Register};

use crate::address::Va;
use crate::golang::pclntab::{Function, FunctionTable};

/// Addresses of a function where a debugger stops.
pub(super) struct Stops {
    vas: BTreeSet<u64>,
}

impl Stops {
    /// The addresses in `function`, whose frame is made from instruction `entry` on.
    pub(super) fn find(
        function: &Function<'_>,
        instructions: &[Instruction],
        entry: usize,
        functions: &FunctionTable<'_>,
    ) -> Self {
        let code_end = instructions.last().map_or(0, Instruction::next_ip);
        let ends = functions.lines(function).into_iter().flatten().map(|(_, end)| end.0).filter(|end| *end < code_end);
        let prologue_end = instructions.get(prologue_end(instructions, entry)).map(Instruction::ip);
        Self { vas: ends.chain(prologue_end).collect() }
    }

    /// Whether a debugger may stop within `range`, other than at its first byte.
    pub(super) fn are_within(&self, range: &Range<Va>) -> bool {
        self.vas.range(range.start.0 + 1..range.end.0.max(range.start.0 + 1)).next().is_some()
    }
}

/// Index of the instruction at which the compiler marks the end of the prologue that begins at
/// instruction `entry`: `push rbp; mov rbp, rsp; sub rsp, n` ends at its last (since Go 1.21; before,
/// `sub rsp, n` comes first).
pub(super) fn prologue_end(instructions: &[Instruction], entry: usize) -> usize {
    let is = |index: usize, mnemonic, register| {
        instructions
            .get(index)
            .is_some_and(|instruction| instruction.mnemonic() == mnemonic && instruction.op0_register() == register)
    };
    if !is(entry, Mnemonic::Push, Register::RBP) || !is(entry + 1, Mnemonic::Mov, Register::RBP) {
        return entry;
    }
    // 128 does not fit into a signed byte, and -128 does.
    let makes_room = |mnemonic| is(entry + 2, mnemonic, Register::RSP);
    if makes_room(Mnemonic::Sub) || makes_room(Mnemonic::Add) { entry + 2 } else { entry + 1 }
}
