//! Turns a rule's expressions into paths of loads, for one function of one binary.
//!
//! Decides: which registers, offsets and type descriptors stand for `rw.(*response).status` in this very program.
//! Trusts: the description of the types for layouts, the ABI for registers; that `caller_keeps` is true is the rule's promise.
//! Never does: leave a path half resolved. What does not resolve is an error that names the part.

mod leaf;

use gopatch_protocol::manifest::{self, ValueType};
use gopatch_trampolines::plan::{CapturePlan, Gpr, Path, Root, Source, Step, TypeData};

use super::path::{Base, Expression, Selector};
use super::{Capture, Rule};
use crate::golang::abi::{AbiError, Assignment, Location, Register};
use crate::types::{Kind, Signature, Type, TypeError, TypeId, Types};
use crate::yaml::nearest::did_you_mean;
use gopatch_trampolines::arena::table::MAX_WORDS;

/// Longest chain of embedded fields in which a promoted field is looked for.
const MAX_EMBEDDING: usize = 4;

/// Longest chain of structs of one field and arrays of one element that a type may be.
const MAX_NESTING: usize = 64;

/// Why an expression does not resolve in this binary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// No such parameter or result.
    #[error("the function has no parameter or result `{name}`; it has {known}{nearest}")]
    NoParameter {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
        /// The one that was meant, perhaps.
        nearest: String,
    },
    /// A result at the entry.
    #[error("a result is known at the exit only")]
    ResultAtEntry,
    /// A parameter at the exit that nobody vouches for.
    #[error("at exit `{0}` is followed only if the rule's `caller_keeps` lists it: the caller must keep it alive")]
    NotKept(String),
    /// No such field.
    #[error("{type_name} has no field `{field}`; it has {known}{nearest}")]
    NoField {
        /// The struct.
        type_name: String,
        /// The name.
        field: String,
        /// Those there are.
        known: String,
        /// The one that was meant, perhaps.
        nearest: String,
    },
    /// An element behind the last.
    #[error("{type_name} has no element {index}")]
    NoElement {
        /// The array.
        type_name: String,
        /// The index.
        index: u64,
    },
    /// Bytes that a parameter holds, which the entry cannot keep.
    #[error("bytes of a parameter of type {0} are no longer there at the exit")]
    NotInWords(String),
    /// Descriptors of an unknown layout.
    #[error("this gopatch does not know how this version of Go describes types; get a later gopatch")]
    NoTypeNames,
    /// A field of something without fields, or an assertion on something that is no interface.
    #[error("{type_name} {what}")]
    NotA {
        /// The type.
        type_name: String,
        /// What it is not.
        what: &'static str,
    },
    /// No such type, or no interface holds it.
    #[error("no value of type {0} is ever in an interface in this program")]
    NoType(String),
    /// The value is in a floating-point register or of a kind that cannot be recorded.
    #[error("a value of type {0} cannot be recorded")]
    Unrecordable(String),
    /// Alternatives of different kinds.
    #[error("its alternatives are of different kinds")]
    Mixed,
    /// An offset past what an instruction can hold.
    #[error("{0} is too large: a field's offset does not fit in an instruction")]
    TooLarge(String),
    /// More words to keep than an entry of the table has.
    #[error("the exits need {0} words from the entry, more than the {MAX_WORDS} that can be kept")]
    TooManyWords(usize),
    /// A type cannot be resolved.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// The ABI cannot answer.
    #[error(transparent)]
    Abi(#[from] AbiError),
}

impl ResolveError {
    /// Whether it says what the function or the program has not, rather than that the rule is wrong for any.
    fn is_of_the_function(&self) -> bool {
        matches!(
            self,
            Self::NoParameter { .. }
                | Self::ResultAtEntry
                | Self::NoField { .. }
                | Self::NoElement { .. }
                | Self::NotA { .. }
                | Self::NoType(_)
                | Self::Unrecordable(_)
        )
    }
}

/// Which capture does not resolve.
#[derive(Debug)]
pub struct CaptureError {
    /// The attribute.
    pub attribute: String,
    /// The expression.
    pub text: String,
    /// Why.
    pub error: ResolveError,
}

/// A function's parameters and results, with their places.
pub struct Places<'t> {
    pub(super) types: &'t dyn Types,
    pub(super) signature: Signature<'t>,
    pub(super) assignment: Assignment,
    /// Where the program's types are described, if it is known how.
    type_data: Option<TypeData>,
}

/// What a point records, for the thunk and for the manifest.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// For the thunk.
    pub plans: Vec<CapturePlan>,
    /// For the manifest.
    pub captures: Vec<manifest::Capture>,
    /// Alternatives that do not apply, as no interface of this program holds such a type.
    pub left_out: Vec<String>,
}

/// Which end of the call is resolved, and what the exits have asked the entry to keep so far.
pub enum End<'k> {
    /// The entry.
    Enter,
    /// The exits.
    Exit(&'k mut Vec<Source>),
}

impl End<'_> {
    /// Words kept so far.
    fn kept(&self) -> usize {
        match self {
            Self::Enter => 0,
            Self::Exit(kept) => kept.len(),
        }
    }

    /// Forgets those that a path asked for which then did not resolve.
    fn keep_only(&mut self, words: usize) {
        if let Self::Exit(kept) = self {
            kept.truncate(words);
        }
    }
}

/// How far a path has got.
#[derive(Debug, Clone)]
enum Cursor {
    /// In a parameter or a result itself, this many bytes from its start.
    Value { location: Location, offset: u64, origin: Origin, type_id: TypeId },
    /// A word that is a pointer, or a struct or array of just that.
    Word { root: Root, steps: Vec<Step>, type_id: TypeId },
    /// In memory, this many bytes behind a pointer.
    Memory { root: Root, steps: Vec<Step>, offset: u64, type_id: TypeId },
}

/// Whether a value is read where it is, or was kept by the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Here,
    Kept,
}

impl<'t> Places<'t> {
    /// The places of a function's parameters and results.
    pub fn new(
        types: &'t dyn Types,
        signature: Signature<'t>,
        type_data: Option<TypeData>,
    ) -> Result<Self, ResolveError> {
        let assignment = Assignment::for_signature(types, &signature)?;
        Ok(Self { types, signature, assignment, type_data })
    }

    /// Bytes of stack arguments and spill area, to be compared with pclntab's.
    pub fn args_size(&self) -> u64 {
        self.assignment.args_size
    }

    /// Whether no result is on the stack, so that it does not matter what parameters there are.
    pub fn results_are_in_registers(&self) -> bool {
        self.assignment.results.iter().all(|result| matches!(result, Location::Registers(_)))
    }

    /// Resolves a point's captures. Alternatives may leave some out.
    pub fn point(&self, rule: &Rule, captures: &[Capture], end: &mut End<'_>) -> Result<Resolved, Box<CaptureError>> {
        let mut resolved = Resolved::default();
        for capture in captures {
            let kept = end.kept();
            let (plan, value) = match self.capture(rule, capture, end, &mut resolved.left_out) {
                Ok(found) => found,
                Err((text, error)) if capture.optional && error.is_of_the_function() => {
                    end.keep_only(kept);
                    resolved.left_out.push(named(capture, &text));
                    continue;
                }
                Err((text, error)) => {
                    return Err(Box::new(CaptureError { attribute: capture.attribute.clone(), text, error }));
                }
            };
            resolved.plans.push(plan);
            resolved.captures.push(manifest::Capture {
                attribute: capture.attribute.clone(),
                value,
                format: capture.format,
                zero_means: capture.zero_means,
                zero_means_unless: capture.zero_means_unless.clone(),
                absent_means: capture.absent_means,
                absent_means_unless: capture.absent_means_unless.clone(),
                omit_zero: capture.omit_zero,
            });
        }
        Ok(resolved)
    }

    /// Resolves one capture. Of several alternatives, those whose types the program does not have are left out.
    fn capture(
        &self,
        rule: &Rule,
        capture: &Capture,
        end: &mut End<'_>,
        left_out: &mut Vec<String>,
    ) -> Result<(CapturePlan, ValueType), (String, ResolveError)> {
        let mut paths = Vec::new();
        let mut value = None;
        let mut missing = None;
        for expression in &capture.values {
            let fail = |error| (expression.text.clone(), error);
            match self.expression(rule, expression, capture.max, end) {
                Ok((_, other)) if value.is_some_and(|first| first != other) => return Err(fail(ResolveError::Mixed)),
                Ok((found, kind)) => {
                    paths.extend(found);
                    value = Some(kind);
                }
                Err(error @ ResolveError::NoType(_)) => {
                    left_out.push(named(capture, &expression.text));
                    missing = Some(fail(error));
                }
                Err(error) => return Err(fail(error)),
            }
        }
        match (value, missing) {
            (Some(value), _) => Ok((CapturePlan { paths }, value)),
            (None, Some(missing)) => Err(missing),
            (None, None) => Err((String::new(), ResolveError::NoType("(no value given)".to_owned()))),
        }
    }

    /// Resolves one expression.
    pub(super) fn expression(
        &self,
        rule: &Rule,
        expression: &Expression,
        max: u16,
        end: &mut End<'_>,
    ) -> Result<(Vec<Path>, ValueType), ResolveError> {
        let mut cursor = self.base(rule, &expression.base, end)?;
        for selector in &expression.selectors {
            cursor = match selector {
                Selector::Field(name) => self.field(cursor, name, end)?,
                Selector::Assert { pointer, name } => {
                    let name = rule.full_name(name);
                    let name = if *pointer { format!("*{name}") } else { name };
                    self.assert(cursor, &name, end)?
                }
                Selector::Index(index) => self.element(cursor, *index, end)?,
            };
        }
        self.leaf(cursor, expression.form, max, end)
    }

    fn base(&self, rule: &Rule, base: &Base, end: &End<'_>) -> Result<Cursor, ResolveError> {
        let is_exit = matches!(end, End::Exit(_));
        let result = match base {
            Base::Result(index) => self.signature.results().nth(*index).map(|result| (*index, result.type_id)),
            Base::Name(name) => self
                .signature
                .results()
                .enumerate()
                .find(|(_, result)| result.name == name)
                .map(|(index, result)| (index, result.type_id)),
        };
        if let Some((index, type_id)) = result {
            if !is_exit {
                return Err(ResolveError::ResultAtEntry);
            }
            let location = self.assignment.results[index].clone();
            return Ok(Cursor::Value { location, offset: 0, origin: Origin::Here, type_id });
        }
        let input = match base {
            Base::Result(_) => None,
            Base::Name(name) => self.signature.inputs().enumerate().find(|(_, input)| input.name == name),
        };
        let (index, input) = input.ok_or_else(|| {
            let name = match base {
                Base::Name(name) => name.clone(),
                Base::Result(index) => format!("results[{index}]"),
            };
            let known = || self.signature.parameters.iter().map(|known| known.name).filter(|name| is_name(name));
            ResolveError::NoParameter { known: list(known()), nearest: did_you_mean(&name, known()), name }
        })?;
        if is_exit && !rule.caller_keeps.iter().any(|kept| kept == input.name) {
            return Err(ResolveError::NotKept(input.name.to_owned()));
        }
        let origin = if is_exit { Origin::Kept } else { Origin::Here };
        let location = self.assignment.inputs[index].clone();
        Ok(Cursor::Value { location, offset: 0, origin, type_id: input.type_id })
    }

    fn field(&self, cursor: Cursor, name: &str, end: &mut End<'_>) -> Result<Cursor, ResolveError> {
        let cursor = self.follow_pointer(cursor, end)?;
        let type_id = cursor.type_id();
        let resolved = self.types.resolve(type_id)?;
        let Kind::Struct(fields) = &resolved.kind else {
            return Err(ResolveError::NotA { type_name: resolved.name.to_string(), what: "has no fields" });
        };
        if let Some(field) = fields.iter().find(|field| field.name == name) {
            return Ok(cursor.into_part(field.offset, field.type_id));
        }
        let way = self.promoted(type_id, name, MAX_EMBEDDING)?;
        if way.is_empty() {
            return Err(ResolveError::NoField {
                type_name: resolved.name.to_string(),
                field: name.to_owned(),
                known: list(fields.iter().map(|field| field.name)),
                nearest: did_you_mean(name, fields.iter().map(|field| field.name)),
            });
        }
        way.into_iter().try_fold(cursor, |cursor, step| self.field(cursor, &step, end))
    }

    /// The embedded fields that lead to a promoted field, and the field itself; empty when there is none.
    fn promoted(&self, type_id: TypeId, name: &str, depth: usize) -> Result<Vec<String>, ResolveError> {
        if depth == 0 {
            return Ok(Vec::new());
        }
        let Kind::Struct(fields) = self.types.resolve(type_id)?.kind else { return Ok(Vec::new()) };
        for field in fields.iter().filter(|field| field.embedded) {
            let inner = match self.types.resolve(field.type_id)?.kind {
                Kind::Pointer(element) => element,
                _ => field.type_id,
            };
            let Kind::Struct(inner_fields) = self.types.resolve(inner)?.kind else { continue };
            if inner_fields.iter().any(|inner| inner.name == name) {
                return Ok(vec![field.name.to_owned(), name.to_owned()]);
            }
            let mut way = self.promoted(inner, name, depth - 1)?;
            if !way.is_empty() {
                way.insert(0, field.name.to_owned());
                return Ok(way);
            }
        }
        Ok(Vec::new())
    }

    fn element(&self, cursor: Cursor, index: u64, end: &mut End<'_>) -> Result<Cursor, ResolveError> {
        let cursor = self.follow_pointer(cursor, end)?;
        let resolved = self.types.resolve(cursor.type_id())?;
        let type_name = || resolved.name.to_string();
        let Kind::Array { element, len } = resolved.kind else {
            return Err(ResolveError::NotA { type_name: type_name(), what: "is not an array" });
        };
        if index >= len {
            return Err(ResolveError::NoElement { type_name: type_name(), index });
        }
        let bytes = self.types.resolve(element)?.size.checked_mul(index);
        Ok(cursor.into_part(bytes.ok_or_else(|| ResolveError::TooLarge(type_name()))?, element))
    }

    /// If the cursor is at a pointer, the memory that it points to; else the cursor itself.
    fn follow_pointer(&self, cursor: Cursor, end: &mut End<'_>) -> Result<Cursor, ResolveError> {
        let resolved = self.types.resolve(cursor.type_id())?;
        let Kind::Pointer(element) = resolved.kind else { return Ok(cursor) };
        let (root, steps) = pointer(cursor, &resolved, end)?;
        Ok(Cursor::Memory { root, steps, offset: 0, type_id: element })
    }

    fn assert(&self, cursor: Cursor, name: &str, end: &mut End<'_>) -> Result<Cursor, ResolveError> {
        let held = self.types.resolve(cursor.type_id())?;
        let Kind::Interface { empty } = held.kind else {
            return Err(ResolveError::NotA { type_name: held.name.to_string(), what: "is not an interface" });
        };
        let missing = || ResolveError::NoType(name.to_owned());
        let type_id = self.types.type_by_name(name)?.ok_or_else(missing)?;
        let target = self.types.resolve(type_id)?;
        let type_va = target.runtime_type.ok_or_else(missing)?.0;
        let (root, steps) = match cursor {
            Cursor::Value { location, offset, origin, .. } => {
                let tab = source(&location, offset, origin, &held, end)?;
                let data = source(&location, offset.saturating_add(8), origin, &held, end)?;
                (Root::Interface { tab, data, empty, type_va }, Vec::new())
            }
            Cursor::Memory { root, mut steps, offset, .. } => {
                steps.push(Step::Assert { offset: displacement(offset, &held)?, empty, type_va });
                (root, steps)
            }
            Cursor::Word { .. } => {
                return Err(ResolveError::NotA { type_name: held.name.to_string(), what: "is not in memory" });
            }
        };
        // An interface holds a value of one pointer as it is, any other by a pointer to it.
        Ok(if self.is_pointer_shaped(type_id)? {
            Cursor::Word { root, steps, type_id }
        } else {
            Cursor::Memory { root, steps, offset: 0, type_id }
        })
    }

    fn is_pointer_shaped(&self, type_id: TypeId) -> Result<bool, ResolveError> {
        let mut type_id = type_id;
        for _ in 0..MAX_NESTING {
            let resolved = self.types.resolve(type_id)?;
            match resolved.kind {
                Kind::Pointer(_) | Kind::UnsafePointer | Kind::Map | Kind::Chan | Kind::Func => return Ok(true),
                Kind::Struct(ref fields) if resolved.size == 8 && fields.len() == 1 => type_id = fields[0].type_id,
                Kind::Array { element, len: 1 } => type_id = element,
                _ => return Ok(false),
            }
        }
        Ok(false)
    }
}

impl Cursor {
    fn type_id(&self) -> TypeId {
        match self {
            Self::Value { type_id, .. } | Self::Word { type_id, .. } | Self::Memory { type_id, .. } => *type_id,
        }
    }

    /// The part of a struct at `bytes` from its start.
    fn into_part(self, bytes: u64, type_id: TypeId) -> Self {
        match self {
            Self::Value { location, offset, origin, .. } => {
                Self::Value { location, offset: offset.saturating_add(bytes), origin, type_id }
            }
            // A struct that is one word has one field.
            Self::Word { root, steps, .. } => Self::Word { root, steps, type_id },
            Self::Memory { root, steps, offset, .. } => {
                Self::Memory { root, steps, offset: offset.saturating_add(bytes), type_id }
            }
        }
    }
}

/// The way to the word at the cursor, as a pointer.
fn pointer(cursor: Cursor, resolved: &Type<'_>, end: &mut End<'_>) -> Result<(Root, Vec<Step>), ResolveError> {
    match cursor {
        Cursor::Value { location, offset, origin, .. } => {
            Ok((Root::Pointer(source(&location, offset, origin, resolved, end)?), Vec::new()))
        }
        Cursor::Word { root, steps, .. } => Ok((root, steps)),
        Cursor::Memory { root, mut steps, offset, .. } => {
            steps.push(Step::Load { offset: displacement(offset, resolved)? });
            Ok((root, steps))
        }
    }
}

/// The word of a parameter or result at `offset` bytes from its start.
fn source(
    location: &Location,
    offset: u64,
    origin: Origin,
    resolved: &Type<'_>,
    end: &mut End<'_>,
) -> Result<Source, ResolveError> {
    let here = match location {
        Location::Registers(parts) => {
            let register = parts.iter().find(|(part, _)| part.offset == offset).map(|(_, register)| *register);
            match register {
                Some(Register::Int(index)) => Source::Register(Gpr::ALL[usize::from(index)]),
                _ => return Err(ResolveError::Unrecordable(resolved.name.to_string())),
            }
        }
        Location::Stack { offset: start } => Source::Stack(displacement(start.saturating_add(offset), resolved)?),
    };
    match (origin, end) {
        (Origin::Kept, End::Exit(kept)) => {
            let index = kept.iter().position(|word| *word == here).unwrap_or_else(|| {
                kept.push(here);
                kept.len() - 1
            });
            if index >= MAX_WORDS {
                return Err(ResolveError::TooManyWords(index + 1));
            }
            Ok(Source::Kept(index as u8))
        }
        _ => Ok(here),
    }
}

fn displacement(offset: u64, resolved: &Type<'_>) -> Result<i32, ResolveError> {
    // Room for the second word of what is read there.
    i32::try_from(offset.saturating_add(16))
        .map(|end| end - 16)
        .map_err(|_| ResolveError::TooLarge(resolved.name.to_string()))
}

/// Whether a path can begin with that name, which Go's DWARF may have made up.
fn is_name(name: &str) -> bool {
    !name.starts_with('.')
}

fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn named(capture: &Capture, expression: &str) -> String {
    format!("{}: `{expression}`", capture.attribute)
}

/// The type names that a rule's assertions ask for, or that it declares.
pub fn named_types(rule: &Rule) -> Vec<String> {
    let asserted = rule.expressions().flat_map(|expression| &expression.selectors);
    let asserted = asserted.filter_map(|selector| match selector {
        Selector::Assert { pointer, name } => {
            let name = rule.full_name(name);
            Some(if *pointer { format!("*{name}") } else { name })
        }
        Selector::Field(_) | Selector::Index(_) => None,
    });
    asserted.chain(rule.declared_types().map(|(name, _)| rule.full_name(name))).collect()
}
