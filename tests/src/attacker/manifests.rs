//! Executables with manifests, from small ones to the largest.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use anyhow::Result;
use gopatch_protocol::manifest::{
    At, Capture, Code, FORMAT, Format, Function, Input, Kind, Manifest, Point, SECTION, ValueType,
};
use object::write::Object;
use rustix::fs::{MemfdFlags, memfd_create};
use sha2::{Digest, Sha256};

/// The largest manifest that gopatchd reads.
pub(crate) const LARGEST: usize = 64 << 20;

/// Bytes of a file most of which is a hole.
const SPARSE: u64 = 1 << 40;

/// A file that can be sent with a hello.
pub(crate) struct Executable {
    pub(crate) file: File,
    pub(crate) id: [u8; 16],
}

impl Executable {
    /// An executable with this manifest.
    pub(crate) fn new(manifest: &Manifest) -> Result<Self> {
        Self::with(&serde_json::to_vec(manifest)?)
    }

    /// An executable with these bytes for a manifest.
    pub(crate) fn with(json: &[u8]) -> Result<Self> {
        let mut elf = Object::new(object::BinaryFormat::Elf, object::Architecture::X86_64, object::Endianness::Little);
        let section = elf.add_section(vec![], SECTION.into(), object::SectionKind::Other);
        elf.set_section_data(section, json, 1);
        let mut file = File::from(memfd_create("executable", MemfdFlags::CLOEXEC)?);
        file.write_all(&elf.write()?)?;
        let id = Sha256::digest(json)[..16].try_into().expect("16 bytes");
        Ok(Self { file, id })
    }
}

/// A function of a rule with an entry that captures strings and an exit.
pub(crate) struct Hooked<'a> {
    pub(crate) rule: &'a str,
    pub(crate) captures: &'a [&'a str],
}

/// A manifest with these functions. The entry of function `i` is point `2 * i`, its exit the next.
pub(crate) fn manifest(functions: &[Hooked<'_>]) -> Manifest {
    let sha256 = "0".repeat(64);
    let function = |hooked: &Hooked<'_>| Function {
        name: "main.f".to_owned(),
        rule: hooked.rule.to_owned(),
        kind: Kind::Internal,
        operation: hooked.rule.to_owned(),
        va: 0x401000,
        when: None,
        sample: None,
        ends: Vec::new(),
        instead_of: Vec::new(),
        dimensions: hooked.captures.iter().map(|name| (*name).to_owned()).collect(),
        skip: None,
    };
    let capture = |attribute: &&str| Capture {
        attribute: (*attribute).to_owned(),
        value: ValueType::String,
        format: Format::Plain,
        zero_means: None,
        zero_means_unless: None,
        absent_means: None,
        absent_means_unless: None,
        omit_zero: false,
    };
    let points = (0..).zip(functions).flat_map(|(index, hooked)| {
        let captures = hooked.captures.iter().map(capture).collect();
        [
            Point { function: index, at: At::Enter, captures },
            Point { function: index, at: At::Exit, captures: Vec::new() },
        ]
    });
    Manifest {
        format: FORMAT,
        tool: "an attacker".to_owned(),
        input: Input {
            sha256: sha256.clone(),
            size: 1,
            go_version: "go1.27.4".to_owned(),
            main_package: Some("attacker".to_owned()),
            main_version: None,
            vcs_revision: None,
            vcs_modified: false,
        },
        rules_sha256: sha256.clone(),
        recipe: None,
        code: Code { va: 0, offset: 0, size: 0, id_offset: 0, sha256, stub: 0, sigpanic: None },
        functions: functions.iter().map(function).collect(),
        points: points.collect(),
        sites: Vec::new(),
        refused: None,
        patches: Vec::new(),
        trailing: 0,
    }
}

/// A manifest with one function.
pub(crate) fn small() -> Manifest {
    manifest(&[Hooked { rule: "attack", captures: &[] }])
}

/// A manifest of this many bytes, made larger by `part` where there may be any number of them.
pub(crate) fn filled(list: &str, part: &str, bytes: usize) -> Vec<u8> {
    let json = serde_json::to_string(&small()).expect("a manifest is JSON");
    let place = json.find(list).expect("each manifest has this list") + list.len();
    let (before, after) = json.split_at(place);
    let room = bytes - json.len();
    let mut filled = before.to_owned();
    filled.push_str(&part.repeat(room / part.len()));
    filled.push_str(&" ".repeat(room % part.len()));
    filled.push_str(after);
    filled.into_bytes()
}

/// An executable whose manifest is a hole in a file of a terabyte.
pub(crate) fn sparse() -> Result<Executable> {
    let mut executable = Executable::with(&[0])?;
    executable.file.set_len(SPARSE)?;
    // `e_shoff`, and in the section after the first `sh_size`: its manifest is as long as may be.
    let header = read_u64(&executable.file, 40)?;
    for section in 1..4 {
        let size_at = header + 64 * section + 32;
        if read_u64(&executable.file, size_at)? == 1 {
            executable.file.seek(SeekFrom::Start(size_at))?;
            executable.file.write_all(&(LARGEST as u64).to_le_bytes())?;
        }
    }
    Ok(executable)
}

fn read_u64(file: &File, at: u64) -> Result<u64> {
    let mut bytes = [0; 8];
    rustix::io::pread(file, &mut bytes, at)?;
    Ok(u64::from_le_bytes(bytes))
}
