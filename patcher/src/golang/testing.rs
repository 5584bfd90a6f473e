//! A Go program for tests, built by the installed `go` command.

use std::process::Command;
use std::sync::OnceLock;

/// The program of `testdata/program.go`, built with these additional arguments.
pub(crate) fn build(arguments: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = folder.path().join("program.go");
    std::fs::write(&source, include_str!("testdata/program.go")).expect("a writable temporary folder");
    let output = folder.path().join("program");
    let status = Command::new("go")
        .args(["build", "-o"])
        .arg(&output)
        .args(arguments)
        .arg(&source)
        .envs([("CGO_ENABLED", "0"), ("GOARCH", "amd64"), ("GOOS", "linux"), ("GOFLAGS", ""), ("GOTOOLCHAIN", "local")])
        .current_dir(folder.path())
        .status()
        .expect("this test needs the go command, 1.22 or later: install Go");
    assert!(status.success(), "go build failed");
    std::fs::read(&output).expect("the output of go build")
}

/// The program built without further arguments, once for all tests.
pub(crate) fn program() -> &'static [u8] {
    static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();
    PROGRAM.get_or_init(|| build(&[]))
}
