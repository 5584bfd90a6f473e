//! Which rules apply if a version is unknown: those that agree with the functions' signatures and
//! types.
//!
//! Trusts: the types.
//! Never does: choose between rules for different versions that agree equally well.

use super::error::PatchError;
use super::hooks;
use super::matching::Match;
use crate::address::Va;
use crate::golang::Function;
use crate::program::ProgramTypes;
use crate::rules::Rule;
use crate::rules::declaration::{Expr, Shape};
use crate::rules::syntax::version::Range;
use crate::types::{Origin, TypeError};

/// Decides on the rules with unknown versions, function by function: a rule applies if it agrees
/// with the program, and no rule for other versions does.
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

/// The name of a rule for other versions that was chosen for a function instead of this one.
fn better_rule(matches: &[Match<'_>], chosen: &[(usize, Va)], index: usize) -> Option<String> {
    let it = &matches[index];
    let others = it.functions.iter().filter(|function| !chosen.contains(&(index, function.start)));
    let starts: Vec<_> = others.map(|function| function.start).collect();
    let rules = chosen.iter().filter(|(_, start)| starts.contains(start)).map(|(other, _)| matches[*other].rule);
    rules.into_iter().find(|other| is_for_others(it.rule, other)).map(|rule| rule.name.clone())
}

/// Where a rule disagrees with a function that it matches by name; `None` if it fits.
fn misfit(rule: &Rule, function: &Function<'_>, types: &ProgramTypes<'_>) -> Result<Option<String>, PatchError> {
    // Captures are checked against DWARF; without it they only have the rule's own declaration.
    let is_described = types.origin() == Origin::Dwarf && rule.captures().any(|capture| !capture.optional);
    if rule.signature(function.name).is_none() && !is_described {
        return Ok(Some(format!("the rule has no `signature` to compare with {}", function.name)));
    }
    match hooks::resolve(rule, *function, types, None) {
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

/// Whether the program's types show that it is too new for `older`: it has a type of the package,
/// or of one below it, that the later rule's declaration names and the older one's does not. DWARF
/// has whole signatures, and needs no such hint.
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
