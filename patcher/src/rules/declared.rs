//! A rule's declarations, beside the program's own description of its types.
//!
//! Where the program describes a function or type, a declaration must agree with the description
//! and never overrules it. Where it does not, the declaration is trusted as far as pclntab's size
//! of the arguments confirms it, and its types are laid out here.

use std::collections::HashMap;

use super::declaration::{Expr, FunctionDeclaration, Shape, Variable};
use super::{Rule, resolve::ResolveError};
use crate::golang::abi::TypeLayout;
use crate::golang::symbol::symbol_name;
use crate::types::{Field, Kind, Parameter, Signature, Type, TypeError, TypeId, Types};

/// Go's predeclared types: the name, the name in descriptions, the size in bytes, and the kind.
const PREDECLARED: &[(&str, &str, u64, Kind<'static>)] = &[
    ("bool", "bool", 1, Kind::Bool),
    ("int", "int", 8, Kind::Int { signed: true }),
    ("int8", "int8", 1, Kind::Int { signed: true }),
    ("int16", "int16", 2, Kind::Int { signed: true }),
    ("int32", "int32", 4, Kind::Int { signed: true }),
    ("rune", "int32", 4, Kind::Int { signed: true }),
    ("int64", "int64", 8, Kind::Int { signed: true }),
    ("uint", "uint", 8, Kind::Int { signed: false }),
    ("uint8", "uint8", 1, Kind::Int { signed: false }),
    ("byte", "uint8", 1, Kind::Int { signed: false }),
    ("uint16", "uint16", 2, Kind::Int { signed: false }),
    ("uint32", "uint32", 4, Kind::Int { signed: false }),
    ("uint64", "uint64", 8, Kind::Int { signed: false }),
    ("uintptr", "uintptr", 8, Kind::Int { signed: false }),
    ("float32", "float32", 4, Kind::Float),
    ("float64", "float64", 8, Kind::Float),
    ("complex64", "complex64", 8, Kind::Complex),
    ("complex128", "complex128", 16, Kind::Complex),
    ("string", "string", 16, Kind::String),
    ("error", "error", 16, Kind::Interface { empty: false }),
    ("any", "interface {}", 16, Kind::Interface { empty: true }),
    ("unsafe.Pointer", "unsafe.Pointer", 8, Kind::UnsafePointer),
];

fn predeclared(name: &str) -> Option<(&'static str, u64, &'static Kind<'static>)> {
    let (_, name, size, kind) = PREDECLARED.iter().find(|(written, ..)| *written == name)?;
    Some((name, *size, kind))
}

/// The types that a program describes, and after them those that a rule declares.
pub struct DeclaredTypes<'t> {
    described: &'t dyn Types,
    rule: &'t Rule,
    /// By name. Those without a type are not declared, or not yet.
    types: Vec<(String, Option<Type<'t>>)>,
    by_name: HashMap<String, TypeId>,
}

impl<'t> DeclaredTypes<'t> {
    /// The program's types, and none of the rule's yet.
    pub fn new(described: &'t dyn Types, rule: &'t Rule) -> Self {
        Self { described, rule, types: Vec::new(), by_name: HashMap::new() }
    }

    /// The signature that the rule declares.
    pub fn signature(&mut self, function: &'t FunctionDeclaration) -> Result<Signature<'t>, ResolveError> {
        let mut parameters = Vec::new();
        for (variables, is_result) in [(&function.inputs, false), (&function.results, true)] {
            for variable in variables {
                parameters.push(Parameter { name: &variable.name, type_id: self.expr(&variable.of)?, is_result });
            }
        }
        Ok(Signature { parameters })
    }

    /// A type of one word, for a hidden parameter.
    pub fn word(&mut self) -> TypeId {
        self.add("uintptr", 8, Kind::Int { signed: false })
    }

    fn expr(&mut self, expr: &'t Expr) -> Result<TypeId, ResolveError> {
        let (size, kind) = match &expr.shape {
            Shape::Named(name) => return self.find_type(name),
            Shape::Pointer(element) => (8, Kind::Pointer(self.expr(element)?)),
            Shape::Map => (8, Kind::Map),
            Shape::Chan => (8, Kind::Chan),
            Shape::Func => (8, Kind::Func),
            Shape::Interface { empty } => (16, Kind::Interface { empty: *empty }),
            Shape::Slice(element) => (24, Kind::Slice(self.expr(element)?)),
            Shape::Array(len, element) => {
                let element = self.expr(element)?;
                let size = TypeLayout::for_type(self, element)?.size().checked_mul(*len);
                (size.ok_or_else(|| too_large(expr))?, Kind::Array { element, len: *len })
            }
            Shape::Struct(fields) => self.fields(expr, fields)?,
        };
        Ok(self.add(&expr.text, size, kind))
    }

    /// The fields of a struct, laid out as the compiler does.
    fn fields(&mut self, expr: &Expr, variables: &'t [Variable]) -> Result<(u64, Kind<'t>), ResolveError> {
        let (mut size, mut align, mut is_last_empty) = (0u64, 1, false);
        let mut fields = Vec::with_capacity(variables.len());
        for Variable { name, of, embedded } in variables {
            let type_id = self.expr(of)?;
            let layout = TypeLayout::for_type(self, type_id)?;
            let offset = size.checked_next_multiple_of(layout.align().max(1)).ok_or_else(|| too_large(expr))?;
            size = offset.checked_add(layout.size()).ok_or_else(|| too_large(expr))?;
            align = align.max(layout.align());
            is_last_empty = layout.size() == 0;
            fields.push(Field { name, offset, type_id, embedded: *embedded });
        }
        // A pointer to an empty last field must not point past the struct.
        if is_last_empty && size > 0 {
            size += 1;
        }
        Ok((size.checked_next_multiple_of(align).ok_or_else(|| too_large(expr))?, Kind::Struct(fields)))
    }

    fn find_type(&mut self, name: &'t str) -> Result<TypeId, ResolveError> {
        if let Some((name, size, kind)) = predeclared(name) {
            return Ok(self.add(name, size, kind.clone()));
        }
        let full_name = self.rule.full_name(name);
        if let Some(known) = self.described.type_by_name(&full_name)?.or_else(|| self.by_name.get(&full_name).copied())
        {
            return Ok(known);
        }
        // Added before its type is known, as it may refer to itself.
        let index = self.types.len();
        let type_id = TypeId::Declared(index);
        self.types.push((full_name.clone(), None));
        self.by_name.insert(full_name, type_id);
        if let Some(declared) = self.rule.declared_type(name) {
            let inner = self.expr(declared)?;
            let Type { size, kind, .. } = self.copy(inner)?;
            let (full_name, declared) = &mut self.types[index];
            *declared = Some(Type { name: full_name.clone().into(), size, kind, runtime_type: None });
        }
        Ok(type_id)
    }

    fn add(&mut self, name: &'t str, size: u64, kind: Kind<'t>) -> TypeId {
        self.types.push((name.to_owned(), Some(Type { name: name.into(), size, kind, runtime_type: None })));
        TypeId::Declared(self.types.len() - 1)
    }

    fn copy(&self, id: TypeId) -> Result<Type<'t>, TypeError> {
        let TypeId::Declared(index) = id else { return self.described.resolve(id) };
        let (name, declared) = self.types.get(index).ok_or(TypeError::Foreign(id))?;
        declared.clone().ok_or_else(|| TypeError::Undeclared(name.clone()))
    }
}

impl Types for DeclaredTypes<'_> {
    fn resolve(&self, id: TypeId) -> Result<Type<'_>, TypeError> {
        self.copy(id)
    }

    fn type_by_name(&self, name: &str) -> Result<Option<TypeId>, TypeError> {
        self.described.type_by_name(name)
    }
}

fn too_large(expr: &Expr) -> ResolveError {
    ResolveError::TooLarge(expr.text.clone())
}

/// A difference between a declaration and the program.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// What the rule declares.
    pub declared: String,
    /// What the program has.
    pub described: String,
}

/// Compares the types that a rule declares with those of the program.
pub fn compare_types(types: &dyn Types, rule: &Rule) -> Result<Option<Difference>, TypeError> {
    for (name, expr) in rule.declared_types() {
        let Some(type_id) = types.type_by_name(&rule.full_name(name))? else { continue };
        if !agrees(types, rule, expr, type_id)? {
            let described = describe(types, type_id)?;
            return Ok(Some(Difference { declared: format!("type {name} {}", expr.text), described }));
        }
    }
    Ok(None)
}

/// Compares a function's declaration with its signature in DWARF.
pub fn compare_signature(
    types: &dyn Types,
    rule: &Rule,
    function: &FunctionDeclaration,
    signature: &Signature<'_>,
) -> Result<Option<Difference>, TypeError> {
    let inputs: Vec<_> = signature.inputs().collect();
    let results: Vec<_> = signature.results().collect();
    // Up to Go 1.21, DWARF leaves out blank parameters.
    let is_complete = inputs.len() == function.inputs.len();
    let declared_inputs = function.inputs.iter().filter(|input| is_complete || input.name != "_");
    for (declared, described) in
        [(declared_inputs.collect::<Vec<_>>(), inputs), (function.results.iter().collect(), results)]
    {
        if declared.len() != described.len() {
            let described = described.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
            return Ok(Some(Difference { declared: function.text.clone(), described: format!("({described})") }));
        }
        for (declared, described) in declared.into_iter().zip(described) {
            let has_its_name = declared.name == "_" || declared.name == described.name;
            if !has_its_name || !agrees(types, rule, &declared.of, described.type_id)? {
                let type_name = types.resolve(described.type_id)?.name;
                return Ok(Some(Difference {
                    declared: format!("{} {}", declared.name, declared.of.text),
                    described: format!("{} {type_name}", described.name),
                }));
            }
        }
    }
    Ok(None)
}

/// Whether an expression denotes that type. Maps, channels and functions agree with any other of
/// their kind.
fn agrees(types: &dyn Types, rule: &Rule, expr: &Expr, id: TypeId) -> Result<bool, TypeError> {
    let resolved = types.resolve(id)?;
    Ok(match (&expr.shape, &resolved.kind) {
        (Shape::Named(name), kind) => {
            let full_name = rule.full_name(name);
            let is_it = || full_name == resolved.name || symbol_name(&full_name) == resolved.name;
            predeclared(name).map_or_else(is_it, |(name, _, known)| name == resolved.name && known == kind)
        }
        (Shape::Pointer(expr), Kind::Pointer(element)) | (Shape::Slice(expr), Kind::Slice(element)) => {
            agrees(types, rule, expr, *element)?
        }
        (Shape::Array(declared, expr), Kind::Array { element, len }) => {
            declared == len && agrees(types, rule, expr, *element)?
        }
        (Shape::Map, Kind::Map) | (Shape::Chan, Kind::Chan) | (Shape::Func, Kind::Func) => true,
        (Shape::Interface { empty: declared }, Kind::Interface { empty }) => declared == empty,
        (Shape::Struct(declared), Kind::Struct(fields)) => {
            let mut agree = declared.len() == fields.len();
            for (declared, field) in declared.iter().zip(fields) {
                agree = agree
                    && (declared.name.as_str(), declared.embedded) == (field.name, field.embedded)
                    && agrees(types, rule, &declared.of, field.type_id)?;
            }
            agree
        }
        _ => false,
    })
}

/// A type's name, or its fields.
fn describe(types: &dyn Types, id: TypeId) -> Result<String, TypeError> {
    let resolved = types.resolve(id)?;
    let Kind::Struct(fields) = &resolved.kind else { return Ok(resolved.name.into_owned()) };
    let field = |field: &Field<'_>| Ok(format!("{} {}", field.name, types.resolve(field.type_id)?.name));
    let fields: Vec<_> = fields.iter().map(field).collect::<Result<_, TypeError>>()?;
    Ok(format!("{} struct{{{}}}", resolved.name, fields.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dwarf::{Sections, TypeInfo, WantedNames};
    use crate::elf::Elf;
    use crate::golang::testing;
    use crate::rules::{Source, parse};

    /// A program without types.
    struct Nothing;

    impl Types for Nothing {
        fn resolve(&self, id: TypeId) -> Result<Type<'_>, TypeError> {
            Err(TypeError::Foreign(id))
        }

        fn type_by_name(&self, _: &str) -> Result<Option<TypeId>, TypeError> {
            Ok(None)
        }
    }

    /// A rule with these declarations for a function of package main.
    fn rule(receiver: Option<&str>, function: &str, declarations: &[&str]) -> Rule {
        let receiver = receiver.map_or(String::new(), |receiver| format!("receiver: '{receiver}', "));
        let text = format!(
            "rules: [{{name: r, import: main, {receiver}function: {function}, signature: ['{}']}}]",
            declarations.join("', '")
        );
        parse(&Source { name: "r.yaml".to_owned(), text }).expect("a rule").remove(0)
    }

    fn layout(declarations: &[&str]) -> Result<String, ResolveError> {
        let rule = rule(None, "f", declarations);
        let mut types = DeclaredTypes::new(&Nothing, &rule);
        let signature = types.signature(rule.signature("main.f").expect("it is declared"))?;
        let resolved = types.resolve(signature.parameters[0].type_id)?;
        let Kind::Struct(fields) = &resolved.kind else { return Ok(format!("{} {}", resolved.name, resolved.size)) };
        let fields: Vec<_> = fields.iter().map(|field| format!("{} @{}", field.name, field.offset)).collect();
        Ok(format!("{} {} {{{}}}", resolved.name, resolved.size, fields.join(", ")))
    }

    #[test]
    fn declared_types_are_laid_out_as_the_compiler_does() {
        for (declarations, expected) in [
            (
                &["func f(a struct{ a int8; b int64; c [3]byte })"][..],
                "struct{ a int8; b int64; c [3]byte } 24 {a @0, b @8, c @16}",
            ),
            (
                &["func f(a t)", "type t struct{ a, b int32; c string; d any; e []t; f struct{} }"],
                "main.t 72 {a @0, b @4, c @8, d @24, e @40, f @64}",
            ),
            (
                &["func f(a t)", "type t struct{ u; next *t }", "type u struct{ a bool; b uint16 }"],
                "main.t 16 {u @0, next @8}",
            ),
            (&["func f(a [4]t)", "type t map[string]int"], "[4]t 32"),
        ] {
            assert_eq!(layout(declarations).expect(expected), expected);
        }
    }

    #[test]
    fn an_undeclared_type_is_an_error_where_its_size_is_needed() {
        assert_eq!(layout(&["func f(a *absent)"]).expect("a pointer"), "*absent 8");
        for declarations in
            [&["func f(a absent)"][..], &["func f(a t)", "type t t"], &["func f(a t)", "type t struct{ a t }"]]
        {
            let message = layout(declarations).expect_err("no size").to_string();
            assert!(message.contains("the run-time type data has no type main."), "{message}");
        }
        let huge = "func f(a [9223372036854775807]int)";
        assert!(layout(&[huge]).expect_err("too large").to_string().contains("too large"));
    }

    #[test]
    fn a_difference_from_dwarf_shows_both_sides() {
        let elf = Elf::parse(testing::program()).expect("an ELF file");
        let sections = Sections::load(&elf).expect("DWARF").expect("DWARF");
        let functions = ["main.Words", "main.(*Record).Read", "main.Blank", "main.Arrays"].into();
        let wanted = WantedNames { functions, types: ["main.Base"].into() };
        let types = TypeInfo::load(&sections, &wanted, crate::address::Va(0)).expect("DWARF");
        let difference = |rule: &Rule| {
            let symbol = &rule.symbols()[0];
            let signature = types.signature(symbol).expect("DWARF").expect("it has code");
            let function = rule.signature(symbol).expect("it is declared");
            let differs = compare_types(&types, rule).expect("DWARF");
            differs.or(compare_signature(&types, rule, function, &signature).expect("DWARF"))
        };
        let words = "(s string, b []byte, e error, a any, m Counts, c chan int) (int, Celsius)";
        let read = rule(Some("*Record"), "Read", &["func (r *Record) Read(n int) (string, error)"]);
        assert_eq!(difference(&read), None);
        assert_eq!(
            difference(&rule(None, "Words", &[&format!("func Words{words}"), "type Base struct{ Weight float64 }"])),
            None
        );
        assert_eq!(difference(&rule(None, "Blank", &["func Blank(_ string, a int, _ int) (_ int, err error)"])), None);
        let arrays = "func Arrays(a [2]int, b [1]string, c [0]int, r Record, h Handler) ([2]byte, int)";
        assert_eq!(difference(&rule(None, "Arrays", &[arrays])), None);

        let base = "type Base struct{ Weight float32 }";
        for (words, base, declared, described) in [
            ("(s string) int".to_owned(), None, "func Words(s string) int", "(s, b, e, a, m, c)"),
            (words.replace("[]byte", "[]int8"), None, "b []int8", "b []uint8"),
            (words.replace("s string", "t string"), None, "t string", "s string"),
            (words.replace("chan int", "map[int]int"), None, "c map[int]int", "c chan int"),
            (words.replace("Celsius", "float32"), None, "_ float32", "~r1 main.Celsius"),
            (words.to_owned(), Some(base), base, "main.Base struct{Weight float64}"),
        ] {
            let words = format!("func Words{words}");
            let declarations: Vec<_> = std::iter::once(words.as_str()).chain(base).collect();
            let found = difference(&rule(None, "Words", &declarations)).expect(declared);
            assert_eq!((found.declared.as_str(), found.described.as_str()), (declared, described));
        }
    }
}
