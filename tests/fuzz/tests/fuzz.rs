//! Each target repeats its kept cases, and is fuzzed for a second. `cargo xtask fuzz` does that for
//! longer.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use gopatch_fuzz::fuzzer::{End, fuzz, kept, repeat};
use gopatch_fuzz::{TARGETS, target};

const FUZZER: &str = env!("CARGO_BIN_EXE_fuzz");

/// So that each run of the tests reads the same inputs, as far as it gets in its second.
const BEGIN: u64 = 1;

#[test]
fn no_damage_of_elf_headers_causes_a_fault() -> Result<()> {
    check("elf")
}

#[test]
fn no_damage_of_a_pclntab_causes_a_fault() -> Result<()> {
    check("pclntab")
}

#[test]
fn no_damage_of_moduledata_causes_a_fault() -> Result<()> {
    check("moduledata")
}

#[test]
fn no_damage_of_dwarf_causes_a_fault() -> Result<()> {
    check("dwarf")
}

#[test]
fn no_damage_of_run_time_types_causes_a_fault() -> Result<()> {
    check("types")
}

#[test]
fn no_damaged_program_makes_patching_fail_badly() -> Result<()> {
    check("patch")
}

#[test]
fn no_damage_of_an_output_causes_a_fault() -> Result<()> {
    check("output")
}

#[test]
fn no_rule_file_causes_a_fault() -> Result<()> {
    check("rules")
}

#[test]
fn no_policy_file_causes_a_fault() -> Result<()> {
    check("policy")
}

#[test]
fn no_settings_file_causes_a_fault() -> Result<()> {
    check("settings")
}

#[test]
fn no_json_of_the_control_socket_causes_a_fault() -> Result<()> {
    check("control")
}

#[test]
fn no_manifest_causes_a_fault() -> Result<()> {
    check("manifest")
}

#[test]
fn no_executable_causes_a_fault() -> Result<()> {
    check("executable")
}

#[test]
fn no_records_cause_a_fault() -> Result<()> {
    check("records")
}

#[test]
fn no_hello_message_causes_a_fault() -> Result<()> {
    check("hello")
}

#[test]
fn no_control_page_causes_a_fault() -> Result<()> {
    check("page")
}

#[test]
fn every_target_has_a_test() {
    let tests = include_str!("fuzz.rs");
    for target in TARGETS {
        assert!(tests.contains(&format!("    check(\"{}\")\n", target.name)), "{}", target.name);
    }
}

/// The kept cases show no fault any more, and a second of mutations shows none.
fn check(name: &str) -> Result<()> {
    let (target, scratch) = (target(name)?, tempfile::tempdir()?);
    let cases = files(&kept(target))?;
    if !cases.is_empty() {
        repeat(Path::new(FUZZER), target, &cases).context("a kept case")?;
    }
    let done = fuzz(Path::new(FUZZER), target, scratch.path(), BEGIN, End::Seconds(1))?;
    ensure!(done.executions > 5, "only {} executions", done.executions);
    Ok(())
}

#[test]
fn faults_of_all_kinds_are_found_and_their_inputs_are_saved() -> Result<()> {
    for (fault, says) in [
        ("panic", "a panic: as it was told"),
        ("time", "it took "),
        ("memory", "bytes allocated, more than 1048576"),
        ("abort", "signal: 6 (SIGABRT)"),
    ] {
        let (broken, scratch) = (target(&format!("broken-by-{fault}"))?, tempfile::tempdir()?);
        let error = fuzz(Path::new(FUZZER), broken, scratch.path(), BEGIN, End::Runs(8)).err().context(fault)?;
        ensure!(error.to_string().contains(says), "{fault}: {error}");
        let found = files(scratch.path())?;
        ensure!(found.len() == 1 && fs::read(&found[0])? == fault.as_bytes(), "{fault}: {found:?}");
        ensure!(repeat(Path::new(FUZZER), broken, &found).is_err(), "{fault}: it does not repeat");
    }
    Ok(())
}

/// The files of a folder that may not exist.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
