//! Resolves a rule's expressions: a path such as `rw.(*response).status` becomes registers, offsets
//! and type descriptors, for one function of one binary. `cursor` follows its steps, `leaf` reads
//! the value at its end.
//!
//! Trusts the description of the types for layouts, the ABI for registers, and the rule's promise
//! `caller_keeps`. A path that does not resolve is an error that names the part.

pub mod context;
mod cursor;
mod leaf;

use gopatch_protocol::manifest::{self, ValueType};
use gopatch_trampolines::arena::table::MAX_WORDS;
use gopatch_trampolines::plan::{CapturePlan, Gpr, Path, Source, TypeData};

use super::syntax::path::{Base, Expression, Selector};
use super::{Capture, Rule};
use crate::golang::abi::{AbiError, Assignment, Location};
use crate::types::{Signature, TypeError, Types};
use crate::yaml::nearest::did_you_mean;

use cursor::{Cursor, ReadAt};

/// Why an expression does not resolve in this binary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// No such parameter or result.
    #[error("the function has no parameter or result `{name}`; it has {known}{nearest}")]
    NoParameter {
        /// The name.
        name: String,
        /// Those that exist.
        known: String,
        /// A suggestion, or empty.
        nearest: String,
    },
    /// A parameter that the function never uses.
    #[error(
        "the function never uses `{0}`, so a hook cannot rely on it: the function does not keep it when its stack grows"
    )]
    Unused(String),
    /// A result, at the entry.
    #[error("a result is known at the exit only")]
    ResultAtEntry,
    /// A parameter at the exit that `caller_keeps` does not list.
    #[error(
        "at exit the parameter `{0}` can be followed only if `caller_keeps` lists it: the caller must keep it alive"
    )]
    NotKept(String),
    /// No such field.
    #[error("{type_name} has no field `{field}`; it has {known}{nearest}")]
    NoField {
        /// The struct.
        type_name: String,
        /// The name.
        field: String,
        /// Those that exist.
        known: String,
        /// A suggestion, or empty.
        nearest: String,
    },
    /// An index after the last element.
    #[error("{type_name} has no element {index}")]
    NoElement {
        /// The array.
        type_name: String,
        /// The index.
        index: u64,
    },
    /// An array of bytes passed by value, which the entry cannot keep.
    #[error("the bytes of a parameter of type {0} no longer exist at the exit")]
    NotInWords(String),
    /// Maps of an unknown layout.
    #[error(
        "this gopatch does not know how this version of Go, with its GOEXPERIMENT, lays out maps; use a later gopatch"
    )]
    UnknownMaps,
    /// Type descriptors of an unknown layout.
    #[error("this gopatch does not know the type descriptors of this version of Go; use a later gopatch")]
    NoTypeNames,
    /// A step that the type does not allow: a field, an index, an assertion.
    #[error("{type_name} {what}")]
    NotA {
        /// The type.
        type_name: String,
        /// Why not.
        what: &'static str,
    },
    /// No such type, or none that an interface holds.
    #[error("no interface in this program ever holds a value of type {0}")]
    NoType(String),
    /// The value is in a floating-point register or of a kind that cannot be recorded.
    #[error("a value of type {0} cannot be recorded")]
    Unrecordable(String),
    /// Alternatives of different kinds.
    #[error("the alternatives have values of different kinds")]
    Mixed,
    /// An offset too large for an instruction.
    #[error("{0} is too large: a field's offset does not fit in an instruction")]
    TooLarge(String),
    /// More words to keep than an entry of the words table holds.
    #[error("the exits need {0} words from the entry, more than the {MAX_WORDS} that can be kept")]
    TooManyWords(usize),
    /// A type that cannot be resolved.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// Parameters that the ABI code cannot place.
    #[error(transparent)]
    Abi(#[from] AbiError),
}

impl ResolveError {
    /// Whether the function or the program lacks something, rather than that the rule is wrong for
    /// all.
    fn is_of_the_function(&self) -> bool {
        matches!(
            self,
            Self::NoParameter { .. }
                | Self::Unused(_)
                | Self::ResultAtEntry
                | Self::NoField { .. }
                | Self::NoElement { .. }
                | Self::NotA { .. }
                | Self::NoType(_)
                | Self::Unrecordable(_)
        )
    }
}

/// A capture that does not resolve.
#[derive(Debug)]
pub struct CaptureError {
    /// Its attribute.
    pub attribute: String,
    /// Its expression.
    pub text: String,
    /// Why.
    pub error: ResolveError,
}

/// A function's parameters and results, and where they are.
pub struct Places<'t> {
    pub(super) types: &'t dyn Types,
    pub(super) signature: Signature<'t>,
    pub(super) assignment: Assignment,
    /// Where the program's type descriptors are, if their layout is known.
    type_data: Option<TypeData>,
    /// Registers whose arguments a hook at the entry may find overwritten.
    lost: &'t [Gpr],
}

/// What one end of a call records, for the thunk and for the manifest.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// For the thunk.
    pub plans: Vec<CapturePlan>,
    /// For the manifest.
    pub captures: Vec<manifest::Capture>,
    /// Captures and alternatives that this program does not have.
    pub left_out: Vec<String>,
}

/// The end of the call for which paths are resolved; for the exits, also the words that the entry
/// keeps so far.
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

    /// Forgets the words of a path that did not resolve.
    fn keep_only(&mut self, words: usize) {
        if let Self::Exit(kept) = self {
            kept.truncate(words);
        }
    }
}

impl<'t> Places<'t> {
    /// Assigns a function's parameters and results to registers and the stack. `lost` are the
    /// registers whose arguments a hook at the entry may find overwritten.
    pub fn new(
        types: &'t dyn Types,
        signature: Signature<'t>,
        type_data: Option<TypeData>,
        lost: &'t [Gpr],
    ) -> Result<Self, ResolveError> {
        let assignment = Assignment::for_signature(types, &signature)?;
        Ok(Self { types, signature, assignment, type_data, lost })
    }

    /// Bytes of stack arguments and spill area, to be compared with pclntab.
    pub fn args_size(&self) -> u64 {
        self.assignment.args_size
    }

    /// Whether no result is on the stack: then the parameters do not matter to them.
    pub fn results_are_in_registers(&self) -> bool {
        self.assignment.results.iter().all(|result| matches!(result, Location::Registers(_)))
    }

    /// Resolves the captures of one end of a call. Optional ones that do not resolve are left out.
    pub fn point(&self, rule: &Rule, captures: &[Capture], end: &mut End<'_>) -> Result<Resolved, Box<CaptureError>> {
        let mut resolved = Resolved::default();
        for capture in captures {
            let kept = end.kept();
            let (plan, value) = match self.capture(rule, capture, end, &mut resolved.left_out) {
                Ok(found) => found,
                Err((text, error)) if capture.optional && error.is_of_the_function() => {
                    end.keep_only(kept);
                    resolved.left_out.push(label(capture, &text));
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

    /// Resolves one capture. Alternatives with types that the program does not have are left out.
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
                    left_out.push(label(capture, &expression.text));
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
        let kept_before = end.kept();
        let cursor = self.walk(rule, expression, end)?;
        let (paths, value) = self.leaf(cursor, expression.form, max, end)?;
        let is_lost = |source| matches!(source, Source::Register(register) if self.lost.contains(&register));
        let reads_lost = match end {
            End::Enter => paths.iter().flat_map(Path::sources).any(is_lost),
            // Words are kept at the entry; registers at the exit have results.
            End::Exit(kept) => kept[kept_before..].iter().copied().any(is_lost),
        };
        if reads_lost { Err(ResolveError::Unused(expression.text.clone())) } else { Ok((paths, value)) }
    }

    /// Follows an expression's path to its end.
    fn walk(&self, rule: &Rule, expression: &Expression, end: &mut End<'_>) -> Result<Cursor, ResolveError> {
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
        Ok(cursor)
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
            return Ok(Cursor::Value { location, offset: 0, origin: ReadAt::Here, type_id });
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
        let origin = if is_exit { ReadAt::Kept } else { ReadAt::Here };
        let location = self.assignment.inputs[index].clone();
        Ok(Cursor::Value { location, offset: 0, origin, type_id: input.type_id })
    }
}

/// Whether a path can begin with that name; Go's DWARF has made-up ones, which begin with a dot.
fn is_name(name: &str) -> bool {
    !name.starts_with('.')
}

fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn label(capture: &Capture, expression: &str) -> String {
    format!("{}: `{expression}`", capture.attribute)
}

/// The names of the types that a rule asserts or declares.
pub fn named_types(rule: &Rule) -> Vec<String> {
    let asserted = rule.expressions().flat_map(|expression| &expression.selectors);
    let asserted = asserted.filter_map(|selector| match selector {
        Selector::Assert { pointer, name } => {
            let name = rule.full_name(name);
            Some(if *pointer { format!("*{name}") } else { name })
        }
        Selector::Field(_) | Selector::Index(_) => None,
    });
    let through = rule.context.iter().flat_map(|context| context.through.iter().cloned());
    let writer = rule.context.iter().filter(|context| context.carries.is_some()).map(|_| context::WRITER.to_owned());
    let declared = rule.declared_types().map(|(name, _)| rule.full_name(name));
    asserted.chain(through).chain(writer).chain(declared).collect()
}
