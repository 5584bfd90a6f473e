//! Code that follows nil panics in a thunk as in its place: the same panic, the same stack, the
//! same line.
//!
//! corpus/nils follows nil and prints the result, which must be that of the unpatched program, word
//! for word.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use gopatch_tests::{Gopatchd, NEWEST_GO, Process, SOON, Scratch, backends, gopatch};
use xtask::corpus;

#[test]
fn panics_are_the_same() -> Result<()> {
    for (go, mode) in [
        ("1.18.10", "default"),
        ("1.19", "pie"),
        ("1.21.13", "stripped"),
        ("1.24.13", "default"),
        (NEWEST_GO, "default"),
        (NEWEST_GO, "pie"),
        (NEWEST_GO, "stripped"),
    ] {
        let scratch = Scratch::new()?;
        let original = corpus::build("nils", go, mode)?;
        let patched = gopatch::patch_with(&scratch, &original, gopatch::EVERYTHING)?;
        let expected = recovered(&scratch, &original)?;
        ensure!(expected.matches("nil pointer dereference").count() > 30, "{expected}");
        ensure!(recovered(&scratch, &patched)? == expected, "Go {go} {mode}: without gopatchd the output differs");
        let death = died(&scratch, &original)?;
        ensure!(death.contains("SIGSEGV") && death.contains("Late"), "{death}");
        for backend in backends() {
            let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
            ensure!(recovered(&scratch, &patched)? == expected, "Go {go} {mode}, {backend}: the output differs");
            let patched = died(&scratch, &patched)?;
            let collected = gopatchd.stop()?;
            ensure!(collected.of_rule("everything").any(|it| it.name == "main.(*node).Value"), "no call was seen");
            // Addresses are the same each time only in programs that are not position-independent.
            let is_fixed = mode == "default" || mode == "stripped";
            ensure!(!is_fixed || patched == death, "Go {go} {mode}, {backend}: {patched}\nis not\n{death}");
        }
    }
    Ok(())
}

fn command(scratch: &Scratch, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("GOPATCH_SOCKET", gopatch_tests::gopatchd::socket(scratch));
    command
}

fn recovered(scratch: &Scratch, program: &Path) -> Result<String> {
    Process::run(&mut command(scratch, program), scratch.path(), "nils", SOON)
}

/// What it prints of a panic that is not recovered.
fn died(scratch: &Scratch, program: &Path) -> Result<String> {
    let mut process = Process::start(command(scratch, program).arg("die"), scratch.path(), "nils")?;
    let status = process.wait(SOON)?;
    ensure!(status.code() == Some(2), "it ended with {status}");
    // Printed arguments of functions are whatever lies on the stack.
    let text = process.stderr();
    Ok(text.lines().map(|line| line.split("(0x").next().unwrap_or(line)).collect::<Vec<_>>().join("\n"))
}
