//! The recipe in a manifest: with the input and gopatch's version, everything that determines the
//! patched file. `gopatch verify` makes the file again from it.
//!
//! Never does: name a file or a folder, which do not matter to the output.

use serde::{Deserialize, Serialize};

/// The options of a run of gopatch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// The rules, in order.
    pub rules: Vec<RuleSource>,
    /// Path of gopatchd's socket, in hex, as it need not be text.
    pub socket: String,
    /// `start`, `late` or `never`, if the user chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// Whether there are symbols for the emitted code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub symbols: bool,
    /// What becomes of data after the input's ELF file.
    #[serde(default, skip_serializing_if = "TrailingData::is_refused")]
    pub trailing_data: TrailingData,
}

/// Rules of one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleSource {
    /// Those that this version of gopatch has: the SHA-256 of their text, in hex.
    Default(String),
    /// The text of a file.
    Text(String),
}

/// What becomes of data after the input's ELF file, such as a zip or a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrailingData {
    /// A file with such data is not patched.
    #[default]
    Refuse,
    /// A copy ends the output.
    Keep,
    /// It stays only where it is, no longer at the end.
    Drop,
}

impl TrailingData {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn is_refused(&self) -> bool {
        *self == Self::Refuse
    }
}
