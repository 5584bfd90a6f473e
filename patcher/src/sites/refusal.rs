//! Why a place is not hooked: the codes and words of reports.

/// Why a place is not hooked. The code is stable, as reports and policies use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The function has bytes that are not instructions.
    Undecodable,
    /// The function is written in assembly: its registers follow no ABI that gopatch knows.
    Assembly,
    /// The function is C's or the linker's, within Go's text: R14 is not its goroutine.
    NotGo,
    /// The stack check has an unknown form.
    StackCheck,
    /// A branch leads into the bytes; at an entry, also to their start.
    BranchTarget,
    /// The bytes contain a call or a branch.
    FlowControl,
    /// A displaced instruction may fault, and cannot be guarded.
    MayFault,
    /// A jump table may lead into the bytes.
    JumpTable,
    /// Too few bytes for a jump.
    NoRoom,
    /// The bytes belong to another site.
    Overlap,
    /// The tail jump needs a register that the thunk uses.
    RegisterInUse,
    /// A jump through memory may leave the function.
    IndirectJump,
    /// A tail jump leaves before the results exist that the rule captures.
    NoResults,
    /// The program checks a digest over these bytes.
    Fips140,
    /// The function is the runtime's and has no stack check, so it may run without a P.
    RuntimeNosplit,
    /// Go's signal handler may call the function.
    SignalHandler,
    /// The runtime calls the function where its thread may lose its P.
    SystemCall,
    /// The function must not run, but inlined copies of it still do.
    Inlined,
    /// The function must not run, but it is a wrapper, and its target is also called directly.
    Wrapper,
}

impl Refusal {
    /// All refusals, in order.
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
        Self::SignalHandler,
        Self::SystemCall,
        Self::Inlined,
        Self::Wrapper,
    ];

    /// Stable code, as in reports.
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
            Self::SignalHandler => "signal-handler",
            Self::SystemCall => "system-call",
            Self::Inlined => "inlined",
            Self::Wrapper => "wrapper",
        }
    }

    /// Reason, in words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Undecodable => "the function has bytes that are not instructions",
            Self::Assembly => "the function is written in assembly",
            Self::NotGo => "the function was not compiled by Go",
            Self::StackCheck => "the function's stack check has an unknown form",
            Self::BranchTarget => "a branch leads into the bytes that a jump needs",
            Self::FlowControl => "the bytes that a jump needs contain a call or a branch",
            Self::MayFault => "an instruction that would have to move may fault and cannot be guarded",
            Self::JumpTable => "a jump table may lead into the bytes that a jump needs",
            Self::NoRoom => "there are too few bytes for a jump",
            Self::Overlap => "the bytes that a jump needs belong to another site",
            Self::RegisterInUse => "the tail jump needs a register that the thunk uses",
            Self::NoResults => "a tail jump leaves before the results exist that the rule captures",
            Self::Fips140 => "the program checks a digest over these bytes (FIPS 140)",
            Self::RuntimeNosplit => "the function is the runtime's and has no stack check, so it may run without a P",
            Self::SignalHandler => "Go's signal handler may call the function, in the middle of a hook",
            Self::SystemCall => "the function is called around system calls, where its thread may lose its P",
            Self::Inlined => "the compiler inlined the function elsewhere, or may have, and the copies still run",
            Self::Wrapper => "the compiler made the function as a wrapper, and its target is also called directly",
            Self::IndirectJump => "a jump through memory may be a way out that no hook sees",
        }
    }
}
