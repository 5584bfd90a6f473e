//! Emits the code of an output, and notes the address of each part.
//!
//! Decides: the order of the emitted code, and how hooks at one site are chained.
//! Trusts: the layout, and the templates of `gopatch-trampolines`. Never does: choose a site.
//!
//! Where several hooks share a site, each has its own thunk, which continues in the next thunk as
//! if that were the program. Instructions displaced from before the hook run in the first thunk,
//! those from after it in the last. Where a function is so short that one site is its entry and its
//! way out, the instructions between them run between their hooks.
//!
//! ```text
//! site ──▶ before, first hook ──▶ second hook ──▶ last hook, after ──▶ program
//! ```
//!
//! Where a function's body must not run, its replacement comes between the hooks of the entry and
//! of the exits:
//!
//! ```text
//! site ──▶ entry's hooks ──▶ results ──▶ exits' hooks ──▶ return
//! ```

use gopatch_protocol::manifest::{self, At};
use gopatch_trampolines::attach::{self, AttachMode, AttachPlan};
use gopatch_trampolines::plan::context::ContextPlan;
use gopatch_trampolines::plan::{HookPlan, RuntimeOffsets, SitePlan};
use gopatch_trampolines::{relay, skip, thunk};
use iced_x86::{Code, FlowControl, Instruction};

use super::error::PatchError;
use super::hooks::Hook;
use super::targets::Target;
use super::{Options, confinement};
use crate::address::NewVa;
use crate::elf::Elf;
use crate::layout::Layout;
use crate::rules::skip::Skip;
use crate::sites::Site;
use crate::symbols::frames::{self, CodeFrame};
use crate::symbols::{self, CodeSymbol};
use crate::write::{self, WriteError};

/// The emitted code so far.
pub(super) struct Emission<'a> {
    elf: &'a Elf<'a>,
    layout: &'a Layout,
    options: &'a Options,
    tick: Site,
    pub(super) code: Vec<u8>,
    pub(super) stub: u64,
    pub(super) id_offset: usize,
    pub(super) points: Vec<manifest::Point>,
    pub(super) sites: Vec<manifest::Site>,
    pub(super) overwrites: Vec<write::Overwrite>,
    /// Whether any displaced instruction is compared with nil.
    pub(super) has_guards: bool,
    /// The thunks, for debuggers.
    pub(super) frames: Vec<CodeFrame>,
    /// What was emitted for each point.
    plans: Vec<PointPlan>,
}

/// A point, and what was emitted for it.
pub(super) struct PointPlan {
    hook: HookPlan,
    /// The code that makes the record of a return. All returns of a function share it.
    return_body: Option<u64>,
    /// Thunks so far, by the displaced instructions. Ways out with the same instructions share a
    /// thunk, as it does not depend on where it was reached from.
    thunks: Vec<(SitePlan, u64)>,
}

impl PointPlan {
    /// The hook.
    pub(super) fn into_hook(self) -> HookPlan {
        self.hook
    }
}

/// Code that runs at a site.
struct Thunk {
    va: u64,
    /// The point whose hook it is.
    point: Option<u32>,
    /// The function whose body it replaces.
    skips: Option<u32>,
}

impl Thunk {
    fn at(va: u64) -> Self {
        Self { va, point: None, skips: None }
    }
}

impl<'a> Emission<'a> {
    pub(super) fn new(elf: &'a Elf<'a>, layout: &'a Layout, options: &'a Options, tick: Site) -> Self {
        let (code, stub, id_offset) = (Vec::new(), 0, 0);
        let (points, sites, overwrites, plans) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (has_guards, frames) = (false, Vec::new());
        Self { elf, layout, options, tick, code, stub, id_offset, points, sites, overwrites, has_guards, frames, plans }
    }

    fn next_va(&mut self) -> NewVa {
        self.code.resize(self.code.len().next_multiple_of(16), 0xCC);
        NewVa(self.layout.code_va().0 + self.code.len() as u64)
    }

    /// Emits the attach code, which comes first.
    pub(super) fn attach(&mut self, mode: AttachMode) -> Result<(), PatchError> {
        let plan = AttachPlan {
            socket: &self.options.socket,
            mode,
            clone3: confinement::has_threads_by_clone3(self.elf),
            entry: self.elf.entry().0,
            tick_after: &self.tick.after,
            tick_resume: self.tick.resume.ok_or(PatchError::Tick("its site has no instruction to continue at"))?.0,
        };
        let attach = attach::emit(&plan, &self.layout.arena, self.layout.code_va().0)?;
        self.stub = attach.stub;
        self.id_offset = attach.id_offset;
        self.code = attach.bytes;
        let tick = self.tick.clone();
        let va = self.next_va().0;
        self.code.extend(relay::emit(&tick.before, attach.tick, va)?);
        self.describe(va, tick.va.0, &SitePlan::default());
        self.site(&tick, &[Thunk::at(va)])
    }

    /// Symbols for the emitted code, whose points are of these functions.
    pub(super) fn symbols(&self, functions: &[manifest::Function]) -> Vec<CodeSymbol> {
        let named = (functions, &self.points[..], &self.sites[..]);
        let end = self.layout.code_va().0 + self.code.len() as u64;
        symbols::code_symbols(named, self.return_bodies(), self.stub, end)
    }

    /// The code that the returns of a point share: the point and the address.
    fn return_bodies(&self) -> impl Iterator<Item = (u32, u64)> {
        (0..).zip(&self.plans).filter_map(|(point, plan)| Some((point, plan.return_body?)))
    }

    /// The points, in order.
    pub(super) fn into_points(self) -> Vec<PointPlan> {
        self.plans
    }

    /// Emits the hooks of all targets.
    pub(super) fn hooks(
        &mut self,
        hooks: &[Hook<'_>],
        targets: &[Target],
        offsets: &RuntimeOffsets,
    ) -> Result<(), PatchError> {
        let points: Vec<_> = hooks.iter().enumerate().map(|(index, hook)| self.points_of(index as u32, hook)).collect();
        for target in targets {
            // A site with room for islands comes before the sites that jump there, since an island
            // is written over its bytes.
            for relay in &target.relays {
                self.relay(relay)?;
            }
            for site in &target.sites {
                let running = |at| {
                    let hooks = target.hooks_at(at, hooks).into_iter();
                    hooks.filter_map(|hook| points[hook][at as usize]).collect::<Vec<_>>()
                };
                let ends = [At::Enter, At::Exit].map(|at| if site.is_at(at) { running(at) } else { Vec::new() });
                let skip = target.skip.and_then(|hook| Some((hook as u32, hooks[hook].skip.as_ref()?)));
                match skip {
                    Some(skip) => self.chain_without_body(site, &[At::Enter, At::Exit].map(running), skip, offsets)?,
                    None => self.chain(site, &ends, offsets)?,
                }
            }
        }
        Ok(())
    }

    /// Numbers the points of a hook, for the entry and for the exits.
    fn points_of(&mut self, function: u32, hook: &Hook<'_>) -> [Option<u32>; 2] {
        [At::Enter, At::Exit].map(|at| {
            let resolved = hook.at(at)?;
            let point = self.points.len() as u32;
            let context = hook.context_at(at);
            let records_context = matches!(context, Some(ContextPlan::Open(_)));
            let captures = resolved.captures.clone();
            self.points.push(manifest::Point { function, at, captures, context: records_context });
            let (filter, marked) = (hook.filter_at(at), hook.is_marked());
            let (captures, keep) = (resolved.plans.clone(), hook.keep.clone());
            let plan = HookPlan { function, point, at, captures, keep, filter, marked, context };
            self.plans.push(PointPlan { hook: plan, return_body: None, thunks: Vec::new() });
            Some(point)
        })
    }

    /// Emits the thunks of one site: the entry's points, then the exit's, in the order in which
    /// they run.
    fn chain(
        &mut self,
        site: &Site,
        [enter, exit]: &[Vec<u32>; 2],
        offsets: &RuntimeOffsets,
    ) -> Result<(), PatchError> {
        let points: Vec<u32> = enter.iter().chain(exit).copied().collect();
        // Displaced instructions: `moved[0]` run before the first hook, `moved[n]` after hook `n`,
        // counted from 1.
        let mut moved = vec![Vec::new(); points.len() + 1];
        moved[0].extend(&site.before);
        match site.leaves {
            // The instructions from the entry to the way out run between their hooks, up to the
            // return.
            Some(last) => {
                moved[enter.len()].extend(&site.after);
                if !exit.is_empty() && last.flow_control() == FlowControl::Return {
                    moved[enter.len()].push(last);
                }
                moved[points.len()].push(last);
            }
            None => moved[points.len()].extend(&site.after),
        }
        let mut resume = site.resume.map(|va| va.0);
        let mut thunks = Vec::with_capacity(points.len());
        // From the last to the first, as each needs the address of the next.
        for (index, point) in points.iter().enumerate().rev() {
            let after = std::mem::take(&mut moved[index + 1]);
            let before = if index == 0 { std::mem::take(&mut moved[0]) } else { Vec::new() };
            let guards = site.guards.clone();
            let plan = SitePlan { before, after, resume, guards, depth: site.depth };
            // An exit runs with RSP at the return address: its function is at the way out.
            let way_out = site.leaves.as_ref().or(site.after.last());
            let at = way_out.filter(|_| index >= enter.len()).map_or(site.va.0, Instruction::ip);
            let thunk = self.thunk(*point, plan, at, offsets)?;
            thunks.insert(0, Thunk { point: Some(*point), ..Thunk::at(thunk) });
            resume = Some(thunk);
        }
        self.site(site, &thunks)
    }

    /// Emits the thunks of a site that replaces the function's body.
    fn chain_without_body(
        &mut self,
        site: &Site,
        [enter, exit]: &[Vec<u32>; 2],
        (function, skip): (u32, &Skip),
        offsets: &RuntimeOffsets,
    ) -> Result<(), PatchError> {
        let mut thunks = Vec::with_capacity(enter.len() + 1 + exit.len());
        let mut after = vec![Instruction::with(Code::Retnq)];
        let mut resume = None;
        for point in exit.iter().rev() {
            let plan = SitePlan { after: std::mem::take(&mut after), resume, ..SitePlan::default() };
            let thunk = self.thunk(*point, plan, site.va.0, offsets)?;
            thunks.push(Thunk { point: Some(*point), ..Thunk::at(thunk) });
            resume = Some(thunk);
        }
        let va = self.next_va().0;
        self.code.extend(skip::emit(&skip.parts, resume, va)?);
        self.describe(va, site.va.0, &SitePlan::default());
        thunks.push(Thunk { skips: Some(function), ..Thunk::at(va) });
        resume = Some(va);
        for point in enter.iter().rev() {
            let plan = SitePlan { resume, ..SitePlan::default() };
            let thunk = self.thunk(*point, plan, site.va.0, offsets)?;
            thunks.push(Thunk { point: Some(*point), ..Thunk::at(thunk) });
            resume = Some(thunk);
        }
        thunks.reverse();
        self.site(site, &thunks)
    }

    /// Emits a thunk, unless there is one like it. Its function is at `at` while the hook runs.
    fn thunk(&mut self, point: u32, displaced: SitePlan, at: u64, offsets: &RuntimeOffsets) -> Result<u64, PatchError> {
        let arena = &self.layout.arena;
        let index = point as usize;
        // A guard depends on its instruction's address. Calls move only at entries, and a point has
        // one entry.
        if let Some((_, thunk)) =
            self.plans[index].thunks.iter().find(|(same, _)| *same == displaced && same.guards.is_empty())
        {
            return Ok(*thunk);
        }
        if displaced.is_return() && self.plans[index].return_body.is_none() {
            let va = self.next_va().0;
            self.code.extend(thunk::emit_return_body(&self.plans[index].hook, offsets, arena, va)?);
            self.plans[index].return_body = Some(va);
            self.describe(va, at, &SitePlan::default());
        }
        let va = self.next_va().0;
        let plan = &self.plans[index];
        self.code.extend(match plan.return_body.filter(|_| displaced.is_return()) {
            Some(body) => thunk::emit_return_head(&plan.hook, &displaced, offsets, arena, (va, body))?,
            None => thunk::emit(&plan.hook, &displaced, offsets, arena, va)?,
        });
        self.describe(va, at, &displaced);
        self.plans[index].thunks.push((displaced, va));
        Ok(va)
    }

    /// Notes for debuggers the code just emitted at `va`, whose function is at `at` when `before`
    /// has run.
    fn describe(&mut self, va: u64, at: u64, displaced: &SitePlan) {
        let size = self.code.len() - (va - self.layout.code_va().0) as usize;
        let mut moved = displaced.before.iter().chain(&displaced.after);
        let moves_rsp = !displaced.guards.is_empty() || moved.any(|moved| frames::change_of(moved) != 0);
        let rsp = displaced.before.iter().map(frames::change_of).fold(0, i32::wrapping_add);
        self.frames.push(CodeFrame { va, size, at, rsp, moves_rsp });
    }

    /// Emits instructions that moved to make room for an island.
    fn relay(&mut self, relay: &Site) -> Result<(), PatchError> {
        let va = self.next_va().0;
        let resume = relay.resume.ok_or(WriteError::NotInFile(relay.va))?;
        self.code.extend(relay::emit(&relay.after, resume.0, va)?);
        self.describe(va, relay.va.0, &SitePlan { after: relay.after.clone(), ..SitePlan::default() });
        self.site(relay, &[Thunk::at(va)])
    }

    /// Notes a site and the thunks that run there.
    fn site(&mut self, site: &Site, thunks: &[Thunk]) -> Result<(), PatchError> {
        let Some(first) = thunks.first() else { return Ok(()) };
        self.has_guards |= site.guards.iter().any(|guard| guard.sigpanic.is_some());
        let jumps = write::jumps(self.elf, site, first.va)?;
        let offset = self.elf.offset_of(site.va).ok_or(WriteError::NotInFile(site.va))?;
        let start = offset.0 as usize;
        self.sites.extend(thunks.iter().map(|thunk| manifest::Site {
            point: thunk.point,
            va: site.va.0,
            thunk: thunk.va,
            skips: thunk.skips,
            island: site.island.map(|island| island.0),
            original: manifest::to_hex(&self.elf.data()[start..start + site.len]),
        }));
        self.overwrites.extend(jumps);
        Ok(())
    }
}
