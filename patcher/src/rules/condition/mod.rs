//! Conditions in rules: Go-like expressions that decide which calls are recorded. This file knows
//! their grammar, `resolve` finds their values in a binary.
//!
//! ```text
//! condition  = all { "||" all }
//! all        = term { "&&" term }
//! term       = "!" term | "(" condition ")" | "hasPrefix(" path "," string ")" | operand [ order constant ]
//! operand    = path | "len(" path ")"                     (see `path`)
//! order      = "==" | "!=" | "<" | "<=" | ">" | ">="      (strings, booleans and nil: only the first two)
//! constant   = number | string | "nil" | "true" | "false"
//! ```

mod resolve;

use gopatch_trampolines::plan::filter::Order;

use super::syntax::path::{Expression, Form};
use super::syntax::scanner::{Problem, Scanned, Scanner, SyntaxError};

pub use resolve::{ComparisonError, Unresolved};

/// Most bytes of a string in a comparison.
const MAX_TEXT: usize = 64;
/// Most comparisons, which bounds the length of a thunk.
const MAX_COMPARISONS: usize = 32;
/// Signs; longer ones come before those that they begin with.
const ORDERS: [(&str, Order); 6] = [
    ("==", Order::Equal),
    ("!=", Order::NotEqual),
    ("<=", Order::LessOrEqual),
    (">=", Order::GreaterOrEqual),
    ("<", Order::Less),
    (">", Order::Greater),
];

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// As written in the rule.
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

/// The constant that a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Right {
    /// The value is a boolean, or a comparison with nil, and must be true.
    True,
    Number(Order, i128),
    Text {
        bytes: Vec<u8>,
        prefix: bool,
        is: bool,
    },
}

impl Condition {
    /// Reads a condition.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let meaning = Scanner::read("condition", text, |scanner| {
            let mut parser = Parser { scanner, comparisons: 0 };
            let meaning = parser.any()?;
            if scanner.is_at_end() { Ok(meaning) } else { Err("expected `&&`, `||` or a comparison".into()) }
        })?;
        Ok(Self { text: text.trim().to_owned(), meaning })
    }

    /// The paths that it compares.
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
}

struct Parser<'s, 't> {
    scanner: &'s mut Scanner<'t>,
    comparisons: usize,
}

impl Parser<'_, '_> {
    fn any(&mut self) -> Scanned<Node> {
        self.joined("||", Node::Any, Self::all)
    }

    fn all(&mut self) -> Scanned<Node> {
        self.joined("&&", Node::All, Self::term)
    }

    fn joined(
        &mut self,
        sign: &str,
        join: fn(Vec<Node>) -> Node,
        part: fn(&mut Self) -> Scanned<Node>,
    ) -> Scanned<Node> {
        let mut parts = vec![part(self)?];
        while self.scanner.take(sign) {
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
    }

    fn term(&mut self) -> Scanned<Node> {
        self.scanner.enter()?;
        // `!=` is no negation.
        let node = if !self.scanner.rest().starts_with("!=") && self.scanner.take("!") {
            Node::Not(Box::new(self.term()?))
        } else if self.scanner.take("(") {
            let inner = self.any()?;
            self.scanner.expect(")")?;
            inner
        } else {
            self.comparisons += 1;
            if self.comparisons > MAX_COMPARISONS {
                return Err("more comparisons than a hook should make".into());
            }
            Node::Comparison(self.comparison()?)
        };
        self.scanner.leave();
        Ok(node)
    }

    fn comparison(&mut self) -> Scanned<Comparison> {
        if self.scanner.take("hasPrefix(") {
            let left = self.path()?;
            self.scanner.expect(",")?;
            let bytes = string(self.scanner)?;
            self.scanner.expect(")")?;
            return Ok(Comparison { left, right: Right::Text { bytes, prefix: true, is: true } });
        }
        let mut left = if self.scanner.take("len(") {
            let path = self.path()?;
            self.scanner.expect(")")?;
            Expression { text: format!("len({})", path.text), form: Form::Len, ..path }
        } else {
            self.path()?
        };
        let order = ORDERS.into_iter().find(|(sign, _)| self.scanner.take(sign)).map(|(_, order)| order);
        let Some(order) = order else { return Ok(Comparison { left, right: Right::True }) };
        let before = self.scanner.rest();
        let only_equality = |error| match order {
            Order::Equal => Ok(true),
            Order::NotEqual => Ok(false),
            _ => Err(Problem::Other(error)),
        };
        if before.starts_with(['"', '`']) {
            let is = only_equality("a string is compared by == or !=,")?;
            let bytes = string(self.scanner)?;
            return Ok(Comparison { left, right: Right::Text { bytes, prefix: false, is } });
        }
        let right = match self.scanner.word("") {
            "nil" => {
                self.scanner.go_back(before);
                left.form = Form::IsNil(only_equality("nil is compared by == or !=,")?);
                self.scanner.expect("nil")?;
                Right::True
            }
            constant @ ("true" | "false") => {
                self.scanner.go_back(before);
                let is_true = only_equality("a boolean is compared by == or !=,")? == (constant == "true");
                // A path that meets nil is false in either comparison: so `!= true` does not mean
                // `!`.
                if !is_true {
                    return Err("write `!` before the path instead of a comparison with a boolean".into());
                }
                self.scanner.take(constant);
                Right::True
            }
            _ => {
                self.scanner.go_back(before);
                Right::Number(order, number(self.scanner)?)
            }
        };
        Ok(Comparison { left, right })
    }

    fn path(&mut self) -> Scanned<Expression> {
        let path = Expression::scan_path(self.scanner)?;
        self.scanner.skip_space();
        Ok(path)
    }
}

fn number(scanner: &mut Scanner<'_>) -> Scanned<i128> {
    let start = scanner.rest();
    let sign = if scanner.take_closely("-") { -1 } else { 1 };
    let digits = scanner.word("").replace('_', "");
    let parsed = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i128::from_str_radix(hex, 16).map_err(|_| "expected a number, a string, nil, true or false"),
        // Go reads 017 as octal, most people do not.
        None if digits.len() > 1 && digits.starts_with('0') => Err("expected a number without leading zeros"),
        None => digits.parse().map_err(|_| "expected a number, a string, nil, true or false"),
    };
    match parsed {
        Ok(number) => {
            scanner.skip_space();
            Ok(sign * number)
        }
        Err(problem) => {
            scanner.go_back(start);
            Err(problem.into())
        }
    }
}

/// A string in double quotes, with Go's escapes of one byte, or in back quotes.
fn string(scanner: &mut Scanner<'_>) -> Scanned<Vec<u8>> {
    let start = scanner.rest();
    let quote = ['"', '`'].into_iter().find(|quote| start.starts_with(*quote)).ok_or("expected a string")?;
    scanner.next();
    let mut bytes = Vec::new();
    loop {
        let character = scanner.next().ok_or("the string is not terminated")?;
        if character == quote {
            break;
        }
        if character != '\\' || quote == '`' {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        bytes.push(match scanner.next() {
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some('\\') => b'\\',
            Some('"') => b'"',
            Some('x') => {
                let mut digit = || scanner.next().and_then(|digit| digit.to_digit(16));
                let byte = digit().zip(digit()).map(|(high, low)| (16 * high + low) as u8);
                byte.ok_or("expected two hexadecimal digits after \\x")?
            }
            _ => return Err("a \\ in a string must be followed by \\, \", n, r, t or x".into()),
        });
    }
    if bytes.len() > MAX_TEXT {
        scanner.go_back(start);
        return Err("expected a string of at most 64 bytes".into());
    }
    scanner.skip_space();
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A condition, with all parentheses written out.
    fn to_text(node: &Node) -> String {
        let joined = |parts: &[Node], sign| format!("({})", parts.iter().map(to_text).collect::<Vec<_>>().join(sign));
        match node {
            Node::Comparison(Comparison { left, right }) => match right {
                Right::True if left.form == Form::Value => left.text.clone(),
                Right::True => format!("{} {:?}", left.text, left.form),
                Right::Number(order, number) => format!("{} {order:?} {number}", left.text),
                Right::Text { bytes, prefix, is } => {
                    format!("{} {prefix} {is} {}", left.text, bytes.escape_ascii())
                }
            },
            Node::Not(inner) => format!("!{}", to_text(inner)),
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
            assert_eq!(to_text(&condition.meaning), expected, "{text}");
        }
        let condition = Condition::parse("a.b == 1 || !(len(c) > 2)").expect("a condition");
        let mut paths: Vec<_> = condition.expressions().iter().map(|it| it.text.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["a.b", "len(c)"]);
    }

    #[test]
    fn an_invalid_condition_is_an_error_at_its_first_wrong_part() {
        for (text, expected) in [
            ("", "expected a parameter or a result at the end"),
            ("a &&", "expected a parameter or a result at the end"),
            ("a & b", "expected `&&`, `||` or a comparison at `& b`"),
            ("a = 3", "expected `&&`, `||` or a comparison at `= 3`"),
            ("(a", "expected `)` at the end"),
            ("a == ", "expected a number, a string, nil, true or false at the end"),
            ("3 < a", "expected a parameter or a result at `3 < a`"),
            ("a < \"b\"", "a string is compared by == or !=, at `\"b\"`"),
            ("a > nil", "nil is compared by == or !=, at `nil`"),
            ("a == 017", "expected a number without leading zeros at `017`"),
            ("a == -0x", "expected a number, a string, nil, true or false at `-0x`"),
            ("a != true", "write `!` before the path instead of a comparison with a boolean at `true`"),
            ("a == \"b", "the string is not terminated at the end"),
            ("a == \"\\u00e9\"", "a \\ in a string must be followed by \\, \", n, r, t or x at `00e9\"`"),
            ("a == \"\\x0g\"", "expected two hexadecimal digits after \\x"),
            ("a..b == 3", "expected the name of a field at `.b == 3`"),
            ("a.(b == 3", "expected `)` at `b == 3`"),
            ("hasPrefix(a \"b\")", "expected `,` at `\"b\")`"),
            ("hasPrefix(a, b)", "expected a string at `b)`"),
        ] {
            let error = Condition::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let long = format!("a == {:?}", "x".repeat(MAX_TEXT + 1));
        let deep = format!("{}a", "!".repeat(100_000));
        let many = vec!["a"; MAX_COMPARISONS + 1].join("&&");
        for (text, expected) in [(long, "at most 64 bytes"), (deep, "nested too deeply"), (many, "more comparisons")] {
            assert!(Condition::parse(&text).expect_err("too much").to_string().contains(expected));
        }
    }
}
