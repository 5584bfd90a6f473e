//! Each kind of value that a rule can capture is recorded as the program has it.
//!
//! corpus/captures makes known calls. A missing attribute and one too many are failures.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatch, Gopatchd, Process, Scratch, gopatch};
use serde_json::{Value, json};
use xtask::corpus::{self, Manifest};

#[test]
fn go_1_19() -> Result<()> {
    values_are_recorded("1.19", "default")
}

#[test]
fn go_1_21() -> Result<()> {
    values_are_recorded("1.21.13", "default")
}

#[test]
fn go_1_24() -> Result<()> {
    values_are_recorded("1.24.13", "default")
}

#[test]
fn go_1_27() -> Result<()> {
    values_are_recorded("1.27.4", "default")
}

#[test]
fn go_1_18_without_dwarf() -> Result<()> {
    values_are_recorded("1.18.10", "stripped")
}

#[test]
fn go_1_19_without_dwarf() -> Result<()> {
    values_are_recorded("1.19", "stripped")
}

#[test]
fn go_1_24_without_dwarf() -> Result<()> {
    values_are_recorded("1.24.13", "stripped")
}

#[test]
fn go_1_27_without_dwarf() -> Result<()> {
    values_are_recorded("1.27.4", "stripped")
}

#[test]
fn go_1_27_in_a_position_independent_executable() -> Result<()> {
    values_are_recorded("1.27.4", "pie")
}

#[test]
#[ignore = "soak: takes a minute"]
fn every_version_of_go() -> Result<()> {
    for go in Manifest::read()?.go_versions() {
        for mode in ["default", "pie", "stripped"] {
            values_are_recorded(go, mode).with_context(|| format!("Go {go}, {mode}"))?;
        }
    }
    Ok(())
}

fn values_are_recorded(go: &str, mode: &str) -> Result<()> {
    let scratch = Scratch::new()?;
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patching/captures.yaml");
    let patched = scratch.file("captures");
    let mut command = gopatch::command(&["--no-default-rules"])?;
    command.arg("--rules").arg(rules).arg(corpus::build("captures", go, mode)?).arg("-o").arg(&patched);
    let done = Gopatch::run(&mut command)?;
    ensure!(done.status == Some(0), "{}{}", done.stdout, done.stderr);

    let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let mut program = Command::new(&patched);
    program.env("GOPATCH_SOCKET", gopatchd.socket());
    Process::run(&mut program, scratch.path(), "captures", Duration::from_secs(20))?;
    let collected = gopatchd.stop()?;
    collected.ensure_all_seen()?;

    for (rule, expected) in expected() {
        let seen: Vec<_> = collected.of_rule(rule).map(|operation| json!(operation.attributes)).collect();
        ensure!(seen.len() == expected.len(), "{rule}: {} calls, {} expected: {seen:#?}", seen.len(), expected.len());
        for (seen, expected) in seen.iter().zip(&expected) {
            ensure!(seen == expected, "{rule}: recorded {seen:#}\nbut the call had {expected:#}");
        }
    }
    let names: Vec<_> = collected.of_rule("follow").map(|operation| operation.name.as_str()).collect();
    // An operation whose name lacks a value has the rule's name.
    ensure!(names == ["follow first", "follow second", "follow bare", "follow"], "{names:?}");
    Ok(())
}

#[test]
fn what_an_array_or_an_interface_lacks_is_an_error() -> Result<()> {
    let scratch = Scratch::new()?;
    let rules = scratch.file("rules.yaml");
    for (end, value, expected) in [
        ("enter", "b.entries[3].name", "[3]main.entry has no element 3"),
        ("enter", "b.head[0]", "uint32 is not an array"),
        ("enter", "names", "a value of type [2]string cannot be recorded"),
        ("enter", "type(value)", "main.id is not an interface"),
        ("exit", "value", "the bytes of a parameter of type main.id no longer exist at the exit"),
    ] {
        let rule = format!(
            "rules: [{{ name: r, import: main, function: arrays, caller_keeps: [value], {end}: {{ x: {{ value: '{value}' }} }} }}]"
        );
        fs::write(&rules, rule)?;
        let mut command = gopatch::command(&["--no-default-rules", "--rules"])?;
        command.arg(&rules).arg(corpus::build("captures", "1.27.4", "default")?);
        let done = Gopatch::run(command.arg("-o").arg(scratch.file("out")))?;
        ensure!(done.status == Some(2) && done.stderr.contains(expected), "{value}: {}", done.stderr);
    }
    Ok(())
}

fn expected() -> Vec<(&'static str, Vec<Value>)> {
    let digits = "0123456789abcdef".repeat(13);
    let lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 200];
    let mut texts: Vec<_> = lengths
        .into_iter()
        .map(|length| {
            let text = &digits[..length];
            let mut value = json!({"s": &text[..length.min(64)], "length": length, "r": text.repeat(2)});
            if length > 64 {
                value["s.truncated"] = json!(length);
            }
            value
        })
        .collect();
    // A byte that is not UTF-8 becomes the replacement character.
    texts.push(json!({"s": "grüße \u{fffd}", "length": 9, "r": "grüße \u{fffd}grüße \u{fffd}"}));
    vec![
        (
            "integers",
            vec![
                json!({"a": -1, "b": 255, "c": -300, "d": 65535, "e": -70000, "f": 4_000_000_000u64,
                    "g": -(1i64 << 62), "h": 1u64 << 63, "ok": true, "r0": 1, "r1": 0, "r2": 70000, "r3": false}),
                json!({"a": 1, "b": 0, "c": 300, "d": 0, "e": 70000, "f": 1,
                    "g": 1i64 << 62, "h": 0, "ok": false, "r0": -1, "r1": 1, "r2": -70000, "r3": true}),
            ],
        ),
        ("text", texts),
        (
            "follow",
            vec![
                json!({"name": "first", "next": "second", "no_next": false, "id": 9, "weight": 5, "tags": 2,
                    "lines": 3, "flag": true, "side": 4, "next_label_set": true, "s_set": true,
                    "length": 5, "failed": false, "weight_after": 1005}),
                json!({"name": "second", "no_next": true, "weight": 0, "lines": 0, "flag": false, "radius": 7,
                    "s_set": true, "length": 6, "failed": false, "weight_after": 1000, "radius_after": 7}),
                json!({"name": "bare", "no_next": true, "weight": 0, "lines": 0, "flag": false, "radius": 7,
                    "s_set": true, "length": 4, "failed": false, "weight_after": 1000}),
                json!({"s_set": false, "length": -1, "failed": true}),
            ],
        ),
        (
            "spilled",
            vec![json!({"a.a": 1, "a.e": 5, "b.a": 10, "b.e": 50, "c": "on the stack", "d": -42, "r.a": 11,
                "last": "on the stack", "d_kept": -42})],
        ),
        // The stack may move, so pointers to it are not followed at the exit.
        (
            "borrowed",
            vec![
                json!({"s": "for good", "length": 8, "result": 3}),
                json!({"length": 7, "result": 2}),
                json!({"s": "", "length": 0, "result": 0}),
            ],
        ),
        ("arrays", arrays()),
        ("types", types()),
        ("method", vec![json!({"before": 1005, "by": 37, "after": 1042, "result": 1042})]),
    ]
}

fn arrays() -> Vec<Value> {
    let digits = "00112233445566778899aabbccddeeff";
    let zeros = "0".repeat(32);
    vec![
        json!({"third": "third", "id": "0203".to_owned() + &zeros[4..], "id_start": "0011223344", "id_start.truncated": 16,
            "id_byte": 255, "one": "third", "b_tag": "ab", "word": "Go!\n", "second": 300, "entries": 3, "table": 2,
            "value": digits, "value_byte": 51, "value_len": 16, "tag": "0f", "right": "right", "only": "third",
            "only_set": true, "p": digits, "sum": digits.to_owned() + "0000007f", "sum_last": 127, "last": "0f",
            "tag_after": "0f", "only_after": "third", "word_after": "476f210a"}),
        json!({"third": "", "id": zeros, "id_start": "0000000000", "id_start.truncated": 16, "id_byte": 0, "b_tag": "00",
            "word": "\0\0\0\0", "entries": 3, "table": 2, "value": zeros, "value_byte": 0, "value_len": 16, "tag": "00",
            "right": "", "only_set": false, "sum": zeros.clone() + "0000007f", "sum_last": 127, "last": "00",
            "tag_after": "00", "word_after": "00000000"}),
        json!({"entries": 3, "table": 2, "value": zeros[2..].to_owned() + "ff", "value_byte": 0, "value_len": 16,
            "tag": "78", "right": "only", "only": "here", "only_set": true, "sum": zeros[2..].to_owned() + "ff0000007f",
            "sum_last": 127, "last": "78", "tag_after": "78", "only_after": "here"}),
    ]
}

/// Names of types as `%T` prints them.
fn types() -> Vec<Value> {
    let field = |name: &str| format!("{name} map[string][]int");
    let names = ["aFieldWithALongName", "anotherFieldWithALongName", "aThirdFieldWithALongName", "theLastOne"];
    let long = format!("struct {{ {} }}", names.map(field).join("; "));
    vec![
        json!({"err": "*fs.PathError", "value": "int", "s": "main.square", "n.err": "*errors.errorString",
            "n.value": "string", "spilled": "main.box[i", "spilled.truncated": 13, "last": "*fs.PathError",
            "first": "*fs.PathError", "second": "int", "s_after": "main.square"}),
        json!({}),
        json!({"err": "*errors.errorString", "value": long, "s": "*main.circle", "spilled": "[]*main.bo",
            "spilled.truncated": 19, "first": "*errors.errorString", "second": &long[..16], "second.truncated": long.len(),
            "s_after": "*main.circle"}),
        // The program has no name for types that reflect makes at run time.
        json!({"err": "*errors.errorString", "s": "main.boxed", "n.err": "*fs.PathError", "n.value": "*main.b1",
            "spilled": "func(int) ", "spilled.truncated": 15, "last": "*fs.PathError", "first": "*errors.errorString",
            "s_after": "main.boxed"}),
    ]
}
