//! docs/operations.md does what it says: its commands are run, in order, and print what stands there.
//!
//! Decides: that free ports take the place of the document's.
//! Trusts: bash, curl, and Debian's Prometheus.
//! Never does: have commands of its own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{NEWEST_GO, Process, Scratch, alone, prometheus, real, release_binary};
use xtask::{corpus, workspace};

/// Ports that the document uses.
const PORTS: [&str; 5] = ["8080", "8443", "9464", "9090", "4318"];

/// What is printed before a block is run, and the number of its line.
const MARK: &str = "==== line ";

/// Commands of the document, and what they print as far as it says so.
struct Block {
    line: usize,
    commands: String,
    printed: Option<String>,
}

/// The blocks that are to be run, in order: those fenced as `sh run`. One fenced as `text` right behind is what is printed.
fn blocks(document: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_just_behind = false;
    let mut lines = document.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            is_just_behind &= line.is_empty();
            continue;
        };
        let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        let inside = inside.fold(String::new(), |text, line| text + line + "\n");
        match (kind, blocks.last_mut()) {
            ("sh run", _) => blocks.push(Block { line: index + 1, commands: inside, printed: None }),
            ("text", Some(last)) if is_just_behind => last.printed = Some(inside),
            _ => {}
        }
        is_just_behind = kind == "sh run";
    }
    blocks
}

/// Whether a line is as it stands in the document, where `...` is anything, and spaces are one.
fn is_like(line: &str, expected: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (line, expected) = (words(line), words(expected));
    let mut parts = expected.split("...").map(str::trim);
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    match last {
        None => rest.is_empty(),
        Some(part) => part.is_empty() || line.ends_with(part),
    }
}

#[test]
fn lines_are_compared_as_a_reader_would() {
    for (line, expected) in [("a  b", "a b"), ("a 12 b", "a ... b"), ("a 1", "a ..."), ("x 1 b 2", "x ... b ...")] {
        assert!(is_like(line, expected), "{line:?} {expected:?}");
    }
    for (line, expected) in [("a b c", "a b"), ("a 12 b c", "a ... b"), ("b 1", "a ..."), ("a", "a b")] {
        assert!(!is_like(line, expected), "{line:?} {expected:?}");
    }
}

#[test]
fn the_commands_of_the_document_work() -> Result<()> {
    // The document has rates and times, and one gopatchd on the machine.
    let _turn = alone();
    if !prometheus::is_here("docs/operations.md")? {
        return Ok(());
    }
    let document = fs::read_to_string(workspace::root().join("docs/operations.md"))?;
    let free: [String; PORTS.len()] = real::free_addresses()?;
    let document = PORTS
        .iter()
        .zip(&free)
        .fold(document, |document, (port, address)| document.replace(&format!("127.0.0.1:{port}"), address));
    let blocks = blocks(&document);
    ensure!(blocks.len() > 10, "only {} blocks are to be run", blocks.len());

    let scratch = Scratch::new()?;
    let (folder, bin) = (scratch.file("w"), scratch.file("bin"));
    fs::create_dir(&folder)?;
    fs::create_dir(&bin)?;
    symlink(workspace::root(), folder.join("gopatch"))?;
    for name in ["gopatch", "gopatchd"] {
        symlink(release_binary(name)?, bin.join(name))?;
    }
    symlink(corpus::build("otelcol", NEWEST_GO, "default")?, bin.join("otelcol"))?;
    // What the shell has started ends with it.
    let first = "set -euo pipefail\nexec 2>&1\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n".to_owned();
    let script = blocks.iter().map(|Block { line, commands, .. }| format!("echo; echo '{MARK}{line}'\n{commands}"));
    let script: String = std::iter::once(first).chain(script).collect();
    let mut shell = Command::new("timeout");
    shell.args(["300", "bash", "-c", &script]).current_dir(&folder);
    shell.env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH")?));
    for variable in ["GOPATCH_SOCKET", "GOPATCHD_CONTROL_SOCKET"] {
        shell.env_remove(variable);
    }
    let mut process = Process::start(&mut shell, scratch.path(), "shell")?;
    let status = process.wait(Duration::from_secs(310))?;
    let said = process.stdout()?;
    ensure!(status.success(), "{status}; the last block is the one that failed:\n{said}");

    let parts = said.split(MARK).skip(1).filter_map(|part| part.split_once('\n'));
    let printed: BTreeMap<&str, &str> = parts.collect();
    for Block { line, printed: expected, .. } in &blocks {
        let printed = printed.get(line.to_string().as_str()).with_context(|| format!("line {line} was not run"))?;
        let mut lines = printed.lines();
        for expected in expected.iter().flat_map(|text| text.lines()).filter(|line| !line.is_empty()) {
            ensure!(lines.any(|line| is_like(line, expected)), "line {line}: no {expected:?} in\n{printed}");
        }
    }
    Ok(())
}
