//! Skipped functions: a rule's constants become the parts of a function's results.
//!
//! Trusts the types and the ABI. Integers, booleans and strings are never rounded, cut or
//! converted: a constant that is not a value of the result's type is an error. A number for a
//! floating-point result becomes the nearest value.

use gopatch_trampolines::plan::{Gpr, ResultPart, ResultPlace, ResultValue};

use super::resolve::Places;
use super::syntax::constant::Constant;
use crate::golang::abi::{Location, Register};
use crate::types::{Kind, TypeError};

/// Why the constants cannot be a function's results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SkipError {
    /// A wrong number of constants.
    #[error("the function has {results} results, but `skip` has {constants} constants: give one for each, in order")]
    Count {
        /// Results.
        results: usize,
        /// Constants.
        constants: usize,
    },
    /// A constant of the wrong kind.
    #[error("{constant} is not a value of type {type_name}: {wanted}")]
    Kind {
        /// The constant.
        constant: String,
        /// The result's type.
        type_name: String,
        /// What is a value of the type.
        wanted: &'static str,
    },
    /// A number out of the range of the type.
    #[error("{constant} does not fit in {type_name}")]
    Range {
        /// The number.
        constant: String,
        /// The result's type.
        type_name: String,
    },
    /// A type that cannot be resolved.
    #[error(transparent)]
    Type(#[from] TypeError),
}

/// The results of a skipped function.
#[derive(Debug, Clone, Default)]
pub struct Skip {
    /// For the thunk.
    pub parts: Vec<ResultPart>,
    /// The constants, as in Go.
    pub shown: Vec<String>,
}

impl Places<'_> {
    /// Assigns one constant to each result. An error has the position of the constant, unless their
    /// number is wrong.
    pub fn skip(&self, constants: &[Constant]) -> Result<Skip, (Option<usize>, SkipError)> {
        let results: Vec<_> = self.signature.results().map(|result| result.type_id).collect();
        if results.len() != constants.len() {
            return Err((None, SkipError::Count { results: results.len(), constants: constants.len() }));
        }
        let mut skip = Skip::default();
        for (index, (constant, type_id)) in constants.iter().zip(results).enumerate() {
            let fail = |error| (Some(index), error);
            let resolved = self.types.resolve(type_id).map_err(|error| fail(error.into()))?;
            let (values, shown) = values(constant, &resolved.kind, resolved.size).map_err(|why| {
                let (constant, type_name) = (constant.to_string(), resolved.name.to_string());
                fail(match why {
                    Some(wanted) => SkipError::Kind { constant, type_name, wanted },
                    None => SkipError::Range { constant, type_name },
                })
            })?;
            let size = if values.len() > 1 { 8 } else { resolved.size as u8 };
            for (word, value) in values.into_iter().enumerate() {
                let place = place(&self.assignment.results[index], 8 * word as u64);
                let place = place.ok_or_else(|| {
                    fail(SkipError::Range { constant: shown.clone(), type_name: resolved.name.to_string() })
                })?;
                skip.parts.push(ResultPart { place, size, value });
            }
            skip.shown.push(shown);
        }
        Ok(skip)
    }
}

/// The words of a constant as a value of that kind, and its text in Go. An error says what is a
/// value of the kind; it is `None` if only the range is wrong.
fn values(constant: &Constant, kind: &Kind<'_>, size: u64) -> Result<(Vec<ResultValue>, String), Option<&'static str>> {
    let bits = |bits: u64| vec![ResultValue::Bits(bits)];
    let nil = |words| if constant.is_nil() { Ok(vec![ResultValue::Bits(0); words]) } else { Err(Some("only nil is")) };
    let values = match (kind, constant) {
        (Kind::Bool, Constant::Bool(value)) => bits((*value).into()),
        (Kind::Bool, _) => return Err(Some("only true and false are")),
        (Kind::Int { signed }, Constant::Int(number)) => {
            let width = 8 * size as u32;
            let range = if *signed { -(1 << (width - 1))..1 << (width - 1) } else { 0..1i128 << width };
            if !range.contains(number) {
                return Err(None);
            }
            bits(*number as u64 & (u64::MAX >> (64 - width)))
        }
        (Kind::Int { .. }, _) => return Err(Some("only whole numbers are")),
        (Kind::Float, Constant::Int(_) | Constant::Float(_)) => {
            let number = if let Constant::Float(number) = constant {
                *number
            } else {
                constant.to_string().parse().unwrap_or(f64::NAN)
            };
            let narrow = number as f32;
            match size {
                4 if narrow.is_infinite() && number.is_finite() => return Err(None),
                4 => bits(narrow.to_bits().into()),
                _ => bits(number.to_bits()),
            }
        }
        (Kind::Float, _) => return Err(Some("only numbers are")),
        (Kind::String, Constant::Text(text)) => {
            let bytes = text.as_bytes().to_vec();
            let len = ResultValue::Bits(bytes.len() as u64);
            let values = vec![if bytes.is_empty() { ResultValue::Bits(0) } else { ResultValue::Text(bytes) }, len];
            return Ok((values, format!("{text:?}")));
        }
        (Kind::String, _) => {
            return Err(Some("only strings are; quote a number or a word that YAML reads as a boolean"));
        }
        (Kind::Pointer(_) | Kind::UnsafePointer | Kind::Map | Kind::Chan | Kind::Func, _) => nil(1)?,
        (Kind::Interface { .. }, _) => nil(2)?,
        (Kind::Slice(_), _) => nil(3)?,
        (Kind::Struct(_) | Kind::Array { .. } | Kind::Complex, _) => {
            return Err(Some(
                "`skip` has no constants for structs, arrays and complex numbers, so the function cannot be skipped",
            ));
        }
    };
    Ok((values, constant.to_string()))
}

/// The place of the part of a result that begins at `offset`.
fn place(location: &Location, offset: u64) -> Option<ResultPlace> {
    match location {
        Location::Registers(parts) => {
            let (_, register) = parts.iter().find(|(part, _)| part.offset == offset)?;
            Some(match *register {
                Register::Int(index) => ResultPlace::Register(*Gpr::ALL.get(usize::from(index))?),
                Register::Float(index) => ResultPlace::Float(index),
            })
        }
        // Leaves room for the distance from RSP to the frame address.
        Location::Stack { offset: start } => {
            i32::try_from(start.checked_add(offset)?.checked_add(16)?).ok().map(|end| ResultPlace::Stack(end - 16))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TypeId;

    fn bits(constant: &Constant, kind: &Kind<'_>, size: u64) -> Option<u64> {
        match values(constant, kind, size).ok()?.0[..] {
            [ResultValue::Bits(bits)] => Some(bits),
            _ => None,
        }
    }

    #[test]
    fn a_number_must_be_in_the_range_of_its_type() {
        let (signed, unsigned) = (Kind::Int { signed: true }, Kind::Int { signed: false });
        for (number, kind, size, expected) in [
            (-128, &signed, 1, Some(0x80)),
            (128, &signed, 1, None),
            (255, &unsigned, 1, Some(0xff)),
            (256, &unsigned, 1, None),
            (-1, &unsigned, 8, None),
            (-1, &signed, 4, Some(0xffff_ffff)),
            (i128::from(u64::MAX), &unsigned, 8, Some(u64::MAX)),
            (i128::from(u64::MAX), &signed, 8, None),
            (i128::from(i64::MIN), &signed, 8, Some(1 << 63)),
        ] {
            assert_eq!(bits(&Constant::Int(number), kind, size), expected, "{number} {size}");
        }
        assert_eq!(bits(&Constant::Float(1.5), &Kind::Float, 4), Some(0x3fc0_0000));
        assert_eq!(bits(&Constant::Int(2), &Kind::Float, 8), Some(2f64.to_bits()));
        assert_eq!(bits(&Constant::Float(1e300), &Kind::Float, 4), None);
        assert_eq!(bits(&Constant::Float(1.0), &signed, 8), None);
    }

    #[test]
    fn only_some_types_have_nil() {
        let nil = || Constant::Text("nil".to_owned());
        let words = |kind: &Kind<'_>| values(&nil(), kind, 8).map(|(values, _)| values.len()).ok();
        assert_eq!(words(&Kind::Map), Some(1));
        assert_eq!(words(&Kind::Interface { empty: false }), Some(2));
        assert_eq!(words(&Kind::Slice(TypeId::Declared(0))), Some(3));
        assert_eq!(words(&Kind::Bool), None);
        assert_eq!(words(&Kind::Struct(Vec::new())), None);
        let (of_string, shown) = values(&nil(), &Kind::String, 16).expect("a string");
        assert_eq!(
            (of_string, shown.as_str()),
            (vec![ResultValue::Text(b"nil".to_vec()), ResultValue::Bits(3)], "\"nil\"")
        );
        assert_eq!(bits(&Constant::Null, &Kind::Func, 8), Some(0));
        assert_eq!(bits(&Constant::Int(0), &Kind::Func, 8), None);
    }
}
