//! The sites and thunks of an output.
//!
//! Decides: whether each site leads to emitted code, and whether that code leads back.
//! Trusts: capstone.
//!
//! The checks, in this order:
//!
//! 1. Each site is a jump to its thunk, or a short jump to an island that is such a jump, in unused
//!    bytes of another site. The rest of its bytes are `int3`.
//! 2. Each thunk holds no call, branches only within the code, and leaves it as the site's original
//!    bytes did. Of several at one site, listed in the order in which they run, each leads to the
//!    next and only the last leaves. Two more ways out are allowed: an instruction that follows a
//!    pointer may jump to the runtime's panic for nil, after it takes its own address; and a call
//!    is a jump after the thunk takes the address to return to.
//! 3. Where the manifest gives a function constants to return, the last thunk returns instead.
//!    There is one site for each such function, and the code that replaces its body sets results
//!    and does nothing else.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::thread;

use capstone::arch::x86::{ArchMode, X86InsnDetail, X86OperandType, X86Reg};
use capstone::arch::{BuildsCapstone, DetailsArchInsn};
use capstone::{Capstone, DisasmIter, Insn, InsnDetail, InsnGroupId, InsnGroupType, RegId};
use foldhash::fast::FixedState;
use goblin::elf::Elf;
use goblin::elf::program_header::{PF_X, PT_LOAD};
use gopatch_protocol::manifest::{self, Manifest, Site};

use super::VerifyError;
use crate::sites::{NEAR_JUMP, SHORT_JUMP};

/// Fills the rest of a site.
const INT3: u8 = 0xCC;
/// Most instructions from where a thunk takes an address of the program to its jump to a function
/// of the program.
const LONGEST_CALL: usize = 7;
/// A return, and the same as emitted code has it.
const RET: u8 = 0xC3;
const PREFIXED_RET: [u8; 2] = [0xF3, RET];
/// Most instructions of a stack check.
const LONGEST_STACK_CHECK: usize = 6;

/// The sites and thunks of an output.
struct Sites<'a> {
    output: &'a [u8],
    restored: &'a [u8],
    elf: &'a Elf<'a>,
    manifest: &'a Manifest,
    decoder: &'a Capstone,
    /// The decoder's buffer for an instruction. To allocate one takes nearly as long as to decode.
    instructions: RefCell<DisasmIter<'a, 'a>>,
    decoded: RefCell<HashMap<u64, (u64, Step), FixedState>>,
    code: Range<u64>,
    thunks: BTreeSet<u64>,
    islands: BTreeSet<u64>,
}

/// Where execution continues after an instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// At the next instruction.
    Next,
    /// At the target or at the next instruction.
    Branch(u64),
    /// At the target.
    Jump(u64),
    /// At an address in a register or in memory.
    Indirect,
    /// In the caller.
    Return,
    /// In another function.
    Call(Option<u64>),
}

/// How instructions leave a range of bytes.
#[derive(Default)]
struct WaysOut {
    /// Targets of branches.
    branches: BTreeSet<u64>,
    /// Where the last instruction leads.
    onward: Option<u64>,
    /// Returns and indirect jumps.
    last: BTreeSet<Vec<u8>>,
    /// Instructions that follow a pointer.
    pointed: BTreeSet<u64>,
    /// If the last instruction is a call: its target, and its return address.
    call: Option<(u64, u64)>,
}

impl WaysOut {
    /// The same, except that `next_thunk` runs first.
    fn through(mut self, next_thunk: Option<u64>) -> Self {
        if let Some(next_thunk) = next_thunk {
            self.last.clear();
            self.onward = Some(next_thunk);
        }
        self
    }
}

/// Checks all sites, in two threads that share nothing.
pub(super) fn check(output: &[u8], restored: &[u8], elf: &Elf<'_>, manifest: &Manifest) -> Result<(), VerifyError> {
    let mut places: BTreeMap<u64, Vec<&Site>> = BTreeMap::new();
    for site in &manifest.sites {
        places.entry(site.va).or_default().push(site);
    }
    let places: Vec<_> = places.into_values().collect();
    let check = |places: &[Vec<&Site>]| {
        let decoder = Capstone::new().x86().mode(ArchMode::Mode64).detail(true).build()?;
        let sites = Sites::new(&decoder, output, restored, elf, manifest)?;
        places.iter().try_for_each(|place| sites.check_place(place))
    };
    let (first, second) = places.split_at(places.len() / 2);
    thread::scope(|scope| {
        let other = scope.spawn(|| check(second));
        check(first)?;
        other.join().expect("checking does not panic")
    })?;
    for (index, function) in manifest.functions.iter().enumerate() {
        let places = manifest.sites.iter().filter(|site| site.skips == Some(index as u32)).count();
        if places != usize::from(function.skip.is_some()) {
            return Err(VerifyError::Skip { name: function.name.clone(), places });
        }
    }
    Ok(())
}

impl<'a> Sites<'a> {
    fn new(
        decoder: &'a Capstone,
        output: &'a [u8],
        restored: &'a [u8],
        elf: &'a Elf<'a>,
        manifest: &'a Manifest,
    ) -> Result<Self, VerifyError> {
        let instructions = RefCell::new(decoder.disasm_iter(&[], 0)?);
        let code = manifest.code.va..manifest.code.va.saturating_add(manifest.code.size);
        let thunks = manifest.sites.iter().map(|site| site.thunk).collect();
        let islands = manifest.sites.iter().filter_map(|site| site.island).collect();
        let decoded = RefCell::default();
        Ok(Self { output, restored, elf, manifest, decoder, instructions, decoded, code, thunks, islands })
    }

    /// Checks the thunks of one site.
    fn check_place(&self, sites: &[&Site]) -> Result<(), VerifyError> {
        let skips = sites.iter().find(|site| site.skips.is_some());
        if let Some(site) = skips {
            let checked = self.replaces_body(site).and_then(|()| self.only_sets_results(site));
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
                Ok(WaysOut {
                    onward: next,
                    last: next.is_none().then(|| vec![RET]).into_iter().collect(),
                    ..WaysOut::default()
                })
            } else {
                let len = manifest::from_hex(&site.original).unwrap_or_default().len() as u64;
                self.ways_out(site.va, site.va.saturating_add(len)).map(|ways| ways.through(next))
            };
            ways.and_then(|ways| self.leads_back(site, &ways)).map_err(wrong)?;
        }
        Ok(())
    }

    /// Checks that a site whose thunk replaces a function's body is at that function's beginning:
    /// only a stack check may come before it.
    fn replaces_body(&self, site: &Site) -> Result<(), String> {
        let function = site.skips.and_then(|index| self.manifest.functions.get(index as usize));
        let Some(function) = function.filter(|function| function.skip.is_some()) else {
            return Err("it returns, but the manifest does not say that the function should".to_owned());
        };
        let mut va = function.va;
        for _ in 0..=LONGEST_STACK_CHECK {
            if va == site.va {
                return Ok(());
            }
            match self.decode(self.restored, va)? {
                (len, Step::Next | Step::Branch(_)) => va = va.saturating_add(len),
                _ => break,
            }
        }
        Err(format!("it returns, but is not at the beginning of {}", function.name))
    }

    /// Checks that the code in place of a body only moves constants into registers or the caller's
    /// frame, and then leaves.
    fn only_sets_results(&self, site: &Site) -> Result<(), String> {
        use X86Reg::{X86_REG_EBP, X86_REG_ESP, X86_REG_R14, X86_REG_R14D, X86_REG_RBP, X86_REG_RSP, X86_REG_XMM15};
        let kept = [X86_REG_RSP, X86_REG_ESP, X86_REG_RBP, X86_REG_EBP, X86_REG_R14, X86_REG_R14D, X86_REG_XMM15]
            .map(|register| RegId(register as u16));
        let mut va = site.thunk;
        loop {
            let (len, is_end, sets_result) = self.at(self.output, va, |instruction| {
                let is_end = matches!(instruction.mnemonic(), Some("jmp" | "ret" | "repz ret" | "rep ret"));
                let moves = matches!(instruction.mnemonic(), Some("mov" | "movabs" | "lea" | "xor" | "xorps" | "movq"));
                let is_result = match instruction.operands().next() {
                    Some(X86OperandType::Reg(register)) => !kept.contains(&register),
                    // The return address is at RSP.
                    Some(X86OperandType::Mem(memory)) => {
                        memory.base() == kept[0] && memory.index() == RegId::INVALID_REG && memory.disp() >= 8
                    }
                    _ => false,
                };
                (instruction.len(), is_end, moves && is_result)
            })?;
            if is_end {
                return Ok(());
            }
            if !sets_result {
                return Err(format!("the instruction at {va:#x} does not set a result"));
            }
            va = va.saturating_add(len);
        }
    }

    /// Checks that the site begins with a jump to its thunk, or to an island with that jump.
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

    /// Checks that the bytes after the site's jump are `int3`, or islands.
    fn rest_is_filled(&self, site: &Site) -> Result<(), String> {
        let jump = if site.island.is_some() { SHORT_JUMP } else { NEAR_JUMP } as u64;
        let is_island =
            |va: u64| self.islands.range(..=va).next_back().is_some_and(|start| va - start < NEAR_JUMP as u64);
        let end = site.va.saturating_add(site.original.len() as u64 / 2);
        for va in site.va.saturating_add(jump)..end {
            let byte = self.code_bytes(self.output, va).and_then(|bytes| bytes.first());
            if byte != Some(&INT3) && !is_island(va) {
                return Err(format!("invalid byte at {va:#x}, after its jump"));
            }
        }
        Ok(())
    }

    /// The target of the direct jump at `va`.
    fn jump_target(&self, va: u64) -> Result<u64, String> {
        match self.decode(self.output, va)? {
            (_, Step::Jump(target)) => Ok(target),
            _ => Err(format!("no direct jump at {va:#x}")),
        }
    }

    /// Whether `island` lies in the bytes of a site after that site's own jump, so that nothing
    /// else reaches it.
    fn is_left_over(&self, island: u64) -> bool {
        let jump = NEAR_JUMP as u64;
        self.manifest.sites.iter().any(|host| {
            let end = host.va.saturating_add((host.original.len() / 2) as u64);
            host.island.is_none() && host.va.saturating_add(jump) <= island && island.saturating_add(jump) <= end
        })
    }

    /// Checks that everything reachable from the thunk stays in the emitted code until it leaves by
    /// one of `ways`.
    fn leads_back(&self, site: &Site, ways: &WaysOut) -> Result<(), String> {
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
                // The runtime's tick, which belongs to no point, returns from its own subroutines
                // this way.
                Step::Indirect if site.point.is_none() => continue,
                Step::Return | Step::Indirect => {
                    let way = self.instruction(self.output, va, len)?;
                    // A prefix makes no difference to a return.
                    if !ways.last.contains(if way == PREFIXED_RET { &way[1..] } else { way }) {
                        return Err(format!("a way out at {va:#x} that the original does not have"));
                    }
                    leaves = true;
                    continue;
                }
                Step::Next => (None, true),
                Step::Branch(target) => (Some(target), true),
                Step::Jump(target) => (Some(target), false),
            };
            for next in target.into_iter().chain(falls_through.then(|| va.saturating_add(len))) {
                if ways.onward == Some(next) || ways.branches.contains(&next) {
                    leaves = true;
                    continue;
                }
                if let Some((_, back)) = ways.call.filter(|(callee, _)| *callee == next && !falls_through) {
                    self.takes_one_of(va, &seen, &BTreeSet::from([back]))?;
                    leaves = true;
                    continue;
                }
                if Some(next) == self.manifest.code.sigpanic && !falls_through {
                    self.takes_one_of(va, &seen, &ways.pointed)?;
                    continue;
                }
                if !self.code.contains(&next) {
                    return Err(format!("a way to {next:#x}, outside the emitted code"));
                }
                if next != site.thunk && self.thunks.contains(&next) {
                    return Err(format!("a way into another thunk, at {next:#x}"));
                }
                ahead.push(next);
            }
        }
        if leaves { Ok(()) } else { Err("the thunk does not lead back".to_owned()) }
    }

    /// How the original instructions from `start` on leave the bytes that end at `end`.
    fn ways_out(&self, start: u64, end: u64) -> Result<WaysOut, String> {
        let mut ways = WaysOut::default();
        let (mut va, mut falls_through) = (start, true);
        while va < end {
            let (len, step) = self.decode(self.restored, va)?;
            if self.instruction(self.restored, va, len)? == [INT3] {
                // Padding.
                va = va.saturating_add(len);
                continue;
            }
            if self.follows_pointer(va)? {
                ways.pointed.insert(va);
            }
            falls_through = !matches!(step, Step::Jump(_) | Step::Return | Step::Indirect);
            match step {
                Step::Call(Some(target)) if va.saturating_add(len) == end => {
                    ways.call = Some((target, end));
                    falls_through = false;
                }
                Step::Next | Step::Call(_) => {}
                Step::Branch(target) | Step::Jump(target) if (start..end).contains(&target) => {}
                Step::Jump(target) if va.saturating_add(len) == end => ways.onward = Some(target),
                Step::Branch(target) | Step::Jump(target) => _ = ways.branches.insert(target),
                Step::Return | Step::Indirect => {
                    ways.last.insert(self.instruction(self.restored, va, len)?.to_vec());
                }
            }
            va = va.saturating_add(len);
        }
        if falls_through {
            ways.onward = Some(va);
        }
        Ok(ways)
    }

    /// Whether the original instruction at `va` has an operand in memory at an address that comes
    /// from a pointer.
    fn follows_pointer(&self, va: u64) -> Result<bool, String> {
        let known = [X86Reg::X86_REG_RIP, X86Reg::X86_REG_RSP].map(|register| RegId(register as u16));
        self.at(self.restored, va, |instruction| {
            let points = instruction.operands().any(|operand| match operand {
                X86OperandType::Mem(memory) => !known.contains(&memory.base()) || memory.index().0 != 0,
                _ => false,
            });
            points && !matches!(instruction.mnemonic(), Some("lea" | "nop"))
        })
    }

    /// Checks that the last address that a thunk takes before the jump at `jump`, among the
    /// instructions at `seen`, is one of `expected`.
    fn takes_one_of(&self, jump: u64, seen: &BTreeSet<u64>, expected: &BTreeSet<u64>) -> Result<(), String> {
        for &va in seen.range(..jump).rev().take(LONGEST_CALL) {
            let taken = self.at(self.output, va, |instruction| {
                let address = |operand| match operand {
                    X86OperandType::Mem(memory) => {
                        Some(va.wrapping_add(instruction.len()).wrapping_add_signed(memory.disp()))
                    }
                    _ => None,
                };
                (instruction.mnemonic() == Some("lea")).then(|| instruction.operands().find_map(address))
            })?;
            match taken {
                Some(Some(address)) if expected.contains(&address) => return Ok(()),
                Some(_) => break,
                None => {}
            }
        }
        Err(format!("a jump at {jump:#x} to a function of the program, without the address to return to"))
    }

    /// The output's instruction at `va`, and its length. Hooks share code, so many thunks pass the
    /// same instructions.
    fn decode_once(&self, va: u64) -> Result<(u64, Step), String> {
        if let Some(decoded) = self.decoded.borrow().get(&va) {
            return Ok(*decoded);
        }
        let decoded = self.decode(self.output, va)?;
        self.decoded.borrow_mut().insert(va, decoded);
        Ok(decoded)
    }

    /// The instruction at `va`, and its length.
    fn decode(&self, file: &'a [u8], va: u64) -> Result<(u64, Step), String> {
        self.at(file, va, |instruction| (instruction.len(), instruction.step()))
    }

    /// Reads the instruction at `va`.
    fn at<T>(&self, file: &'a [u8], va: u64, read: impl FnOnce(&Instruction<'_>) -> T) -> Result<T, String> {
        let bytes = self.code_bytes(file, va).ok_or_else(|| format!("{va:#x} is not code"))?;
        let mut instructions = self.instructions.borrow_mut();
        instructions.reset(bytes, va);
        let instruction = instructions.next().ok_or_else(|| format!("no instruction at {va:#x}"))?;
        let detail = self.decoder.insn_detail(&instruction).map_err(|error| error.to_string())?;
        let arch = detail.arch_detail();
        let x86 = arch.x86().ok_or("the decoder is not for x86")?;
        Ok(read(&Instruction { text: &instruction, detail: &detail, x86 }))
    }

    /// The `len` bytes of the instruction at `va`.
    fn instruction<'f>(&self, file: &'f [u8], va: u64, len: u64) -> Result<&'f [u8], String> {
        let bytes = self.code_bytes(file, va).and_then(|bytes| bytes.get(..len as usize));
        bytes.ok_or_else(|| format!("{va:#x} is not code"))
    }

    /// The bytes from address `va` on, as many as an instruction can have, if they are code.
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

/// A decoded instruction.
struct Instruction<'i> {
    text: &'i Insn<'i>,
    detail: &'i InsnDetail<'i>,
    x86: &'i X86InsnDetail<'i>,
}

impl Instruction<'_> {
    fn len(&self) -> u64 {
        self.text.len() as u64
    }

    fn mnemonic(&self) -> Option<&str> {
        self.text.mnemonic()
    }

    fn operands(&self) -> impl Iterator<Item = X86OperandType> {
        self.x86.operands().map(|operand| operand.op_type)
    }

    fn step(&self) -> Step {
        let is = |group| self.detail.groups().contains(&InsnGroupId(group as u8));
        let target = match self.operands().next() {
            Some(X86OperandType::Imm(target)) => Some(target as u64),
            _ => None,
        };
        if is(InsnGroupType::CS_GRP_CALL) {
            Step::Call(target)
        } else if is(InsnGroupType::CS_GRP_RET) {
            Step::Return
        } else if is(InsnGroupType::CS_GRP_JUMP) {
            match target {
                Some(target) if self.mnemonic() == Some("jmp") => Step::Jump(target),
                Some(target) => Step::Branch(target),
                None => Step::Indirect,
            }
        } else {
            Step::Next
        }
    }
}
