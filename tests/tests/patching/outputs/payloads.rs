//! A program that looks for data after its own ELF file finds it in the output with
//! `--trailing-data keep`; by default gopatch refuses the file. `restore` is exact either way.
//!
//! The program (`payload.go` here) appends each kind of data to a copy of itself, and looks for it
//! as programs of that kind do.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatch, Scratch, gopatch};
use serde_json::Value;
use xtask::{corpus, workspace};

use super::{fail, is_equal, run, succeed, tool, with_program};

/// How programs look for their data: a mark at the end with the data's length before it; a zip
/// whose offsets count from its own start (`cat`), or from the file's (`zip -A`); right after the
/// section headers; at an offset in the file that the last bytes give.
const KINDS: [&str; 5] = ["mark", "zip", "zip-adjusted", "after-elf", "offset"];

const RULES: &str = "rules: [{ name: all, import: '*', function: '*', partial: true, enter: {}, exit: {} }]\n";

/// A folder with the program, as `p`, and rules that hook much of it: what gopatch appends is then
/// larger than the 64 KiB in which readers of zips look for their end.
fn with_payload_program() -> Result<Scratch> {
    let scratch = Scratch::new()?;
    fs::write(scratch.file("go.mod"), "module example.com/payload\n\ngo 1.21\n")?;
    fs::write(scratch.file("main.go"), include_str!("payload.go"))?;
    fs::write(scratch.file("rules.yaml"), RULES)?;
    let mut build = Command::new("go");
    build.args(["build", "-o", "p", "."]).current_dir(scratch.path());
    build.envs([("GOFLAGS", ""), ("GOOS", "linux"), ("GOARCH", "amd64"), ("GOWORK", "off"), ("CGO_ENABLED", "0")]);
    workspace::run(&mut build)?;
    Ok(scratch)
}

/// What the program finds at its end; an error if it finds nothing.
fn find(scratch: &Scratch, program: &str, kind: &str) -> Result<String> {
    tool(scratch, &format!("./{program}"), &["find", kind])
}

#[test]
fn a_program_finds_its_data() -> Result<()> {
    let scratch = with_payload_program()?;
    for kind in KINDS {
        finds_its_data(&scratch, kind).with_context(|| kind.to_owned())?;
    }
    Ok(())
}

fn finds_its_data(scratch: &Scratch, kind: &str) -> Result<()> {
    tool(scratch, "./p", &["append", kind, "in"])?;
    let size = |name: &str| fs::metadata(scratch.file(name)).map(|file| file.len());
    let bytes = size("in")? - size("p")?;
    ensure!(find(scratch, "in", kind)? == "hello from the payload\n", "the unpatched program does not find its data");

    let patch = ["in", "-o", "out", "--no-default-rules", "--rules", "rules.yaml"];
    fail(scratch, &patch, &format!("{bytes} bytes of data follow the ELF file"))?;
    ensure!(!scratch.file("out").exists(), "an output was written");

    let keep = [&patch[..], &["--trailing-data", "keep", "--format", "json", "-v"]].concat();
    let report: Value = serde_json::from_str(&succeed(scratch, &keep)?.stdout)?;
    let trailing = &report["input"]["trailing_data"];
    ensure!(trailing["bytes"] == bytes && trailing["done"] == "keep", "{trailing}");
    ensure!(size("out")? > size("in")? + (64 << 10), "too little was appended for this test");
    ensure!(find(scratch, "out", kind)? == "hello from the payload\n", "the patched program does not find its data");
    let start = |name: &str| Ok::<_, anyhow::Error>(size(name)? - bytes);
    ensure!(
        !start("in")?.is_multiple_of(8) || start("in")? % 4096 == start("out")? % 4096,
        "the data's place in a page differs"
    );
    succeed(scratch, &["verify", "out", "--original", "in"])?;
    succeed(scratch, &["restore", "out", "-o", "back"])?;
    ensure!(is_equal(&scratch.file("back"), &scratch.file("in"))?, "restore does not give back the input");

    // The copy is a part of the output like any other.
    let mut changed = fs::read(scratch.file("out"))?;
    let last = changed.len() - 3;
    changed[last] ^= 1;
    fs::write(scratch.file("changed"), &changed)?;
    fail(scratch, &["verify", "changed"], "the data after the input's ELF file")?;
    fs::write(scratch.file("changed"), &changed[..changed.len() - bytes as usize])?;
    fail(scratch, &["verify", "changed"], "the data after the input's ELF file")?;

    let drop = [&patch[..], &["--trailing-data", "drop"]].concat();
    ensure!(succeed(scratch, &drop)?.stdout.contains("they no longer end the file"), "the report does not say so");
    succeed(scratch, &["verify", "out", "--original", "in"])?;
    succeed(scratch, &["restore", "out", "-o", "back"])?;
    ensure!(is_equal(&scratch.file("back"), &scratch.file("in"))?, "restore does not give back the input");
    fs::remove_file(scratch.file("out"))?;
    Ok(())
}

/// Linkers and file systems fill files up with zeros. `inspect` shows data, but does not fail.
#[test]
fn zeros_are_no_data() -> Result<()> {
    let scratch = with_program()?;
    let append = |bytes: &[u8]| {
        let mut file = fs::read(scratch.file("in"))?;
        file.extend(bytes);
        fs::write(scratch.file("longer"), file)
    };
    let patch = ["longer", "-o", "out", "--rules", "rules.yaml"];
    append(&[0; 5000])?;
    succeed(&scratch, &patch)?;
    succeed(&scratch, &["restore", "out", "-o", "back"])?;
    ensure!(is_equal(&scratch.file("back"), &scratch.file("longer"))?, "restore does not give back the input");
    append(&[&[0; 5000][..], &[1]].concat())?;
    fail(&scratch, &patch, "5001 bytes of data follow the ELF file")?;
    let shown = run(&scratch, &["inspect", "longer", "--rules", "rules.yaml"])?.stdout;
    ensure!(shown.contains("trailing data: 5001 bytes"), "{shown}");
    Ok(())
}

/// The ends of what linkers and strip write are no data.
#[test]
fn the_ends_of_linked_files_are_no_data() -> Result<()> {
    let scratch = with_program()?;
    let patch = |program: &Path| {
        let mut command = gopatch::command(&["-q", "--no-default-rules", "--rules"])?;
        command.arg(scratch.file("rules.yaml")).arg(program).arg("-o").arg(scratch.file("out"));
        Gopatch::run(&mut command)
    };
    fs::write(scratch.file("rules.yaml"), RULES)?;
    let built = ["1.18.10", "1.19", "1.21.13"].map(|go| ("httpserver", go, "stripped"));
    for (program, go, mode) in
        built.into_iter().chain(["c-lld", "c-gold", "c-bfd"].map(|mode| ("matrix", "1.27.4", mode)))
    {
        let done = patch(&corpus::build(program, go, mode)?)?;
        ensure!(done.status == Some(0), "{program} {go} {mode}: {}", done.stderr);
    }
    Ok(())
}
