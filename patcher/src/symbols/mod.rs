//! What debuggers and profilers read about the emitted code: symbols, and in [`frames`] how to find
//! the caller.
//!
//! Decides: the names, and the bytes of a symbol table with the input's symbols and the new ones.
//! Trusts: [`Elf`], which has checked the input's table.
//! Never does: change a symbol of the input. New ones are local and come after its local ones, as
//! ELF requires.

use std::collections::{BTreeMap, HashMap};

use gopatch_protocol::manifest::{At, Function, Point, Site};
use object::LittleEndian as LE;
use object::elf::{self, Sym64};
use object::endian::{U16, U32, U64};
use object::pod;

use crate::elf::{Elf, Section};

pub mod frames;

/// Size of an ELF-64 symbol.
pub const SYMBOL: usize = size_of::<Sym64<LE>>();

/// A symbol of the emitted code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSymbol {
    /// Name, such as `net/http.(*conn).serve.gopatch.exit`.
    pub name: String,
    /// Address.
    pub va: u64,
    /// Bytes, with the padding after it.
    pub size: u64,
}

/// A symbol table and its names.
pub(crate) struct Tables {
    pub(crate) symbols: Vec<u8>,
    pub(crate) names: Vec<u8>,
    /// Number of local symbols, which come first.
    pub(crate) locals: u32,
}

/// The input's symbol table.
pub(crate) fn table_of<'e, 'a>(elf: &'e Elf<'a>) -> Option<&'e Section<'a>> {
    elf.sections().iter().find(|section| section.kind == elf::SHT_SYMTAB)
}

/// Names the stub, the tick and each thunk; `bodies` is the code that the returns of a point share.
/// The second thunk of a name has a number after it. The code ends at `end`.
pub(crate) fn code_symbols(
    (functions, points, sites): (&[Function], &[Point], &[Site]),
    bodies: impl Iterator<Item = (u32, u64)>,
    stub: u64,
    end: u64,
) -> Vec<CodeSymbol> {
    let name = |point: u32, what: &str| {
        let point = &points[point as usize];
        let at = if point.at == At::Enter { "enter" } else { "exit" };
        format!("{}.gopatch.{at}{what}", functions[point.function as usize].name)
    };
    let mut starts = BTreeMap::from([(stub, "gopatch.start".to_owned())]);
    starts.extend(bodies.map(|(point, va)| (va, name(point, ".body"))));
    let mut known: HashMap<String, u32> = HashMap::new();
    for site in sites {
        if starts.contains_key(&site.thunk) {
            continue;
        }
        let skipped = site.skips.and_then(|function| functions.get(function as usize));
        let name = match site.point {
            Some(point) => name(point, ""),
            None if let Some(function) = skipped => format!("{}.gopatch.skip", function.name),
            // The first belongs to the runtime's tick; the others only make room.
            None if known.contains_key("gopatch.tick") => "gopatch.moved".to_owned(),
            None => "gopatch.tick".to_owned(),
        };
        let count = known.entry(name.clone()).or_default();
        *count += 1;
        starts.insert(site.thunk, if *count == 1 { name } else { format!("{name}.{count}") });
    }
    let ends: Vec<_> = starts.keys().copied().skip(1).chain([end]).collect();
    starts.into_iter().zip(ends).map(|((va, name), end)| CodeSymbol { name, va, size: end - va }).collect()
}

/// The table of the input's symbols, if it has any, and the added ones, which are in section number
/// `section`.
pub(crate) fn tables(elf: &Elf<'_>, added: &[CodeSymbol], section: u16) -> Tables {
    let old = table_of(elf).and_then(|table| Some((table, elf.sections().get(table.link as usize)?)));
    let (old_symbols, mut names, old_locals) = match old {
        Some((table, names)) => (elf.raw_data(table), elf.raw_data(names).to_vec(), table.info as usize),
        // Every table begins with a null symbol, and its names with an empty one.
        None => (&[0; SYMBOL][..], vec![0], 1),
    };
    let (locals, others) = old_symbols.split_at((old_locals * SYMBOL).min(old_symbols.len()));
    let mut symbols = locals.to_vec();
    for symbol in added {
        let entry = Sym64::<LE> {
            st_name: U32::new(LE, names.len() as u32),
            st_info: elf::SymbolInfo((elf::STB_LOCAL.0 << 4) | elf::STT_FUNC.0),
            st_other: elf::SymbolOther(0),
            st_shndx: U16::new(LE, elf::SymbolSection(section)),
            st_value: U64::new(LE, symbol.va),
            st_size: U64::new(LE, symbol.size),
        };
        symbols.extend_from_slice(pod::bytes_of(&entry));
        names.extend_from_slice(symbol.name.as_bytes());
        names.push(0);
    }
    symbols.extend_from_slice(others);
    Tables { symbols, names, locals: (locals.len() / SYMBOL + added.len()) as u32 }
}
