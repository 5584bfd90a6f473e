//! Phase 2, without DWARF: understand the program's types from its run-time type data.
//!
//! Decides: which types exist, and the name of each.
//! Trusts: the layouts of the Go versions that it knows, and refuses the others. Checks that the
//! data is well-formed.
//! Never does: describe functions. No table of the program lists their parameters; rules declare
//! them.
//!
//! [`descriptor`] reads single types.
//!
//! The compiler writes the addresses of most types into the code, so no list of them is needed. The
//! runtime needs a list only of the types that `reflect` could otherwise create twice: the
//! *typelinks*. They are all types without a name, pointers among them, and each named type comes
//! with a pointer type (`sptrWeak` of `writeType` in
//! `src/cmd/compile/internal/reflectdata/reflect.go`). So the typelinks, and what their pointers
//! point to, are all types.

mod descriptor;

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::ops::RangeInclusive;

use foldhash::fast::FixedState;

use crate::address::Va;
use crate::elf::{Elf, Relative};
use crate::golang::{GoBinary, GoVersion, ModuleData};
use crate::types::{Kind, Type, TypeError, TypeId, Types};

use descriptor::{Descriptor, Image};

/// Minor versions with known layouts; see `docs/go-internals.md`.
const KNOWN: RangeInclusive<u32> = 18..=27;

/// Most pointers, slices and arrays within each other in a name.
const MAX_DEPTH: u32 = 64;

/// Whether the layouts of that version are known.
pub fn is_known(version: GoVersion) -> bool {
    version.major == 1 && KNOWN.contains(&version.minor)
}

/// Why the run-time type data cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeTypeError {
    /// A Go whose layouts are unknown.
    #[error(
        "built by {0} without DWARF: this gopatch reads the run-time type data of Go 1.{first} to 1.{last} only\n\
         hint: patch a build with DWARF (without -ldflags=-s or -w), or get a later gopatch",
        first = KNOWN.start(),
        last = KNOWN.end()
    )]
    Version(GoVersion),
    /// Typelinks outside the file.
    #[error("no DWARF, and no readable list of run-time types in the moduledata at {0}\nhint: rebuild the program")]
    Typelinks(Va),
    /// A type that cannot be read.
    #[error("damaged run-time type at {0}\nhint: rebuild the program")]
    Type(Va),
    /// A name of several types.
    #[error(
        "the program has several types {0}, and without DWARF they cannot be told apart; are they declared in functions?"
    )]
    Ambiguous(String),
}

impl From<RuntimeTypeError> for TypeError {
    fn from(error: RuntimeTypeError) -> Self {
        Self::Unreadable(Box::new(error))
    }
}

/// The types that a program carries for itself.
#[derive(Debug)]
pub struct RuntimeTypes<'a> {
    image: Image<'a>,
    /// Types by the hash of the end of their names, in order. To build a full name takes time, and
    /// few are ever needed.
    by_ending: Vec<(u64, Va)>,
}

impl<'a> RuntimeTypes<'a> {
    /// Finds all types; `relocations` are [`Elf::relative_relocations`].
    pub fn load(elf: &'a Elf<'a>, relocations: &'a [Relative], go: &GoBinary<'_>) -> Result<Self, RuntimeTypeError> {
        let version = go.build_info.version;
        if !is_known(version) {
            return Err(RuntimeTypeError::Version(version));
        }
        let image = Image::new(elf, relocations, go);
        let typelinks = typelinks(&image, &go.module_data, version);
        let typelinks = typelinks.ok_or(RuntimeTypeError::Typelinks(go.module_data.va))?;
        let mut types = Self { image, by_ending: Vec::with_capacity(2 * typelinks.len()) };
        for va in typelinks {
            let descriptor = types.descriptor(va)?;
            types.add(&descriptor)?;
            if descriptor.is_pointer() {
                let element = types.image.element(&descriptor).ok_or(RuntimeTypeError::Type(va))?;
                types.add(&types.descriptor(element)?)?;
            }
        }
        types.by_ending.sort_unstable();
        // A pointer's element may be listed too.
        types.by_ending.dedup();
        Ok(types)
    }

    fn add(&mut self, descriptor: &Descriptor) -> Result<(), RuntimeTypeError> {
        let text = self.image.text(descriptor).ok_or(RuntimeTypeError::Type(descriptor.va))?;
        self.by_ending.push((hash_of_ending(text), descriptor.va));
        Ok(())
    }

    /// The name with its import path. The program has it only with the last element:
    /// `*http.response`.
    fn name(&self, descriptor: &Descriptor, depth: u32) -> Result<String, RuntimeTypeError> {
        let damaged = || RuntimeTypeError::Type(descriptor.va);
        let text = self.image.text(descriptor).ok_or_else(damaged)?;
        if descriptor.is_named() {
            let package = self.image.package(descriptor).ok_or_else(damaged)?;
            return Ok(match text.split_once('.') {
                Some((_, name)) if !package.is_empty() => format!("{package}.{name}"),
                _ => text.to_owned(),
            });
        }
        let depth = depth.checked_sub(1).ok_or_else(damaged)?;
        let name_of = |id: TypeId| match id {
            TypeId::Runtime(va) => self.name(&self.descriptor(va)?, depth),
            TypeId::Dwarf(_) | TypeId::Declared(_) => Err(damaged()),
        };
        Ok(match self.kind(descriptor)? {
            Kind::Pointer(element) => format!("*{}", name_of(element)?),
            Kind::Slice(element) => format!("[]{}", name_of(element)?),
            Kind::Array { element, len } => format!("[{len}]{}", name_of(element)?),
            _ => text.to_owned(),
        })
    }

    fn descriptor(&self, va: Va) -> Result<Descriptor, RuntimeTypeError> {
        self.image.descriptor(va).ok_or(RuntimeTypeError::Type(va))
    }

    fn kind(&self, descriptor: &Descriptor) -> Result<Kind<'a>, RuntimeTypeError> {
        self.image.kind(descriptor).ok_or(RuntimeTypeError::Type(descriptor.va))
    }
}

impl Types for RuntimeTypes<'_> {
    fn resolve(&self, id: TypeId) -> Result<Type<'_>, TypeError> {
        let TypeId::Runtime(va) = id else { return Err(TypeError::Foreign(id)) };
        let descriptor = self.descriptor(va)?;
        Ok(Type {
            name: Cow::Owned(self.name(&descriptor, MAX_DEPTH)?),
            size: descriptor.size,
            kind: self.kind(&descriptor)?,
            runtime_type: Some(va),
        })
    }

    fn type_by_name(&self, name: &str) -> Result<Option<TypeId>, TypeError> {
        let hash = hash_of_ending(name);
        let first = self.by_ending.partition_point(|(before, _)| *before < hash);
        let mut found = None;
        for (_, va) in self.by_ending[first..].iter().take_while(|(its, _)| *its == hash) {
            let is_it = self.name(&self.descriptor(*va)?, MAX_DEPTH)? == name;
            if is_it && found.replace(TypeId::Runtime(*va)).is_some() {
                return Err(RuntimeTypeError::Ambiguous(name.to_owned()).into());
            }
        }
        Ok(found)
    }
}

/// The hash of the part after a type name's last dot, which is the same with and without an import
/// path.
fn hash_of_ending(name: &str) -> u64 {
    let ending = name.rfind('.').map_or(name, |dot| &name[dot..]);
    FixedState::default().hash_one(ending)
}

/// The addresses of the types that moduledata lists: a slice of offsets from `runtime.types`, or,
/// since Go 1.27, a number of bytes in which they follow each other (`moduleTypelinks` in
/// `src/runtime/type.go`).
fn typelinks(image: &Image<'_>, module_data: &ModuleData, version: GoVersion) -> Option<Vec<Va>> {
    let types = module_data.types;
    let list = match version.minor {
        ..20 => 336,
        20..26 => 352,
        26 => 360,
        _ => return lined_up(image, types, types.checked_add(image.word(module_data.va.checked_add(304)?)?)?),
    };
    let list = module_data.va.checked_add(list)?;
    let offsets = image.bytes(image.pointer(list)?, image.word(list.checked_add(8)?)?.checked_mul(4)?)?;
    let va = |offset: &[u8]| types.checked_add(u32::from_le_bytes(offset.try_into().ok()?).into());
    offsets.chunks_exact(4).map(va).collect()
}

/// The addresses of the descriptors from `types` to `end`. An unused word precedes the first.
fn lined_up(image: &Image<'_>, types: Va, end: Va) -> Option<Vec<Va>> {
    let mut all = Vec::new();
    let mut va = types.checked_add(8)?;
    while va < end {
        all.push(va);
        va = image.next(&image.descriptor(va)?)?;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::elf::testing::damaged_copies;
    use crate::golang::testing;

    /// The types of a stripped program, as text.
    fn describe(file: &[u8], names: &[&str]) -> Result<Vec<String>, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let elf = Elf::parse(file).map_err(|error| text(&error))?;
        let relocations = elf.relative_relocations().map_err(|error| text(&error))?;
        let go = GoBinary::read(&elf, &relocations).map_err(|error| text(&error))?;
        let types = RuntimeTypes::load(&elf, &relocations, &go).map_err(|error| text(&error))?;
        let line = |name: &&str| {
            let Some(id) = types.type_by_name(name)? else { return Ok(format!("no {name}")) };
            let resolved = types.resolve(id)?;
            let Kind::Struct(fields) = &resolved.kind else {
                return Ok(format!("{} {} {:?}", resolved.name, resolved.size, resolved.kind));
            };
            let field = |field: &crate::types::Field<'_>| {
                let embedded = if field.embedded { "embedded " } else { "" };
                Ok(format!("{embedded}{} {} @{}", field.name, types.resolve(field.type_id)?.name, field.offset))
            };
            let fields: Vec<_> = fields.iter().map(field).collect::<Result<_, TypeError>>()?;
            Ok(format!("{} {} {{{}}}", resolved.name, resolved.size, fields.join(", ")))
        };
        names.iter().map(line).collect::<Result<_, TypeError>>().map_err(|error| text(&error))
    }

    #[test]
    fn types_are_those_of_the_source() {
        for arguments in [&["-ldflags=-s -w"][..], &["-ldflags=-s -w", "-buildmode=pie"]] {
            let file = testing::build(arguments);
            let names = ["main.Record", "error", "interface {}", "[]uint8", "uintptr", "main.Absent"];
            let lines = describe(&file, &names).unwrap();
            let expected = [
                "main.Record 56 {ID int32 @0, _ int32 @4, Name string @8, Flags [1]uint16 @24, \
                 Reader interface { Read(int) (string, error) } @32, embedded Base *main.Base @48}",
                "error 16 Interface { empty: false }",
                "interface {} 16 Interface { empty: true }",
            ];
            assert_eq!(lines[..3], expected);
            assert!(lines[3].starts_with("[]uint8 24 Slice("), "{}", lines[3]);
            assert_eq!(lines[4..], ["uintptr 8 Int { signed: false }", "no main.Absent"]);
        }
    }

    #[test]
    fn every_type_is_found_by_its_whole_name() {
        let file = testing::build(&["-ldflags=-s -w"]);
        let elf = Elf::parse(&file).unwrap();
        let types = RuntimeTypes::load(&elf, &[], &GoBinary::read(&elf, &[]).unwrap()).unwrap();
        let mut by_name: HashMap<String, Vec<Va>> = HashMap::new();
        for (_, va) in &types.by_ending {
            by_name.entry(types.name(&types.descriptor(*va).unwrap(), MAX_DEPTH).unwrap()).or_default().push(*va);
        }
        assert!(by_name.len() > 500 && by_name.contains_key("*internal/abi.Type"), "{}", by_name.len());
        for (name, all) in by_name {
            match (types.type_by_name(&name), &all[..]) {
                (Ok(found), [only]) => assert_eq!(found, Some(TypeId::Runtime(*only)), "{name}"),
                (found, _) => assert!(found.is_err() && all.len() > 1, "{name}: {found:?}"),
            }
        }
    }

    #[test]
    fn the_runtime_describes_itself() {
        let lines = describe(&testing::build(&["-ldflags=-s -w"]), &["runtime.g", "runtime.m", "runtime.p"]).unwrap();
        assert!(
            lines[0].contains("{stack runtime.stack @0") && lines[0].contains(", m *runtime.m @48"),
            "{}",
            lines[0]
        );
        assert!(lines[1].contains("{g0 *runtime.g @0"), "{}", lines[1]);
        assert!(lines[2].contains("{id int32 @0"), "{}", lines[2]);
    }

    #[test]
    fn a_go_with_unknown_layouts_is_refused() {
        let elf = Elf::parse(testing::program()).unwrap();
        let mut go = GoBinary::read(&elf, &[]).unwrap();
        for minor in [17, 28] {
            go.build_info.version = GoVersion::go1(minor);
            let error = RuntimeTypes::load(&elf, &[], &go).unwrap_err();
            assert!(matches!(error, RuntimeTypeError::Version(_)), "{error}");
            assert!(error.to_string().contains("Go 1.18 to 1.27 only"), "{error}");
        }
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let file = testing::build(&["-ldflags=-s -w"]);
        let elf = Elf::parse(&file).unwrap();
        let go = GoBinary::read(&elf, &[]).unwrap();
        let types = elf.offset_of(go.module_data.types).unwrap().0 as usize;
        let module_data = elf.offset_of(go.module_data.va).unwrap().0 as usize;
        let interesting = [types..types + 0x4000, module_data + 296..module_data + 384];
        let mut refused = 0;
        damaged_copies(&file, &interesting, 100, |copy| {
            refused += u32::from(describe(copy, &["main.Record", "runtime.g"]).is_err());
        });
        assert!(refused > 100, "{refused}");
    }
}
