//! A second opinion on an output: before it is kept, and whenever somebody asks.
//!
//! Decides: whether the output is its input with nothing but sites and headers changed, whether each site leads to code of
//! ours, and whether that code leads back.
//! Trusts: nothing of the writer: another parser (goblin) and another decoder (capstone) read what it wrote.
//! Never does: repair.
//!
//! What is checked, in this order:
//!
//! 1. The manifest is the one whose digest stands in the code, and the code is the one whose digest stands in the manifest.
//! 2. With the listed bytes put back, the file has the input's digest: so no other byte of the input was changed.
//! 3. The ELF header, the segments and the sections are the input's, and what was added is what the manifest names.
//! 4. Each site is a jump to its thunk, or a short jump to an island, in bytes that another site left over, which is one. The
//!    rest of its bytes are `int3`.
//! 5. Each thunk holds no call, branches only within the code, and leaves it as the bytes did that stood at its site. Of
//!    several at one site, listed in the order in which they run, each leads to the next and only the last does that.
//! 6. The last returns instead where the manifest has constants for a function that lies there. It has each such function once, and
//!    what stands in for its body sets results and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use capstone::arch::x86::{ArchMode, X86OperandType, X86Reg};
use capstone::arch::{BuildsCapstone, DetailsArchInsn};
use capstone::{Capstone, Insn, InsnGroupType, RegId};
use goblin::elf::program_header::{PF_W, PF_X, PT_LOAD, PT_PHDR, ProgramHeader};
use goblin::elf::{Elf, SectionHeader};
use gopatch_trampolines::attach::MANIFEST_ID_BYTES;
use gopatch_trampolines::manifest::{self, Manifest, Site};
use sha2::{Digest, Sha256};

use crate::restore::{self, RestoreError};
use crate::sites::{NEAR_JUMP, SHORT_JUMP};

/// What fills the rest of a site.
const INT3: u8 = 0xCC;
/// A return.
const RET: u8 = 0xC3;
/// How many instructions a stack check has at most.
const LONGEST_STACK_CHECK: usize = 6;

/// What is wrong with an output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not an ELF file.
    #[error("it is not an ELF file")]
    Elf(#[from] goblin::error::Error),
    /// The manifest cannot be read, or the input not given back.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The manifest is not the one that was written.
    #[error("the manifest was changed after gopatch wrote it")]
    ManifestDigest,
    /// The emitted code is not the one that was written.
    #[error("the emitted code was changed after gopatch wrote it")]
    CodeDigest,
    /// A part of the file is missing.
    #[error("{what} lies outside of the file")]
    Outside {
        /// Which part.
        what: &'static str,
    },
    /// The file was not made from the input that it is compared with.
    #[error("byte {offset:#x} of the input that it should be made from is another")]
    OtherInput {
        /// Offset in the file.
        offset: usize,
    },
    /// A header field is neither the input's nor what it should be.
    #[error("the ELF header's {what} is not as gopatch wrote it")]
    Header {
        /// Which field.
        what: &'static str,
    },
    /// A segment of the input is not in the output, or one was added that should not be there.
    #[error("segment {index} is not as it should be")]
    Segment {
        /// Index in the program header table.
        index: usize,
    },
    /// A section of the input is not in the output as it was.
    #[error("section {index} is not as it should be")]
    Section {
        /// Index in the section header table.
        index: usize,
    },
    /// A site does not jump to its thunk, or the thunk does not come back.
    #[error("the site at {va:#x} with its thunk at {thunk:#x}: {what}")]
    Site {
        /// Address of the site.
        va: u64,
        /// Address of the thunk.
        thunk: u64,
        /// What is wrong.
        what: String,
    },
    /// A function that should return at once has no place that does so, or several.
    #[error("{name} should return at once, but {places} places do so")]
    Skip {
        /// The function.
        name: String,
        /// Sites that stand in for its body.
        places: usize,
    },
    /// The decoder cannot be had.
    #[error("the decoder failed")]
    Decoder(#[from] capstone::Error),
}

/// Checks `output`, also against `input` if it is at hand, and gives its manifest.
pub fn verify(output: &[u8], input: Option<&[u8]>) -> Result<Manifest, VerifyError> {
    let elf = Elf::parse(output)?;
    let (manifest, manifest_bytes) = restore::read_manifest(&elf, output)?;
    code_is_whole(output, &manifest, manifest_bytes)?;
    let restored = restore::restore(output, &manifest)?;
    if let Some(input) = input.filter(|input| *input != restored) {
        let differs = restored.iter().zip(input).position(|(ours, theirs)| ours != theirs);
        let offset = differs.or_else(|| (restored.len() != input.len()).then_some(restored.len().min(input.len())));
        offset.map_or(Ok(()), |offset| Err(VerifyError::OtherInput { offset }))?;
    }
    let original = Elf::parse(&restored)?;
    same_headers(&original, &elf, &manifest)?;
    Sites::new(output, &restored, &elf, &manifest)?.check()?;
    Ok(manifest)
}

fn code_range(manifest: &Manifest) -> Option<Range<usize>> {
    let start = usize::try_from(manifest.code.offset).ok()?;
    Some(start..start.checked_add(usize::try_from(manifest.code.size).ok()?)?)
}

fn code_is_whole(output: &[u8], manifest: &Manifest, manifest_bytes: &[u8]) -> Result<(), VerifyError> {
    let outside = VerifyError::Outside { what: "the emitted code" };
    let code = code_range(manifest).and_then(|range| output.get(range)).ok_or(outside)?;
    let mut code = code.to_vec();
    let id_at = usize::try_from(manifest.code.id_offset).unwrap_or(usize::MAX);
    let id = id_at.checked_add(MANIFEST_ID_BYTES).and_then(|end| code.get_mut(id_at..end));
    let id = id.ok_or(VerifyError::Outside { what: "the manifest's id" })?;
    if *id != Sha256::digest(manifest_bytes)[..MANIFEST_ID_BYTES] {
        return Err(VerifyError::ManifestDigest);
    }
    id.fill(0);
    if manifest::to_hex(&Sha256::digest(&code)) != manifest.code.sha256 {
        return Err(VerifyError::CodeDigest);
    }
    Ok(())
}

fn same_headers(original: &Elf<'_>, elf: &Elf<'_>, manifest: &Manifest) -> Result<(), VerifyError> {
    let (before, after) = (&original.header, &elf.header);
    for (what, same) in [
        ("identification", before.e_ident == after.e_ident),
        ("type", before.e_type == after.e_type),
        ("machine", before.e_machine == after.e_machine),
        ("version", before.e_version == after.e_version),
        ("flags", before.e_flags == after.e_flags),
        ("size", before.e_ehsize == after.e_ehsize && before.e_phentsize == after.e_phentsize),
        ("entry point", after.e_entry == manifest.code.stub),
    ] {
        if !same {
            return Err(VerifyError::Header { what });
        }
    }
    same_segments(&original.program_headers, &elf.program_headers, manifest)?;
    // Names are written anew, so they are compared as text; the names' own section has moved.
    let shown = |elf: &Elf<'_>, section: &SectionHeader| {
        let name = elf.shdr_strtab.get_at(section.sh_name).unwrap_or_default().to_owned();
        (name, SectionHeader { sh_name: 0, ..section.clone() })
    };
    for (index, section) in original.section_headers.iter().enumerate() {
        let same = elf.section_headers.get(index).is_some_and(|other| {
            let (before, after) = (shown(original, section), shown(elf, other));
            before == after || (index == usize::from(original.header.e_shstrndx) && before.0 == after.0)
        });
        if !same {
            return Err(VerifyError::Section { index });
        }
    }
    Ok(())
}

/// Every segment of the input is there as it was; only PT_PHDR may differ, as the table has grown. Two were added: memory
/// that is not executable, and code that is not writable.
fn same_segments(before: &[ProgramHeader], after: &[ProgramHeader], manifest: &Manifest) -> Result<(), VerifyError> {
    for (index, segment) in before.iter().enumerate() {
        let same = after.get(index).is_some_and(|other| {
            other == segment
                || (segment.p_type == PT_PHDR && other.p_type == PT_PHDR && other.p_flags == segment.p_flags)
        });
        if !same {
            return Err(VerifyError::Segment { index });
        }
    }
    let code = manifest.code.va..manifest.code.va.saturating_add(manifest.code.size);
    let added_as_meant = |index: usize, segment: &ProgramHeader| {
        let memory = index == before.len() && segment.p_flags & PF_X == 0 && segment.p_filesz == 0;
        let text = index == before.len() + 1
            && segment.p_flags & PF_W == 0
            && segment.p_vaddr <= code.start
            && segment.p_vaddr.checked_add(segment.p_filesz) == Some(code.end)
            && segment.p_offset.wrapping_sub(segment.p_vaddr) == manifest.code.offset.wrapping_sub(code.start);
        segment.p_type == PT_LOAD && (memory || text)
    };
    let added = after.iter().enumerate().skip(before.len());
    match added.clone().find(|(index, segment)| !added_as_meant(*index, segment)) {
        Some((index, _)) => Err(VerifyError::Segment { index }),
        None if added.count() == 2 => Ok(()),
        None => Err(VerifyError::Segment { index: after.len() }),
    }
}

/// The sites and thunks of an output.
struct Sites<'a> {
    output: &'a [u8],
    restored: &'a [u8],
    elf: &'a Elf<'a>,
    manifest: &'a Manifest,
    decoder: Capstone,
    code: Range<u64>,
    thunks: BTreeSet<u64>,
    islands: BTreeSet<u64>,
}

/// Where an instruction goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// At the next.
    Next,
    /// There or at the next.
    Branch(u64),
    /// There.
    Jump(u64),
    /// At a place in a register or in memory.
    Indirect,
    /// In the caller.
    Return,
    /// In another function.
    Call,
}

/// How instructions leave a range of bytes.
#[derive(Default)]
struct WaysOut {
    /// Where conditional branches lead.
    branches: BTreeSet<u64>,
    /// Where the last instruction leads.
    onward: Option<u64>,
    /// The last instruction, if it is a return or an indirect jump.
    last: Option<Vec<u8>>,
}

impl WaysOut {
    /// The same, but for another thunk that comes first.
    fn by_way_of(mut self, next_thunk: Option<u64>) -> Self {
        if next_thunk.is_some() {
            (self.last, self.onward) = (None, next_thunk);
        }
        self
    }
}

impl<'a> Sites<'a> {
    fn new(
        output: &'a [u8],
        restored: &'a [u8],
        elf: &'a Elf<'a>,
        manifest: &'a Manifest,
    ) -> Result<Self, VerifyError> {
        let decoder = Capstone::new().x86().mode(ArchMode::Mode64).detail(true).build()?;
        let code = manifest.code.va..manifest.code.va.saturating_add(manifest.code.size);
        let thunks = manifest.sites.iter().map(|site| site.thunk).collect();
        let islands = manifest.sites.iter().filter_map(|site| site.island).collect();
        Ok(Self { output, restored, elf, manifest, decoder, code, thunks, islands })
    }

    fn check(&self) -> Result<(), VerifyError> {
        let mut places: BTreeMap<u64, Vec<&Site>> = BTreeMap::new();
        for site in &self.manifest.sites {
            places.entry(site.va).or_default().push(site);
        }
        places.values().try_for_each(|sites| self.check_place(sites))?;
        for (index, function) in self.manifest.functions.iter().enumerate() {
            let places = self.manifest.sites.iter().filter(|site| site.skips == Some(index as u32)).count();
            if places != usize::from(function.skip.is_some()) {
                return Err(VerifyError::Skip { name: function.name.clone(), places });
            }
        }
        Ok(())
    }

    /// The thunks that run at one place.
    fn check_place(&self, sites: &[&Site]) -> Result<(), VerifyError> {
        let skips = sites.iter().find(|site| site.skips.is_some());
        if let Some(site) = skips {
            let checked = self.stands_in_for_body(site).and_then(|()| self.only_sets_results(site));
            checked.map_err(|what| VerifyError::Site { va: site.va, thunk: site.thunk, what })?;
        }
        for (index, site) in sites.iter().enumerate() {
            let wrong = |what| VerifyError::Site { va: site.va, thunk: site.thunk, what };
            if index == 0 {
                self.leads_to_thunk(site).map_err(wrong)?;
                self.rest_is_filled(site).map_err(wrong)?;
            }
            let next = sites.get(index + 1).map(|next| next.thunk);
            let ways = if skips.is_some() {
                Ok(WaysOut { onward: next, last: next.is_none().then(|| vec![RET]), ..WaysOut::default() })
            } else {
                let len = manifest::from_hex(&site.original).unwrap_or_default().len() as u64;
                self.ways_out(site.va, site.va.saturating_add(len)).map(|ways| ways.by_way_of(next))
            };
            ways.and_then(|ways| self.thunk_comes_back(site, &ways)).map_err(wrong)?;
        }
        Ok(())
    }

    /// The site lies at the beginning of the function whose body its thunk stands in for: nothing but a stack check comes
    /// before.
    fn stands_in_for_body(&self, site: &Site) -> Result<(), String> {
        let function = site.skips.and_then(|index| self.manifest.functions.get(index as usize));
        let Some(function) = function.filter(|function| function.skip.is_some()) else {
            return Err("it returns, but the manifest does not say of the function that it should".to_owned());
        };
        let mut va = function.va;
        for _ in 0..=LONGEST_STACK_CHECK {
            if va == site.va {
                return Ok(());
            }
            match self.decode(self.restored, va)? {
                (len, Step::Next | Step::Branch(_)) => va += len,
                _ => break,
            }
        }
        Err(format!("it returns, but does not lie at the beginning of {}", function.name))
    }

    /// What stands in for a body moves constants into registers, or into the caller's frame, and then leaves.
    fn only_sets_results(&self, site: &Site) -> Result<(), String> {
        use X86Reg::{X86_REG_EBP, X86_REG_ESP, X86_REG_R14, X86_REG_R14D, X86_REG_RBP, X86_REG_RSP, X86_REG_XMM15};
        let kept = [X86_REG_RSP, X86_REG_ESP, X86_REG_RBP, X86_REG_EBP, X86_REG_R14, X86_REG_R14D, X86_REG_XMM15]
            .map(|register| RegId(register as u16));
        let mut va = site.thunk;
        loop {
            let bytes = self.code_bytes(self.output, va).ok_or_else(|| format!("{va:#x} is not code"))?;
            let decoded = self.decoder.disasm_count(bytes, va, 1).map_err(|error| error.to_string())?;
            let instruction = decoded.first().ok_or_else(|| format!("no instruction at {va:#x}"))?;
            if matches!(instruction.mnemonic(), Some("jmp" | "ret")) {
                return Ok(());
            }
            let moves = matches!(instruction.mnemonic(), Some("mov" | "movabs" | "lea" | "xor" | "xorps" | "movq"));
            let detail = self.decoder.insn_detail(instruction).map_err(|error| error.to_string())?;
            let to = detail.arch_detail().x86().and_then(|x86| Some(x86.operands().next()?.op_type));
            let is_result = match to {
                Some(X86OperandType::Reg(register)) => !kept.contains(&register),
                // The return address lies at RSP.
                Some(X86OperandType::Mem(memory)) => {
                    memory.base() == kept[0] && memory.index() == RegId::INVALID_REG && memory.disp() >= 8
                }
                _ => false,
            };
            if !moves || !is_result {
                return Err(format!("what stands at {va:#x} does not set a result"));
            }
            va += instruction.len() as u64;
        }
    }

    /// The site's first instruction is a jump to its thunk, or to the island where that jump lies.
    fn leads_to_thunk(&self, site: &Site) -> Result<(), String> {
        let mut jump_at = site.va;
        if let Some(island) = site.island {
            if self.jump_target(jump_at)? != island || !self.is_left_over(island) {
                return Err("the jump does not lead to its island in another site's bytes".to_owned());
            }
            jump_at = island;
        }
        let target = self.jump_target(jump_at)?;
        if target == site.thunk && self.code.contains(&target) {
            Ok(())
        } else {
            Err("the jump leads elsewhere".to_owned())
        }
    }

    /// Behind the site's jump stands what ends the program if it is ever reached, beside islands.
    fn rest_is_filled(&self, site: &Site) -> Result<(), String> {
        let jump = if site.island.is_some() { SHORT_JUMP } else { NEAR_JUMP } as u64;
        let is_island =
            |va: u64| self.islands.range(..=va).next_back().is_some_and(|start| va - start < NEAR_JUMP as u64);
        let behind = site.va.saturating_add(site.original.len() as u64 / 2);
        for va in site.va.saturating_add(jump)..behind {
            let byte = self.code_bytes(self.output, va).and_then(|bytes| bytes.first());
            if byte != Some(&INT3) && !is_island(va) {
                return Err(format!("what stands at {va:#x}, behind its jump, is not as gopatch wrote it"));
            }
        }
        Ok(())
    }

    /// Where the direct jump at `va` leads.
    fn jump_target(&self, va: u64) -> Result<u64, String> {
        match self.decode(self.output, va)? {
            (_, Step::Jump(target)) => Ok(target),
            _ => Err(format!("no direct jump at {va:#x}")),
        }
    }

    /// Whether `island` lies in the bytes of a site, behind its own jump, so that nobody comes across it.
    fn is_left_over(&self, island: u64) -> bool {
        let jump = NEAR_JUMP as u64;
        self.manifest.sites.iter().any(|host| {
            let behind = host.va.saturating_add((host.original.len() / 2) as u64);
            host.island.is_none() && host.va.saturating_add(jump) <= island && island.saturating_add(jump) <= behind
        })
    }

    /// All that can be reached from the thunk stays in the code, until it leaves as it should: for the thunk that runs
    /// next, or as it may.
    fn thunk_comes_back(&self, site: &Site, ways: &WaysOut) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        let mut ahead = vec![site.thunk];
        let mut leaves = false;
        while let Some(va) = ahead.pop() {
            if !seen.insert(va) {
                continue;
            }
            let (len, step) = self.decode(self.output, va)?;
            let (target, falls_through) = match step {
                Step::Call => return Err(format!("a call at {va:#x}")),
                // The runtime's tick, which is nobody's point, comes back from its own subroutines so.
                Step::Indirect if site.point.is_none() => continue,
                Step::Return | Step::Indirect => {
                    if ways.last.as_deref() != Some(self.instruction(self.output, va, len)?) {
                        return Err(format!("a way out at {va:#x} that the original has not"));
                    }
                    leaves = true;
                    continue;
                }
                Step::Next => (None, true),
                Step::Branch(target) => (Some(target), true),
                Step::Jump(target) => (Some(target), false),
            };
            for next in target.into_iter().chain(falls_through.then(|| va + len)) {
                if ways.branches.contains(&next) || ways.onward == Some(next) {
                    leaves = true;
                    continue;
                }
                if !self.code.contains(&next) {
                    return Err(format!("a way to {next:#x}, which is outside of the emitted code"));
                }
                if next != site.thunk && self.thunks.contains(&next) {
                    return Err(format!("a way into another thunk, at {next:#x}"));
                }
                ahead.push(next);
            }
        }
        if leaves { Ok(()) } else { Err("the thunk does not lead back".to_owned()) }
    }

    /// How the original instructions from `va` on leave the bytes that end at `behind`.
    fn ways_out(&self, mut va: u64, behind: u64) -> Result<WaysOut, String> {
        let mut ways = WaysOut::default();
        while va < behind {
            let (len, step) = self.decode(self.restored, va)?;
            match step {
                Step::Next | Step::Call => {}
                Step::Branch(target) => _ = ways.branches.insert(target),
                Step::Jump(target) => {
                    ways.onward = Some(target);
                    return Ok(ways);
                }
                Step::Return | Step::Indirect => {
                    ways.last = Some(self.instruction(self.restored, va, len)?.to_vec());
                    return Ok(ways);
                }
            }
            va += len;
        }
        ways.onward = Some(va);
        Ok(ways)
    }

    /// The instruction at `va`, and its length.
    fn decode(&self, file: &[u8], va: u64) -> Result<(u64, Step), String> {
        let bytes = self.code_bytes(file, va).ok_or_else(|| format!("{va:#x} is not code"))?;
        let decoded = self.decoder.disasm_count(bytes, va, 1).map_err(|error| error.to_string())?;
        let instruction = decoded.first().ok_or_else(|| format!("no instruction at {va:#x}"))?;
        Ok((instruction.len() as u64, self.step(instruction).map_err(|error| error.to_string())?))
    }

    fn step(&self, instruction: &Insn<'_>) -> Result<Step, capstone::Error> {
        let detail = self.decoder.insn_detail(instruction)?;
        let is = |group| detail.groups().contains(&capstone::InsnGroupId(group as u8));
        let target = detail.arch_detail().x86().and_then(|x86| match x86.operands().next()?.op_type {
            X86OperandType::Imm(target) => Some(target as u64),
            _ => None,
        });
        Ok(if is(InsnGroupType::CS_GRP_CALL) {
            Step::Call
        } else if is(InsnGroupType::CS_GRP_RET) {
            Step::Return
        } else if is(InsnGroupType::CS_GRP_JUMP) {
            match target {
                Some(target) if instruction.mnemonic() == Some("jmp") => Step::Jump(target),
                Some(target) => Step::Branch(target),
                None => Step::Indirect,
            }
        } else {
            Step::Next
        })
    }

    /// The `len` bytes of the instruction at `va`.
    fn instruction<'f>(&self, file: &'f [u8], va: u64, len: u64) -> Result<&'f [u8], String> {
        let bytes = self.code_bytes(file, va).and_then(|bytes| bytes.get(..len as usize));
        bytes.ok_or_else(|| format!("{va:#x} is not code"))
    }

    /// The bytes from address `va` on, as far as one instruction can reach, if they are code.
    fn code_bytes<'f>(&self, file: &'f [u8], va: u64) -> Option<&'f [u8]> {
        let segment = self.elf.program_headers.iter().find(|segment| {
            let end = segment.p_vaddr.checked_add(segment.p_filesz);
            segment.p_type == PT_LOAD
                && segment.p_flags & PF_X != 0
                && segment.p_vaddr <= va
                && end.is_some_and(|end| va < end)
        })?;
        let start = usize::try_from(segment.p_offset.checked_add(va - segment.p_vaddr)?).ok()?;
        let end = usize::try_from(segment.p_offset.checked_add(segment.p_filesz)?).ok()?;
        file.get(start..end.min(start + 15).min(file.len()))
    }
}
