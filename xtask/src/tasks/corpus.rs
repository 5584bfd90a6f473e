//! `cargo xtask corpus`: the corpus from the command line. Paths and names go to stdout, progress
//! to stderr.

use anyhow::{Result, bail};
use xtask::corpus::{self, Manifest};

/// Builds all programs, or one, or lists them.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        [] => build_all(),
        ["list"] => {
            for variant in Manifest::read()?.variants() {
                println!("{variant}");
            }
            Ok(())
        }
        ["build", program, go, mode] => {
            println!("{}", corpus::build(program, go, mode)?.display());
            Ok(())
        }
        _ => bail!("usage: cargo xtask corpus [list | build PROGRAM GO MODE]"),
    }
}

fn build_all() -> Result<()> {
    for variant in Manifest::read()?.variants() {
        eprintln!("building {variant}");
        corpus::build(&variant.program, &variant.go, &variant.mode)?;
    }
    Ok(())
}
