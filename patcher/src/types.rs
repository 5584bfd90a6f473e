//! Go's types, in one form for all sources: DWARF, the program's run-time type data, or a rule's
//! declarations.
//!
//! Decides: what a type, a field and a signature are.
//! Never does: read a file, or resolve more than one type at a time. A type refers to others by
//! [`TypeId`].

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::address::Va;

/// The source of a program's types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// DWARF: types, and the functions' signatures.
    Dwarf,
    /// The type data that the program itself uses at run time. Signatures come from the rules.
    Runtime,
}

impl Display for Origin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dwarf => "DWARF",
            Self::Runtime => "run-time type data",
        })
    }
}

/// A type, by its place in its description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TypeId {
    /// Offset of the entry in .debug_info.
    Dwarf(usize),
    /// Address of the run-time descriptor.
    Runtime(Va),
    /// Number among the types of a rule's declarations.
    Declared(usize),
}

impl Display for TypeId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dwarf(offset) => write!(f, ".debug_info+{offset:#x}"),
            Self::Runtime(va) => write!(f, "address {va}"),
            Self::Declared(number) => write!(f, "number {number} of the rule's declarations"),
        }
    }
}

/// A description of types.
pub trait Types {
    /// Describes a type.
    fn resolve(&self, id: TypeId) -> Result<Type<'_>, TypeError>;

    /// The type with that name and import path, such as `*net/http.response`; `None` when there is
    /// none.
    fn type_by_name(&self, name: &str) -> Result<Option<TypeId>, TypeError>;
}

/// Why a type cannot be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TypeError {
    /// The description cannot be read.
    #[error(transparent)]
    Unreadable(Box<dyn Error + Send + Sync>),
    /// A name in a rule's declarations that no description has.
    #[error("the run-time type data has no type {0}, and the rule's `signature` does not declare it")]
    Undeclared(String),
    /// A type of another description.
    #[error("the type at {0} belongs to another description")]
    Foreign(TypeId),
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type<'d> {
    /// As Go spells it, with import paths: `*net/http.response`.
    pub name: Cow<'d, str>,
    /// Size of a value.
    pub size: u64,
    /// What it is.
    pub kind: Kind<'d>,
    /// Its run-time descriptor (`internal/abi.Type`), to which an interface with such a value
    /// points: directly if the interface is empty, else through the itab. `None` when the program
    /// has none, so no interface holds such a value.
    pub runtime_type: Option<Va>,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind<'d> {
    /// `bool`.
    Bool,
    /// Integers, `uintptr` included.
    Int {
        /// Whether it can be negative.
        signed: bool,
    },
    /// `float32`, `float64`.
    Float,
    /// `complex64`, `complex128`: two floats.
    Complex,
    /// A pointer to a type.
    Pointer(TypeId),
    /// `unsafe.Pointer`.
    UnsafePointer,
    /// Pointer and length.
    String,
    /// Pointer, length and capacity; with this type of element.
    Slice(TypeId),
    /// Two words: the type of the value, and a pointer to it or the pointer itself.
    Interface {
        /// Without methods. Then the first word points to the run-time type, otherwise to the itab.
        empty: bool,
    },
    /// A pointer to the runtime's map.
    Map,
    /// A pointer to the runtime's channel.
    Chan,
    /// A pointer to a closure.
    Func,
    /// Fields, in order, blank ones included.
    Struct(Vec<Field<'d>>),
    /// A fixed number of elements.
    Array {
        /// Element.
        element: TypeId,
        /// Number.
        len: u64,
    },
}

/// A field of a struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'d> {
    /// Name; for an embedded field its type's, without the package.
    pub name: &'d str,
    /// Bytes from the start of the struct.
    pub offset: u64,
    /// Type.
    pub type_id: TypeId,
    /// Whether its fields are promoted.
    pub embedded: bool,
}

/// A parameter or a result of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'d> {
    /// Name. In DWARF `~r0` for the first result when it has none, `~p0` for a parameter that is
    /// blank.
    pub name: &'d str,
    /// Type.
    pub type_id: TypeId,
    /// Whether it is a result.
    pub is_result: bool,
}

/// The parameters of a function, in order, the receiver first.
///
/// DWARF leaves out blank parameters until Go 1.21, and the dictionary of a generic function until
/// Go 1.26; a rule may be wrong. So compare the size of the arguments that follows from a signature
/// (`golang::abi::Assignment::args_size`) with the size in pclntab (`golang::Function::args`), and
/// refuse the signature when they differ. DWARF always has all results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature<'d> {
    /// Receiver, parameters, results.
    pub parameters: Vec<Parameter<'d>>,
}

impl<'d> Signature<'d> {
    /// Receiver and parameters.
    pub fn inputs(&self) -> impl Iterator<Item = &Parameter<'d>> {
        self.parameters.iter().filter(|parameter| !parameter.is_result)
    }

    /// Results.
    pub fn results(&self) -> impl Iterator<Item = &Parameter<'d>> {
        self.parameters.iter().filter(|parameter| parameter.is_result)
    }
}
