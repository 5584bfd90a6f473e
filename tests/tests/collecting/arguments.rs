//! A hook reads an argument only where it is that argument in every call: also after the function's
//! stack has grown, and beside the dictionary of a generic function.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatch, Gopatchd, Process, Scratch, backends, gopatch, programs};

const VERSIONS: [&str; 3] = ["1.21.13", "1.24.13", "1.27.4"];

/// How often the program calls each of its functions.
const CALLS: usize = 200;

const RULES: &str = "\
rules:
  - name: unused
    import: main
    function: Failing.func1
    enter: { name: { value: s.Name, optional: true } }
    exit: {}
    partial: true
  - name: shared
    import: main
    function: Shared
    enter: { text: { value: text }, count: { value: s.Count } }
    exit: {}
";

const UNUSED: &str = "\
rules:
  - name: unused
    import: main
    function: Failing.func1
    enter: { name: { value: s.Name } }
    partial: true
";

#[test]
fn a_hook_reads_no_other_value_for_an_argument() -> Result<()> {
    for go in VERSIONS {
        let scratch = Scratch::new()?;
        let original = programs::build(&scratch, "arguments", go, &[])?;
        let patched = gopatch::patch_with(&scratch, &original, RULES)?;
        for backend in backends() {
            let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
            let mut command = Command::new(&patched);
            command.env("GOPATCH_SOCKET", gopatchd.socket());
            Process::run(&mut command, scratch.path(), "arguments", Duration::from_mins(1))?;
            let collected = gopatchd.stop()?;
            let of_rule = |rule| collected.of_rule(rule).collect::<Vec<_>>();
            let (unused, shared) = (of_rule("unused"), of_rule("shared"));
            ensure!(unused.len() == CALLS, "Go {go}, {backend}: {} calls", unused.len());
            ensure!(unused.iter().all(|call| call.text("name").is_none()), "Go {go}, {backend}: {unused:?}");
            ensure!(shared.len() == CALLS, "Go {go}, {backend}: {} calls", shared.len());
            let is_right = |call: &&_| text_and_count(call) == (Some("text"), Some(7));
            ensure!(shared.iter().all(is_right), "Go {go}, {backend}: {shared:?}");
        }
        check_error(&scratch, &original).with_context(|| format!("Go {go}"))?;
    }
    Ok(())
}

fn text_and_count(call: &gopatch_tests::Operation) -> (Option<&str>, Option<u64>) {
    (call.text("text"), call.number("count"))
}

/// A rule that needs an argument that the function never uses is an error that names it.
fn check_error(scratch: &Scratch, original: &std::path::Path) -> Result<()> {
    let (rules, output) = (scratch.file("unused.yaml"), scratch.file("refused"));
    fs::write(&rules, UNUSED)?;
    let mut command = gopatch::command(&["--no-default-rules", "--rules"])?;
    let done = Gopatch::run(command.arg(&rules).arg(original).arg("-o").arg(&output))?;
    ensure!(done.status == Some(2), "{:?}: {}", done.status, done.stderr);
    ensure!(done.stderr.contains("enter.name") && done.stderr.contains("never uses `s.Name`"), "{}", done.stderr);
    ensure!(!output.exists(), "there is an output");
    Ok(())
}
