//! The report of a run: as JSON for a pipeline, as text for people who read the log of a build.
//!
//! The data is here, its text form in [`text`]; [`listing`] shows rules, [`patched`] a patched
//! file.
//! Never does: print.

mod listing;
mod patched;
mod text;

use std::fmt::Display;

use gopatch_protocol::manifest::{self, At, Ratio};
use gopatch_protocol::recipe::TrailingData;
use serde::Serialize;

use crate::types::Origin;

pub use listing::RuleListing;
pub use patched::ManifestText;
pub(crate) use text::format_callers;

/// The report of one run. Its JSON form is stable.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The tool and its version.
    pub tool: String,
    /// The input.
    pub input: InputReport,
    /// The output.
    pub output: OutputReport,
    /// When the program looks for gopatchd.
    pub attach: AttachReport,
    /// Rules, in the order of their files.
    pub rules: Vec<RuleReport>,
    /// Places that a rule wants hooked and that are not.
    pub refused: Vec<RefusedReport>,
    /// Wall time of each phase, in microseconds.
    pub phases_us: Vec<(&'static str, u64)>,
}

/// The input.
#[derive(Debug, Clone, Serialize)]
pub struct InputReport {
    /// Path, when the caller knows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Bytes.
    pub size: u64,
    /// SHA-256, in hex.
    pub sha256: String,
    /// As `go1.27.4`.
    pub go_version: String,
    /// Path of the main package.
    pub main_package: Option<String>,
    /// What its types were read from.
    pub types: Origin,
    /// Data after its ELF file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trailing_data: Option<TrailingReport>,
}

/// Data after the input's ELF file.
#[derive(Debug, Clone, Serialize)]
pub struct TrailingReport {
    /// How much.
    pub bytes: u64,
    /// What became of it.
    pub done: TrailingData,
}

/// The output.
#[derive(Debug, Clone, Serialize)]
pub struct OutputReport {
    /// Path, when the caller knows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Bytes.
    pub size: u64,
    /// SHA-256, in hex, when the caller has computed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where the program looks for gopatchd.
    pub socket: String,
    /// Bytes of emitted code.
    pub code_bytes: u64,
    /// Bytes of zero-filled memory that the program gains.
    pub arena_bytes: u64,
    /// What the input's file has besides its bytes and the output's lacks, such as file
    /// capabilities. Filled in by the caller.
    pub lost: Vec<LostReport>,
}

/// What the input's file has and the output's lacks.
#[derive(Debug, Clone, Serialize)]
pub struct LostReport {
    /// Such as `file capabilities (security.capability)`.
    pub what: String,
    /// Why it could not be kept.
    pub why: String,
}

/// When the program looks for gopatchd.
#[derive(Debug, Clone, Serialize)]
pub struct AttachReport {
    /// `late`, `start` or `never`.
    pub mode: &'static str,
    /// The function by which the program can confine itself, if that was the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// A rule.
#[derive(Debug, Clone, Serialize)]
pub struct RuleReport {
    /// Name.
    pub rule: String,
    /// Whether it names its functions by a glob.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub glob: bool,
    /// Why it, or some of its functions, was left out: a version outside its range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// The condition under which a call is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The part of these calls that is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Ratio>,
    /// Its functions in this program.
    pub functions: Vec<FunctionReport>,
}

/// A function under a rule.
#[derive(Debug, Clone, Serialize)]
pub struct FunctionReport {
    /// Symbol name.
    pub name: String,
    /// Address.
    pub va: u64,
    /// Hooked entries: 0 or 1.
    pub entries: usize,
    /// Hooked ways out.
    pub exits: usize,
    /// The constants that it returns, if its body does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<Vec<String>>,
    /// Recorded attributes.
    pub attributes: Vec<String>,
    /// Alternatives of captures that do not apply: no interface of this program holds such a type.
    pub left_out: Vec<String>,
    /// The functions that the compiler inlined it into, one for each copy; no hook sees those
    /// copies. Needs DWARF.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inlined_into: Option<Vec<String>>,
}

/// A place that is not hooked.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedReport {
    /// Rule.
    pub rule: String,
    /// Symbol name.
    pub function: String,
    /// Which end of the call.
    pub at: At,
    /// Address, where a uprobe could go instead.
    pub va: u64,
    /// Stable code.
    pub code: &'static str,
    /// Reason, in words.
    pub reason: &'static str,
    /// Whether the rule is `partial`, which makes this not a failure.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

impl RefusedReport {
    /// The form that the patched file keeps, for policies.
    pub(crate) fn manifest(&self) -> manifest::Refused {
        manifest::Refused {
            rule: self.rule.clone(),
            function: self.function.clone(),
            at: self.at,
            va: self.va,
            code: self.code.to_owned(),
        }
    }
}

impl Report {
    /// Number of places that had to be hooked and are not.
    pub fn missing(&self) -> usize {
        self.refused.iter().filter(|refused| !refused.partial).count()
    }

    /// Number of hooked places.
    pub fn hooked(&self) -> usize {
        self.rules.iter().flat_map(|rule| &rule.functions).map(|function| function.entries + function.exits).sum()
    }

    /// The text form. With `verbose` it also names rules without a match and gives the time of each
    /// phase.
    pub fn text(&self, verbose: bool) -> impl Display + '_ {
        text::ReportText { report: self, verbose }
    }
}
