//! What each hook records.
//!
//! Decides: whether the captures, the filter and the results of a rule resolve in a function, and
//! fit into a record.
//! Trusts: the types. Never does: choose a place in a function (that is [`super::targets`]).

use std::collections::HashMap;

use gopatch_protocol::manifest::{Kind, Ratio};
use gopatch_protocol::{manifest, wire};
use gopatch_trampolines::plan::context::{ContextPlan, MapLayout, Open};
use gopatch_trampolines::plan::filter::Filter;
use gopatch_trampolines::plan::{Gpr, Source};
use gopatch_trampolines::thunk;

use super::error::{PatchError, Problem};
use crate::golang::pclntab::Function;
use crate::program::{ParameterError, ProgramTypes};
use crate::rules::condition::Unresolved;
use crate::rules::declared::DeclaredTypes;
use crate::rules::resolve::{CaptureError, End, Places, Resolved, context};
use crate::rules::skip::Skip;
use crate::rules::{Capture, Rule};
use crate::sites::Text;

/// A function that a rule matches, and how to hook it.
pub(super) struct Hook<'a> {
    pub(super) rule: &'a Rule,
    pub(super) function: Function<'a>,
    /// The functions that hold inlined copies of it; `None` when that is unknown.
    pub(super) inlined_into: Option<Vec<String>>,
    pub(super) enter: Option<Resolved>,
    pub(super) exit: Option<Resolved>,
    pub(super) keep: Vec<Source>,
    /// How its calls get their contexts, or what it carries.
    opens: Option<Open>,
    carries: Option<ContextPlan>,
    /// Whether its calls have contexts.
    has_context: bool,
    /// Which calls are recorded, decided at [`Rule::decided_at`].
    pub(super) filter: Filter,
    /// What it returns, if its body must not run.
    pub(super) skip: Option<Skip>,
    /// Whether that body may still run, in copies that the compiler inlined elsewhere.
    pub(super) runs_elsewhere: bool,
    /// Number of its sites at the entry and at the exits, once they are chosen.
    pub(super) sites: [usize; 2],
}

impl<'a> Hook<'a> {
    /// A hook that records nothing yet.
    fn new(rule: &'a Rule, function: Function<'a>, inlined_into: Option<Vec<String>>) -> Self {
        Self {
            rule,
            function,
            inlined_into,
            enter: None,
            exit: None,
            keep: Vec::new(),
            opens: None,
            carries: None,
            has_context: false,
            filter: Filter::default(),
            skip: None,
            runs_elsewhere: false,
            sites: [0; 2],
        }
    }

    /// What is recorded at that end.
    pub(super) fn at(&self, at: manifest::At) -> Option<&Resolved> {
        match at {
            manifest::At::Enter => self.enter.as_ref(),
            manifest::At::Exit => self.exit.as_ref(),
        }
    }

    pub(super) fn manifest(&self) -> manifest::Function {
        manifest::Function {
            name: self.function.name.to_owned(),
            rule: self.rule.name.clone(),
            kind: self.rule.kind,
            operation: self.rule.operation_of(self.function.name),
            va: self.function.start.0,
            when: self.rule.when.as_ref().map(|when| when.text.clone()),
            sample: self.rule.sample,
            ends: self.rule.ends.clone(),
            instead_of: self.rule.instead_of.clone(),
            dimensions: self.rule.dimensions.clone(),
            skip: self.skip.as_ref().map(|skip| skip.shown.clone()),
        }
    }

    /// The filter to evaluate at that end.
    pub(super) fn filter_at(&self, at: manifest::At) -> Filter {
        if at == self.rule.decided_at() { self.filter.clone() } else { Filter::default() }
    }

    /// Whether entries leave marks that tell exits whether the call is recorded.
    pub(super) fn is_marked(&self) -> bool {
        self.rule.kind != Kind::Carrier && !self.filter.is_empty() && self.sites.iter().all(|number| *number > 0)
    }

    /// What it does with contexts at that end.
    pub(super) fn context_at(&self, at: manifest::At) -> Option<ContextPlan> {
        match (self.rule.kind, at) {
            (Kind::Carrier, manifest::At::Exit) => match self.carries.as_ref()? {
                ContextPlan::Write(write) => Some(ContextPlan::Replace(write.writer)),
                other => Some(other.clone()),
            },
            (Kind::Carrier, manifest::At::Enter) => self.carries.clone(),
            (Kind::Boundary, manifest::At::Exit) if self.has_context => Some(ContextPlan::CloseDeeper),
            (Kind::Boundary | Kind::End, _) => None,
            _ if !self.has_context || self.sites.contains(&0) => None,
            (_, manifest::At::Enter) => Some(ContextPlan::Open(Box::new(self.opens.clone().unwrap_or_default()))),
            (_, manifest::At::Exit) => Some(ContextPlan::Close),
        }
    }

    /// Whether it does anything with contexts.
    pub(super) fn uses_contexts(&self) -> bool {
        [manifest::At::Enter, manifest::At::Exit].into_iter().any(|at| self.context_at(at).is_some())
    }

    /// Whether it needs the words table.
    pub(super) fn uses_table(&self) -> bool {
        !self.keep.is_empty() || self.is_marked()
    }
}

/// Resolves a rule in one of its functions. `text` shows which arguments the function loses when
/// its stack grows; without it they count as kept.
pub(super) fn resolve<'a>(
    rule: &'a Rule,
    function: Function<'a>,
    types: &ProgramTypes<'_>,
    text: Option<&Text<'_>>,
) -> Result<Hook<'a>, PatchError> {
    if rule.skip.is_some() && (function.is_wrapper || function.flags.is_assembly()) {
        // It will be refused, and nothing describes its results.
        return Ok(Hook { skip: Some(Skip::default()), ..Hook::new(rule, function, Some(Vec::new())) });
    }
    let mut declared = DeclaredTypes::new(types.get(), rule);
    // A function that is skipped never grows its stack.
    let grows = text.filter(|_| rule.skip.is_none() && rule.expressions().next().is_some());
    let lost = grows.map(|text| text.lost_arguments(&function)).unwrap_or_default();
    let places = find_places(rule, &function, types, &mut declared, &lost)?;
    let resolver = Resolver { rule, function: function.name, places: places.as_ref() };
    let skip = resolver.skip()?;
    let mut keep = Vec::new();
    let exit = rule.exit.as_ref().map(|captures| resolver.point(captures, &mut End::Exit(&mut keep))).transpose()?;
    let mut enter = rule.enter.as_ref().map(|captures| resolver.point(captures, &mut End::Enter)).transpose()?;
    if !keep.is_empty() && enter.is_none() {
        resolver.check_records_every_call()?;
        enter = Some(Resolved::default());
    }
    let filter = resolver.filter()?;
    let (opens, carries) = resolver.context(types.maps())?;
    for (key, point) in [("enter", &enter), ("exit", &exit)] {
        point.as_ref().map_or(Ok(()), |point| resolver.check_size(key, point))?;
    }
    let inlined_into = types.inlined_into(&function)?;
    Ok(Hook { enter, exit, keep, filter, opens, carries, skip, ..Hook::new(rule, function, inlined_into) })
}

/// Where the function's parameters and results are, as far as the rule needs them.
fn find_places<'t>(
    rule: &'t Rule,
    function: &Function<'_>,
    types: &'t ProgramTypes<'_>,
    declared: &'t mut DeclaredTypes<'t>,
    lost: &'t [Gpr],
) -> Result<Option<Places<'t>>, PatchError> {
    let may_be_unknown = || rule.when.is_none() && rule.skip.is_none() && rule.captures().all(|it| it.optional);
    match types.places(rule, function, declared, lost) {
        Err(ParameterError::Incomplete | ParameterError::Unknown) if may_be_unknown() => Ok(None),
        places => places.map_err(|source| {
            rule.failure("signature", Problem::Parameters { function: function.name.to_owned(), source })
        }),
    }
}

/// Resolves the parts of a rule in one function.
struct Resolver<'r, 't> {
    rule: &'r Rule,
    /// The function's name.
    function: &'r str,
    /// `None` when nothing of the rule needs them, or they are unknown and every capture is
    /// optional.
    places: Option<&'r Places<'t>>,
}

impl Resolver<'_, '_> {
    fn name(&self) -> String {
        self.function.to_owned()
    }

    /// What the function returns without running.
    fn skip(&self) -> Result<Option<Skip>, PatchError> {
        let Some((constants, places)) = self.rule.skip.as_ref().zip(self.places) else { return Ok(None) };
        let skip = places.skip(constants).map_err(|(index, source)| {
            let field = index.map_or_else(|| "skip".to_owned(), |index| format!("skip.{index}"));
            self.rule.failure(&field, Problem::Skip { function: self.name(), source })
        });
        skip.map(Some)
    }

    /// What is recorded at one end.
    fn point(&self, captures: &[Capture], end: &mut End<'_>) -> Result<Resolved, PatchError> {
        let Some(places) = self.places else {
            let left_out = captures.iter().map(Capture::to_string).collect();
            return Ok(Resolved { left_out, ..Resolved::default() });
        };
        let key = if matches!(end, End::Enter) { "enter" } else { "exit" };
        places.point(self.rule, captures, end).map_err(|unresolved| {
            let CaptureError { attribute, text, error } = *unresolved;
            let problem = Problem::Resolve { function: self.name(), text, source: error };
            self.rule.failure(&format!("{key}.{attribute}"), problem)
        })
    }

    /// Refuses a filter where the entry is recorded only for the exit: it would come before the
    /// filter's decision.
    fn check_records_every_call(&self) -> Result<(), PatchError> {
        let when = self.rule.when.as_ref().map(|_| "when");
        match when.or_else(|| self.rule.sample.map(|_| "sample")) {
            Some(key) => Err(self.rule.failure(key, Problem::DecidedTooLate { function: self.name() })),
            None => Ok(()),
        }
    }

    /// Which calls are recorded.
    fn filter(&self) -> Result<Filter, PatchError> {
        let condition = self.rule.when.as_ref().map(|when| {
            let unknown = || Problem::Parameters { function: self.name(), source: ParameterError::Unknown };
            let places = self.places.ok_or_else(|| self.rule.failure("when", unknown()))?;
            when.resolve(places, self.rule, self.rule.decided_at()).map_err(|unresolved| {
                let Unresolved { text, error } = *unresolved;
                self.rule.failure("when", Problem::Condition { function: self.name(), text, source: error })
            })
        });
        Ok(Filter { condition: condition.transpose()?, sample_below: self.rule.sample.and_then(Ratio::bound) })
    }

    /// How calls get their contexts, and what a carrier does.
    fn context(&self, maps: Option<MapLayout>) -> Result<(Option<Open>, Option<ContextPlan>), PatchError> {
        let Some((context, places)) = self.rule.context.as_ref().zip(self.places) else { return Ok((None, None)) };
        let fail = |(key, text, source): context::Unresolved| {
            self.rule.failure(key, Problem::Resolve { function: self.name(), text, source })
        };
        Ok(match &context.carries {
            Some(carries) => (None, Some(places.carry(self.rule, carries, maps).map_err(fail)?)),
            None => (Some(places.open(self.rule, context, maps).map_err(fail)?), None),
        })
    }

    /// Refuses a record that the wire format has no room for.
    fn check_size(&self, key: &str, point: &Resolved) -> Result<(), PatchError> {
        let captures = point.plans.len();
        let bytes = thunk::max_record(&point.plans, self.rule.context.is_some()) - wire::ring::HEADER;
        if captures > wire::MAX_CAPTURES || bytes > wire::MAX_PAYLOAD {
            let problem = Problem::RecordTooLarge { function: self.name(), captures, bytes };
            return Err(self.rule.failure(key, problem));
        }
        Ok(())
    }
}

/// Gives contexts to the calls of all operations, if a rule reads or writes any: each may be between
/// a request and what is sent for it. The functions of globs are too many for that, and take their
/// trace from the calls around them.
pub(super) fn give_contexts(hooks: &mut [Hook<'_>]) {
    if !hooks.iter().any(|hook| hook.rule.context.is_some()) {
        return;
    }
    for hook in hooks {
        let fits = |point: &Resolved| thunk::max_record(&point.plans, true) - wire::ring::HEADER <= wire::MAX_PAYLOAD;
        hook.has_context = !hook.rule.is_glob() && hook.enter.as_ref().is_none_or(fits);
    }
}

/// Refuses two rules that both give a function its results.
pub(super) fn check_skipped_once(hooks: &[Hook<'_>]) -> Result<(), PatchError> {
    let mut known = HashMap::new();
    for hook in hooks.iter().filter(|hook| hook.skip.is_some()) {
        if let Some(other) = known.insert(hook.function.start, hook.rule) {
            let (function, other) = (hook.function.name.to_owned(), other.name.clone());
            return Err(hook.rule.failure("skip", Problem::SkippedTwice { function, other }));
        }
    }
    Ok(())
}
