//! The scanner shared by the small languages in rule files: paths, conditions and Go declarations.
//!
//! Each grammar is a set of functions that take what they expect from a `Scanner`. An error says
//! what was expected and shows the text from there on.

use std::fmt::{self, Display, Formatter};

/// Parentheses, negations and types may nest this deep.
const MAX_DEPTH: u32 = 32;

/// Why a text does not follow its grammar.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a {grammar}: {problem} {}", ErrorPlace(rest))]
pub struct SyntaxError {
    grammar: &'static str,
    text: String,
    problem: Problem,
    rest: String,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(in crate::rules) enum Problem {
    #[error("expected `{0}`")]
    Expected(&'static str),
    #[error("{0}")]
    Other(&'static str),
}

impl From<&'static str> for Problem {
    fn from(what: &'static str) -> Self {
        Self::Other(what)
    }
}

struct ErrorPlace<'r>(&'r str);

impl Display for ErrorPlace<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("at the end") } else { write!(f, "at `{}`", self.0) }
    }
}

/// What a function of a grammar returns.
pub(in crate::rules) type Scanned<T> = Result<T, Problem>;

/// The part of a text that is still to be read.
pub(in crate::rules) struct Scanner<'t> {
    rest: &'t str,
    depth: u32,
}

impl<'t> Scanner<'t> {
    /// Reads the whole of a text, without the spaces around it.
    pub(in crate::rules) fn read<T>(
        grammar: &'static str,
        text: &'t str,
        read: impl FnOnce(&mut Self) -> Scanned<T>,
    ) -> Result<T, SyntaxError> {
        let mut scanner = Self { rest: text.trim(), depth: 0 };
        let found = read(&mut scanner)
            .and_then(|found| if scanner.is_at_end() { Ok(found) } else { Err("unexpected text".into()) });
        let rest = scanner.rest;
        found.map_err(|problem| SyntaxError { grammar, text: text.to_owned(), problem, rest: rest.to_owned() })
    }

    /// The text that is still to be read.
    pub(in crate::rules) fn rest(&self) -> &'t str {
        self.rest
    }

    /// Goes back to an earlier [`Self::rest`].
    pub(in crate::rules) fn go_back(&mut self, rest: &'t str) {
        self.rest = rest;
    }

    /// What was read since an earlier [`Self::rest`].
    pub(in crate::rules) fn text_since(&self, rest: &'t str) -> &'t str {
        rest[..rest.len() - self.rest.len()].trim_end()
    }

    pub(in crate::rules) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(in crate::rules) fn is_at(&self, first: impl Fn(char) -> bool) -> bool {
        self.rest.starts_with(first)
    }

    /// Takes a token if it is next, but no space after it.
    pub(in crate::rules) fn take_closely(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes a token if it is next, and the space after it.
    pub(in crate::rules) fn take(&mut self, token: &str) -> bool {
        let is_next = self.take_closely(token);
        if is_next {
            self.skip_space();
        }
        is_next
    }

    /// Takes a token and the space after it.
    pub(in crate::rules) fn expect(&mut self, token: &'static str) -> Scanned<()> {
        if self.take(token) { Ok(()) } else { Err(Problem::Expected(token)) }
    }

    /// Takes the characters that belong to a word: letters, digits, `_`, `~` and `others`. The word
    /// may be empty.
    pub(in crate::rules) fn word(&mut self, others: &str) -> &'t str {
        let is_word =
            |character: char| character.is_alphanumeric() || "_~".contains(character) || others.contains(character);
        let (word, rest) =
            self.rest.split_at(self.rest.find(|character| !is_word(character)).unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    /// Takes the text before the next `end`, and the `end`.
    pub(in crate::rules) fn until(&mut self, end: &'static str) -> Scanned<&'t str> {
        let (text, rest) = self.rest.split_once(end).ok_or(Problem::Expected(end))?;
        self.rest = rest;
        Ok(text)
    }

    pub(in crate::rules) fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    pub(in crate::rules) fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Enters a part that may hold a part like itself.
    pub(in crate::rules) fn enter(&mut self) -> Scanned<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err("nested too deeply".into()) } else { Ok(()) }
    }

    /// Leaves a part that [`Self::enter`] entered.
    pub(in crate::rules) fn leave(&mut self) {
        self.depth -= 1;
    }
}
