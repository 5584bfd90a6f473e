//! The uprobes themselves: where they are, and the program that runs there.
//!
//! Decides: which rules are refused, because uprobes would not record the same calls as hooks.
//! Trusts: gopatch for places and plans, and the kernel.
//! Never does: leave a probe behind. Probes end with gopatchd, even if it is killed.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use aya::maps::{Array, MapData, RingBuf};
use aya::programs::UProbe;
use aya::programs::uprobe::{UProbeAttachLocation, UProbeAttachPoint, UProbeLink, UProbeScope};
use aya::{Ebpf, EbpfLoader};
use gopatch::elf::Elf;
use gopatch::patch::{self, Probe, Probes};
use gopatch::rules;
use gopatch_protocol::manifest::Manifest;
use gopatch_protocol::recipe::TrailingData;
use gopatch_trampolines::plan::{HookPlan, RuntimeOffsets};

use super::table;

/// `bpf/uprobe.bpf.c`, compiled by `bpf/build.sh`.
const PROGRAM: &[u8] = aya::include_bytes_aligned!("../../bpf/uprobe.bpf.o");

/// `VA_BITS` of the program: the bits of a cookie for the address, below those for the point.
const VA_BITS: u32 = 44;

/// Attached probes.
pub(super) struct Attached {
    pub(super) manifest: Manifest,
    pub(super) events: RingBuf<MapData>,
    pub(super) counters: Array<MapData, u64>,
    /// Set to make the probes do nothing.
    pub(super) stopped: Array<MapData, u32>,
    pub(super) links: Vec<UProbeLink>,
    /// Keeps the maps of the program.
    _program: Ebpf,
}

/// Attaches probes to the executable `original` where `rules` would have hooks.
pub(super) fn attach(original: &Path, rules: Vec<rules::Source>, ring_bytes: u32) -> Result<Attached> {
    let name = || original.display().to_string();
    let file = std::fs::read(original).with_context(|| format!("cannot read {}", name()))?;
    let options = patch::Options { trailing_data: TrailingData::Drop, ..patch::Options::new(rules) };
    let Probes { manifest, points, offsets, places, refused } =
        patch::plan(&file, &options).with_context(name)?.probes();
    let left_out = left_out(&manifest)?;
    if refused > 0 {
        tracing::info!("{refused} places cannot be hooked and get no uprobe either; the report of gopatch names each");
    }
    let mut program = load(&manifest, &points, &offsets, ring_bytes)?;

    let elf = Elf::parse(&file)?;
    let uprobe: &mut UProbe = program.program_mut("probe").context("the BPF object has no probe")?.try_into()?;
    let mut links = Vec::with_capacity(places.len());
    for Probe { point, va } in places {
        if left_out.contains(&points[point as usize].function) {
            continue;
        }
        let offset = elf.offset_of(va).with_context(|| format!("{va:?} is not in the file"))?;
        ensure!(va.0 >> VA_BITS == 0, "{va:?} does not fit into a cookie");
        let cookie = Some(u64::from(point) << VA_BITS | va.0);
        let place = UProbeAttachPoint { location: UProbeAttachLocation::AbsoluteOffset(offset.0), cookie };
        let link = uprobe
            .attach(place, original, UProbeScope::AllProcesses)
            .with_context(|| format!("cannot attach a uprobe at {}+{:#x}", name(), offset.0))?;
        links.push(uprobe.take_link(link)?);
    }
    let events = RingBuf::try_from(program.take_map("events").context("the BPF object has no ring")?)?;
    let counters = Array::try_from(program.take_map("counters").context("the BPF object has no counters")?)?;
    let stopped = Array::try_from(program.take_map("stopped").context("the BPF object has no switch")?)?;
    Ok(Attached { manifest, events, counters, stopped, links, _program: program })
}

/// The functions that get no uprobe: those of default rules with a condition, as uprobes record every
/// call. Refuses other rules with a condition, a sample or a skip.
fn left_out(manifest: &Manifest) -> Result<HashSet<u32>> {
    let default_rules = rules::parse(&rules::Source::default_rules()).context("the default rules")?;
    let mut left_out = HashSet::new();
    let mut named = BTreeSet::new();
    for (index, function) in manifest.functions.iter().enumerate() {
        let keys = [
            ("when", function.when.is_some()),
            ("sample", function.sample.is_some()),
            ("skip", function.skip.is_some()),
        ];
        let Some((key, _)) = keys.iter().find(|(_, is_set)| *is_set) else { continue };
        if !default_rules.iter().any(|rule| rule.name == function.rule) {
            bail!(
                "rule {} has `{key}`, which uprobes do not support: they record every call, and every call runs",
                function.rule
            );
        }
        left_out.insert(index as u32);
        if named.insert(&function.rule) {
            tracing::info!("rule {} has `{key}`, which uprobes do not support: its functions get none", function.rule);
        }
    }
    Ok(left_out)
}

/// Loads the program and gives it its plans.
fn load(manifest: &Manifest, points: &[HookPlan], offsets: &RuntimeOffsets, ring_bytes: u32) -> Result<Ebpf> {
    ensure!(offsets.g_stack_hi == offsets.g_stack_lo + 8, "the layout of `runtime.stack` in this program is unknown");
    let types = table::types(points);
    let (types_va, types_size) = types.map_or((0, 0), |types| (types.va, types.size));
    let mut program = EbpfLoader::new()
        .override_global("g_stack", &(offsets.g_stack_lo as u32), true)
        .override_global("g_goid", &(offsets.g_goid as u32), true)
        .override_global("types_va", &types_va, true)
        .override_global("types_size", &types_size, true)
        .map_max_entries("plans", points.len() as u32)
        .map_max_entries("events", ring_bytes)
        .load(PROGRAM)
        .context("the kernel refuses the maps of the uprobes (needs root)")?;

    let mut plans: Array<_, table::Plan> =
        program.map_mut("plans").context("the BPF object has no plans")?.try_into()?;
    let mut left_out = 0;
    for (index, point) in points.iter().enumerate() {
        let encoded = table::encode(point);
        plans.set(index as u32, encoded.plan, 0)?;
        for capture in &encoded.left_out {
            let attribute = &manifest.points[index].captures[*capture].attribute;
            let function = &manifest.functions[point.function as usize].name;
            tracing::info!("{function}: {attribute} is omitted: it has too many or too long paths for uprobes");
        }
        left_out += encoded.left_out.len();
    }
    if left_out > 0 {
        tracing::info!("{left_out} captures are omitted");
    }
    let probe: &mut UProbe = program.program_mut("probe").context("the BPF object has no probe")?.try_into()?;
    probe.load().context("the kernel refuses the program of the uprobes (needs root)")?;
    Ok(program)
}
