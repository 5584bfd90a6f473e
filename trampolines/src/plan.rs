//! What a thunk is asked to do, in the terms of machine code: where a value starts, which loads lead to it,
//! how it lies at the end. The patcher makes these plans out of rules and DWARF; [`crate::thunk`] turns them into code.
//!
//! Decides: what can be expressed. Trusts: offsets and addresses, which the patcher took from the binary itself.
//! Never does: emit code.

use iced_x86::code_asm::AsmRegister64;
use iced_x86::{Code, Instruction};

use crate::filter::Filter;
use gopatch_protocol::manifest::At;

/// Integer registers of Go's ABIInternal, in the order in which arguments and results take them
/// (Go's `src/cmd/compile/abi-internal.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the registers'")]
pub enum Gpr {
    Rax,
    Rbx,
    Rcx,
    Rdi,
    Rsi,
    R8,
    R9,
    R10,
    R11,
}

impl Gpr {
    /// All, in the ABI's order.
    pub const ALL: [Self; 9] =
        [Self::Rax, Self::Rbx, Self::Rcx, Self::Rdi, Self::Rsi, Self::R8, Self::R9, Self::R10, Self::R11];
}

/// Where a value is when the site is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// In a register.
    Register(Gpr),
    /// In the caller's frame, this many bytes above the call's frame address (CFA).
    Stack(i32),
    /// In the words that the entry kept (exit only).
    Kept(u8),
}

/// One step from a pointer to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The pointer at `offset`.
    Load {
        /// Bytes from where the pointer points.
        offset: i32,
    },
    /// The data word of the interface at `offset`, when its dynamic type is the one at `type_va`.
    Assert {
        /// Bytes from where the pointer points.
        offset: i32,
        /// Whether the interface has no methods: then its first word is the type, else an itab.
        empty: bool,
        /// Address of the type's descriptor (`abi.Type`).
        type_va: u64,
    },
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// At the value itself: the leaf reads these words and there are no steps.
    Value {
        /// First word.
        first: Source,
        /// Second word, of a string.
        second: Option<Source>,
    },
    /// At a number that is the same in every call.
    Constant(u64),
    /// In memory, in the caller's frame, this many bytes above the call's frame address (CFA).
    Frame(i32),
    /// At a pointer.
    Pointer(Source),
    /// At an interface whose dynamic type must be the one given.
    Interface {
        /// Itab or type word.
        tab: Source,
        /// Data word.
        data: Source,
        /// See [`Step::Assert`].
        empty: bool,
        /// See [`Step::Assert`].
        type_va: u64,
    },
}

impl Root {
    /// What it reads.
    fn sources(self) -> impl Iterator<Item = Source> {
        let (first, second) = match self {
            Self::Value { first, second } => (Some(first), second),
            Self::Constant(_) => (None, None),
            Self::Frame(offset) => (Some(Source::Stack(offset)), None),
            Self::Pointer(pointer) => (Some(pointer), None),
            Self::Interface { tab, data, .. } => (Some(tab), Some(data)),
        };
        first.into_iter().chain(second)
    }
}

/// How the value lies at the path's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// An integer.
    Int {
        /// 1, 2, 4 or 8 bytes.
        size: u8,
        /// Whether it is sign-extended.
        signed: bool,
    },
    /// Whether a word (a pointer, an interface's first word) is zero, or is not.
    Nil {
        /// Whether zero counts as true.
        is_nil: bool,
    },
    /// A string: pointer and length.
    String {
        /// Most bytes that are copied.
        max: u16,
    },
    /// An array of bytes; in a register, if there is no memory, of one.
    Bytes {
        /// Bytes.
        len: u32,
        /// Most that are copied.
        max: u16,
    },
    /// The name of the type that an interface's first word stands for.
    TypeName {
        /// See [`Step::Assert`].
        empty: bool,
        /// Most bytes that are copied.
        max: u16,
        /// Where the program's types are described. Others, which `reflect` makes at run time, have no name here.
        types: TypeData,
    },
}

/// Where the program's own types are described: `moduledata.types` to `etypes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeData {
    /// Address of the first byte, from which names are counted.
    pub va: u64,
    /// Bytes.
    pub size: u32,
}

/// Places in a type's descriptor, the same from Go 1.18 to 1.27: `abi.Type` of Go's `src/internal/abi/type.go`.
pub mod descriptor {
    /// Bytes that all descriptors have.
    pub const COMMON: u64 = 48;
    /// A byte of flags.
    pub const FLAGS: u64 = 20;
    /// The flag that says that a star in front is not part of the name (`abi.TFlagExtraStar`).
    pub const EXTRA_STAR: u8 = 2;
    /// An `int32`: where the name is, counted from `moduledata.types`. It is a byte of flags, a length as a varint, and UTF-8.
    pub const NAME: u64 = 40;
}

/// From a root over steps to a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Where it begins.
    pub root: Root,
    /// How it goes on. Empty for [`Root::Value`].
    pub steps: Vec<Step>,
    /// Bytes from where the last pointer points to the leaf. 0 for [`Root::Value`].
    pub offset: i32,
    /// What is read there.
    pub leaf: Leaf,
}

impl Path {
    /// Whether it begins at an argument or a result, as opposed to what the entry has kept.
    pub fn reads_registers(&self) -> bool {
        self.root.sources().any(|source| !matches!(source, Source::Kept(_)))
    }
}

/// One captured value: the first of its paths that can be followed to the end gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturePlan {
    /// Alternatives, all with the same kind of leaf.
    pub paths: Vec<Path>,
}

impl CapturePlan {
    /// Whether it reads arguments or results, as opposed to what the entry has kept.
    pub fn reads_registers(&self) -> bool {
        self.paths.iter().any(Path::reads_registers)
    }

    /// Bytes that the value can add to a record behind its word.
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
    /// What the record holds.
    pub captures: Vec<CapturePlan>,
    /// Entry: the values to keep for the exit. Exit: as many, which it reads as [`Source::Kept`].
    pub keep: Vec<Source>,
    /// Which calls are recorded. An exit whose entry is asked is not asked again, but looks for its mark.
    pub filter: Filter,
    /// Whether an entry that was recorded leaves a mark, kept words or not, and an exit without it is not recorded.
    pub marked: bool,
}

impl HookPlan {
    /// Whether an entry keeps anything for the exit, if only the mark that it was there.
    pub fn uses_table(&self) -> bool {
        self.marked || !self.keep.is_empty()
    }
}

/// How the runtime makes a panic of a fault.
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

/// A displaced instruction that follows a pointer, which may be nil.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guard {
    /// The instruction's address in the program.
    pub ip: u64,
    /// A register of which nothing is needed there. The flags are not needed either.
    pub scratch: AsmRegister64,
    /// Where to go with nil.
    pub sigpanic: SigPanic,
}

/// One part of the results of a function that is not run, as much as one register holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultPart {
    /// Where the caller looks for it.
    pub place: ResultPlace,
    /// 1, 2, 4 or 8 bytes.
    pub size: u8,
    /// What it is.
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

/// What a part of a result is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultValue {
    /// A number, a nil, a length.
    Bits(u64),
    /// The address of these bytes.
    Text(Vec<u8>),
}

/// What a site displaced. Where instructions lie makes no difference, unless one is a call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SitePlan {
    /// Instructions that run before the hook (exits: what leads up to the return).
    pub before: Vec<Instruction>,
    /// Instructions that run after it (entries: the prologue; exits: the return or the tail jump).
    pub after: Vec<Instruction>,
    /// Where to go on: in the program, or in the next hook's thunk, to which each return in `after` leads then. `None` when
    /// `after` leaves the function.
    pub resume: Option<u64>,
    /// Those of `before` and `after` that may meet nil.
    pub guards: Vec<Guard>,
}

impl SitePlan {
    /// Whether nothing but a return is left to do behind the hook.
    pub fn is_return(&self) -> bool {
        self.resume.is_none() && matches!(self.after.as_slice(), [only] if only.code() == Code::Retnq)
    }
}
