//! The end of a path: which values can be recorded, and how each lies in memory or in registers.

use gopatch_protocol::manifest::ValueType;
use gopatch_trampolines::plan::{Leaf, Path, Root};

use super::cursor::{Cursor, ReadAt, displacement, pointer, source};
use super::{End, Places, ResolveError};
use crate::golang::abi::Location;
use crate::rules::syntax::path::Form;
use crate::types::{Kind, Type, TypeId};

impl Places<'_> {
    /// From a pointer to an array to the array, if its value or length is wanted; any other cursor
    /// stays.
    fn at_array(&self, cursor: Cursor, form: Form, end: &mut End<'_>) -> Result<Cursor, ResolveError> {
        let Kind::Pointer(element) = self.types.resolve(cursor.type_id())?.kind else { return Ok(cursor) };
        let is_wanted = matches!(form, Form::Value | Form::Len);
        if is_wanted && matches!(self.types.resolve(element)?.kind, Kind::Array { .. }) {
            return self.follow_pointer(cursor, end);
        }
        Ok(cursor)
    }

    fn is_byte(&self, type_id: TypeId) -> Result<bool, ResolveError> {
        let resolved = self.types.resolve(type_id)?;
        Ok(resolved.size == 1 && resolved.kind == Kind::Int { signed: false })
    }

    pub(super) fn leaf(
        &self,
        cursor: Cursor,
        form: Form,
        max: u16,
        end: &mut End<'_>,
    ) -> Result<(Vec<Path>, ValueType), ResolveError> {
        let cursor = self.at_array(cursor, form, end)?;
        let resolved = self.types.resolve(cursor.type_id())?;
        let unrecordable = || ResolveError::Unrecordable(resolved.name.to_string());
        let int = |size: u64, signed| match size {
            1 | 2 | 4 | 8 => Ok(Leaf::Int { size: size as u8, signed }),
            _ => Err(unrecordable()),
        };
        if let (Form::Len, Kind::Map) = (form, &resolved.kind) {
            // The first word of the runtime's map is the number of its entries: `hmap.count` until
            // Go 1.23, `maps.Map.used` since (Go's `src/runtime/map.go`,
            // `src/internal/runtime/maps/map.go`). A nil map has none: then the word of the map
            // itself is the 0 to record.
            let leaf = int(8, true)?;
            let nil = match &cursor {
                Cursor::Value { location, offset, origin, .. } => {
                    let first = source(location, *offset, *origin, &resolved, end)?;
                    Path { root: Root::Value { first, second: None }, steps: Vec::new(), offset: 0, leaf }
                }
                Cursor::Memory { root, steps, offset, .. } => {
                    Path { root: *root, steps: steps.clone(), offset: displacement(*offset, &resolved)?, leaf }
                }
                Cursor::Word { .. } => return Err(unrecordable()),
            };
            let (root, steps) = pointer(cursor, &resolved, end)?;
            return Ok((vec![Path { root, steps, offset: 0, leaf }, nil], ValueType::Int));
        }
        if form == Form::TypeName && !matches!(resolved.kind, Kind::Interface { .. }) {
            return Err(ResolveError::NotA { type_name: resolved.name.to_string(), what: "is not an interface" });
        }
        if let Kind::Array { element, len } = resolved.kind {
            return match form {
                Form::Len => {
                    let path = Path { root: Root::Constant(len), steps: Vec::new(), offset: 0, leaf: int(8, true)? };
                    Ok((vec![path], ValueType::Int))
                }
                Form::Value if self.is_byte(element)? && len > 0 => {
                    let len = u32::try_from(len).map_err(|_| unrecordable())?;
                    Ok((vec![bytes(cursor, Leaf::Bytes { len, max }, &resolved, end)?], ValueType::String))
                }
                _ => Err(unrecordable()),
            };
        }
        // The offset of the word, how it is read, and the type of the value.
        let (word, leaf, value) = match (form, &resolved.kind) {
            (Form::TypeName, Kind::Interface { empty }) => {
                let types = self.type_data.ok_or(ResolveError::NoTypeNames)?;
                (0, Leaf::TypeName { empty: *empty, max, types }, ValueType::String)
            }
            (Form::Value, Kind::Bool) => (0, int(1, false)?, ValueType::Bool),
            (Form::Value, Kind::Int { signed: true }) => (0, int(resolved.size, true)?, ValueType::Int),
            (Form::Value, Kind::Int { signed: false }) => (0, int(resolved.size, false)?, ValueType::Uint),
            (Form::Value, Kind::String) => (0, Leaf::String { max }, ValueType::String),
            (Form::Len, Kind::String | Kind::Slice(_)) => (8, int(8, true)?, ValueType::Int),
            (
                Form::IsNil(is_nil),
                Kind::Pointer(_)
                | Kind::UnsafePointer
                | Kind::Interface { .. }
                | Kind::Slice(_)
                | Kind::Map
                | Kind::Chan
                | Kind::Func,
            ) => (0, Leaf::Nil { is_nil }, ValueType::Bool),
            _ => return Err(unrecordable()),
        };
        let path = match cursor {
            Cursor::Value { location, offset, origin, .. } => {
                let first = source(&location, offset.saturating_add(word), origin, &resolved, end)?;
                let second = match leaf {
                    Leaf::String { .. } => Some(source(&location, offset.saturating_add(8), origin, &resolved, end)?),
                    Leaf::Int { .. } | Leaf::Nil { .. } | Leaf::Bytes { .. } | Leaf::TypeName { .. } => None,
                };
                Path { root: Root::Value { first, second }, steps: Vec::new(), offset: 0, leaf }
            }
            Cursor::Memory { root, steps, offset, .. } => {
                Path { root, steps, offset: displacement(offset.saturating_add(word), &resolved)?, leaf }
            }
            Cursor::Word { .. } => return Err(unrecordable()),
        };
        Ok((vec![path], value))
    }
}

/// The loads that lead to an array of bytes.
fn bytes(cursor: Cursor, leaf: Leaf, resolved: &Type<'_>, end: &mut End<'_>) -> Result<Path, ResolveError> {
    let (root, steps, offset) = match cursor {
        Cursor::Memory { root, steps, offset, .. } => (root, steps, displacement(offset, resolved)?),
        Cursor::Value { location: Location::Stack { offset: start }, offset, origin: ReadAt::Here, .. } => {
            (Root::Frame(displacement(start.saturating_add(offset), resolved)?), Vec::new(), 0)
        }
        // An array in a register has one byte.
        Cursor::Value { location: location @ Location::Registers(_), offset, origin, .. } => {
            let first = source(&location, offset, origin, resolved, end)?;
            (Root::Value { first, second: None }, Vec::new(), 0)
        }
        Cursor::Value { .. } | Cursor::Word { .. } => {
            return Err(ResolveError::NotInWords(resolved.name.to_string()));
        }
    };
    Ok(Path { root, steps, offset, leaf })
}
