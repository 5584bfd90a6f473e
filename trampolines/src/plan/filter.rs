//! Filters: which calls a hook records: those that meet a condition, and of these a sample.
//!
//! Decides: what a condition can express. A comparison whose paths all meet nil is false.
//! Trusts: the plan's offsets, as [`crate::plan`] does.

use super::path::Path;

/// Which calls are recorded. An empty filter passes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The condition that a call must meet.
    pub condition: Option<Condition>,
    /// Of these, a call is recorded if a random number of 32 bits is below this bound.
    pub sample_below: Option<u32>,
}

impl Filter {
    /// Whether the filter passes every call.
    pub fn is_empty(&self) -> bool {
        self.condition.is_none() && self.sample_below.is_none()
    }

    /// The paths that the condition follows.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        if let Some(condition) = &self.condition {
            condition.collect_paths(&mut paths);
        }
        paths
    }
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// A comparison.
    Test(Test),
    /// The negation of another condition.
    Not(Box<Condition>),
    /// Every one holds; evaluated in order, as far as necessary.
    All(Vec<Condition>),
    /// One of them holds; evaluated in order, as far as necessary.
    Any(Vec<Condition>),
}

impl Condition {
    fn collect_paths<'c>(&'c self, paths: &mut Vec<&'c Path>) {
        match self {
            Self::Test(test) => paths.extend(&test.paths),
            Self::Not(inner) => inner.collect_paths(paths),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect_paths(paths)),
        }
    }
}

/// A comparison. The first of its paths that can be followed to the end gives the value; if none
/// can, it is false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Alternatives, none of which starts at a word that an entry kept.
    pub paths: Vec<Path>,
    /// What must hold for the value.
    pub relation: Relation,
}

/// What must hold for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// A [`crate::plan::Leaf::Nil`] is true.
    Holds,
    /// An integer compares with a constant.
    Number {
        /// How they compare; signed if the leaf is.
        order: Order,
        /// The right side, its 64 bits.
        constant: i64,
    },
    /// A string equals some bytes, or begins with them; or does not.
    Text {
        /// The bytes.
        bytes: Vec<u8>,
        /// Whether the string need only begin with them.
        prefix: bool,
        /// Whether that must be true, or false.
        is: bool,
    },
}

/// How two integers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Order {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    /// The order that holds exactly where this one does not.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }
}
