//! YAML files that a user writes, rules and policies: what their errors have in common.
//!
//! `depth` refuses a file that nests too deep, `lines` finds the line of a key, `nearest` suggests a
//! name for a misspelt one.

mod depth;
pub mod lines;
pub mod nearest;

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};

use nearest::did_you_mean;

/// The text of a rule file or policy.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file's name in messages.
    pub name: String,
    /// Its YAML.
    pub text: String,
}

/// Where in a file an error is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The rule; empty outside of rules.
    pub rule: String,
    /// The key, such as `function` or `enter.http.request.method`; empty if the error is in no key.
    pub field: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if !self.rule.is_empty() {
            write!(f, ": rule {}", self.rule)?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        Ok(())
    }
}

// Not documented: the schema would show it as the description of each key.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(crate) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

// Not derived: the error of an untagged enum has no line.
impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, texts: A) -> Result<OneOrMany, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(texts)).map(OneOrMany::Many)
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

/// Reads the text of a file, however deep it nests: more levels than any of these files needs are an
/// error at once.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, serde_yaml_ng::Error> {
    match depth::too_deep(text) {
        Some(line) => Err(serde_yaml_ng::Error::custom(format!("nested too deep at line {line}"))),
        None => serde_yaml_ng::from_str(text),
    }
}

/// The line of serde's error, and its message; after an unknown name, also the most similar known
/// one.
pub(crate) fn describe_error(error: &serde_yaml_ng::Error) -> (usize, String) {
    let text = error.to_string();
    let (what, place) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
    // That of `from_str` itself has its line only in its text.
    let line = error.location().map(|location| location.line()).or_else(|| place.parse().ok()).unwrap_or(1);
    // serde's message: unknown field `x`, expected one of `a`, `b`.
    let mut quoted = what.split('`').skip(1).step_by(2);
    let hint = match quoted.next() {
        Some(wrong) if what.contains("unknown ") => did_you_mean(wrong, quoted),
        _ => String::new(),
    };
    (line, format!("{what}{hint}"))
}
