//! Uprobes that record what the hooks record.
//!
//! They are put at the function's first byte, as uprobes on Go functions usually are; after the
//! stack check, on a `push`, which the kernel emulates instead of single-stepping; or on a 5-byte
//! NOP, which Linux 6.18 turns into a call. And at each RET, since a uretprobe would rewrite a
//! return address that Go's runtime reads. The addresses and the offset of `g.goid` come from
//! gopatch's library. Probes end with the process.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use aya::maps::{MapData, RingBuf};
use aya::programs::UProbe;
use aya::programs::uprobe::{UProbeLink, UProbeScope};
use aya::{Ebpf, EbpfLoader};
use gopatch::address::Va;
use gopatch::dwarf::{self, TypeInfo};
use gopatch::elf::Elf;
use gopatch::golang::GoBinary;
use gopatch::sites::{Text, Wanted};
use gopatch::types::Kind;
use gopatch_protocol::manifest::At;

use crate::figures::Events;

/// The output of `bench/build.sh` for `bench/uprobe.bpf.c`.
const OBJECT: &[u8] = aya::include_bytes_aligned!("../../bench/uprobe.bpf.o");

/// `push rbp`.
const PUSH_RBP: u8 = 0x55;
/// `nop [rax + rax]`, as in corpus/hookbench.
const NOP: [u8; 5] = [0x0F, 0x1F, 0x44, 0, 0];

/// The loaded programs, for one executable.
pub(crate) struct Uprobes {
    programs: Ebpf,
    target: PathBuf,
    events: RingBuf<MapData>,
    seen: u64,
}

/// Where the probes go, as offsets in the file, and the offset of `g.goid`.
pub(crate) struct Places {
    /// The function's first byte.
    pub(crate) first_byte: u64,
    /// Its first `push`.
    pub(crate) push: u64,
    /// Its returns.
    pub(crate) returns: Vec<u64>,
    /// The 5-byte NOP in another function.
    pub(crate) nop: u64,
    goid_offset: u32,
}

impl Uprobes {
    /// Loads the programs for the executable `target`.
    pub(crate) fn load(target: &Path, places: &Places) -> Result<Self> {
        let mut programs = EbpfLoader::new()
            .override_global("goid_offset", &places.goid_offset, true)
            .load(OBJECT)
            .context("the kernel refuses the uprobes' maps (needs root)")?;
        for name in ["enter", "leave"] {
            program(&mut programs, name)?.load().context("the kernel refuses the uprobes (needs root)")?;
        }
        let events = programs.take_map("events").context("the BPF object has no ring")?;
        Ok(Self { programs, target: target.to_owned(), events: RingBuf::try_from(events)?, seen: 0 })
    }

    /// Measures with a probe at each of these entries and returns.
    ///
    /// The kernel may take a while to remove a probe, so probes stay as long as their links, which
    /// may be beyond the next measurement.
    pub(crate) fn measure(
        &mut self,
        links: &mut Vec<UProbeLink>,
        (entries, returns): (&[u64], &[u64]),
        measure: impl Fn() -> Result<f64>,
    ) -> Result<f64> {
        for offset in entries {
            links.push(self.attach("enter", *offset)?);
        }
        for offset in returns {
            links.push(self.attach("leave", *offset)?);
        }
        let measured = measure()?;
        while self.events.next().is_some() {
            self.seen += 1;
        }
        Ok(measured)
    }

    fn attach(&mut self, name: &str, offset: u64) -> Result<UProbeLink> {
        let program = program(&mut self.programs, name)?;
        let link = program
            .attach(offset, &self.target, UProbeScope::AllProcesses)
            .with_context(|| format!("cannot put a uprobe at {}+{offset:#x}", self.target.display()))?;
        Ok(program.take_link(link)?)
    }

    /// The counts for `expected` records. A missing record found its ring full.
    pub(crate) fn end(self, of: &'static str, expected: u64, may_repeat: bool) -> Events {
        Events { of, expected, seen: self.seen, lost: expected.saturating_sub(self.seen), may_repeat }
    }
}

fn program<'a>(programs: &'a mut Ebpf, name: &str) -> Result<&'a mut UProbe> {
    let program = programs.program_mut(name).with_context(|| format!("the BPF object has no program {name}"))?;
    Ok(program.try_into()?)
}

/// Finds the places in an executable of hookbench, for a function and for the one with the NOP.
pub(crate) fn places(target: &Path, function: &str, nop: &str) -> Result<Places> {
    let file = fs::read(target)?;
    let elf = Elf::parse(&file)?;
    let go = GoBinary::read(&elf, &elf.relative_relocations()?)?;
    let offset =
        |va: Va| elf.offset_of(va).map(|offset| offset.0).with_context(|| format!("{va:?} is not in the file"));

    let bytes = |start: Va, end: Va| elf.bytes_at(start, end.offset_from(start)?);
    let body = go.functions.by_name(function).next().with_context(|| format!("hookbench has no {function}"))?;
    let found = Text {
        functions: &go.functions,
        bytes: &bytes,
        checked: &go.checked,
        sigpanic: None,
        hazard: &|_| None,
        is_beside_a_system_call: &|_| false,
    }
    .sites(body, Wanted { enter: true, exit: true });
    // An exit site's last instruction is what leaves the function.
    let exits = found.sites.iter().filter(|site| site.at == At::Exit);
    let returns = exits.filter_map(|site| site.after.last());
    let returns: Vec<u64> = returns.map(|ret| offset(Va(ret.ip()))).collect::<Result<_>>()?;
    // After the stack check, a Go function saves its caller's frame pointer. The entry's site ends
    // just before that, or covers it.
    let entry = found.sites.iter().find(|site| site.at == At::Enter).context("its entry is not known")?;
    let displaced = entry.before.iter().chain(&entry.after).map(|instruction| Va(instruction.ip()));
    let places = displaced.chain(entry.resume).map(offset).collect::<Result<Vec<_>>>()?;
    let push = places.into_iter().find(|at| file.get(*at as usize) == Some(&PUSH_RBP));
    let push = push.with_context(|| format!("{function} does not begin with a push"))?;
    let nop = elf.symbol(nop).with_context(|| format!("hookbench has no {nop}"))?;
    let nop_code = elf.bytes_from(nop).context("it has no code")?;
    let before = nop_code.windows(NOP.len()).take(64).position(|bytes| bytes == NOP).context("it has no NOP")?;
    let nop = offset(nop)? + before as u64;
    if returns.is_empty() || !found.refused.is_empty() {
        bail!("the returns of {function} are not all known");
    }

    let sections = dwarf::Sections::load(&elf)?.context("hookbench has no DWARF")?;
    let wanted = dwarf::WantedNames { functions: [].into(), types: ["runtime.g"].into_iter().collect() };
    let types = TypeInfo::load(&sections, &wanted, go.module_data.types)?;
    let g = types.type_by_name("runtime.g").context("hookbench has no runtime.g")?;
    let Kind::Struct(fields) = types.resolve(g)?.kind else { bail!("runtime.g is not a struct") };
    let goid = fields.iter().find(|field| field.name == "goid").context("runtime.g has no goid")?;
    Ok(Places { first_byte: offset(body.start)?, push, returns, nop, goid_offset: u32::try_from(goid.offset)? })
}
