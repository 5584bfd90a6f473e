//! Conditions in rules: Go-like expressions that say which calls are recorded.
//!
//! Decides: the grammar, and what in one binary a condition looks at. Trusts: [`Places`] for where values are.
//! Never does: leave a comparison half resolved; at either end of a call only what is there can be asked.
//!
//! ```text
//! condition  = all { "||" all }
//! all        = term { "&&" term }
//! term       = "!" term | "(" condition ")" | "hasPrefix(" path "," string ")" | operand [ order constant ]
//! operand    = path | "len(" path ")"                     (see `path`)
//! order      = "==" | "!=" | "<" | "<=" | ">" | ">="      (strings, booleans and nil: only the first two)
//! constant   = number | string | "nil" | "true" | "false"
//! ```

use gopatch_protocol::manifest::{At, ValueType};
use gopatch_trampolines::plan::filter::{self, Order, Relation, Test};
use gopatch_trampolines::plan::{Leaf, Path};

use super::path::{Expression, Form, PathError};
use super::resolve::{End, Places, ResolveError};
use super::{LARGEST_MAX, Rule};

/// Most bytes of a string that a value is compared with.
const MAX_TEXT: usize = 64;
/// Most comparisons, so that a thunk is never long.
const MAX_COMPARISONS: usize = 32;
/// Parentheses and negations may nest this deep.
const MAX_DEPTH: usize = 32;

/// Signs, of which those that begin like another come first.
const ORDERS: [(&str, Order); 6] = [
    ("==", Order::Equal),
    ("!=", Order::NotEqual),
    ("<=", Order::LessOrEqual),
    (">=", Order::GreaterOrEqual),
    ("<", Order::Less),
    (">", Order::Greater),
];

/// A condition, as it was written and as it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As it was written.
    pub text: String,
    meaning: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Comparison(Comparison),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    left: Expression,
    right: Right,
}

/// What a value is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Right {
    /// It is a boolean, or a comparison with nil, and should be true.
    True,
    Number(Order, i128),
    Text {
        bytes: Vec<u8>,
        prefix: bool,
        is: bool,
    },
}

/// Why a condition is not one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a condition: {what} at `{rest}`")]
pub struct ConditionError {
    text: String,
    what: What,
    rest: String,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
enum What {
    #[error("{0}")]
    Grammar(&'static str),
    #[error("{0},")]
    Path(#[from] PathError),
}

impl From<&'static str> for What {
    fn from(what: &'static str) -> Self {
        Self::Grammar(what)
    }
}

/// Which comparison does not resolve.
#[derive(Debug)]
pub struct Unresolved {
    /// Its path.
    pub text: String,
    /// Why.
    pub error: ComparisonError,
}

/// Why a comparison does not resolve in this binary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComparisonError {
    /// Its path does not.
    #[error(transparent)]
    Path(ResolveError),
    /// A result, where the entry is asked.
    #[error("a result is known at the exit only, but a rule with an entry is asked there; give it `exit` alone")]
    ResultAtEntry,
    /// A parameter, where the exit is asked.
    #[error(
        "a parameter is known at the entry only, but a rule with `exit` alone is asked there; give it `enter: {{}}`"
    )]
    ParameterAtExit,
    /// Values of different kinds.
    #[error("{left} cannot be compared with {right}")]
    Kinds {
        /// What it is.
        left: &'static str,
        /// What it is held against.
        right: &'static str,
    },
    /// A number that no value of that type can be.
    #[error("{constant} is out of the range of {} integer of {} bits", if *.signed { "a signed" } else { "an unsigned" }, 8 * .size)]
    Range {
        /// The number.
        constant: i128,
        /// Bytes of the type.
        size: u8,
        /// Whether it can be negative.
        signed: bool,
    },
}

impl Condition {
    /// Reads a condition.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        let mut parser = Parser { rest: text.trim(), depth: 0, comparisons: 0 };
        let parsed = parser.any().and_then(|meaning| {
            if parser.rest.is_empty() { Ok(meaning) } else { Err("`&&`, `||` or a comparison is missing".into()) }
        });
        match parsed {
            Ok(meaning) => Ok(Self { text: text.trim().to_owned(), meaning }),
            Err(what) => Err(ConditionError { text: text.to_owned(), what, rest: parser.rest.to_owned() }),
        }
    }

    /// The paths that it follows.
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut found = Vec::new();
        let mut ahead = vec![&self.meaning];
        while let Some(node) = ahead.pop() {
            match node {
                Node::Comparison(comparison) => found.push(&comparison.left),
                Node::Not(inner) => ahead.push(inner),
                Node::All(parts) | Node::Any(parts) => ahead.extend(parts),
            }
        }
        found
    }

    /// Finds the values that it asks for at that end of a function's calls.
    pub fn resolve(&self, places: &Places<'_>, rule: &Rule, at: At) -> Result<filter::Condition, Box<Unresolved>> {
        self.meaning.resolve(&|comparison| {
            let fail = |error| Box::new(Unresolved { text: comparison.left.text.clone(), error });
            comparison.resolve(places, rule, at).map_err(fail)
        })
    }
}

impl Node {
    fn resolve<E>(&self, test: &impl Fn(&Comparison) -> Result<Test, E>) -> Result<filter::Condition, E> {
        let all = |parts: &[Self]| parts.iter().map(|part| part.resolve(test)).collect::<Result<_, E>>();
        Ok(match self {
            Self::Comparison(comparison) => filter::Condition::Test(test(comparison)?),
            Self::Not(inner) => filter::Condition::Not(Box::new(inner.resolve(test)?)),
            Self::All(parts) => filter::Condition::All(all(parts)?),
            Self::Any(parts) => filter::Condition::Any(all(parts)?),
        })
    }
}

impl Comparison {
    fn resolve(&self, places: &Places<'_>, rule: &Rule, at: At) -> Result<Test, ComparisonError> {
        let mut kept = Vec::new();
        let mut end = if at == At::Enter { End::Enter } else { End::Exit(&mut kept) };
        let found = places.expression(rule, &self.left, LARGEST_MAX, &mut end);
        let (paths, value) = found.map_err(|error| match error {
            ResolveError::ResultAtEntry => ComparisonError::ResultAtEntry,
            ResolveError::NotKept(_) => ComparisonError::ParameterAtExit,
            other => ComparisonError::Path(other),
        })?;
        if !kept.is_empty() {
            return Err(ComparisonError::ParameterAtExit);
        }
        let relation = match (&self.right, value) {
            (Right::True, ValueType::Bool) if matches!(self.left.form, Form::IsNil(_)) => Relation::Holds,
            (Right::True, ValueType::Bool) => Relation::Number { order: Order::NotEqual, constant: 0 },
            (Right::Number(order, number), ValueType::Int | ValueType::Uint) => {
                Relation::Number { order: *order, constant: in_range(*number, &paths)? }
            }
            (Right::Text { bytes, prefix, is }, ValueType::String) => {
                Relation::Text { bytes: bytes.clone(), prefix: *prefix, is: *is }
            }
            (right, value) => return Err(ComparisonError::Kinds { left: kind(value), right: right.kind() }),
        };
        Ok(Test { paths, relation })
    }
}

impl Right {
    fn kind(&self) -> &'static str {
        match self {
            Self::True => "true or false",
            Self::Number(..) => "a number",
            Self::Text { .. } => "a string",
        }
    }
}

fn kind(value: ValueType) -> &'static str {
    match value {
        ValueType::Int | ValueType::Uint => "an integer",
        ValueType::Bool => "a boolean",
        ValueType::String => "a string",
    }
}

/// The 64 bits of a number that the integers at the ends of these paths can be.
fn in_range(number: i128, paths: &[Path]) -> Result<i64, ComparisonError> {
    for path in paths {
        let Leaf::Int { size, signed } = path.leaf else { continue };
        let bits = 8 * u32::from(size);
        let range = if signed { -(1 << (bits - 1))..1i128 << (bits - 1) } else { 0..1i128 << bits };
        if !range.contains(&number) {
            return Err(ComparisonError::Range { constant: number, size, signed });
        }
    }
    Ok(number as i64)
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
    comparisons: usize,
}

type Parsed<T> = Result<T, What>;

impl Parser<'_> {
    fn any(&mut self) -> Parsed<Node> {
        self.joined("||", Node::Any, Self::all)
    }

    fn all(&mut self) -> Parsed<Node> {
        self.joined("&&", Node::All, Self::term)
    }

    fn joined(&mut self, sign: &str, join: fn(Vec<Node>) -> Node, part: fn(&mut Self) -> Parsed<Node>) -> Parsed<Node> {
        let mut parts = vec![part(self)?];
        while self.takes(sign) {
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
    }

    fn term(&mut self) -> Parsed<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("it nests too deep".into());
        }
        let node = if self.takes("!") {
            Node::Not(Box::new(self.term()?))
        } else if self.takes("(") {
            let inner = self.any()?;
            self.expect(")", "`)` is missing")?;
            inner
        } else {
            self.comparisons += 1;
            if self.comparisons > MAX_COMPARISONS {
                return Err("it has more comparisons than a hook should make".into());
            }
            self.comparison()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn comparison(&mut self) -> Parsed<Node> {
        if self.takes("hasPrefix(") {
            let left = self.path()?;
            self.expect(",", "`,` is missing")?;
            let bytes = self.text()?.ok_or("a string is missing")?;
            self.expect(")", "`)` is missing")?;
            return Ok(Node::Comparison(Comparison { left, right: Right::Text { bytes, prefix: true, is: true } }));
        }
        let mut left = if self.takes("len(") {
            let mut path = self.path()?;
            self.expect(")", "`)` is missing")?;
            path.form = Form::Len;
            path.text = format!("len({})", path.text);
            path
        } else {
            self.path()?
        };
        let order = ORDERS.into_iter().find(|(sign, _)| self.takes(sign)).map(|(_, order)| order);
        let Some(order) = order else {
            return Ok(Node::Comparison(Comparison { left, right: Right::True }));
        };
        let before = self.rest;
        let mut only_equal = |constant| match order {
            Order::Equal => Ok(true),
            Order::NotEqual => Ok(false),
            _ => {
                self.rest = before;
                Err(What::Grammar(constant))
            }
        };
        if before.starts_with(['"', '`']) {
            let is = only_equal("a string is compared by == or !=")?;
            let bytes = self.text()?.ok_or("a string is missing")?;
            return Ok(Node::Comparison(Comparison { left, right: Right::Text { bytes, prefix: false, is } }));
        }
        match word(before) {
            "nil" => {
                left.form = Form::IsNil(only_equal("nil is compared by == or !=")?);
                self.skip("nil".len());
                Ok(Node::Comparison(Comparison { left, right: Right::True }))
            }
            constant @ ("true" | "false") => {
                let is_true = only_equal("booleans are compared by == or !=")? == (constant == "true");
                self.skip(constant.len());
                // What meets nil is false, whichever it is compared with: so `!= true` is not `!`.
                if is_true {
                    return Ok(Node::Comparison(Comparison { left, right: Right::True }));
                }
                Err("write `!` in front of it instead".into())
            }
            _ => Ok(Node::Comparison(Comparison { left, right: Right::Number(order, self.number()?) })),
        }
    }

    /// A path: names, dots, what stands in brackets and in parentheses behind a dot.
    fn path(&mut self) -> Parsed<Expression> {
        let text = self.rest;
        let mut end = word(text).len();
        if end == 0 || text.starts_with(|first: char| first.is_ascii_digit()) {
            return Err("a path is missing".into());
        }
        loop {
            let rest = &text[end..];
            let closed = |sign, missing| rest.find(sign).map(|at| at + 1).ok_or(What::Grammar(missing));
            end += match rest.as_bytes() {
                [b'.', b'(', ..] => closed(')', "`)` is missing")?,
                [b'[', ..] => closed(']', "`]` is missing")?,
                [b'.', ..] => 1 + word(&rest[1..]).len(),
                _ => break,
            };
        }
        let path = Expression::parse(&text[..end])?;
        self.skip(end);
        Ok(path)
    }

    fn number(&mut self) -> Parsed<i128> {
        let (sign, digits) = self.rest.strip_prefix('-').map_or((1, self.rest), |digits| (-1, digits));
        let digits = word(digits);
        let plain = digits.replace('_', "");
        let parsed = match plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
            Some(hex) => i128::from_str_radix(hex, 16),
            // Go reads 017 as octal; whoever writes it should say what is meant.
            None if plain.len() > 1 && plain.starts_with('0') => return Err("a number is missing".into()),
            None => plain.parse(),
        };
        let number = parsed.map_err(|_| What::Grammar("a number, a string, nil, true or false is missing"))?;
        self.skip(digits.len() + usize::from(sign < 0));
        Ok(sign * number)
    }

    /// A string in double quotes, with Go's escapes of one byte, or in back quotes; `None` when there is none.
    fn text(&mut self) -> Parsed<Option<Vec<u8>>> {
        let Some(quote) = self.rest.chars().next().filter(|quote| ['"', '`'].contains(quote)) else { return Ok(None) };
        let mut bytes = Vec::new();
        let mut rest = &self.rest[1..];
        loop {
            let mut characters = rest.chars();
            let character = characters.next().ok_or("the string has no end")?;
            rest = characters.as_str();
            if character == quote {
                break;
            }
            if character != '\\' || quote == '`' {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            let escape = characters.next().ok_or("the string has no end")?;
            rest = characters.as_str();
            bytes.push(match escape {
                'n' => b'\n',
                'r' => b'\r',
                't' => b'\t',
                '\\' | '"' => escape as u8,
                'x' => {
                    let byte = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                    rest = rest.get(2..).unwrap_or_default();
                    byte.ok_or("\\x is followed by two hexadecimal digits")?
                }
                _ => return Err("in a string \\ is followed by \\, \", n, r, t or x".into()),
            });
        }
        if bytes.len() > MAX_TEXT {
            return Err("a string of more than 64 bytes cannot be compared with".into());
        }
        self.rest = rest.trim_start();
        Ok(Some(bytes))
    }

    fn takes(&mut self, expected: &str) -> bool {
        match self.rest.strip_prefix(expected) {
            // `!=` is no negation, and `<=` no `<`: longer signs are asked for first, but for this one.
            Some(rest) if expected == "!" && rest.starts_with('=') => false,
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, expected: &str, missing: &'static str) -> Parsed<()> {
        if self.takes(expected) { Ok(()) } else { Err(missing.into()) }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start();
    }
}

/// The letters, digits and underscores at the head of `text`.
fn word(text: &str) -> &str {
    let is_word = |character: char| character.is_alphanumeric() || character == '_' || character == '~';
    &text[..text.find(|character| !is_word(character)).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A condition with all of its parentheses.
    fn shown(node: &Node) -> String {
        let joined = |parts: &[Node], sign| format!("({})", parts.iter().map(shown).collect::<Vec<_>>().join(sign));
        match node {
            Node::Comparison(Comparison { left, right }) => match right {
                Right::True if left.form == Form::Value => left.text.clone(),
                Right::True => format!("{} {:?}", left.text, left.form),
                Right::Number(order, number) => format!("{} {order:?} {number}", left.text),
                Right::Text { bytes, prefix, is } => {
                    format!("{} {prefix} {is} {}", left.text, bytes.escape_ascii())
                }
            },
            Node::Not(inner) => format!("!{}", shown(inner)),
            Node::All(parts) => joined(parts, " && "),
            Node::Any(parts) => joined(parts, " || "),
        }
    }

    #[test]
    fn conditions_bind_as_in_go() {
        for (text, expected) in [
            ("ok", "ok"),
            (" a.b&&!c||d.e ", "((a.b && !c) || d.e)"),
            ("a && (b || !(c && d)) && e", "(a && (b || !(c && d)) && e)"),
            ("n<=-0x1_0", "n LessOrEqual -16"),
            ("n < 18446744073709551615", "n Less 18446744073709551615"),
            ("len(o.Lines)>=3", "len(o.Lines) GreaterOrEqual 3"),
            ("results[1] != nil && !err", "(results[1] IsNil(false) && !err)"),
            ("rw.(*net/http.response).status == 404", "rw.(*net/http.response).status Equal 404"),
            (r#"s != "a\x00\"\n" || s == `\`"#, r#"(s false false a\x00\"\n || s false true \\)"#),
            ("hasPrefix(o.Name, \"v\u{e9}\")", r"o.Name true true v\xc3\xa9"),
            ("ok == true && on != false", "(ok && on)"),
        ] {
            let condition = Condition::parse(text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(shown(&condition.meaning), expected, "{text}");
        }
        let condition = Condition::parse("a.b == 1 || !(len(c) > 2)").expect("a condition");
        let mut paths: Vec<_> = condition.expressions().iter().map(|it| it.text.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["a.b", "len(c)"]);
    }

    #[test]
    fn what_is_no_condition_is_named() {
        for (text, expected) in [
            ("", "a path is missing at ``"),
            ("a &&", "a path is missing at ``"),
            ("a & b", "is missing at `& b`"),
            ("a = 3", "is missing at `= 3`"),
            ("(a", "`)` is missing at ``"),
            ("a == ", "a number, a string, nil, true or false is missing at ``"),
            ("3 < a", "a path is missing at `3 < a`"),
            ("a < \"b\"", "a string is compared by == or !="),
            ("a > nil", "nil is compared by == or !="),
            ("a == 017", "a number is missing at `017`"),
            ("a != true", "write `!` in front"),
            ("a == \"b", "the string has no end"),
            ("a == \"\\u00e9\"", "in a string \\ is followed by"),
            ("a..b == 3", "`a..b` is not a path: a field is missing"),
            ("a.(b == 3", "`)` is missing"),
            ("hasPrefix(a \"b\")", "`,` is missing at `\"b\")`"),
        ] {
            let error = Condition::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let long = format!("a == {:?}", "x".repeat(MAX_TEXT + 1));
        let deep = format!("{}a", "!".repeat(100_000));
        let many = vec!["a"; MAX_COMPARISONS + 1].join("&&");
        for (text, expected) in [(long, "more than 64 bytes"), (deep, "nests too deep"), (many, "more comparisons")] {
            assert!(Condition::parse(&text).expect_err("too much").to_string().contains(expected));
        }
    }
}
