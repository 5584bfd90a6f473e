//! Targets that read programs: damaged Go programs, and outputs of gopatch.

use std::collections::{HashSet, VecDeque};

use gopatch::dwarf::{Sections, TypeInfo, WantedNames};
use gopatch::elf::{Elf, Relative};
use gopatch::golang::abi::{Assignment, TypeLayout};
use gopatch::golang::{Function, GoBinary};
use gopatch::patch::{self, Options};
use gopatch::rtypes::RuntimeTypes;
use gopatch::rules::Source;
use gopatch::types::{Kind, TypeId, Types};
use gopatch::{patched_file, restore, verify};

use crate::programs::{Part, RULES, edited};

/// Most types that are followed from one.
const MOST_TYPES: usize = 300;

/// Functions and types to look up, which programs of the corpus have.
const FUNCTIONS: [&str; 8] = [
    "main.main",
    "main.plain",
    "runtime.mallocgc",
    "runtime.newproc1",
    "runtime.retake",
    "runtime.sigpanic0",
    "fmt.(*pp).printValue",
    "sync.(*Mutex).Lock",
];
const TYPES: [&str; 10] = [
    "runtime.g",
    "runtime.m",
    "runtime.p",
    "runtime.moduledata",
    "reflect.Value",
    "fmt.pp",
    "error",
    "string",
    "os.File",
    "time.Time",
];

/// Headers, sections, symbols and relocations.
pub(crate) fn elf(input: &[u8]) {
    edited(input, &[Part::Elf], |file| {
        patched_file::is_patched(file);
        let Ok(elf) = Elf::parse(file) else { return };
        elf.symbols().count();
        elf.symbol("runtime.text");
        elf.trailing_data();
        elf.image_end();
        // Large ones take long, whether they are valid or not.
        for section in elf.sections().iter().filter(|section| section.size < 1 << 16) {
            let _ = elf.section_data(section);
        }
        if let Ok(relocations) = elf.relative_relocations() {
            let _ = GoBinary::read(&elf, &relocations);
        }
    });
}

/// The function table.
pub(crate) fn pclntab(input: &[u8]) {
    edited(input, &[Part::Pclntab], |file| read_go(file, ask_functions));
}

/// The moduledata and the build info.
pub(crate) fn moduledata(input: &[u8]) {
    edited(input, &[Part::ModuleData], |file| {
        read_go(file, |elf, relocations, go| {
            go.build_info.module_of("golang.org/x/net/http2");
            go.build_info.is_standard("net/http");
            ask_functions(elf, relocations, go);
        });
    });
}

/// Types and signatures by DWARF.
pub(crate) fn dwarf(input: &[u8]) {
    edited(input, &[Part::Dwarf], |file| {
        let Ok(elf) = Elf::parse(file) else { return };
        let Ok(Some(sections)) = Sections::load(&elf) else { return };
        let wanted = WantedNames { functions: FUNCTIONS.into(), types: TYPES.into() };
        let base = elf.symbol("runtime.types").unwrap_or_default();
        let Ok(types) = TypeInfo::load(&sections, &wanted, base) else { return };
        for name in FUNCTIONS {
            let _ = types.inlined_into(name);
            if let Ok(Some(signature)) = types.signature(name) {
                let _ = Assignment::for_signature(&types, &signature);
            }
        }
        follow_types(&types);
    });
}

/// Run-time types.
pub(crate) fn types(input: &[u8]) {
    edited(input, &[Part::Types], |file| {
        read_go(file, |elf, relocations, go| {
            if let Ok(types) = RuntimeTypes::load(elf, relocations, go) {
                follow_types(&types);
            }
        });
    });
}

/// Everything, from damaged parts of all kinds to an output, which must pass verification.
pub(crate) fn patch(input: &[u8]) {
    let parts = [Part::Elf, Part::Pclntab, Part::ModuleData, Part::Dwarf, Part::Types, Part::Text];
    edited(input, &parts, |file| {
        let rules = Source { name: "rules".to_owned(), text: RULES.to_owned() };
        if let Ok(patched) = patch::patch(file, &Options::new(vec![Source::default_rules(), rules])) {
            let _ = verify::verify(&patched.output.to_vec(), Some(file));
        }
    });
}

/// What `inspect`, `restore` and `verify` read.
pub(crate) fn output(input: &[u8]) {
    edited(input, &[Part::Output], |file| {
        patched_file::is_patched(file);
        let _ = restore::input_of(file);
        let _ = verify::verify(file, None);
    });
}

fn read_go(file: &[u8], read: impl FnOnce(&Elf<'_>, &[Relative], &GoBinary<'_>)) {
    let Ok(elf) = Elf::parse(file) else { return };
    let Ok(relocations) = elf.relative_relocations() else { return };
    if let Ok(go) = GoBinary::read(&elf, &relocations) {
        read(&elf, &relocations, &go);
    }
}

/// What gopatch looks up in the tables of functions.
fn ask_functions(elf: &Elf<'_>, _: &[Relative], go: &GoBinary<'_>) {
    let ask = |function: &Function<'_>| {
        go.functions.stack_depth(function, function.start);
        go.functions.stack_depth(function, function.end);
        go.functions.lines(function).map(Iterator::count);
        go.source_file(function);
        go.functions.containing(function.end);
    };
    let all = go.functions.all();
    all.iter().step_by(all.len() / 64 + 1).for_each(ask);
    for name in FUNCTIONS {
        go.functions.by_name(name).for_each(ask);
    }
    if let Some(first) = all.first() {
        go.inlined_into(elf, first);
    }
}

/// Follows types to their ends.
fn follow_types(types: &dyn Types) {
    let found = TYPES.iter().filter_map(|name| types.type_by_name(name).ok()?);
    let mut waiting: VecDeque<TypeId> = found.collect();
    let mut seen: HashSet<TypeId> = HashSet::new();
    while let Some(id) = waiting.pop_front().filter(|_| seen.len() < MOST_TYPES) {
        if !seen.insert(id) {
            continue;
        }
        let _ = TypeLayout::for_type(types, id);
        match types.resolve(id).map(|it| it.kind) {
            Ok(Kind::Pointer(id) | Kind::Slice(id) | Kind::Array { element: id, .. }) => waiting.push_back(id),
            Ok(Kind::Struct(fields)) => waiting.extend(fields.iter().map(|field| field.type_id)),
            _ => {}
        }
    }
}
