//! An error as a message on standard error.

use std::fmt::Write as _;

/// The error and its causes on one line, and each `hint:` of theirs on a line of its own after it.
pub fn format_error(error: &anyhow::Error) -> String {
    let mut message = String::new();
    let mut hints = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        let mut parts = cause.split("\nhint: ");
        let what = parts.next().unwrap_or_default();
        let sign = if message.is_empty() { "" } else { ": " };
        write!(message, "{sign}{what}").expect("a String takes all");
        hints.extend(parts.map(str::to_owned));
    }
    for hint in hints {
        write!(message, "\nhint: {hint}").expect("a String takes all");
    }
    message
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn hints_follow_the_error_on_lines_of_their_own() {
        let error = anyhow!("permission denied").context("cannot load\nhint: use memfd").context("no start");
        assert_eq!(format_error(&error), "no start: cannot load: permission denied\nhint: use memfd");
        let error = anyhow!("in use\nhint: stop it").context("cannot listen\nhint: choose another path");
        assert_eq!(format_error(&error), "cannot listen: in use\nhint: choose another path\nhint: stop it");
        assert_eq!(format_error(&anyhow!("one\ntwo").context("first")), "first: one\ntwo");
    }
}
