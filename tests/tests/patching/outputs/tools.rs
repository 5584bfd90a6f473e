//! Other tools that rewrite executables: before gopatch they change nothing for it; what they did
//! after it, `verify` notices.
//!
//! Trusts binutils, patchelf and gzexe (a packer, like UPX).

use std::fs;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{NEWEST_GO, Scratch};
use xtask::corpus;

use super::{HOT, fail, is_equal, succeed, tool};

/// A dynamically linked program, as most tools have nothing to do in a static one.
fn with_dynamic_program() -> Result<Scratch> {
    with_program("c-bfd")
}

fn with_program(mode: &str) -> Result<Scratch> {
    let scratch = Scratch::new()?;
    fs::copy(corpus::build("matrix", NEWEST_GO, mode)?, scratch.file("in"))?;
    fs::write(scratch.file("rules.yaml"), HOT.replace("Hot", "'*'").replace("enter", "partial: true, enter"))?;
    Ok(scratch)
}

const PATCH: [&str; 6] = ["-q", "in", "-o", "out", "--rules", "rules.yaml"];
const INTERPRETER: &str = "/lib64/ld-linux-x86-64.so.2";

#[test]
fn tools_before_gopatch() -> Result<()> {
    for (program, arguments) in [
        ("strip", &["in"][..]),
        ("strip", &["--strip-debug", "in"]),
        ("objcopy", &["--compress-debug-sections=zlib", "in"]),
        ("objcopy", &["--add-section=.note=rules.yaml", "in"]),
        ("patchelf", &["--set-rpath", "/opt/a-path-that-is-longer-than-the-room-for-it", "in"]),
        ("patchelf", &["--set-interpreter", INTERPRETER, "in"]),
        ("patchelf", &["--add-needed", "libm.so.6", "in"]),
    ] {
        before(&with_dynamic_program()?, program, arguments).with_context(|| format!("{program} {arguments:?}"))?;
        // In a PIE of Go's linker, patchelf writes a section header in place of the null one.
        if program == "patchelf" {
            before(&with_program("pie")?, program, arguments)
                .with_context(|| format!("PIE: {program} {arguments:?}"))?;
        }
    }
    Ok(())
}

fn before(scratch: &Scratch, program: &str, arguments: &[&str]) -> Result<()> {
    let printed = tool(scratch, "./in", &[])?;
    tool(scratch, program, arguments)?;
    succeed(scratch, &PATCH)?;
    succeed(scratch, &["verify", "out", "--original", "in"])?;
    succeed(scratch, &["restore", "out", "-o", "back"])?;
    ensure!(is_equal(&scratch.file("back"), &scratch.file("in"))?, "restore does not give back the input");
    ensure!(tool(scratch, "./out", &[])? == printed, "the output prints something else");
    Ok(())
}

#[test]
fn tools_after_gopatch() -> Result<()> {
    let scratch = with_dynamic_program()?;
    succeed(&scratch, &PATCH)?;
    fs::copy(scratch.file("out"), scratch.file("kept"))?;
    for (program, arguments) in [
        ("strip", &["out"][..]),
        ("strip", &["--strip-debug", "out"]),
        ("objcopy", &["out"]),
        ("objcopy", &["--remove-section=.gopatch.manifest", "out"]),
        ("objcopy", &["--add-section=.note=rules.yaml", "out"]),
        ("objcopy", &["--rename-section=.gopatch.arena=.arena", "out"]),
        ("patchelf", &["--set-rpath", "/opt/a-path-that-is-longer-than-the-room-for-it", "out"]),
        ("patchelf", &["--set-interpreter", INTERPRETER, "out"]),
        ("gzexe", &["out"]),
        ("truncate", &["--size=-1", "out"]),
        ("truncate", &["--size=+1", "out"]),
        ("sh", &["-c", "echo signature >> out"]),
        ("sh", &["-c", "sed -i s/ld-linux-x86-64/ld-linux-x86-65/ out"]),
    ] {
        fs::copy(scratch.file("kept"), scratch.file("out"))?;
        tool(&scratch, program, arguments)?;
        for original in [&[][..], &["--original", "in"]] {
            fail(&scratch, &[&["verify", "out"], original].concat(), "gopatch: error: out: ")
                .with_context(|| format!("{program} {arguments:?}"))?;
        }
    }
    Ok(())
}

/// What a packer wrote is unpacked first.
#[test]
fn a_packed_program() -> Result<()> {
    let scratch = with_dynamic_program()?;
    succeed(&scratch, &PATCH)?;
    tool(&scratch, "gzexe", &["in"])?;
    fail(&scratch, &PATCH, "not an ELF file")?;
    // Packed after gopatch, the program runs as the packer unpacks it.
    fs::copy(scratch.file("out"), scratch.file("packed"))?;
    let printed = tool(&scratch, "./out", &[])?;
    tool(&scratch, "gzexe", &["packed"])?;
    ensure!(tool(&scratch, "./packed", &[])? == printed, "the packed output prints something else");
    Ok(())
}
