//! Which functions of the program each rule matches.
//!
//! Decides: what a rule's names and globs match. Trusts: the function table.
//! Never does: choose a place in a function (that is [`super::targets`]).

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use super::error::{PatchError, Problem};
use super::versions::{self, Applicability};
use crate::dwarf::{Sections, TypeInfo, WantedNames};
use crate::elf::Elf;
use crate::golang::GoBinary;
use crate::golang::pclntab::Function;
use crate::golang::symbol::{Name, without_type_arguments};
use crate::report::format_callers;
use crate::rules::Rule;
use crate::rules::pattern::{import_matches, receiver_matches};
use crate::yaml::nearest::did_you_mean;

/// A rule and the functions that it matches.
pub(super) struct Match<'a> {
    pub(super) rule: &'a Rule,
    pub(super) functions: Vec<Function<'a>>,
    /// Why it was left out: a version outside its range.
    pub(super) left_out: Option<String>,
    /// Why it is undecided: an unknown version. [`super::shapes::settle`] decides.
    pub(super) unknown: Option<String>,
}

/// The functions of this program that each rule matches.
pub(super) fn match_rules<'a>(
    rules: &'a [Rule],
    go: &GoBinary<'a>,
    elf: &Elf<'a>,
) -> Result<Vec<Match<'a>>, PatchError> {
    let named = NamedFunctions::new(go, rules);
    let mut matches = Vec::new();
    for rule in rules {
        let mut functions = named.matched(rule);
        // An optional rule without a function in the program is not left out for its version.
        let may_be_left_out = !(rule.optional && functions.is_empty());
        let (mut left_out, mut unknown) = (None, None);
        match versions::compare(rule, &rule.import, &go.build_info) {
            _ if !may_be_left_out => {}
            // A glob has no signature to compare.
            Applicability::Unknown(why) if !rule.is_glob() && !functions.is_empty() => unknown = Some(why),
            Applicability::LeftOut(why) | Applicability::Unknown(why) => left_out = Some(why),
            Applicability::Applies => {}
        }
        if left_out.is_some() {
            functions.clear();
        } else if functions.is_empty() && !rule.optional {
            return Err(only_inlined(rule, elf, go)?.unwrap_or_else(|| named.no_match(rule)));
        }
        // The packages that a glob matches may belong to several modules.
        if rule.is_glob() {
            functions.retain(|function| {
                let package = Name::parse(function.name).map(|name| name.package).unwrap_or_default();
                match versions::compare(rule, &package, &go.build_info) {
                    Applicability::Applies => true,
                    Applicability::LeftOut(why) | Applicability::Unknown(why) => {
                        left_out = left_out.take().or(Some(why));
                        false
                    }
                }
            });
        }
        matches.push(Match { rule, functions, left_out, unknown });
    }
    check_any(&matches)?;
    Ok(matches)
}

/// Refuses a program if no rule matches a function.
pub(super) fn check_any(matches: &[Match<'_>]) -> Result<(), PatchError> {
    if matches.iter().any(|it| !it.functions.is_empty()) {
        return Ok(());
    }
    let words = |it: &Match<'_>| Some(format!("; rule {} was left out: {}", it.rule.name, it.left_out.as_ref()?));
    let left_out = matches.iter().filter_map(words);
    Err(PatchError::NothingMatches(left_out.collect()))
}

/// The error for a rule whose function exists only as inlined copies.
fn only_inlined(rule: &Rule, elf: &Elf<'_>, go: &GoBinary<'_>) -> Result<Option<PatchError>, PatchError> {
    let symbols = rule.symbols();
    let Some(sections) = Sections::load(elf)?.filter(|_| !rule.is_glob()) else { return Ok(None) };
    let wanted = WantedNames { functions: symbols.iter().map(String::as_str).collect(), ..WantedNames::default() };
    let info = TypeInfo::load(&sections, &wanted, go.module_data.types)?;
    for symbol in &symbols {
        let into = info.inlined_into(symbol)?;
        if !into.is_empty() {
            let (count, into) = (into.len(), format_callers(&into));
            return Ok(Some(rule.failure("function", Problem::Inlined { function: symbol.clone(), count, into })));
        }
    }
    Ok(None)
}

/// The symbol names, without type arguments, of all matched functions.
pub(super) fn matched_names(matches: &[Match<'_>]) -> HashSet<String> {
    let functions = matches.iter().flat_map(|it| &it.functions);
    functions.map(|function| without_type_arguments(function.name).into_owned()).collect()
}

/// The program's functions, indexed for the rules.
struct NamedFunctions<'f, 'a> {
    all: &'f [Function<'a>],
    /// The functions of each name, without type arguments, that a rule without globs has.
    wanted: HashMap<String, Vec<Function<'a>>, FixedState>,
    /// The functions with a name that a rule can have, in parts. Only globs and messages need them.
    in_parts: OnceCell<Vec<(Function<'a>, Name<'a>)>>,
}

impl<'f, 'a> NamedFunctions<'f, 'a> {
    /// Looks up every name of the program once, for all rules.
    fn new(go: &'f GoBinary<'a>, rules: &[Rule]) -> Self {
        let all = go.functions.all();
        let symbols = rules.iter().filter(|rule| !rule.is_glob()).flat_map(Rule::symbols);
        let empty = |symbol: String| (without_type_arguments(&symbol).into_owned(), Vec::new());
        let mut wanted: HashMap<_, Vec<_>, _> = symbols.map(empty).collect();
        for function in all {
            if let Some(functions) = wanted.get_mut(&*without_type_arguments(function.name)) {
                functions.push(*function);
            }
        }
        Self { all, wanted, in_parts: OnceCell::new() }
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
        // Two of a rule's names may match the same function.
        let mut known = HashSet::new();
        let functions = rule.symbols().into_iter().flat_map(|symbol| self.hookable_twins(&symbol));
        functions.filter(|function| known.insert(function.start)).collect()
    }

    /// The functions of that name with Go's register ABI; of a generic function every instance,
    /// unless the name has type arguments.
    ///
    /// A Go function that assembly calls has a wrapper of the same name with the old ABI; a
    /// function in assembly has one with Go's. So the function itself is preferred to its wrapper,
    /// and a wrapper to assembly, which will be refused.
    fn hookable_twins(&self, symbol: &str) -> Vec<Function<'a>> {
        let rank = |function: &Function<'_>| match (function.flags.is_assembly(), function.is_wrapper) {
            (false, false) => 0,
            (false, true) => 1,
            (true, _) => 2,
        };
        let any = without_type_arguments(symbol);
        let wanted = self.wanted.get(&*any).map(Vec::as_slice).unwrap_or_default();
        let is_it = |function: &&Function<'_>| any == symbol || function.name == symbol;
        let mut twins: Vec<_> = wanted.iter().filter(is_it).copied().collect();
        let best = twins.iter().map(rank).min();
        twins.retain(|twin| Some(rank(twin)) == best);
        twins
    }

    /// The error for a rule that matches nothing: the program lacks the package, the receiver or
    /// the function.
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
            name.receiver()
                .is_some_and(|receiver| rule.receivers.iter().any(|wanted| receiver_matches(wanted, receiver)))
        };
        let field = if rule.receivers.is_empty() || in_package().any(is_receiver) { "function" } else { "receiver" };
        rule.failure(field, Problem::NoMatch(rule.describe_functions(), near))
    }
}
