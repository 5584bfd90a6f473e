//! Which calls a hook records: those that meet a condition, and of these a sample.
//!
//! Decides: what a condition can ask, and what it says where a path meets nil: then the comparison is false.
//! Trusts: the plan's offsets, as [`crate::plan`] does. Never does: emit code.

use super::path::Path;

/// Which calls are recorded; all, when it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// What a call must meet.
    pub condition: Option<Condition>,
    /// Of these, a call is recorded when a random number of 32 bits is below.
    pub sample_below: Option<u32>,
}

impl Filter {
    /// Whether it lets every call pass.
    pub fn is_empty(&self) -> bool {
        self.condition.is_none() && self.sample_below.is_none()
    }

    /// The paths that its condition follows.
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
    /// The opposite of another.
    Not(Box<Condition>),
    /// Every one holds; looked at in order, as far as necessary.
    All(Vec<Condition>),
    /// One of them holds; looked at in order, as far as necessary.
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

/// A comparison. The first of its paths that can be followed to the end gives the value; where none can, it is false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Alternatives, none of which begins at a word that an entry kept.
    pub paths: Vec<Path>,
    /// What is asked of the value.
    pub relation: Relation,
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// Of a [`crate::plan::Leaf::Nil`]: it is true.
    Holds,
    /// Of an integer.
    Number {
        /// How they compare, by the leaf's sign.
        order: Order,
        /// The right side, its 64 bits.
        constant: i64,
    },
    /// Of a string.
    Text {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Whether they need only be the first.
        prefix: bool,
        /// Whether it should be so, or should not.
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
    /// What holds where this does not.
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
