//! The one pass over .debug_info that finds the wanted names.
//!
//! Decides: which entries are worth an address: functions and types at the top of a Go unit, by name.
//! Trusts: nothing.
//! Never does: build a type. That is done when somebody asks for it (`super::types`).

use std::collections::HashMap;

use gimli::{AttributeValue, DebugAddrBase, DebugInfoOffset, EntriesRaw, constants as dw};

use crate::address::Va;
use crate::rules::pattern::without_type_arguments;
use crate::types::TypeId;

use super::{Body, DwarfError, Reader, TypeInfo, Unit, Wanted};

pub(super) fn read<'d>(
    mut dwarf: gimli::Dwarf<Reader<'d>>,
    wanted: &Wanted<'_>,
    runtime_types: Va,
) -> Result<TypeInfo<'d>, DwarfError> {
    // Every unit of Go's linker shares one abbreviation table.
    dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
    let mut info = TypeInfo {
        dwarf,
        units: Vec::new(),
        functions: HashMap::new(),
        instances: HashMap::new(),
        types: HashMap::new(),
        runtime_types,
    };
    let mut seen = Seen::default();
    let mut headers = info.dwarf.units();
    let mut offset = 0;
    while let Some(header) = headers.next().map_err(|source| DwarfError::Damaged { offset, source })? {
        let start = header.offset().0;
        offset = start;
        let damaged = |source| DwarfError::Damaged { offset, source };
        let abbreviations = info.dwarf.abbreviations(&header).map_err(damaged)?;
        let unit = Unit { header, abbreviations, start };
        if info.scan(&unit, wanted, &mut seen).map_err(damaged)? {
            info.units.push(unit);
        }
    }
    for (abstract_place, name) in seen.abstracts {
        let function = info.functions.entry(name).or_default();
        function.bodies.extend(seen.bodies.remove(&abstract_place).unwrap_or_default());
        function.is_abstract = true;
        function.inlined_copies += seen.copies.get(&abstract_place).copied().unwrap_or_default();
    }
    for (name, function) in info.functions.iter().filter(|(name, _)| name.contains('[')) {
        info.instances.extend(function.bodies.iter().filter_map(|body| Some((body.start?, *name))));
    }
    Ok(info)
}

/// What a function that was inlined somewhere leaves in DWARF: an abstract entry that has the name, and entries that refer
/// to it, before or behind: its own body, if it has one, and each copy.
#[derive(Debug, Default)]
struct Seen<'d> {
    /// Abstract entries of wanted functions.
    abstracts: Vec<(DebugInfoOffset, &'d str)>,
    /// Bodies, by their abstract entry.
    bodies: HashMap<DebugInfoOffset, Vec<Body>>,
    /// Number of copies, by their abstract entry.
    copies: HashMap<DebugInfoOffset, u32>,
}

impl<'d> TypeInfo<'d> {
    /// Looks through one unit; false when it is not Go's.
    fn scan(&mut self, unit: &Unit<'d>, wanted: &Wanted<'_>, seen: &mut Seen<'d>) -> gimli::Result<bool> {
        let mut entries = unit.header.entries_raw(&unit.abbreviations, None)?;
        let mut values = Vec::new();
        let mut addresses = DebugAddrBase(0);
        while !entries.is_empty() {
            let depth = entries.next_depth();
            let offset = entries.next_offset();
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            let attributes = abbreviation.attributes();
            match abbreviation.tag() {
                dw::DW_TAG_compile_unit => {
                    entries.read_attributes(attributes, &mut values)?;
                    for value in &values {
                        match value.value() {
                            AttributeValue::Language(language) if language != dw::DW_LANG_Go => return Ok(false),
                            AttributeValue::DebugAddrBase(base) => addresses = base,
                            _ => {}
                        }
                    }
                }
                dw::DW_TAG_inlined_subroutine => {
                    let origin = find_attribute(&mut entries, attributes, dw::DW_AT_abstract_origin)?;
                    if let Some(origin) = origin.and_then(|origin| unit.reference(&origin)) {
                        *seen.copies.entry(origin).or_default() += 1;
                    }
                }
                dw::DW_TAG_subprogram if depth == 1 => {
                    entries.read_attributes(attributes, &mut values)?;
                    let value = |name| values.iter().find(|value| value.name() == name).map(gimli::Attribute::value);
                    let place = DebugInfoOffset(unit.start + offset.0);
                    let start = match value(dw::DW_AT_low_pc) {
                        Some(AttributeValue::Addr(start)) => Some(Va(start)),
                        Some(AttributeValue::DebugAddrIndex(index)) => {
                            let size = unit.header.encoding().address_size;
                            self.dwarf.debug_addr.get_address(size, addresses, index).ok().map(Va)
                        }
                        _ => None,
                    };
                    let body = Body { place, start };
                    if let Some(origin) = value(dw::DW_AT_abstract_origin).and_then(|origin| unit.reference(&origin)) {
                        seen.bodies.entry(origin).or_default().push(body);
                    } else if let Some(name) = self.name(value(dw::DW_AT_name))?
                        && wanted.functions.contains(&*without_type_arguments(name))
                    {
                        if value(dw::DW_AT_inline).is_some() {
                            seen.abstracts.push((place, name));
                        } else {
                            self.functions.entry(name).or_default().bodies.push(body);
                        }
                    }
                }
                dw::DW_TAG_base_type
                | dw::DW_TAG_structure_type
                | dw::DW_TAG_pointer_type
                | dw::DW_TAG_array_type
                | dw::DW_TAG_subroutine_type
                | dw::DW_TAG_typedef
                    if depth == 1 =>
                {
                    let name = find_attribute(&mut entries, attributes, dw::DW_AT_name)?;
                    if let Some(name) = self.name(name)?.filter(|name| wanted.types.contains(name)) {
                        // A struct and the typedef that names it share their name; either will do.
                        self.types.entry(name).or_insert(TypeId::Dwarf(unit.start + offset.0));
                    }
                }
                _ => entries.skip_attributes(attributes)?,
            }
        }
        Ok(true)
    }

    /// The text of a name; `None` when it is absent or not UTF-8, which no name of Go's is.
    pub(super) fn name(&self, value: Option<AttributeValue<Reader<'d>>>) -> gimli::Result<Option<&'d str>> {
        let text = match value {
            Some(AttributeValue::String(text)) => text,
            Some(AttributeValue::DebugStrRef(offset)) => self.dwarf.string(offset)?,
            Some(AttributeValue::DebugLineStrRef(offset)) => self.dwarf.line_string(offset)?,
            _ => return Ok(None),
        };
        Ok(std::str::from_utf8(text.slice()).ok())
    }
}

impl<'d> Unit<'d> {
    /// Where a reference points to, in this unit or across.
    pub(super) fn reference(&self, value: &AttributeValue<Reader<'d>>) -> Option<DebugInfoOffset> {
        match value {
            AttributeValue::UnitRef(offset) => Some(DebugInfoOffset(self.start.checked_add(offset.0)?)),
            AttributeValue::DebugInfoRef(offset) => Some(*offset),
            _ => None,
        }
    }
}

/// Reads an entry's attributes for the sake of one.
fn find_attribute<'d>(
    entries: &mut EntriesRaw<'_, Reader<'d>>,
    attributes: &[gimli::AttributeSpecification],
    wanted: gimli::DwAt,
) -> gimli::Result<Option<AttributeValue<Reader<'d>>>> {
    let mut found = None;
    let mut rest = attributes;
    while let Some((specification, others)) = rest.split_first() {
        let attribute = entries.read_attribute_inline(*specification)?;
        rest = others;
        if attribute.name() == wanted {
            found = Some(attribute.value());
            break;
        }
    }
    entries.skip_attributes(rest)?;
    Ok(found)
}
