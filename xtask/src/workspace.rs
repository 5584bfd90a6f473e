//! The workspace's folders, and running a tool in them.
//!
//! A tool that is missing or fails gives an error with a hint. No shell is used; every argument is
//! passed unchanged. The workspace must still be where this crate was compiled.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Error, Result, anyhow, bail};

/// Tools and files that the commands need besides Rust and Go 1.21 or later, with their Debian
/// packages.
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

/// Builds the two commands as users get them, for the end-to-end tests, the benchmarks and the demo.
pub fn build_release() -> Result<()> {
    run(&mut cargo(&["build", "--release", "--package", "gopatch", "--package", "gopatchd"]))
}

/// Runs a command with this process's stdout and stderr, and fails unless it succeeds.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if !status.success() {
        bail!("{}: {status}", command_line(command));
    }
    Ok(())
}

/// Runs a command and returns its stdout; its stderr becomes part of the error.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        bail!("{}: {}\n{}", command_line(command), output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{}: its output is not UTF-8", command_line(command)))
}

/// A command line as a person would type it.
pub fn command_line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The error for a command that could not be started.
pub fn cannot_start(command: &Command, error: &std::io::Error) -> Error {
    let program = command.get_program().to_string_lossy();
    let hint = if exists(&program) { String::new() } else { hint(&[&program]) };
    anyhow!("cannot start `{}`: {error}{hint}", command_line(command))
}

/// Fails unless all of these tools and files exist, with a list of all that are missing.
pub fn require(needed: &[&str]) -> Result<()> {
    let missing: Vec<&str> = needed.iter().copied().filter(|name| !exists(name)).collect();
    if !missing.is_empty() {
        bail!("not on this machine: {}{}", missing.join(", "), hint(&missing));
    }
    Ok(())
}

/// Fails unless everything exists that `cargo xtask test` needs.
pub fn require_all() -> Result<()> {
    let needed: Vec<&str> = std::iter::once("go").chain(PACKAGES.iter().map(|(name, _)| *name)).collect();
    require(&needed)
}

fn exists(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Joining an absolute path to a folder gives the path.
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
        hint += "\nhint: install Go 1.21 or later; it fetches the other versions itself";
    }
    hint
}
