//! Whether a rule is for this program's versions: of Go, and of the module of its package.
//!
//! Decides: which rules are left out for a version outside their range, and, where a version is
//! unknown, which are right by the shape of their functions. Trusts: build info's versions, but not
//! that a replacement has the numbers of what it replaces. Never does: take one of several rules
//! that are for different versions and fit equally well.

use super::error::PatchError;
use super::hooks;
use super::matching::Match;
use crate::address::Va;
use crate::golang::{BuildInfo, Function};
use crate::program::ProgramTypes;
use crate::rules::Rule;
use crate::rules::declaration::{Expr, Shape};
use crate::rules::pattern::is_import_glob;
use crate::rules::version::{Range, Version};
use crate::types::{Origin, TypeError};

/// Start of a version that says when the code was written, and not which it is.
const UNTAGGED: &str = "v0.0.0-";

/// Whether a rule is for this program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// By its versions, or because it is for all.
    Applies,
    /// No, and why.
    LeftOut(String),
    /// A version is unknown; in the words of [`Verdict::LeftOut`].
    Unknown(String),
}

/// Compares a rule's ranges with the program's versions of Go and of the module of a package.
pub(super) fn compare(rule: &Rule, package: &str, build_info: &BuildInfo) -> Verdict {
    let go = rule.go.as_ref().map_or(Verdict::Applies, |range| {
        judge("Go", range, &build_info.go_version, build_info.version.map(Version::from))
    });
    match rule.version.as_ref().filter(|_| go == Verdict::Applies && !is_import_glob(package)) {
        Some(range) => compare_module(rule, range, package, build_info),
        None => go,
    }
}

fn compare_module(rule: &Rule, range: &Range, package: &str, build_info: &BuildInfo) -> Verdict {
    let module = if package == "main" { build_info.main_module.as_ref() } else { build_info.module_of(package) };
    let Some(module) = module else {
        return if build_info.is_standard(package) {
            judge("Go", range, &build_info.go_version, build_info.version.map(Version::from))
        } else {
            judge(package, range, "", None)
        };
    };
    let version = Version::parse(&module.version);
    let is_inside = version.as_ref().is_some_and(|version| range.contains(version));
    // Another module in its place counts its versions as it likes.
    let other = module.replaced_by.as_ref().filter(|path| **path != module.path && version.is_some());
    if let Some(other) = other.filter(|_| !is_inside || !rule.declarations.is_empty()) {
        return judge(&module.path, range, &format!("{other} {} in its place", module.version), None);
    }
    let is_untagged = module.version.starts_with(UNTAGGED) && !range.to_string().contains(&UNTAGGED[1..]);
    judge(&module.path, range, &module.version, version.filter(|_| is_inside || !is_untagged))
}

fn judge(name: &str, range: &Range, text: &str, version: Option<Version>) -> Verdict {
    let text = if text.is_empty() { "an unknown version" } else { text };
    let why = || format!("needs {name} {range}; the program has {text}");
    match version {
        Some(version) if range.contains(&version) => Verdict::Applies,
        Some(_) => Verdict::LeftOut(why()),
        None => Verdict::Unknown(why()),
    }
}

/// Decides on the rules of unknown versions, function by function: a rule is right where what it
/// says of a function agrees with the program, and no rule for other versions does.
pub(super) fn settle(matches: &mut [Match<'_>], types: &ProgramTypes<'_>) -> Result<(), PatchError> {
    let mut fitting = Vec::new();
    let mut reasons = vec![None; matches.len()];
    for (index, it) in matches.iter().enumerate().filter(|(_, it)| it.unknown.is_some()) {
        for function in &it.functions {
            match misfit(it.rule, function, types)? {
                None => fitting.push((index, *function)),
                Some(reason) => reasons[index] = reasons[index].take().or(Some(reason)),
            }
        }
    }
    let mut chosen = Vec::new();
    for (index, function) in &fitting {
        let rule = matches[*index].rule;
        let same = fitting.iter().filter(|(_, other)| other.start == function.start);
        let rivals = same.map(|(other, _)| matches[*other].rule).filter(|other| is_for_others(rule, other));
        let mut stronger = None;
        for rival in rivals {
            if !is_newer(rule, rival, function, types)? {
                stronger = stronger.or(Some(rival));
            }
        }
        match stronger {
            None => chosen.push((*index, function.start)),
            Some(rival) => {
                let reason = format!("{} fits rule {} too", function.name, rival.name);
                reasons[*index] = reasons[*index].take().or(Some(reason));
            }
        }
    }
    let better: Vec<_> = (0..matches.len()).map(|index| better_rule(matches, &chosen, index)).collect();
    for (index, (it, reason)) in matches.iter_mut().zip(reasons).enumerate() {
        let Some(why) = it.unknown.take() else { continue };
        it.functions.retain(|function| chosen.contains(&(index, function.start)));
        let better = better[index].as_ref().map(|rule| format!("rule {rule} fits"));
        it.left_out = better.or(reason).map(|reason| format!("{why}, and {reason}"));
    }
    Ok(())
}

/// The name of a rule for other versions that was chosen where this one was not.
fn better_rule(matches: &[Match<'_>], chosen: &[(usize, Va)], index: usize) -> Option<String> {
    let it = &matches[index];
    let others = it.functions.iter().filter(|function| !chosen.contains(&(index, function.start)));
    let starts: Vec<_> = others.map(|function| function.start).collect();
    let rules = chosen.iter().filter(|(_, start)| starts.contains(start)).map(|(other, _)| matches[*other].rule);
    rules.into_iter().find(|other| is_for_others(it.rule, other)).map(|rule| rule.name.clone())
}

/// In what a rule of unknown versions disagrees with a function of its names; `None` if it fits.
fn misfit(rule: &Rule, function: &Function<'_>, types: &ProgramTypes<'_>) -> Result<Option<String>, PatchError> {
    // DWARF has everything that captures name; without it they mean what the rule declares.
    let is_described = types.origin() == Origin::Dwarf && rule.captures().any(|capture| !capture.optional);
    if rule.signature(function.name).is_none() && !is_described {
        return Ok(Some(format!("the rule has no `signature` to compare with {}", function.name)));
    }
    match hooks::resolve(rule, *function, types) {
        Ok(_) => Ok(None),
        Err(PatchError::InRule(error)) => Ok(Some(error.reason())),
        Err(error) => Err(error),
    }
}

/// Whether no version is in the ranges of both rules.
fn is_for_others(rule: &Rule, other: &Rule) -> bool {
    let excludes = |one: &Option<Range>, two: &Option<Range>| {
        one.as_ref().zip(two.as_ref()).is_some_and(|(one, two)| one.is_after(two) || two.is_after(one))
    };
    excludes(&rule.version, &other.version) || excludes(&rule.go, &other.go)
}

/// Whether the program is too new for `older`, as far as its types show: it has a type of the
/// package, or of one below it, that the declaration of the later rule names and the older does
/// not. DWARF has whole signatures, and needs no such hint.
fn is_newer(rule: &Rule, older: &Rule, function: &Function<'_>, types: &ProgramTypes<'_>) -> Result<bool, TypeError> {
    let ranges = rule.version.as_ref().zip(older.version.as_ref());
    if types.origin() == Origin::Dwarf || !ranges.is_some_and(|(range, older)| range.is_after(older)) {
        return Ok(false);
    }
    let known = named_types(older, function);
    for name in named_types(rule, function) {
        if name.starts_with(&rule.import) && !known.contains(&name) && types.get().type_by_name(&name)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The full names of the types in a rule's declaration of a function.
fn named_types(rule: &Rule, function: &Function<'_>) -> Vec<String> {
    let mut names = Vec::new();
    let declared = rule.signature(function.name);
    let variables = declared.iter().flat_map(|declared| declared.inputs.iter().chain(&declared.results));
    let mut ahead: Vec<&Expr> = variables.map(|variable| &variable.of).collect();
    while let Some(expr) = ahead.pop() {
        match &expr.shape {
            Shape::Named(name) => names.push(rule.full_name(name)),
            Shape::Pointer(element) | Shape::Slice(element) | Shape::Array(_, element) => ahead.push(element),
            Shape::Struct(fields) => ahead.extend(fields.iter().map(|field| &field.of)),
            Shape::Map | Shape::Chan | Shape::Func | Shape::Interface { .. } => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golang::Module;
    use crate::rules::{Source, parse};

    fn build_info(modules: &[(&str, &str, Option<&str>)]) -> BuildInfo {
        let module = |(path, version, replaced_by): &(&str, &str, Option<&str>)| Module {
            path: (*path).to_owned(),
            version: (*version).to_owned(),
            replaced_by: replaced_by.map(str::to_owned),
        };
        BuildInfo {
            go_version: "mygo".to_owned(),
            version: None,
            main_package: None,
            main_module: None,
            dependencies: modules.iter().map(module).collect(),
            settings: Vec::new(),
        }
    }

    fn rule(keys: &str) -> Rule {
        let text = format!("rules: [{{name: r, import: a.b/c, function: f, enter: {{}}, {keys}}}]");
        parse(&Source { name: "r.yaml".to_owned(), text }).expect("a rule").remove(0)
    }

    fn verdict(keys: &str, module: (&str, Option<&str>)) -> Verdict {
        compare(&rule(keys), "a.b/c", &build_info(&[("a.b/c", module.0, module.1)]))
    }

    #[test]
    fn a_version_is_compared_only_if_it_is_the_modules_own() {
        let range = "version: '>=1.5'";
        assert_eq!(verdict(range, ("v1.6.0", None)), Verdict::Applies);
        assert!(matches!(verdict(range, ("v1.4.0", None)), Verdict::LeftOut(_)));
        // Replaced by another version of itself.
        assert!(matches!(verdict(range, ("v1.4.0", Some("a.b/c"))), Verdict::LeftOut(_)));
        for module in [
            ("(devel)", None),
            ("", None),
            ("v0.0.0-20260102150405-abcdef123456", None),
            ("(devel)", Some("./lib")),
            ("", Some("../lib")),
            ("v0.3.0", Some("a.b/fork")),
            ("v0.0.0-20260102150405-abcdef123456", Some("a.b/fork")),
        ] {
            assert!(matches!(verdict(range, module), Verdict::Unknown(_)), "{module:?}");
        }
        assert_eq!(
            verdict(range, ("v0.3.0", Some("a.b/fork"))),
            Verdict::Unknown("needs a.b/c >=1.5; the program has a.b/fork v0.3.0 in its place".to_owned())
        );
        let unlisted = compare(&rule(range), "a.b/c", &build_info(&[]));
        assert_eq!(unlisted, Verdict::Unknown("needs a.b/c >=1.5; the program has an unknown version".to_owned()));
    }

    #[test]
    fn a_range_of_untagged_versions_is_compared_with_one() {
        let range = "version: '>=v0.0.0-20250101000000-abcdef123456'";
        assert_eq!(verdict(range, ("v0.0.0-20260102150405-abcdef123456", None)), Verdict::Applies);
        assert!(matches!(verdict(range, ("v0.0.0-20240102150405-abcdef123456", None)), Verdict::LeftOut(_)));
    }

    #[test]
    fn a_fork_in_the_range_is_compared_by_its_shape_if_the_rule_declares_one() {
        let fork = ("v1.6.0", Some("a.b/fork"));
        assert_eq!(verdict("version: '>=1.5'", fork), Verdict::Applies);
        assert!(matches!(verdict("version: '>=1.5', signature: func f(n int)", fork), Verdict::Unknown(_)));
    }

    #[test]
    fn a_go_that_names_no_release_is_unknown() {
        let found = verdict("go: '>=1.22'", ("v1.0.0", None));
        assert_eq!(found, Verdict::Unknown("needs Go >=1.22; the program has mygo".to_owned()));
    }
}
