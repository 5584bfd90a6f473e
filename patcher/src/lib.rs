//! gopatch: gives a Go executable its own instrumentation. Bytes in, bytes out: no I/O happens here.
//!
//! Data goes one way, a phase a module, each borrowing from the one before:
//!
//! ```text
//! elf ──▶ golang ──▶ dwarf, rtypes ──▶ rules ──▶ sites ──▶ layout ──▶ write ──▶ verify
//!  read ELF  understand  its types       what to   where     addresses  bytes     a second opinion
//!            Go          (either)        hook
//! ```
//!
//! [`patch::patch`] drives them; machine code comes from the crate `gopatch-trampolines`.

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
pub mod provenance;
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
