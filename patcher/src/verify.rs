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
//! 2. With the listed bytes put back, the file has the input's digest, or where the input is at hand is the input: so no
//!    other byte of it was changed.
//! 3. The ELF header, the segments and the sections are the input's, and what was added is what the manifest names.
//! 4. Each site is a jump to its thunk, or a short jump to an island, in bytes that another site left over, which is one. The
//!    rest of its bytes are `int3`.
//! 5. Each thunk holds no call, branches only within the code, and leaves it as the bytes did that stood at its site. Of
//!    several at one site, listed in the order in which they run, each leads to the next and only the last does that.
//!    One way more is there for an instruction that follows a pointer: with nil it goes to the runtime's panic, naming itself.
//!    A call is a jump that names the place behind it.

mod symbols;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Read};
use std::ops::Range;
use std::thread;

use capstone::arch::x86::{ArchMode, X86OperandType, X86Reg};
use capstone::arch::{BuildsCapstone, DetailsArchInsn};
use capstone::{Capstone, Insn, InsnGroupType};
use goblin::container::Endian;
use goblin::container::{Container, Ctx};
use goblin::elf::program_header::{PF_W, PF_X, PT_LOAD, PT_PHDR, ProgramHeader};
use goblin::elf::section_header::SHT_SYMTAB;
use goblin::elf::{Elf, SectionHeader};
use goblin::strtab::Strtab;
use gopatch_trampolines::attach::MANIFEST_ID_BYTES;
use gopatch_trampolines::manifest::{self, Manifest, Site};
use sha2::{Digest, Sha256};

use crate::restore::{self, RestoreError};
use crate::sites::{NEAR_JUMP, SHORT_JUMP};
use symbols::File;

/// What fills the rest of a site.
const INT3: u8 = 0xCC;
/// Instructions at most from where a thunk takes an address of the program to where it jumps to a function of it.
const LONGEST_CALL: usize = 7;

/// Bytes that are compared at a time: few enough to stay in a processor's cache.
const COMPARED_AT_ONCE: usize = 128 << 10;

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
    /// The output or its input cannot be read again.
    #[error("it cannot be read again")]
    Read(#[from] io::Error),
    /// The decoder cannot be had.
    #[error("the decoder failed")]
    Decoder(#[from] capstone::Error),
}

/// Checks `output`, also against `input` if it is at hand, and gives its manifest.
pub fn verify(output: &[u8], input: Option<&[u8]>) -> Result<Manifest, VerifyError> {
    let elf = headers_of(output)?;
    let (manifest, manifest_bytes) = restore::read_manifest(&elf, output)?;
    code_is_whole(output, &manifest, manifest_bytes)?;
    let restored = restore::restore(&elf, output, &manifest)?;
    if let Some(input) = input.filter(|input| *input != restored) {
        let differs = restored.iter().zip(input).position(|(ours, theirs)| ours != theirs);
        let offset = differs.or_else(|| (restored.len() != input.len()).then_some(restored.len().min(input.len())));
        offset.map_or(Ok(()), |offset| Err(VerifyError::OtherInput { offset }))?;
    }
    let original = headers_of(&restored)?;
    same_headers(File { bytes: &restored, elf: &original }, File { bytes: output, elf: &elf }, &manifest)?;
    Sites::new(output, &restored, &elf, &manifest)?.check()?;
    Ok(manifest)
}

/// Checks an output that was just made from `input`. Every byte is compared with the input's, so no digest of it is
/// needed: `written` and `read` give the bytes of the two files once more, so that not all of both need be in memory.
pub fn verify_written(
    output: &[u8],
    input: &[u8],
    written: impl Read + Send,
    read: impl Read,
) -> Result<Manifest, VerifyError> {
    let elf = headers_of(output)?;
    let (manifest, manifest_bytes) = restore::read_manifest(&elf, output)?;
    code_is_whole(output, &manifest, manifest_bytes)?;
    let listed = restore::overwritten(&elf, &manifest)?;
    originals_are_inputs(input, &manifest, &listed)?;
    let original = headers_of(input)?;
    same_headers(File { bytes: input, elf: &original }, File { bytes: output, elf: &elf }, &manifest)?;
    thread::scope(|scope| {
        let manifest = &manifest;
        let sites = scope.spawn(|| Sites::new(output, input, &elf, manifest)?.check());
        only_listed_differ(written, read, input.len(), &listed)?;
        sites.join().expect("a check does not panic")
    })?;
    Ok(manifest)
}

/// The headers and the sections' names: nothing else of an ELF file is looked at here.
pub(crate) fn headers_of(file: &[u8]) -> Result<Elf<'_>, goblin::error::Error> {
    let mut elf = Elf::lazy_parse(Elf::parse_header(file)?)?;
    let (header, ctx) = (&elf.header, Ctx::new(Container::Big, Endian::Little));
    let tables = [(header.e_phoff, header.e_phnum), (header.e_shoff, header.e_shnum)];
    let [(segments_at, segments), (sections_at, sections)] =
        tables.map(|(offset, count)| (usize::try_from(offset).unwrap_or(usize::MAX), usize::from(count)));
    elf.program_headers = ProgramHeader::parse(file, segments_at, segments, ctx)?;
    elf.section_headers = SectionHeader::parse(file, sections_at, sections, ctx)?;
    let names = elf.section_headers.get(usize::from(header.e_shstrndx)).and_then(SectionHeader::file_range);
    if let Some(range) = names.filter(|range| range.end <= file.len()) {
        elf.shdr_strtab = Strtab::parse(file, range.start, range.len(), 0)?;
    }
    Ok(elf)
}

/// What the manifest says stood at each overwritten place is what stands there in the input.
fn originals_are_inputs(input: &[u8], manifest: &Manifest, listed: &[(usize, Vec<u8>)]) -> Result<(), VerifyError> {
    if manifest.input.size != input.len() as u64 {
        return Err(VerifyError::OtherInput { offset: input.len() });
    }
    let stands = |(offset, original): &&(usize, Vec<u8>)| {
        input.get(*offset..offset.saturating_add(original.len())) == Some(original)
    };
    let wrong = listed.iter().find(|place| !stands(place));
    wrong.map_or(Ok(()), |(offset, _)| Err(VerifyError::OtherInput { offset: *offset }))
}

/// Every byte of the input's `size` bytes that no entry of the manifest lists is in the output as it was.
fn only_listed_differ(
    mut written: impl Read,
    mut read: impl Read,
    size: usize,
    listed: &[(usize, Vec<u8>)],
) -> Result<(), VerifyError> {
    let mut listed: Vec<_> = listed.iter().map(|(offset, original)| *offset..*offset + original.len()).collect();
    listed.sort_unstable_by_key(|range| range.start);
    let mut listed = &listed[..];
    let (mut ours, mut theirs) = (vec![0; COMPARED_AT_ONCE], vec![0; COMPARED_AT_ONCE]);
    let mut start = 0;
    while start < size {
        let len = COMPARED_AT_ONCE.min(size - start);
        let (ours, theirs) = (&mut ours[..len], &mut theirs[..len]);
        written.read_exact(ours)?;
        read.read_exact(theirs)?;
        while listed.first().is_some_and(|range| range.end <= start) {
            listed = &listed[1..];
        }
        let end = start + len;
        for range in listed.iter().take_while(|range| range.start < end).filter(|range| start < range.end) {
            let within = range.start.max(start) - start..range.end.min(end) - start;
            ours[within.clone()].copy_from_slice(&theirs[within]);
        }
        if ours != theirs {
            let differs = ours.iter().zip(&*theirs).position(|(ours, theirs)| ours != theirs).unwrap_or_default();
            return Err(VerifyError::OtherInput { offset: start + differs });
        }
        start = end;
    }
    Ok(())
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

fn same_headers(input: File<'_>, output: File<'_>, manifest: &Manifest) -> Result<(), VerifyError> {
    let (original, elf) = (input.elf, output.elf);
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
    let code = manifest.code.va..manifest.code.va.saturating_add(manifest.code.size);
    // Names are written anew, so they are compared as text; the names' own section has moved.
    let shown = |elf: &Elf<'_>, section: &SectionHeader| {
        let name = elf.shdr_strtab.get_at(section.sh_name).unwrap_or_default().to_owned();
        (name, SectionHeader { sh_name: 0, ..section.clone() })
    };
    for (index, section) in original.section_headers.iter().enumerate() {
        let same = elf.section_headers.get(index).is_some_and(|other| {
            let (before, after) = (shown(original, section), shown(elf, other));
            let names = index == usize::from(original.header.e_shstrndx);
            before == after || before.0 == after.0 && (names || symbols::has_grown(index, input, output, &code))
        });
        if !same {
            return Err(VerifyError::Section { index });
        }
    }
    let is_table = |section: &SectionHeader| section.sh_type == SHT_SYMTAB;
    let new = elf.section_headers.iter().skip(original.section_headers.len()).position(is_table);
    match new.map(|index| index + original.section_headers.len()) {
        Some(index) if !symbols::only_code_was_added(None, output, &code) => Err(VerifyError::Section { index }),
        _ => Ok(()),
    }
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
    decoded: RefCell<HashMap<u64, (u64, Step)>>,
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
    Call(Option<u64>),
}

/// How instructions leave a range of bytes.
#[derive(Default)]
struct WaysOut {
    /// Where branches lead, and what comes behind the range.
    onward: BTreeSet<u64>,
    /// Returns and indirect jumps.
    last: BTreeSet<Vec<u8>>,
    /// Instructions that follow a pointer.
    pointed: BTreeSet<u64>,
    /// Where a call leads that is the last instruction, and where it comes back to.
    call: Option<(u64, u64)>,
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
        Ok(Self { output, restored, elf, manifest, decoder, decoded: RefCell::default(), code, thunks, islands })
    }

    fn check(&self) -> Result<(), VerifyError> {
        let mut places: BTreeMap<u64, Vec<&Site>> = BTreeMap::new();
        for site in &self.manifest.sites {
            places.entry(site.va).or_default().push(site);
        }
        places.values().try_for_each(|sites| self.check_place(sites))
    }

    /// The thunks that run at one place.
    fn check_place(&self, sites: &[&Site]) -> Result<(), VerifyError> {
        for (index, site) in sites.iter().enumerate() {
            let wrong = |what| VerifyError::Site { va: site.va, thunk: site.thunk, what };
            if index == 0 {
                self.leads_to_thunk(site).map_err(wrong)?;
                self.rest_is_filled(site).map_err(wrong)?;
            }
            let original = manifest::from_hex(&site.original).unwrap_or_default();
            let next = sites.get(index + 1).map(|next| next.thunk);
            self.thunk_comes_back(site, &original, next).map_err(wrong)?;
        }
        Ok(())
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
    /// next, or as the original bytes do.
    fn thunk_comes_back(&self, site: &Site, original: &[u8], next_thunk: Option<u64>) -> Result<(), String> {
        let mut ways = self.ways_out(site.va, site.va.saturating_add(original.len() as u64))?;
        if let Some(next_thunk) = next_thunk {
            // What leaves by a branch may also do so before the next hook.
            ways.last.clear();
            ways.onward.insert(next_thunk);
        }
        let mut seen = BTreeSet::new();
        let mut ahead = vec![site.thunk];
        let mut leaves = false;
        while let Some(va) = ahead.pop() {
            if !seen.insert(va) {
                continue;
            }
            let (len, step) = self.decode_once(va)?;
            let (target, falls_through) = match step {
                Step::Call(_) => return Err(format!("a call at {va:#x}")),
                // The runtime's tick, which is nobody's point, comes back from its own subroutines so.
                Step::Indirect if site.point.is_none() => continue,
                Step::Return | Step::Indirect => {
                    if !ways.last.contains(self.instruction(self.output, va, len)?) {
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
                if ways.onward.contains(&next) {
                    leaves = true;
                    continue;
                }
                if let Some((_, back)) = ways.call.filter(|(callee, _)| *callee == next && !falls_through) {
                    self.names_one_of(&seen, &BTreeSet::from([back]))?;
                    leaves = true;
                    continue;
                }
                if Some(next) == self.manifest.code.sigpanic && !falls_through {
                    self.names_one_of(&seen, &ways.pointed)?;
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
    fn ways_out(&self, start: u64, behind: u64) -> Result<WaysOut, String> {
        let mut ways = WaysOut::default();
        let (mut va, mut falls_through) = (start, true);
        while va < behind {
            let (len, step) = self.decode(self.restored, va)?;
            if self.instruction(self.restored, va, len)? == [INT3] {
                // Padding.
                va += len;
                continue;
            }
            if self.follows_pointer(va)? {
                ways.pointed.insert(va);
            }
            falls_through = !matches!(step, Step::Jump(_) | Step::Return | Step::Indirect);
            match step {
                Step::Call(Some(target)) if va + len == behind => {
                    ways.call = Some((target, behind));
                    falls_through = false;
                }
                Step::Next | Step::Call(_) => {}
                Step::Branch(target) | Step::Jump(target) if (start..behind).contains(&target) => {}
                Step::Branch(target) | Step::Jump(target) => _ = ways.onward.insert(target),
                Step::Return | Step::Indirect => {
                    ways.last.insert(self.instruction(self.restored, va, len)?.to_vec());
                }
            }
            va += len;
        }
        if falls_through {
            ways.onward.insert(va);
        }
        Ok(ways)
    }

    /// Whether the original instruction at `va` has an operand in memory at an address that comes from a pointer.
    fn follows_pointer(&self, va: u64) -> Result<bool, String> {
        let bytes = self.code_bytes(self.restored, va).ok_or_else(|| format!("{va:#x} is not code"))?;
        let decoded = self.decoder.disasm_count(bytes, va, 1).map_err(|error| error.to_string())?;
        let instruction = decoded.first().ok_or_else(|| format!("no instruction at {va:#x}"))?;
        let detail = self.decoder.insn_detail(instruction).map_err(|error| error.to_string())?;
        let arch = detail.arch_detail();
        let operands = arch.x86().into_iter().flat_map(|x86| x86.operands());
        let known = [X86Reg::X86_REG_RIP, X86Reg::X86_REG_RSP].map(|register| capstone::RegId(register as u16));
        let points = operands.into_iter().any(|operand| match operand.op_type {
            X86OperandType::Mem(memory) => !known.contains(&memory.base()) || memory.index().0 != 0,
            _ => false,
        });
        Ok(points && !matches!(instruction.mnemonic(), Some("lea" | "nop")))
    }

    /// The last address that a thunk takes, among the instructions at `seen`, is one of `expected`.
    fn names_one_of(&self, seen: &BTreeSet<u64>, expected: &BTreeSet<u64>) -> Result<(), String> {
        for va in seen.iter().rev().take(LONGEST_CALL) {
            let bytes = self.code_bytes(self.output, *va).ok_or_else(|| format!("{va:#x} is not code"))?;
            let decoded = self.decoder.disasm_count(bytes, *va, 1).map_err(|error| error.to_string())?;
            let Some(instruction) = decoded.first().filter(|it| it.mnemonic() == Some("lea")) else { continue };
            let detail = self.decoder.insn_detail(instruction).map_err(|error| error.to_string())?;
            let arch = detail.arch_detail();
            let mut operands = arch.x86().into_iter().flat_map(|x86| x86.operands());
            let named = operands.find_map(|operand| match operand.op_type {
                X86OperandType::Mem(memory) => Some((va + instruction.len() as u64).wrapping_add_signed(memory.disp())),
                _ => None,
            });
            if named.is_some_and(|named| expected.contains(&named)) {
                return Ok(());
            }
            break;
        }
        Err("a way to a function of the program that does not name where it comes from".to_owned())
    }

    /// The output's instruction at `va`, and its length. Hooks share code, so many thunks come by the same instructions.
    fn decode_once(&self, va: u64) -> Result<(u64, Step), String> {
        if let Some(decoded) = self.decoded.borrow().get(&va) {
            return Ok(*decoded);
        }
        let decoded = self.decode(self.output, va)?;
        self.decoded.borrow_mut().insert(va, decoded);
        Ok(decoded)
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
            Step::Call(target)
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
