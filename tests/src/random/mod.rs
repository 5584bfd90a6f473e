//! Random Go programs, one for each seed, whose output depends on nothing but the seed.
//!
//! Each uses most of what a compiler has special code for: arguments and results in registers and
//! on the stack, defers, panics, goroutines, jump tables, generics, closures, wrappers, timers,
//! signals. A program does a bounded amount of work, recovers its panics and goes on; how it ends
//! when it does not return is another part of it.
//!
//! Programs of many seeds are one binary, so that one build compares many.

mod endings;
mod expressions;
mod outcome;
mod package;
mod source;
mod statements;
mod types;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::PathBuf;

pub use outcome::Outcome;
use source::Package;

const MAIN: &str = include_str!("main.go.txt");
const SUPPORT: &str = include_str!("support.go.txt");

/// The source files of the programs of these seeds, for Go 1.`go`.
pub fn files(seeds: Range<u64>, go: u32) -> BTreeMap<PathBuf, Vec<u8>> {
    let language = go.min(23);
    let (mut imports, mut programs) = (String::new(), String::new());
    let mut files = BTreeMap::new();
    for seed in seeds {
        let _ = writeln!(imports, "\t\"example.com/random/p{seed}\"");
        let _ = writeln!(programs, "\t{seed}: {{p{seed}.Run, p{seed}.End}},");
        files.insert(PathBuf::from(format!("p{seed}/p.go")), Package::write(seed, language).into_bytes());
    }
    let main = MAIN.replace("%IMPORTS%", &imports).replace("%PROGRAMS%", &programs);
    files.insert(PathBuf::from("main.go"), main.into_bytes());
    files.insert(PathBuf::from("sup/sup.go"), SUPPORT.into());
    for (file, tag, value) in [("race.go", "race", true), ("norace.go", "!race", false)] {
        let text = format!("//go:build {tag}\n\npackage sup\n\nconst Race = {value}\n");
        files.insert(PathBuf::from("sup").join(file), text.into_bytes());
    }
    files.insert(PathBuf::from("go.mod"), format!("module example.com/random\n\ngo 1.{language}\n").into_bytes());
    files
}

/// The rules with which such programs are patched: hooks everywhere without captures, and with
/// captures of the values that many functions have.
pub const RULES: [(&str, &str); 2] =
    [(crate::gopatch::EVERYTHING, "everything"), (include_str!("captures.yaml"), "captured")];
