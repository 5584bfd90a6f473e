//! With `--symbols`, debuggers and profilers show names for what gopatch added.
//!
//! binutils, gdb and `go tool nm` read the symbol table; gopatch itself is not used.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ::gopatch::verify;
use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatch, NEWEST_GO, Scratch, gopatch};
use xtask::{corpus, workspace};

const ENTER: &str = "net/http.serverHandler.ServeHTTP.gopatch.enter";
const OWN: &str = "main.main";

fn patch_with_symbols(input: &Path, output: PathBuf) -> Result<PathBuf> {
    let done = Gopatch::run(gopatch::command(&["-q", "--symbols"])?.arg(input).arg("-o").arg(&output))?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    Ok(output)
}

#[test]
fn a_program_with_a_symbol_table() -> Result<()> {
    symbols_are_read("default")
}

#[test]
fn a_position_independent_executable() -> Result<()> {
    symbols_are_read("pie")
}

#[test]
fn a_stripped_program() -> Result<()> {
    symbols_are_read("stripped")
}

fn symbols_are_read(mode: &str) -> Result<()> {
    let scratch = Scratch::new()?;
    let input = corpus::build("httpserver", NEWEST_GO, mode)?;
    let output = patch_with_symbols(&input, scratch.file("out"))?;
    let again = patch_with_symbols(&input, scratch.file("again"))?;
    ensure!(fs::read(&output)? == fs::read(again)?, "two outputs of one input differ");

    let run = |program: &str, arguments: &[&str]| {
        workspace::output(Command::new(program).args(arguments).arg(&output)).map(|text| text.replace('\t', " "))
    };
    let readelf = run("readelf", &["--symbols", "--wide"])?;
    ensure!(!readelf.contains("Warning"), "{readelf}");
    let line = readelf.lines().find(|line| line.ends_with(&format!(" {ENTER}"))).context("readelf has no thunk")?;
    let words: Vec<_> = line.split_whitespace().collect();
    ensure!(words[3] == "FUNC" && words[4] == "LOCAL", "{line}");
    let thunk = words[1].trim_start_matches('0');

    let nm = run("nm", &[])?;
    let go_nm = run("go", &["tool", "nm"])?;
    for (tool, text) in [("nm", &nm), ("go tool nm", &go_nm)] {
        let has = |name: &str| text.lines().any(|line| line.ends_with(&format!(" t {name}")));
        for name in [ENTER, "net/http.(*conn).serve.gopatch.exit.2", "gopatch.start", "gopatch.tick"] {
            ensure!(has(name), "{tool} has no {name}");
        }
        let own = text.lines().any(|line| line.ends_with(&format!(" T {OWN}")));
        ensure!(own != mode.starts_with("stripped"), "{tool}: {OWN} is the input's symbol, {own}");
    }
    let objdump = run("objdump", &["-d", &format!("--disassemble={ENTER}")])?;
    ensure!(objdump.contains(&format!("<{ENTER}>:")), "objdump: {objdump}");
    let gdb = run("gdb", &["-batch", "-nx", "-ex", &format!("info symbol 0x{thunk}")])?;
    ensure!(gdb.contains(&format!("{ENTER} in section .gopatch.text")), "gdb: {gdb}");

    let restored = scratch.file("restored");
    let done = Gopatch::run(gopatch::command(&["restore"])?.arg(&output).arg("-o").arg(&restored))?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    ensure!(fs::read(restored)? == fs::read(&input)?, "the restored file differs from the input");
    Ok(())
}

#[test]
fn a_symbol_outside_of_the_emitted_code_is_noticed() -> Result<()> {
    let scratch = Scratch::new()?;
    for mode in ["default", "stripped"] {
        let input = corpus::build("httpserver", NEWEST_GO, mode)?;
        let original = fs::read(&input)?;
        let mut output = fs::read(patch_with_symbols(&input, scratch.file("out"))?)?;
        let manifest = verify::verify(&output, Some(&original))?;
        // After the code, only the new table has a thunk's address in binary.
        let thunk = manifest.sites[1].thunk.to_le_bytes();
        let after_code = manifest.code.offset as usize + manifest.code.size as usize;
        let at = output[after_code..].windows(8).position(|word| word == thunk).context("no symbol of the thunk")?;
        output[after_code + at + 3] ^= 0x40;
        ensure!(verify::verify(&output, None).is_err(), "a symbol outside of the emitted code was not noticed");
    }
    Ok(())
}
