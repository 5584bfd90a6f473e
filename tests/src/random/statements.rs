//! Random statements.

use super::source::{Package, Scope};
use super::types::{ELEMENTS, NUMBERS, Type, element_type};

/// Writes a statement in which blocks may be nested to some depth.
type Write = fn(&mut Package, &mut Scope, u32);

/// The statements that a function can have, and how often each of them is chosen.
const KINDS: &[(u32, Write)] = &[
    (6, variable),
    (4, assignment),
    (5, some_call),
    (3, condition),
    (3, bounded_loop),
    (2, range),
    (3, switch),
    (2, type_switch),
    (2, deferred),
    (2, try_panic),
    (2, closure),
    (2, method_value),
    (1, promoted),
    (2, goroutines),
    (1, channels),
    (1, timers),
    (1, to_itself),
    (1, traced),
    (1, deep),
    (1, labelled),
    (1, sorted),
    (1, generics),
    (1, iterated),
    (1, large),
];

impl Package {
    /// Writes one statement, or a few. `results` are what a return may set.
    pub(super) fn statement(&mut self, scope: &mut Scope, depth: u32, results: &[(String, Type)]) {
        if depth > 0 && !results.is_empty() && self.rng.u32(0..9) == 0 {
            let condition = self.expression(scope, &Type::Bool, 2);
            self.line(format!("if {condition} {{"));
            self.leave(scope, results);
            return self.line("}");
        }
        let total: u32 = KINDS.iter().map(|(weight, _)| weight).sum();
        let mut chosen = self.rng.u32(0..total);
        for (weight, write) in KINDS {
            if chosen < *weight {
                // A block in a block in a block has only short statements.
                return if depth == 0 { variable(self, scope, depth) } else { write(self, scope, depth - 1) };
            }
            chosen -= weight;
        }
    }

    fn statements(&mut self, scope: &Scope, depth: u32) {
        let mut inner = scope.clone();
        for _ in 0..self.rng.u32(1..4) {
            self.statement(&mut inner, depth, &[]);
        }
    }

    /// Calls a function, and uses its results.
    pub(super) fn call_statement(&mut self, scope: &mut Scope, number: usize) {
        let call = self.call(scope, number, 2);
        let results = self.functions[number].results.clone();
        if results.is_empty() {
            return self.line(call);
        }
        let names: Vec<_> = results.iter().map(|_| self.fresh("x")).collect();
        self.line(format!("{} := {call}", names.join(", ")));
        for (name, one) in names.into_iter().zip(results) {
            self.line(one.add(&name));
            self.line(format!("_ = {name}"));
            scope.variables.push((name, one));
        }
    }
}

fn variable(package: &mut Package, scope: &mut Scope, _: u32) {
    let of = Type::random(&mut package.rng, package.structs.len());
    let value = package.expression(scope, &of, 3);
    let name = package.fresh("x");
    package.line(format!("var {name} {of} = {value}"));
    package.line(format!("_ = {name}"));
    scope.variables.push((name, of));
}

fn assignment(package: &mut Package, scope: &mut Scope, depth: u32) {
    if scope.variables.is_empty() {
        return variable(package, scope, depth);
    }
    let (name, of) = scope.variables[package.rng.usize(0..scope.variables.len())].clone();
    if name == "t" {
        return;
    }
    let value = package.expression(scope, &of, 3);
    package.line(format!("{name} = {value}"));
    if package.rng.bool() {
        package.line(of.add(&name));
    }
}

fn some_call(package: &mut Package, scope: &mut Scope, depth: u32) {
    if package.functions.is_empty() || !scope.has_state {
        return variable(package, scope, depth);
    }
    let number = package.rng.usize(0..package.functions.len());
    package.call_statement(scope, number);
}

fn condition(package: &mut Package, scope: &mut Scope, depth: u32) {
    let condition = package.expression(scope, &Type::Bool, 3);
    package.block(format!("if {condition} {{"), |package| package.statements(scope, depth));
    if package.rng.bool() {
        package.block("} else {", |package| package.statements(scope, depth));
    }
    package.line("}");
}

fn bounded_loop(package: &mut Package, scope: &mut Scope, depth: u32) {
    let (index, count) = (package.fresh("i"), package.rng.u32(2..9));
    package.block(format!("for {index} := 0; {index} < {count} && !s.Out(); {index}++ {{"), |package| {
        let mut inner = scope.clone();
        let copy = package.fresh("x");
        package.line(format!("{copy} := {index} * {}", package.next));
        package.line(format!("_ = {copy}"));
        inner.variables.push((copy, Type::Number("int")));
        package.statements(&inner, depth);
        match package.rng.u32(0..4) {
            0 => package.line(format!("if {index} == {} {{ break }}", count / 2)),
            1 => package.line(format!("if {index} == 1 {{ continue }}; s.U(uint64({index}))")),
            _ => {}
        }
    });
    package.line("}");
}

fn range(package: &mut Package, scope: &mut Scope, depth: u32) {
    let element = ELEMENTS[package.rng.usize(0..ELEMENTS.len())];
    let values = package.expression(scope, &Type::Slice(element), 2);
    let name = package.fresh("x");
    package.block(format!("for _, {name} := range {values} {{"), |package| {
        package.line("if s.Out() { break }");
        let of = element_type(element);
        package.line(of.add(&name));
        let mut inner = scope.clone();
        inner.variables.push((name, of));
        package.statements(&inner, depth);
    });
    package.line("}");
}

/// Many cases make a jump table, few a tree of comparisons.
fn switch(package: &mut Package, scope: &mut Scope, depth: u32) {
    let number = Type::Number(NUMBERS[package.rng.usize(0..8)]);
    let value = package.expression(scope, &number, 3);
    let cases = [3, 9, 14][package.rng.usize(0..3)];
    package.line(format!("switch {value} & 15 {{"));
    for case in 0..cases {
        package.block(format!("case {case}:"), |package| {
            if package.rng.u32(0..3) == 0 {
                let mut inner = scope.clone();
                package.statement(&mut inner, depth.min(1), &[]);
            } else {
                let value = package.expression(scope, &Type::Number("int"), 1);
                package.line(format!("s.U(uint64({value}))"));
            }
        });
    }
    package.line("default: s.U(99)");
    package.line("}");
}

fn type_switch(package: &mut Package, scope: &mut Scope, depth: u32) {
    let (value, name) = (package.expression(scope, &Type::Any, 2), package.fresh("x"));
    package.line(format!("switch {name} := {value}.(type) {{"));
    for of in [Type::Number("int"), Type::Text, Type::Number("float32"), Type::Error, Type::Pointer(0), Type::Array(8)]
    {
        package.block(format!("case {of}:"), |package| {
            package.line(of.add(&name));
            let mut inner = scope.clone();
            inner.variables.push((name.clone(), of.clone()));
            package.statements(&inner, depth.min(1));
        });
    }
    package.line(format!("case shape: s.T({name}.Name())"));
    package.line(format!("default: addAny(s, {name})"));
    package.line("}");
}

fn deferred(package: &mut Package, scope: &mut Scope, _: u32) {
    let (value, index) = (package.expression(scope, &Type::Number("int"), 2), package.fresh("i"));
    match package.rng.u32(0..4) {
        0 => {
            package
                .line(format!("for {index} := 0; {index} < 4; {index}++ {{ defer s.U(uint64({index} + {value})) }}"));
        }
        1 => package.line(format!("defer (&counter{{1}}).next({value})")),
        2 => {
            let shape = package.expression(scope, &Type::Shape, 1);
            package.line(format!("defer pick[shape](true, {shape}, nil).Size({value})"));
        }
        _ => package.line(format!("defer func(x int) {{ s.U(uint64(x)); s.Caught(recover()) }}({value})")),
    }
}

/// Something that panics, at some depth, and is recovered.
fn try_panic(package: &mut Package, scope: &mut Scope, depth: u32) {
    let panics = package.panics(scope);
    match package.rng.u32(0..4) {
        0 => package.block("s.Try(func() {", |package| {
            package.statements(scope, depth.min(1));
            package.line(panics);
            package.line("})");
        }),
        1 => package.line(format!(
            "s.Try(func() {{ defer func() {{ r := recover(); s.Caught(r); panic(fmt.Sprint(\"again \", r)) }}(); {panics} }})"
        )),
        2 => {
            let first = package.panics(scope);
            package.line(format!("s.Try(func() {{ defer s.Try(func() {{ {panics} }}); {first} }})"));
        }
        _ => package.line(format!("s.Try(func() {{ defer s.Where(); defer s.U(7); {panics} }})")),
    }
}

impl Package {
    /// A statement that panics, always or for some values.
    pub(super) fn panics(&mut self, scope: &Scope) -> String {
        let number = self.expression(scope, &Type::Number("int"), 2);
        let name = self.fresh("x");
        let text = self.expression(scope, &Type::Text, 1);
        match self.rng.u32(0..14) {
            0 => format!("panic({text})"),
            1 => format!("panic(&failure{{{number}}})"),
            2 => format!("panic(fmt.Errorf(\"wrapped %w\", errors.New({text})))"),
            3 => format!("{name} := []int{{1, 2, 3}}; s.U(uint64({name}[int(uint({number}) % 6)]))"),
            4 => format!("var {name} *t0; {name}.add(s)"),
            5 => format!("var {name} map[string]int; {name}[{text}] = 1"),
            6 => format!("{name} := {number} & 1; s.U(uint64(100 / {name}))"),
            7 => format!("var {name} any = {text}; s.U(uint64({name}.(int)))"),
            8 => format!("{name} := {text}; s.T({name}[int(uint({number}) % 9):])"),
            9 => format!("{name} := make(chan int); close({name}); close({name})"),
            10 => format!("var {name} shape; s.T({name}.Name())"),
            11 => format!("var {name} func(int) int; s.U(uint64({name}({number})))"),
            12 => format!("{name} := make([]int, 3, 4); {name}a := [4]int({name}); s.U(uint64({name}a[0]))"),
            _ => format!("{name} := -1 - ({number} & 3); s.U(uint64(len(make([]int, {name}))))"),
        }
    }
}

fn closure(package: &mut Package, scope: &mut Scope, depth: u32) {
    let (name, own) = (package.fresh("f"), package.fresh("x"));
    package.block(format!("{name} := func({own} int) int {{"), |package| {
        package.line("if s.Out() { return 1 }");
        let mut inner = scope.clone();
        inner.variables.push((own.clone(), Type::Number("int")));
        package.statements(&inner, depth.min(1));
        let value = package.expression(&inner, &Type::Number("int"), 2);
        package.line(format!("return {value}"));
        package.line("}");
    });
    package.line(format!("s.U(uint64({name}({name}(3))))"));
    scope.variables.push((name, Type::Call));
}

fn method_value(package: &mut Package, scope: &mut Scope, _: u32) {
    let (name, shape) = (package.fresh("f"), package.expression(scope, &Type::Shape, 1));
    match package.rng.u32(0..3) {
        0 => package.line(format!("{name} := pick[shape](true, {shape}, nil).Size")),
        1 => package.line(format!("{name} := func(x int) int {{ return shape.Size({shape}, x) }}")),
        _ => package.line(format!("{name} := (&counter{{2}}).next")),
    }
    package.line(format!("s.U(uint64({name}(4)))"));
    scope.variables.push((name, Type::Call));
}

fn promoted(package: &mut Package, scope: &mut Scope, _: u32) {
    let (name, shape) = (package.fresh("x"), package.expression(scope, &Type::Shape, 1));
    package.line(format!("var {name} shape = outermost{{&outer{{{shape}, 1}}}}"));
    package.line(format!("s.T({name}.Name()); s.U(uint64({name}.Size(2)))"));
    scope.variables.push((name, Type::Shape));
}

/// Goroutines have copies of simple values only, so that none can see what another does.
fn goroutines(package: &mut Package, scope: &mut Scope, depth: u32) {
    package.line("if !s.Out() { s.Go(");
    for _ in 0..package.rng.u32(2..5) {
        package.block("func(s *sup.S) {", |package| {
            let inner = package.copied(scope);
            package.statements(&inner, depth.min(1));
            match package.rng.u32(0..5) {
                0 => package.line("runtime.Gosched(); s.Where()"),
                1 => package.line("defer s.U(5); if s.Out() { return }; runtime.Goexit()"),
                2 => {
                    let panics = package.panics(&inner);
                    package.line(panics);
                }
                _ => {}
            }
            package.line("},");
        });
    }
    package.line(") }");
}

impl Package {
    /// A scope with a few values of the goroutine's own.
    fn copied(&mut self, scope: &Scope) -> Scope {
        let simple = scope.variables.iter().filter(|(_, of)| matches!(of, Type::Number(_) | Type::Bool | Type::Text));
        let simple: Vec<_> = simple.cloned().collect();
        let mut inner = Scope { variables: Vec::new(), has_state: true };
        for (from, of) in simple.into_iter().rev().take(5) {
            let name = self.fresh("x");
            self.line(format!("{name} := {from}; _ = {name}"));
            inner.variables.push((name, of));
        }
        inner
    }
}

fn channels(package: &mut Package, scope: &mut Scope, _: u32) {
    let (size, value) = (package.rng.u32(0..4), package.expression(scope, &Type::Number("int"), 2));
    let name = package.fresh("c");
    let count = package.rng.u32(3..30);
    package.line(format!("{name}, {name}e, {name}v := make(chan int, {size}), make(chan struct{{}}), {value}"));
    match package.rng.u32(0..3) {
        0 => package.line(format!(
            "go func() {{ defer close({name}); for i := 0; i < {count}; i++ {{ {name} <- {name}v * i }} }}()\n\
             for v := range {name} {{ s.U(uint64(v)) }}; close({name}e)"
        )),
        1 => package.line(format!(
            "go func() {{ for i := 0; i < {count}; i++ {{ {name} <- i ^ {name}v }}; close({name}e) }}()\n\
             for sum, open := 0, true; open; {{ select {{\n\
             case v := <-{name}: sum += v; if sum == 1<<60 {{ s.U(1) }}\n\
             case <-{name}e: for len({name}) > 0 {{ sum += <-{name} }}; s.U(uint64(sum)); open = false\n\
             case <-time.After(sup.Late): s.U(3) }} }}"
        )),
        _ => package.line(format!(
            "var {name}w sync.WaitGroup; var {name}m sync.Mutex; var {name}n atomic.Int64; {name}t := 0\n\
             for i := 0; i < {count}; i++ {{ {name}w.Add(1); go func(i int) {{ defer {name}w.Done()\n\
             {name}n.Add(int64(i)); {name}m.Lock(); defer {name}m.Unlock(); {name}t += {name}v ^ i }}(i) }}\n\
             {name}w.Wait(); s.U(uint64({name}t)); s.U(uint64({name}n.Load())); close({name}e); <-{name}e"
        )),
    }
    package.line(format!("_, _ = {name}, {name}e"));
}

fn timers(package: &mut Package, _: &mut Scope, _: u32) {
    let name = package.fresh("c");
    package.line("if !s.Out() {");
    match package.rng.u32(0..5) {
        0 => package.line(format!(
            "{name} := make(chan int); time.AfterFunc(30*time.Microsecond, func() {{ {name} <- 4 }}); s.U(uint64(<-{name}))"
        )),
        1 => package.line(format!(
            "{name} := time.NewTicker(20*time.Microsecond); <-{name}.C; <-{name}.C; {name}.Stop(); s.U(2)"
        )),
        2 => package.line(format!(
            "{name}, cancel := context.WithTimeout(context.Background(), 50*time.Microsecond)\n\
             defer cancel(); <-{name}.Done(); s.T({name}.Err().Error())"
        )),
        3 => package.line(format!("{name} := time.NewTimer(sup.Late); s.V({name}.Stop()); s.V({name}.Reset(1)); <-{name}.C")),
        _ => package.line(format!(
            "{name}, cancel := context.WithCancel(context.WithValue(context.Background(), \"k\", 7))\n\
             go cancel(); <-{name}.Done(); s.V({name}.Value(\"k\")); s.V({name}.Err())"
        )),
    }
    package.line("}");
}

/// A signal to the program itself, and what that interrupts.
fn to_itself(package: &mut Package, scope: &mut Scope, _: u32) {
    let name = package.fresh("c");
    let signal = ["SIGUSR1", "SIGUSR2", "SIGHUP", "SIGWINCH"][package.rng.usize(0..4)];
    package.line("if !s.Out() {");
    package.line(format!("{name} := make(chan os.Signal, 1); signal.Notify({name}, syscall.{signal})"));
    package.line(format!("sup.Send(syscall.{signal})"));
    let value = package.expression(scope, &Type::Number("float64"), 3);
    package.line(format!("s.F({value}); s.T((<-{name}).String()); signal.Stop({name})"));
    package.line("}");
}

fn traced(package: &mut Package, _: &mut Scope, _: u32) {
    let line = ["s.Where()", "s.Stack()", "if !s.Out() { sup.Collect() }"][package.rng.usize(0..3)];
    package.line(line);
}

fn deep(package: &mut Package, scope: &mut Scope, _: u32) {
    let value = package.expression(scope, &Type::Number("uint8"), 2);
    package.line(format!("if !s.Out() {{ s.U(uint64(sup.Deep(s, int({value}) % 120))) }}"));
}

fn labelled(package: &mut Package, scope: &mut Scope, depth: u32) {
    let (label, i) = (package.fresh("L"), package.fresh("i"));
    package.line(format!("{label}:"));
    package.block(format!("for {i} := 0; {i} < 6; {i}++ {{ for j := 0; j < 6; j++ {{"), |package| {
        package.line("if s.Out() { break }");
        let mut inner = scope.clone();
        package.statement(&mut inner, depth.min(1), &[]);
        let condition = package.expression(scope, &Type::Bool, 2);
        package.line(format!("if {condition} {{ continue {label} }}"));
        package.line(format!("if {i}*j > 12 {{ break {label} }}"));
        package.line(format!("s.U(uint64({i}*6+j)) }} }}"));
    });
}

fn sorted(package: &mut Package, scope: &mut Scope, _: u32) {
    let (name, value) = (package.fresh("x"), package.expression(scope, &Type::Slice("int"), 3));
    package.line(format!("{name} := append([]int{{5, 3, 9}}, {value}...)"));
    package.line(format!("sort.Slice({name}, func(i, j int) bool {{ return {name}[i] < {name}[j] }}); s.V({name})"));
    package.line(format!("s.U(uint64(variadic(s, 3, {name}...)))"));
    scope.variables.push((name, Type::Slice("int")));
}

fn generics(package: &mut Package, scope: &mut Scope, _: u32) {
    let (text, number) =
        (package.expression(scope, &Type::Slice("string"), 1), package.expression(scope, &Type::Number("float64"), 2));
    package.line(format!("s.T(fold({text}, \"\", func(x, y string) string {{ return sup.Cut(x + y) }}))"));
    package.line(format!(
        "s.F(fold({text}, {number}, func(x float64, y string) float64 {{ return x + float64(len(y)) }}))"
    ));
    package.line(format!("s.V(pick([]string{{\"a\"}} == nil, [3]float64{{1: {number}}}, [3]float64{{}}))"));
}

/// A loop over a function, where Go has it; else over a closure's calls.
fn iterated(package: &mut Package, scope: &mut Scope, depth: u32) {
    let (name, count) = (package.fresh("q"), package.rng.u32(2..6));
    if package.go < 23 {
        return closure(package, scope, depth);
    }
    package.line(format!(
        "{name} := iter.Seq[int](func(yield func(int) bool) {{ defer s.U(6); for i := 0; i < {count}; i++ {{ if !yield(i * 3) {{ return }} }} }})"
    ));
    package.block(format!("for {name}v := range {name} {{"), |package| {
        package.line("if s.Out() { break }");
        let mut inner = scope.clone();
        package.line(format!("x{name} := {name}v; _ = x{name}"));
        inner.variables.push((format!("x{name}"), Type::Number("int")));
        package.statements(&inner, depth.min(1));
        if package.rng.bool() {
            package.line(format!("if {name}v == {} {{ break }}", count / 2));
        }
        package.line(format!("defer s.U(uint64({name}v)) }}"));
    });
    package.line(format!("{name}n, {name}s := iter.Pull({name}); s.V(sup.Of({name}n())); {name}s()"));
}

fn large(package: &mut Package, scope: &mut Scope, _: u32) {
    let (name, value) = (package.fresh("x"), package.expression(scope, &Type::Array(40), 2));
    package.line(format!(
        "{name} := func() ([40]int, [8]int, float64, string) {{ return {value}, [8]int{{2: 3}}, 1.5, \"l\" }}"
    ));
    package.line(format!(
        "{name}a, {name}b, {name}c, {name}d := {name}(); s.V({name}a); s.V({name}b); s.F({name}c); s.T({name}d)"
    ));
    scope.variables.push((format!("{name}a"), Type::Array(40)));
}
