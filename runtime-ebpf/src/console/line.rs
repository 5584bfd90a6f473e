//! An operation as a line of a table.
//!
//! Decides: which attributes the line shows, and which of them without their names.
//! Trusts: nothing in the values; control characters do not reach a terminal.

use std::fmt::Write as _;

use super::text::{format_duration, printable};
use crate::calls::operation::Operation;

/// The head of the table.
pub(crate) const TABLE_HEAD: &str = "TIME (UTC)           PID  DURATION  OPERATION\n";

/// Width of the name and the values after it.
const NAME_WIDTH: usize = 40;

/// Attributes whose values follow the name directly, because everybody knows what they are.
const WITHOUT_NAME: [&str; 2] = ["url.path", "http.response.status_code"];

/// Attributes that a line leaves out. They are alike for most requests of a server; the JSON form
/// has them.
const LEFT_OUT: [&str; 4] = ["server.address", "server.port", "client.port", "network.protocol.version"];

/// Appends the operation's line.
pub(crate) fn append_line(operation: &Operation<'_>, out: &mut Vec<u8>) {
    let mut name = operation.name.to_string();
    let in_name = operation.attributes_in_name();
    // The route is the path if it has no wildcard.
    let is_in_name = |value| in_name.iter().any(|name| operation.attributes.get(name) == Some(value));
    for attribute in WITHOUT_NAME.iter().filter(|attribute| !in_name.contains(attribute)) {
        if let Some(value) = operation.attributes.get(attribute).filter(|value| !is_in_name(value)) {
            write!(name, " {value}").expect("a String takes all");
        }
    }
    let mut line = format!(
        "{} {:>8} {:>9}  {:<NAME_WIDTH$}",
        time_of_day(operation.start_unix_nano),
        operation.pid,
        format_duration(operation.duration_nano as f64, 4),
        printable(&name)
    );
    if let Some(sample) = operation.sample {
        write!(line, " (sampled {sample})").expect("a String takes all");
    }
    if operation.unwound {
        line.push_str(" (left by a panic)");
    }
    if operation.unfinished {
        line.push_str(" (unfinished)");
    }
    let is_done = |name: &str| in_name.contains(&name) || WITHOUT_NAME.contains(&name) || LEFT_OUT.contains(&name);
    for (name, value) in operation.attributes.shown().filter(|(name, _)| !is_done(name)) {
        write!(line, " {}={}", printable(name), printable(&value.to_string())).expect("a String takes all");
    }
    out.extend(line.trim_end().as_bytes());
    out.push(b'\n');
}

fn time_of_day(unix_nanos: u64) -> String {
    let micros = unix_nanos / 1_000;
    let seconds = micros / 1_000_000;
    format!("{:02}:{:02}:{:02}.{:06}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use gopatch_protocol::manifest::{Function, Kind, Ratio};
    use gopatch_protocol::naming::Template;

    use super::*;
    use crate::calls::attributes::{Attributes, Value};
    use crate::calls::ids::Lineage;

    /// The line of an operation that is named by `template`.
    fn line(
        template: &str,
        attributes: &[(&'static str, Value<'static>)],
        change: impl FnOnce(&mut Operation<'_>),
    ) -> String {
        let function = Function {
            name: "net/http.serverHandler.ServeHTTP".into(),
            rule: "http.server".into(),
            kind: Kind::Server,
            operation: template.into(),
            va: 0x401000,
            when: None,
            sample: None,
            ends: Vec::new(),
            instead_of: Vec::new(),
            dimensions: Vec::new(),
            skip: None,
        };
        let template = Template::read(template);
        let lineage = Lineage::local(1, 1, None);
        let times = (1_700_000_000_123_456_789, 1_234_567);
        let attributes = Attributes::from_pairs(attributes.iter().cloned());
        let mut operation = Operation::new((&function, &template), (42, 7), times, lineage, attributes);
        change(&mut operation);
        let mut out = Vec::new();
        append_line(&operation, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_line_is_aligned_and_printable() {
        let attributes = [("a", Value::Int(1)), ("b", Value::Int(2))];
        assert_eq!(
            line("{a}\u{1b}[31m", &attributes, |operation| operation.unwound = true),
            "22:13:20.123456       42   1.235ms  1\\u{1b}[31m                              (left by a panic) b=2\n"
        );
        let sampled = line("o", &[], |operation| operation.sample = Ratio::new(0.01));
        assert!(sampled.ends_with(" (sampled 1/100)\n"), "{sampled}");
    }

    #[test]
    fn a_path_follows_the_name_unless_it_is_the_route() {
        let request = |attributes: &[(&'static str, &'static str)]| {
            let attributes: Vec<_> =
                attributes.iter().map(|(name, value)| (*name, Value::Text((*value).into()))).collect();
            let line = line("{http.request.method}[ {http.route}]", &attributes, |_| {});
            line[line.find("1.235ms").expect("the duration") + 9..].trim_end().to_owned()
        };
        let (method, route, path) = ("http.request.method", "http.route", "url.path");
        assert_eq!(request(&[(method, "GET"), (route, "/i/{id}"), (path, "/i/42")]), "GET /i/{id} /i/42");
        assert_eq!(request(&[(method, "GET"), (route, "/fast"), (path, "/fast")]), "GET /fast", "not twice");
        assert_eq!(request(&[(method, "PUT"), (path, "/x")]), "PUT /x");
        let other = [(method, "_OTHER"), ("http.request.method_original", "FROB"), (route, "/"), (path, "/x")];
        assert_eq!(request(&other), format!("{:<40} http.request.method_original=FROB", "HTTP / /x"));
    }
}
