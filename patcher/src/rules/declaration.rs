//! Go declarations in rules: what a function's parameters are, for programs that no longer say it themselves.
//!
//! Decides: the grammar, a part of Go's. Trusts: nothing. Never does: know a type.
//!
//! ```text
//! declaration = "func" [ "(" [ name ] type ")" ] name list [ list | type ] | "type" name type
//! list        = "(" [ variable { "," variable } ] ")"           (names for all, or for none)
//! type        = [ import path "." ] name | "*" type | "[" [ number ] "]" type | "map[" type "]" type
//!             | [ "<-" ] "chan" [ "<-" ] type | "func" list [ list | type ]
//!             | "struct{" { field ";" } "}" | "interface{" ... "}"
//! ```
//!
//! A name without an import path is of the rule's package, if it is not one of Go's own. Types with type parameters cannot
//! be written.

/// A declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declaration {
    /// Of a function.
    Function(Function),
    /// Of a type: its name, without the package, and what it is.
    Type(String, Expr),
}

/// A function's declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// As it was written.
    pub text: String,
    /// Receiver, as rules spell it (`*conn`); `None` of a plain function.
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
    /// Name; `_` when it has none.
    pub name: String,
    /// Type.
    pub of: Expr,
    /// Whether it is an embedded field.
    pub embedded: bool,
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// As it was written.
    pub text: String,
    /// What it is.
    pub shape: Shape,
}

/// What a type is, as far as its place in registers and the paths of rules depend on it.
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

/// Why a declaration cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a declaration: {what} at `{rest}`")]
pub struct DeclarationError {
    text: String,
    what: &'static str,
    rest: String,
}

/// Types may nest this deep.
const MAX_DEPTH: u32 = 32;

impl Declaration {
    /// Reads a declaration.
    pub fn parse(text: &str) -> Result<Self, DeclarationError> {
        let mut parser = Parser { rest: text.trim(), depth: 0 };
        let declaration = parser
            .declaration()
            .and_then(|found| if parser.rest.is_empty() { Ok(found) } else { Err("this is too much") });
        declaration.map_err(|what| DeclarationError { text: text.to_owned(), what, rest: parser.rest.to_owned() })
    }
}

struct Parser<'t> {
    rest: &'t str,
    depth: u32,
}

type Parsed<T> = Result<T, &'static str>;

impl<'t> Parser<'t> {
    fn declaration(&mut self) -> Parsed<Declaration> {
        let start = self.rest;
        if self.word_is("type") {
            let name = self.name()?;
            return Ok(Declaration::Type(name.to_owned(), self.expr()?));
        }
        if !self.word_is("func") {
            return Err("`func` or `type` is missing");
        }
        let mut inputs = Vec::new();
        if self.rest.starts_with('(') {
            inputs = self.list()?;
            if inputs.len() != 1 {
                return Err("a method has one receiver");
            }
        }
        let receiver = inputs.first().map(|receiver| receiver.of.text.replace(' ', ""));
        let name = self.name()?.to_owned();
        inputs.extend(self.list()?);
        let results = self.results()?;
        Ok(Declaration::Function(Function { text: start.to_owned(), receiver, name, inputs, results }))
    }

    fn results(&mut self) -> Parsed<Vec<Variable>> {
        match self.rest.chars().next() {
            Some('(') => self.list(),
            None | Some(',' | ')' | ';' | '}') => Ok(Vec::new()),
            Some(_) => Ok(vec![Variable { name: "_".to_owned(), of: self.expr()?, embedded: false }]),
        }
    }

    /// Parameters or results. Whether `a` in `(a, b int)` is a type shows only at the end.
    fn list(&mut self) -> Parsed<Vec<Variable>> {
        self.expect("(")?;
        let mut entries: Vec<(Expr, Option<Expr>)> = Vec::new();
        while !self.takes(")") {
            let first = self.parameter_type()?;
            let is_last_word = self.rest.starts_with([',', ')']);
            entries.push((first, if is_last_word { None } else { Some(self.parameter_type()?) }));
            if !self.takes(",") && !self.rest.starts_with(')') {
                return Err("`,` or `)` is missing");
            }
        }
        let unnamed = |of| Variable { name: "_".to_owned(), of, embedded: false };
        if entries.iter().all(|(_, of)| of.is_none()) {
            return Ok(entries.into_iter().map(|(of, _)| unnamed(of)).collect());
        }
        let mut variables = Vec::with_capacity(entries.len());
        let mut last = None;
        for (name, of) in entries.into_iter().rev() {
            last = of.or(last);
            let Shape::Named(name) = name.shape else { return Err("a name is missing") };
            let of = last.clone().ok_or("a type is missing")?;
            variables.push(Variable { name, of, embedded: false });
        }
        variables.reverse();
        Ok(variables)
    }

    /// A type, or `...` and a type, which is a slice to the function.
    fn parameter_type(&mut self) -> Parsed<Expr> {
        let start = self.rest;
        if self.takes("...") {
            let shape = Shape::Slice(Box::new(self.expr()?));
            return Ok(self.expr_since(start, shape));
        }
        self.expr()
    }

    fn expr(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("types nest too deep");
        }
        let start = self.rest;
        let shape = self.shape()?;
        self.depth -= 1;
        Ok(self.expr_since(start, shape))
    }

    fn expr_since(&self, start: &str, shape: Shape) -> Expr {
        Expr { text: start[..start.len() - self.rest.len()].trim_end().to_owned(), shape }
    }

    fn shape(&mut self) -> Parsed<Shape> {
        if self.takes("*") {
            return Ok(Shape::Pointer(Box::new(self.expr()?)));
        }
        if self.takes("[") {
            if self.takes("]") {
                return Ok(Shape::Slice(Box::new(self.expr()?)));
            }
            let len = self.word().parse().map_err(|_| "a number is missing")?;
            self.expect("]")?;
            return Ok(Shape::Array(len, Box::new(self.expr()?)));
        }
        if self.takes("<-") {
            return if self.word_is("chan") { self.chan() } else { Err("`chan` is missing") };
        }
        let before = self.rest;
        match self.word() {
            "" => Err("a type is missing"),
            "map" => {
                self.expect("[")?;
                self.expr()?;
                self.expect("]")?;
                self.expr()?;
                Ok(Shape::Map)
            }
            "chan" => self.chan(),
            "func" => {
                self.list()?;
                self.results()?;
                Ok(Shape::Func)
            }
            "struct" => Ok(Shape::Struct(self.fields()?)),
            "interface" => self.interface(),
            name if name.ends_with('.') => {
                self.rest = before;
                Err("a name is missing")
            }
            name => Ok(Shape::Named(name.to_owned())),
        }
    }

    fn chan(&mut self) -> Parsed<Shape> {
        self.takes("<-");
        self.expr()?;
        Ok(Shape::Chan)
    }

    fn fields(&mut self) -> Parsed<Vec<Variable>> {
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.takes("}") {
            if self.takes(";") {
                continue;
            }
            let first = self.expr()?;
            if self.ends_a_field() {
                let name = first.text.rsplit(['.', '*', '/']).next().unwrap_or_default().to_owned();
                fields.push(Variable { name, of: first, embedded: true });
                continue;
            }
            let mut names = vec![first];
            while self.takes(",") {
                names.push(self.expr()?);
            }
            let of = self.expr()?;
            for name in names {
                let Shape::Named(name) = name.shape else { return Err("a name is missing") };
                fields.push(Variable { name, of: of.clone(), embedded: false });
            }
            if !self.ends_a_field() {
                return Err("`;` or `}` is missing");
            }
        }
        Ok(fields)
    }

    fn ends_a_field(&self) -> bool {
        self.rest.starts_with([';', '}'])
    }

    /// The methods do not matter, only whether there are any.
    fn interface(&mut self) -> Parsed<Shape> {
        self.expect("{")?;
        let (methods, behind) = self.rest.split_once('}').ok_or("`}` is missing")?;
        self.rest = behind.trim_start();
        Ok(Shape::Interface { empty: methods.trim().is_empty() })
    }

    fn name(&mut self) -> Parsed<&'t str> {
        let name = self.word();
        if name.is_empty() || name.contains(['.', '/', '-']) { Err("a name is missing") } else { Ok(name) }
    }

    /// The word at the head, with what separates an import path's elements; empty when there is none.
    fn word(&mut self) -> &'t str {
        let is_word = |character: char| character.is_alphanumeric() || "_./-~".contains(character);
        let (word, rest) =
            self.rest.split_at(self.rest.find(|character| !is_word(character)).unwrap_or(self.rest.len()));
        self.rest = rest.trim_start();
        word
    }

    fn word_is(&mut self, expected: &str) -> bool {
        let before = self.rest;
        let is_it = self.word() == expected;
        if !is_it {
            self.rest = before;
        }
        is_it
    }

    fn takes(&mut self, expected: &str) -> bool {
        match self.rest.strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, expected: &'static str) -> Parsed<()> {
        if self.takes(expected) {
            return Ok(());
        }
        Err(match expected {
            "(" => "`(` is missing",
            "[" => "`[` is missing",
            "]" => "`]` is missing",
            _ => "`{` is missing",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(text: &str) -> Function {
        match Declaration::parse(text) {
            Ok(Declaration::Function(function)) => function,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn show(variables: &[Variable]) -> Vec<String> {
        variables.iter().map(|variable| format!("{} {}", variable.name, variable.of.text)).collect()
    }

    #[test]
    fn functions_are_read_as_go_would() {
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
    fn every_kind_of_type_is_read() {
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
    fn what_is_missing_is_named() {
        for (text, expected) in [
            ("ServeHTTP(rw ResponseWriter)", "`func` or `type` is missing at `ServeHTTP(rw"),
            ("func f(a int", "`,` or `)` is missing"),
            ("func f(a int) error) x", "this is too much at `) x`"),
            ("func f(a Pair[int])", "`,` or `)` is missing at `[int])`"),
            ("func f(a int, b)", "a type is missing"),
            ("func f(*a int)", "a name is missing"),
            ("func f(a net/http.)", "a name is missing at `net/http.)`"),
            ("func (a, b int) f()", "a method has one receiver"),
            ("type t struct{ a int b int }", "`;` or `}` is missing"),
        ] {
            let error = Declaration::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
        let deep = format!("type t {}int", "*".repeat(100_000));
        assert!(Declaration::parse(&deep).expect_err("too deep").to_string().contains("nest too deep"));
    }
}
