//! A patched file is still a Go program to the tools that read it: go, binutils and gdb.
//!
//! They must report the same for it as for the unpatched file. `behaviour` tests whether it runs
//! the same.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatch, NEWEST_GO, Scratch, gopatch};
use xtask::corpus::{Manifest, Variant};
use xtask::{corpus, workspace};

const VERSIONS: [&str; 2] = ["1.21.13", NEWEST_GO];

#[test]
fn the_mode_is_kept() -> Result<()> {
    let scratch = Scratch::new()?;
    let input = scratch.file("in");
    fs::copy(corpus::build("httpserver", NEWEST_GO, "default")?, &input)?;
    for mode in [0o755, 0o750, 0o500, 0o640] {
        fs::set_permissions(&input, Permissions::from_mode(mode))?;
        let output = gopatch::patch(&input, scratch.file("out"))?;
        let kept = fs::metadata(output)?.permissions().mode() & 0o7777;
        ensure!(kept == mode, "mode {mode:o} became {kept:o}");
    }
    Ok(())
}

#[test]
fn the_same_input_gives_the_same_bytes() -> Result<()> {
    let scratch = Scratch::new()?;
    for go in VERSIONS {
        let input = corpus::build("httpserver", go, "default")?;
        let once = fs::read(gopatch::patch(&input, scratch.file("once"))?)?;
        let twice = fs::read(gopatch::patch(&input, scratch.file("twice"))?)?;
        ensure!(once == twice, "Go {go}: two outputs of one input differ");
        let elsewhere = scratch.file("elsewhere");
        fs::copy(&input, &elsewhere)?;
        ensure!(
            once == fs::read(gopatch::patch(&elsewhere, scratch.file("out"))?)?,
            "Go {go}: the output depends on the input's name"
        );
    }
    Ok(())
}

#[test]
#[ignore = "soak: builds the whole corpus"]
fn every_program_gives_the_same_bytes_twice_and_itself_back() -> Result<()> {
    let scratch = Scratch::new()?;
    for Variant { program, go, mode } in Manifest::read()?.variants() {
        let input = corpus::build(&program, &go, &mode)?;
        let once = gopatch::patch_everything(&scratch, &input)?;
        let first = fs::read(&once)?;
        ensure!(
            first == fs::read(gopatch::patch_everything(&scratch, &input)?)?,
            "{program} {go} {mode}: two outputs differ"
        );
        let back = scratch.file("back");
        let restored = Gopatch::run(gopatch::command(&["restore"])?.arg(&once).arg("-o").arg(&back))?;
        ensure!(restored.status == Some(0), "{program} {go} {mode}: {}", restored.stderr);
        ensure!(fs::read(&back)? == fs::read(&input)?, "{program} {go} {mode}: the restored file differs");
        fs::remove_file(back)?;
    }
    Ok(())
}

#[test]
fn an_incomplete_output_is_reported() -> Result<()> {
    let scratch = Scratch::new()?;
    // The second function runs without a P, so it is refused.
    let rules = "rules: [{ name: hot, import: main, function: relay }, \
                 { name: raw, import: syscall, function: RawSyscall6 }]\n";
    fs::write(scratch.file("rules.yaml"), rules)?;
    let mut command = gopatch::command(&["-o", "out", "--no-default-rules", "--rules", "rules.yaml"])?;
    let done = Gopatch::run(command.arg(corpus::build("torture", NEWEST_GO, "default")?).current_dir(scratch.path()))?;
    ensure!(done.status == Some(1) && scratch.file("out").exists(), "{:?}\n{}", done.status, done.stderr);
    ensure!(done.stdout.contains("syscall.RawSyscall6") && done.stdout.contains("refused"), "{}", done.stdout);
    ensure!(done.stderr.lines().count() == 1 && done.stderr.contains("1 site was refused"), "{}", done.stderr);
    Ok(())
}

/// The output of a tool for a file, which must not depend on whether the file is patched.
#[derive(Debug, PartialEq)]
struct ToolOutput {
    success: bool,
    /// `None` where it shows the whole file.
    stdout: Option<String>,
    stderr: String,
}

/// Commands for a file, and whether their stdout must be the same.
const TOOLS: [(&[&str], bool); 5] = [
    (&["go", "version", "-m"], true),
    (&["go", "tool", "nm"], true),
    (&["gdb", "-nx", "-batch", "-ex", "info functions ServeHTTP", "-ex", "info line main.main"], true),
    (&["readelf", "-lSW"], false),
    (&["objdump", "-d"], false),
];

#[test]
fn tools_read_the_output() -> Result<()> {
    let scratch = Scratch::new()?;
    for go in VERSIONS {
        for mode in ["default", "pie"] {
            let input = corpus::build("httpserver", go, mode)?;
            let output = gopatch::patch(&input, scratch.file("out"))?;
            for (tool, whole) in TOOLS {
                let (expected, answer) = (run_tool(tool, &input, whole)?, run_tool(tool, &output, whole)?);
                ensure!(
                    expected.success && answer == expected,
                    "Go {go} {mode}: {tool:?}: {}",
                    first_difference(&answer, &expected)
                );
            }
        }
    }
    Ok(())
}

fn run_tool(tool: &[&str], file: &Path, whole: bool) -> Result<ToolOutput> {
    let mut command = Command::new(tool[0]);
    command.args(&tool[1..]).arg(file).stdout(if whole { Stdio::piped() } else { Stdio::null() });
    let output = command.stderr(Stdio::piped()).spawn().and_then(Child::wait_with_output);
    let Output { status, stdout, stderr } = output.with_context(|| workspace::command_line(&command))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&*file.to_string_lossy(), "FILE");
    Ok(ToolOutput { success: status.success(), stdout: whole.then(|| text(&stdout)), stderr: text(&stderr) })
}

fn first_difference(answer: &ToolOutput, expected: &ToolOutput) -> String {
    let lines = |answer: &ToolOutput| format!("{}\n{}", answer.stderr, answer.stdout.as_deref().unwrap_or_default());
    let (answer, expected) = (lines(answer), lines(expected));
    let pair = answer.lines().zip(expected.lines()).find(|(one, other)| one != other);
    format!("{pair:?}, {} lines instead of {}", answer.lines().count(), expected.lines().count())
}
