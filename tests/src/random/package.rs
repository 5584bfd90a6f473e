//! A random package: its types, its functions in an order in which each calls only earlier ones,
//! and `Run`, which calls some of them.

use super::source::{Function, Package, Scope};
use super::types::{NUMBERS, Type};

const HEAD: &str = include_str!("head.go.txt");

/// How many functions a package has at least, besides those of the head and of the structs.
const FUNCTIONS: usize = 8;

impl Package {
    /// Writes the package of a seed in the language of Go 1.`go`.
    pub(super) fn write(seed: u64, go: u32) -> String {
        let rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed);
        let name = format!("p{seed}");
        let mut package =
            Self { rng, go, name, text: String::new(), structs: Vec::new(), functions: Vec::new(), next: 0, indent: 0 };
        package.head();
        package.types();
        for number in 0..FUNCTIONS + package.rng.usize(0..8) {
            package.function(number);
        }
        package.run();
        package.end();
        package.text
    }

    fn head(&mut self) {
        let iterators = if self.go >= 23 { "\"iter\"" } else { "" };
        self.text += &HEAD.replace("%PACKAGE%", &self.name).replace("%ITER%", iterators);
        if self.go >= 23 {
            self.line("var _ iter.Seq[int]");
        }
        for number in NUMBERS {
            let values: Vec<_> = (0..4)
                .map(|index| match (number, index) {
                    ("float32" | "float64", _) => format!("{}.{}", self.rng.u32(0..90), self.rng.u32(1..99)),
                    (_, 0) => self.rng.u32(0..4).to_string(),
                    ("int" | "int32" | "uint32" | "uint64", 3) => self.rng.u32(1000..1 << 30).to_string(),
                    _ => self.rng.u32(0..127).to_string(),
                })
                .collect();
            self.line(format!("var v_{number} = [4]{number}{{{}}}", values.join(", ")));
        }
        let words: Vec<_> = (0..4).map(|_| format!("{:?}", self.word())).collect();
        self.line(format!("var v_string = [4]string{{{}}}", words.join(", ")));
        self.jump();
    }

    fn word(&mut self) -> String {
        (0..self.rng.usize(0..9)).map(|_| self.rng.lowercase()).collect()
    }

    /// Functions with jump tables: `switch` over many numbers, and over many texts.
    fn jump(&mut self) {
        let pragma = ["//go:noinline", "//go:nosplit", "//"][self.rng.usize(0..3)];
        self.line(pragma);
        self.block("func jump(x int) (y int) {", |package| {
            let mask = [15, 31, 63][package.rng.usize(0..3)];
            package.line(format!("switch x & {mask} {{"));
            for case in 0..package.rng.u32(9..28) {
                let value = package.rng.u32(1..1000);
                let text = match package.rng.u32(0..5) {
                    0 => format!("return {value}"),
                    1 => format!("y = x * {value}"),
                    2 => format!("y = {value}; if x > {value} {{ return y - x }}"),
                    3 if case > 0 => "y++; fallthrough".to_owned(),
                    _ => format!("y += {value} - x"),
                };
                package.line(format!("case {case}: {text}"));
            }
            package.line("case 60: y = 8");
            package.line("default: return x ^ 0x55 }");
            package.line("return y }");
        });
        self.block("func words(x string) string {", |package| {
            package.line("switch x {");
            let mut words: Vec<_> = (0..16).map(|_| package.word()).collect();
            words.sort();
            words.dedup();
            for (index, word) in words.iter().enumerate() {
                package.line(format!("case {word:?}: return v_string[{}] + {:?}", index % 4, index.to_string()));
            }
            package.line("default: return sup.Cut(x + \".\") }}");
        });
    }

    /// Structs, each with the methods of `shape`, every second one by a pointer.
    fn types(&mut self) {
        for number in 0..self.rng.usize(2..5) {
            // A struct may hold earlier ones, and point to them.
            let fields: Vec<_> = (0..self.rng.usize(1..7)).map(|_| Type::random(&mut self.rng, number)).collect();
            let described: Vec<_> =
                fields.iter().enumerate().map(|(index, field)| format!("F{index} {field}")).collect();
            self.line(format!("type t{number} struct {{ {} }}", described.join("; ")));
            let star = if number % 2 == 0 { "" } else { "*" };
            self.block(format!("func (t t{number}) add(s *sup.S) {{"), |package| {
                package.line("if s.Out() { return }");
                for (index, field) in fields.iter().enumerate() {
                    let add = field.add(&format!("t.F{index}"));
                    package.line(add);
                }
                package.line("}");
            });
            self.line(format!("func (t {star}t{number}) Name() string {{ return \"t{number}\" }}"));
            let scope = Scope {
                variables: fields
                    .iter()
                    .enumerate()
                    .map(|(index, field)| (format!("t.F{index}"), field.clone()))
                    .filter(|(_, field)| matches!(field, Type::Number(_) | Type::Text | Type::Bool))
                    .chain([("k".to_owned(), Type::Number("int"))])
                    .collect(),
                has_state: false,
            };
            let size = self.expression(&scope, &Type::Number("int"), 2);
            self.line(format!("func (t {star}t{number}) Size(k int) int {{ return {size} + k }}"));
            self.structs.push(fields);
        }
        // Promoted methods, by value and by pointer: the compiler makes wrappers.
        self.line("type outer struct { shape; n int }");
        self.line("type outermost struct { *outer }");
    }

    /// A function, a method, or a generic function.
    fn function(&mut self, number: usize) {
        let structs = self.structs.len();
        let mut types = |most: usize| -> Vec<Type> {
            let count = self.rng.usize(0..=most);
            (0..count).map(|_| Type::random(&mut self.rng, structs)).collect()
        };
        let (parameters, results) = match number % 5 {
            0 => (types(18), types(9)),
            _ => (types(6), types(3)),
        };
        let (receiver, argument) = match self.rng.u32(0..6) {
            0 | 1 => (Some((self.rng.usize(0..structs), self.rng.bool())), None),
            2 => (None, Some(NUMBERS[self.rng.usize(0..NUMBERS.len())])),
            _ => (None, None),
        };
        let name = format!("{}{number}", if receiver.is_some() { "m" } else { "f" });
        let function = Function { name, receiver, parameters, results, argument };

        let parameters: Vec<_> =
            function.parameters.iter().enumerate().map(|(index, one)| format!("a{index} {one}")).collect();
        let results: Vec<_> =
            function.results.iter().enumerate().map(|(index, one)| format!("r{index} {one}")).collect();
        let receiver = function
            .receiver
            .map(|(one, pointer)| format!("(t {}t{one}) ", if pointer { "*" } else { "" }))
            .unwrap_or_default();
        let generic = if function.argument.is_some() { "[T sup.Number]" } else { "" };
        let extra = if function.argument.is_some() { ", g T, gs []T" } else { "" };
        let pragma = ["//go:noinline", "//", "//"][self.rng.usize(0..3)];
        self.line(pragma);
        let head = format!(
            "func {receiver}{}{generic}(s *sup.S{extra}{}{}) ({}) {{",
            function.name,
            if parameters.is_empty() { "" } else { ", " },
            parameters.join(", "),
            results.join(", ")
        );
        self.block(head, |package| package.body(&function));
        self.functions.push(function);
    }

    fn body(&mut self, function: &Function) {
        let named = |prefix: &'static str, types: &[Type]| -> Vec<(String, Type)> {
            types.iter().enumerate().map(|(index, one)| (format!("{prefix}{index}"), one.clone())).collect()
        };
        let results = named("r", &function.results);
        let mut scope = Scope { variables: named("a", &function.parameters), has_state: true };
        scope.variables.extend(results.iter().cloned());
        if let Some((number, pointer)) = function.receiver {
            scope.variables.push(("t".to_owned(), if pointer { Type::Pointer(number) } else { Type::Struct(number) }));
        }
        self.line("if s.Out() { return }");
        if function.argument.is_some() {
            self.generic(&mut scope);
        }
        if self.rng.u32(0..3) == 0 {
            let changed: Vec<_> = results.iter().map(|(name, one)| one.add(name)).collect();
            self.line(format!("defer func() {{ {}; s.Caught(recover()) }}()", changed.join("; ")));
        } else if self.rng.u32(0..4) == 0 {
            self.line(format!("defer s.Note({:?})", function.name));
        }
        for _ in 0..self.rng.u32(1..6) {
            self.statement(&mut scope, 2, &results);
        }
        self.leave(&scope, &results);
        self.line("}");
    }

    /// Returns results, or what the named results are.
    pub(super) fn leave(&mut self, scope: &Scope, results: &[(String, Type)]) {
        if results.is_empty() || self.rng.u32(0..4) == 0 {
            return self.line("return");
        }
        let values: Vec<_> = results.iter().map(|(_, one)| self.expression(scope, one, 2)).collect();
        self.line(format!("return {}", values.join(", ")));
    }

    fn generic(&mut self, scope: &mut Scope) {
        self.line("g += sup.At(gs, len(gs)-1) * g");
        self.line("gs = sup.Clip(append(gs, g, g+T(len(gs))))");
        self.line("s.F(float64(fold(gs, g, func(x, y T) T { return x*2 + y })))");
        self.line("st := &stack[T]{}; st.push(g); st.push(gs[0]); s.V(st.pop())");
        let name = self.fresh("x");
        self.line(format!("{name} := int(g); _ = {name}"));
        scope.variables.push((name, Type::Number("int")));
    }

    /// A call of a function: directly, or by way of a value.
    pub(super) fn call(&mut self, scope: &Scope, number: usize, depth: u32) -> String {
        let function = self.functions[number].clone();
        let mut arguments = vec!["s".to_owned()];
        if let Some(argument) = function.argument {
            arguments.push(format!("v_{argument}[{}]", self.rng.usize(0..4)));
            let most = self.rng.usize(0..4);
            arguments.push(format!("v_{argument}[:{most}:{most}]"));
        }
        let values: Vec<_> = function.parameters.iter().map(|one| self.expression(scope, one, depth)).collect();
        arguments.extend(values);
        let name = &function.name;
        match function.receiver {
            None => format!("{name}({})", arguments.join(", ")),
            Some((of, pointer)) => {
                let literal = if pointer { Type::Pointer(of) } else { Type::Struct(of) };
                let value = self.expression(scope, &literal, 0);
                if self.rng.u32(0..4) == 0 {
                    arguments.insert(0, value);
                    format!("({literal}).{name}({})", arguments.join(", "))
                } else {
                    format!("({value}).{name}({})", arguments.join(", "))
                }
            }
        }
    }

    /// The first function that is called.
    fn run(&mut self) {
        self.block("func Run(s *sup.S) {", |package| {
            let mut scope = Scope { variables: Vec::new(), has_state: true };
            for number in (0..package.functions.len()).rev() {
                package.line("s.Refuel()");
                package.line("s.Try(func() {");
                let mut inner = scope.clone();
                package.call_statement(&mut inner, number);
                package.line("})");
                package.line(format!("s.Note(\"run {number}\")"));
            }
            package.statement(&mut scope, 2, &[]);
            package.line("}");
        });
    }
}
