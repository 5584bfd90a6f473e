//! Types, as Go's DWARF models them.
//!
//! Decides: which of Go's kinds a type is. Strings, slices and interfaces are structs in DWARF;
//! their kind is in the attribute DW_AT_go_kind, or follows from the name of a struct of the
//! runtime.
//! Trusts: nothing. An entry that is not one of Go's types is an error.
//! Never does: resolve more than one type at a time. A type refers to others by [`TypeId`].
//!
//! DW_AT_go_runtime_type (0x2904) locates the type's run-time descriptor. Its form is DW_FORM_addr,
//! but it is an offset from `runtime.types`, 0 when the program has no descriptor of the type. Go
//! 1.19 to 1.27 all write it as DW_CLS_GO_TYPEREF, a reference by R_ADDROFF (`newtype` in
//! `src/cmd/link/internal/ld/dwarf.go`, `putattr` in `src/cmd/internal/dwarf/dwarf.go`). An offset
//! needs no relocation, so a PIE and an external linker change nothing. The exception is `uintptr`,
//! whose entry is made separately: until Go 1.22 it has a full address (`dwarfGenerateDebugInfo`,
//! DW_CLS_ADDRESS).

use gimli::{AttributeValue, DebugInfoOffset, DebuggingInformationEntry, DwAt, constants as dw};

use crate::address::Va;
use crate::types::{Field, Kind, Parameter, Type, TypeId};

use super::{DwarfError, Reader, TypeInfo, Unit};

/// Go's own attributes (`src/cmd/internal/dwarf/dwarf.go`).
const GO_KIND: DwAt = DwAt(0x2900);
const GO_ELEM: DwAt = DwAt(0x2902);
const GO_EMBEDDED_FIELD: DwAt = DwAt(0x2903);
const GO_RUNTIME_TYPE: DwAt = DwAt(0x2904);

/// Values of DW_AT_go_kind (`src/internal/abi/type.go`).
const KIND_CHAN: u64 = 18;
const KIND_MAP: u64 = 21;
const KIND_SLICE: u64 = 23;
const KIND_STRING: u64 = 24;

/// Longest chain of typedefs to follow; Go's have two.
const MAX_TYPEDEFS: usize = 16;

type Entry<'d> = DebuggingInformationEntry<Reader<'d>>;

impl<'d> TypeInfo<'d> {
    /// Describes a type, with the name of the outermost typedef.
    pub fn resolve(&self, id: TypeId) -> Result<Type<'d>, DwarfError> {
        let mut name = None;
        let mut runtime_type = None;
        let TypeId::Dwarf(start) = id else {
            return Err(DwarfError::Type { offset: 0, why: format!("the type at {id} is not in DWARF") });
        };
        let start = DebugInfoOffset(start);
        let mut place = start;
        for _ in 0..MAX_TYPEDEFS {
            let (unit, entry) = self.entry(place)?;
            let own_name = self.entry_name(place, &entry)?;
            name = name.or(own_name);
            runtime_type = runtime_type.or(self.runtime_type(own_name, &entry));
            let plain = |size, kind| Ok(Type { name: name.unwrap_or_default().into(), size, kind, runtime_type });
            let kind = entry.attr_value(GO_KIND).and_then(|value| value.udata_value());
            match (entry.tag(), kind) {
                (dw::DW_TAG_typedef, Some(KIND_MAP)) => return plain(8, Kind::Map),
                (dw::DW_TAG_typedef, Some(KIND_CHAN)) => return plain(8, Kind::Chan),
                // At the end of the chain, these name the layout of an interface.
                (dw::DW_TAG_typedef, _) => match (own_name, kind) {
                    (Some("runtime.iface"), None) if place != start => {
                        return plain(16, Kind::Interface { empty: false });
                    }
                    (Some("runtime.eface"), None) if place != start => {
                        return plain(16, Kind::Interface { empty: true });
                    }
                    _ => place = target(place, unit, &entry, dw::DW_AT_type)?,
                },
                (dw::DW_TAG_base_type, _) => return plain(size(place, &entry)?, base_kind(place, &entry)?),
                (dw::DW_TAG_pointer_type, _) if entry.attr(dw::DW_AT_type).is_none() => {
                    return plain(8, Kind::UnsafePointer);
                }
                (dw::DW_TAG_pointer_type, _) => {
                    return plain(8, Kind::Pointer(type_at(place, unit, &entry, dw::DW_AT_type)?));
                }
                (dw::DW_TAG_subroutine_type, _) => return plain(8, Kind::Func),
                (dw::DW_TAG_structure_type, Some(KIND_STRING)) => return plain(16, Kind::String),
                (dw::DW_TAG_structure_type, Some(KIND_SLICE)) => {
                    return plain(24, Kind::Slice(type_at(place, unit, &entry, GO_ELEM)?));
                }
                (dw::DW_TAG_structure_type, _) => {
                    return plain(size(place, &entry)?, Kind::Struct(self.fields(place)?));
                }
                (dw::DW_TAG_array_type, _) => {
                    let element = type_at(place, unit, &entry, dw::DW_AT_type)?;
                    return plain(size(place, &entry)?, Kind::Array { element, len: self.array_len(place)? });
                }
                (tag, _) => return Err(not_go(place, format!("{tag} is not an entry of a Go type"))),
            }
        }
        Err(not_go(start, "too many typedefs".to_owned()))
    }

    /// The parameters of the function whose body is described at `place`.
    pub(super) fn parameters(&self, place: DebugInfoOffset) -> Result<Vec<Parameter<'d>>, DwarfError> {
        let mut parameters: Vec<Parameter<'d>> = Vec::new();
        self.children(place, dw::DW_TAG_formal_parameter, |unit, at, entry| {
            // If the function was inlined too, its named parameters are described in its abstract
            // entry.
            let parameter = match entry.attr_value(dw::DW_AT_abstract_origin) {
                Some(_) => {
                    let origin = target(at, unit, entry, dw::DW_AT_abstract_origin)?;
                    let (unit, entry) = self.entry(origin)?;
                    self.parameter(origin, unit, &entry)?
                }
                None => self.parameter(at, unit, entry)?,
            };
            // Go 1.19 to 1.26 describe the unnamed results of some functions twice. In Go's DWARF
            // every parameter has a unique name, invented if necessary.
            if parameters.iter().all(|known| known.name != parameter.name) {
                parameters.push(parameter);
            }
            Ok(())
        })?;
        Ok(parameters)
    }

    fn parameter(
        &self,
        place: DebugInfoOffset,
        unit: &Unit<'d>,
        entry: &Entry<'d>,
    ) -> Result<Parameter<'d>, DwarfError> {
        Ok(Parameter {
            name: self.entry_name(place, entry)?.unwrap_or_default(),
            type_id: type_at(place, unit, entry, dw::DW_AT_type)?,
            is_result: entry.attr_value(dw::DW_AT_variable_parameter) == Some(AttributeValue::Flag(true)),
        })
    }

    fn fields(&self, place: DebugInfoOffset) -> Result<Vec<Field<'d>>, DwarfError> {
        let mut fields = Vec::new();
        self.children(place, dw::DW_TAG_member, |unit, at, entry| {
            let offset = entry.attr_value(dw::DW_AT_data_member_location).and_then(|value| value.udata_value());
            fields.push(Field {
                name: self.entry_name(at, entry)?.unwrap_or_default(),
                offset: offset.ok_or_else(|| not_go(at, "a field without an offset".to_owned()))?,
                type_id: type_at(at, unit, entry, dw::DW_AT_type)?,
                embedded: entry.attr_value(GO_EMBEDDED_FIELD) == Some(AttributeValue::Flag(true)),
            });
            Ok(())
        })?;
        Ok(fields)
    }

    fn array_len(&self, place: DebugInfoOffset) -> Result<u64, DwarfError> {
        let mut len = None;
        self.children(place, dw::DW_TAG_subrange_type, |_, _, entry| {
            len = entry.attr_value(dw::DW_AT_count).and_then(|value| value.udata_value());
            Ok(())
        })?;
        len.ok_or_else(|| not_go(place, "an array without a length".to_owned()))
    }

    fn runtime_type(&self, name: Option<&str>, entry: &Entry<'d>) -> Option<Va> {
        match entry.attr_value(GO_RUNTIME_TYPE)? {
            AttributeValue::Addr(0) => None,
            AttributeValue::Addr(address) if name == Some("uintptr") && address >= self.runtime_types.0 => {
                Some(Va(address))
            }
            AttributeValue::Addr(offset) => self.runtime_types.checked_add(offset),
            _ => None,
        }
    }

    pub(super) fn entry_name(&self, place: DebugInfoOffset, entry: &Entry<'d>) -> Result<Option<&'d str>, DwarfError> {
        self.name(entry.attr_value(dw::DW_AT_name)).map_err(|source| DwarfError::Damaged { offset: place.0, source })
    }

    /// The entry at `place`, and its unit.
    pub(super) fn entry(&self, place: DebugInfoOffset) -> Result<(&Unit<'d>, Entry<'d>), DwarfError> {
        let (unit, mut entries) = self.entries_at(place)?;
        let mut entry = DebuggingInformationEntry::null();
        match entries.read_entry(&mut entry) {
            Ok(true) => Ok((unit, entry)),
            Ok(false) => Err(not_go(place, "no entry".to_owned())),
            Err(source) => Err(DwarfError::Damaged { offset: place.0, source }),
        }
    }

    /// Visits the children with that tag of the entry at `place`.
    fn children(
        &self,
        place: DebugInfoOffset,
        tag: gimli::DwTag,
        mut visit: impl FnMut(&Unit<'d>, DebugInfoOffset, &Entry<'d>) -> Result<(), DwarfError>,
    ) -> Result<(), DwarfError> {
        let (unit, mut entries) = self.entries_at(place)?;
        let damaged = |source| DwarfError::Damaged { offset: place.0, source };
        let mut entry = DebuggingInformationEntry::null();
        entries.read_entry(&mut entry).map_err(damaged)?;
        // Depth 0 is the entry itself; without children, also the entry after it.
        while entries.next_depth() > 0 {
            let is_entry = entries.read_entry(&mut entry).map_err(damaged)?;
            if is_entry && entry.depth() == 1 && entry.tag() == tag {
                visit(unit, DebugInfoOffset(unit.start + entry.offset().0), &entry)?;
            }
        }
        Ok(())
    }

    fn entries_at(&self, place: DebugInfoOffset) -> Result<(&Unit<'d>, gimli::EntriesRaw<'_, Reader<'d>>), DwarfError> {
        let after = self.units.partition_point(|unit| unit.start <= place.0);
        let unit = self.units[..after].last();
        let unit = unit.ok_or_else(|| not_go(place, "outside every Go unit".to_owned()))?;
        let within = gimli::UnitOffset(place.0 - unit.start);
        let entries = unit.header.entries_raw(&unit.abbreviations, Some(within));
        Ok((unit, entries.map_err(|source| DwarfError::Damaged { offset: place.0, source })?))
    }
}

fn not_go(place: DebugInfoOffset, why: String) -> DwarfError {
    DwarfError::Type { offset: place.0, why }
}

fn base_kind<'d>(place: DebugInfoOffset, entry: &Entry<'d>) -> Result<Kind<'d>, DwarfError> {
    match entry.attr_value(dw::DW_AT_encoding) {
        Some(AttributeValue::Encoding(dw::DW_ATE_boolean)) => Ok(Kind::Bool),
        Some(AttributeValue::Encoding(dw::DW_ATE_signed)) => Ok(Kind::Int { signed: true }),
        Some(AttributeValue::Encoding(dw::DW_ATE_unsigned)) => Ok(Kind::Int { signed: false }),
        Some(AttributeValue::Encoding(dw::DW_ATE_float)) => Ok(Kind::Float),
        Some(AttributeValue::Encoding(dw::DW_ATE_complex_float)) => Ok(Kind::Complex),
        other => Err(not_go(place, format!("{other:?} is not the encoding of a Go type"))),
    }
}

fn size(place: DebugInfoOffset, entry: &Entry<'_>) -> Result<u64, DwarfError> {
    let size = entry.attr_value(dw::DW_AT_byte_size).and_then(|value| value.udata_value());
    size.ok_or_else(|| not_go(place, "no size".to_owned()))
}

fn target<'d>(
    place: DebugInfoOffset,
    unit: &Unit<'d>,
    entry: &Entry<'d>,
    attribute: DwAt,
) -> Result<DebugInfoOffset, DwarfError> {
    let value = entry.attr_value(attribute);
    value
        .and_then(|value| unit.reference(&value))
        .ok_or_else(|| not_go(place, format!("no reference to a type ({attribute})")))
}

fn type_at<'d>(
    place: DebugInfoOffset,
    unit: &Unit<'d>,
    entry: &Entry<'d>,
    attribute: DwAt,
) -> Result<TypeId, DwarfError> {
    Ok(TypeId::Dwarf(target(place, unit, entry, attribute)?.0))
}
