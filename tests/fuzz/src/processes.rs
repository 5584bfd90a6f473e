//! Targets that read what a process sends to gopatchd: its executable and manifest, hellos, control
//! pages, records.

use std::sync::LazyLock;

use anyhow::Result;
use gopatch::verify;
use gopatch_protocol::manifest::{At, FORMAT, Manifest, ValueType};
use gopatch_protocol::wire::{Hello, MAGIC, PAGE, control, record, ring};
use gopatchd::fuzzing::{self, MemoryFile, Recorder};
use serde_json::{Value, json};
use xtask::corpus;

use crate::programs::{RULES, patched};

/// A patched program, and one in whose manifest everything occurs that can.
static MANIFESTS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [real_manifest().expect("a manifest"), full_manifest()]);

static RECORDERS: LazyLock<[Recorder; 2]> =
    LazyLock::new(|| MANIFESTS.each_ref().map(|manifest| Recorder::new(manifest).expect("a valid manifest")));

static FILE: LazyLock<MemoryFile> = LazyLock::new(|| MemoryFile::new().expect("a memory file"));

/// A manifest.
pub(crate) fn manifest(input: &[u8]) {
    fuzzing::manifest(input);
}

/// An executable that may have a manifest.
pub(crate) fn executable(input: &[u8]) {
    fuzzing::executable(input).expect("a memory file can be written");
}

/// Published bytes of rings. The first byte chooses the program, the second how they are read.
pub(crate) fn records(input: &[u8]) {
    let recorders = &*RECORDERS;
    if let Some((program, rest)) = input.split_first() {
        recorders[usize::from(program & 1)].take(rest);
    }
}

/// A hello.
pub(crate) fn hello(input: &[u8]) {
    fuzzing::hello(input);
}

/// A control page that a process has made.
pub(crate) fn page(input: &[u8]) {
    FILE.control_page(&input[..input.len().min(PAGE)]).expect("a memory file can be written");
}

fn real_manifest() -> Result<Vec<u8>> {
    let program = std::fs::read(corpus::build("httpserver", "1.27.4", "stripped")?)?;
    Ok(serde_json::to_vec(&verify::verify(&patched(&program, RULES)?, None)?)?)
}

/// All kinds of functions, formats and types of captures.
fn full_manifest() -> Vec<u8> {
    let digest = "0".repeat(64);
    let function = |name: &str, kind: &str, more: &Value| {
        let mut function = json!({"name": name, "rule": name, "kind": kind, "va": 0x401000,
            "operation": "{http.request.method}[ {http.route}]", "dimensions": ["text", "int"]});
        for (key, value) in more.as_object().into_iter().flatten() {
            function[key] = value.clone();
        }
        function
    };
    let capture =
        |attribute: &str, kind: &str, format: &str| json!({"attribute": attribute, "type": kind, "format": format});
    let means = json!({"attribute": "http.response.status_code", "type": "int", "zero_means": 200,
        "zero_means_unless": "hijacked", "absent_means": 500, "absent_means_unless": "hijacked"});
    let captures = json!([
        capture("http.request.method", "string", "http_method"),
        capture("http.route", "string", "http_route"),
        capture("url.path", "string", "url_path"),
        capture("url.query", "string", "plain"),
        capture("server.address", "string", "host_port"),
        capture("network.protocol.version", "string", "http_version"),
        capture("url.scheme", "bool", "url_scheme"),
        capture("tls.protocol.version", "uint", "tls_version"),
        capture("tls.cipher", "uint", "tls_cipher"),
    ]);
    let more = json!([
        means,
        capture("hijacked", "bool", "plain"),
        capture("text", "string", "hex"),
        capture("http.response.body.size", "int", "size"),
        capture("int", "int", "plain"),
        capture("url.path", "string", "plain"),
        json!({"attribute": "left", "type": "uint", "omit_zero": true}),
    ]);
    let point =
        |function: u32, at: &str, captures: &Value| json!({"function": function, "at": at, "captures": captures});
    let none = json!([]);
    let manifest = json!({
        "format": FORMAT,
        "tool": "a test",
        "input": {"sha256": digest, "size": 1, "go_version": "go1.27.4", "main_package": "example.com/shop",
            "main_version": "v1.2.3", "vcs_revision": "0a1b", "vcs_modified": true},
        "rules_sha256": digest,
        "code": {"va": 0, "offset": 0, "size": 0, "id_offset": 0, "sha256": digest, "stub": 0},
        "functions": [
            function("serve", "server", &json!({"when": "len(p) > 3"})),
            function("send", "client", &json!({"sample": 0.1})),
            function("inner", "internal", &json!({"instead_of": ["serve"]})),
            function("panics", "boundary", &none),
            function("over", "end", &json!({"ends": ["send"]})),
            function("skipped", "internal", &json!({"skip": ["nil", "7"]})),
        ],
        "points": [
            point(0, "enter", &captures), point(0, "exit", &more),
            point(1, "enter", &captures), point(1, "exit", &none),
            point(2, "enter", &more), point(2, "exit", &none),
            point(3, "exit", &none), point(4, "enter", &more), point(5, "enter", &none),
        ],
        "sites": [{"point": 0, "va": 0x401000, "thunk": 0x500000, "original": "4939661077"}],
        "refused": [{"rule": "serve", "function": "f", "at": "exit", "va": 1, "code": "no-room"}],
        "patches": [{"offset": 24, "original": "00"}],
    });
    manifest.to_string().into_bytes()
}

/// Real manifests: one that is whole, and one with few functions, which is quick to change.
pub(crate) fn manifests() -> Result<Vec<Vec<u8>>> {
    let mut small: Value = serde_json::from_slice(&MANIFESTS[0])?;
    for list in ["functions", "points", "sites"] {
        if let Some(list) = small[list].as_array_mut() {
            list.truncate(2);
        }
    }
    Ok(vec![MANIFESTS[0].clone(), MANIFESTS[1].clone(), serde_json::to_vec(&small)?])
}

/// ELF files with a manifest and without.
pub(crate) fn executables() -> Result<Vec<Vec<u8>>> {
    let elf = |section: &str| {
        let (format, machine, endian) =
            (object::BinaryFormat::Elf, object::Architecture::X86_64, object::Endianness::Little);
        let mut elf = object::write::Object::new(format, machine, endian);
        let text = elf.add_section(vec![], b".text".to_vec(), object::SectionKind::Text);
        elf.set_section_data(text, vec![0xc3; 64], 16);
        let section = elf.add_section(vec![], section.into(), object::SectionKind::Other);
        elf.set_section_data(section, MANIFESTS[1].clone(), 1);
        Ok(elf.write()?)
    };
    [gopatch_protocol::manifest::SECTION, ".data"].into_iter().map(elf).collect()
}

/// For each program the records of a call of each function, and all of them together.
pub(crate) fn all_records() -> Result<Vec<Vec<u8>>> {
    let mut inputs = Vec::new();
    for (program, json) in (0..).zip(MANIFESTS.iter()) {
        let manifest = Manifest::parse(json)?;
        // By one way of reading and the other, in one pass and in several.
        for how in [0xf0, 0x51, 0xf2, 0xf4, 0x42] {
            let mut all = vec![program, how];
            for (index, point) in (0..).zip(&manifest.points).take(12) {
                let record = record_of(index, point);
                inputs.push([&[program, how][..], &record].concat());
                all.extend(record);
            }
            inputs.push(all);
        }
    }
    Ok(inputs)
}

/// A record as a thunk writes it, in a ring.
fn record_of(index: u32, point: &gopatch_protocol::manifest::Point) -> Vec<u8> {
    let text = b"GET /a?b=c:80";
    let strings = point.captures.iter().filter(|capture| capture.value == ValueType::String).count();
    let size = record::WORDS + 8 * point.captures.len() + text.len() * strings;
    let mut bytes = vec![0; ring::HEADER];
    bytes[..4].copy_from_slice(&(size.next_multiple_of(8) as u32).to_le_bytes());
    bytes.extend([size as u32, index].map(u32::to_le_bytes).concat());
    let tsc = 1_000_000 + 1000 * u64::from(index) + u64::from(point.at == At::Exit);
    bytes.extend([tsc, 18].map(u64::to_le_bytes).concat());
    bytes.extend([64 + point.function, u32::MAX].map(u32::to_le_bytes).concat());
    for capture in &point.captures {
        let len = text.len() as u64;
        let word = if capture.value == ValueType::String { len | len << 32 } else { 1 };
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(text.repeat(strings));
    bytes.resize(ring::HEADER + size.next_multiple_of(8), 0);
    bytes
}

/// Hellos.
pub(crate) fn hellos() -> Result<Vec<Vec<u8>>> {
    let hello = |rings: u32| {
        let mut bytes = vec![0; Hello::SIZE];
        bytes[..8].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[Hello::RINGS_WANTED..Hello::RINGS_WANTED + 4].copy_from_slice(&rings.to_le_bytes());
        bytes[Hello::MANIFEST_ID] = 7;
        bytes
    };
    Ok([0, 2, 64, 200].map(hello).into())
}

/// Control pages as processes make them.
pub(crate) fn pages() -> Result<Vec<Vec<u8>>> {
    let page = |large: u32, bytes: u32, bpf: u32| {
        let mut page = vec![0; control::ENABLE + 32];
        let mut set = |offset: usize, bytes: &[u8]| page[offset..offset + bytes.len()].copy_from_slice(bytes);
        set(control::MAGIC, &MAGIC.to_le_bytes());
        set(control::RINGS, &128u32.to_le_bytes());
        set(control::RING_BYTES, &bytes.to_le_bytes());
        set(control::LARGE_RINGS, &large.to_le_bytes());
        set(control::ARE_BPF, &bpf.to_le_bytes());
        set(control::SOCKET, b"/run/gopatch/gopatchd.sock\0");
        page
    };
    Ok(vec![page(8, ring::OWN_BYTES, 0), page(9, ring::OWN_BYTES_OF_MANY, 0), page(2, 8192, 1)])
}
