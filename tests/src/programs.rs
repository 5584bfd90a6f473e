//! The programs of `tests/programs`, which are built with flags that the corpus does not have.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use xtask::workspace;

use crate::Scratch;

/// Builds one of them with this Go and these flags.
pub fn build(scratch: &Scratch, program: &str, go: &str, flags: &[&str]) -> Result<PathBuf> {
    let output = scratch.file(program);
    let mut command = Command::new("go");
    command.arg("build").args(flags).arg("-o").arg(&output).arg(".");
    command.current_dir(workspace::root().join("tests/programs").join(program));
    command.envs([("GOTOOLCHAIN", &*format!("go{go}")), ("GOFLAGS", "-buildvcs=false"), ("GOWORK", "off")]);
    workspace::run(&mut command)?;
    Ok(output)
}
