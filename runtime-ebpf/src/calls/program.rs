//! The manifest of a patched executable, as gopatchd uses it.
//!
//! Decides: where the manifest is, that it is the one the process runs with, and what the records
//! of each point mean.
//! Trusts: nothing. The file comes from the process: it may not be an ELF file, lie about its
//! sections, or be a device.
//! Never does: map the file (a process that truncates it could kill gopatchd), or read more than
//! the section headers and the manifest.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use gopatch_protocol::manifest::{At, Kind, Manifest, ManifestError, SECTION};
use gopatch_protocol::manifest::{Capture, Function, Input};
use gopatch_protocol::naming::Template;
use object::elf::FileHeader64;
use object::read::ReadCache;
use object::read::elf::{FileHeader, SectionHeader};
use object::{Endianness, SectionIndex};
use sha2::{Digest, Sha256};

use super::attributes::{self, Shape};
use super::convention::Convention;

/// Largest manifest that is read. A hooked function takes about 570 bytes; Caddy with every
/// function hooked takes 24 MB, for which gopatchd needs 110 MB of memory.
const MAX_MANIFEST_BYTES: u64 = 64 << 20;

/// Most sections that are searched. The name of each takes up to 4 kB of memory meanwhile.
const MAX_SECTIONS: usize = 4096;

/// Why an executable cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    #[error("its executable cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("its executable is not a regular file")]
    NotAFile,
    #[error("its executable is not a valid ELF file: {0}")]
    Elf(#[from] object::Error),
    #[error("its executable has no section {SECTION}: it was not patched, or was stripped afterwards")]
    NoManifest,
    #[error("its manifest has {0} bytes, more than gopatchd reads")]
    TooLarge(u64),
    #[error("the manifest in its executable is not the one it runs with: was the file replaced?")]
    OtherManifest,
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// What a record at a point stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// One end of a call that has two.
    Half(At),
    /// A whole operation: its function has only this end.
    Whole,
    /// The exit of a boundary.
    Boundary,
    /// The end of a call of another function around it.
    OtherEnd,
    /// Nothing: the entry of a boundary, or a carrier.
    Nothing,
}

/// What the call of a function means for calls around it. Rules are given by their indices: a rule
/// may have any number of functions, and any number of functions may name it.
#[derive(Debug, Default)]
struct Others {
    rule: u32,
    /// The nearest call of one of these rules ends with it.
    ends: Box<[u32]>,
    /// The nearest call of one of these rules is no operation.
    instead_of: Box<[u32]>,
    /// Whether another function ends its own calls.
    is_ended: bool,
}

/// A rule, and how many functions it hooks.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) functions: usize,
}

/// What is needed for each record of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    /// Its index.
    pub(crate) function: u32,
    pub(crate) role: Role,
    pub(crate) shape: Shape,
    /// Whether its record ends with a trace context.
    pub(crate) context: bool,
}

/// A patched executable.
#[derive(Debug)]
pub(crate) struct Program {
    manifest: Manifest,
    points: Vec<Point>,
    conventions: Vec<Convention>,
    /// How the operations of each function are named.
    templates: Vec<Template>,
    /// Whether an operation of each function may get an attribute from more than one capture.
    repeats: Vec<bool>,
    others: Vec<Others>,
    /// By name.
    rules: Vec<Rule>,
    /// The points of each function.
    points_of: Vec<Vec<u32>>,
}

impl Program {
    /// Reads the manifest of an executable, and checks that it is the one with `id`.
    pub(crate) fn read(file: File, id: [u8; 16]) -> Result<Self, ProgramError> {
        if !file.metadata()?.is_file() {
            return Err(ProgramError::NotAFile);
        }
        let json = section(file)?;
        if Sha256::digest(&json)[..16] != id {
            return Err(ProgramError::OtherManifest);
        }
        Ok(Self::new(Manifest::parse(&json)?))
    }

    /// Prepares a manifest, in a time linear in its size.
    pub(crate) fn new(manifest: Manifest) -> Self {
        let ends: HashSet<_> = manifest.points.iter().map(|point| (point.function, point.at)).collect();
        let (rules, others) = others(&manifest.functions);
        let points = manifest.points.iter().map(|point| {
            let role = match (manifest.functions[point.function as usize].kind, point.at) {
                (Kind::Boundary, At::Enter) | (Kind::End, At::Exit) | (Kind::Carrier, _) => Role::Nothing,
                (Kind::Boundary, At::Exit) => Role::Boundary,
                (Kind::End, At::Enter) => Role::OtherEnd,
                (_, at) if others[point.function as usize].is_ended => Role::Half(at),
                (_, At::Enter) if !ends.contains(&(point.function, At::Exit)) => Role::Whole,
                (_, At::Exit) if !ends.contains(&(point.function, At::Enter)) => Role::Whole,
                (_, at) => Role::Half(at),
            };
            Point {
                function: point.function,
                role,
                shape: Shape::from_captures(&point.captures, point.context),
                context: point.context,
            }
        });
        let points = points.collect();
        let mut captured: Vec<Vec<&Capture>> = vec![Vec::new(); manifest.functions.len()];
        let mut points_of = vec![Vec::new(); manifest.functions.len()];
        for (index, point) in (0..).zip(&manifest.points) {
            captured[point.function as usize].extend(&point.captures);
            points_of[point.function as usize].push(index);
        }
        let functions = manifest.functions.iter().zip(&captured);
        let conventions = functions.map(|(function, captured)| {
            Convention::from_captures(function.kind, captured.iter().map(|capture| capture.attribute.as_str()))
        });
        let conventions = conventions.collect();
        let repeats = captured.iter().map(|captured| attributes::repeats(captured.iter().copied())).collect();
        let templates = manifest.functions.iter().map(|function| Template::read(&function.operation)).collect();
        Self { manifest, points, conventions, templates, repeats, others, rules, points_of }
    }

    /// The number of hooked functions.
    pub(crate) fn functions(&self) -> usize {
        self.manifest.functions.len()
    }

    /// A hooked function by its index, which must be valid.
    pub(crate) fn function(&self, index: usize) -> &Function {
        &self.manifest.functions[index]
    }

    /// The convention that the calls of a function follow.
    pub(crate) fn convention(&self, function: u32) -> Convention {
        self.conventions[function as usize]
    }

    /// How the operations of a function are named.
    pub(crate) fn template(&self, function: u32) -> &Template {
        &self.templates[function as usize]
    }

    /// Whether an operation of a function may get an attribute from more than one capture.
    pub(crate) fn repeats(&self, function: u32) -> bool {
        self.repeats[function as usize]
    }

    /// The rules of which the nearest call around a call of this function ends with it.
    pub(crate) fn ends(&self, function: u32) -> &[u32] {
        &self.others[function as usize].ends
    }

    /// The rules of which the nearest call around a call of this function is no operation.
    #[inline]
    pub(crate) fn instead_of(&self, function: u32) -> &[u32] {
        &self.others[function as usize].instead_of
    }

    /// The rule of a function, as its index in `rules`.
    pub(crate) fn rule_of(&self, function: u32) -> u32 {
        self.others[function as usize].rule
    }

    /// All rules, by name.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether the calls of a function end in another. A call that returns has been left by a panic
    /// before.
    #[inline]
    pub(crate) fn is_ended(&self, function: u32) -> bool {
        self.others[function as usize].is_ended
    }

    /// All captures of a function.
    pub(crate) fn captures_of(&self, function: usize) -> impl Iterator<Item = &Capture> {
        let points = self.points_of[function].iter().map(|point| &self.manifest.points[*point as usize]);
        points.flat_map(|point| &point.captures)
    }

    /// The file that was patched.
    pub(crate) fn input(&self) -> &Input {
        &self.manifest.input
    }

    /// A point by its index.
    #[inline]
    pub(crate) fn point(&self, index: u32) -> Option<&Point> {
        self.points.get(index as usize)
    }

    /// The captures of a point.
    pub(crate) fn captures(&self, point: u32) -> Option<&[Capture]> {
        Some(&self.manifest.points.get(point as usize)?.captures)
    }
}

/// The rules, and what the functions mean for each other's calls.
fn others(functions: &[Function]) -> (Vec<Rule>, Vec<Others>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for function in functions {
        *counts.entry(&function.rule).or_default() += 1;
    }
    let indices: HashMap<&str, u32> = counts.keys().copied().zip(0..).collect();
    let of_names = |names: &[String]| -> Box<[u32]> {
        names.iter().filter_map(|name| indices.get(name.as_str()).copied()).collect()
    };
    let ended: HashSet<_> = functions.iter().flat_map(|function| of_names(&function.ends)).collect();
    let others = functions.iter().map(|function| {
        let rule = indices[function.rule.as_str()];
        Others {
            rule,
            ends: of_names(&function.ends),
            instead_of: of_names(&function.instead_of),
            is_ended: ended.contains(&rule),
        }
    });
    let others = others.collect();
    let rules = counts.into_iter().map(|(name, functions)| Rule { name: name.to_owned(), functions });
    (rules.collect(), others)
}

/// The content of the section with the manifest.
fn section(file: File) -> Result<Vec<u8>, ProgramError> {
    let data = ReadCache::new(Positioned { file, position: 0 });
    let header = FileHeader64::<Endianness>::parse(&data)?;
    let endian = header.endian()?;
    if header.shnum(endian, &data)? as usize > MAX_SECTIONS {
        return Err(ProgramError::NoManifest);
    }
    let sections = header.sections(endian, &data)?;
    let (_, section): (SectionIndex, _) =
        sections.section_by_name(endian, SECTION.as_bytes()).ok_or(ProgramError::NoManifest)?;
    if section.sh_size(endian) > MAX_MANIFEST_BYTES {
        return Err(ProgramError::TooLarge(section.sh_size(endian)));
    }
    Ok(section.data(endian, &data)?.to_vec())
}

/// A file with its own position: the descriptor from the socket shares its position with the
/// sender.
struct Positioned {
    file: File,
    position: u64,
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read_at(buffer, self.position)?;
        self.position += bytes as u64;
        Ok(bytes)
    }
}

impl Seek for Positioned {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, offset) = match to {
            SeekFrom::Start(position) => (position, 0),
            SeekFrom::Current(offset) => (self.position, offset),
            SeekFrom::End(offset) => (self.file.metadata()?.len(), offset),
        };
        self.position = base.checked_add_signed(offset).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use gopatch_protocol::manifest::FORMAT;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    pub(crate) fn manifest(functions: &[Kind], points: &[(u32, At)]) -> Vec<u8> {
        let function = |kind| json!({"name": "main.f", "rule": "r", "kind": kind, "operation": "o", "va": 0x401000});
        let sha256 = "0".repeat(64);
        let manifest = json!({
            "format": FORMAT,
            "tool": "a test",
            "input": {"sha256": sha256, "size": 1, "go_version": "go1.27.4", "main_package": null, "main_version": null},
            "rules_sha256": sha256,
            "code": {"va": 0, "offset": 0, "size": 0, "id_offset": 0, "sha256": sha256, "stub": 0},
            "functions": functions.iter().map(function).collect::<Vec<_>>(),
            "points": points.iter().map(|(function, at)| json!({"function": function, "at": at, "captures": []})).collect::<Vec<_>>(),
            "sites": [],
            "patches": [],
        });
        manifest.to_string().into_bytes()
    }

    fn elf(section: &str, content: &[u8]) -> Vec<u8> {
        use object::write::Object;
        let mut elf = Object::new(object::BinaryFormat::Elf, object::Architecture::X86_64, object::Endianness::Little);
        let section = elf.add_section(vec![], section.into(), object::SectionKind::Other);
        elf.set_section_data(section, content, 1);
        elf.write().expect("an ELF file")
    }

    fn read(bytes: &[u8], id: [u8; 16]) -> Result<Program, ProgramError> {
        let mut file = tempfile::tempfile()?;
        file.write_all(bytes)?;
        Program::read(file, id)
    }

    #[test]
    fn points_get_their_roles() {
        let points = [(0, At::Enter), (0, At::Exit), (1, At::Exit), (2, At::Enter), (2, At::Exit), (3, At::Enter)];
        let kinds = [Kind::Server, Kind::Boundary, Kind::Boundary, Kind::Internal];
        let program = Program::new(Manifest::parse(&manifest(&kinds, &points)).expect("a valid manifest"));
        let roles: Vec<_> = (0..7).map(|point| program.point(point).map(|point| point.role)).collect();
        let expected =
            [Role::Half(At::Enter), Role::Half(At::Exit), Role::Boundary, Role::Nothing, Role::Boundary, Role::Whole];
        assert_eq!(roles[..6], expected.map(Some));
        assert_eq!(roles[6], None, "there is no such point");
    }

    /// 100,000 functions that all name one rule, whose functions they are: if each listed the others,
    /// that would take 80 GB.
    #[test]
    fn what_functions_mean_for_each_other_takes_little_memory() {
        const FUNCTIONS: u32 = 100_000;
        let kinds = vec![Kind::Internal; FUNCTIONS as usize];
        let points: Vec<_> = (0..FUNCTIONS).map(|function| (function, At::Enter)).collect();
        let mut manifest = Manifest::parse(&manifest(&kinds, &points)).expect("a valid manifest");
        for function in &mut manifest.functions {
            function.ends = vec!["r".to_owned()];
            function.instead_of = vec!["r".to_owned(), "another".to_owned()];
        }
        let program = Program::new(manifest);
        let last = FUNCTIONS - 1;
        assert_eq!((program.ends(last), program.instead_of(last)), (&[0][..], &[0][..]));
        assert!(program.is_ended(last) && program.rule_of(last) == 0);
        assert_eq!(program.rules().iter().map(|rule| rule.functions).collect::<Vec<_>>(), [FUNCTIONS as usize]);
    }

    #[test]
    fn the_manifest_is_found_and_must_have_the_right_id() {
        let json = manifest(&[Kind::Server], &[(0, At::Enter)]);
        let id: [u8; 16] = Sha256::digest(&json)[..16].try_into().expect("16 of 32");
        assert_eq!(read(&elf(SECTION, &json), id).expect("a valid file").functions(), 1);
        assert!(matches!(read(&elf(SECTION, &json), [0; 16]), Err(ProgramError::OtherManifest)));
        assert!(matches!(read(&elf(".note", &json), id), Err(ProgramError::NoManifest)));
        assert!(matches!(read(b"#!/bin/sh", id), Err(ProgramError::Elf(_))));
    }

    #[test]
    fn a_manifest_that_is_too_large_and_too_many_sections_are_not_read() {
        let mut file = elf(SECTION, b"{}");
        let sections = usize::from_le_bytes(file[40..48].try_into().expect("e_shoff"));
        let size = sections + 64 + 32;
        file[size..size + 8].copy_from_slice(&(1u64 << 40).to_le_bytes());
        assert!(matches!(read(&file, [0; 16]), Err(ProgramError::TooLarge(_))));
        file[60..62].copy_from_slice(&u16::MAX.to_le_bytes());
        assert!(matches!(read(&file, [0; 16]), Err(ProgramError::NoManifest)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        /// No file that a process can pass makes gopatchd panic.
        #[test]
        fn a_damaged_file_is_an_error(damage in prop::collection::vec((0usize..700, any::<u8>()), 1..20), len in 0usize..700) {
            let mut file = elf(SECTION, b"{\"format\":1}");
            for (place, byte) in damage {
                if let Some(old) = file.get_mut(place) {
                    *old = byte;
                }
            }
            file.truncate(len);
            prop_assert!(read(&file, [0; 16]).is_err());
        }
    }
}
