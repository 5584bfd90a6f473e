//! Where the hooks go. One site may serve several, since several rules may match one function.
//!
//! Decides: in which order the hooks of a function run, and which of them cannot be placed.
//! Trusts: [`Text::sites`] for the places. Never does: resolve a capture, or emit code.

use gopatch_protocol::manifest::At;
use gopatch_trampolines::plan::{CapturePlan, Path};
use indexmap::IndexMap;

use super::hooks::Hook;
use crate::address::Va;
use crate::golang::Function;
use crate::report::RefusedReport;
use crate::sites::{FunctionSites, Refusal, RefusedSite, Site, Text, Wanted};

const ENDS: [At; 2] = [At::Enter, At::Exit];

/// A function that is hooked.
pub(super) struct Target {
    /// Where its hooks run.
    pub(super) sites: Vec<Site>,
    /// Instructions that move only to make room for islands.
    pub(super) relays: Vec<Site>,
    /// Its hooks by their indices, the outermost first.
    pub(super) hooks: Vec<usize>,
    /// The hook, if any, that returns constants instead of running the body. Then one site serves
    /// both ends.
    pub(super) skip: Option<usize>,
}

/// What can be hooked, and what cannot.
#[derive(Default)]
pub(super) struct Targets<'a> {
    /// In the order of the rules; a hook's index is its function's in the manifest.
    pub(super) hooks: Vec<Hook<'a>>,
    /// In the order in which the rules first match them.
    pub(super) functions: Vec<Target>,
    /// Places that cannot be hooked.
    pub(super) refused: Vec<RefusedReport>,
}

impl Target {
    /// The hooks that run at one end, in that order. The outermost sees the call begin first, and
    /// end last.
    pub(super) fn hooks_at<'s>(&'s self, at: At, hooks: &'s [Hook<'_>]) -> Vec<usize> {
        let mut running: Vec<_> = self.hooks.iter().copied().filter(|index| hooks[*index].at(at).is_some()).collect();
        if at == At::Exit {
            running.reverse();
        }
        running
    }
}

/// Finds places for the hooks. The function at `tick` already has a site.
pub(super) fn choose<'a>(hooks: Vec<Hook<'a>>, text: &Text<'_>, tick: Va) -> Targets<'a> {
    let groups = group_by_function(&hooks);
    let mut choice = Choice::new(hooks, text, tick);
    let functions = groups.into_iter().filter_map(|group| choice.place(group)).collect();
    choice.finish(functions)
}

/// The hooks of each function, by their indices.
fn group_by_function(hooks: &[Hook<'_>]) -> Vec<Vec<usize>> {
    let mut groups: IndexMap<Va, Vec<usize>> = IndexMap::new();
    for (index, hook) in hooks.iter().enumerate() {
        groups.entry(hook.function.start).or_default().push(index);
    }
    groups.into_values().collect()
}

/// The choice so far.
struct Choice<'a, 't, 'p> {
    hooks: Vec<Hook<'a>>,
    text: &'t Text<'p>,
    tick: Va,
    /// Places that each hook wanted and did not get.
    refused: Vec<Vec<RefusedSite>>,
    is_placed: Vec<bool>,
}

impl<'a, 't, 'p> Choice<'a, 't, 'p> {
    fn new(hooks: Vec<Hook<'a>>, text: &'t Text<'p>, tick: Va) -> Self {
        let (refused, is_placed) = (vec![Vec::new(); hooks.len()], vec![false; hooks.len()]);
        Self { hooks, text, tick, refused, is_placed }
    }

    /// Finds places for the hooks of one function; `None` when none can be placed.
    fn place(&mut self, mut group: Vec<usize>) -> Option<Target> {
        let function = self.hooks[*group.first()?].function;
        let (skip, mut found) = match self.cut(&mut group, &function) {
            Some((skip, site)) => (Some(skip), FunctionSites { sites: vec![site], ..FunctionSites::default() }),
            None => (None, self.find_sites(&group, &function)),
        };
        if group.iter().any(|index| reads_results(&self.hooks[*index])) {
            found.refuse_tail_jumps();
        }
        if function.start == self.tick {
            let refuse = |at| RefusedSite { at, va: function.start, refusal: Refusal::Overlap };
            found = FunctionSites { refused: [At::Enter, At::Exit].map(refuse).into(), ..FunctionSites::default() };
        }
        self.note_refused(&group, &found.refused);
        group.retain(|index| skip.is_some() || has_place(&self.hooks[*index], &found.sites));
        let uses = |index: &usize, site: &Site| ENDS.iter().any(|at| runs_at(&self.hooks[*index], *at, site));
        found.sites.retain(|site| skip.is_some() || group.iter().any(|index| uses(index, site)));
        for index in &group {
            self.is_placed[*index] = true;
            count_sites(&mut self.hooks[*index], skip.is_some(), &found.sites);
        }
        // The sort is stable: of rules with the same order, the first is the outermost.
        group.sort_by_key(|index| self.hooks[*index].rule.order);
        let target = Target { sites: found.sites, relays: found.relays, hooks: group, skip };
        (!target.hooks.is_empty()).then_some(target)
    }

    /// The hook that keeps the function's body from running, and the site for it. A hook that
    /// cannot do that leaves the group.
    fn cut(&mut self, group: &mut Vec<usize>, function: &Function<'_>) -> Option<(usize, Site)> {
        let skip = group.iter().copied().find(|index| self.hooks[*index].skip.is_some())?;
        if self.hooks[skip].runs_elsewhere {
            let inlined = RefusedSite { at: At::Enter, va: function.start, refusal: Refusal::Inlined };
            self.refused[skip].push(inlined);
        }
        match self.text.cut(function) {
            Ok(site) => Some((skip, site)),
            Err(refused) => {
                self.refused[skip].push(refused);
                group.retain(|index| *index != skip);
                None
            }
        }
    }

    /// The sites at those ends of the function that a hook of the group records.
    fn find_sites(&self, group: &[usize], function: &Function<'_>) -> FunctionSites {
        let wants = |at| group.iter().any(|index| self.hooks[*index].at(at).is_some());
        self.text.sites(function, Wanted { enter: wants(At::Enter), exit: wants(At::Exit) })
    }

    /// Notes for each hook the refused places that it wanted.
    fn note_refused(&mut self, group: &[usize], refused: &[RefusedSite]) {
        for index in group {
            let hook = &self.hooks[*index];
            let concerns = |place: &&RefusedSite| hook.at(place.at).is_some() || is_of_function(place.refusal);
            self.refused[*index].extend(refused.iter().filter(concerns));
        }
    }

    /// Leaves out the hooks without a place, so that those after them move up.
    fn finish(self, mut functions: Vec<Target>) -> Targets<'a> {
        let Self { hooks, refused, is_placed, .. } = self;
        let reports = hooks.iter().zip(&refused);
        let refused = reports.flat_map(|(hook, places)| places.iter().map(|place| report(hook, place))).collect();
        let mut next = 0..;
        let new_index: Vec<_> = is_placed.iter().map(|placed| placed.then(|| next.next()).flatten()).collect();
        for target in &mut functions {
            target.hooks = target.hooks.iter().filter_map(|index| new_index[*index]).collect();
            target.skip = target.skip.and_then(|index| new_index[index]);
        }
        let hooks = hooks.into_iter().zip(is_placed).filter_map(|(hook, placed)| placed.then_some(hook)).collect();
        Targets { hooks, functions, refused }
    }
}

/// Whether a hook reads results, which a tail jump has not computed yet.
fn reads_results(hook: &Hook<'_>) -> bool {
    let condition = hook.filter_at(At::Exit);
    hook.exit.as_ref().is_some_and(|exit| exit.plans.iter().any(CapturePlan::reads_registers))
        || condition.paths().into_iter().any(Path::reads_registers)
}

/// Whether a hook runs at a site, as that end of the call.
fn runs_at(hook: &Hook<'_>, at: At, site: &Site) -> bool {
    site.is_at(at) && hook.at(at).is_some()
}

/// Whether a hook has the sites without which it cannot be placed: its entry, since exits alone
/// would close no call, or without one an exit.
fn has_place(hook: &Hook<'_>, sites: &[Site]) -> bool {
    let at = if hook.enter.is_some() { At::Enter } else { At::Exit };
    sites.iter().any(|site| runs_at(hook, at, site))
}

fn count_sites(hook: &mut Hook<'_>, skips: bool, sites: &[Site]) {
    hook.sites = if skips {
        // The call ends where it begins.
        [usize::from(hook.enter.is_some() || hook.skip.is_some()), usize::from(hook.exit.is_some())]
    } else {
        ENDS.map(|at| sites.iter().filter(|site| runs_at(hook, at, site)).count())
    };
}

/// Whether a refusal concerns the whole function, whichever end a hook wants.
fn is_of_function(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Assembly
            | Refusal::NotGo
            | Refusal::Undecodable
            | Refusal::Fips140
            | Refusal::RuntimeNosplit
            | Refusal::SignalHandler
            | Refusal::SystemCall
    )
}

fn report(hook: &Hook<'_>, place: &RefusedSite) -> RefusedReport {
    RefusedReport {
        rule: hook.rule.name.clone(),
        function: hook.function.name.to_owned(),
        at: place.at,
        va: place.va.0,
        code: place.refusal.code(),
        reason: place.refusal.reason(),
        partial: hook.rule.partial,
    }
}
