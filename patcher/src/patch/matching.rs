//! Which functions of the program the rules mean, and what each hook captures there.
//!
//! Decides: what a rule's names and globs match; whether a hook's captures resolve and fit into a record.
//! Trusts: the function table and the types. Never does: choose a place in a function (that is [`super::targets`]).

use std::collections::HashSet;

use gopatch_trampolines::plan::Source;
use gopatch_trampolines::{manifest, thunk, wire};

use super::{Hint, PatchError, Problem};
use crate::golang::GoBinary;
use crate::golang::pclntab::Function;
use crate::program::{ParameterError, ProgramTypes};
use crate::rules::declared::DeclaredTypes;
use crate::rules::pattern::{Name, without_type_arguments};
use crate::rules::resolve::{End, Resolved};
use crate::rules::{Capture, Rule};

/// A rule, and the functions that it means.
pub(super) struct Match<'a> {
    pub(super) rule: &'a Rule,
    pub(super) functions: Vec<Function<'a>>,
}

/// A function under a rule, as it is to be hooked.
pub(super) struct Hook<'a> {
    pub(super) rule: &'a Rule,
    pub(super) function: Function<'a>,
    pub(super) inlined_copies: Option<u32>,
    pub(super) enter: Option<Resolved>,
    pub(super) exit: Option<Resolved>,
    pub(super) keep: Vec<Source>,
    /// Number of its places at the entry and at the exits, once they are chosen.
    pub(super) sites: [usize; 2],
}

impl Hook<'_> {
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
        }
    }
}

/// The functions that each rule means, as far as this program has them.
pub(super) fn match_rules<'a>(rules: &'a [Rule], go: &GoBinary<'a>) -> Result<Vec<Match<'a>>, PatchError> {
    let named = NamedFunctions::of(go);
    let mut matches = Vec::new();
    for rule in rules {
        let functions = named.matched(rule);
        if functions.is_empty() && !rule.optional {
            return Err(rule.failure(Problem::NoMatch(rule.asks_for(), named.nearest(rule))));
        }
        matches.push(Match { rule, functions });
    }
    if matches.iter().all(|it| it.functions.is_empty()) {
        return Err(PatchError::NothingMatches);
    }
    Ok(matches)
}

/// The symbol names, without type arguments, of all that is matched.
pub(super) fn matched_names<'a>(matches: &[Match<'a>]) -> HashSet<String> {
    let functions = matches.iter().flat_map(|it| &it.functions);
    functions.map(|function| without_type_arguments(function.name).into_owned()).collect()
}

/// The program's functions, and their names in parts.
struct NamedFunctions<'a> {
    functions: Vec<(Function<'a>, Name<'a>)>,
}

impl<'a> NamedFunctions<'a> {
    fn of(go: &GoBinary<'a>) -> Self {
        let named = |function: &Function<'a>| Some((*function, Name::parse(function.name)?));
        Self { functions: go.functions.all().iter().filter_map(named).collect() }
    }

    fn matched(&self, rule: &Rule) -> Vec<Function<'a>> {
        if rule.is_glob() {
            let is_go = |function: &Function<'_>| !function.is_wrapper && !function.flags.is_assembly();
            let functions = self.functions.iter().filter(|(function, name)| is_go(function) && rule.matches(name));
            return functions.map(|(function, _)| *function).collect();
        }
        rule.symbols().iter().flat_map(|symbol| self.hookable_twins(symbol)).collect()
    }

    /// The functions of that name whose registers are Go's; of a generic function, every instance.
    ///
    /// A Go function that assembly calls has a wrapper of its name with the old ABI, and a function in assembly has one with
    /// Go's; so the function itself comes before its wrapper, and a wrapper before assembly, which will be refused.
    fn hookable_twins(&self, symbol: &str) -> Vec<Function<'a>> {
        let rank = |function: &Function<'_>| match (function.flags.is_assembly(), function.is_wrapper) {
            (false, false) => 0,
            (false, true) => 1,
            (true, _) => 2,
        };
        let symbol = without_type_arguments(symbol);
        let is_it = |name: &Name<'_>| name.symbol() == symbol;
        let mut twins: Vec<_> =
            self.functions.iter().filter(|(_, name)| is_it(name)).map(|(function, _)| *function).collect();
        let best = twins.iter().map(rank).min();
        twins.retain(|twin| Some(rank(twin)) == best);
        twins
    }

    /// The function of the program whose name is most like one that the rule asks for, if any is much like it.
    fn nearest(&self, rule: &Rule) -> Hint {
        let symbols = rule.symbols();
        let Some(symbol) = symbols.first().filter(|_| !rule.is_glob()) else { return Hint(None) };
        let alike = |name: &Name<'_>| (strsim::jaro_winkler(symbol, name.symbol()) * 1000.0) as u32;
        let best = self.functions.iter().max_by_key(|(_, name)| alike(name));
        Hint(best.filter(|(_, name)| alike(name) > 850).map(|(_, name)| name.symbol().to_owned()))
    }
}

/// Resolves what a rule captures in a function.
pub(super) fn hook<'a>(
    rule: &'a Rule,
    function: Function<'a>,
    types: &ProgramTypes<'_>,
) -> Result<Hook<'a>, PatchError> {
    let name = || function.name.to_owned();
    let fail = |(what, source)| rule.failure(Problem::Resolve { function: name(), what, source });
    let mut declared = DeclaredTypes::new(types.get(), rule);
    let places = match types.places(rule, &function, &mut declared) {
        // What it captures need not resolve, and cannot.
        Err(ParameterError::Incomplete | ParameterError::Unknown) if rule.captures().all(|it| it.optional) => None,
        places => places.map_err(|source| rule.failure(Problem::Parameters { function: name(), source }))?,
    };
    let resolve = |captures: &[Capture], end: &mut End<'_>| match &places {
        Some(places) => places.point(rule, captures, end).map_err(fail),
        None => Ok(Resolved { left_out: captures.iter().map(Capture::to_string).collect(), ..Resolved::default() }),
    };
    let mut keep = Vec::new();
    let exit = rule.exit.as_ref().map(|captures| resolve(captures, &mut End::Exit(&mut keep))).transpose()?;
    let mut enter = rule.enter.as_ref().map(|captures| resolve(captures, &mut End::Enter)).transpose()?;
    if !keep.is_empty() && enter.is_none() {
        enter = Some(Resolved::default());
    }
    for point in [&enter, &exit].into_iter().flatten() {
        let bytes = thunk::max_record(&point.plans) - wire::ring::HEADER;
        if point.plans.len() > wire::MAX_CAPTURES || bytes > wire::MAX_PAYLOAD {
            let captures = point.plans.len();
            return Err(rule.failure(Problem::RecordTooLarge { function: name(), captures, bytes }));
        }
    }
    let inlined_copies = types.inlined_copies(&function);
    Ok(Hook { rule, function, inlined_copies, enter, exit, keep, sites: [0; 2] })
}
