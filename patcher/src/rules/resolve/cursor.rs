//! Walks of paths: each step moves a cursor from a value to a part of it, or to what it points to.

use gopatch_trampolines::arena::table::MAX_WORDS;
use gopatch_trampolines::plan::{Gpr, Root, Source, Step};

use super::{End, Places, ResolveError, list};
use crate::golang::abi::{Location, Register};
use crate::types::{Kind, Type, TypeId};
use crate::yaml::nearest::did_you_mean;

/// Longest chain of embedded fields in which a promoted field is searched for.
const MAX_EMBEDDING: usize = 4;

/// Longest chain of structs of one field and arrays of one element that a type may be.
const MAX_NESTING: usize = 64;

/// Where a path has led so far.
#[derive(Debug, Clone)]
pub(super) enum Cursor {
    /// In a parameter or a result, `offset` bytes from its start.
    Value { location: Location, offset: u64, origin: ReadAt, type_id: TypeId },
    /// A word that is a pointer, or a struct or array of one pointer.
    Word { root: Root, steps: Vec<Step>, type_id: TypeId },
    /// In memory, `offset` bytes after the address that a pointer has.
    Memory { root: Root, steps: Vec<Step>, offset: u64, type_id: TypeId },
}

/// Whether a value is read in its place, or was kept by the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadAt {
    Here,
    Kept,
}

impl Places<'_> {
    pub(super) fn field(&self, cursor: Cursor, name: &str, end: &mut End<'_>) -> Result<Cursor, ResolveError> {
        let cursor = self.follow_pointer(cursor, end)?;
        let type_id = cursor.type_id();
        let resolved = self.types.resolve(type_id)?;
        let Kind::Struct(fields) = &resolved.kind else {
            return Err(ResolveError::NotA { type_name: resolved.name.to_string(), what: "has no fields" });
        };
        if let Some(field) = fields.iter().find(|field| field.name == name) {
            return Ok(cursor.into_part(field.offset, field.type_id));
        }
        let way = self.promoted(type_id, name, MAX_EMBEDDING)?;
        if way.is_empty() {
            return Err(ResolveError::NoField {
                type_name: resolved.name.to_string(),
                field: name.to_owned(),
                known: list(fields.iter().map(|field| field.name)),
                nearest: did_you_mean(name, fields.iter().map(|field| field.name)),
            });
        }
        way.into_iter().try_fold(cursor, |cursor, step| self.field(cursor, &step, end))
    }

    /// The embedded fields on the way to a promoted field, and the field itself; empty if there is
    /// no such field.
    fn promoted(&self, type_id: TypeId, name: &str, depth: usize) -> Result<Vec<String>, ResolveError> {
        if depth == 0 {
            return Ok(Vec::new());
        }
        let Kind::Struct(fields) = self.types.resolve(type_id)?.kind else { return Ok(Vec::new()) };
        for field in fields.iter().filter(|field| field.embedded) {
            let inner = match self.types.resolve(field.type_id)?.kind {
                Kind::Pointer(element) => element,
                _ => field.type_id,
            };
            let Kind::Struct(inner_fields) = self.types.resolve(inner)?.kind else { continue };
            if inner_fields.iter().any(|inner| inner.name == name) {
                return Ok(vec![field.name.to_owned(), name.to_owned()]);
            }
            let mut way = self.promoted(inner, name, depth - 1)?;
            if !way.is_empty() {
                way.insert(0, field.name.to_owned());
                return Ok(way);
            }
        }
        Ok(Vec::new())
    }

    pub(super) fn element(&self, cursor: Cursor, index: u64, end: &mut End<'_>) -> Result<Cursor, ResolveError> {
        let cursor = self.follow_pointer(cursor, end)?;
        let resolved = self.types.resolve(cursor.type_id())?;
        let type_name = || resolved.name.to_string();
        let Kind::Array { element, len } = resolved.kind else {
            return Err(ResolveError::NotA { type_name: type_name(), what: "is not an array" });
        };
        if index >= len {
            return Err(ResolveError::NoElement { type_name: type_name(), index });
        }
        let bytes = self.types.resolve(element)?.size.checked_mul(index);
        Ok(cursor.into_part(bytes.ok_or_else(|| ResolveError::TooLarge(type_name()))?, element))
    }

    /// From a pointer to the memory that it points to; any other cursor stays.
    pub(super) fn follow_pointer(&self, cursor: Cursor, end: &mut End<'_>) -> Result<Cursor, ResolveError> {
        let resolved = self.types.resolve(cursor.type_id())?;
        let Kind::Pointer(element) = resolved.kind else { return Ok(cursor) };
        let (root, steps) = pointer(cursor, &resolved, end)?;
        Ok(Cursor::Memory { root, steps, offset: 0, type_id: element })
    }

    pub(super) fn assert(&self, cursor: Cursor, name: &str, end: &mut End<'_>) -> Result<Cursor, ResolveError> {
        let held = self.types.resolve(cursor.type_id())?;
        let Kind::Interface { empty } = held.kind else {
            return Err(ResolveError::NotA { type_name: held.name.to_string(), what: "is not an interface" });
        };
        let missing = || ResolveError::NoType(name.to_owned());
        let type_id = self.types.type_by_name(name)?.ok_or_else(missing)?;
        let target = self.types.resolve(type_id)?;
        let type_va = target.runtime_type.ok_or_else(missing)?.0;
        let (root, steps) = match cursor {
            Cursor::Value { location, offset, origin, .. } => {
                let tab = source(&location, offset, origin, &held, end)?;
                let data = source(&location, offset.saturating_add(8), origin, &held, end)?;
                (Root::Interface { tab, data, empty, type_va }, Vec::new())
            }
            Cursor::Memory { root, mut steps, offset, .. } => {
                steps.push(Step::Assert { offset: displacement(offset, &held)?, empty, type_va });
                (root, steps)
            }
            Cursor::Word { .. } => {
                return Err(ResolveError::NotA { type_name: held.name.to_string(), what: "is not in memory" });
            }
        };
        // An interface holds a pointer-shaped value itself, and a pointer to any other.
        Ok(if self.is_pointer_shaped(type_id)? {
            Cursor::Word { root, steps, type_id }
        } else {
            Cursor::Memory { root, steps, offset: 0, type_id }
        })
    }

    fn is_pointer_shaped(&self, type_id: TypeId) -> Result<bool, ResolveError> {
        let mut type_id = type_id;
        for _ in 0..MAX_NESTING {
            let resolved = self.types.resolve(type_id)?;
            match resolved.kind {
                Kind::Pointer(_) | Kind::UnsafePointer | Kind::Map | Kind::Chan | Kind::Func => return Ok(true),
                Kind::Struct(ref fields) if resolved.size == 8 && fields.len() == 1 => type_id = fields[0].type_id,
                Kind::Array { element, len: 1 } => type_id = element,
                _ => return Ok(false),
            }
        }
        Ok(false)
    }
}

impl Cursor {
    pub(super) fn type_id(&self) -> TypeId {
        match self {
            Self::Value { type_id, .. } | Self::Word { type_id, .. } | Self::Memory { type_id, .. } => *type_id,
        }
    }

    /// The part of a struct or array at `bytes` from its start.
    fn into_part(self, bytes: u64, type_id: TypeId) -> Self {
        match self {
            Self::Value { location, offset, origin, .. } => {
                Self::Value { location, offset: offset.saturating_add(bytes), origin, type_id }
            }
            // A struct of one word has one field.
            Self::Word { root, steps, .. } => Self::Word { root, steps, type_id },
            Self::Memory { root, steps, offset, .. } => {
                Self::Memory { root, steps, offset: offset.saturating_add(bytes), type_id }
            }
        }
    }
}

/// The loads that lead to the word at the cursor, a pointer.
pub(super) fn pointer(
    cursor: Cursor,
    resolved: &Type<'_>,
    end: &mut End<'_>,
) -> Result<(Root, Vec<Step>), ResolveError> {
    match cursor {
        Cursor::Value { location, offset, origin, .. } => {
            Ok((Root::Pointer(source(&location, offset, origin, resolved, end)?), Vec::new()))
        }
        Cursor::Word { root, steps, .. } => Ok((root, steps)),
        Cursor::Memory { root, mut steps, offset, .. } => {
            steps.push(Step::Load { offset: displacement(offset, resolved)? });
            Ok((root, steps))
        }
    }
}

/// The word of a parameter or result at `offset` bytes from its start.
pub(super) fn source(
    location: &Location,
    offset: u64,
    origin: ReadAt,
    resolved: &Type<'_>,
    end: &mut End<'_>,
) -> Result<Source, ResolveError> {
    let here = match location {
        Location::Registers(parts) => {
            let register = parts.iter().find(|(part, _)| part.offset == offset).map(|(_, register)| *register);
            match register {
                Some(Register::Int(index)) => Source::Register(Gpr::ALL[usize::from(index)]),
                _ => return Err(ResolveError::Unrecordable(resolved.name.to_string())),
            }
        }
        Location::Stack { offset: start } => Source::Stack(displacement(start.saturating_add(offset), resolved)?),
    };
    match (origin, end) {
        (ReadAt::Kept, End::Exit(kept)) => {
            let index = kept.iter().position(|word| *word == here).unwrap_or_else(|| {
                kept.push(here);
                kept.len() - 1
            });
            if index >= MAX_WORDS {
                return Err(ResolveError::TooManyWords(index + 1));
            }
            Ok(Source::Kept(index as u8))
        }
        _ => Ok(here),
    }
}

pub(super) fn displacement(offset: u64, resolved: &Type<'_>) -> Result<i32, ResolveError> {
    // Leaves room for the second word of a value there.
    i32::try_from(offset.saturating_add(16))
        .map(|end| end - 16)
        .map_err(|_| ResolveError::TooLarge(resolved.name.to_string()))
}
