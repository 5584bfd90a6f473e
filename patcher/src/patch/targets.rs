//! Where the hooks go: one place may serve several, since several rules may mean one function.
//!
//! Decides: in which order the hooks of one function run, and which of them cannot be placed.
//! Trusts: [`Text::sites`] for the places. Never does: resolve a capture, or emit code.

use gopatch_protocol::manifest::At;
use gopatch_trampolines::plan::{CapturePlan, Path};

use super::matching::Hook;
use crate::address::Va;
use crate::report::RefusedReport;
use crate::sites::{FunctionSites, Refusal, RefusedSite, Site, Text, Wanted};

/// A function that is hooked.
pub(super) struct Target {
    /// Its places.
    pub(super) sites: Vec<Site>,
    /// Places that only make room for islands.
    pub(super) relays: Vec<Site>,
    /// Its hooks by their indices, the outermost first.
    pub(super) hooks: Vec<usize>,
    /// The one of them that says what is returned without running. Then there is one place, for both ends.
    pub(super) skip: Option<usize>,
}

/// What can be hooked.
#[derive(Default)]
pub(super) struct Targets<'a> {
    /// In the order of the rules; a hook's index is its function's in the manifest.
    pub(super) hooks: Vec<Hook<'a>>,
    /// In the order in which the rules first name them.
    pub(super) functions: Vec<Target>,
    /// What cannot.
    pub(super) refused: Vec<RefusedReport>,
}

impl Target {
    /// The hooks that run at a site, in that order: as the outermost sees the call begin first, it sees it end last.
    pub(super) fn hooks_at<'s>(&'s self, at: At, hooks: &'s [Hook<'_>]) -> Vec<usize> {
        let mut running: Vec<_> = self.hooks.iter().copied().filter(|index| hooks[*index].at(at).is_some()).collect();
        if at == At::Exit {
            running.reverse();
        }
        running
    }
}

/// Finds places for hooks. The function at `tick` has a site already.
pub(super) fn choose<'a>(mut asked: Vec<Hook<'a>>, text: &Text<'a>, tick: Va) -> Targets<'a> {
    let mut groups: indexmap::IndexMap<Va, Vec<usize>> = indexmap::IndexMap::new();
    for (index, hook) in asked.iter().enumerate() {
        groups.entry(hook.function.start).or_default().push(index);
    }
    let mut refused: Vec<Vec<RefusedSite>> = vec![Vec::new(); asked.len()];
    let mut is_placed = vec![false; asked.len()];
    let mut placed = Vec::new();
    for (start, mut group) in groups {
        let function = asked[group[0]].function;
        let mut skip = group.iter().copied().find(|index| asked[*index].skip.is_some());
        let mut found = FunctionSites::default();
        if let Some(index) = skip {
            let inlined = RefusedSite { at: At::Enter, va: start, refusal: Refusal::Inlined };
            refused[index].extend(asked[index].runs_elsewhere.then_some(inlined));
            match text.cut(&function) {
                Ok(site) => found.sites.push(site),
                Err(why) => {
                    refused[index].push(why);
                    group.retain(|other| *other != index);
                    skip = None;
                }
            }
        }
        if skip.is_none() {
            let wants = |at| group.iter().any(|index| asked[*index].at(at).is_some());
            found = text.sites(&function, Wanted { enter: wants(At::Enter), exit: wants(At::Exit) });
        }
        let reads_results = |index: &usize| {
            let hook = &asked[*index];
            let condition = hook.filter_at(At::Exit);
            hook.exit.as_ref().is_some_and(|exit| exit.plans.iter().any(CapturePlan::reads_registers))
                || condition.paths().into_iter().any(Path::reads_registers)
        };
        if group.iter().any(reads_results) {
            found.refuse_tail_jumps();
        }
        if start == tick {
            found.refused =
                [At::Enter, At::Exit].map(|at| RefusedSite { at, va: start, refusal: Refusal::Overlap }).into();
            found.sites.clear();
            found.relays.clear();
        }
        for index in &group {
            let hook = &asked[*index];
            let concerns = |place: &RefusedSite| hook.at(place.at).is_some() || is_of_function(place.refusal);
            refused[*index].extend(found.refused.iter().filter(|place| concerns(place)));
            let has = |at| hook.at(at).is_some() && found.sites.iter().any(|site| site.is_at(at));
            // Exits without their entry would only be exits of nothing.
            is_placed[*index] = skip.is_some() || if hook.enter.is_some() { has(At::Enter) } else { has(At::Exit) };
        }
        group.retain(|index| is_placed[*index]);
        found.sites.retain(|site| {
            skip.is_some()
                || group.iter().any(|index| {
                    [At::Enter, At::Exit].iter().any(|at| site.is_at(*at) && asked[*index].at(*at).is_some())
                })
        });
        for index in &group {
            let hook = &mut asked[*index];
            if skip.is_some() {
                // The call ends where it begins.
                hook.sites =
                    [usize::from(hook.enter.is_some() || hook.skip.is_some()), usize::from(hook.exit.is_some())];
                continue;
            }
            hook.sites = [At::Enter, At::Exit].map(|at| {
                let is_mine = |site: &&Site| site.is_at(at) && hook.at(at).is_some();
                found.sites.iter().filter(is_mine).count()
            });
        }
        // A stable order: of rules that say the same, the first is the outermost.
        group.sort_by_key(|index| asked[*index].rule.order);
        if !group.is_empty() {
            placed.push(Target { sites: found.sites, relays: found.relays, hooks: group, skip });
        }
    }
    let reports = asked.iter().zip(&refused).flat_map(|(hook, places)| places.iter().map(|place| report(hook, place)));
    let refused = reports.collect();
    // Hooks that have no place are left out, so those behind them move up.
    let mut next = 0..;
    let new_index: Vec<_> = is_placed.iter().map(|placed| placed.then(|| next.next()).flatten()).collect();
    for target in &mut placed {
        target.hooks = target.hooks.iter().filter_map(|index| new_index[*index]).collect();
        target.skip = target.skip.and_then(|index| new_index[index]);
    }
    let hooks = asked.into_iter().zip(is_placed).filter_map(|(hook, placed)| placed.then_some(hook)).collect();
    Targets { hooks, functions: placed, refused }
}

/// Whether a refusal is of the whole function, whatever end is asked for.
fn is_of_function(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Assembly | Refusal::NotGo | Refusal::Undecodable | Refusal::Fips140 | Refusal::RuntimeNosplit
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
