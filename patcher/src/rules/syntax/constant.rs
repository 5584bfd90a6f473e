//! The constants of a rule's `skip`, as YAML has them.

use std::fmt::{self, Display, Formatter};

use schemars::JsonSchema;
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// A whole number.
    Int(i128),
    /// A number with a decimal point or an exponent.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A string, or `nil`, which is a string in YAML.
    Text(String),
    /// YAML's own null.
    Null,
}

// The values of `Constant`, for the schema.
#[derive(JsonSchema)]
#[schemars(rename = "Constant", untagged)]
#[expect(dead_code, reason = "used by the schema only")]
pub(in crate::rules) enum ConstantText {
    Bool(bool),
    Number(f64),
    Text(String),
    Null(()),
}

impl Constant {
    pub(in crate::rules) fn is_nil(&self) -> bool {
        matches!(self, Self::Null) || matches!(self, Self::Text(text) if text == "nil")
    }
}

impl Display for Constant {
    /// As in Go, as far as that does not depend on the result's type.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            _ if self.is_nil() => f.write_str("nil"),
            Self::Int(number) => number.fmt(f),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Bool(value) => value.fmt(f),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Null => f.write_str("nil"),
        }
    }
}

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Constant;

            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a string, `true`, `false` or `nil`")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Constant, E> {
                Ok(Constant::Bool(value))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Constant, E> {
                Ok(Constant::Int(number.into()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Constant, E> {
                Ok(Constant::Int(number.into()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Constant, E> {
                Ok(Constant::Float(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Constant, E> {
                Ok(Constant::Text(text.to_owned()))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Constant, E> {
                Ok(Constant::Null)
            }
        }
        deserializer.deserialize_any(Any)
    }
}
