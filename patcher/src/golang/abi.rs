//! ABIInternal: where a function finds its parameters, and where it leaves its results.
//!
//! Decides: the register or the stack slot of each parameter and result, by the algorithm of Go's
//! `src/cmd/compile/abi-internal.md`, unchanged from Go 1.17 to 1.27.
//! Trusts: the description of the types and of the signature. If that leaves out a parameter, the
//! assignment is wrong: compare [`Assignment::args_size`] with the size in pclntab.
//! Never does: ABI0, where everything is on the stack (assembly functions).

use crate::types::{Kind, Parameter, Signature, TypeError, TypeId, Types};

/// Integer registers: RAX, RBX, RCX, RDI, RSI, R8, R9, R10, R11.
pub const INT_REGISTERS: u8 = 9;
/// Floating-point registers: X0 to X14.
pub const FLOAT_REGISTERS: u8 = 15;

const WORD: u64 = 8;

/// Most types that one layout may visit: far more than any parameter has, but a limit for a hostile
/// file.
const MAX_TYPES: u32 = 100_000;
/// Most types within each other by value.
const MAX_DEPTH: u32 = 64;

/// A register that carries a part of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Register {
    /// Index in the sequence RAX, RBX, RCX, RDI, RSI, R8, R9, R10, R11.
    Int(u8),
    /// Index in the sequence X0 to X14.
    Float(u8),
}

/// A part of a value that takes one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterPart {
    /// Bytes from the start of the value in memory.
    pub offset: u64,
    /// Bytes: 1, 2, 4 or 8. The register's other bytes are undefined.
    pub size: u64,
    /// The kind of register.
    pub kind: PartKind,
}

/// The kind of register that a part takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// Integers, booleans, pointers.
    Int,
    /// Floating-point numbers.
    Float,
}

/// Where a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In registers, each part in one.
    Registers(Vec<(RegisterPart, Register)>),
    /// On the stack, in one piece.
    Stack {
        /// Bytes from the first stack argument: the value of RSP at the function's first
        /// instruction, plus 8.
        offset: u64,
    },
}

/// What the ABI needs of a type to pass its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeLayout {
    size: u64,
    align: u64,
    /// The parts that take registers; `None` when the value always goes on the stack.
    parts: Option<Vec<RegisterPart>>,
}

impl TypeLayout {
    /// An integer, a boolean or a pointer.
    pub fn int(size: u64) -> Self {
        Self::part(size, PartKind::Int)
    }

    /// A floating-point number.
    pub fn float(size: u64) -> Self {
        Self::part(size, PartKind::Float)
    }

    /// Parts of one kind and size in a row: a string is two words, a complex number two floats.
    pub fn row(part: &Self, count: u64) -> Self {
        let fields: Vec<_> = (0..count).map(|index| (index * part.size, part.clone())).collect();
        Self::fields(part.size * count, &fields)
    }

    /// A struct of that size, with its fields and their offsets.
    pub fn fields(size: u64, fields: &[(u64, Self)]) -> Self {
        let align = fields.iter().map(|(_, field)| field.align).max().unwrap_or(1);
        let mut parts = Some(Vec::new());
        for (offset, field) in fields {
            parts = match (parts, &field.parts) {
                (Some(mut parts), Some(field_parts)) => {
                    parts.extend(
                        field_parts
                            .iter()
                            .map(|part| RegisterPart { offset: offset.saturating_add(part.offset), ..*part }),
                    );
                    (parts.len() <= usize::from(INT_REGISTERS + FLOAT_REGISTERS)).then_some(parts)
                }
                _ => None,
            };
        }
        Self { size, align, parts }
    }

    /// An array. Only one with at most one element may go in registers.
    pub fn array(size: u64, element: &Self, len: u64) -> Self {
        let parts = match len {
            0 => Some(Vec::new()),
            1 => element.parts.clone(),
            _ => None,
        };
        Self { size, align: element.align, parts }
    }

    /// The layout of a type.
    pub fn for_type(types: &dyn Types, id: TypeId) -> Result<Self, AbiError> {
        let mut budget = MAX_TYPES;
        Self::nested(types, id, MAX_DEPTH, &mut budget)
    }

    fn nested(types: &dyn Types, id: TypeId, depth: u32, budget: &mut u32) -> Result<Self, AbiError> {
        let resolved = types.resolve(id)?;
        let too_large = || AbiError::TooLarge(resolved.name.to_string());
        let depth = depth.checked_sub(1).ok_or_else(too_large)?;
        *budget = budget.checked_sub(1).ok_or_else(too_large)?;
        let word = Self::int(WORD);
        Ok(match &resolved.kind {
            Kind::Bool | Kind::Int { .. } if [1, 2, 4, 8].contains(&resolved.size) => Self::int(resolved.size),
            Kind::Float if [4, 8].contains(&resolved.size) => Self::float(resolved.size),
            Kind::Complex if [8, 16].contains(&resolved.size) => Self::row(&Self::float(resolved.size / 2), 2),
            Kind::Bool | Kind::Int { .. } | Kind::Float | Kind::Complex => {
                return Err(AbiError::Size { name: resolved.name.to_string(), size: resolved.size });
            }
            Kind::Pointer(_) | Kind::UnsafePointer | Kind::Map | Kind::Chan | Kind::Func => word,
            Kind::String | Kind::Interface { .. } => Self::row(&word, 2),
            Kind::Slice(_) => Self::row(&word, 3),
            // Vectors look like structs, and are passed in X registers.
            Kind::Struct(_) if resolved.name.starts_with("simd/archsimd.") => {
                return Err(AbiError::Vector(resolved.name.to_string()));
            }
            Kind::Struct(fields) => {
                let mut layouts = Vec::with_capacity(fields.len());
                for field in fields {
                    layouts.push((field.offset, Self::nested(types, field.type_id, depth, budget)?));
                }
                Self::fields(resolved.size, &layouts)
            }
            Kind::Array { element, len } => {
                Self::array(resolved.size, &Self::nested(types, *element, depth, budget)?, *len)
            }
        })
    }

    /// Size of a value.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Alignment of a value in memory.
    pub fn align(&self) -> u64 {
        self.align
    }

    fn part(size: u64, kind: PartKind) -> Self {
        Self { size, align: size, parts: Some(vec![RegisterPart { offset: 0, size, kind }]) }
    }
}

/// Where a function's parameters and results are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Receiver and parameters, in order, at the function's first instruction.
    pub inputs: Vec<Location>,
    /// Results, in order, at a return.
    pub results: Vec<Location>,
    /// Bytes from the first stack argument to the end of the spill area: `golang::Function::args`
    /// of this function.
    pub args_size: u64,
}

impl Assignment {
    /// Assigns a function's receiver and parameters, then its results.
    pub fn new(inputs: &[TypeLayout], results: &[TypeLayout]) -> Result<Self, AbiError> {
        let mut stack = Stack::default();
        let mut registers = Registers::default();
        let mut spill = Stack::default();
        let mut input_locations = Vec::with_capacity(inputs.len());
        for layout in inputs {
            let location = registers.assign(layout, &mut stack)?;
            if matches!(location, Location::Registers(_)) {
                spill.push(layout)?;
            }
            input_locations.push(location);
        }
        stack.align(WORD)?;
        let mut registers = Registers::default();
        let result_locations =
            results.iter().map(|layout| registers.assign(layout, &mut stack)).collect::<Result<_, _>>()?;
        stack.align(WORD)?;
        spill.align(WORD)?;
        let args_size = stack.end.checked_add(spill.end).ok_or_else(stack_overflow)?;
        Ok(Self { inputs: input_locations, results: result_locations, args_size })
    }

    /// Assigns a function by its signature.
    pub fn for_signature(types: &dyn Types, signature: &Signature<'_>) -> Result<Self, AbiError> {
        let layout = |parameter: &Parameter<'_>| TypeLayout::for_type(types, parameter.type_id);
        let inputs: Vec<_> = signature.inputs().map(layout).collect::<Result<_, _>>()?;
        let results: Vec<_> = signature.results().map(layout).collect::<Result<_, _>>()?;
        Self::new(&inputs, &results)
    }
}

/// Why parameters cannot be assigned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AbiError {
    /// A type cannot be resolved.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// A scalar of a size that Go does not have.
    #[error("type {name}: no such type of Go has {size} bytes")]
    Size {
        /// The type.
        name: String,
        /// Its size.
        size: u64,
    },
    /// A vector.
    #[error("type {0} is a vector, and gopatch does not know how Go passes vectors")]
    Vector(String),
    /// A type with too many types within it.
    #[error("type {0} is too large for a parameter")]
    TooLarge(String),
    /// Arguments larger than the address space.
    #[error("the parameters do not fit in the address space")]
    StackOverflow,
}

fn stack_overflow() -> AbiError {
    AbiError::StackOverflow
}

/// The next free registers.
#[derive(Debug, Default)]
struct Registers {
    int: u8,
    float: u8,
}

impl Registers {
    /// Assigns one value, to registers if they have room for all of it.
    fn assign(&mut self, layout: &TypeLayout, stack: &mut Stack) -> Result<Location, AbiError> {
        if layout.size > 0
            && let Some(location) = layout.parts.as_ref().and_then(|parts| self.take(parts))
        {
            return Ok(location);
        }
        Ok(Location::Stack { offset: stack.push(layout)? })
    }

    /// Takes a register for each part, or none.
    fn take(&mut self, parts: &[RegisterPart]) -> Option<Location> {
        let (mut int, mut float) = (self.int, self.float);
        let mut taken = Vec::with_capacity(parts.len());
        for part in parts {
            let register = match part.kind {
                PartKind::Int if int < INT_REGISTERS => {
                    int += 1;
                    Register::Int(int - 1)
                }
                PartKind::Float if float < FLOAT_REGISTERS => {
                    float += 1;
                    Register::Float(float - 1)
                }
                PartKind::Int | PartKind::Float => return None,
            };
            taken.push((*part, register));
        }
        (self.int, self.float) = (int, float);
        Some(Location::Registers(taken))
    }
}

/// A sequence of values in memory, each at the next multiple of its alignment.
#[derive(Debug, Default)]
struct Stack {
    end: u64,
}

impl Stack {
    fn push(&mut self, layout: &TypeLayout) -> Result<u64, AbiError> {
        self.align(layout.align)?;
        let offset = self.end;
        self.end = offset.checked_add(layout.size).ok_or_else(stack_overflow)?;
        Ok(offset)
    }

    fn align(&mut self, align: u64) -> Result<(), AbiError> {
        self.end = self.end.checked_next_multiple_of(align.max(1)).ok_or_else(stack_overflow)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word() -> TypeLayout {
        TypeLayout::int(8)
    }

    fn string() -> TypeLayout {
        TypeLayout::row(&word(), 2)
    }

    /// The registers of a location, or its offset on the stack.
    fn show(location: &Location) -> String {
        match location {
            Location::Stack { offset } => format!("+{offset}"),
            Location::Registers(parts) => {
                let parts = parts.iter().map(|(part, register)| match register {
                    Register::Int(index) => format!("I{index}@{}", part.offset),
                    Register::Float(index) => format!("F{index}@{}", part.offset),
                });
                parts.collect::<Vec<_>>().join(" ")
            }
        }
    }

    fn assign(inputs: &[TypeLayout], results: &[TypeLayout]) -> (Vec<String>, Vec<String>, u64) {
        let assignment = Assignment::new(inputs, results).unwrap();
        let show_all = |locations: &[Location]| locations.iter().map(show).collect();
        (show_all(&assignment.inputs), show_all(&assignment.results), assignment.args_size)
    }

    /// The example of abi-internal.md: `func f(a1 uint8, a2 [2]uintptr, a3 uint8) (r1 struct { x
    /// uintptr; y [2]uintptr }, r2 string)`. Its stack is a2 at 0, r1 at 16, then the spill area,
    /// 40 to 48.
    #[test]
    fn the_example_of_the_specification_is_assigned() {
        let pair = TypeLayout::array(16, &word(), 2);
        let r1 = TypeLayout::fields(24, &[(0, word()), (8, pair.clone())]);
        let (inputs, results, args_size) = assign(&[TypeLayout::int(1), pair, TypeLayout::int(1)], &[r1, string()]);
        assert_eq!(inputs, ["I0@0", "+0", "I1@0"]);
        assert_eq!(results, ["+16", "I0@0 I1@8"]);
        assert_eq!(args_size, 48);
    }

    #[test]
    fn a_value_that_does_not_fit_takes_no_register() {
        // Seven words are taken, so three more do not fit. A later one still gets the eighth.
        let slice = TypeLayout::row(&word(), 3);
        let seven = TypeLayout::row(&word(), 7);
        let (inputs, ..) = assign(&[seven, slice, word(), TypeLayout::float(8), string()], &[]);
        assert_eq!(inputs[1], "+0");
        assert_eq!(inputs[2], "I7@0");
        assert_eq!(inputs[3], "F0@0");
        assert_eq!(inputs[4], "+24", "a string needs two, one is left");
    }

    #[test]
    fn a_value_of_both_kinds_rolls_back_both() {
        let mixed = TypeLayout::fields(24, &[(0, TypeLayout::float(8)), (8, string())]);
        let (inputs, ..) = assign(&[TypeLayout::row(&word(), 8), mixed, TypeLayout::float(4), word()], &[]);
        assert_eq!(inputs[1..], ["+0", "F0@0", "I8@0"]);
    }

    #[test]
    fn each_field_takes_a_register_blank_or_not() {
        // struct { A int32; _ int32; B string; C [1]uint16 }
        let one = TypeLayout::array(2, &TypeLayout::int(2), 1);
        let layout =
            TypeLayout::fields(32, &[(0, TypeLayout::int(4)), (4, TypeLayout::int(4)), (8, string()), (24, one)]);
        let (inputs, ..) = assign(&[layout], &[]);
        assert_eq!(inputs, ["I0@0 I1@4 I2@8 I3@16 I4@24"]);
    }

    #[test]
    fn an_empty_value_is_on_the_stack_and_takes_no_space() {
        let empty = TypeLayout::fields(0, &[]);
        let none = TypeLayout::array(0, &word(), 0);
        let (inputs, _, args_size) = assign(&[empty, none, word()], &[]);
        assert_eq!(inputs, ["+0", "+0", "I0@0"]);
        assert_eq!(args_size, 8);
    }

    #[test]
    fn stack_arguments_are_aligned_by_their_type() {
        let bytes = |len| TypeLayout::array(len, &TypeLayout::int(1), len);
        let words = TypeLayout::array(16, &word(), 2);
        let (inputs, results, args_size) = assign(&[bytes(3), words, bytes(2)], &[bytes(2)]);
        assert_eq!(inputs, ["+0", "+8", "+24"]);
        assert_eq!(results, ["+32"], "results begin at a word");
        assert_eq!(args_size, 40);
    }

    #[test]
    fn float_registers_end_at_x14() {
        let complex = TypeLayout::row(&TypeLayout::float(8), 2);
        let (inputs, ..) = assign(&vec![complex; 8], &[]);
        assert_eq!(inputs[6], "F12@0 F13@8");
        assert_eq!(inputs[7], "+0");
    }

    #[test]
    fn compiled_functions_are_assigned_as_the_compiler_did() {
        use crate::dwarf::{Sections, TypeInfo, WantedNames};
        use crate::elf::Elf;
        use crate::golang::{GoBinary, testing};

        let elf = Elf::parse(testing::program()).unwrap();
        let go = GoBinary::read(&elf, &[]).unwrap();
        let sections = Sections::load(&elf).unwrap().unwrap();
        let compiled: Vec<_> = go
            .functions
            .all()
            .iter()
            .filter(|function| !function.flags.is_assembly() && !function.is_wrapper)
            .collect();
        let wanted = WantedNames {
            functions: compiled.iter().map(|function| function.name).collect(),
            ..WantedNames::default()
        };
        let types = TypeInfo::load(&sections, &wanted, go.module_data.types).unwrap();
        let (mut agree, mut differ) = (0, 0);
        for function in compiled {
            let Some(signature) = types.signature(function.name).unwrap() else { continue };
            let args_size = Assignment::for_signature(&types, &signature).unwrap().args_size;
            if function.args == Some(args_size as u32) {
                agree += 1;
            } else {
                // DWARF leaves out the dictionary of a generic function, and sometimes a blank
                // parameter.
                assert!(!function.name.starts_with("main."), "{}", function.name);
                differ += 1;
            }
        }
        assert!(agree > 1000 && differ * 10 < agree, "{agree} agree, {differ} differ");

        // As in the compiled code: CL is b, X0 c, X1 and X2 d, and so on.
        let locations = |name: &str| {
            let assignment = Assignment::for_signature(&types, &types.signature(name).unwrap().unwrap()).unwrap();
            let line = |locations: &[Location]| locations.iter().map(show).collect::<Vec<_>>().join(", ");
            (line(&assignment.inputs), line(&assignment.results))
        };
        let (inputs, results) = locations("main.Scalars");
        assert_eq!(inputs, "I0@0, I1@0, F0@0, F1@0 F2@8, I2@0, I3@0, I4@0");
        assert_eq!(results, "I0@0, F0@0, I1@0 I2@8");
        let (inputs, results) = locations("main.Words");
        assert_eq!(inputs, "I0@0 I1@8, I2@0 I3@8 I4@16, I5@0 I6@8, I7@0 I8@8, +0, +8");
        assert_eq!(results, "I0@0, F0@0");
        let (inputs, results) = locations("main.Arrays");
        assert_eq!(inputs, "+0, I0@0 I1@8, +16, +16, I2@0");
        assert_eq!(results, "+72, I0@0");
    }
}
