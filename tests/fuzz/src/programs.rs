//! Go programs of the corpus, and inputs that are lists of edits of them.
//!
//! A whole program would be a slow and large input, of which hardly a byte matters. So an input
//! names a program by its first byte. Then come edits of [`EDIT`] bytes: a part of the program, what
//! to do there, an offset in the part, and a value. An input that shows a fault with one Go version
//! shows it, in most cases, with the next one too.

use std::fs;
use std::ops::Range;
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result};
use gopatch::elf::Elf;
use gopatch::golang::GoBinary;
use gopatch::patch::{self, Options};
use gopatch::rules::Source;
use gopatch::verify;
use object::LittleEndian as LE;
use xtask::corpus;

/// Bytes of an edit: part, operation, `u32` offset, `u64` value.
const EDIT: usize = 14;

/// Most edits of an input.
const MOST_EDITS: usize = 16;

/// The programs: with and without DWARF, with DWARF 4 and 5, in each format of pclntab, moduledata
/// and run-time types that gopatch knows, at fixed addresses and not.
const PROGRAMS: [(&str, &str, &str); 7] = [
    ("matrix", "1.27.4", "dwarf-uncompressed"),
    ("matrix", "1.27.4", "stripped"),
    ("matrix", "1.18.10", "stripped"),
    ("matrix", "1.24.13", "default"),
    ("matrix", "1.26.11", "stripped"),
    ("matrix", "1.27.4", "pie"),
    ("matrix", "1.19", "pie"),
];

/// A program, and the copy that is edited.
struct Program {
    original: Vec<u8>,
    edited: Mutex<Vec<u8>>,
    parts: Vec<(Part, Range<usize>)>,
}

/// What a part of a program belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Headers, relocations, symbols.
    Elf,
    /// The function table.
    Pclntab,
    /// `runtime.firstmoduledata` and the build info.
    ModuleData,
    /// The .debug sections.
    Dwarf,
    /// Run-time types.
    Types,
    /// Machine code.
    Text,
    /// Headers and what gopatch has appended to a patched program.
    Output,
}

/// Rules for patched programs.
pub(crate) const RULES: &str =
    "rules: [{ name: all, import: main, function: '*', partial: true, enter: {}, exit: {} }]\n";

static BUILT: LazyLock<Vec<Program>> = LazyLock::new(|| {
    let built = files().map(|file| Program::new(file?));
    built.collect::<Result<_>>().expect("the programs of the corpus can be built and read")
});

static PATCHED: LazyLock<Vec<Program>> = LazyLock::new(|| {
    let patched = files().map(|file| Program::patched(&file?));
    patched.collect::<Result<_>>().expect("the programs of the corpus can be patched")
});

fn files() -> impl Iterator<Item = Result<Vec<u8>>> {
    PROGRAMS.iter().map(|(program, go, mode)| {
        let path = corpus::build(program, go, mode)?;
        fs::read(&path).with_context(|| path.display().to_string())
    })
}

/// Patches a program.
pub(crate) fn patched(file: &[u8], rules: &str) -> Result<Vec<u8>> {
    let rules = Source { name: "rules".to_owned(), text: rules.to_owned() };
    Ok(patch::patch(file, &Options::new(vec![Source::default_rules(), rules]))?.output.to_vec())
}

impl Program {
    fn new(original: Vec<u8>) -> Result<Self> {
        let elf = Elf::parse(&original)?;
        let relocations = elf.relative_relocations()?;
        let go = GoBinary::read(&elf, &relocations)?;
        let header = elf.header();
        let at = |start: u64, size: u64| start as usize..((start + size) as usize).min(original.len());
        let mut parts = vec![
            (Part::Elf, at(0, 64)),
            (Part::Elf, at(header.e_phoff.get(LE), 56 * u64::from(header.e_phnum.get(LE)))),
            (Part::Elf, at(header.e_shoff.get(LE), 64 * u64::from(header.e_shnum.get(LE)))),
        ];
        for section in elf.sections().iter().filter(|section| section.offset.0 > 0) {
            let part = match section.name {
                ".gopclntab" | ".data.rel.ro.gopclntab" => Part::Pclntab,
                ".go.buildinfo" | ".go.module" => Part::ModuleData,
                ".typelink" | ".data.rel.ro.typelink" | ".go.type" => Part::Types,
                ".shstrtab" | ".symtab" | ".strtab" | ".dynamic" | ".dynsym" | ".rela" | ".rela.dyn" => Part::Elf,
                name if name.starts_with(".note") => Part::Elf,
                ".debug_abbrev" | ".debug_addr" | ".debug_info" | ".debug_str" | ".debug_line_str" => Part::Dwarf,
                ".text" => Part::Text,
                _ => continue,
            };
            parts.push((part, at(section.offset.0, section.size)));
            // The first bytes of a table say how to read the others.
            parts.push((part, at(section.offset.0, section.size.min(128))));
        }
        let data = &go.module_data;
        for (part, va, size) in [
            (Part::ModuleData, data.va, 0x240),
            (Part::Types, data.types, data.end_types.offset_from(data.types).unwrap_or_default()),
            (Part::Types, data.types, 0x1000),
        ] {
            let offset = elf.offset_of(va).context("no such address")?;
            parts.push((part, at(offset.0, size)));
        }
        parts.retain(|(_, range)| !range.is_empty());
        Ok(Self { edited: Mutex::new(original.clone()), original, parts })
    }

    fn patched(original: &[u8]) -> Result<Self> {
        let output = patched(original, RULES)?;
        let code = verify::verify(&output, Some(original))?.code;
        let code = code.offset as usize..(code.offset + code.size) as usize;
        // The section headers come last.
        let ranges = [0..64, 64..0x400, code.clone(), code.end..output.len(), output.len() - 0x1000..output.len()];
        let parts = ranges.into_iter().map(|range| (Part::Output, range)).collect();
        Ok(Self { edited: Mutex::new(output.clone()), original: output, parts })
    }
}

/// Gives `read` the program that an input describes, with edits of these parts.
pub(crate) fn edited(input: &[u8], parts: &[Part], read: impl FnOnce(&[u8])) {
    let programs = if parts == [Part::Output] { &*PATCHED } else { &*BUILT };
    let Some((which, edits)) = input.split_first() else { return };
    let program = &programs[usize::from(*which) % programs.len()];
    let mut file = program.edited.lock().unwrap_or_else(PoisonError::into_inner);
    let ranges: Vec<_> =
        program.parts.iter().filter(|(part, _)| parts.contains(part)).map(|(_, range)| range).collect();
    let mut size = file.len();
    let mut changed = Vec::new();
    for edit in edits.as_chunks::<EDIT>().0.iter().take(MOST_EDITS) {
        // A program without such a part stays as it is.
        if ranges.is_empty() {
            break;
        }
        let [part, how, offset @ .., v0, v1, v2, v3, v4, v5, v6, v7] = *edit;
        let value = u64::from_le_bytes([v0, v1, v2, v3, v4, v5, v6, v7]);
        let range = ranges[usize::from(part) % ranges.len()];
        let at = range.start + u32::from_le_bytes(offset) as usize % range.len();
        if how == 0xff {
            size = at;
            continue;
        }
        let width = (1 << (how & 3)).min(file.len() - at);
        let mut word = [0; 8];
        word[..width].copy_from_slice(&file[at..at + width]);
        let old = u64::from_le_bytes(word);
        let new = match how >> 2 & 3 {
            0 => value,
            1 => old.wrapping_add(value),
            2 => old ^ value,
            _ => 1u64.rotate_left(value as u32) ^ old,
        };
        file[at..at + width].copy_from_slice(&new.to_le_bytes()[..width]);
        changed.push(at..at + width);
    }
    read(&file[..size]);
    for range in changed {
        file[range.clone()].copy_from_slice(&program.original[range]);
    }
}

/// Every program, unchanged and with a small change of each of its first parts.
pub(crate) fn seeds() -> Result<Vec<Vec<u8>>> {
    let programs = 0..PROGRAMS.len() as u8;
    let edit = |program: u8, part: u8| {
        let mut input = vec![program, part, 4];
        input.extend((u32::from(part) * 8).to_le_bytes());
        input.extend(1u64.to_le_bytes());
        input
    };
    Ok(programs
        .flat_map(|program| std::iter::once(vec![program]).chain((0..8).map(move |part| edit(program, part))))
        .collect())
}
