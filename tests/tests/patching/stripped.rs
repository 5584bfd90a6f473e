//! A program that was built without DWARF is patched like its twin that has it.
//!
//! Only ports and times may differ between the twins. All Go versions and the link modes without
//! DWARF are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use ::gopatch::dwarf::{self, TypeInfo};
use ::gopatch::elf::Elf;
use ::gopatch::golang::GoBinary;
use ::gopatch::rtypes::RuntimeTypes;
use ::gopatch::types::{Kind, TypeId, Types};
use anyhow::{Context, Result, ensure};
use gopatch_tests::load::{HTTP, MIX};
use gopatch_tests::{Gopatch, Load, Operation, Scratch, exact, gopatch};
use serde_json::Value;
use xtask::corpus::{self, Manifest};

/// Link modes without DWARF, and their twins with it.
const STRIPPED: [(&str, &str); 3] = [("stripped", "default"), ("stripped-pie", "pie"), ("stripped-static", "static")];

#[test]
fn go_1_18() -> Result<()> {
    twins_record_the_same("1.18.10")
}

#[test]
fn go_1_19() -> Result<()> {
    twins_record_the_same("1.19")
}

#[test]
fn go_1_21() -> Result<()> {
    twins_record_the_same("1.21.13")
}

#[test]
fn go_1_22() -> Result<()> {
    twins_record_the_same("1.22.12")
}

#[test]
fn go_1_23() -> Result<()> {
    twins_record_the_same("1.23.12")
}

#[test]
fn go_1_24() -> Result<()> {
    twins_record_the_same("1.24.13")
}

#[test]
fn go_1_25() -> Result<()> {
    twins_record_the_same("1.25.14")
}

#[test]
fn go_1_26() -> Result<()> {
    twins_record_the_same("1.26.11")
}

#[test]
fn go_1_27() -> Result<()> {
    twins_record_the_same("1.27.4")
}

/// Patches twins, puts the same load on both, and compares what was recorded.
fn twins_record_the_same(go: &str) -> Result<()> {
    let scratch = Scratch::new()?;
    for (stripped, whole) in STRIPPED {
        let whole = recorded(&scratch, go, whole, "dwarf")?;
        let stripped = recorded(&scratch, go, stripped, "runtime").with_context(|| format!("Go {go}, {stripped}"))?;
        ensure!(whole.keys().eq(stripped.keys()), "Go {go}: not the same requests");
        for (path, whole) in &whole {
            let stripped = &stripped[path];
            ensure!(whole == stripped, "Go {go}: {path}: with DWARF {whole:#?}, without {stripped:#?}");
        }
    }
    Ok(())
}

/// The part of an operation that does not depend on the run.
type Account = (String, String, bool, BTreeMap<String, Value>);

/// The requests' accounts by path, and the handshakes' by their content.
fn recorded(scratch: &Scratch, go: &str, mode: &str, types: &str) -> Result<BTreeMap<String, Account>> {
    let program = patched(scratch, go, mode, types)?;
    let mut accounts = BTreeMap::new();
    for (tls, proto) in HTTP {
        let tag = format!("{}{proto}", if tls { "s" } else { "p" });
        // One at a time, so that both twins get the same connections.
        let load = Load { tls, proto, mix: MIX, count: 64, in_flight: 1, tag: &tag };
        let collected = exact::run(scratch, &mut Command::new(&program), "memfd", load)
            .with_context(|| format!("Go {go}, {mode}, {load:?}"))?;
        for operation in &collected.operations {
            let account = account(operation);
            let key = operation.text("url.path").map_or_else(|| format!("{tag} {account:?}"), str::to_owned);
            accounts.insert(key, account);
        }
    }
    Ok(accounts)
}

fn account(operation: &Operation) -> Account {
    let mut attributes = operation.attributes.clone();
    attributes.retain(|name, _| name.rsplit('.').next() != Some("port"));
    (operation.name.clone(), operation.rule.clone(), operation.unwound, attributes)
}

/// The corpus server, patched with the default rules, with types from the expected source.
fn patched(scratch: &Scratch, go: &str, mode: &str, types: &str) -> Result<PathBuf> {
    let output = scratch.file(&format!("httpserver-{mode}"));
    let mut command = gopatch::command(&["--format", "json"])?;
    command.arg(corpus::build("httpserver", go, mode)?).arg("-o").arg(&output);
    let done = Gopatch::run(&mut command)?;
    ensure!(done.status == Some(0), "Go {go}, {mode}: {}{}", done.stdout, done.stderr);
    let report: Value = serde_json::from_str(&done.stdout)?;
    ensure!(report["input"]["types"] == types, "Go {go}, {mode}: types from {}", report["input"]["types"]);
    Ok(output)
}

/// DWARF and the run-time type data of a program must agree on each type that these reach.
const ROOTS: [&str; 8] = [
    "runtime.g",
    "runtime.m",
    "runtime.p",
    "*net/http.response",
    "*net/http.Request",
    "*net/http.Server",
    "*crypto/tls.Conn",
    "context.Context",
];

#[test]
fn both_descriptions_of_a_program_agree() -> Result<()> {
    for go in Manifest::read()?.go_versions() {
        for mode in ["default", "pie"] {
            let compared = compare_descriptions(&fs::read(corpus::build("httpserver", go, mode)?)?);
            let compared = compared.with_context(|| format!("Go {go}, {mode}"))?;
            ensure!(compared > 200, "Go {go}, {mode}: only {compared} types");
        }
    }
    Ok(())
}

/// Returns the number of types that agree.
fn compare_descriptions(file: &[u8]) -> Result<usize> {
    let elf = Elf::parse(file)?;
    let relocations = elf.relative_relocations()?;
    let go = GoBinary::read(&elf, &relocations)?;
    let sections = dwarf::Sections::load(&elf)?.context("no DWARF")?;
    let wanted = dwarf::WantedNames { types: ROOTS.into_iter().collect(), ..dwarf::WantedNames::default() };
    let described = TypeInfo::load(&sections, &wanted, go.module_data.types)?;
    let runtime = RuntimeTypes::load(&elf, &relocations, &go)?;

    let mut ahead = Vec::new();
    for name in ROOTS {
        let twin = runtime.type_by_name(name)?.with_context(|| format!("no run-time type {name}"))?;
        ahead.push((described.type_by_name(name).with_context(|| format!("DWARF has no type {name}"))?, twin));
    }
    let mut seen = BTreeSet::new();
    while let Some(twins) = ahead.pop() {
        if seen.insert(twins) {
            ahead.extend(compare_types(&described, &runtime, twins)?);
        }
    }
    Ok(seen.len())
}

/// Compares two descriptions of one type, and returns the types that they refer to.
fn compare_types(
    described: &dyn Types,
    runtime: &dyn Types,
    (id, twin_id): (TypeId, TypeId),
) -> Result<Vec<(TypeId, TypeId)>> {
    let (one, twin) = (described.resolve(id)?, runtime.resolve(twin_id)?);
    ensure!(one.size == twin.size, "{one:?}\n{twin:?}");
    ensure!(one.runtime_type.is_none() || one.runtime_type == twin.runtime_type, "{one:?}\n{twin:?}");
    Ok(match (&one.kind, &twin.kind) {
        (Kind::Struct(fields), Kind::Struct(twins)) => {
            ensure!(fields.len() == twins.len(), "{one:?}\n{twin:?}");
            for (field, twin) in fields.iter().zip(twins) {
                let differs = (field.name, field.offset, field.embedded) != (twin.name, twin.offset, twin.embedded);
                ensure!(!differs, "{}: {field:?}\n{twin:?}", one.name);
            }
            fields.iter().zip(twins).map(|(field, twin)| (field.type_id, twin.type_id)).collect()
        }
        (Kind::Array { element, len }, Kind::Array { element: twin_element, len: twin_len }) => {
            ensure!(len == twin_len, "{one:?}\n{twin:?}");
            vec![(*element, *twin_element)]
        }
        (Kind::Pointer(element), Kind::Pointer(twin)) | (Kind::Slice(element), Kind::Slice(twin)) => {
            vec![(*element, *twin)]
        }
        (kind, twin_kind) => {
            ensure!(kind == twin_kind, "{one:?}\n{twin:?}");
            Vec::new()
        }
    })
}

#[test]
fn without_dwarf_a_rule_needs_a_signature() -> Result<()> {
    let scratch = Scratch::new()?;
    let rules = |signature: &str| {
        let path = scratch.file("rules.yaml");
        let text = format!(
            "rules: [{{name: place, import: main, function: follow, {signature} enter: {{name: {{value: o.name}}}}}}]"
        );
        fs::write(&path, text).map(|()| path)
    };
    let patch = |signature: &str, mode: &str| {
        let mut command = gopatch::command(&["--no-default-rules", "--rules"])?;
        command.arg(rules(signature)?).arg(corpus::build("captures", "1.27.4", mode)?);
        Gopatch::run(command.arg("-o").arg(scratch.file("out")))
    };
    for (signature, mode, expected) in [
        ("", "stripped", "rule place: signature: main.follow: parameters unknown: the program has no DWARF"),
        (
            "'signature': func follow(o *order),",
            "stripped",
            "needs 8 bytes of arguments on the stack, but the program has 24",
        ),
        ("'signature': 'func follow(o *absent, s shape) (int, error)',", "stripped", "has no type main.absent"),
        (
            "'signature': 'func follow(o *order, s any) (int, error)',",
            "default",
            "the rule's `signature` says `s any`, but the program has `s main.shape`",
        ),
        (
            "'signature': ['func follow(o *order, s shape) (int, error)', 'type order struct{ name string }'],",
            "stripped",
            "the rule's `signature` says `type order struct{ name string }`, but the program has `main.order struct{middle",
        ),
    ] {
        let done = patch(signature, mode)?;
        ensure!(
            done.status == Some(2) && done.stderr.contains(expected),
            "{signature}: {}{}",
            done.stdout,
            done.stderr
        );
        ensure!(!scratch.file("out").exists(), "{signature}: an output was written");
    }
    let done = patch("'signature': 'func follow(o *order, s shape) (int, error)',", "stripped")?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    Ok(())
}
