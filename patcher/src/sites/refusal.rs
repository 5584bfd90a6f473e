//! Why a place is not hooked.
//!
//! Decides: the codes and words of reports. Trusts: nobody. Never does: decide what is refused.

/// Why a place is not hooked. The code is stable: reports and policies name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The function has bytes that are not instructions.
    Undecodable,
    /// Written in assembly: its registers follow no ABI that gopatch knows.
    Assembly,
    /// Code of C's or the linker's in Go's text: R14 is not its goroutine.
    NotGo,
    /// A stack check that gopatch does not know.
    StackCheck,
    /// A branch leads into the bytes, or (entry) back to them.
    BranchTarget,
    /// A call, or a branch, stands in the bytes.
    FlowControl,
    /// A displaced instruction might fault, and cannot be guarded.
    MayFault,
    /// A jump table might lead into the bytes.
    JumpTable,
    /// Too few bytes for a jump.
    NoRoom,
    /// The bytes belong to another site.
    Overlap,
    /// A tail jump needs a register that the thunk uses.
    RegisterInUse,
    /// A jump through memory might leave the function.
    IndirectJump,
    /// A tail jump leaves before there are the results that the rule captures.
    NoResults,
    /// The program checks a digest over these bytes.
    Fips140,
    /// A function of the runtime without a stack check may run where no P is held.
    RuntimeNosplit,
    /// Copies of a function that is not to run are elsewhere, and run.
    Inlined,
    /// A function that is not to run is a wrapper, and what it calls is called without it, too.
    Wrapper,
}

impl Refusal {
    /// All of them, in their order.
    pub const ALL: [Self; Self::Wrapper as usize + 1] = [
        Self::Undecodable,
        Self::Assembly,
        Self::NotGo,
        Self::StackCheck,
        Self::BranchTarget,
        Self::FlowControl,
        Self::MayFault,
        Self::JumpTable,
        Self::NoRoom,
        Self::Overlap,
        Self::RegisterInUse,
        Self::IndirectJump,
        Self::NoResults,
        Self::Fips140,
        Self::RuntimeNosplit,
        Self::Inlined,
        Self::Wrapper,
    ];

    /// Stable code, as it stands in reports.
    pub fn code(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::Assembly => "assembly",
            Self::NotGo => "not-go",
            Self::StackCheck => "stack-check",
            Self::BranchTarget => "branch-target",
            Self::FlowControl => "flow-control",
            Self::MayFault => "may-fault",
            Self::JumpTable => "jump-table",
            Self::NoRoom => "no-room",
            Self::Overlap => "overlap",
            Self::RegisterInUse => "register-in-use",
            Self::IndirectJump => "indirect-jump",
            Self::NoResults => "no-results",
            Self::Fips140 => "fips-140",
            Self::RuntimeNosplit => "runtime-nosplit",
            Self::Inlined => "inlined",
            Self::Wrapper => "wrapper",
        }
    }

    /// What a person should know.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Undecodable => "the function has bytes that are no instructions",
            Self::Assembly => "the function is written in assembly",
            Self::NotGo => "the function was not compiled by Go",
            Self::StackCheck => "the function begins with a stack check of an unknown form",
            Self::BranchTarget => "a branch leads into the bytes that a jump would need",
            Self::FlowControl => "a call or a branch stands in the bytes that a jump would need",
            Self::MayFault => {
                "an instruction that would have to move follows a pointer and cannot be guarded against nil"
            }
            Self::JumpTable => "a jump table might lead into the bytes that a jump would need",
            Self::NoRoom => "there are too few bytes for a jump",
            Self::Overlap => "the bytes that a jump would need belong to another site",
            Self::RegisterInUse => "the tail jump needs a register that the thunk uses",
            Self::NoResults => "a tail jump leaves before there are the results that the rule captures",
            Self::Fips140 => "the program checks a digest over these bytes (FIPS 140)",
            Self::RuntimeNosplit => "a function of the runtime without a stack check may run where no P is held",
            Self::Inlined => "the compiler put copies of the function into others, or may have, and these still run",
            Self::Wrapper => "the compiler made the function to call another, which is called without it, too",
            Self::IndirectJump => "a jump through memory might be a way out that no hook would see",
        }
    }
}
