//! A plan's hooks as probes: where uprobes in the unpatched file see the same calls.
//!
//! Decides: where a probe goes: at the first byte of a function, and at each instruction that
//! leaves it. At both, RSP + 8 is the call's frame address, as in a hook.
//! Trusts: the targets, which have every way out. Never does: place a probe where there is no hook.

use gopatch_protocol::manifest::{At, Manifest};
use gopatch_trampolines::plan::{HookPlan, RuntimeOffsets};
use iced_x86::FlowControl;

use super::Plan;
use super::emission::PointPlan;
use super::targets::Target;
use crate::address::Va;
use crate::sites::Site;

/// What the hooks of a plan record, and where.
#[derive(Debug)]
pub struct Probes {
    /// The functions and points, as in the patched file's manifest.
    pub manifest: Manifest,
    /// What each point records, by the point's index.
    pub points: Vec<HookPlan>,
    /// Offsets in the runtime's structures.
    pub offsets: RuntimeOffsets,
    /// All probes.
    pub places: Vec<Probe>,
    /// Number of places without a hook, and so without a probe.
    pub refused: usize,
}

/// One address, for one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The point that records there.
    pub point: u32,
    /// The instruction's address.
    pub va: Va,
}

impl Plan<'_> {
    /// Turns the plan into probes for the input.
    pub fn probes(self) -> Probes {
        let mut manifest = self.manifest;
        // A probe sees no contexts.
        manifest.points.iter_mut().for_each(|point| point.context = false);
        let points: Vec<HookPlan> = self.points.into_iter().map(PointPlan::into_hook).collect();
        let functions = &manifest.functions;
        let mut places = Vec::new();
        for target in &self.targets {
            let ways_out: Vec<Va> = target.sites.iter().flat_map(ways_out).collect();
            let is_hooked = |at| target.sites.iter().any(|site| site.is_at(at));
            for point in points.iter().filter(|it| it.is_recorded() && belongs_to(it, target) && is_hooked(it.at)) {
                let vas = match point.at {
                    At::Enter => vec![Va(functions[point.function as usize].va)],
                    At::Exit => ways_out.clone(),
                };
                places.extend(vas.into_iter().map(|va| Probe { point: point.point, va }));
            }
        }
        Probes { manifest, points, offsets: self.offsets, places, refused: self.report.refused.len() }
    }
}

fn belongs_to(point: &HookPlan, target: &Target) -> bool {
    target.hooks.contains(&(point.function as usize))
}

/// The instructions of a site that leave the function.
fn ways_out(site: &Site) -> Vec<Va> {
    if !site.is_at(At::Exit) {
        return Vec::new();
    }
    let displaced = || site.before.iter().chain(&site.after).chain(&site.leaves);
    // The last instruction leaves, as a return or a tail jump. Where a function moves as a whole,
    // earlier returns leave too.
    let last = displaced().next_back();
    let earlier = displaced().filter(|one| one.flow_control() == FlowControl::Return && Some(*one) != last);
    earlier.chain(last).map(|one| Va(one.ip())).collect()
}
