//! Plans: what a thunk must do, in terms of machine code. The patcher makes plans from rules and
//! DWARF; [`crate::thunk`] turns them into code.
//!
//! Decides: what can be expressed. Trusts: offsets and addresses, which the patcher took from the
//! binary itself.
//!
//! Here: captures, hooks, sites, and the results of skipped functions. `path`: the way to a value.
//! [`filter`]: which calls are recorded. [`context`]: what becomes of trace contexts.

pub mod context;
pub mod filter;
mod path;

pub use path::{Gpr, Leaf, Path, Root, Source, Step, TypeData, descriptor};

use iced_x86::code_asm::AsmRegister64;
use iced_x86::{Code, Instruction};

use context::ContextPlan;
use filter::Filter;
use gopatch_protocol::manifest::At;

/// One captured value: that of the first path that can be followed to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturePlan {
    /// Alternatives, all with the same kind of leaf.
    pub paths: Vec<Path>,
}

impl CapturePlan {
    /// Whether the capture reads arguments or results, as opposed to words that the entry kept.
    pub fn reads_registers(&self) -> bool {
        self.paths.iter().any(Path::reads_registers)
    }

    /// Whether one of the paths always leads to a value.
    pub(crate) fn always_present(&self) -> bool {
        self.paths.iter().any(|path| !path.can_fail())
    }

    /// Most bytes that the value can add to a record after the words.
    pub fn max_string(&self) -> usize {
        let longest = |path: &Path| match path.leaf {
            Leaf::String { max } | Leaf::Bytes { max, .. } | Leaf::TypeName { max, .. } => usize::from(max),
            Leaf::Int { .. } | Leaf::Nil { .. } => 0,
        };
        self.paths.iter().map(longest).max().unwrap_or(0)
    }
}

/// Offsets in the runtime's structures, taken from the binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuntimeOffsets {
    /// `g.stack.hi`.
    pub g_stack_hi: i32,
    /// `g.stack.lo`.
    pub g_stack_lo: i32,
    /// `g.m`.
    pub g_m: i32,
    /// `g.goid`.
    pub g_goid: i32,
    /// `m.p`.
    pub m_p: i32,
    /// `p.id` (`int32`).
    pub p_id: i32,
}

/// The hook of one point: what its sites have in common.
#[derive(Debug, Clone)]
pub struct HookPlan {
    /// Index of the function in the manifest.
    pub function: u32,
    /// Index of the point in the manifest.
    pub point: u32,
    /// Which end of the call.
    pub at: At,
    /// The values that the record holds.
    pub captures: Vec<CapturePlan>,
    /// Entry: the values to keep for the exit. Exit: as many, which its captures read as
    /// [`Source::Kept`].
    pub keep: Vec<Source>,
    /// Which calls are recorded. Empty at an exit whose entry has a filter: the exit looks for the
    /// entry's mark instead.
    pub filter: Filter,
    /// Whether a recorded entry leaves a mark, even if it keeps no words, and an exit without that
    /// mark is not recorded.
    pub marked: bool,
    /// What it does with trace contexts.
    pub context: Option<ContextPlan>,
}

impl HookPlan {
    /// Whether the entry keeps anything for the exit, if only a mark.
    pub fn uses_table(&self) -> bool {
        self.marked || !self.keep.is_empty()
    }

    /// Whether it writes a record.
    pub fn is_recorded(&self) -> bool {
        self.context.as_ref().is_none_or(ContextPlan::is_recorded)
    }

    /// Whether its record ends with the call's context.
    pub fn records_context(&self) -> bool {
        matches!(self.context, Some(ContextPlan::Open(_)))
    }
}

/// How the runtime turns a fault into a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SigPanic {
    /// Address of `runtime.sigpanic0`.
    pub entry: u64,
    /// `g.sig` (`uint32`).
    pub g_sig: i32,
    /// `g.sigcode0`.
    pub g_sigcode0: i32,
    /// `g.sigcode1`.
    pub g_sigcode1: i32,
    /// `g.sigpc`.
    pub g_sigpc: i32,
}

/// A displaced instruction that follows a pointer, which may be nil or lead to memory that faults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guard {
    /// The instruction's address in the program.
    pub ip: u64,
    /// A register that is free there.
    pub scratch: AsmRegister64,
    /// Where to go at nil, if the flags are free there too and the instruction has one address.
    pub sigpanic: Option<SigPanic>,
}

/// One part of the results of a skipped function, at most as long as a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultPart {
    /// Where the caller expects it.
    pub place: ResultPlace,
    /// 1, 2, 4 or 8 bytes.
    pub size: u8,
    /// Its value.
    pub value: ResultValue,
}

/// Where a part of a result is at a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultPlace {
    /// In a register.
    Register(Gpr),
    /// In a floating-point register, X0 to X14.
    Float(u8),
    /// In the caller's frame, this many bytes above the call's frame address (CFA).
    Stack(i32),
}

/// The value of a part of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultValue {
    /// A number, a nil, a length.
    Bits(u64),
    /// The address of these bytes.
    Text(Vec<u8>),
}

/// What a site displaced. The addresses of the instructions make no difference, unless one is a
/// call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SitePlan {
    /// Instructions that run before the hook (exits: what leads up to the return).
    pub before: Vec<Instruction>,
    /// Instructions that run after it (entries: the prologue; exits: the return or the tail jump).
    pub after: Vec<Instruction>,
    /// Where to continue: in the program, or in the next hook's thunk, to which each return in
    /// `after` then leads. `None` if `after` leaves the function.
    pub resume: Option<u64>,
    /// Guards of those instructions in `before` and `after` that may fault.
    pub guards: Vec<Guard>,
    /// Bytes between RSP and the return address where the hook runs.
    pub depth: i32,
}

impl SitePlan {
    /// Whether only a return is left to run after the hook.
    pub fn is_return(&self) -> bool {
        self.resume.is_none() && matches!(self.after.as_slice(), [only] if only.code() == Code::Retnq)
    }
}
