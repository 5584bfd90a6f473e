//! The types of a random program, and the Go code for each.

use std::fmt;

/// A type of a random program. Structs are the program's own `tN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// An integer or a floating-point number.
    Number(&'static str),
    Bool,
    Text,
    Complex,
    Slice(&'static str),
    Array(usize),
    Struct(usize),
    Pointer(usize),
    Shape,
    Error,
    Call,
    Any,
    Map,
}

/// The numbers: integers first.
pub(super) const NUMBERS: [&str; 10] =
    ["int", "int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64", "float32", "float64"];

/// How many of them are integers.
pub(super) const INTEGERS: usize = 8;

/// The types of a slice's elements.
pub(super) const ELEMENTS: [&str; 4] = ["int", "string", "float64", "byte"];

/// Lengths of arrays: one is passed in a register, the others on the stack.
pub(super) const LENGTHS: [usize; 4] = [1, 3, 8, 40];

impl Type {
    /// Any type that a value can have, of a program with this many structs.
    pub(super) fn random(rng: &mut fastrand::Rng, structs: usize) -> Self {
        match rng.u32(0..24) {
            0..=7 => Self::Number(NUMBERS[rng.usize(0..NUMBERS.len())]),
            8 => Self::Bool,
            9..=10 => Self::Text,
            11 => Self::Complex,
            12..=13 => Self::Slice(ELEMENTS[rng.usize(0..ELEMENTS.len())]),
            14 => Self::Array(LENGTHS[rng.usize(0..LENGTHS.len())]),
            15..=16 if structs > 0 => Self::Struct(rng.usize(0..structs)),
            17 if structs > 0 => Self::Pointer(rng.usize(0..structs)),
            18 if structs > 0 => Self::Shape,
            19 => Self::Error,
            20 => Self::Call,
            21 => Self::Any,
            22 => Self::Map,
            _ => Self::Number("int"),
        }
    }

    /// Whether it is an integer.
    pub(super) fn is_integer(&self) -> bool {
        matches!(self, Self::Number(name) if NUMBERS[..INTEGERS].contains(name))
    }

    /// Whether its values can be compared with `==` without a panic.
    pub(super) fn is_comparable(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Bool | Self::Text | Self::Complex | Self::Array(_))
    }

    /// The statement that adds a value to the sum of `s`.
    pub(super) fn add(&self, value: &str) -> String {
        match self {
            Self::Number(name) if name.starts_with("float") => format!("s.F(float64({value}))"),
            Self::Number(_) => format!("s.U(uint64({value}))"),
            Self::Text => format!("s.T({value})"),
            Self::Complex => format!("s.F(real({value})); s.F(imag({value}))"),
            Self::Bool | Self::Slice(_) | Self::Array(_) | Self::Map => format!("s.V({value})"),
            Self::Struct(_) => format!("{value}.add(s)"),
            Self::Pointer(_) => format!("if {value} != nil {{ {value}.add(s) }}"),
            Self::Shape => format!("if {value} != nil {{ s.U(uint64({value}.Size(3))); s.T({value}.Name()) }}"),
            Self::Error => format!("if {value} != nil {{ s.T({value}.Error()) }}"),
            Self::Call => format!("if {value} != nil {{ s.U(uint64({value}(5))) }}"),
            Self::Any => format!("addAny(s, {value})"),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(name) => f.write_str(name),
            Self::Bool => f.write_str("bool"),
            Self::Text => f.write_str("string"),
            Self::Complex => f.write_str("complex128"),
            Self::Slice(element) => write!(f, "[]{element}"),
            Self::Array(length) => write!(f, "[{length}]int"),
            Self::Struct(number) => write!(f, "t{number}"),
            Self::Pointer(number) => write!(f, "*t{number}"),
            Self::Shape => f.write_str("shape"),
            Self::Error => f.write_str("error"),
            Self::Call => f.write_str("func(int) int"),
            Self::Any => f.write_str("any"),
            Self::Map => f.write_str("map[string]int"),
        }
    }
}

/// The type of the elements of a slice.
pub(super) fn element_type(element: &str) -> Type {
    match ELEMENTS.iter().position(|one| *one == element) {
        Some(1) => Type::Text,
        Some(2) => Type::Number("float64"),
        Some(3) => Type::Number("uint8"),
        _ => Type::Number("int"),
    }
}
