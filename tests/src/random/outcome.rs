//! What a program printed and how it ended, without what differs between two runs of it: addresses,
//! numbers of goroutines, values of registers, goroutines of the runtime.

use std::process::ExitStatus;

/// The outcome of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    status: String,
    lines: Vec<String>,
}

/// Fields of a traceback that hold addresses or numbers of threads.
const VARYING: [&str; 6] = ["gp=", "m=", "mp=", "fp=", "sp=", "pc="];

/// A hexadecimal number of at least this many digits is an address, or a part of one.
const ADDRESS_DIGITS: usize = 5;

impl Outcome {
    /// The outcome of a run with this exit status, standard output and standard error.
    pub fn new(status: ExitStatus, stdout: &str, stderr: &str) -> Self {
        let text = format!("{stdout}\n\n{stderr}");
        // A traceback has a paragraph for each goroutine. Those of the runtime itself come and go.
        let paragraphs = text
            .split("\n\n")
            .filter(|it| !it.trim_start().starts_with("goroutine ") || it.contains("example.com/random"));
        let lines = paragraphs.flat_map(str::lines).map(steady).collect();
        Self { status: status.to_string(), lines }
    }

    /// Describes the first line that differs in another outcome.
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self == other {
            return None;
        }
        let ends = [self.lines.len(), other.lines.len()];
        let at = self.lines.iter().zip(&other.lines).position(|(one, other)| one != other);
        let at = at.unwrap_or(ends[0].min(ends[1]));
        let seed = self.lines[..at].iter().rev().find(|line| line.starts_with("seed ")).map_or("", |line| line);
        let part =
            |lines: &[String]| lines[at.saturating_sub(2).min(lines.len())..(at + 6).min(lines.len())].join("\n  ");
        Some(format!(
            "{} instead of {}, line {at} {seed}\n  {}\ninstead of\n  {}\n",
            other.status,
            self.status,
            part(&other.lines),
            part(&self.lines)
        ))
    }
}

/// A line without what varies.
fn steady(line: &str) -> String {
    let words = line.split(' ').filter(|word| !VARYING.iter().any(|start| word.starts_with(start)));
    let mut text = words.collect::<Vec<_>>().join(" ");
    for (start, is_hexadecimal) in [("0x", true), ("goroutine ", false)] {
        let mut from = 0;
        while let Some(found) = text[from..].find(start) {
            let digits = from + found + start.len();
            let end = text[digits..]
                .find(|one: char| if is_hexadecimal { !one.is_ascii_hexdigit() } else { !one.is_ascii_digit() })
                .map_or(text.len(), |length| digits + length);
            // A value that the compiler does not keep is printed with a question mark.
            let is_stale = text[end..].starts_with('?');
            if is_stale || !is_hexadecimal || end - digits >= ADDRESS_DIGITS {
                text.replace_range(digits..end, "N");
                from = digits + 1;
            } else {
                from = end;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_varies_is_left_out() {
        for (line, expected) in [
            ("main.f(0x49?, 0x4, 0xc000012345)", "main.f(0xN?, 0x4, 0xN)"),
            ("\t/a/b.go:12 +0x1d fp=0x1 sp=0x2 pc=0x3", "\t/a/b.go:12 +0x1d"),
            ("goroutine 17 gp=0xc0 m=nil [running]:", "goroutine N [running]:"),
            ("created by main.f in goroutine 7", "created by main.f in goroutine N"),
        ] {
            assert_eq!(steady(line), expected);
        }
    }
}
