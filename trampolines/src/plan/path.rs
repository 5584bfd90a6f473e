//! Paths: where a value starts, which loads lead to it, and how it is stored at the end.
//!
//! Trusts: offsets and addresses, which the patcher took from the binary itself.

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

impl Source {
    /// Whether the entry kept it.
    pub(crate) fn is_kept(self) -> bool {
        matches!(self, Self::Kept(_))
    }
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
        self.root.sources().any(|source| !source.is_kept())
    }

    /// Whether a path can end before its leaf.
    pub(crate) fn can_fail(&self) -> bool {
        match self.root {
            // An interface may hold nothing, or what nobody describes.
            _ if matches!(self.leaf, Leaf::TypeName { .. }) => true,
            Root::Value { first, .. } => first.is_kept(),
            Root::Constant(_) | Root::Frame(_) => false,
            Root::Pointer(_) | Root::Interface { .. } => true,
        }
    }
}
