//! gopatch adds instrumentation to a compiled Go executable: bytes in, bytes out, no I/O.
//!
//! [`patch::patch`] takes a program and rules, and returns the patched program with a
//! [`report::Report`]. The rules name the functions to hook and the values to record
//! (`docs/rules.md`). The patched program sends its records to a gopatchd; without one it runs as
//! before.
//!
//! ```
//! use gopatch::patch::{self, Options, PatchError};
//! use gopatch::rules::Source;
//! use gopatch::verify;
//!
//! /// Hooks `main.handle`, and what the default rules name.
//! fn instrument(program: &[u8]) -> Result<Vec<u8>, PatchError> {
//!     let rules = "rules: [{ name: handle, import: main, function: handle, enter: {}, exit: {} }]";
//!     let rules = Source { name: "handle.yaml".to_owned(), text: rules.to_owned() };
//!     let options = Options::new(vec![Source::default_rules(), rules]);
//!     let patched = patch::patch(program, &options)?;
//!     let output = patched.output.to_vec();
//!     verify::verify(&output, Some(program))?;
//!     for refused in &patched.report.refused {
//!         eprintln!("{}: {}", refused.function, refused.reason);
//!     }
//!     Ok(output)
//! }
//!
//! assert!(instrument(b"#!/bin/sh\n").is_err(), "not a Go executable");
//! ```
//!
//! A caller can rely on this:
//!
//! * Only the sites and headers of the input change; everything else follows it.
//!   [`restore::input_of`] returns the input.
//! * The same input and options give the same output. [`prove::prove`] tells it from any other file.
//! * A place that cannot be hooked safely is left alone and is in the report, with a code
//!   ([`sites::Refusal`]). That is not an error. An error means that there is no output.
//! * Damaged input is an error, never a panic.
//!
//! A caller should do this: verify what was written to disk before keeping it ([`verify::verify`],
//! or, with less reading, [`verify::verify_written`]), and keep the input's mode.
//!
//! # The phases
//!
//! Data goes one way. Each phase is a module, and borrows from the one before:
//!
//! ```text
//! elf ──▶ golang ──▶ dwarf, rtypes ──▶ rules ──▶ sites ──▶ layout ──▶ write ──▶ verify
//!  read ELF  understand  its types       what to   where     addresses  bytes     a second opinion
//!            Go          (either)        hook
//! ```
//!
//! [`patch::plan`] runs them, up to `write`. The crate `gopatch-trampolines` has all machine code,
//! `gopatch-protocol` the formats that the patched program and gopatchd share.
//!
//! The other modules: [`address`] and [`types`] have plain data for all phases, [`program`] joins
//! the two sources of types, [`symbols`] names the emitted code, [`report`] and [`provenance`]
//! describe a run, [`patched_file`] and [`restore`] read an output, [`policy`] checks one, and
//! [`prove`] makes one again.

#![forbid(unsafe_code)]

pub mod address;
pub mod dwarf;
pub mod elf;
pub mod golang;
pub mod layout;
pub mod patch;
pub mod patched_file;
pub mod policy;
pub mod program;
pub mod prove;
pub mod provenance;
pub mod reach;
pub mod report;
pub mod restore;
pub mod rtypes;
pub mod rules;
pub mod sites;
pub mod symbols;
pub mod types;
pub mod verify;
pub mod write;
pub mod yaml;
