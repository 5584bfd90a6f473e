//! Go's version numbers, as the `go` command and build info spell them.
//!
//! Decides: how versions compare. A release candidate or a development version counts as its
//! release, since a rule's range is about code, and the code is that release's.
//! Never does: decide which versions gopatch supports (that is [`super::GoBinary::read`]).

use std::fmt;

/// A version of the Go toolchain, as `go1.27.4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoVersion {
    /// 1.
    pub major: u32,
    /// 27 in `go1.27.4`.
    pub minor: u32,
    /// 4 in `go1.27.4`.
    pub patch: u32,
}

impl GoVersion {
    /// `go1.minor`.
    pub const fn go1(minor: u32) -> Self {
        Self { major: 1, minor, patch: 0 }
    }

    /// Reads `go1.27.4`, `1.27`, `go1.27rc1`, `go1.24.3 X:boringcrypto`, `devel go1.28-4c1bb6a Tue
    /// ...`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("devel ").unwrap_or(text);
        let text = text.strip_prefix("go").unwrap_or(text);
        // A suffix describes the build: rc1, beta2, -fork, X:experiment, a date.
        let number = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
        let mut parts = number.split('.').map(str::parse);
        let major = parts.next()?.ok()?;
        let minor = parts.next()?.ok()?;
        let patch = parts.next().unwrap_or(Ok(0)).ok()?;
        Some(Self { major, minor, patch })
    }
}

impl fmt::Display for GoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "go{}.{}", self.major, self.minor)?;
        if self.patch > 0 {
            write!(f, ".{}", self.patch)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_go_command_are_read() {
        for (text, expected) in [
            ("go1.27.4", "go1.27.4"),
            ("1.21", "go1.21"),
            ("go1.27rc1", "go1.27"),
            ("go1.24.3 X:boringcrypto", "go1.24.3"),
            ("go1.22.5-fork", "go1.22.5"),
            ("devel go1.28-4c1bb6a Tue Mar 3 10:11:12 2026 +0000", "go1.28"),
        ] {
            assert_eq!(GoVersion::parse(text).map(|version| version.to_string()).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "go", "go1", "devel +4c1bb6a", "unknown", "go1.x", "go99999999999.1"] {
            assert_eq!(GoVersion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(GoVersion::parse("go1.9.7") < GoVersion::parse("go1.19"));
        assert!(GoVersion::parse("go1.21.13") < GoVersion::parse("go1.22rc1"));
        assert_eq!(GoVersion::parse("go1.21.0"), Some(GoVersion::go1(21)));
    }
}
