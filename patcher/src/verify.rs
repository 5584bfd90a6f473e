//! A second opinion on an output, before it is kept.
//!
//! Decides: whether the output is the input with nothing but its sites and headers changed, and whether each site leads
//! to code of ours that comes back.
//! Trusts: nothing of the writer: another parser (goblin) and another decoder (capstone) read what it wrote.
//! Never does: repair.

use capstone::arch::x86::{ArchMode, X86OperandType};
use capstone::arch::{BuildsCapstone, DetailsArchInsn};
use capstone::{Capstone, InsnGroupType};
use goblin::elf::Elf;
use goblin::elf::program_header::{PF_X, PT_LOAD};
use gopatch_trampolines::manifest::{self, Manifest, Site};

/// What is wrong with an output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not an ELF file.
    #[error("the output is not an ELF file: {0}")]
    Elf(#[from] goblin::error::Error),
    /// No manifest, or one that cannot be read.
    #[error("the output's manifest is missing or wrong: {0}")]
    Manifest(String),
    /// A byte that is none of the listed changes is not the input's.
    #[error("byte {offset:#x} of the file is not the input's, and the manifest does not list it")]
    Changed {
        /// Offset in the file.
        offset: usize,
    },
    /// What the manifest says stood somewhere did not.
    #[error("the manifest's original bytes at {offset:#x} are not the input's")]
    Original {
        /// Offset in the file.
        offset: u64,
    },
    /// A site does not jump to its thunk.
    #[error("the site at {va:#x} does not lead to its thunk at {thunk:#x}: {what}")]
    Site {
        /// Address of the site.
        va: u64,
        /// Address of the thunk.
        thunk: u64,
        /// What is wrong.
        what: String,
    },
    /// A loaded segment of the input is not in the output.
    #[error("segment {index} of the input is not in the output as it was")]
    Segment {
        /// Index in the program header table.
        index: usize,
    },
    /// The decoder cannot be had.
    #[error("the decoder failed: {0}")]
    Decoder(#[from] capstone::Error),
}

/// Checks `output` against `input`.
pub fn verify(input: &[u8], output: &[u8]) -> Result<(), VerifyError> {
    let elf = Elf::parse(output)?;
    let manifest = read_manifest(&elf, output)?;
    same_segments(&Elf::parse(input)?, &elf)?;
    unchanged_elsewhere(input, output, &manifest)?;
    let decoder = Capstone::new().x86().mode(ArchMode::Mode64).detail(true).build()?;
    manifest.sites.iter().try_for_each(|site| leads_to_thunk(&elf, output, &decoder, site))
}

fn read_manifest(elf: &Elf<'_>, output: &[u8]) -> Result<Manifest, VerifyError> {
    let section = elf
        .section_headers
        .iter()
        .find(|section| elf.shdr_strtab.get_at(section.sh_name) == Some(manifest::SECTION))
        .ok_or_else(|| VerifyError::Manifest("no such section".to_owned()))?;
    let bytes = section
        .file_range()
        .and_then(|range| output.get(range))
        .ok_or_else(|| VerifyError::Manifest("its section lies outside of the file".to_owned()))?;
    Manifest::parse(bytes).map_err(|error| VerifyError::Manifest(error.to_string()))
}

/// Every segment of the input is in the output, at the same place; only PT_PHDR may differ, as the table has grown.
fn same_segments(input: &Elf<'_>, output: &Elf<'_>) -> Result<(), VerifyError> {
    for (index, segment) in input.program_headers.iter().enumerate() {
        let same = output.program_headers.get(index).is_some_and(|other| {
            other == segment
                || (segment.p_type == goblin::elf::program_header::PT_PHDR && other.p_type == segment.p_type)
        });
        if !same {
            return Err(VerifyError::Segment { index });
        }
    }
    Ok(())
}

/// Bytes that are not the input's are listed, with what stood there.
fn unchanged_elsewhere(input: &[u8], output: &[u8], manifest: &Manifest) -> Result<(), VerifyError> {
    let mut restored = output.get(..input.len()).ok_or(VerifyError::Changed { offset: output.len() })?.to_vec();
    let sites = manifest.sites.iter().map(|site| (site.offset, &site.original));
    let patches = manifest.patches.iter().map(|patch| (patch.offset, &patch.original));
    for (offset, original) in sites.chain(patches) {
        let wrong = VerifyError::Original { offset };
        let Some(original) = manifest::from_hex(original) else { return Err(wrong) };
        let start = offset as usize;
        match restored.get_mut(start..start.saturating_add(original.len())) {
            Some(place) => place.copy_from_slice(&original),
            None => return Err(wrong),
        }
    }
    match restored.iter().zip(input).position(|(ours, theirs)| ours != theirs) {
        Some(offset) => Err(VerifyError::Changed { offset }),
        None => Ok(()),
    }
}

/// The site's first instruction is a jump, over an island perhaps, to its thunk, which lies in executable memory.
fn leads_to_thunk(elf: &Elf<'_>, output: &[u8], decoder: &Capstone, site: &Site) -> Result<(), VerifyError> {
    let wrong = |what: String| VerifyError::Site { va: site.va, thunk: site.thunk, what };
    let mut va = site.va;
    for _ in 0..2 {
        let bytes = executable_bytes(elf, output, va).ok_or_else(|| wrong(format!("{va:#x} is not code")))?;
        let instructions = decoder.disasm_count(bytes, va, 1)?;
        let jump = instructions.first().ok_or_else(|| wrong(format!("{va:#x} is no instruction")))?;
        let detail = decoder.insn_detail(jump)?;
        let is_jump = detail.groups().contains(&capstone::InsnGroupId(InsnGroupType::CS_GRP_JUMP as u8));
        let target = detail.arch_detail().x86().and_then(|x86| match x86.operands().next()?.op_type {
            X86OperandType::Imm(target) => Some(target as u64),
            _ => None,
        });
        let target = target.filter(|_| is_jump).ok_or_else(|| wrong(format!("no direct jump at {va:#x}")))?;
        if target == site.thunk {
            executable_bytes(elf, output, target).ok_or_else(|| wrong("it is not code".to_owned()))?;
            return Ok(());
        }
        va = target;
    }
    Err(wrong("the jump leads elsewhere".to_owned()))
}

/// The bytes from address `va` on, as far as one instruction can reach, if they are code.
fn executable_bytes<'a>(elf: &Elf<'_>, output: &'a [u8], va: u64) -> Option<&'a [u8]> {
    let segment = elf.program_headers.iter().find(|segment| {
        segment.p_type == PT_LOAD && segment.p_flags & PF_X != 0 && segment.vm_range().contains(&(va as usize))
    })?;
    let offset = (va - segment.p_vaddr) as usize;
    let segment_bytes = output.get(segment.file_range())?;
    let end = segment_bytes.len().min(offset + 15);
    segment_bytes.get(offset..end)
}
