//! The lines of a YAML file's keys, which serde does not keep. In a file that is not YAML, those
//! before the error are known.

use std::collections::HashMap;
use std::sync::OnceLock;

use saphyr_parser::{Event, Parser};

use super::depth::MOST_LEVELS;

/// Lines of a file's keys, from 1. The file is searched for them at the first error, as a valid one
/// needs none.
#[derive(Debug, Clone)]
pub struct Lines {
    text: String,
    found: OnceLock<LineIndex>,
}

#[derive(Debug, Clone, Default)]
struct LineIndex {
    /// By the keys and indices on the way there.
    lines: HashMap<Vec<String>, usize>,
    /// Names of the rules.
    names: Vec<String>,
}

enum Nesting {
    Sequence(usize),
    Mapping(Option<String>),
}

impl LineIndex {
    fn search(text: &str) -> Self {
        let mut lines = Self::default();
        let mut frames: Vec<Nesting> = Vec::new();
        for event in Parser::new_from_str(text) {
            let Ok((event, span)) = event else { break };
            if frames.len() > MOST_LEVELS {
                break;
            }
            match &event {
                Event::SequenceEnd | Event::MappingEnd => {
                    frames.pop();
                    Self::step(&mut frames);
                }
                Event::Scalar(key, ..) if matches!(frames.last(), Some(Nesting::Mapping(None))) => {
                    frames.pop();
                    frames.push(Nesting::Mapping(Some(key.to_string())));
                    lines.note(&frames, span.start.line());
                }
                Event::Scalar(value, ..) => {
                    lines.note(&frames, span.start.line());
                    lines.note_name(&frames, value);
                    Self::step(&mut frames);
                }
                Event::Alias(_) => Self::step(&mut frames),
                Event::SequenceStart(..) | Event::MappingStart(..) => {
                    lines.note(&frames, span.start.line());
                    let is_sequence = matches!(event, Event::SequenceStart(..));
                    frames.push(if is_sequence { Nesting::Sequence(0) } else { Nesting::Mapping(None) });
                }
                _ => {}
            }
        }
        lines
    }

    /// After a value, the next one has another index in a sequence, or another key in a mapping.
    fn step(frames: &mut [Nesting]) {
        match frames.last_mut() {
            Some(Nesting::Sequence(index)) => *index += 1,
            Some(Nesting::Mapping(key)) => *key = None,
            None => {}
        }
    }

    fn path(frames: &[Nesting]) -> Vec<String> {
        let element = |frame: &Nesting| match frame {
            Nesting::Sequence(index) => index.to_string(),
            Nesting::Mapping(key) => key.clone().unwrap_or_default(),
        };
        frames.iter().map(element).collect()
    }

    /// Keeps the first line: a key's, not its value's.
    fn note(&mut self, frames: &[Nesting], line: usize) {
        self.lines.entry(Self::path(frames)).or_insert(line);
    }

    fn note_name(&mut self, frames: &[Nesting], value: &str) {
        if let [Nesting::Mapping(Some(rules)), Nesting::Sequence(index), Nesting::Mapping(Some(name))] = frames
            && (rules.as_str(), name.as_str()) == ("rules", "name")
        {
            self.names.resize((*index).max(self.names.len()), String::new());
            self.names.push(value.to_owned());
        }
    }
}

impl Lines {
    /// The lines of a file's text.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), found: OnceLock::new() }
    }

    fn found(&self) -> &LineIndex {
        self.found.get_or_init(|| LineIndex::search(&self.text))
    }

    /// The line of a rule's field, such as `enter.http.request.method`, or else of the nearest key
    /// or item around it.
    pub fn line_of_field(&self, rule: usize, field: &str) -> usize {
        let path = |keys: &[&str]| {
            let keys = keys.iter().copied().filter(|key| !key.is_empty());
            ["rules".to_owned(), rule.to_string()].into_iter().chain(keys.map(str::to_owned)).collect::<Vec<_>>()
        };
        let (first, attribute) = field.split_once('.').unwrap_or((field, ""));
        let paths = [path(&[first, attribute]), path(&[first]), path(&[])];
        paths.iter().find_map(|path| self.found().lines.get(path)).copied().unwrap_or(1)
    }

    /// The line of the value at the end of these keys and indices, or else of the nearest one
    /// around it.
    pub fn line_of_path(&self, path: &[&str]) -> usize {
        let paths = (0..=path.len()).rev().map(|length| path[..length].iter().map(ToString::to_string).collect());
        paths.into_iter().find_map(|path: Vec<String>| self.found().lines.get(&path)).copied().unwrap_or(1)
    }

    /// The name of the rule that a line belongs to.
    pub fn rule_at(&self, line: usize) -> Option<&str> {
        let begins = |index: &usize| self.found().lines.get(&vec!["rules".to_owned(), index.to_string()]).copied();
        let count = self.found().lines.keys().filter(|path| path.len() == 2).count();
        let index = (0..count).rfind(|index| begins(index).is_some_and(|begin| begin <= line))?;
        self.found().names.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_the_line_of_its_key() {
        let text = "# rules\nrules:\n  - name: a\n    function: [b,\n      c]\n    enter:\n      x.y: { value: p }\n\n  - import: d\n    name: e\n    enter: { z: { value: [p,\n      q] } }\n";
        let lines = Lines::new(text);
        for (rule, field, line) in [
            (0, "", 3),
            (0, "function", 4),
            (0, "enter.x.y", 7),
            (0, "enter.none", 6),
            (0, "none", 3),
            (1, "name", 10),
            (1, "enter.z", 11),
            (2, "name", 1),
        ] {
            assert_eq!(lines.line_of_field(rule, field), line, "{rule} {field}");
        }
        assert_eq!((lines.rule_at(7), lines.rule_at(12), lines.rule_at(1)), (Some("a"), Some("e"), None));
    }

    #[test]
    fn a_broken_file_has_the_lines_before_the_error() {
        assert_eq!(Lines::new("rules:\n  - name: a\n    x: {").rule_at(3), Some("a"));
    }
}
