//! The uprobes that record what the hooks record.
//!
//! Decides: where they are: at the function's first byte, as uprobes on Go functions usually are, and at each of its RETs, since a
//! uretprobe would rewrite a return address that Go's runtime looks at.
//! Trusts: gopatch's own reading of the executable for these addresses and for where `g.goid` is.
//! Never does: leave a probe behind; they go with the process, however that ends.

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

use crate::figures::Events;

/// What `bench/build.sh` makes of `bench/uprobe.bpf.c`.
const OBJECT: &[u8] = aya::include_bytes_aligned!("../../bench/uprobe.bpf.o");

/// The loaded programs.
pub(crate) struct Uprobes {
    programs: Ebpf,
    target: PathBuf,
    places: Places,
    events: RingBuf<MapData>,
    seen: u64,
}

/// Where the probes go, as offsets in the file, and what they have to know.
struct Places {
    entry: u64,
    returns: Vec<u64>,
    goid_offset: u32,
}

impl Uprobes {
    /// Loads the programs for `function` of the executable `target`.
    pub(crate) fn load(target: &Path, function: &str) -> Result<Self> {
        let places = places(target, function)?;
        let mut programs = EbpfLoader::new()
            .override_global("goid_offset", &places.goid_offset, true)
            .load(OBJECT)
            .context("the kernel refuses the uprobes' maps\nhint: run this as root")?;
        for name in ["enter", "leave"] {
            program(&mut programs, name)?.load().context("the kernel refuses the uprobes\nhint: run this as root")?;
        }
        let events = programs.take_map("events").context("the BPF object has no ring")?;
        Ok(Self { programs, target: target.to_owned(), places, events: RingBuf::try_from(events)?, seen: 0 })
    }

    /// Measures twice: with a probe at the function's first byte, and then with one at each of its returns too.
    ///
    /// The kernel may take a while to remove a probe, so the first stays for the second measurement.
    pub(crate) fn measure<T>(&mut self, measure: impl Fn() -> Result<T>) -> Result<(T, T)> {
        let mut links = vec![self.attach("enter", self.places.entry)?];
        let entry = measure()?;
        for offset in self.places.returns.clone() {
            links.push(self.attach("leave", offset)?);
        }
        let both = measure()?;
        drop(links);
        while self.events.next().is_some() {
            self.seen += 1;
        }
        Ok((entry, both))
    }

    fn attach(&mut self, name: &str, offset: u64) -> Result<UProbeLink> {
        let program = program(&mut self.programs, name)?;
        let link = program
            .attach(offset, &self.target, UProbeScope::AllProcesses)
            .with_context(|| format!("cannot put a uprobe at {}+{offset:#x}", self.target.display()))?;
        Ok(program.take_link(link)?)
    }

    /// What was seen of `expected` records. A record that does not come has found its ring full.
    pub(crate) fn end(self, of: &'static str, expected: u64) -> Events {
        Events { of, expected, seen: self.seen, lost: expected.saturating_sub(self.seen), may_repeat: true }
    }
}

fn program<'a>(programs: &'a mut Ebpf, name: &str) -> Result<&'a mut UProbe> {
    let program = programs.program_mut(name).with_context(|| format!("the BPF object has no program {name}"))?;
    Ok(program.try_into()?)
}

fn places(target: &Path, function: &str) -> Result<Places> {
    let file = fs::read(target)?;
    let elf = Elf::parse(&file)?;
    let go = GoBinary::read(&elf, &elf.relative_relocations()?)?;
    let offset =
        |va: Va| elf.offset_of(va).map(|offset| offset.0).with_context(|| format!("{va:?} is not in the file"));

    let bytes = |start: Va, end: Va| elf.bytes_at(start, end.offset_from(start)?);
    let body = go.functions.by_name(function).next().with_context(|| format!("hookbench has no {function}"))?;
    let found = Text { functions: &go.functions, bytes: &bytes, checked: &go.checked, sigpanic: None }
        .sites(body, Wanted { enter: false, exit: true });
    // An exit site's last instruction is what leaves the function.
    let returns = found.sites.iter().filter_map(|site| site.after.last());
    let returns: Vec<u64> = returns.map(|ret| offset(Va(ret.ip()))).collect::<Result<_>>()?;
    if returns.is_empty() || !found.refused.is_empty() {
        bail!("the returns of {function} are not all known");
    }

    let sections = dwarf::Sections::load(&elf)?.context("hookbench has no DWARF")?;
    let wanted = dwarf::Wanted { functions: [].into(), types: ["runtime.g"].into_iter().collect() };
    let types = TypeInfo::load(&sections, &wanted, go.module_data.types)?;
    let g = types.type_by_name("runtime.g").context("hookbench has no runtime.g")?;
    let Kind::Struct(fields) = types.resolve(g)?.kind else { bail!("runtime.g is not a struct") };
    let goid = fields.iter().find(|field| field.name == "goid").context("runtime.g has no goid")?;
    Ok(Places { entry: offset(body.start)?, returns, goid_offset: u32::try_from(goid.offset)? })
}
