//! Paths in rules: Go-like expressions from a parameter or a result to a value.
//!
//! Decides: the grammar. Trusts: nothing. Never does: know a type.
//!
//! ```text
//! expression = path [ ("!=" | "==") "nil" ] | "len(" path ")" | "type(" path ")"
//! path       = ( name | "results[" number "]" ) { "." name | ".(" ["*"] type ")" | "[" number "]" }
//! type       = name | import path "." name          (a bare name is of the rule's package)
//! ```

/// A value's expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// As it was written.
    pub text: String,
    /// Where it begins.
    pub base: Base,
    /// How it goes on.
    pub selectors: Vec<Selector>,
    /// What is taken at its end.
    pub form: Form,
}

/// Where a path begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A receiver, parameter or named result.
    Name(String),
    /// A result by its place, from 0.
    Result(usize),
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// A field, pointers followed on the way.
    Field(String),
    /// The value that an interface holds, if it is of this type.
    Assert {
        /// Whether the type is a pointer to `name`.
        pointer: bool,
        /// Name, with its import path or without.
        name: String,
    },
    /// An element of an array, from 0; a pointer to the array followed on the way.
    Index(u64),
}

/// What is taken at a path's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The value.
    Value,
    /// The number of its elements or bytes.
    Len,
    /// Whether it is nil (`true`), or is not (`false`).
    IsNil(bool),
    /// The name of the type of what an interface holds.
    TypeName,
}

/// Why a path is not one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a path: {what} at `{rest}`")]
pub struct PathError {
    text: String,
    what: &'static str,
    rest: String,
}

impl Expression {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let error = |what, rest: &str| PathError { text: text.to_owned(), what, rest: rest.to_owned() };
        let mut form = Form::Value;
        let mut path = text.trim();
        if let Some(inner) = path.strip_prefix("len(").and_then(|rest| rest.strip_suffix(')')) {
            (form, path) = (Form::Len, inner);
        } else if let Some(inner) = path.strip_prefix("type(").and_then(|rest| rest.strip_suffix(')')) {
            (form, path) = (Form::TypeName, inner);
        } else if let Some(inner) = path.strip_suffix("nil").map(str::trim_end) {
            if let Some(inner) = inner.strip_suffix("!=") {
                (form, path) = (Form::IsNil(false), inner.trim_end());
            } else if let Some(inner) = inner.strip_suffix("==") {
                (form, path) = (Form::IsNil(true), inner.trim_end());
            }
        }
        let (name, mut rest) = split_name(path);
        if name.is_empty() {
            return Err(error("a name is missing", path));
        }
        let mut base = Base::Name(name.to_owned());
        if name == "results"
            && let Some(index) = rest.strip_prefix('[')
        {
            let (number, behind) = index.split_once(']').ok_or_else(|| error("`]` is missing", rest))?;
            base = Base::Result(number.parse().map_err(|_| error("a number is missing", index))?);
            rest = behind;
        }
        let mut selectors = Vec::new();
        while !rest.is_empty() {
            if let Some(index) = rest.strip_prefix('[') {
                let (number, behind) = index.split_once(']').ok_or_else(|| error("`]` is missing", rest))?;
                selectors.push(Selector::Index(number.parse().map_err(|_| error("a number is missing", index))?));
                rest = behind;
                continue;
            }
            let step = rest.strip_prefix('.').ok_or_else(|| error("`.` is missing", rest))?;
            if let Some(inner) = step.strip_prefix('(') {
                let (name, behind) = inner.split_once(')').ok_or_else(|| error("`)` is missing", rest))?;
                let (pointer, name) = name.strip_prefix('*').map_or((false, name), |name| (true, name));
                if name.is_empty() {
                    return Err(error("a type is missing", rest));
                }
                selectors.push(Selector::Assert { pointer, name: name.to_owned() });
                rest = behind;
            } else {
                let (name, behind) = split_name(step);
                if name.is_empty() {
                    return Err(error("a field is missing", rest));
                }
                selectors.push(Selector::Field(name.to_owned()));
                rest = behind;
            }
        }
        Ok(Self { text: text.to_owned(), base, selectors, form })
    }
}

/// The Go identifier at the head of `text`, and the rest.
fn split_name(text: &str) -> (&str, &str) {
    let is_name = |character: char| character.is_alphanumeric() || character == '_' || character == '~';
    text.split_at(text.find(|character| !is_name(character)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_go_would() {
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
    fn what_is_no_path_is_named() {
        for text in
            ["", "a..b", "a.", "a b", "results[x]", "a.(*)", "a.(b", "1 != nil.x", "a[", "a[x]", "a[-1]", "type()"]
        {
            assert!(Expression::parse(text).is_err(), "{text} should not be a path");
        }
    }
}
