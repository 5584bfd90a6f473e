//! Go declarations in rules: the parameters and types of functions, for programs without DWARF.
//! This file knows their grammar, a part of Go's, but no types of a program.
//!
//! ```text
//! declaration = "func" [ "(" [ name ] type ")" ] name list [ list | type ] | "type" name type
//! list        = "(" [ variable { "," variable } ] ")"           (names for all, or for none)
//! type        = [ import path "." ] name | "*" type | "[" [ number ] "]" type | "map[" type "]" type
//!             | [ "<-" ] "chan" [ "<-" ] type | "func" list [ list | type ]
//!             | "struct{" { field ";" } "}" | "interface{" ... "}"
//! ```
//!
//! A name without an import path is one of Go's predeclared types, or belongs to the rule's
//! package. Types with type parameters cannot be written.

use super::syntax::scanner::{Problem, Scanned, Scanner, SyntaxError};

/// A declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declaration {
    /// Of a function.
    Function(FunctionDeclaration),
    /// Of a type: its name, without the package, and its definition.
    Type(String, Expr),
}

/// A function's declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionDeclaration {
    /// As written in the rule.
    pub text: String,
    /// Receiver, as rules spell it (`*conn`); `None` for a plain function.
    pub receiver: Option<String>,
    /// Name.
    pub name: String,
    /// Receiver and parameters.
    pub inputs: Vec<Variable>,
    /// Results.
    pub results: Vec<Variable>,
}

/// A parameter, a result, or a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Name; `_` if it has none.
    pub name: String,
    /// Type.
    pub of: Expr,
    /// Whether it is an embedded field.
    pub embedded: bool,
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// As written in the rule.
    pub text: String,
    /// What it is.
    pub shape: Shape,
}

/// What a type is, as far as its location in registers and the paths of rules depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Go's")]
pub enum Shape {
    Named(String),
    Pointer(Box<Expr>),
    Slice(Box<Expr>),
    Array(u64, Box<Expr>),
    Map,
    Chan,
    Func,
    Interface { empty: bool },
    Struct(Vec<Variable>),
}

impl Declaration {
    /// Reads a declaration.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Scanner::read("declaration", text, declaration)
    }
}

fn declaration(scanner: &mut Scanner<'_>) -> Scanned<Declaration> {
    let start = scanner.rest();
    if take_word(scanner, "type") {
        let name = name(scanner)?;
        return Ok(Declaration::Type(name.to_owned(), expr(scanner)?));
    }
    if !take_word(scanner, "func") {
        return Err("expected `func` or `type`".into());
    }
    let mut inputs = Vec::new();
    if scanner.rest().starts_with('(') {
        let before = scanner.rest();
        inputs = list(scanner)?;
        if inputs.len() != 1 {
            scanner.go_back(before);
            return Err("expected one receiver".into());
        }
    }
    let receiver = inputs.first().map(|receiver| receiver.of.text.replace(' ', ""));
    let name = name(scanner)?.to_owned();
    inputs.extend(list(scanner)?);
    let results = results(scanner)?;
    Ok(Declaration::Function(FunctionDeclaration { text: start.to_owned(), receiver, name, inputs, results }))
}

fn results(scanner: &mut Scanner<'_>) -> Scanned<Vec<Variable>> {
    match scanner.rest().chars().next() {
        Some('(') => list(scanner),
        None | Some(',' | ')' | ';' | '}') => Ok(Vec::new()),
        Some(_) => Ok(vec![unnamed(expr(scanner)?)]),
    }
}

fn unnamed(of: Expr) -> Variable {
    Variable { name: "_".to_owned(), of, embedded: false }
}

/// Parameters or results. Only the whole list shows whether `a` in `(a, b int)` is a type.
fn list(scanner: &mut Scanner<'_>) -> Scanned<Vec<Variable>> {
    let start = scanner.rest();
    scanner.expect("(")?;
    let mut entries: Vec<(Expr, Option<Expr>)> = Vec::new();
    while !scanner.take(")") {
        let first = parameter_type(scanner)?;
        let is_alone = scanner.rest().starts_with([',', ')']);
        entries.push((first, if is_alone { None } else { Some(parameter_type(scanner)?) }));
        if !scanner.take(",") && !scanner.rest().starts_with(')') {
            return Err("expected `,` or `)`".into());
        }
    }
    if entries.iter().all(|(_, of)| of.is_none()) {
        return Ok(entries.into_iter().map(|(of, _)| unnamed(of)).collect());
    }
    let mut variables = Vec::with_capacity(entries.len());
    let mut last = None;
    for (name, of) in entries.into_iter().rev() {
        last = of.or(last);
        let (Shape::Named(name), Some(of)) = (name.shape, last.clone()) else {
            scanner.go_back(start);
            return Err("expected a name and a type for each entry, or only types,".into());
        };
        variables.push(Variable { name, of, embedded: false });
    }
    variables.reverse();
    Ok(variables)
}

/// A type, or `...` and a type, which the function sees as a slice.
fn parameter_type(scanner: &mut Scanner<'_>) -> Scanned<Expr> {
    let start = scanner.rest();
    if scanner.take("...") {
        let shape = Shape::Slice(Box::new(expr(scanner)?));
        return Ok(Expr { text: scanner.text_since(start).to_owned(), shape });
    }
    expr(scanner)
}

fn expr(scanner: &mut Scanner<'_>) -> Scanned<Expr> {
    scanner.enter()?;
    let start = scanner.rest();
    let shape = shape(scanner)?;
    scanner.leave();
    Ok(Expr { text: scanner.text_since(start).to_owned(), shape })
}

fn shape(scanner: &mut Scanner<'_>) -> Scanned<Shape> {
    if scanner.take("*") {
        return Ok(Shape::Pointer(Box::new(expr(scanner)?)));
    }
    if scanner.take("[") {
        if scanner.take("]") {
            return Ok(Shape::Slice(Box::new(expr(scanner)?)));
        }
        let len = word(scanner).parse().map_err(|_| "expected a number")?;
        scanner.expect("]")?;
        return Ok(Shape::Array(len, Box::new(expr(scanner)?)));
    }
    if scanner.take("<-") {
        return if take_word(scanner, "chan") { chan(scanner) } else { Err(Problem::Expected("chan")) };
    }
    let before = scanner.rest();
    match word(scanner) {
        "" => Err("expected a type".into()),
        "map" => {
            scanner.expect("[")?;
            expr(scanner)?;
            scanner.expect("]")?;
            expr(scanner)?;
            Ok(Shape::Map)
        }
        "chan" => chan(scanner),
        "func" => {
            list(scanner)?;
            results(scanner)?;
            Ok(Shape::Func)
        }
        "struct" => Ok(Shape::Struct(fields(scanner)?)),
        "interface" => {
            scanner.expect("{")?;
            // The methods do not matter, only whether there are any.
            let methods = scanner.until("}")?;
            scanner.skip_space();
            Ok(Shape::Interface { empty: methods.trim().is_empty() })
        }
        name if name.ends_with('.') => {
            scanner.go_back(before);
            Err("expected a name after the import path".into())
        }
        name => Ok(Shape::Named(name.to_owned())),
    }
}

fn chan(scanner: &mut Scanner<'_>) -> Scanned<Shape> {
    scanner.take("<-");
    expr(scanner)?;
    Ok(Shape::Chan)
}

fn fields(scanner: &mut Scanner<'_>) -> Scanned<Vec<Variable>> {
    scanner.expect("{")?;
    let mut fields = Vec::new();
    while !scanner.take("}") {
        if scanner.take(";") {
            continue;
        }
        let first = expr(scanner)?;
        if ends_field(scanner) {
            let name = first.text.rsplit(['.', '*', '/']).next().unwrap_or_default().to_owned();
            fields.push(Variable { name, of: first, embedded: true });
            continue;
        }
        let start = scanner.rest();
        let mut names = vec![first];
        while scanner.take(",") {
            names.push(expr(scanner)?);
        }
        let of = expr(scanner)?;
        for name in names {
            let Shape::Named(name) = name.shape else {
                scanner.go_back(start);
                return Err("expected `;` after an embedded type".into());
            };
            fields.push(Variable { name, of: of.clone(), embedded: false });
        }
        if !ends_field(scanner) {
            return Err("expected `;` or `}`".into());
        }
    }
    Ok(fields)
}

fn ends_field(scanner: &Scanner<'_>) -> bool {
    scanner.rest().starts_with([';', '}'])
}

fn name<'t>(scanner: &mut Scanner<'t>) -> Scanned<&'t str> {
    let name = word(scanner);
    if name.is_empty() || name.contains(['.', '/', '-']) { Err("expected a name".into()) } else { Ok(name) }
}

/// The next word, with the characters that an import path may have; empty if there is none.
fn word<'t>(scanner: &mut Scanner<'t>) -> &'t str {
    let word = scanner.word("./-");
    scanner.skip_space();
    word
}

fn take_word(scanner: &mut Scanner<'_>, expected: &str) -> bool {
    let before = scanner.rest();
    let is_next = word(scanner) == expected;
    if !is_next {
        scanner.go_back(before);
    }
    is_next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(text: &str) -> FunctionDeclaration {
        match Declaration::parse(text) {
            Ok(Declaration::Function(function)) => function,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn show(variables: &[Variable]) -> Vec<String> {
        variables.iter().map(|variable| format!("{} {}", variable.name, variable.of.text)).collect()
    }

    #[test]
    fn functions_parse_as_in_go() {
        let serve = function("func (sh serverHandler) ServeHTTP(rw ResponseWriter, req *Request)");
        assert_eq!((serve.receiver.as_deref(), serve.name.as_str()), (Some("serverHandler"), "ServeHTTP"));
        assert_eq!(show(&serve.inputs), ["sh serverHandler", "rw ResponseWriter", "req *Request"]);
        assert!(serve.results.is_empty());

        let place = function("func (c *Conn) place(a, b int, _ [2]string, more ...byte) (n int, err error)");
        assert_eq!(place.receiver.as_deref(), Some("*Conn"));
        assert_eq!(show(&place.inputs), ["c *Conn", "a int", "b int", "_ [2]string", "more ...byte"]);
        assert_eq!(
            place.inputs[4].of.shape,
            Shape::Slice(Box::new(Expr { text: "byte".to_owned(), shape: Shape::Named("byte".to_owned()) }))
        );
        assert_eq!(show(&place.results), ["n int", "err error"]);

        let unnamed = function("func f(example.com/a-b.T, *gopkg.in/yaml.v3.Node, unsafe.Pointer) *int");
        assert_eq!(show(&unnamed.inputs), ["_ example.com/a-b.T", "_ *gopkg.in/yaml.v3.Node", "_ unsafe.Pointer"]);
        assert_eq!(show(&unnamed.results), ["_ *int"]);
    }

    #[test]
    fn every_kind_of_type_parses() {
        let text = "func f(m map[string][]int, c <-chan int, d chan<- int, g func(int, a.B) (x int), h func() error, \
                    i interface{ M() }, j interface{}, k struct{ a, b int; *Base; c.D }, l any)";
        let shapes: Vec<_> = function(text).inputs.into_iter().map(|input| input.of.shape).collect();
        assert_eq!(
            shapes[..7],
            [
                Shape::Map,
                Shape::Chan,
                Shape::Chan,
                Shape::Func,
                Shape::Func,
                Shape::Interface { empty: false },
                Shape::Interface { empty: true },
            ]
        );
        let Shape::Struct(fields) = &shapes[7] else { panic!("{:?}", shapes[7]) };
        assert_eq!(show(fields), ["a int", "b int", "Base *Base", "D c.D"]);
        assert_eq!(fields.iter().map(|field| field.embedded).collect::<Vec<_>>(), [false, false, true, true]);
        let declared = Declaration::parse("type serverHandler struct{ srv *Server }").expect("a type");
        assert!(matches!(declared, Declaration::Type(name, _) if name == "serverHandler"));
    }

    #[test]
    fn an_invalid_declaration_is_an_error_at_its_first_wrong_word() {
        for (text, expected) in [
            ("ServeHTTP(rw ResponseWriter)", "expected `func` or `type` at `ServeHTTP(rw"),
            ("func f(a int", "expected `,` or `)` at the end"),
            ("func f(a int) error) x", "unexpected text at `) x`"),
            ("func f(a Pair[int])", "expected `,` or `)` at `[int])`"),
            ("func f(a int, b)", "or only types, at `(a int, b)`"),
            ("func f(*a int)", "expected a name and a type for each entry, or only types, at `(*a int)`"),
            ("func f(a net/http.)", "expected a name after the import path at `net/http.)`"),
            ("func (a, b int) f()", "expected one receiver at `(a, b int) f()`"),
            ("type t struct{ a int b int }", "expected `;` or `}` at `b int }`"),
            ("type t struct{ a <-int }", "expected `chan` at `int }`"),
        ] {
            let error = Declaration::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
        let deep = format!("type t {}int", "*".repeat(100_000));
        assert!(Declaration::parse(&deep).expect_err("too deep").to_string().contains("nested too deeply"));
    }
}
