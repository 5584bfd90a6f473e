//! Globs: which names a pattern matches. Rules and policies share this matcher.
//!
//! The time is at most the product of the two lengths: a pattern comes from the user, names from
//! the program, and both may be long.

use std::iter;

/// What the wildcards of a pattern stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wildcards {
    /// `*` for a part of one element of an import path, `...` for anything.
    ImportPath,
    /// `*` for a part of a name, up to a dot.
    Name,
    /// `*` for anything, except in `(*`, where it belongs to a pointer receiver.
    Symbol,
}

/// A part of a pattern.
enum PatternPart {
    /// This character.
    Literal(char),
    /// Any characters, except the one given.
    Any { except: Option<char> },
}

/// Whether a pattern matches the whole of `text`.
pub fn matches(pattern: &str, text: &str, wildcards: Wildcards) -> bool {
    let mut parts = parts(pattern, wildcards);
    let mut text = text.chars();
    // Most names differ from most patterns before the first wildcard.
    let first_wildcard = loop {
        match parts.next() {
            None => return text.next().is_none(),
            Some(PatternPart::Literal(literal)) if text.next() == Some(literal) => {}
            Some(PatternPart::Literal(_)) => return false,
            Some(wildcard @ PatternPart::Any { .. }) => break wildcard,
        }
    };
    let parts: Vec<_> = iter::once(first_wildcard).chain(parts).collect();
    // `reached[n]`: whether the first `n` parts match the text so far.
    let mut reached: Vec<_> = (0..=parts.len()).map(|n| is_all_wildcards(&parts[..n])).collect();
    for character in text {
        let mut was_reached = reached[0];
        reached[0] = false;
        for (n, part) in parts.iter().enumerate() {
            let stays = reached[n + 1];
            reached[n + 1] = match part {
                PatternPart::Literal(literal) => was_reached && *literal == character,
                PatternPart::Any { except } => reached[n] || stays && *except != Some(character),
            };
            was_reached = stays;
        }
    }
    reached[parts.len()]
}

fn is_all_wildcards(parts: &[PatternPart]) -> bool {
    parts.iter().all(|part| matches!(part, PatternPart::Any { .. }))
}

fn parts(pattern: &str, wildcards: Wildcards) -> impl Iterator<Item = PatternPart> {
    let mut rest = pattern;
    let mut before = None;
    iter::from_fn(move || {
        let any = |after, except| Some((after, PatternPart::Any { except }));
        let dots = rest.strip_prefix("...").filter(|_| wildcards == Wildcards::ImportPath);
        let wildcard = match (dots, rest.strip_prefix('*'), wildcards) {
            (Some(after), ..) => any(after, None),
            (_, Some(after), Wildcards::ImportPath) => any(after, Some('/')),
            (_, Some(after), Wildcards::Name) => any(after, Some('.')),
            (_, Some(after), Wildcards::Symbol) if before != Some('(') => any(after, None),
            _ => None,
        };
        let mut characters = rest.chars();
        before = characters.next();
        let (after, part) = match wildcard {
            Some(found) => found,
            None => (characters.as_str(), PatternPart::Literal(before?)),
        };
        rest = after;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_what_the_kind_of_pattern_says() {
        for (pattern, text, import_path, name, symbol) in [
            ("", "", true, true, true),
            ("", "a", false, false, false),
            ("*", "", true, true, true),
            ("a*b*c", "abc", true, true, true),
            ("a*b*c", "a1b/c", false, true, true),
            ("a*b*c", "a.bc", true, false, true),
            ("a*b*c", "abcd", false, false, false),
            ("a...c", "a/b.c", true, false, false),
            ("a...c*d", "a/c/cd", true, false, false),
            ("...c*d", "a/c/d", false, false, false),
            ("...", "...", true, true, true),
            ("(*", "(*", true, true, true),
            ("(*", "(a", true, true, false),
            ("(*a*).b", "(*abc).b", true, true, true),
            ("*\u{e9}*", "a\u{e9}b", true, true, true),
        ] {
            let expected = [import_path, name, symbol];
            let found =
                [Wildcards::ImportPath, Wildcards::Name, Wildcards::Symbol].map(|it| matches(pattern, text, it));
            assert_eq!(found, expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_wildcards_and_a_long_name_take_little_time() {
        let pattern = "a*".repeat(100) + "b";
        let name = "a".repeat(5000);
        for wildcards in [Wildcards::ImportPath, Wildcards::Name, Wildcards::Symbol] {
            assert!(!matches(&pattern, &name, wildcards));
            assert!(matches(&pattern, &format!("{name}b"), wildcards));
        }
        assert!(!matches(&("a...".repeat(100) + "b"), &name, Wildcards::ImportPath));
    }
}
