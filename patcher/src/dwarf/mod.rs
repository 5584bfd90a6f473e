//! Phase 2: understand the program's types and signatures, from its DWARF.
//!
//! Decides: what DWARF says of the functions and types that somebody asked for; everything else is passed over.
//! Trusts: nothing to be well-formed; trusts what it says of a type's layout, as every debugger does.
//! Never does: say where a parameter is in registers (that is `crate::golang::abi`), or follow a path of a rule.
//!
//! Go's DWARF is written by `src/cmd/internal/dwarf/dwarf.go` and `src/cmd/link/internal/ld/dwarf.go`: version 4 until
//! Go 1.24, version 5 since, both in one file when an external linker adds C units. Only Go units are read.

mod index;
mod types;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gimli::{DebugInfoOffset, EndianSlice, LittleEndian, SectionId};

use crate::address::Va;
use crate::elf::{Elf, ElfError};

pub use types::{Field, Kind, Type, TypeId};

type Reader<'d> = EndianSlice<'d, LittleEndian>;

/// Why DWARF cannot answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DwarfError {
    /// No .debug_info.
    #[error("no DWARF (.debug_info): built with -ldflags=-s or -w, or stripped since; patch a build that has it")]
    NoDwarf,
    /// A structure that gimli cannot read.
    #[error("the DWARF is damaged at .debug_info+{offset:#x}: {source}; rebuild the program")]
    Damaged {
        /// Where reading began.
        offset: usize,
        /// What gimli says.
        source: gimli::Error,
    },
    /// A type that is none of Go's.
    #[error("the type at .debug_info+{offset:#x} cannot be read: {why}")]
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

/// The DWARF sections that are needed, decompressed.
#[derive(Debug)]
pub struct Sections<'a> {
    sections: gimli::DwarfSections<Cow<'a, [u8]>>,
}

impl<'a> Sections<'a> {
    /// Decompresses them.
    pub fn load(elf: &Elf<'a>) -> Result<Self, DwarfError> {
        let find = |name: &str| {
            let old_compressed = || elf.section(&name.replacen(".debug_", ".zdebug_", 1));
            elf.section(name).or_else(old_compressed).filter(|section| section.size > 0)
        };
        if find(SectionId::DebugInfo.name()).is_none() {
            return Err(DwarfError::NoDwarf);
        }
        let sections = gimli::DwarfSections::load(|id| match id {
            SectionId::DebugAbbrev | SectionId::DebugInfo | SectionId::DebugStr | SectionId::DebugLineStr => {
                find(id.name()).map_or(Ok(Cow::Borrowed(&[][..])), |section| elf.section_data(section))
            }
            _ => Ok(Cow::Borrowed(&[][..])),
        })?;
        Ok(Self { sections })
    }
}

/// The names that somebody will ask for.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'w> {
    /// Functions, as symbol names: `net/http.(*conn).serve`.
    pub functions: HashSet<&'w str>,
    /// Types, as Go spells them: `net/http.response`, `*net/http.response`, `runtime.g`.
    pub types: HashSet<&'w str>,
}

/// A parameter or a result of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'d> {
    /// Name; `~r0` for the first result when it has none, `~p0` for a parameter that is blank.
    pub name: &'d str,
    /// Type.
    pub type_id: TypeId,
    /// Whether it is a result.
    pub is_result: bool,
}

/// The parameters of a function, in order, the receiver first.
///
/// Until Go 1.21 DWARF leaves out blank parameters, and until Go 1.26 the dictionary of a generic function. So compare
/// the size of the arguments that follows from it with what pclntab says (`golang::Function::args`), and refuse the
/// signature when they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature<'d> {
    /// Receiver, parameters, results.
    pub parameters: Vec<Parameter<'d>>,
    /// Copies of the function that were inlined into others, where a hook will not see them.
    pub inlined_copies: u32,
}

impl<'d> Signature<'d> {
    /// Receiver and parameters.
    pub fn inputs(&self) -> impl Iterator<Item = &Parameter<'d>> {
        self.parameters.iter().filter(|parameter| !parameter.is_result)
    }

    /// Results.
    pub fn results(&self) -> impl Iterator<Item = &Parameter<'d>> {
        self.parameters.iter().filter(|parameter| parameter.is_result)
    }
}

/// What DWARF says of the wanted functions and types.
#[derive(Debug)]
pub struct TypeInfo<'d> {
    dwarf: gimli::Dwarf<Reader<'d>>,
    /// Go's units, in the order of .debug_info.
    units: Vec<Unit<'d>>,
    /// Where each wanted function is described, and how often it was inlined.
    functions: HashMap<&'d str, (Vec<DebugInfoOffset>, u32)>,
    types: HashMap<&'d str, TypeId>,
    /// `runtime.types`, from which run-time types are counted.
    runtime_types: Va,
}

#[derive(Debug)]
struct Unit<'d> {
    header: gimli::UnitHeader<Reader<'d>>,
    abbreviations: Arc<gimli::Abbreviations>,
    /// Offset in .debug_info.
    start: usize,
}

impl<'d> TypeInfo<'d> {
    /// Looks for the wanted names; `runtime_types` is `golang::ModuleData::types`.
    pub fn load(sections: &'d Sections<'_>, wanted: &Wanted<'_>, runtime_types: Va) -> Result<Self, DwarfError> {
        let dwarf = sections.sections.borrow(|section| EndianSlice::new(section, LittleEndian));
        index::read(dwarf, wanted, runtime_types)
    }

    /// A wanted function's signature; `None` when DWARF does not describe it.
    pub fn signature(&self, function: &str) -> Result<Option<Signature<'d>>, DwarfError> {
        let Some((places, inlined_copies)) = self.functions.get(function) else { return Ok(None) };
        // An assembly function is described without parameters, its ABI wrapper of the same name with them.
        let mut best = Vec::new();
        for place in places {
            let parameters = self.parameters(*place)?;
            if parameters.len() > best.len() {
                best = parameters;
            }
        }
        Ok(Some(Signature { parameters: best, inlined_copies: *inlined_copies }))
    }

    /// A wanted type; `None` when DWARF does not describe it.
    pub fn type_by_name(&self, name: &str) -> Option<TypeId> {
        self.types.get(name).copied()
    }
}
