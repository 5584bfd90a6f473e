//! Names of operations: text in which `{attribute}` stands for the value of that attribute, and a
//! part in `[square brackets]` is left out if an attribute in it has no value.
//!
//! Decides: how such a text is parsed, and which mistakes it can have.
//! Trusts: nothing; any text can be parsed.

/// A name that is parsed once and formatted often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The pieces, in order.
    pub pieces: Vec<TemplatePiece>,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplatePiece {
    /// Whether it is left out if an attribute in it has no value.
    pub optional: bool,
    /// Texts, each with the attribute after it. The last may have none.
    pub parts: Vec<(String, Option<String>)>,
}

impl Template {
    /// Parses a name. A name with mistakes gives something that can be formatted; see [`check`].
    pub fn read(name: &str) -> Self {
        let part = |(text, attribute): (&str, Option<&str>)| (text.to_owned(), attribute.map(str::to_owned));
        let is_not_empty = |(text, attribute): &(String, Option<String>)| !text.is_empty() || attribute.is_some();
        let piece = |piece: Piece<'_>| TemplatePiece {
            optional: piece.optional,
            parts: parts(piece.text).map(part).filter(is_not_empty).collect(),
        };
        Self { pieces: pieces(name).map(piece).collect() }
    }
}

impl TemplatePiece {
    /// The attributes in this piece.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|(_, attribute)| attribute.as_deref())
    }
}

/// A piece of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece<'t> {
    /// The text, without brackets.
    text: &'t str,
    /// Whether it is left out if an attribute in it has no value.
    optional: bool,
}

/// The pieces of a name, in order. Brackets around text without an attribute are text themselves.
fn pieces(name: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = name;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        // The text before the next optional part, or that part if there is no text before it.
        let mut from = 0;
        while let Some(open) = rest[from..].find('[').map(|at| from + at) {
            let Some(close) = rest[open..].find(']').map(|at| open + at) else { break };
            let inner = &rest[open + 1..close];
            if attributes(inner).next().is_none() {
                from = close + 1;
                continue;
            }
            if open == 0 {
                rest = &rest[close + 1..];
                return Some(Piece { text: inner, optional: true });
            }
            let (before, after) = rest.split_at(open);
            rest = after;
            return Some(Piece { text: before, optional: false });
        }
        Some(Piece { text: std::mem::take(&mut rest), optional: false })
    })
}

/// The parts of a piece, in order: each a text and the attribute after it. The last has no
/// attribute.
fn parts(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let braces = text.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?)));
        let Some((before, (attribute, after))) = braces else { return Some((text, None)) };
        rest = Some(after);
        Some((before, Some(attribute)))
    })
}

/// The attributes in a name or a part of one.
pub fn attributes(text: &str) -> impl Iterator<Item = &str> {
    parts(text).filter_map(|(_, attribute)| attribute)
}

/// Finds the first mistake in a name.
pub fn check(name: &str) -> Result<(), String> {
    let (mut bracket, mut brace, mut shows) = (None, None, false);
    for (at, c) in name.char_indices() {
        match (c, bracket, brace) {
            ('{', _, None) => brace = Some(at),
            ('}', _, Some(open)) => {
                if at == open + 1 {
                    return Err("`{}` names no attribute".to_owned());
                }
                (brace, shows) = (None, true);
            }
            ('[', None, None) => (bracket, shows) = (Some(at), false),
            (']', Some(open), None) => {
                if !shows {
                    return Err(format!("`{}` has no attribute that might be missing", &name[open..=at]));
                }
                bracket = None;
            }
            ('{' | '}' | '[' | ']', ..) => return Err(format!("unexpected `{c}` at `{}`", &name[at..])),
            _ => {}
        }
    }
    match brace.or(bracket) {
        Some(open) => Err(format!("`{}` is not closed", &name[open..])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces_of(name: &str) -> Vec<(&str, bool)> {
        pieces(name).map(|piece| (piece.text, piece.optional)).collect()
    }

    #[test]
    fn a_part_in_brackets_is_optional() {
        assert_eq!(pieces_of("{m}[ {r}]"), [("{m}", false), (" {r}", true)]);
        assert_eq!(pieces_of("[{a}] b [{c}][{d}]"), [("{a}", true), (" b ", false), ("{c}", true), ("{d}", true)]);
        assert_eq!(pieces_of("plain"), [("plain", false)]);
        assert_eq!(pieces_of(""), []);
    }

    #[test]
    fn brackets_without_an_attribute_are_text() {
        assert_eq!(pieces_of("f[int] [{a}]"), [("f[int] ", false), ("{a}", true)]);
        assert_eq!(pieces_of("a[b"), [("a[b", false)]);
        assert_eq!(pieces_of("]a["), [("]a[", false)]);
        assert_eq!(pieces_of("[x{a]}"), [("[x{a]}", false)]);
    }

    #[test]
    fn check_finds_the_first_mistake() {
        for valid in ["", "plain", "{a} {b}", "{a}[ {b}][ {c} {d}] e"] {
            assert_eq!(check(valid), Ok(()), "{valid}");
        }
        for (wrong, what) in [
            ("{a} {b", "`{b` is not closed"),
            ("a[ {b}", "`[ {b}` is not closed"),
            ("a} b", "unexpected `}` at `} b`"),
            ("a] b", "unexpected `]` at `] b`"),
            ("[{a}[{b}]]", "unexpected `[` at `[{b}]]`"),
            ("{a[b]}", "unexpected `[` at `[b]}`"),
            ("{{a}}", "unexpected `{` at `{a}}`"),
            ("a {}", "`{}` names no attribute"),
            ("f[int]", "`[int]` has no attribute that might be missing"),
        ] {
            assert_eq!(check(wrong), Err(what.to_owned()), "{wrong}");
        }
    }
}
