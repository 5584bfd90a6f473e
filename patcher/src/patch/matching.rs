//! Which functions of the program the rules mean, and what each hook captures there.
//!
//! Decides: what a rule's names and globs match; whether a hook's captures resolve and fit into a record.
//! Trusts: the function table and the types. Never does: choose a place in a function (that is [`super::targets`]).

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;
use gopatch_protocol::manifest::Ratio;
use gopatch_protocol::{manifest, wire};
use gopatch_trampolines::filter::Filter;
use gopatch_trampolines::plan::Source;
use gopatch_trampolines::thunk;

use super::{PatchError, Problem};
use crate::dwarf::{Sections, TypeInfo, Wanted};
use crate::elf::Elf;
use crate::golang::pclntab::Function;
use crate::golang::symbol::{Name, without_type_arguments};
use crate::golang::{BuildInfo, GoBinary};
use crate::program::{ParameterError, ProgramTypes};
use crate::report;
use crate::rules::condition::Unresolved;
use crate::rules::declared::DeclaredTypes;
use crate::rules::pattern::{import_matches, is_import_glob, receiver_matches};
use crate::rules::resolve::{CaptureError, End, Resolved};
use crate::rules::skip::Skip;
use crate::rules::version::Version;
use crate::rules::{Capture, Rule};
use crate::yaml::nearest::did_you_mean;

/// A rule, and the functions that it means.
pub(super) struct Match<'a> {
    pub(super) rule: &'a Rule,
    pub(super) functions: Vec<Function<'a>>,
    /// Why it was not looked for: a version out of its range.
    pub(super) left_out: Option<String>,
}

/// A function under a rule, as it is to be hooked.
pub(super) struct Hook<'a> {
    pub(super) rule: &'a Rule,
    pub(super) function: Function<'a>,
    /// The functions that hold copies of it; `None` when nothing tells.
    pub(super) inlined_into: Option<Vec<String>>,
    pub(super) enter: Option<Resolved>,
    pub(super) exit: Option<Resolved>,
    pub(super) keep: Vec<Source>,
    /// Which calls are recorded, decided at [`Rule::decided_at`].
    pub(super) filter: Filter,
    /// What it returns, if its body is not to run.
    pub(super) skip: Option<Skip>,
    /// Whether its body may run all the same, in copies that the compiler inlined elsewhere.
    pub(super) runs_elsewhere: bool,
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
            when: self.rule.when.as_ref().map(|when| when.text.clone()),
            sample: self.rule.sample,
            dimensions: self.rule.dimensions.clone(),
            skip: self.skip.as_ref().map(|skip| skip.shown.clone()),
        }
    }

    /// The filter that is evaluated at that end.
    pub(super) fn filter_at(&self, at: manifest::At) -> Filter {
        if at == self.rule.decided_at() { self.filter.clone() } else { Filter::default() }
    }

    /// Whether entries leave marks by which exits know that they were recorded.
    pub(super) fn is_marked(&self) -> bool {
        !self.filter.is_empty() && self.sites.iter().all(|number| *number > 0)
    }

    /// Whether it needs the words table.
    pub(super) fn uses_table(&self) -> bool {
        !self.keep.is_empty() || self.is_marked()
    }
}

/// The functions that each rule means, as far as this program has them.
pub(super) fn match_rules<'a>(
    rules: &'a [Rule],
    go: &GoBinary<'a>,
    elf: &Elf<'a>,
) -> Result<Vec<Match<'a>>, PatchError> {
    let named = NamedFunctions::of(go, rules);
    let mut matches = Vec::new();
    for rule in rules {
        let mut functions = named.matched(rule);
        // Of an optional rule whose functions the program has not, versions say nothing.
        let is_about_it = !(rule.optional && functions.is_empty());
        let mut left_out = out_of_range(rule, &rule.import, &go.build_info).filter(|_| is_about_it);
        if left_out.is_some() {
            functions.clear();
        } else if functions.is_empty() && !rule.optional {
            return Err(only_inlined(rule, elf, go)?.unwrap_or_else(|| named.no_match(rule)));
        }
        // The packages that a glob means may be of several modules.
        if rule.is_glob() {
            functions.retain(|function| {
                let package = Name::parse(function.name).map(|name| name.package).unwrap_or_default();
                let why = out_of_range(rule, &package, &go.build_info);
                let is_inside = why.is_none();
                left_out = left_out.take().or(why);
                is_inside
            });
        }
        matches.push(Match { rule, functions, left_out });
    }
    if matches.iter().all(|it| it.functions.is_empty()) {
        return Err(PatchError::NothingMatches);
    }
    Ok(matches)
}

/// What to say of a rule that names a function which is nowhere but in others.
fn only_inlined(rule: &Rule, elf: &Elf<'_>, go: &GoBinary<'_>) -> Result<Option<PatchError>, PatchError> {
    let symbols = rule.symbols();
    let Some(sections) = Sections::load(elf)?.filter(|_| !rule.is_glob()) else { return Ok(None) };
    let wanted = Wanted { functions: symbols.iter().map(String::as_str).collect(), ..Wanted::default() };
    let info = TypeInfo::load(&sections, &wanted, go.module_data.types)?;
    for symbol in &symbols {
        let into = info.inlined_into(symbol)?;
        if !into.is_empty() {
            let (count, into) = (into.len(), report::callers(&into));
            return Ok(Some(rule.failure("function", Problem::Inlined { function: symbol.clone(), count, into })));
        }
    }
    Ok(None)
}

/// Why a rule is not for this program's version of Go or of the module that a package belongs to.
fn out_of_range(rule: &Rule, package: &str, build_info: &BuildInfo) -> Option<String> {
    if let Some(range) = rule.go.as_ref().filter(|range| !range.contains(&build_info.version.into())) {
        return Some(format!("it is for Go {range}, and this is {}", build_info.go_version));
    }
    let range = rule.version.as_ref()?;
    if is_import_glob(package) {
        return None;
    }
    let module = if package == "main" { build_info.main_module.as_ref() } else { build_info.module_of(package) };
    let (name, text, version) = match module {
        Some(module) => (module.path.as_str(), module.version.as_str(), Version::parse(&module.version)),
        None if build_info.is_standard(package) => {
            ("Go", build_info.go_version.as_str(), Some(build_info.version.into()))
        }
        None => (package, "", None),
    };
    match version {
        Some(version) if range.contains(&version) => None,
        Some(_) => Some(format!("it is for {name} {range}, and this is {text}")),
        None => {
            let text = if text.is_empty() { "unknown" } else { text };
            Some(format!("it is for {name} {range}, and its version in this program is {text}"))
        }
    }
}

/// The symbol names, without type arguments, of all that is matched.
pub(super) fn matched_names(matches: &[Match<'_>]) -> HashSet<String> {
    let functions = matches.iter().flat_map(|it| &it.functions);
    functions.map(|function| without_type_arguments(function.name).into_owned()).collect()
}

/// The program's functions, those that rules name, and the names of all in parts.
struct NamedFunctions<'f, 'a> {
    all: &'f [Function<'a>],
    /// By each name, without type arguments, that a rule without globs has.
    asked: HashMap<String, Vec<Function<'a>>, FixedState>,
    /// Those of functions that a person may mean. Only globs and messages need them.
    in_parts: OnceCell<Vec<(Function<'a>, Name<'a>)>>,
}

impl<'f, 'a> NamedFunctions<'f, 'a> {
    /// Every name of the program is looked up once, however many the rules have.
    fn of(go: &'f GoBinary<'a>, rules: &[Rule]) -> Self {
        let all = go.functions.all();
        let symbols = rules.iter().filter(|rule| !rule.is_glob()).flat_map(Rule::symbols);
        let any = |symbol: String| (without_type_arguments(&symbol).into_owned(), Vec::new());
        let mut asked: HashMap<_, Vec<_>, _> = symbols.map(any).collect();
        for function in all {
            if let Some(functions) = asked.get_mut(&*without_type_arguments(function.name)) {
                functions.push(*function);
            }
        }
        Self { all, asked, in_parts: OnceCell::new() }
    }

    fn in_parts(&self) -> &[(Function<'a>, Name<'a>)] {
        let named = |function: &Function<'a>| Some((*function, Name::parse(function.name)?));
        self.in_parts.get_or_init(|| self.all.iter().filter_map(named).collect())
    }

    fn matched(&self, rule: &Rule) -> Vec<Function<'a>> {
        if rule.is_glob() {
            let is_go = |function: &Function<'_>| !function.is_wrapper && !function.flags.is_assembly();
            let functions = self.in_parts().iter().filter(|(function, name)| is_go(function) && rule.matches(name));
            return functions.map(|(function, _)| *function).collect();
        }
        // Two of a rule's names may mean the same function.
        let mut known = HashSet::new();
        let functions = rule.symbols().into_iter().flat_map(|symbol| self.hookable_twins(&symbol));
        functions.filter(|function| known.insert(function.start)).collect()
    }

    /// The functions of that name whose registers are Go's; of a generic function, every instance unless the name says which.
    ///
    /// A Go function that assembly calls has a wrapper of its name with the old ABI, and a function in assembly has one with
    /// Go's; so the function itself comes before its wrapper, and a wrapper before assembly, which will be refused.
    fn hookable_twins(&self, symbol: &str) -> Vec<Function<'a>> {
        let rank = |function: &Function<'_>| match (function.flags.is_assembly(), function.is_wrapper) {
            (false, false) => 0,
            (false, true) => 1,
            (true, _) => 2,
        };
        let any = without_type_arguments(symbol);
        let asked = self.asked.get(&*any).map(Vec::as_slice).unwrap_or_default();
        let is_it = |function: &&Function<'_>| any == symbol || function.name == symbol;
        let mut twins: Vec<_> = asked.iter().filter(is_it).copied().collect();
        let best = twins.iter().map(rank).min();
        twins.retain(|twin| Some(rank(twin)) == best);
        twins
    }

    /// What to say of a rule that matches nothing: it is the package, the receiver or the function that is not there.
    fn no_match(&self, rule: &Rule) -> PatchError {
        let names = || self.in_parts().iter().map(|(_, name)| name);
        let packages = || names().map(|name| name.package.as_str());
        if !packages().any(|package| import_matches(&rule.import, package)) {
            let what = format!("function in a package {}", rule.import);
            return rule.failure("import", Problem::NoMatch(what, did_you_mean(&rule.import, packages())));
        }
        let symbols = rule.symbols();
        let near = match symbols.first() {
            Some(symbol) if !rule.is_glob() => did_you_mean(symbol, names().map(Name::symbol)),
            _ => String::new(),
        };
        let in_package = || names().filter(|name| import_matches(&rule.import, &name.package));
        let is_receiver = |name: &Name<'_>| {
            name.receiver().is_some_and(|of| rule.receivers.iter().any(|wanted| receiver_matches(wanted, of)))
        };
        let field = if rule.receivers.is_empty() || in_package().any(is_receiver) { "function" } else { "receiver" };
        rule.failure(field, Problem::NoMatch(rule.asks_for(), near))
    }
}

/// Resolves what a rule captures in a function.
pub(super) fn hook<'a>(
    rule: &'a Rule,
    function: Function<'a>,
    types: &ProgramTypes<'_>,
) -> Result<Hook<'a>, PatchError> {
    let name = || function.name.to_owned();
    if rule.skip.is_some() && (function.is_wrapper || function.flags.is_assembly()) {
        // It will be refused, and nobody describes its results.
        let (inlined_into, skip) = (Some(Vec::new()), Some(Skip::default()));
        return Ok(Hook {
            rule,
            function,
            inlined_into,
            enter: None,
            exit: None,
            keep: Vec::new(),
            filter: Filter::default(),
            skip,
            runs_elsewhere: false,
            sites: [0; 2],
        });
    }
    let mut declared = DeclaredTypes::new(types.get(), rule);
    let places = match types.places(rule, &function, &mut declared) {
        // What it captures need not resolve, and cannot.
        Err(ParameterError::Incomplete | ParameterError::Unknown)
            if rule.when.is_none() && rule.skip.is_none() && rule.captures().all(|it| it.optional) =>
        {
            None
        }
        places => {
            let fail = |source| rule.failure("signature", Problem::Parameters { function: name(), source });
            places.map_err(fail)?
        }
    };
    let skip = rule.skip.as_ref().zip(places.as_ref()).map(|(constants, places)| {
        places.skip(constants).map_err(|(index, source)| {
            let field = index.map_or_else(|| "skip".to_owned(), |index| format!("skip.{index}"));
            rule.failure(&field, Problem::Skip { function: name(), source })
        })
    });
    let skip = skip.transpose()?;
    let resolve = |captures: &[Capture], end: &mut End<'_>| match &places {
        Some(places) => {
            let key = if matches!(end, End::Enter) { "enter" } else { "exit" };
            places.point(rule, captures, end).map_err(|unresolved| {
                let CaptureError { attribute, text, error } = *unresolved;
                let problem = Problem::Resolve { function: name(), text, source: error };
                rule.failure(&format!("{key}.{attribute}"), problem)
            })
        }
        None => Ok(Resolved { left_out: captures.iter().map(Capture::to_string).collect(), ..Resolved::default() }),
    };
    let mut keep = Vec::new();
    let exit = rule.exit.as_ref().map(|captures| resolve(captures, &mut End::Exit(&mut keep))).transpose()?;
    let mut enter = rule.enter.as_ref().map(|captures| resolve(captures, &mut End::Enter)).transpose()?;
    if !keep.is_empty() && enter.is_none() {
        // The entry would be recorded before the exit is asked.
        if let Some(key) = rule.when.as_ref().map(|_| "when").or_else(|| rule.sample.map(|_| "sample")) {
            return Err(rule.failure(key, Problem::DecidedTooLate { function: name() }));
        }
        enter = Some(Resolved::default());
    }
    let condition = rule.when.as_ref().map(|when| {
        let unknown = || Problem::Parameters { function: name(), source: ParameterError::Unknown };
        let places = places.as_ref().ok_or_else(|| rule.failure("when", unknown()))?;
        when.resolve(places, rule, rule.decided_at()).map_err(|unresolved| {
            let Unresolved { text, error } = *unresolved;
            rule.failure("when", Problem::Condition { function: name(), text, source: error })
        })
    });
    let filter = Filter { condition: condition.transpose()?, sample_below: rule.sample.and_then(Ratio::bound) };
    for (key, point) in [("enter", &enter), ("exit", &exit)] {
        let Some(point) = point else { continue };
        let bytes = thunk::max_record(&point.plans) - wire::ring::HEADER;
        if point.plans.len() > wire::MAX_CAPTURES || bytes > wire::MAX_PAYLOAD {
            let captures = point.plans.len();
            return Err(rule.failure(key, Problem::RecordTooLarge { function: name(), captures, bytes }));
        }
    }
    let inlined_into = types.inlined_into(&function)?;
    Ok(Hook { rule, function, inlined_into, enter, exit, keep, filter, skip, runs_elsewhere: false, sites: [0; 2] })
}

/// No function has its results from two rules.
pub(super) fn skipped_once(hooks: &[Hook<'_>]) -> Result<(), PatchError> {
    let mut known = HashMap::new();
    for hook in hooks.iter().filter(|hook| hook.skip.is_some()) {
        if let Some(other) = known.insert(hook.function.start, hook.rule) {
            let (function, other) = (hook.function.name.to_owned(), other.name.clone());
            return Err(hook.rule.failure("skip", Problem::SkippedTwice { function, other }));
        }
    }
    Ok(())
}
