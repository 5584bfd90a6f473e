//! What each hook records.
//!
//! Decides: whether the captures, the filter and the results of a rule resolve in a function, and
//! fit into a record.
//! Trusts: the types. Never does: choose a place in a function (that is [`super::targets`]).

use std::collections::HashMap;

use gopatch_protocol::manifest::Ratio;
use gopatch_protocol::{manifest, wire};
use gopatch_trampolines::plan::filter::Filter;
use gopatch_trampolines::plan::{Gpr, Source};
use gopatch_trampolines::thunk;

use super::error::{PatchError, Problem};
use crate::golang::pclntab::Function;
use crate::program::{ParameterError, ProgramTypes};
use crate::rules::condition::Unresolved;
use crate::rules::declared::DeclaredTypes;
use crate::rules::resolve::{CaptureError, End, Places, Resolved};
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
        !self.filter.is_empty() && self.sites.iter().all(|number| *number > 0)
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
    for (key, point) in [("enter", &enter), ("exit", &exit)] {
        point.as_ref().map_or(Ok(()), |point| resolver.check_size(key, point))?;
    }
    let inlined_into = types.inlined_into(&function)?;
    Ok(Hook { enter, exit, keep, filter, skip, ..Hook::new(rule, function, inlined_into) })
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

    /// Refuses a record that the wire format has no room for.
    fn check_size(&self, key: &str, point: &Resolved) -> Result<(), PatchError> {
        let captures = point.plans.len();
        let bytes = thunk::max_record(&point.plans) - wire::ring::HEADER;
        if captures > wire::MAX_CAPTURES || bytes > wire::MAX_PAYLOAD {
            let problem = Problem::RecordTooLarge { function: self.name(), captures, bytes };
            return Err(self.rule.failure(key, problem));
        }
        Ok(())
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
