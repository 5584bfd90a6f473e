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

/// Where a value is at the site.
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
    /// Whether this is a word that the entry kept.
    pub(crate) fn is_kept(self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

/// One step from a pointer to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The pointer at `offset`.
    Load {
        /// Bytes from the address in the pointer.
        offset: i32,
    },
    /// The data word of the interface at `offset`, if its dynamic type is the one at `type_va`.
    Assert {
        /// Bytes from the address in the pointer.
        offset: i32,
        /// Whether the interface has no methods: then its first word points to the type, else to an
        /// itab.
        empty: bool,
        /// Address of the type's descriptor (`abi.Type`).
        type_va: u64,
    },
}

/// Where a path starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// At the value itself: the leaf is in these words, and there are no steps.
    Value {
        /// First word.
        first: Source,
        /// Second word, if the value is a string.
        second: Option<Source>,
    },
    /// At a constant.
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
    /// The sources that it reads.
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

/// How the value is stored at the end of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// An integer.
    Int {
        /// 1, 2, 4 or 8 bytes.
        size: u8,
        /// Whether it is sign-extended.
        signed: bool,
    },
    /// Whether a word (a pointer, an interface's first word) is nil, or is not.
    Nil {
        /// Whether nil counts as true.
        is_nil: bool,
    },
    /// A string: pointer and length.
    String {
        /// Most bytes that are copied.
        max: u16,
    },
    /// An array of bytes. In a register, an array of one.
    Bytes {
        /// Bytes.
        len: u32,
        /// Most bytes that are copied.
        max: u16,
    },
    /// The name of the type that an interface's first word stands for.
    TypeName {
        /// See [`Step::Assert`].
        empty: bool,
        /// Most bytes that are copied.
        max: u16,
        /// The program's type data. Types that `reflect` makes at run time lie outside them, and
        /// have no name here.
        types: TypeData,
    },
}

/// The memory that describes the program's own types: `moduledata.types` to `etypes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeData {
    /// Address of the first byte; offsets of names count from here.
    pub va: u64,
    /// Bytes.
    pub size: u32,
}

/// Offsets in a type's descriptor, the same from Go 1.18 to 1.27: `abi.Type` of Go's
/// `src/internal/abi/type.go`.
pub mod descriptor {
    /// Bytes that all descriptors have in common.
    pub const COMMON: u64 = 48;
    /// `u8`: flags.
    pub const FLAGS: u64 = 20;
    /// The flag for a name that begins with a star that is not part of it (`abi.TFlagExtraStar`).
    pub const EXTRA_STAR: u8 = 2;
    /// `i32`: offset of the name from `moduledata.types`. A name is a byte of flags, a length as a
    /// varint, and UTF-8.
    pub const NAME: u64 = 40;
}

/// A root, the steps from there, and the leaf at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Where the path starts.
    pub root: Root,
    /// The pointers to follow. Empty for [`Root::Value`].
    pub steps: Vec<Step>,
    /// Bytes from the address in the last pointer to the leaf. 0 for [`Root::Value`].
    pub offset: i32,
    /// What is read there.
    pub leaf: Leaf,
}

impl Path {
    /// Whether the path starts at an argument or a result, as opposed to a word that the entry
    /// kept.
    pub fn reads_registers(&self) -> bool {
        self.sources().any(|source| !source.is_kept())
    }

    /// The sources at which the path starts.
    pub fn sources(&self) -> impl Iterator<Item = Source> {
        self.root.sources()
    }

    /// Whether the path can end before its leaf.
    pub(crate) fn can_fail(&self) -> bool {
        match self.root {
            // An interface may be nil, or of a type outside the type data.
            _ if matches!(self.leaf, Leaf::TypeName { .. }) => true,
            Root::Value { first, .. } => first.is_kept(),
            Root::Constant(_) | Root::Frame(_) => false,
            Root::Pointer(_) | Root::Interface { .. } => true,
        }
    }
}
