//! A patched program's manifest names the revision of the sources that it was built from.
//!
//! go and git write the revision into the build info of a program in a repository of one file.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{NEWEST_GO, Scratch, gopatch};
use serde_json::{Value, json};

const MAIN: &str = "package main\n\nfunc main() { println(\"hello\") }\n";

const RULES: &str = "rules: [{ name: main, import: main, function: main, enter: {} }]\n";

#[test]
fn the_manifest_has_the_revision() -> Result<()> {
    let scratch = Scratch::new()?;
    fs::create_dir(source(&scratch))?;
    fs::write(source(&scratch).join("go.mod"), "module example.com/hello\n\ngo 1.24\n")?;
    fs::write(source(&scratch).join("main.go"), MAIN)?;
    let input = patched_input(&scratch, "false")?;
    ensure!((&input["vcs_revision"], &input["vcs_modified"]) == (&Value::Null, &Value::Null), "{input}");

    git(&scratch, &["init", "--quiet"])?;
    git(&scratch, &["add", "go.mod", "main.go"])?;
    git(&scratch, &["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "hello"])?;
    let revision = json!(git(&scratch, &["rev-parse", "HEAD"])?.trim());
    let input = patched_input(&scratch, "true")?;
    ensure!((&input["vcs_revision"], &input["vcs_modified"]) == (&revision, &Value::Null), "{input}");

    fs::write(source(&scratch).join("main.go"), MAIN.replace("hello", "changed"))?;
    let input = patched_input(&scratch, "true")?;
    ensure!((&input["vcs_revision"], &input["vcs_modified"]) == (&revision, &json!(true)), "{input}");
    Ok(())
}

/// The manifest's description of the program, built with or without a stamp of its revision.
fn patched_input(scratch: &Scratch, buildvcs: &str) -> Result<Value> {
    let program = scratch.file("hello");
    let mut go = Command::new("go");
    go.args(["build", &format!("-buildvcs={buildvcs}"), "-o"]).arg(&program).current_dir(source(scratch));
    run(go.env("GOTOOLCHAIN", format!("go{NEWEST_GO}")))?;
    let patched = gopatch::patch_with(scratch, &program, RULES)?;
    let manifest = run(gopatch::command(&["inspect", "--format", "json"])?.arg(patched))?;
    let manifest: Value = serde_json::from_str(&manifest)?;
    Ok(manifest["input"].clone())
}

/// The repository's folder. What is built lies elsewhere.
fn source(scratch: &Scratch) -> PathBuf {
    scratch.file("source")
}

fn git(scratch: &Scratch, arguments: &[&str]) -> Result<String> {
    run(Command::new("git").args(arguments).current_dir(source(scratch)))
}

fn run(command: &mut Command) -> Result<String> {
    let shown = xtask::workspace::command_line(command);
    let output = command.output().context(shown.clone())?;
    ensure!(output.status.success(), "{shown}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
