//! Why a file cannot be patched, as far as ELF goes.
//!
//! Decides: what a person is told: one line, with what is wrong and what to do.
//! Trusts, does: nothing.

use gopatch_protocol::manifest;

use crate::address::FileOffset;

/// Why the input cannot be patched as an ELF file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ElfError {
    /// No ELF magic.
    #[error(
        "not an ELF file: gopatch patches Linux executables; give it the program itself, not an archive or a script"
    )]
    NotElf,
    /// Class is not ELFCLASS64.
    #[error("a 32-bit ELF file: gopatch patches x86-64 only; build the program with GOARCH=amd64")]
    Not64Bit,
    /// Data encoding is not ELFDATA2LSB.
    #[error("a big-endian ELF file: gopatch patches x86-64 only; build the program with GOARCH=amd64")]
    BigEndian,
    /// Machine is not EM_X86_64.
    #[error("built for {0}: gopatch patches x86-64 only; build the program with GOARCH=amd64")]
    Machine(String),
    /// ET_REL.
    #[error("a relocatable object: gopatch patches the linked executable; link it first")]
    Relocatable,
    /// ET_CORE.
    #[error("a core dump: gopatch patches the executable that dumped it")]
    CoreDump,
    /// Any other ELF type.
    #[error("ELF type {0:#x} is neither ET_EXEC nor ET_DYN: gopatch patches executables only")]
    FileType(u16),
    /// ET_DYN that is not a PIE.
    #[error(
        "a shared library (-buildmode=c-shared or plugin): gopatch patches executables only; \
         put the instrumentation into the program that loads it"
    )]
    SharedLibrary,
    /// Something lies past the end of the file.
    #[error("truncated: {what} ends at {end}, the file at {size}; get a complete copy of the program")]
    Truncated {
        /// What does not fit.
        what: String,
        /// Where it would end.
        end: FileOffset,
        /// Where the file ends.
        size: FileOffset,
    },
    /// A structure that contradicts the ELF specification.
    #[error("damaged: {what}: {why}; rebuild the program or get another copy")]
    Malformed {
        /// Which structure.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Has the section of an earlier run of gopatch.
    #[error(
        "already patched: it has a section {}; start from the file that the build gave, or restore this one",
        manifest::SECTION
    )]
    AlreadyPatched,
}
