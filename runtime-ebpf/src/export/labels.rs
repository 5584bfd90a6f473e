//! Names and labels that Prometheus accepts, whatever a process chose.
//!
//! Decides: what becomes of names that Prometheus has no place for. By OpenTelemetry's
//! specification ("Prometheus and OpenMetrics compatibility") a character that is not allowed
//! becomes `_`, a row of them one `_`, and values of attributes whose names are then alike are
//! joined with `;` in the order of the original names. A label that Prometheus or this page gives a
//! meaning of its own begins with `exported_`, as Prometheus itself does.
//! Trusts: nothing.

use std::fmt::Write as _;

/// Labels with a meaning of their own on the page.
const RESERVED: [&str; 6] = ["instance", "job", "le", "quantile", DUPLICATE, SAME_INSTANCE];

/// Bytes of a value after which the rest is cut off.
const MAX_VALUE_BYTES: usize = 4096;

/// The label that tells series apart whose other labels are alike.
pub(super) const DUPLICATE: &str = "gopatch_duplicate";

/// The label that tells processes apart that claim to be the same instance.
pub(super) const SAME_INSTANCE: &str = "gopatch_same_instance";

/// The labels of attributes, after those that come first.
pub(super) fn labels<'a>(first: &str, attributes: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut attributes: Vec<_> =
        attributes.filter(|(_, value)| !value.is_empty()).map(|(key, value)| (label_name(key), key, value)).collect();
    // One name after another, each in the order of the original keys.
    attributes.sort_unstable_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
    let mut text = first.to_owned();
    for alike in attributes.chunk_by(|one, other| one.0 == other.0) {
        let values: Vec<_> = alike.iter().map(|(_, _, value)| value.as_str()).collect();
        append(&mut text, &alike[0].0, &values.join(";"));
    }
    text
}

/// Appends a label with a valid name, unless its value is empty, which is the same as no label.
pub(super) fn append(labels: &mut String, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    if !labels.is_empty() {
        labels.push(',');
    }
    write!(labels, "{name}=\"").expect("a String takes all");
    let end = value.floor_char_boundary(MAX_VALUE_BYTES);
    for c in value[..end].chars() {
        match c {
            '\\' => labels.push_str("\\\\"),
            '"' => labels.push_str("\\\""),
            '\n' => labels.push_str("\\n"),
            // To Prometheus' parser the page ends here.
            '\0' => labels.push(char::REPLACEMENT_CHARACTER),
            c => labels.push(c),
        }
    }
    labels.push('"');
}

/// Text after `# HELP NAME`.
pub(super) fn help(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace(['\0', '\r'], "\u{fffd}")
}

fn label_name(key: &str) -> String {
    let name = sanitize(key);
    if RESERVED.contains(&name.as_str()) { format!("exported_{name}") } else { name }
}

/// A name with only characters that Prometheus allows, that does not begin with a digit or with
/// `__`, which Prometheus keeps for itself.
pub(super) fn sanitize(name: &str) -> String {
    let mut valid = String::with_capacity(name.len() + 1);
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        valid.push('_');
    }
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => valid.push(c),
            _ if valid.ends_with('_') => {}
            _ => valid.push('_'),
        }
    }
    valid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(attributes: &[(&'static str, &str)]) -> String {
        labels("job=\"j\"", attributes.iter().map(|(key, value)| (*key, (*value).to_owned())))
    }

    #[test]
    fn values_cannot_break_a_line() {
        assert_eq!(
            of(&[("http.route", "/a\"b\\c\nd\0"), ("nothing", "")]),
            "job=\"j\",http_route=\"/a\\\"b\\\\c\\nd\u{fffd}\""
        );
    }

    #[test]
    fn names_that_become_alike_share_a_label() {
        assert_eq!(of(&[("a_b", "3"), ("a.b", "2"), ("a-b", "1"), ("a..b", "")]), r#"job="j",a_b="1;2;3""#);
        assert_eq!(of(&[("le", "1"), ("exported.le", "2")]), r#"job="j",exported_le="2;1""#);
    }

    #[test]
    fn no_name_is_one_that_prometheus_keeps_for_itself() {
        let names = ["__name__", "__address__", "2x", "", "ä", "le", "job", "instance", "quantile", "a.b"];
        let valid = [
            "_name_",
            "_address_",
            "_2x",
            "_",
            "_",
            "exported_le",
            "exported_job",
            "exported_instance",
            "exported_quantile",
            "a_b",
        ];
        assert_eq!(names.map(label_name), valid);
    }
}
