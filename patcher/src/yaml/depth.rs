//! How deep a YAML file nests. The parser that serde uses takes a time that grows with the square of
//! the depth, before serde can refuse it.
//!
//! Decides: which files are refused unread.
//! Trusts: nothing. The parser used here stops at the first level too many.

use saphyr_parser::{Event, Parser};

/// Most levels. Rules, policies and settings have six at most.
pub(super) const MOST_LEVELS: usize = 64;

/// Most brackets of a file that only the other parser can read: whatever its depth, that takes it few
/// hundredths of a second.
const MOST_BRACKETS: usize = 2000;

/// The line on which a file becomes too deep, from 1; `None` if it does not.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let mut levels = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let brackets = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
                return (brackets > MOST_BRACKETS).then_some(error.marker().line());
            }
        };
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => levels += 1,
            Event::SequenceEnd | Event::MappingEnd => levels -= 1,
            _ => {}
        }
        if levels > MOST_LEVELS {
            return Some(span.start.line());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_is_too_deep_is_found() {
        let nested = |levels: usize| format!("a:\n  - b: {}{}\n", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(too_deep(&nested(MOST_LEVELS - 3)), None);
        assert_eq!(too_deep(&nested(MOST_LEVELS - 2)), Some(2));
        assert_eq!(too_deep(include_str!("../../rules/default.yaml")), None);
    }

    #[test]
    fn a_file_that_is_no_yaml_is_left_to_serde_unless_it_may_be_deep() {
        assert_eq!(too_deep("a: [b\n}"), None);
        assert_eq!(too_deep(&format!("a: b: c\n{}", "[".repeat(MOST_BRACKETS + 1))), Some(1));
    }
}
