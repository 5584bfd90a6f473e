//! Random expressions: each ends, and none depends on an address, a time or the scheduler.

use super::source::{Package, Scope};
use super::types::{INTEGERS, NUMBERS, Type, element_type};

impl Package {
    /// An expression of this type, with at most this many levels of operators.
    pub(super) fn expression(&mut self, scope: &Scope, of: &Type, depth: u32) -> String {
        if (self.rng.u32(0..3) > 0 || depth == 0)
            && let Some(variable) = scope.any(&mut self.rng, of)
        {
            return variable;
        }
        if depth == 0 {
            return self.literal(scope, of);
        }
        if self.rng.u32(0..6) == 0
            && let Some(field) = self.field(scope, of)
        {
            return field;
        }
        if scope.has_state && self.rng.u32(0..8) == 0 {
            let fitting: Vec<_> = (0..self.functions.len())
                .filter(|number| {
                    let one = &self.functions[*number];
                    one.results.len() == 1 && one.results[0] == *of
                })
                .collect();
            if !fitting.is_empty() {
                let chosen = fitting[self.rng.usize(0..fitting.len())];
                return self.call(scope, chosen, depth - 1);
            }
        }
        self.operation(scope, of, depth - 1)
    }

    /// A field of a variable that is a struct or points to one.
    fn field(&mut self, scope: &Scope, of: &Type) -> Option<String> {
        let fields: Vec<_> = scope
            .variables
            .iter()
            .filter_map(|(name, one)| match one {
                Type::Struct(number) | Type::Pointer(number) => Some((name, *number)),
                _ => None,
            })
            .flat_map(|(name, number)| {
                let fields = self.structs[number].iter().enumerate().filter(|(_, field)| *field == of);
                fields.map(move |(index, _)| format!("{name}.F{index}"))
            })
            .collect();
        (!fields.is_empty()).then(|| fields[self.rng.usize(0..fields.len())].clone())
    }

    /// A value without operators. Numbers come from variables, as an operation on constants could
    /// be one that Go's compiler refuses.
    fn literal(&mut self, scope: &Scope, of: &Type) -> String {
        let number = self.rng.usize(0..4);
        match of {
            Type::Number(name) => format!("v_{name}[{number}]"),
            Type::Bool => format!("(v_int[{number}] > 3)"),
            Type::Text => format!("v_string[{number}]"),
            Type::Complex => format!("complex(v_float64[{number}], v_float64[0])"),
            Type::Slice("byte") => format!("[]byte(v_string[{number}])"),
            Type::Slice(element) => format!("[]{element}{{v_{element}[{number}], v_{element}[1], v_{element}[2]}}"),
            Type::Array(1) => format!("[1]int{{v_int[{number}]}}"),
            Type::Array(length) => format!("[{length}]int{{1: v_int[{number}], {}: v_int[1]}}", length - 1),
            Type::Struct(one) => self.composite(scope, *one),
            Type::Pointer(one) => format!("&{}", self.composite(scope, *one)),
            Type::Shape => {
                let one = self.rng.usize(0..self.structs.len());
                let composite = self.composite(scope, one);
                // The methods of every second struct need a pointer.
                if one.is_multiple_of(2) && self.rng.bool() { composite } else { format!("&{composite}") }
            }
            Type::Error if number == 0 => format!("&failure{{v_int[{}]}}", self.rng.usize(0..4)),
            Type::Error => format!("errors.New(v_string[{number}])"),
            Type::Call => {
                ["twice", "jump", "func(x int) int { return x*x + 1 }", "(&counter{3}).next"][number].to_owned()
            }
            Type::Any => format!("any(v_{}[{number}])", ["int", "string", "uint8", "float32"][self.rng.usize(0..4)]),
            Type::Map => format!("map[string]int{{v_string[{number}]: v_int[1], \"k\": v_int[{number}]}}"),
        }
    }

    fn composite(&mut self, scope: &Scope, number: usize) -> String {
        let fields = self.structs[number].clone();
        let count = fields.len();
        let fields: Vec<_> = fields
            .iter()
            .enumerate()
            .filter(|(index, _)| !(index * 7 + number).is_multiple_of(3) || count < 3)
            .map(|(index, field)| format!("F{index}: {}", self.expression(scope, field, 0)))
            .collect();
        format!("t{number}{{{}}}", fields.join(", "))
    }

    fn operation(&mut self, scope: &Scope, of: &Type, depth: u32) -> String {
        let value = |package: &mut Self, of: &Type| package.expression(scope, of, depth);
        match of {
            Type::Number(name) if of.is_integer() => match self.rng.u32(0..13) {
                0..=4 => {
                    let (left, right) = (value(self, of), value(self, of));
                    let operator = ["+", "-", "*", "^", "|", "&", "&^"][self.rng.usize(0..7)];
                    format!("({left} {operator} {right})")
                }
                5 => format!("({} / ({} | 1))", value(self, of), value(self, of)),
                6 => format!("({} % ({} | 1))", value(self, of), value(self, of)),
                7 => {
                    let shift = ["<<", ">>"][self.rng.usize(0..2)];
                    format!("({} {shift} (uint({}) & 15))", value(self, of), value(self, &Type::Number("uint8")))
                }
                8 => {
                    let other = Type::Number(NUMBERS[self.rng.usize(0..INTEGERS)]);
                    format!("{name}({})", value(self, &other))
                }
                9 => format!("{name}(len({}))", value(self, &Type::Text)),
                10 => format!("{name}(jump(int({})))", value(self, of)),
                11 if *name == "int" => {
                    format!("sup.At({}, int({}))", value(self, &Type::Slice("int")), value(self, of))
                }
                _ => format!("pick({}, {}, {})", value(self, &Type::Bool), value(self, of), value(self, of)),
            },
            Type::Number(name) => match self.rng.u32(0..9) {
                0..=3 => {
                    let (left, right) = (value(self, of), value(self, of));
                    format!("({left} {} {right})", ["+", "-", "*", "/"][self.rng.usize(0..4)])
                }
                4 => {
                    let f = ["Sqrt", "Floor", "Abs", "Trunc", "Cbrt"][self.rng.usize(0..5)];
                    format!("{name}(math.{f}(float64({})))", value(self, of))
                }
                5 => format!("({0}*{1} + {0})", value(self, of), value(self, of)),
                6 => format!("{name}({})", value(self, &Type::Number("int16"))),
                7 => format!("{name}(real({}))", value(self, &Type::Complex)),
                _ => format!("pick({}, {}, {})", value(self, &Type::Bool), value(self, of), value(self, of)),
            },
            Type::Bool => {
                let operand = loop {
                    let one = Type::random(&mut self.rng, 0);
                    if one.is_comparable() {
                        break one;
                    }
                };
                match self.rng.u32(0..5) {
                    0 => format!("({} && {})", value(self, of), value(self, of)),
                    1 => format!("!{}", value(self, of)),
                    2 => format!("({} == {})", value(self, &operand), value(self, &operand)),
                    _ => {
                        let number = Type::Number(NUMBERS[self.rng.usize(0..NUMBERS.len())]);
                        let operator = ["<", ">=", "!="][self.rng.usize(0..3)];
                        format!("({} {operator} {})", value(self, &number), value(self, &number))
                    }
                }
            }
            Type::Text => match self.rng.u32(0..6) {
                0 => format!("sup.Cut({} + {})", value(self, of), value(self, of)),
                1 => format!("strconv.Itoa({})", value(self, &Type::Number("int"))),
                2 => format!("strings.ToUpper({})", value(self, of)),
                3 => format!(
                    "sup.Cut(fmt.Sprintf(\"%v-%q\", {}, {}))",
                    value(self, &Type::Number("float32")),
                    value(self, of)
                ),
                4 => format!("words({})", value(self, of)),
                _ => format!(
                    "sup.At({}, int({}))",
                    value(self, &Type::Slice("string")),
                    value(self, &Type::Number("int8"))
                ),
            },
            Type::Complex => format!("({} * complex({}, 1))", value(self, of), value(self, &Type::Number("float64"))),
            Type::Slice(element) => {
                let one = if *element == "byte" { Type::Number("uint8") } else { element_type(element) };
                match self.rng.u32(0..3) {
                    0 => format!("sup.Clip(append({}, {}))", value(self, of), value(self, &one)),
                    1 => format!("[]{element}{{{}, {}}}", value(self, &one), value(self, &one)),
                    _ => self.literal(scope, of),
                }
            }
            Type::Array(length) => {
                let number = Type::Number("int");
                format!("[{length}]int{{{}: {}}}", length / 2, value(self, &number))
            }
            Type::Error => {
                format!("fmt.Errorf(\"e%d: %w\", {}, {})", value(self, &Type::Number("int")), value(self, of))
            }
            Type::Call => format!("func(x int) int {{ return x ^ {} }}", value(self, &Type::Number("int"))),
            Type::Any => {
                let one = Type::random(&mut self.rng, 0);
                let one = if matches!(one, Type::Map | Type::Any | Type::Call) { Type::Text } else { one };
                format!("any({})", value(self, &one))
            }
            Type::Struct(_) | Type::Pointer(_) | Type::Shape | Type::Map => self.literal(scope, of),
        }
    }
}
