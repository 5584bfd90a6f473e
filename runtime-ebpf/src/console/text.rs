//! Text for a terminal.

use std::borrow::Cow;

/// The text with control characters escaped, so that a terminal shows them instead of obeying them.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    escape(text, |c| c.escape_default().to_string())
}

/// The same for text in JSON.
pub(crate) fn printable_json(text: &str) -> Cow<'_, str> {
    let parts = text.split_inclusive('\n').map(|line| match line.strip_suffix('\n') {
        Some(line) => format!("{}\n", escape(line, |c| format!("\\u{:04x}", c as u32))),
        None => escape(line, |c| format!("\\u{:04x}", c as u32)).into_owned(),
    });
    parts.collect()
}

/// The same for a message, whose own further lines begin with two spaces or `hint: `; no other text
/// in it begins a line, so that it cannot pass for a message.
pub(crate) fn printable_message(text: &str) -> String {
    let mut lines = text.split('\n');
    let mut message = printable(lines.next().unwrap_or_default()).into_owned();
    for line in lines {
        message += if line.starts_with("  ") || line.starts_with("hint: ") { "\n" } else { "\\n" };
        message += &printable(line);
    }
    message
}

fn escape(text: &str, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if is_obeyed(c) { escape(c) } else { c.to_string() }).collect()
}

/// Whether a terminal may obey the character instead of showing it: controls, separators of lines,
/// and what changes the direction of the text after it.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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
        assert_eq!(printable("\u{9b}2J\u{202e}x\u{2066}é"), "\\u{9b}2J\\u{202e}x\\u{2066}é");
        assert_eq!(printable_json("{\n\"a\u{9b}\u{202e}\"}"), "{\n\"a\\u009b\\u202e\"}");
        let forged = "pid 1: a\ngopatchd: all is well\r\n  1 lost\nhint: \u{1b}c";
        let shown = "pid 1: a\\ngopatchd: all is well\\r\n  1 lost\nhint: \\u{1b}c";
        assert_eq!(printable_message(forged), shown);
    }

    #[test]
    fn durations_have_the_digits_requested() {
        let with = |digits| move |nanos| format_duration(nanos, digits);
        assert_eq!([999.0, 12_345.0, 123_456_789.0, 61e9].map(with(4)), ["999ns", "12.35µs", "123.5ms", "61.00s"]);
        assert_eq!([12.0, 1234.0, 56_700_000.0, 123e9].map(with(3)), ["12ns", "1.23µs", "56.7ms", "123s"]);
    }
}
