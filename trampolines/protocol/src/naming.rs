//! Names of operations: text in which `{attribute}` stands for that attribute's value, and a part in `[square brackets]` is left
//! out when an attribute in it has none.
//!
//! Decides: how such a text is read, and what is wrong with one.
//! Trusts: nothing; whatever is read can be shown.
//! Never does: look at a value.

/// A name that is read once and shown often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// In order.
    pub pieces: Vec<TemplatePiece>,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplatePiece {
    /// Whether it is left out when an attribute in it has no value.
    pub optional: bool,
    /// Texts, and the attribute behind each. What comes last may have none.
    pub parts: Vec<(String, Option<String>)>,
}

impl Template {
    /// Reads a name.
    pub fn read(name: &str) -> Self {
        let part = |(text, attribute): (&str, Option<&str>)| (text.to_owned(), attribute.map(str::to_owned));
        let is_something = |(text, attribute): &(String, Option<String>)| !text.is_empty() || attribute.is_some();
        let piece = |piece: Piece<'_>| TemplatePiece {
            optional: piece.optional,
            parts: parts(piece.text).map(part).filter(is_something).collect(),
        };
        Self { pieces: pieces(name).map(piece).collect() }
    }
}

impl TemplatePiece {
    /// The attributes that it shows.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|(_, attribute)| attribute.as_deref())
    }
}

/// A piece of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece<'t> {
    /// The text, without brackets.
    text: &'t str,
    /// Whether it is left out when an attribute in it has no value.
    optional: bool,
}

/// The pieces of a name, in order. Brackets around text that has no attribute are text themselves.
fn pieces(name: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = name;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        // What stands in front of the next optional part, or that part if nothing does.
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

/// A piece's text and the attribute behind it, in order. What comes last has no attribute.
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

/// The attributes that a name or a part of one shows.
pub fn attributes(text: &str) -> impl Iterator<Item = &str> {
    parts(text).filter_map(|(_, attribute)| attribute)
}

/// What is wrong with a name that somebody has written.
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
            ('{' | '}' | '[' | ']', ..) => return Err(format!("`{c}` where it has no meaning: `{}`", &name[at..])),
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

    fn shown(name: &str) -> Vec<(&str, bool)> {
        pieces(name).map(|piece| (piece.text, piece.optional)).collect()
    }

    #[test]
    fn a_part_in_brackets_is_optional() {
        assert_eq!(shown("{m}[ {r}]"), [("{m}", false), (" {r}", true)]);
        assert_eq!(shown("[{a}] b [{c}][{d}]"), [("{a}", true), (" b ", false), ("{c}", true), ("{d}", true)]);
        assert_eq!(shown("plain"), [("plain", false)]);
        assert_eq!(shown(""), []);
    }

    #[test]
    fn brackets_without_an_attribute_are_text() {
        assert_eq!(shown("f[int] [{a}]"), [("f[int] ", false), ("{a}", true)]);
        assert_eq!(shown("a[b"), [("a[b", false)]);
        assert_eq!(shown("]a["), [("]a[", false)]);
        assert_eq!(shown("[x{a]}"), [("[x{a]}", false)]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for good in ["", "plain", "{a} {b}", "{a}[ {b}][ {c} {d}] e"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (wrong, what) in [
            ("{a} {b", "`{b` is not closed"),
            ("a[ {b}", "`[ {b}` is not closed"),
            ("a} b", "`}` where it has no meaning: `} b`"),
            ("a] b", "`]` where it has no meaning: `] b`"),
            ("[{a}[{b}]]", "`[` where it has no meaning: `[{b}]]`"),
            ("{a[b]}", "`[` where it has no meaning: `[b]}`"),
            ("{{a}}", "`{` where it has no meaning: `{a}}`"),
            ("a {}", "`{}` names no attribute"),
            ("f[int]", "`[int]` has no attribute that might be missing"),
        ] {
            assert_eq!(check(wrong), Err(what.to_owned()), "{wrong}");
        }
    }
}
