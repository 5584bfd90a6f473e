//! Every Go version and link mode: the program is patched, does its work, and every event is
//! recorded; or it is refused, and the table says why.
//!
//! Decides what a cell of docs/compatibility.md says. Only the full run writes that file; the short
//! runs compare their part of it. corpus/matrix counts its calls and returns and prints the values
//! to capture. A program that behaves differently is a failure, not a refusal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::SOCKET_ENV;
use gopatch_tests::{Collected, Gopatch, Gopatchd, NEWEST_GO, Process, Scratch, backends, gopatch};
use serde_json::Value;
use xtask::corpus::{self, Manifest, Variant};
use xtask::workspace;

/// Cell of a program that was patched and ran, with every event recorded.
const EXACT: &str = "exact";
/// Cell of a program that needs a later processor than this machine's.
const NOT_RUN: &str = "verified, not run";
/// Cell of a mode that this Go does not have.
const NO_SUCH_MODE: &str = "";
/// Modes that the short run tries with every Go.
const USUAL: [&str; 3] = ["default", "pie", "stripped"];
/// Longest run; the work itself takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn the_newest_go_in_every_mode() -> Result<()> {
    agrees_with_the_table(|variant| variant.go == NEWEST_GO)
}

#[test]
fn every_go_in_the_usual_modes() -> Result<()> {
    agrees_with_the_table(|variant| USUAL.contains(&&*variant.mode))
}

#[test]
#[ignore = "soak: builds some 200 programs; writes docs/compatibility.md"]
fn every_go_in_every_mode() -> Result<()> {
    let table = Table::new(&cells(|_| true, backends())?)?;
    println!("{}", table.0);
    fs::write(Table::path(), table.0).context("cannot write the table")
}

fn agrees_with_the_table(chosen: fn(&Variant) -> bool) -> Result<()> {
    let committed = Table::read()?;
    for (variant, found) in cells(chosen, &["memfd"])? {
        let expected = committed.cell(&variant);
        ensure!(
            expected.as_ref() == Some(&found) || found == NOT_RUN,
            "{variant}: found {found:?}, {} has {expected:?}\nhint: `cargo xtask soak` writes the table",
            Table::path().display()
        );
    }
    Ok(())
}

/// The cells in the manifest's order.
type Cells = Vec<(Variant, String)>;

/// Tries the chosen variants, and reports failures after all of them.
fn cells(chosen: impl Fn(&Variant) -> bool, backends: &[&str]) -> Result<Cells> {
    let (mut cells, mut failures) = (Cells::new(), String::new());
    for variant in Manifest::read()?.variants().into_iter().filter(|one| one.program == "matrix" && chosen(one)) {
        match cell(&variant, backends) {
            Ok(cell) => {
                println!("{variant}: {cell}");
                cells.push((variant, cell));
            }
            Err(error) => writeln!(failures, "{variant}: {error:#}")?,
        }
    }
    ensure!(failures.is_empty(), "\n{failures}");
    ensure!(!cells.is_empty(), "the manifest has no such variant of matrix");
    Ok(cells)
}

/// Whether this machine's processor has what the mode's programs need. Go needs more features than
/// these, but every processor with these has the others.
fn runs_here(mode: &str) -> bool {
    match mode {
        "amd64-v2" => is_x86_feature_detected!("sse4.2"),
        "amd64-v3" => is_x86_feature_detected!("avx2"),
        "amd64-v4" => is_x86_feature_detected!("avx512vl"),
        _ => true,
    }
}

/// Patches a program and returns its cell. An error is a defect, not a property of the program.
fn cell(variant: &Variant, backends: &[&str]) -> Result<String> {
    let scratch = Scratch::new()?;
    let original = corpus::build(&variant.program, &variant.go, &variant.mode)?;
    let (patched, again) = (scratch.file("patched"), scratch.file("again"));
    let done = patch(&original, &patched)?;
    if done.status == Some(2) {
        ensure!(!patched.exists(), "refused, but an output was written");
        return refusal(&original, &done.stderr);
    }
    ensure!(done.status == Some(0), "gopatch: {:?}\n{}{}", done.status, done.stdout, done.stderr);
    patch(&original, &again)?;
    ensure!(fs::read(&patched)? == fs::read(&again)?, "the second output differs from the first");
    verified_and_restored(&scratch, &original, &patched)?;
    if !runs_here(&variant.mode) {
        return Ok(NOT_RUN.to_owned());
    }

    let expected = run(&scratch, &original)?;
    ensure!(run(&scratch, &patched)? == expected, "without gopatchd its output differs");
    for backend in backends {
        let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
        ensure!(run(&scratch, &patched)? == expected, "with gopatchd its output differs");
        every_event_was_seen(&expected, &gopatchd.stop()?).with_context(|| format!("backend {backend}"))?;
    }
    Ok(EXACT.to_owned())
}

fn patch(original: &Path, output: &Path) -> Result<Gopatch> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patching/compatibility.yaml");
    let mut command = gopatch::command(&["--no-default-rules", "--rules"])?;
    Gopatch::run(command.arg(rules).arg(original).arg("-o").arg(output))
}

fn verified_and_restored(scratch: &Scratch, original: &Path, patched: &Path) -> Result<()> {
    let restored = scratch.file("restored");
    let mut verify = gopatch::command(&["verify"])?;
    let mut restore = gopatch::command(&["restore"])?;
    verify.arg(patched).arg("--original").arg(original);
    restore.arg(patched).arg("-o").arg(&restored);
    for command in [&mut verify, &mut restore] {
        let done = Gopatch::run(command)?;
        ensure!(done.status == Some(0), "{}: {}{}", workspace::command_line(command), done.stdout, done.stderr);
    }
    ensure!(fs::read(restored)? == fs::read(original)?, "the restored file differs from the original");
    Ok(())
}

/// The reason of a refusal, without the hint.
fn refusal(original: &Path, stderr: &str) -> Result<String> {
    let about = format!("gopatch: error: {}: ", original.display());
    let words = stderr.strip_prefix(&about).and_then(|words| words.split([':', ';', '(', '\n']).next());
    let words = words.with_context(|| format!("something else than the program is refused: {stderr}"))?;
    Ok(format!("refused: {}", words.trim_end()))
}

fn run(scratch: &Scratch, program: &Path) -> Result<String> {
    let mut command = Command::new(program);
    command.env(SOCKET_ENV, scratch.file("gopatchd.sock"));
    Process::run(&mut command, scratch.path(), "matrix", PATIENCE)
}

/// Compares what gopatchd saw with what the program printed, rule by rule and call by call.
fn every_event_was_seen(printed: &str, collected: &Collected) -> Result<()> {
    collected.ensure_all_seen()?;
    let mut rules = 0;
    for line in printed.lines().filter_map(|line| line.strip_prefix("COUNT ")) {
        let [rule, calls, returns] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
        let seen: Vec<_> = collected.of_rule(rule).collect();
        let returned = seen.iter().filter(|operation| !operation.unwound && !operation.unfinished).count();
        ensure!(seen.len() == calls.parse::<usize>()?, "{rule}: {calls} calls, {} seen", seen.len());
        ensure!(returned == returns.parse::<usize>()?, "{rule}: {returns} returns, {returned} seen");
        rules += 1;

        let call = format!("CALL {rule} ");
        let calls = printed.lines().filter_map(|line| line.strip_prefix(&call));
        let captured = calls.map(serde_json::from_str).collect::<Result<Vec<BTreeMap<String, Value>>, _>>()?;
        // A rule that captures nothing has no such lines.
        for (captured, seen) in captured.iter().zip(&seen) {
            ensure!(
                seen.attributes == *captured,
                "{rule}: recorded {:?}\nbut the call had {captured:?}",
                seen.attributes
            );
        }
        ensure!(captured.is_empty() || captured.len() == seen.len(), "{rule}: {} calls were printed", captured.len());
    }
    ensure!(rules == 8, "the program printed the calls of {rules} functions");
    Ok(())
}

/// The text of docs/compatibility.md.
struct Table(String);

impl Table {
    fn path() -> PathBuf {
        workspace::root().join("docs/compatibility.md")
    }

    fn read() -> Result<Self> {
        let path = Self::path();
        Ok(Self(fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?))
    }

    /// One row for each link mode, one column for each Go.
    fn new(cells: &Cells) -> Result<Self> {
        let manifest = Manifest::read()?;
        let versions: Vec<_> = manifest.go_versions().collect();
        let mut rows: Vec<(&str, BTreeMap<&str, &str>)> = Vec::new();
        for (variant, cell) in cells {
            if !rows.iter().any(|(mode, _)| *mode == variant.mode) {
                rows.push((&variant.mode, BTreeMap::new()));
            }
            let row = rows.iter_mut().find(|(mode, _)| *mode == variant.mode).context("the row was just added")?;
            row.1.insert(&variant.go, cell);
        }
        let mut text = format!("{HEAD}\n| | {} |\n|---|{}\n", versions.join(" | "), "---|".repeat(versions.len()));
        for (mode, row) in &rows {
            let cells: Vec<_> = versions.iter().map(|go| *row.get(go).unwrap_or(&NO_SUCH_MODE)).collect();
            writeln!(text, "| {mode} | {} |", cells.join(" | "))?;
        }
        text += MODES;
        for (mode, _) in rows {
            let command = manifest.describe_mode(mode).with_context(|| format!("no mode {mode}"))?;
            writeln!(text, "| {mode} | `{command}` |")?;
        }
        Ok(Self(text))
    }

    fn cell(&self, variant: &Variant) -> Option<String> {
        let mut rows = self.0.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        let column = rows.find_map(|row| row.iter().position(|cell| *cell == variant.go))?;
        let row = rows.find(|row| row.get(1).is_some_and(|mode| *mode == variant.mode))?;
        row.get(column).map(|cell| (*cell).to_owned())
    }
}

const HEAD: &str = "\
# Compatibility

`cargo xtask soak` writes this page (the test `compatibility`); do not edit it. `cargo xtask test`
holds every change to the column of the newest Go and to the rows `default`, `pie` and `stripped`.

The program is `corpus/matrix`. It has a method, a generic function, a function with arguments on
the stack, one that panics and one that recovers, one that grows its stack, one that C calls back
where there is C, and one of a vendored module.

- *exact*: patching twice gave the same bytes; `gopatch verify` passed; `gopatch restore` gave the
  input back; the patched program printed the same as the original, with and without gopatchd; and
  gopatchd saw every call, every return and every captured value.
- *verified, not run*: the same, but without running anything, as the processor lacks a feature that
  the program needs.
- *refused*: exit status 2 and no output; the text is the start of gopatch's message.
- empty: this Go has no such mode.
";

const MODES: &str = "
DWARF is version 4 up to Go 1.24, and version 5 since.

| link mode | how it is built |
|---|---|
";
