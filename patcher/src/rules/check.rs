//! Keys of a rule that are valid on their own but do not fit together.

use std::borrow::Cow;

use gopatch_protocol::manifest::Kind;
use gopatch_protocol::naming;

use super::declaration::Declaration;
use super::syntax::path::{Expression, Selector};
use super::{Carries, Rule, RuleError, pattern};
use crate::reach;
use crate::yaml::nearest::did_you_mean;

/// Refuses a rule whose keys do not fit together.
pub(super) fn rule(rule: &Rule) -> Result<(), RuleError> {
    boundary(rule)?;
    end(rule)?;
    context(rule)?;
    glob(rule)?;
    skip(rule)?;
    signature(rule)
}

/// Refuses a rule that uses an attribute that neither it nor, in the same file, the end of its calls
/// captures.
pub(super) fn attributes(rule: &Rule, file: &[Rule]) -> Result<(), RuleError> {
    let ends = file.iter().filter(|other| other.ends.contains(&rule.name));
    let known: Vec<_> = ends.chain([rule]).flat_map(Rule::attributes).collect();
    operation(rule, &known)?;
    dimensions(rule, &known)
}

fn invalid(rule: &Rule, field: &str, what: impl Into<String>) -> RuleError {
    RuleError::Invalid { place: rule.place(field), what: what.into() }
}

/// A boundary is not an operation, so there is nothing to choose.
fn boundary(rule: &Rule) -> Result<(), RuleError> {
    match chooses_calls(rule) {
        Some(key) if rule.kind == Kind::Boundary => {
            let what = "not allowed with `kind: boundary`, which closes the calls below it at every return";
            Err(invalid(rule, key, what))
        }
        _ => Ok(()),
    }
}

/// The key by which a rule records only a part of the calls, if it has one.
fn chooses_calls(rule: &Rule) -> Option<&'static str> {
    rule.when.as_ref().map(|_| "when").or(rule.sample.map(|_| "sample"))
}

/// A rule of kind `end` acts at the entry alone, and at every one. So does `instead_of`.
fn end(rule: &Rule) -> Result<(), RuleError> {
    let (field, what) = match rule.kind {
        Kind::End if rule.ends.is_empty() => ("kind", "`kind: end` needs `ends`, the rules whose calls end there"),
        Kind::End if rule.exit.is_some() => {
            ("exit", "not allowed with `kind: end`, which takes effect where a call begins")
        }
        Kind::End if rule.skip.is_some() => ("skip", "not allowed with `kind: end`"),
        Kind::End => match chooses_calls(rule) {
            Some(key) => (key, "not allowed with `kind: end`"),
            None => return Ok(()),
        },
        _ if !rule.ends.is_empty() => ("ends", "allowed only with `kind: end`"),
        _ if rule.instead_of.is_empty() => return Ok(()),
        _ if rule.enter.is_none() => ("instead_of", "needs `enter`: it takes effect where a call begins"),
        _ => match chooses_calls(rule) {
            Some(key) => (key, "not allowed with `instead_of`, which takes effect at every call"),
            None => return Ok(()),
        },
    };
    Err(invalid(rule, field, what))
}

/// A rule of kind `carrier` does nothing but what its `context` says, at one end of each call.
fn context(rule: &Rule) -> Result<(), RuleError> {
    let context = rule.context.as_ref();
    let carries = context.and_then(|context| context.carries.as_ref());
    let opens = context.is_some_and(|it| it.within.is_some() || it.read.is_some() || it.send.is_some());
    let captures = rule.captures().next().is_some();
    let (field, what) = match (rule.kind, carries) {
        (Kind::Carrier, None) => ("kind", "`kind: carrier` needs `context` with `write` or `spawn`"),
        (Kind::Carrier, Some(_)) if opens => ("context", "`in`, `read` and `send` are of operations, not of a carrier"),
        (Kind::Carrier, Some(_)) if captures => ("enter", "a carrier records nothing"),
        (Kind::Carrier, Some(_)) if rule.skip.is_some() => ("skip", "not allowed with `kind: carrier`"),
        (Kind::Carrier, Some(Carries::Write { .. })) if rule.enter.is_none() => {
            ("context.write", "happens at the entry, and what it has to replace at the exits")
        }
        (Kind::Carrier, Some(Carries::Spawn { .. })) if rule.exit.is_none() || rule.enter.is_some() => {
            ("context.spawn", "happens at the exits alone")
        }
        (Kind::Carrier, Some(_)) if rule.sample.is_some() => ("sample", "not allowed with `kind: carrier`"),
        (Kind::Carrier, Some(_)) => return Ok(()),
        (_, Some(_)) => ("context", "`write` and `spawn` need `kind: carrier`"),
        (Kind::Boundary | Kind::End, None) if context.is_some() => {
            ("context", "allowed only for operations and carriers")
        }
        (kind, None) if kind != Kind::Server && context.is_some_and(|it| it.read.is_some()) => {
            ("context.read", "allowed only with `kind: server`")
        }
        (_, None) if context.is_some() && rule.enter.is_none() => {
            ("context", "needs `enter`: a context begins with a call")
        }
        _ => return Ok(()),
    };
    Err(invalid(rule, field, what))
}

/// What a rule with a glob must not have.
fn glob(rule: &Rule) -> Result<(), RuleError> {
    if rule.is_glob() && rule.context.is_some() {
        return Err(invalid(rule, "context", "not allowed with a glob: name the functions"));
    }
    if rule.is_glob() && !rule.declarations.is_empty() {
        let what = "not allowed with a glob, whose functions have different declarations; write a rule for each";
        return Err(invalid(rule, "signature", what));
    }
    if !pattern::is_import_glob(&rule.import) {
        return Ok(());
    }
    let bare_type = |expressions: &[&Expression]| {
        let mut selectors = expressions.iter().flat_map(|expression| &expression.selectors);
        selectors.find_map(|selector| match selector {
            Selector::Assert { name, .. } if !name.contains('.') => Some(name.clone()),
            _ => None,
        })
    };
    let fail = |field: &str, name| {
        let what = format!("write {name} with its import path: `import` is a glob, so a bare name has no package");
        Err(invalid(rule, field, what))
    };
    if let Some(name) = rule.when.as_ref().and_then(|when| bare_type(&when.expressions())) {
        return fail("when", name);
    }
    for (end, captures) in [("enter", &rule.enter), ("exit", &rule.exit)] {
        for capture in captures.iter().flatten() {
            if let Some(name) = bare_type(&capture.values.iter().collect::<Vec<_>>()) {
                return fail(&format!("{end}.{}", capture.attribute), name);
            }
        }
    }
    Ok(())
}

/// What cannot be skipped in any program.
fn skip(rule: &Rule) -> Result<(), RuleError> {
    let what = match rule.skip {
        Some(_) if rule.is_glob() => "not allowed with a glob: name each function that must not run",
        Some(_) if reach::is_of_the_runtime(&rule.import) => "functions of the runtime cannot be skipped",
        Some(_) if rule.enter.is_none() && rule.exit.is_none() && (rule.when.is_some() || rule.sample.is_some()) => {
            "`when` and `sample` choose which calls are recorded, but a skip without `enter` and `exit` records none"
        }
        _ => return Ok(()),
    };
    Err(invalid(rule, "skip", what))
}

/// The name of the rule's operations, and the attributes in it.
fn operation(rule: &Rule, known: &[Cow<'_, str>]) -> Result<(), RuleError> {
    let Some(name) = &rule.operation else { return Ok(()) };
    naming::check(name).map_err(|what| invalid(rule, "operation", what))?;
    naming::attributes(name).try_for_each(|name| attribute(rule, "operation", name, known))
}

/// The dimensions of the metrics of the rule's operations.
fn dimensions(rule: &Rule, known: &[Cow<'_, str>]) -> Result<(), RuleError> {
    for (index, name) in rule.dimensions.iter().enumerate() {
        attribute(rule, "dimensions", name, known)?;
        if rule.dimensions[..index].contains(name) {
            let what = format!("`{name}` is listed twice");
            return Err(invalid(rule, "dimensions", what));
        }
    }
    Ok(())
}

/// An attribute that another key refers to must be captured.
fn attribute(rule: &Rule, field: &str, name: &str, known: &[Cow<'_, str>]) -> Result<(), RuleError> {
    if known.iter().any(|attribute| attribute == name) {
        return Ok(());
    }
    let nearest = did_you_mean(name, known.iter().map(AsRef::as_ref));
    let what = format!("the rule captures no attribute `{name}`{nearest}");
    Err(invalid(rule, field, what))
}

/// A declared function must be one of the rule's.
fn signature(rule: &Rule) -> Result<(), RuleError> {
    let symbols = rule.symbols();
    for declaration in &rule.declarations {
        if let Declaration::Function(function) = declaration
            && !symbols.contains(&rule.symbol(function.receiver.as_ref(), &function.name))
        {
            let what = format!("`{}` is not one of the rule's functions: {}", function.text, symbols.join(", "));
            return Err(invalid(rule, "signature", what));
        }
    }
    Ok(())
}
