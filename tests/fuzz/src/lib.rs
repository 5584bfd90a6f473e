//! The fuzz targets: everything of gopatch and gopatchd that reads what others wrote.
//!
//! A target takes any bytes. It is a fault if it panics, takes more than [`LONGEST`], or allocates
//! more than its bound. `cargo xtask fuzz` runs targets, and saves an input that shows a fault;
//! `tests/` runs each for a second, and repeats the kept cases of `kept/`.
//!
//! Inputs are real ones, changed at random. Coverage does not guide the changes: with the stable
//! compiler that takes a C++ library and all dependencies built once more. So a target begins with
//! inputs that reach all of its code.
//!
//! - [`fuzzer`]: runs the program of `main.rs` on a target, which is [`execution`] and [`mutation`];
//! - [`programs`]: Go programs, and lists of edits that damage them. That keeps cases small, and
//!   mutations where they matter;
//! - [`binaries`]: targets that read programs;
//! - [`texts`]: targets that read YAML and JSON of users;
//! - [`processes`]: targets that read what a process sends to gopatchd.

#![allow(clippy::unnecessary_wraps, reason = "the seeds of all targets have one type")]
#![forbid(unsafe_code)]

mod binaries;
mod execution;
pub mod fuzzer;
mod mutation;
mod processes;
mod programs;
mod texts;

pub use execution::{fuzz as fuzz_here, repeat as repeat_here};

use std::time::Duration;

use anyhow::{Result, bail};

/// The longest time that one execution may take.
pub const LONGEST: Duration = Duration::from_secs(1);

/// Something that reads input.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Most bytes that an execution may have allocated at a time.
    pub memory: usize,
    /// Most bytes of an input that the fuzzer makes.
    pub input: usize,
    /// Reads an input.
    pub run: fn(&[u8]),
    /// Real inputs, with which mutation begins.
    pub seeds: fn() -> Result<Vec<Vec<u8>>>,
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "elf", memory: 64 * MIB, input: 256, run: binaries::elf, seeds: programs::seeds },
    Target { name: "pclntab", memory: 64 * MIB, input: 256, run: binaries::pclntab, seeds: programs::seeds },
    Target { name: "moduledata", memory: 64 * MIB, input: 256, run: binaries::moduledata, seeds: programs::seeds },
    Target { name: "dwarf", memory: 64 * MIB, input: 256, run: binaries::dwarf, seeds: programs::seeds },
    Target { name: "types", memory: 64 * MIB, input: 256, run: binaries::types, seeds: programs::seeds },
    Target { name: "patch", memory: 256 * MIB, input: 256, run: binaries::patch, seeds: programs::seeds },
    Target { name: "output", memory: 64 * MIB, input: 256, run: binaries::output, seeds: programs::seeds },
    Target { name: "rules", memory: 64 * MIB, input: 16 * KIB, run: texts::rules, seeds: texts::rule_files },
    Target { name: "policy", memory: 16 * MIB, input: 4 * KIB, run: texts::policy, seeds: texts::policies },
    Target { name: "settings", memory: 16 * MIB, input: 8 * KIB, run: texts::settings, seeds: texts::settings_files },
    Target { name: "control", memory: 16 * MIB, input: 8 * KIB, run: texts::control, seeds: texts::control_messages },
    Target {
        name: "manifest",
        memory: 64 * MIB,
        input: 64 * KIB,
        run: processes::manifest,
        seeds: processes::manifests,
    },
    Target {
        name: "executable",
        memory: 64 * MIB,
        input: 64 * KIB,
        run: processes::executable,
        seeds: processes::executables,
    },
    Target {
        name: "records",
        memory: 16 * MIB,
        input: 4 * KIB,
        run: processes::records,
        seeds: processes::all_records,
    },
    Target { name: "hello", memory: MIB, input: 128, run: processes::hello, seeds: processes::hellos },
    Target { name: "page", memory: MIB, input: 4 * KIB, run: processes::page, seeds: processes::pages },
];

/// Shows that faults are found: each reads a harmless input, and one that is its fault.
const BROKEN: &[Target] = &[
    Target { name: "broken-by-panic", memory: MIB, input: 16, run: broken, seeds: || fault("panic") },
    Target { name: "broken-by-time", memory: MIB, input: 16, run: broken, seeds: || fault("time") },
    Target { name: "broken-by-memory", memory: MIB, input: 16, run: broken, seeds: || fault("memory") },
    Target { name: "broken-by-abort", memory: MIB, input: 16, run: broken, seeds: || fault("abort") },
];

/// The target of that name.
pub fn target(name: &str) -> Result<&'static Target> {
    let Some(target) = TARGETS.iter().chain(BROKEN).find(|target| target.name == name) else {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        bail!("no target {name:?}; there are {}", names.join(", "));
    };
    Ok(target)
}

#[expect(clippy::unnecessary_wraps, reason = "a list of seeds can fail")]
fn fault(kind: &str) -> Result<Vec<Vec<u8>>> {
    Ok(["harmless", kind].map(|text| text.as_bytes().to_vec()).into())
}

fn broken(input: &[u8]) {
    match input {
        b"panic" => panic!("as it was told"),
        b"time" => {
            // A busy machine gives it less in the same time.
            let begun = execution::processor_time();
            while execution::processor_time().saturating_sub(begun) < LONGEST + Duration::from_millis(200) {}
        }
        b"memory" => drop(std::hint::black_box(vec![1u8; 2 * MIB])),
        b"abort" => std::process::abort(),
        _ => {}
    }
}
