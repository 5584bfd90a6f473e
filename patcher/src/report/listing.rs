//! Rules as `gopatch rules list` shows them.

use std::fmt::{self, Display, Formatter};

use gopatch_protocol::manifest::{Kind, Ratio};
use serde::Serialize;

use crate::rules::Rule;

use super::text::{format_filter, format_skip};

/// A rule as written, without a program.
#[derive(Debug, Clone, Serialize)]
pub struct RuleListing {
    /// Name.
    pub rule: String,
    /// Its file.
    pub file: String,
    /// The line where the rule begins.
    pub line: usize,
    /// What a call is.
    pub kind: Kind,
    /// The functions that it hooks, in words.
    pub functions: String,
    /// Position among the rules on one function.
    pub order: String,
    /// Versions of Go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub go: Option<String>,
    /// Versions of the module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The condition under which a call is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The part of these calls that is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Ratio>,
    /// The constants that its functions return without running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<Vec<String>>,
    /// Recorded attributes.
    pub attributes: Vec<String>,
    /// Attributes that become dimensions of metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<String>,
}

impl From<&Rule> for RuleListing {
    fn from(rule: &Rule) -> Self {
        Self {
            rule: rule.name.clone(),
            file: rule.file.clone(),
            line: rule.place("").line,
            kind: rule.kind,
            functions: rule.describe_functions(),
            order: rule.order.to_string(),
            go: rule.go.as_ref().map(ToString::to_string),
            version: rule.version.as_ref().map(ToString::to_string),
            when: rule.when.as_ref().map(|when| when.text.clone()),
            sample: rule.sample,
            skip: rule.skip.as_ref().map(|constants| constants.iter().map(ToString::to_string).collect()),
            attributes: rule.captures().map(|capture| capture.attribute.clone()).collect(),
            dimensions: rule.dimensions.clone(),
        }
    }
}

impl Display for RuleListing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<28} {}", self.rule, self.functions)?;
        let ranges = [("Go", &self.go), ("version", &self.version)];
        for (name, range) in ranges.iter().filter_map(|(name, range)| Some((name, range.as_ref()?))) {
            writeln!(f, "{:<28}   for {name} {range}", "")?;
        }
        if let Some(filter) = format_filter(self.when.as_deref(), self.sample) {
            writeln!(f, "{:<28}   {filter}", "")?;
        }
        if let Some(constants) = &self.skip {
            writeln!(f, "{:<28}   {}", "", format_skip(constants))?;
        }
        if !self.attributes.is_empty() {
            writeln!(f, "{:<28}   records {}", "", self.attributes.join(", "))?;
        }
        Ok(())
    }
}
