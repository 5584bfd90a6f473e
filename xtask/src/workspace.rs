//! The workspace's folders, and running a tool in them.
//!
//! Decides: what a missing or failed tool looks like to the developer.
//! Trusts: that the workspace is still where this crate was compiled.
//! Never does: shells; every argument is passed as it is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Error, Result, anyhow, bail};

/// What the commands need besides Rust and a `go` of 1.21 or later, and the Debian package that has it.
const PACKAGES: &[(&str, &str)] = &[
    ("gcc", "gcc libc6-dev"),
    ("clang-14", "clang-14"),
    ("llvm-strip-14", "llvm-14"),
    ("/usr/include/bpf/bpf_helpers.h", "libbpf-dev"),
    ("/usr/lib/go-1.19/bin/go", "golang-1.19"),
    ("gdb", "gdb"),
    ("objcopy", "binutils"),
    ("ld.gold", "binutils"),
    ("ld.lld", "lld"),
    ("valgrind", "valgrind"),
];

/// The folder with the workspace's Cargo.toml.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// A program that cargo built with the release profile.
pub fn release_binary(name: &str) -> PathBuf {
    target().join("release").join(name)
}

/// A cargo command in the workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root()).args(arguments);
    command
}

/// Builds the two programs as a user gets them: for the end-to-end tests, the benchmarks, the demo and the documents.
pub fn build_release() -> Result<()> {
    run(&mut cargo(&["build", "--release", "--package", "gopatch", "--package", "gopatchd"]))
}

/// Runs a command with our own stdout and stderr, and fails unless it succeeds.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if !status.success() {
        bail!("{}: {status}", shown(command));
    }
    Ok(())
}

/// Runs a command and gives its stdout; its stderr becomes part of the error.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        bail!("{}: {}\n{}", shown(command), output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{}: its output is not UTF-8", shown(command)))
}

/// A command line as a person would type it.
pub fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The error of a command that could not even be started.
pub fn cannot_start(command: &Command, error: &std::io::Error) -> Error {
    let program = command.get_program().to_string_lossy();
    let hint = if is_there(&program) { String::new() } else { hint(&[&program]) };
    anyhow!("cannot start `{}`: {error}{hint}", shown(command))
}

/// Fails unless all of these tools and files are there, and names everything that is missing at once.
pub fn require(needed: &[&str]) -> Result<()> {
    let missing: Vec<&str> = needed.iter().copied().filter(|name| !is_there(name)).collect();
    if !missing.is_empty() {
        bail!("not on this machine: {}{}", missing.join(", "), hint(&missing));
    }
    Ok(())
}

/// Everything that `cargo xtask test` needs.
pub fn require_all() -> Result<()> {
    let needed: Vec<&str> = std::iter::once("go").chain(PACKAGES.iter().map(|(name, _)| *name)).collect();
    require(&needed)
}

fn is_there(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Joined to a folder, an absolute path stays what it is.
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn hint(missing: &[&str]) -> String {
    let packages: Vec<&str> =
        PACKAGES.iter().filter(|(name, _)| missing.contains(name)).map(|(_, package)| *package).collect();
    let mut hint = String::new();
    if !packages.is_empty() {
        hint += "\nhint: apt-get install ";
        hint += &packages.join(" ");
    }
    if missing.contains(&"go") {
        hint += "\nhint: install Go 1.21 or later, it fetches the other versions itself";
    }
    hint
}
