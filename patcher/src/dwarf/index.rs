//! Finds the wanted names in .debug_info, in the units that mention them (`super::mentions`). Each
//! unit is read once.
//!
//! Decides: which entries to remember: functions and types at the top of a Go unit, by name.
//! Trusts: nothing. Never does: build a type. `super::types` does that on request.

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::thread;

use foldhash::fast::FixedState;
use gimli::{AttributeValue, DebugAddrBase, DebugInfoOffset, EntriesRaw, Section, constants as dw};

use crate::address::Va;
use crate::golang::symbol::without_type_arguments;
use crate::types::TypeId;

use super::mentions::Mentions;
use super::{DwarfError, Reader, Subprogram, SubprogramBody, TypeInfo, Unit, WantedNames};

/// Below this many bytes of .debug_info a thread costs more than it saves.
const WORTH_A_THREAD: usize = 1 << 20;
/// More threads than this only wait for memory.
const MOST_THREADS: usize = 4;

pub(super) fn read<'d>(
    mut dwarf: gimli::Dwarf<Reader<'d>>,
    wanted: &WantedNames<'_>,
    runtime_types: Va,
) -> Result<TypeInfo<'d>, DwarfError> {
    // All units of Go's linker share one abbreviation table.
    dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
    let names = Names::new(wanted);
    let units = units(&dwarf)?;
    // Other linkers than Go's move names into sections of their own; then a unit's bytes do not
    // show its names.
    let are_inline = dwarf.debug_str.reader().is_empty() && dwarf.debug_line_str.reader().is_empty();
    let by_name = Mentions::to_names(wanted).filter(|_| are_inline);
    let may_have = |mentions: &Option<Mentions>, unit: &Unit<'d>| {
        mentions.as_ref().is_none_or(|mentions| mentions.are_in(unit.bytes(&dwarf)))
    };
    let (named, others): (Vec<_>, Vec<_>) = units.iter().partition(|unit| may_have(&by_name, unit));
    let mut seen = Seen::scan_all(&dwarf, &names, &named)?;
    if !seen.abstracts.is_empty() {
        let by_place = Mentions::to_places(seen.abstracts.iter().map(|(place, _)| *place));
        let others: Vec<_> = others.into_iter().filter(|unit| may_have(&by_place, unit)).collect();
        seen.add(Seen::scan_all(&dwarf, &names, &others)?);
        seen.copies.sort_by_key(|(_, into)| into.0);
    }

    let mut functions = seen.functions;
    for (abstract_place, name) in seen.abstracts {
        let function = functions.entry(name).or_default();
        function.bodies.extend(seen.bodies.remove(&abstract_place).unwrap_or_default());
        let copies = seen.copies.iter().filter(|(origin, _)| *origin == abstract_place);
        function.inlined_into.extend(copies.map(|(_, into)| *into));
        function.is_abstract = true;
    }
    let generic = functions.iter().filter(|(name, _)| name.contains('['));
    let instances = generic
        .flat_map(|(name, function)| function.bodies.iter().filter_map(|body| Some((body.start?, *name))))
        .collect();
    Ok(TypeInfo { dwarf, units, functions, instances, types: seen.types, runtime_types })
}

/// Go's units.
fn units<'d>(dwarf: &gimli::Dwarf<Reader<'d>>) -> Result<Vec<Unit<'d>>, DwarfError> {
    let mut units = Vec::new();
    let mut headers = dwarf.units();
    let mut offset = 0;
    while let Some(header) = headers.next().map_err(|source| DwarfError::Damaged { offset, source })? {
        offset = header.offset().0;
        units.extend(go_unit(dwarf, header).map_err(|source| DwarfError::Damaged { offset, source })?);
    }
    Ok(units)
}

/// A unit, unless its first entry names another language.
fn go_unit<'d>(
    dwarf: &gimli::Dwarf<Reader<'d>>,
    header: gimli::UnitHeader<Reader<'d>>,
) -> gimli::Result<Option<Unit<'d>>> {
    let abbreviations = dwarf.abbreviations(&header)?;
    let mut unit = Unit { header, abbreviations, start: header.offset().0, addresses: DebugAddrBase(0) };
    let mut entries = header.entries_raw(&unit.abbreviations, None)?;
    let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(Some(unit)) };
    if abbreviation.tag() == dw::DW_TAG_compile_unit {
        let mut values = Vec::new();
        entries.read_attributes(abbreviation.attributes(), &mut values)?;
        for value in &values {
            match value.value() {
                AttributeValue::Language(language) if language != dw::DW_LANG_Go => return Ok(None),
                AttributeValue::DebugAddrBase(base) => unit.addresses = base,
                _ => {}
            }
        }
    }
    Ok(Some(unit))
}

/// The wanted names, sorted, so that a name that is not among them is rejected after few
/// comparisons.
struct Names<'w> {
    functions: Vec<&'w [u8]>,
    types: Vec<&'w [u8]>,
}

impl<'w> Names<'w> {
    fn new(wanted: &WantedNames<'w>) -> Self {
        let sorted = |names: &HashSet<&'w str>| {
            let mut names: Vec<_> = names.iter().map(|name| name.as_bytes()).collect();
            names.sort_unstable();
            names
        };
        Self { functions: sorted(&wanted.functions), types: sorted(&wanted.types) }
    }

    /// Whether a function is wanted, or is an instance of a wanted one.
    fn has_function(&self, name: &Reader<'_>) -> bool {
        let has = |name: &[u8]| self.functions.binary_search(&name).is_ok();
        let is_instance = || {
            let name = std::str::from_utf8(name.slice()).ok().filter(|name| name.contains('['))?;
            Some(has(without_type_arguments(name).as_bytes()))
        };
        has(name.slice()) || is_instance() == Some(true)
    }
}

/// What was found in some units.
///
/// An inlined function has an abstract entry with the name. Other entries refer to that one, before
/// or after it, in any unit: its own body, if it has one, and each copy.
#[derive(Debug, Default)]
struct Seen<'d> {
    /// Wanted functions that were not inlined.
    functions: HashMap<&'d str, Subprogram>,
    /// Wanted types.
    types: HashMap<&'d str, TypeId>,
    /// Abstract entries of wanted functions.
    abstracts: Vec<(DebugInfoOffset, &'d str)>,
    /// Bodies, by their abstract entry.
    bodies: HashMap<DebugInfoOffset, Vec<SubprogramBody>, FixedState>,
    /// Every copy: its abstract entry, and the function that holds it.
    copies: Vec<(DebugInfoOffset, DebugInfoOffset)>,
}

impl<'d> Seen<'d> {
    /// Scans units, which are in the order of .debug_info.
    fn scan_all(dwarf: &gimli::Dwarf<Reader<'d>>, names: &Names<'_>, units: &[&Unit<'d>]) -> Result<Self, DwarfError> {
        let bytes: usize = units.iter().map(|unit| unit.bytes(dwarf).len()).sum();
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
        let threads = threads.min(bytes / WORTH_A_THREAD).max(1);
        // Each thread gets neighbours, so the findings stay in the order of .debug_info.
        let mut passed = 0;
        let mut parts: Vec<Vec<&Unit<'d>>> = vec![Vec::new(); threads];
        for unit in units {
            parts[(passed * threads / bytes.max(1)).min(threads - 1)].push(unit);
            passed += unit.bytes(dwarf).len();
        }
        let (first, later) = parts.split_first().expect("there is at least one thread");
        thread::scope(|scope| {
            let scan = |part| scope.spawn(move || Self::scan_part(dwarf, names, part));
            let running: Vec<_> = later.iter().map(Vec::as_slice).map(scan).collect();
            let mut seen = Self::scan_part(dwarf, names, first)?;
            for part in running {
                seen.add(part.join().expect("the scan does not panic")?);
            }
            Ok(seen)
        })
    }

    fn scan_part(dwarf: &gimli::Dwarf<Reader<'d>>, names: &Names<'_>, units: &[&Unit<'d>]) -> Result<Self, DwarfError> {
        let mut seen = Self::default();
        for unit in units {
            seen.scan(dwarf, names, unit).map_err(|source| DwarfError::Damaged { offset: unit.start, source })?;
        }
        Ok(seen)
    }

    /// Adds the findings of later units.
    fn add(&mut self, later: Self) {
        for (name, function) in later.functions {
            self.functions.entry(name).or_default().bodies.extend(function.bodies);
        }
        for (name, id) in later.types {
            self.types.entry(name).or_insert(id);
        }
        self.abstracts.extend(later.abstracts);
        for (origin, bodies) in later.bodies {
            self.bodies.entry(origin).or_default().extend(bodies);
        }
        self.copies.extend(later.copies);
    }

    /// Scans one unit.
    fn scan(&mut self, dwarf: &gimli::Dwarf<Reader<'d>>, names: &Names<'_>, unit: &Unit<'d>) -> gimli::Result<()> {
        let mut entries = unit.header.entries_raw(&unit.abbreviations, None)?;
        let mut values = Vec::new();
        let mut function = DebugInfoOffset(unit.start);
        while !entries.is_empty() {
            let depth = entries.next_depth();
            let offset = entries.next_offset();
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            let attributes = abbreviation.attributes();
            match abbreviation.tag() {
                dw::DW_TAG_inlined_subroutine => {
                    let origin = find_attribute(&mut entries, attributes, dw::DW_AT_abstract_origin)?;
                    if let Some(origin) = origin.and_then(|origin| unit.reference(&origin)) {
                        self.copies.push((origin, function));
                    }
                }
                dw::DW_TAG_subprogram if depth == 1 => {
                    function = DebugInfoOffset(unit.start + offset.0);
                    // Go's functions have a name or an origin, as the first attribute.
                    let is_either = |name| name == dw::DW_AT_name || name == dw::DW_AT_abstract_origin;
                    let (found, rest) = first_attribute(&mut entries, attributes, is_either)?;
                    let origin = found.as_ref().and_then(|value| unit.reference(value));
                    let name = text(dwarf, found)?.filter(|name| names.has_function(name));
                    let name = name.and_then(|name| std::str::from_utf8(name.slice()).ok());
                    if name.is_none() && origin.is_none() {
                        entries.skip_attributes(rest)?;
                        continue;
                    }
                    entries.read_attributes(rest, &mut values)?;
                    let value = |name| values.iter().find(|value| value.name() == name).map(gimli::Attribute::value);
                    let place = function;
                    let start = match value(dw::DW_AT_low_pc) {
                        Some(AttributeValue::Addr(start)) => Some(Va(start)),
                        Some(AttributeValue::DebugAddrIndex(index)) => {
                            let size = unit.header.encoding().address_size;
                            dwarf.debug_addr.get_address(size, unit.addresses, index).ok().map(Va)
                        }
                        _ => None,
                    };
                    let body = SubprogramBody { place, start };
                    if let Some(origin) = origin {
                        self.bodies.entry(origin).or_default().push(body);
                    } else if let Some(name) = name {
                        if value(dw::DW_AT_inline).is_some() {
                            self.abstracts.push((place, name));
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
                    let name = text(dwarf, name)?.filter(|name| names.types.binary_search(&name.slice()).is_ok());
                    if let Some(name) = name.and_then(|name| std::str::from_utf8(name.slice()).ok()) {
                        // A struct and its typedef have the same name; either will do.
                        self.types.entry(name).or_insert(TypeId::Dwarf(unit.start + offset.0));
                    }
                }
                _ => entries.skip_attributes(attributes)?,
            }
        }
        Ok(())
    }
}

impl<'d> TypeInfo<'d> {
    /// The text of a name; `None` when it is absent or not UTF-8, as every name of Go's is.
    pub(super) fn name(&self, value: Option<AttributeValue<Reader<'d>>>) -> gimli::Result<Option<&'d str>> {
        Ok(text(&self.dwarf, value)?.and_then(|text| std::str::from_utf8(text.slice()).ok()))
    }
}

fn text<'d>(
    dwarf: &gimli::Dwarf<Reader<'d>>,
    value: Option<AttributeValue<Reader<'d>>>,
) -> gimli::Result<Option<Reader<'d>>> {
    Ok(match value {
        Some(AttributeValue::String(text)) => Some(text),
        Some(AttributeValue::DebugStrRef(offset)) => Some(dwarf.string(offset)?),
        Some(AttributeValue::DebugLineStrRef(offset)) => Some(dwarf.line_string(offset)?),
        _ => None,
    })
}

impl<'d> Unit<'d> {
    /// The unit's bytes, with its header.
    fn bytes(&self, dwarf: &gimli::Dwarf<Reader<'d>>) -> &'d [u8] {
        let rest = dwarf.debug_info.reader().slice().get(self.start..).unwrap_or_default();
        &rest[..self.header.length_including_self().min(rest.len())]
    }

    /// The target of a reference, in this or another unit.
    pub(super) fn reference(&self, value: &AttributeValue<Reader<'d>>) -> Option<DebugInfoOffset> {
        match value {
            AttributeValue::UnitRef(offset) => Some(DebugInfoOffset(self.start.checked_add(offset.0)?)),
            AttributeValue::DebugInfoRef(offset) => Some(*offset),
            _ => None,
        }
    }
}

/// Reads one of an entry's attributes, and skips the others.
fn find_attribute<'d>(
    entries: &mut EntriesRaw<'_, Reader<'d>>,
    attributes: &[gimli::AttributeSpecification],
    wanted: gimli::DwAt,
) -> gimli::Result<Option<AttributeValue<Reader<'d>>>> {
    let (found, rest) = first_attribute(entries, attributes, |name| name == wanted)?;
    entries.skip_attributes(rest)?;
    Ok(found)
}

/// Reads the first wanted attribute of an entry, and returns the attributes after it.
fn first_attribute<'d, 's>(
    entries: &mut EntriesRaw<'_, Reader<'d>>,
    attributes: &'s [gimli::AttributeSpecification],
    is_wanted: impl Fn(gimli::DwAt) -> bool,
) -> gimli::Result<(Option<AttributeValue<Reader<'d>>>, &'s [gimli::AttributeSpecification])> {
    let Some(at) = attributes.iter().position(|attribute| is_wanted(attribute.name())) else {
        return Ok((None, attributes));
    };
    entries.skip_attributes(&attributes[..at])?;
    let value = entries.read_attribute_inline(attributes[at])?.value();
    Ok((Some(value), &attributes[at + 1..]))
}
