//! Phase 2: understand the program's types and signatures, from its DWARF.
//!
//! Reads only the wanted functions and types: [`mentions`] finds the units that may have them,
//! [`index`] their entries, [`types`] what an entry describes.
//! Trusts: a type's layout, as every debugger does. Checks that the data is well-formed.
//! Never does: assign parameters to registers (that is `crate::golang::abi`), or follow a path of a
//! rule.
//!
//! Go's `src/cmd/internal/dwarf/dwarf.go` and `src/cmd/link/internal/ld/dwarf.go` write it: version
//! 4 until Go 1.24, version 5 since, both in one file when an external linker adds C units. Only Go
//! units are read.

mod index;
mod mentions;
mod types;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gimli::{DebugAddrBase, DebugInfoOffset, EndianSlice, LittleEndian, SectionId, constants};

use crate::address::Va;
use crate::elf::{Content, Elf, ElfError};
use crate::golang::symbol::symbol_name;
use crate::types::{Signature, Type, TypeError, TypeId, Types};

type Reader<'d> = EndianSlice<'d, LittleEndian>;

/// Why DWARF cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DwarfError {
    /// A structure that gimli cannot read.
    #[error("damaged DWARF at .debug_info+{offset:#x}\nhint: rebuild the program")]
    Damaged {
        /// Where reading began.
        offset: usize,
        /// gimli's error.
        source: gimli::Error,
    },
    /// An entry that is not a type of Go's.
    #[error("cannot read the type at .debug_info+{offset:#x}: {why}")]
    Type {
        /// Where it is.
        offset: usize,
        /// What is wrong.
        why: String,
    },
    /// A section that cannot be decompressed.
    #[error(transparent)]
    Elf(#[from] ElfError),
}

impl From<DwarfError> for TypeError {
    fn from(error: DwarfError) -> Self {
        Self::Unreadable(Box::new(error))
    }
}

/// The DWARF sections in use, decompressed.
#[derive(Debug)]
pub struct Sections<'a> {
    sections: gimli::DwarfSections<Content<'a>>,
}

impl<'a> Sections<'a> {
    /// Decompresses them; `None` when there is no .debug_info: built with `-ldflags=-s` or `-w`, or
    /// stripped later.
    pub fn load(elf: &Elf<'a>) -> Result<Option<Self>, DwarfError> {
        let find = |name: &str| {
            let old_compressed = || elf.section(&name.replacen(".debug_", ".zdebug_", 1));
            elf.section(name).or_else(old_compressed).filter(|section| section.size > 0)
        };
        if find(SectionId::DebugInfo.name()).is_none() {
            return Ok(None);
        }
        let sections = gimli::DwarfSections::load(|id| match id {
            SectionId::DebugAbbrev
            | SectionId::DebugAddr
            | SectionId::DebugInfo
            | SectionId::DebugStr
            | SectionId::DebugLineStr => {
                find(id.name()).map_or(Ok(Content::InFile(&[])), |section| elf.section_data(section))
            }
            _ => Ok(Content::InFile(&[])),
        })?;
        Ok(Some(Self { sections }))
    }
}

/// The names that may be looked up later.
#[derive(Debug, Clone, Default)]
pub struct WantedNames<'w> {
    /// Functions, as symbol names: `net/http.(*conn).serve`. Without type arguments: all instances.
    pub functions: HashSet<&'w str>,
    /// Types, as symbol names: `net/http.response`, `*net/http.response`, `runtime.g`.
    pub types: HashSet<&'w str>,
}

/// DWARF's description of the wanted functions and types.
#[derive(Debug)]
pub struct TypeInfo<'d> {
    dwarf: gimli::Dwarf<Reader<'d>>,
    /// Go's units, in the order of .debug_info.
    units: Vec<Unit<'d>>,
    functions: HashMap<&'d str, Subprogram>,
    /// Instances of wanted generic functions, by their start: their names in pclntab are not always
    /// different.
    instances: HashMap<Va, &'d str>,
    types: HashMap<&'d str, TypeId>,
    /// `runtime.types`, the base of run-time types' offsets.
    runtime_types: Va,
}

/// A wanted function.
#[derive(Debug, Default)]
struct Subprogram {
    /// Entries that describe its own code. Only they have all parameters; the abstract entry of an
    /// inlined function lacks those without a name.
    bodies: Vec<SubprogramBody>,
    /// The functions that hold inlined copies, one for each copy.
    inlined_into: Vec<DebugInfoOffset>,
    /// Whether there is an abstract entry: it was inlined in its own package, possibly without an
    /// instruction left.
    is_abstract: bool,
}

/// An entry that describes code.
#[derive(Debug, Clone, Copy)]
struct SubprogramBody {
    place: DebugInfoOffset,
    start: Option<Va>,
}

#[derive(Debug)]
struct Unit<'d> {
    header: gimli::UnitHeader<Reader<'d>>,
    abbreviations: Arc<gimli::Abbreviations>,
    /// Offset in .debug_info.
    start: usize,
    /// Where its addresses begin in .debug_addr.
    addresses: DebugAddrBase,
}

impl<'d> TypeInfo<'d> {
    /// Finds the wanted names; `runtime_types` is `golang::ModuleData::types`.
    pub fn load(sections: &'d Sections<'_>, wanted: &WantedNames<'_>, runtime_types: Va) -> Result<Self, DwarfError> {
        let dwarf = sections.sections.borrow(|section| EndianSlice::new(section, LittleEndian));
        index::read(dwarf, wanted, runtime_types)
    }

    /// A wanted function's signature; `None` when DWARF describes no code of its own.
    pub fn signature(&self, name: &str) -> Result<Option<Signature<'d>>, DwarfError> {
        let Some(function) = self.functions.get(name) else { return Ok(None) };
        // An assembly function has no parameters in DWARF; its ABI wrapper of the same name has
        // them.
        let mut best: Option<Vec<_>> = None;
        for body in &function.bodies {
            let parameters = self.parameters(body.place)?;
            if best.as_ref().is_none_or(|best| parameters.len() > best.len()) {
                best = Some(parameters);
            }
        }
        Ok(best.map(|parameters| Signature { parameters }))
    }

    /// The name, with type arguments, of the instance of a wanted generic function that starts
    /// there.
    pub fn instance_at(&self, start: Va) -> Option<&'d str> {
        self.instances.get(&start).copied()
    }

    /// The functions that hold inlined copies of a wanted function, one for each copy. A function
    /// that was inlined everywhere has no code of its own.
    pub fn inlined_into(&self, name: &str) -> Result<Vec<&'d str>, DwarfError> {
        let into = self.functions.get(name).map_or(&[][..], |function| &function.inlined_into);
        into.iter().map(|place| Ok(self.function_name(*place)?.unwrap_or("a function without a name"))).collect()
    }

    /// The name of a function, from its abstract entry if it has one.
    fn function_name(&self, place: DebugInfoOffset) -> Result<Option<&'d str>, DwarfError> {
        let (unit, entry) = self.entry(place)?;
        let origin = entry.attr_value(constants::DW_AT_abstract_origin);
        match origin.and_then(|origin| unit.reference(&origin)) {
            Some(origin) => self.entry_name(origin, &self.entry(origin)?.1),
            None => self.entry_name(place, &entry),
        }
    }

    /// Whether a function was inlined in its own package, even if the copies have no instruction
    /// left.
    pub fn was_inlined(&self, name: &str) -> bool {
        self.functions.get(name).is_some_and(|function| function.is_abstract)
    }

    /// A wanted type; `None` when DWARF does not describe it.
    pub fn type_by_name(&self, name: &str) -> Option<TypeId> {
        self.types.get(name).copied()
    }

    /// Whether there is only C's DWARF: Go's was left out.
    pub fn is_foreign(&self) -> bool {
        self.units.is_empty()
    }
}

impl Types for TypeInfo<'_> {
    fn resolve(&self, id: TypeId) -> Result<Type<'_>, TypeError> {
        Ok(self.resolve(id)?)
    }

    fn type_by_name(&self, name: &str) -> Result<Option<TypeId>, TypeError> {
        Ok(self.type_by_name(&symbol_name(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::testing::damaged_copies;
    use crate::golang::{GoBinary, testing};
    use crate::types::{Field, Kind, Parameter};

    fn wanted() -> WantedNames<'static> {
        WantedNames {
            functions: HashSet::from(["main.Words", "main.Blank", "main.small", "main.(*Record).Read", "main.absent"]),
            types: HashSet::from([
                "main.Record",
                "*main.Record",
                "main.Base",
                "main.Celsius",
                "main.Handler",
                "main.Counts",
                "runtime.g",
                "uintptr",
                "string",
                "error",
                "main.Absent",
            ]),
        }
    }

    /// The description of all wanted names, as text.
    fn describe(file: &[u8]) -> Result<Vec<String>, DwarfError> {
        let elf = Elf::parse(file)?;
        let Some(sections) = Sections::load(&elf)? else { return Ok(Vec::new()) };
        let types = TypeInfo::load(&sections, &wanted(), elf.symbol("runtime.types").unwrap_or_default())?;
        let mut lines = Vec::new();
        let mut names: Vec<_> = wanted().types.into_iter().collect();
        names.sort_unstable();
        for name in names {
            let Some(id) = types.type_by_name(name) else { continue };
            let resolved = types.resolve(id)?;
            lines.push(match &resolved.kind {
                Kind::Struct(fields) => {
                    let field = |field: &Field<'_>| {
                        let embedded = if field.embedded { "embedded " } else { "" };
                        let name = types.resolve(field.type_id)?.name;
                        Ok(format!("{embedded}{} {name} @{}", field.name, field.offset))
                    };
                    let fields: Vec<_> = fields.iter().map(field).collect::<Result<_, DwarfError>>()?;
                    format!("{name} {} {{{}}}", resolved.size, fields.join(", "))
                }
                Kind::Pointer(to) => format!("{name} {} -> {}", resolved.size, types.resolve(*to)?.name),
                other => format!("{name} {} {other:?}", resolved.size),
            });
        }
        let mut names: Vec<_> = wanted().functions.into_iter().collect();
        names.sort_unstable();
        for name in names {
            let Some(signature) = types.signature(name)? else {
                lines.push(format!("{name} inlined into {:?}", types.inlined_into(name)?));
                continue;
            };
            let parameter = |parameter: &Parameter<'_>| {
                let arrow = if parameter.is_result { "->" } else { "" };
                Ok(format!("{arrow}{} {}", parameter.name, types.resolve(parameter.type_id)?.name))
            };
            let parameters: Vec<_> = signature.parameters.iter().map(parameter).collect::<Result<_, DwarfError>>()?;
            let inlined = types.inlined_into(name)?.len();
            lines.push(format!("{name}({}) inlined {inlined}", parameters.join(", ")));
        }
        Ok(lines)
    }

    #[test]
    fn types_and_signatures_are_those_of_the_source() {
        let lines = describe(testing::program()).unwrap();
        let line = |start: &str| {
            let found = lines.iter().find(|line| line.starts_with(start));
            found.unwrap_or_else(|| panic!("no {start} in {lines:#?}")).as_str()
        };
        assert_eq!(line("*main.Record"), "*main.Record 8 -> main.Record");
        assert_eq!(
            line("main.Record "),
            "main.Record 56 {ID int32 @0, _ int32 @4, Name string @8, Flags [1]uint16 @24, \
             Reader interface { Read(int) (string, error) } @32, embedded Base *main.Base @48}"
        );
        assert_eq!(line("main.Base"), "main.Base 8 {Weight float64 @0}");
        assert_eq!(line("main.Celsius"), "main.Celsius 4 Float");
        assert_eq!(line("main.Handler"), "main.Handler 8 Func");
        assert_eq!(line("main.Counts"), "main.Counts 8 Map");
        assert_eq!(line("error"), "error 16 Interface { empty: false }");
        assert_eq!(line("string"), "string 16 String");
        assert_eq!(
            line("main.Words"),
            "main.Words(s string, b []uint8, e error, a interface {}, m main.Counts, c chan int, ->~r0 int, \
             ->~r1 main.Celsius) inlined 0"
        );
        assert_eq!(
            line("main.(*Record).Read"),
            "main.(*Record).Read(r *main.Record, n int, ->~r0 string, ->~r1 error) inlined 0"
        );
        // Only the entry of its body has its blank parameters and its blank result.
        assert_eq!(line("main.Blank"), "main.Blank(~p0 string, a int, ~p2 int, ->~r0 int, ->err error) inlined 1");
        // main.CallsSmall has two copies of it, and no function calls it.
        assert_eq!(line("main.small"), "main.small inlined into [\"main.CallsSmall\", \"main.CallsSmall\"]");
        assert_eq!(line("main.absent"), "main.absent inlined into []");
        assert!(!lines.iter().any(|line| line.starts_with("main.Absent")));
    }

    #[test]
    fn compression_changes_nothing() {
        let plain = testing::build(&["-ldflags=-compressdwarf=false"]);
        assert_eq!(describe(&plain).unwrap(), describe(testing::program()).unwrap());
    }

    #[test]
    fn a_runtime_type_describes_the_same_type() {
        for file in [testing::program().to_vec(), testing::build(&["-buildmode=pie"])] {
            let elf = Elf::parse(&file).unwrap();
            let go = GoBinary::read(&elf, &elf.relative_relocations().unwrap()).unwrap();
            let sections = Sections::load(&elf).unwrap().unwrap();
            let types = TypeInfo::load(&sections, &wanted(), go.module_data.types).unwrap();
            for name in ["*main.Record", "main.Record", "main.Base", "uintptr", "string", "error", "main.Counts"] {
                let resolved = types.resolve(types.type_by_name(name).unwrap()).unwrap();
                // The first word of a run-time type is the size of its values.
                let Some(runtime_type) = resolved.runtime_type else {
                    assert!(["main.Base", "main.Counts", "error"].contains(&name), "{name}");
                    continue;
                };
                assert_eq!(elf.word_at(runtime_type), Some(resolved.size), "{name}");
            }
        }
    }

    #[test]
    fn a_stripped_program_has_no_dwarf() {
        let stripped = testing::build(&["-ldflags=-s -w"]);
        assert!(Sections::load(&Elf::parse(&stripped).unwrap()).unwrap().is_none());
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let file = testing::build(&["-ldflags=-compressdwarf=false"]);
        let elf = Elf::parse(&file).unwrap();
        let range = |name: &str| {
            let section = elf.section(name).unwrap();
            section.offset.0 as usize..(section.offset.0 + section.size) as usize
        };
        let mut refused = 0;
        damaged_copies(&file, &[range(".debug_abbrev")], 40, |copy| refused += u32::from(describe(copy).is_err()));
        damaged_copies(&file, &[range(".debug_info")], 40, |copy| refused += u32::from(describe(copy).is_err()));
        assert!(refused > 60, "{refused}");
    }
}
