//! gopatch refuses what it cannot patch: status 2, one line that says what to do, and every file
//! unchanged.
//!
//! Each input is a copy; no file of the corpus is changed.

mod signals;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatch, NEWEST_GO, Scratch, gopatch, release_binary};
use xtask::{corpus, workspace};

/// Files by name, with everything that a refusal must leave unchanged.
type Files = BTreeMap<PathBuf, (SystemTime, Vec<u8>)>;

fn files(folder: &Path) -> Result<Files> {
    let entries = fs::read_dir(folder)?.map(|entry| {
        let path = entry?.path();
        // A folder or a dangling link has no content.
        let content = fs::read(&path).unwrap_or_default();
        Ok((path.clone(), (fs::symlink_metadata(&path)?.modified()?, content)))
    });
    entries.collect()
}

/// Fails unless `gopatch ARGUMENTS` in the test's folder is refused with `reason` in its message.
#[track_caller]
fn refused(scratch: &Scratch, arguments: &[&str], reason: &str) -> Result<()> {
    refused_command(scratch, gopatch::command(arguments)?.current_dir(scratch.path()), reason)
}

fn refused_command(scratch: &Scratch, command: &mut Command, reason: &str) -> Result<()> {
    let before = files(scratch.path())?;
    let done = Gopatch::run(command)?;
    let shown = format!("{}: {:?}\n{}{}", workspace::command_line(command), done.status, done.stdout, done.stderr);
    ensure!(done.status == Some(2), "wrong exit status: {shown}");
    ensure!(done.stdout.is_empty(), "a report was printed: {shown}");
    ensure!(
        done.stderr.lines().skip(1).all(|line| line.starts_with("hint: ")),
        "more than an error and hints: {shown}"
    );
    ensure!(done.stderr.starts_with("gopatch: error: "), "the message does not begin with the program's name: {shown}");
    ensure!(done.stderr.matches(reason).count() == 1, "{reason:?} does not appear once: {shown}");
    let after = files(scratch.path())?;
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    ensure!(names(&before) == names(&after), "files were added or removed: {:?} {:?}", names(&before), names(&after));
    ensure!(before == after, "a file has changed: {shown}");
    Ok(())
}

/// A folder with a program that can be patched, as `in`.
fn with_program() -> Result<Scratch> {
    let scratch = Scratch::new()?;
    fs::copy(corpus::build("hookbench", NEWEST_GO, "default")?, scratch.file("in"))?;
    fs::write(scratch.file("rules.yaml"), HOT)?;
    Ok(scratch)
}

/// Rules that match the program: without them, "nothing to do" would be a reason to refuse it.
const HOT: &str = "rules: [{ name: hot, import: main, function: Hot, enter: {} }]\n";

const PATCH: [&str; 5] = ["in", "-o", "out", "--rules", "rules.yaml"];

#[test]
fn the_unchanged_program_is_patched() -> Result<()> {
    let scratch = with_program()?;
    let done = Gopatch::run(gopatch::command(&PATCH)?.current_dir(scratch.path()))?;
    ensure!(done.status == Some(0) && scratch.file("out").exists(), "{:?}\n{}", done.status, done.stderr);
    Ok(())
}

#[test]
fn files_that_are_not_go_programs() -> Result<()> {
    let scratch = with_program()?;
    let input = scratch.file("in");
    fs::write(&input, "#!/bin/sh\nexit 0\n")?;
    refused(&scratch, &PATCH, "in: not an ELF file")?;
    fs::write(&input, "")?;
    refused(&scratch, &PATCH, "in: not an ELF file")?;
    fs::write(scratch.file("main.c"), "int main(void) { return 0; }\n")?;
    workspace::run(Command::new("gcc").args(["main.c", "-o", "in"]).current_dir(scratch.path()))?;
    refused(&scratch, &PATCH, "in: not a Go executable")?;
    workspace::run(Command::new("gcc").args(["-c", "main.c", "-o", "in"]).current_dir(scratch.path()))?;
    refused(&scratch, &PATCH, "link it first")
}

#[test]
fn programs_for_other_machines() -> Result<()> {
    let scratch = with_program()?;
    for (machine, reason) in [("arm64", "build the program with GOARCH=amd64"), ("386", "a 32-bit ELF file")] {
        go_build(&scratch, "package main\n\nfunc main() {}\n", &[], &[("GOARCH", machine), ("CGO_ENABLED", "0")])?;
        refused(&scratch, &PATCH, reason).with_context(|| machine.to_owned())?;
    }
    Ok(())
}

#[test]
fn a_shared_library() -> Result<()> {
    let scratch = with_program()?;
    let source = "package main\n\nimport \"C\"\n\n//export Hot\nfunc Hot() {}\n\nfunc main() {}\n";
    go_build(&scratch, source, &["-buildmode=c-shared"], &[("CGO_ENABLED", "1")])?;
    refused(&scratch, &PATCH, "shared library")
}

fn go_build(scratch: &Scratch, source: &str, flags: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    fs::write(scratch.file("main.go"), source)?;
    let mut command = Command::new("go");
    command.args(["build", "-o", "in"]).args(flags).arg("main.go").current_dir(scratch.path());
    command.envs([("GOFLAGS", ""), ("GOOS", "linux"), ("GOARCH", "amd64"), ("GOTOOLCHAIN", "local")]);
    workspace::run(command.envs(environment.iter().copied()))?;
    // The build of a c-shared library also writes its header.
    drop(fs::remove_file(scratch.file("in.h")));
    Ok(())
}

/// The `go` command cannot fetch a toolchain that old, so the version in a program is overwritten.
/// gopatch reads it from there.
#[test]
fn go_1_16() -> Result<()> {
    let scratch = with_program()?;
    let mut bytes = fs::read(corpus::build("hookbench", "1.21.13", "default")?)?;
    let (version, old) = (b"go1.21.13", b"go1.16.15");
    let places: Vec<_> = (0..bytes.len() - version.len()).filter(|at| bytes[*at..].starts_with(version)).collect();
    ensure!(!places.is_empty(), "the program does not contain its Go version");
    for at in places {
        bytes[at..at + old.len()].copy_from_slice(old);
    }
    fs::write(scratch.file("in"), bytes)?;
    refused(&scratch, &PATCH, "in: built by go1.16.15: gopatch needs go1.18 or later")
}

#[test]
fn a_truncated_program() -> Result<()> {
    let scratch = with_program()?;
    let whole = fs::read(scratch.file("in"))?;
    for length in [20, 64, 1000, 4096, whole.len() / 2, whole.len() - 1000, whole.len() - 1] {
        fs::write(scratch.file("in"), &whole[..length])?;
        refused(&scratch, &PATCH, "get a complete copy of the program").with_context(|| format!("{length} bytes"))?;
    }
    Ok(())
}

#[test]
fn a_patched_program() -> Result<()> {
    let scratch = with_program()?;
    let done = Gopatch::run(gopatch::command(&PATCH)?.current_dir(scratch.path()))?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    refused(&scratch, &["out", "-o", "twice", "--rules", "rules.yaml"], "already patched")
}

#[test]
fn files_that_cannot_be_read_or_written() -> Result<()> {
    let scratch = with_program()?;
    fs::create_dir(scratch.file("folder"))?;
    refused(&scratch, &["nothing", "-o", "out"], "nothing: cannot read: No such file")?;
    refused(&scratch, &["folder", "-o", "out"], "folder: not a regular file")?;
    refused(&scratch, &["/dev/zero", "-o", "out"], "/dev/zero: not a regular file")?;
    refused(&scratch, &["in", "-o", "folder"], "folder: cannot write: a directory")?;
    refused(&scratch, &["in", "-o", "none/out", "--rules", "rules.yaml"], "none/out: cannot write")?;
    refused(&scratch, &["in", "-o", "in/out", "--rules", "rules.yaml"], "in/out: cannot write")
}

#[test]
fn an_output_that_is_the_input() -> Result<()> {
    let scratch = with_program()?;
    symlink("in", scratch.file("link"))?;
    fs::hard_link(scratch.file("in"), scratch.file("twin"))?;
    for output in ["in", "./in", "link", "twin"] {
        refused(&scratch, &["in", "-o", output, "--rules", "rules.yaml"], "OUT would overwrite IN")?;
    }
    refused(&scratch, &["link", "-o", "in", "--rules", "rules.yaml"], "OUT would overwrite IN")?;
    refused(
        &scratch,
        &["in", "-o", "out", "--rules", "rules.yaml", "--report", "in"],
        "the report would overwrite IN",
    )?;
    refused(
        &scratch,
        &["in", "-o", "out", "--rules", "rules.yaml", "--report", "out"],
        "the report would overwrite OUT",
    )
}

/// Root may read and write everything, so the command runs as user 65534 (nobody).
#[test]
fn files_of_another_user() -> Result<()> {
    let scratch = with_program()?;
    let program = scratch.file("gopatch");
    fs::copy(release_binary("gopatch")?, &program)?;
    let as_other_user = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        if rustix::process::geteuid().is_root() {
            command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        }
        command.args(arguments).current_dir(scratch.path());
        command
    };
    let mode = |name: &str, mode| fs::set_permissions(scratch.file(name), Permissions::from_mode(mode));
    mode(".", 0o777)?;
    mode("in", 0o000)?;
    refused_command(&scratch, &mut as_other_user(&PATCH), "in: cannot read: Permission denied")?;
    mode("in", 0o555)?;
    mode(".", 0o555)?;
    refused_command(&scratch, &mut as_other_user(&PATCH), "out: cannot write: Permission denied")?;
    Ok(mode(".", 0o777)?)
}

/// A file system of one megabyte, in a mount namespace that ends with the command.
#[test]
fn a_full_disk() -> Result<()> {
    let scratch = with_program()?;
    fs::create_dir(scratch.file("small"))?;
    let script = "mount -t tmpfs -o size=1m none small && echo old > small/out && \
                  { \"$@\"; status=$?; }; test \"$(ls -A small)\" = out && test \"$(cat small/out)\" = old || exit 99; exit $status";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(release_binary("gopatch")?);
    command.args(["in", "-o", "small/out", "--rules", "rules.yaml"]).current_dir(scratch.path());
    refused_command(&scratch, &mut command, "small/out: cannot write: No space left on device")
}

#[test]
fn a_limit_on_the_size_of_files() -> Result<()> {
    let scratch = with_program()?;
    let mut command = Command::new("prlimit");
    command.arg("--fsize=1000000").arg(release_binary("gopatch")?).args(PATCH).current_dir(scratch.path());
    refused_command(&scratch, &mut command, "out: cannot write: File too large")
}

#[test]
fn rules_that_do_not_fit() -> Result<()> {
    let scratch = with_program()?;
    let rule = |rest: &str| format!("rules: [{{ name: hot, import: main, {rest} }}]\n");
    for (rules, reason) in [
        (rule("function: Hot, entry: {}"), "unknown field `entry`"),
        (rule("function: Hot, enter: { n: { value: a, most: 3 } }"), "unknown field `most`"),
        (rule("function: Cold, enter: {}"), "no function main.Cold"),
        (rule("function: Hot, enter: { n: { value: nothing } }"), "no parameter or result `nothing`"),
        (rule("function: HotRequest, enter: { n: { value: r.Verb } }"), "has no field `Verb`"),
        (rule("function: HotRequest, enter: { n: { value: r..Method } }"), "is not a path"),
        (rule("function: HotRequest, exit: { n: { value: r.Method } }"), "`caller_keeps`"),
        ("rules: {".to_owned(), "rules.yaml"),
        ("rules: []\n".to_owned(), "add rules with --rules"),
    ] {
        fs::write(scratch.file("rules.yaml"), &rules)?;
        refused(&scratch, &PATCH, reason).with_context(|| rules.clone())?;
    }
    fs::remove_file(scratch.file("rules.yaml"))?;
    refused(&scratch, &PATCH, "rules.yaml: cannot read the rules")?;
    refused(&scratch, &["in", "-o", "out"], "no rule matches a function of this program")
}
