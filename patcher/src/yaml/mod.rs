//! YAML files that a user writes: rules and policies.
//!
//! Decides: how a place in such a file is shown, and what is said of a file that serde cannot read.
//!
//! `lines` finds the line of a key, `nearest` the name that a wrong one was meant to be.

pub mod lines;
pub mod nearest;

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use nearest::did_you_mean;

/// A rule file's text and the name to show for it.
#[derive(Debug, Clone)]
pub struct Source {
    /// Shown in messages.
    pub name: String,
    /// YAML.
    pub text: String,
}

/// Where in a rule file something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Line in it, from 1.
    pub line: usize,
    /// The rule; empty outside of rules.
    pub rule: String,
    /// The key, as `function` or `enter.http.request.method`; empty if it is the whole.
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

// By hand, since serde forgets where a value of one of several types was.
impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a list of texts")
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

/// In which line of a file serde found what wrong; of a wrong name, also which may have been meant.
pub(crate) fn said(error: &serde_yaml_ng::Error) -> (usize, String) {
    let line = error.location().map_or(1, |location| location.line());
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    // As serde has it: unknown field `x`, expected one of `a`, `b`.
    let mut quoted = what.split('`').skip(1).step_by(2);
    let hint = match quoted.next() {
        Some(wrong) if what.contains("unknown ") => did_you_mean(wrong, quoted),
        _ => String::new(),
    };
    (line, format!("{what}{hint}"))
}
