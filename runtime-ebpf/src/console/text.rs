//! Text for a terminal.

use std::borrow::Cow;

/// The text with control characters escaped, so that a terminal shows them instead of obeying them.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c.is_control()) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// A duration with at least this many significant digits, as in `12.35ms`; whole nanoseconds below 1
/// µs.
pub(crate) fn format_duration(nanos: f64, digits: usize) -> String {
    let (value, unit) = match nanos {
        ..1e3 => return format!("{nanos:.0}ns"),
        1e3..1e6 => (nanos / 1e3, "µs"),
        1e6..1e9 => (nanos / 1e6, "ms"),
        _ => (nanos / 1e9, "s"),
    };
    let before_point = if value < 10.0 {
        1
    } else if value < 100.0 {
        2
    } else {
        3
    };
    let decimals = digits.saturating_sub(before_point);
    format!("{value:.decimals$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("plain"), "plain");
        assert_eq!(printable("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
    }

    #[test]
    fn durations_have_the_digits_requested() {
        let with = |digits| move |nanos| format_duration(nanos, digits);
        assert_eq!([999.0, 12_345.0, 123_456_789.0, 61e9].map(with(4)), ["999ns", "12.35µs", "123.5ms", "61.00s"]);
        assert_eq!([12.0, 1234.0, 56_700_000.0, 123e9].map(with(3)), ["12ns", "1.23µs", "56.7ms", "123s"]);
    }
}
