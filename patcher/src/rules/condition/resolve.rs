//! Resolves conditions: the paths of comparisons become loads, for one function of one binary.
//!
//! [`Places`] knows where values are. A condition resolves as a whole or not at all, and follows
//! only values that exist at its end of the call.

use gopatch_protocol::manifest::{At, ValueType};
use gopatch_trampolines::plan::filter::{self, Order, Relation, Test};
use gopatch_trampolines::plan::{Leaf, Path};

use super::{Comparison, Condition, Node, Right};
use crate::rules::resolve::{End, Places, ResolveError};
use crate::rules::syntax::path::Form;
use crate::rules::{LARGEST_MAX, Rule};

/// A comparison that does not resolve.
#[derive(Debug)]
pub struct Unresolved {
    /// Its path.
    pub text: String,
    /// Why it does not resolve.
    pub error: ComparisonError,
}

/// Why a comparison does not resolve in this binary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComparisonError {
    /// Its path does not resolve.
    #[error(transparent)]
    Path(ResolveError),
    /// A result, but the condition is evaluated at the entry.
    #[error(
        "a result is known at the exit only, but the condition of a rule with an entry is evaluated at the entry; to \
         test results, give the rule `exit` alone"
    )]
    ResultAtEntry,
    /// A parameter, but the condition is evaluated at the exit.
    #[error(
        "a parameter is known at the entry only, but the condition of a rule with `exit` alone is evaluated at the exit; \
         add `enter: {{}}` to the rule"
    )]
    ParameterAtExit,
    /// Values of different kinds.
    #[error("{left} cannot be compared with {right}")]
    Kinds {
        /// The kind of the path's value.
        left: &'static str,
        /// The kind of the constant.
        right: &'static str,
    },
    /// A number that no value of the type can be equal to.
    #[error("{constant} is out of the range of {} integer of {} bits", if *.signed { "a signed" } else { "an unsigned" }, 8 * .size)]
    Range {
        /// The number.
        constant: i128,
        /// Bytes of the type.
        size: u8,
        /// Whether the type has negative values.
        signed: bool,
    },
}

impl Condition {
    /// Finds the values that the condition compares at that end of a function's calls.
    pub fn resolve(&self, places: &Places<'_>, rule: &Rule, at: At) -> Result<filter::Condition, Box<Unresolved>> {
        self.meaning.resolve(&|comparison| {
            let fail = |error| Box::new(Unresolved { text: comparison.left.text.clone(), error });
            comparison.resolve(places, rule, at).map_err(fail)
        })
    }
}

impl Node {
    fn resolve<E>(&self, test: &impl Fn(&Comparison) -> Result<Test, E>) -> Result<filter::Condition, E> {
        let all = |parts: &[Self]| parts.iter().map(|part| part.resolve(test)).collect::<Result<_, E>>();
        Ok(match self {
            Self::Comparison(comparison) => filter::Condition::Test(test(comparison)?),
            Self::Not(inner) => filter::Condition::Not(Box::new(inner.resolve(test)?)),
            Self::All(parts) => filter::Condition::All(all(parts)?),
            Self::Any(parts) => filter::Condition::Any(all(parts)?),
        })
    }
}

impl Comparison {
    fn resolve(&self, places: &Places<'_>, rule: &Rule, at: At) -> Result<Test, ComparisonError> {
        let mut kept = Vec::new();
        let mut end = if at == At::Enter { End::Enter } else { End::Exit(&mut kept) };
        let found = places.expression(rule, &self.left, LARGEST_MAX, &mut end);
        let (paths, value) = found.map_err(|error| match error {
            ResolveError::ResultAtEntry => ComparisonError::ResultAtEntry,
            ResolveError::NotKept(_) => ComparisonError::ParameterAtExit,
            other => ComparisonError::Path(other),
        })?;
        if !kept.is_empty() {
            return Err(ComparisonError::ParameterAtExit);
        }
        let relation = match (&self.right, value) {
            (Right::True, ValueType::Bool) if matches!(self.left.form, Form::IsNil(_)) => Relation::Holds,
            (Right::True, ValueType::Bool) => Relation::Number { order: Order::NotEqual, constant: 0 },
            (Right::Number(order, number), ValueType::Int | ValueType::Uint) => {
                Relation::Number { order: *order, constant: in_range(*number, &paths)? }
            }
            (Right::Text { bytes, prefix, is }, ValueType::String) => {
                Relation::Text { bytes: bytes.clone(), prefix: *prefix, is: *is }
            }
            (right, value) => return Err(ComparisonError::Kinds { left: kind(value), right: right.kind() }),
        };
        Ok(Test { paths, relation })
    }
}

impl Right {
    fn kind(&self) -> &'static str {
        match self {
            Self::True => "true or false",
            Self::Number(..) => "a number",
            Self::Text { .. } => "a string",
        }
    }
}

fn kind(value: ValueType) -> &'static str {
    match value {
        ValueType::Int | ValueType::Uint => "an integer",
        ValueType::Bool => "a boolean",
        ValueType::String => "a string",
    }
}

/// The 64 bits of a number that the integers at the ends of these paths can be.
fn in_range(number: i128, paths: &[Path]) -> Result<i64, ComparisonError> {
    for path in paths {
        let Leaf::Int { size, signed } = path.leaf else { continue };
        let bits = 8 * u32::from(size);
        let range = if signed { -(1 << (bits - 1))..1i128 << (bits - 1) } else { 0..1i128 << bits };
        if !range.contains(&number) {
            return Err(ComparisonError::Range { constant: number, size, signed });
        }
    }
    Ok(number as i64)
}
