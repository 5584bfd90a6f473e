//! A fault at any address in a displaced instruction ends or interrupts the program as in its place.
//!
//! corpus/faults follows pointers to pages without rights, beyond the end of a file and to addresses
//! that cannot exist. The traceback, and the panic that `debug.SetPanicOnFault` makes of it, must be
//! those of the unpatched program.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use gopatch_tests::{Gopatchd, NEWEST_GO, Process, SOON, Scratch, backends, gopatch, gopatchd, wait_until};
use xtask::corpus;

const BUILDS: [(&str, &str); 6] = [
    ("1.18.10", "default"),
    ("1.19", "pie"),
    ("1.21.13", "stripped"),
    ("1.24.13", "no-optimization"),
    (NEWEST_GO, "default"),
    (NEWEST_GO, "pie"),
];
const PLACES: [&str; 4] = ["none", "truncated", "impossible", "nil"];
/// Those that fault in their first instructions, in their last ones, and between.
const FUNCTIONS: [&str; 9] = ["Second", "Set", "Add", "Clear", "Flag", "at", "large", "last", "lastStore"];

#[test]
fn panics_on_fault_are_the_same() -> Result<()> {
    for (go, mode) in BUILDS {
        let scratch = Scratch::new()?;
        let original = corpus::build("faults", go, mode)?;
        let patched = gopatch::patch_with(&scratch, &original, gopatch::EVERYTHING)?;
        let expected = recovered(&scratch, &original)?;
        ensure!(expected.matches("invalid memory address").count() > 50, "{expected}");
        ensure!(recovered(&scratch, &patched)? == expected, "Go {go} {mode}: without gopatchd the output differs");
        for backend in backends() {
            let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
            wait_until("a recorded call", SOON, || {
                ensure!(recovered(&scratch, &patched)? == expected, "Go {go} {mode}, {backend}: the output differs");
                Ok(gopatchd.has_operation()?.then_some(()))
            })?;
            gopatchd.stop()?;
        }
    }
    Ok(())
}

#[test]
fn tracebacks_are_the_same() -> Result<()> {
    for (go, mode) in [("1.19", "default"), (NEWEST_GO, "default")] {
        let scratch = Scratch::new()?;
        let original = corpus::build("faults", go, mode)?;
        let patched = gopatch::patch_with(&scratch, &original, gopatch::EVERYTHING)?;
        for place in PLACES {
            for function in FUNCTIONS {
                let expected = died(&scratch, &original, [place, function])?;
                ensure!(expected.contains("main.deep"), "{expected}");
                let seen = died(&scratch, &patched, [place, function])?;
                ensure!(seen == expected, "Go {go} {mode}, {place} {function}: {seen}\nis not\n{expected}");
            }
        }
    }
    Ok(())
}

/// At least 99.5 % of the functions are hooked in a program that can make a panic of any fault.
#[test]
fn a_program_that_panics_on_faults_is_hooked_like_any_other() -> Result<()> {
    let scratch = Scratch::new()?;
    for go in ["1.19", "1.24.13", NEWEST_GO] {
        let original = corpus::build("faults", go, "default")?;
        let done = {
            let mut command = gopatch::command(&["--no-default-rules", "--format", "json", "--rules"])?;
            std::fs::write(scratch.file("rules.yaml"), gopatch::EVERYTHING)?;
            command.arg(scratch.file("rules.yaml")).arg(&original).arg("-o").arg(scratch.file("out"));
            gopatch_tests::Gopatch::run(&mut command)?
        };
        ensure!(done.status == Some(0), "{}", done.stderr);
        let report: serde_json::Value = serde_json::from_str(&done.stdout)?;
        let refused = report["refused"].as_array().map_or(0, Vec::len);
        let hooked = report["rules"][0]["functions"].as_array().map_or(0, Vec::len);
        // What runs in signal handlers or without a P is hooked in no program.
        let is_lost = |place: &&serde_json::Value| {
            let nowhere = ["runtime-nosplit", "signal-handler", "system-call"].map(serde_json::Value::from);
            place["at"] == "enter" && !nowhere.contains(&place["code"])
        };
        let entries = report["refused"].as_array().into_iter().flatten().filter(is_lost).count();
        ensure!(hooked > 200 && entries * 200 <= hooked, "Go {go}: {entries} refused, {hooked} hooked");
        let by_fault = done.stdout.matches("may-fault").count();
        ensure!(by_fault == 0, "Go {go}: {by_fault} of {refused} places could not be guarded");
    }
    Ok(())
}

fn command(scratch: &Scratch, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("GOPATCH_SOCKET", gopatchd::socket(scratch));
    command
}

fn recovered(scratch: &Scratch, program: &Path) -> Result<String> {
    let text = Process::run(&mut command(scratch, program), scratch.path(), "faults", SOON)?;
    Ok(text.lines().map(without_addresses).collect::<Vec<_>>().join("\n"))
}

/// What it prints of a fault, up to the stacks of the runtime's own goroutines.
fn died(scratch: &Scratch, program: &Path, arguments: [&str; 2]) -> Result<String> {
    let mut process = Process::start(command(scratch, program).args(arguments), scratch.path(), "faults")?;
    let status = process.wait(SOON)?;
    ensure!(status.code() == Some(2), "it ended with {status}");
    let text = process.stderr();
    let own = text.split("\n\n").take(2);
    Ok(own.flat_map(str::lines).map(without_addresses).collect::<Vec<_>>().join("\n"))
}

/// A line without the numbers that differ from run to run, and without the PC of a signal. What remains
/// has the function, file, line and the instruction's offset in the function.
fn without_addresses(line: &str) -> String {
    let line = line.split(" fp=").next().unwrap_or(line);
    let line = if line.starts_with("goroutine ") { "goroutine" } else { line };
    let mut pieces = line.split("0x");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let is_offset = out.ends_with('+');
        out.push_str("0x");
        out.push_str(if is_offset { piece } else { piece.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()) });
    }
    out
}
