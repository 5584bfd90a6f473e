//! Whether a rule applies to this program's versions of Go and of the package's module.
//!
//! Trusts: build info's versions, but not that a replacement has the same numbers as the module it
//! replaces.
//! Never does: decide if a version is unknown (that is [`super::shapes`]).

use crate::golang::BuildInfo;
use crate::rules::Rule;
use crate::rules::pattern::is_import_glob;
use crate::rules::syntax::version::{Range, Version};

/// Start of a pseudo version without a release: it has a time, and no version to compare.
const UNTAGGED: &str = "v0.0.0-";

/// Whether a rule is for this program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Applicability {
    /// Yes.
    Applies,
    /// No, with the reason.
    LeftOut(String),
    /// A version is unknown; with the reason, as for [`Applicability::LeftOut`].
    Unknown(String),
}

/// Compares a rule's ranges with the program's versions of Go and of the module of a package.
pub(super) fn compare(rule: &Rule, package: &str, build_info: &BuildInfo) -> Applicability {
    let go = rule.go.as_ref().map_or(Applicability::Applies, |range| {
        judge("Go", range, &build_info.go_version, build_info.version.map(Version::from))
    });
    match rule.version.as_ref().filter(|_| go == Applicability::Applies && !is_import_glob(package)) {
        Some(range) => compare_module(rule, range, package, build_info),
        None => go,
    }
}

fn compare_module(rule: &Rule, range: &Range, package: &str, build_info: &BuildInfo) -> Applicability {
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
    // Another module in its place has versions of its own.
    let other = module.replaced_by.as_ref().filter(|path| **path != module.path && version.is_some());
    if let Some(other) = other.filter(|_| !is_inside || !rule.declarations.is_empty()) {
        return judge(&module.path, range, &format!("{other} {} in its place", module.version), None);
    }
    let is_untagged = module.version.starts_with(UNTAGGED) && !range.to_string().contains(&UNTAGGED[1..]);
    judge(&module.path, range, &module.version, version.filter(|_| is_inside || !is_untagged))
}

fn judge(name: &str, range: &Range, text: &str, version: Option<Version>) -> Applicability {
    let text = if text.is_empty() { "an unknown version" } else { text };
    let why = || format!("needs {name} {range}; the program has {text}");
    match version {
        Some(version) if range.contains(&version) => Applicability::Applies,
        Some(_) => Applicability::LeftOut(why()),
        None => Applicability::Unknown(why()),
    }
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

    fn verdict(keys: &str, module: (&str, Option<&str>)) -> Applicability {
        compare(&rule(keys), "a.b/c", &build_info(&[("a.b/c", module.0, module.1)]))
    }

    #[test]
    fn a_version_is_compared_only_if_it_is_the_modules_own() {
        let range = "version: '>=1.5'";
        assert_eq!(verdict(range, ("v1.6.0", None)), Applicability::Applies);
        assert!(matches!(verdict(range, ("v1.4.0", None)), Applicability::LeftOut(_)));
        // Replaced by another version of itself.
        assert!(matches!(verdict(range, ("v1.4.0", Some("a.b/c"))), Applicability::LeftOut(_)));
        for module in [
            ("(devel)", None),
            ("", None),
            ("v0.0.0-20260102150405-abcdef123456", None),
            ("(devel)", Some("./lib")),
            ("", Some("../lib")),
            ("v0.3.0", Some("a.b/fork")),
            ("v0.0.0-20260102150405-abcdef123456", Some("a.b/fork")),
        ] {
            assert!(matches!(verdict(range, module), Applicability::Unknown(_)), "{module:?}");
        }
        assert_eq!(
            verdict(range, ("v0.3.0", Some("a.b/fork"))),
            Applicability::Unknown("needs a.b/c >=1.5; the program has a.b/fork v0.3.0 in its place".to_owned())
        );
        let unlisted = compare(&rule(range), "a.b/c", &build_info(&[]));
        assert_eq!(
            unlisted,
            Applicability::Unknown("needs a.b/c >=1.5; the program has an unknown version".to_owned())
        );
    }

    #[test]
    fn a_range_of_untagged_versions_is_compared_with_one() {
        let range = "version: '>=v0.0.0-20250101000000-abcdef123456'";
        assert_eq!(verdict(range, ("v0.0.0-20260102150405-abcdef123456", None)), Applicability::Applies);
        assert!(matches!(verdict(range, ("v0.0.0-20240102150405-abcdef123456", None)), Applicability::LeftOut(_)));
    }

    #[test]
    fn a_fork_in_the_range_is_compared_by_its_shape_if_the_rule_declares_one() {
        let fork = ("v1.6.0", Some("a.b/fork"));
        assert_eq!(verdict("version: '>=1.5'", fork), Applicability::Applies);
        assert!(matches!(verdict("version: '>=1.5', signature: func f(n int)", fork), Applicability::Unknown(_)));
    }

    #[test]
    fn a_go_that_names_no_release_is_unknown() {
        let found = verdict("go: '>=1.22'", ("v1.0.0", None));
        assert_eq!(found, Applicability::Unknown("needs Go >=1.22; the program has mygo".to_owned()));
    }
}
