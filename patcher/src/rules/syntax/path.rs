//! Paths in rules: Go-like expressions that lead from a parameter or a result to a value. This file
//! knows their grammar, but no types.
//!
//! ```text
//! expression = path [ ("!=" | "==") "nil" ] | "len(" path ")" | "type(" path ")"
//! path       = ( name | "results[" number "]" ) { "." name | ".(" ["*"] type ")" | "[" number "]" }
//! type       = name | import path "." name          (a bare name is of the rule's package)
//! ```

use std::str::FromStr;

use super::scanner::{Scanned, Scanner, SyntaxError};

/// A value's expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// As written in the rule.
    pub text: String,
    /// The parameter or result at which it begins.
    pub base: Base,
    /// The steps from there.
    pub selectors: Vec<Selector>,
    /// What is recorded of the value at its end.
    pub form: Form,
}

/// Where a path begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A receiver, parameter or named result.
    Name(String),
    /// A result by its position, from 0.
    Result(usize),
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// A field; a pointer to its struct is followed.
    Field(String),
    /// The value that an interface holds, if it is of this type.
    Assert {
        /// Whether the type is a pointer to `name`.
        pointer: bool,
        /// Name, with or without its import path.
        name: String,
    },
    /// An element of an array, from 0; a pointer to the array is followed.
    Index(u64),
}

/// What is recorded of the value at a path's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The value.
    Value,
    /// The number of its elements or bytes.
    Len,
    /// Whether it is nil (`true`), or is not nil (`false`).
    IsNil(bool),
    /// The name of the type of the value that an interface holds.
    TypeName,
}

impl Expression {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let expression = Scanner::read("path", text, |scanner| {
            for (opening, form) in [("len(", Form::Len), ("type(", Form::TypeName)] {
                if scanner.take_closely(opening) {
                    let path = Self::scan_path(scanner)?;
                    scanner.expect(")")?;
                    return Ok(Self { form, ..path });
                }
            }
            let path = Self::scan_path(scanner)?;
            scanner.skip_space();
            for (sign, is_nil) in [("!=", false), ("==", true)] {
                if scanner.take(sign) {
                    scanner.expect("nil")?;
                    return Ok(Self { form: Form::IsNil(is_nil), ..path });
                }
            }
            Ok(path)
        })?;
        Ok(Self { text: text.to_owned(), ..expression })
    }

    /// Takes a path, which has no spaces in it.
    pub(in crate::rules) fn scan_path(scanner: &mut Scanner<'_>) -> Scanned<Self> {
        let start = scanner.rest();
        if scanner.is_at(|first| first.is_ascii_digit()) {
            return Err(NO_BASE.into());
        }
        let base = match scanner.word("") {
            "" => return Err(NO_BASE.into()),
            "results" if scanner.take_closely("[") => Base::Result(scan_index(scanner)?),
            name => Base::Name(name.to_owned()),
        };
        let mut selectors = Vec::new();
        loop {
            if scanner.take_closely("[") {
                selectors.push(Selector::Index(scan_index(scanner)?));
            } else if scanner.take_closely(".(") {
                let pointer = scanner.take_closely("*");
                let start_of_type = scanner.rest();
                match scanner.until(")")? {
                    "" => {
                        scanner.go_back(start_of_type);
                        return Err("expected a type".into());
                    }
                    name => selectors.push(Selector::Assert { pointer, name: name.to_owned() }),
                }
            } else if scanner.take_closely(".") {
                match scanner.word("") {
                    "" => return Err("expected the name of a field".into()),
                    name => selectors.push(Selector::Field(name.to_owned())),
                }
            } else {
                break;
            }
        }
        Ok(Self { text: scanner.text_since(start).to_owned(), base, selectors, form: Form::Value })
    }
}

/// What is missing where a path should begin.
const NO_BASE: &str = "expected a parameter or a result";

/// Takes the number and the bracket that follow a `[`.
fn scan_index<N: FromStr>(scanner: &mut Scanner<'_>) -> Scanned<N> {
    let start = scanner.rest();
    let index = scanner.until("]")?;
    index.parse().map_err(|_| {
        scanner.go_back(start);
        "expected a number".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_parse_as_in_go() {
        let status = Expression::parse("rw.(*response).status").expect("a path");
        assert_eq!(status.base, Base::Name("rw".to_owned()));
        assert_eq!(
            status.selectors,
            [Selector::Assert { pointer: true, name: "response".to_owned() }, Selector::Field("status".to_owned())]
        );
        assert_eq!(Expression::parse("len(p.q)").expect("a length").form, Form::Len);
        let failed = Expression::parse("results[1] != nil").expect("a comparison");
        assert_eq!((failed.base, failed.form), (Base::Result(1), Form::IsNil(false)));
        let element = Expression::parse("o.IDs[2].Name").expect("an element").selectors;
        assert_eq!(
            element,
            [Selector::Field("IDs".to_owned()), Selector::Index(2), Selector::Field("Name".to_owned())]
        );
        let second = Expression::parse("results[1][3]").expect("an element of a result");
        assert_eq!((second.base, second.selectors), (Base::Result(1), vec![Selector::Index(3)]));
        let of_error = Expression::parse("type(results[0])").expect("a type's name");
        assert_eq!((of_error.base, of_error.form), (Base::Result(0), Form::TypeName));
        let inner = Expression::parse("x.(*net/http/internal/http2.responseWriter).rws").expect("an import path");
        let name = "net/http/internal/http2.responseWriter".to_owned();
        assert_eq!(inner.selectors[0], Selector::Assert { pointer: true, name });
    }

    #[test]
    fn an_invalid_path_is_an_error_at_its_first_wrong_character() {
        for (text, expected) in [
            ("", "expected a parameter or a result at the end"),
            ("a..b", "expected the name of a field at `.b`"),
            ("a.", "expected the name of a field at the end"),
            ("a b", "unexpected text at `b`"),
            ("results[x]", "expected a number at `x]`"),
            ("a.(*)", "expected a type at `)`"),
            ("a.(b", "expected `)` at `b`"),
            ("1 != nil", "expected a parameter or a result at `1 != nil`"),
            ("a != nil.x", "unexpected text at `.x`"),
            ("a == 0", "expected `nil` at `0`"),
            ("a[", "expected `]` at the end"),
            ("a[x]", "expected a number at `x]`"),
            ("a[-1]", "expected a number at `-1]`"),
            ("len(a", "expected `)` at the end"),
            ("type()", "expected a parameter or a result at `)`"),
        ] {
            let error = Expression::parse(text).expect_err(text).to_string();
            assert_eq!(error, format!("`{text}` is not a path: {expected}"));
        }
    }
}
