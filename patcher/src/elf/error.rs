//! Why a file cannot be patched as an ELF file: one line for what is wrong, one that starts with
//! `hint:` for what to do.

use gopatch_protocol::manifest;

use crate::address::FileOffset;

/// Why the input cannot be patched as an ELF file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ElfError {
    /// No ELF magic.
    #[error("not an ELF file\nhint: pass the Linux executable itself, not an archive or a script")]
    NotElf,
    /// Class is not ELFCLASS64.
    #[error("a 32-bit ELF file, not x86-64\nhint: build the program with GOARCH=amd64")]
    Not64Bit,
    /// Data encoding is not ELFDATA2LSB.
    #[error("a big-endian ELF file, not x86-64\nhint: build the program with GOARCH=amd64")]
    BigEndian,
    /// Machine is not EM_X86_64.
    #[error("built for {0}, not x86-64\nhint: build the program with GOARCH=amd64")]
    Machine(String),
    /// ET_REL.
    #[error("a relocatable object, not an executable\nhint: link it first")]
    Relocatable,
    /// ET_CORE.
    #[error("a core dump, not an executable\nhint: pass the executable that dumped it")]
    CoreDump,
    /// Any other ELF type.
    #[error("ELF type {0:#x} is not an executable (ET_EXEC or ET_DYN)")]
    FileType(u16),
    /// ET_DYN that is not a PIE.
    #[error(
        "a shared library (-buildmode=c-shared or plugin), not an executable\n\
         hint: patch the program that loads it, if that is written in Go"
    )]
    SharedLibrary,
    /// A part lies past the end of the file.
    #[error("truncated: {what} ends at {end}, the file at {size}\nhint: get a complete copy of the program")]
    Truncated {
        /// Which part.
        what: String,
        /// Where it would end.
        end: FileOffset,
        /// Where the file ends.
        size: FileOffset,
    },
    /// A structure that contradicts the ELF specification.
    #[error("damaged: {what}: {why}\nhint: rebuild the program or get another copy")]
    Malformed {
        /// Which structure.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It has the section of an earlier run of gopatch.
    #[error(
        "already patched: the file has a section {}\nhint: patch the file from the build, or restore this one first",
        manifest::SECTION
    )]
    AlreadyPatched,
}
