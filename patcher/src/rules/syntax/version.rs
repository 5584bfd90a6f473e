//! Ranges of versions, of Go and of modules. Versions compare as in the `go` command, which follows
//! Semantic Versioning 2.0.0.
//!
//! A pseudo version (`v1.2.4-0.20230102150405-abcdef123456`) is a pre-release of its base, so it
//! lies between `v1.2.3` and `v1.2.4`. A suffix after `+` (`+incompatible`) is ignored. Missing
//! numbers are 0.

use std::cmp::Ordering;
use std::fmt;

use crate::golang::GoVersion;

/// A version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    /// Identifiers of the pre-release; none for a release.
    pre: Vec<Identifier>,
}

/// An identifier of a pre-release. Numbers come before words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

/// A range of versions: a version in it satisfies every comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    text: String,
    comparisons: Vec<(Operator, Version)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtLeast,
    AtMost,
    Above,
    Below,
    Exactly,
}

/// Signs; longer ones come before those that they begin with.
const SIGNS: [(&str, Operator); 5] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    (">", Operator::Above),
    ("<", Operator::Below),
    ("=", Operator::Exactly),
];

/// Why a text is not a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{part}` is not a comparison with a version, such as `>=1.22` or `<2.0.0`")]
pub struct RangeError {
    part: String,
}

impl Version {
    /// Reads `v1.2.3-pre.1+build`, `1.2`, `go1.22.5`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("go").or_else(|| text.strip_prefix('v')).unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
        let mut numbers = [0; 3];
        let mut parts = core.split('.');
        for (index, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                Some(part) => *number = number_of(part)?,
                None if index > 0 => break,
                None => return None,
            }
        }
        if parts.next().is_some() {
            return None;
        }
        let identifier = |part: &str| match number_of(part) {
            Some(number) => Some(Identifier::Number(number)),
            None if part.is_empty() => None,
            None => Some(Identifier::Word(part.to_owned())),
        };
        let pre = pre.map_or(Some(Vec::new()), |pre| pre.split('.').map(identifier).collect())?;
        Some(Self { numbers, pre })
    }
}

impl From<GoVersion> for Version {
    fn from(version: GoVersion) -> Self {
        Self { numbers: [version.major.into(), version.minor.into(), version.patch.into()], pre: Vec::new() }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_pre = || match (self.pre.is_empty(), other.pre.is_empty()) {
            // A release comes after its pre-releases.
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => self.pre.cmp(&other.pre),
        };
        self.numbers.cmp(&other.numbers).then_with(by_pre)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Range {
    /// Reads `>=1.22, <1.27`.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        let comparison = |part: &str| {
            let part = part.trim();
            let (sign, comparison) = SIGNS.iter().find(|(sign, _)| part.starts_with(sign))?;
            Some((*comparison, Version::parse(part[sign.len()..].trim())?))
        };
        let comparisons = text
            .split(',')
            .map(|part| comparison(part).ok_or_else(|| RangeError { part: part.trim().to_owned() }))
            .collect::<Result<_, _>>()?;
        Ok(Self { text: text.trim().to_owned(), comparisons })
    }

    /// Whether every version in this range comes after every version in `other`.
    pub fn is_after(&self, other: &Self) -> bool {
        let lows = self.comparisons.iter().filter(|(it, _)| !matches!(it, Operator::AtMost | Operator::Below));
        let highs = || other.comparisons.iter().filter(|(it, _)| !matches!(it, Operator::AtLeast | Operator::Above));
        lows.into_iter().any(|(low, from)| {
            highs().any(|(high, to)| match from.cmp(to) {
                Ordering::Greater => true,
                Ordering::Equal => *low == Operator::Above || *high == Operator::Below,
                Ordering::Less => false,
            })
        })
    }

    /// Whether a version is in the range.
    pub fn contains(&self, version: &Version) -> bool {
        self.comparisons.iter().all(|(comparison, bound)| match comparison {
            Operator::AtLeast => version >= bound,
            Operator::AtMost => version <= bound,
            Operator::Above => version > bound,
            Operator::Below => version < bound,
            Operator::Exactly => version == bound,
        })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn number_of(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("{text} is a version"))
    }

    #[test]
    fn versions_are_ordered_as_by_the_go_command() {
        let ordered = [
            "v0.0.0-20230102150405-abcdef123456",
            "v0.0.0-20240102150405-000000000000",
            "v0.1.0",
            "v1.2.3",
            "v1.2.4-0.20230102150405-abcdef123456",
            "v1.2.4-alpha",
            "v1.2.4-alpha.1",
            "v1.2.4-alpha.beta",
            "v1.2.4-rc.2",
            "v1.2.4-rc.10",
            "v1.2.4",
            "v1.10.0",
            "v2.0.0+incompatible",
            "v2.0.1",
        ];
        for pair in ordered.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{} < {}", pair[0], pair[1]);
        }
        assert_eq!(version("v2.0.0+incompatible"), version("2"));
        assert_eq!(version("go1.22"), Version::from(GoVersion::go1(22)));
        for text in ["", "v", "(devel)", "1.x", "1.2.3.4", "1.2.3-", "-1", "99999999999999999999"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_that_share_a_version_have_no_order() {
        for (later, earlier, is_after) in [
            (">=1.69.0", ">=1.59.0, <1.69.0", true),
            (">1.2", "<=1.2", true),
            ("=1.4", "<1.4", true),
            ("=1.4", "=1.3", true),
            (">=1.2", "<=1.2", false),
            (">=1.59.0, <1.69.0", ">=1.69.0", false),
            (">=1.50", ">=1.60", false),
            ("<2", "<1", false),
        ] {
            let range = |text| Range::parse(text).expect(text);
            assert_eq!(range(later).is_after(&range(earlier)), is_after, "{later} after {earlier}");
        }
    }

    #[test]
    fn a_version_in_a_range_satisfies_every_comparison() {
        for (range, inside, outside) in [
            (">=1.22, <1.27", &["1.22", "1.22.5", "1.26.11"][..], &["1.21.13", "1.27", "1.27.4"][..]),
            ("> v1.2.3", &["v1.2.4-0.20230102150405-abcdef123456", "v1.3.0"], &["v1.2.3", "v1.2.3+incompatible"]),
            ("<=2", &["v2.0.0+incompatible", "v1.9.0"], &["v2.0.1"]),
            ("=1.4.0", &["v1.4.0"], &["v1.4.1", "v1.4.0-rc.1"]),
        ] {
            let parsed = Range::parse(range).expect(range);
            assert!(inside.iter().all(|text| parsed.contains(&version(text))), "{range}");
            assert!(!outside.iter().any(|text| parsed.contains(&version(text))), "{range}");
        }
        for (text, part) in [("", "``"), ("1.22", "`1.22`"), (">=1.22 <1.27", "`>=1.22 <1.27`"), (">=1.22,", "``")] {
            assert!(Range::parse(text).expect_err(text).to_string().starts_with(part), "{text}");
        }
    }
}
