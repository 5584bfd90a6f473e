//! What follows nil panics as it would have in place: the same panic, the same stack, at the same line.
//!
//! Decides: nothing; corpus/nils follows nil, and prints what came of it.
//! Trusts: the unpatched program. Never does: allow for another word.

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
        ensure!(recovered(&scratch, &patched)? == expected, "Go {go} {mode}: with no gopatchd the output is another");
        let death = died(&scratch, &original)?;
        ensure!(death.contains("SIGSEGV") && death.contains("Late"), "{death}");
        for backend in backends() {
            let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
            ensure!(recovered(&scratch, &patched)? == expected, "Go {go} {mode}, {backend}: the output is another");
            let patched = died(&scratch, &patched)?;
            let said = gopatchd.stop()?;
            ensure!(said.of("everything").any(|it| it.name == "main.(*node).Value"), "no call was seen");
            // Where a program lies in memory is another each time if it can be.
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

/// What it says of a panic that nobody recovers.
fn died(scratch: &Scratch, program: &Path) -> Result<String> {
    let mut process = Process::start(command(scratch, program).arg("die"), scratch.path(), "nils")?;
    let status = process.wait(SOON)?;
    ensure!(status.code() == Some(2), "it ended with {status}");
    // Arguments of functions are whatever lies on the stack.
    let text = process.stderr();
    Ok(text.lines().map(|line| line.split("(0x").next().unwrap_or(line)).collect::<Vec<_>>().join("\n"))
}
