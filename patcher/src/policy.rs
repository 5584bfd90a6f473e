//! Policies: what a pipeline demands of a patched file. `docs/hardening.md` is the reference.
//!
//! Trusts the manifest of a file that `verify` has checked, and nothing in the policy: an unknown
//! key is an error. Whether the file was made from the right input is the question of `verify
//! --original`. A key that is missing demands nothing.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use gopatch_protocol::manifest::{At, Function, Manifest, Refused};
use serde::{Deserialize, Serialize};

use crate::golang::GoVersion;
use crate::golang::symbol::without_type_arguments;
use crate::rules::syntax::glob::{Wildcards, matches};
use crate::rules::syntax::version::{Range, Version};
use crate::sites::Refusal;
use crate::yaml::lines::Lines;
use crate::yaml::nearest::did_you_mean;
use crate::yaml::{self, OneOrMany, Place, Source, describe_error};

/// The value for: no refusals, no skipped functions.
const NONE: &str = "none";

/// The YAML, as serde reads it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping of the policy's keys")]
struct PolicyText {
    /// Rules that must hook a function, by name or glob.
    required_rules: Option<OneOrMany>,
    /// Functions that must be hooked, by symbol name or glob.
    required_functions: Option<OneOrMany>,
    /// `none`, or the codes of refusals that are allowed.
    refused: Option<OneOrMany>,
    /// `none`, or the functions that may be skipped, by symbol name or glob.
    skipped: Option<OneOrMany>,
    /// Versions of gopatch that are allowed.
    gopatch: Option<String>,
    /// Versions of Go that are allowed.
    go: Option<String>,
    /// Digests of the sets of rules that are allowed.
    rules_sha256: Option<OneOrMany>,
}

/// A policy.
#[derive(Debug)]
pub struct Policy {
    file: String,
    demands: Vec<Demand>,
}

/// A demand, and where the policy has it.
#[derive(Debug)]
struct Demand {
    line: usize,
    key: &'static str,
    requirement: Requirement,
}

#[derive(Debug)]
enum Requirement {
    /// A rule of this name hooks a function.
    Rule(String),
    /// A function of this name is hooked.
    Function(String),
    /// Refusals have only these codes.
    Refused(Vec<String>),
    /// Only functions of these names are skipped.
    Skipped(Vec<String>),
    Gopatch(Range),
    Go(Range),
    /// The rules have one of these digests.
    Rules(Vec<String>),
}

/// Why a policy cannot be used, or a file cannot be judged by it.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {what}")]
pub struct PolicyError {
    place: Place,
    what: String,
}

/// Whether a file meets a policy.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// The policy's file.
    pub policy: String,
    /// How many demands it has.
    pub demands: usize,
    /// Whether all demands are met.
    pub met: bool,
    /// Violations, in the order of the policy.
    pub violations: Vec<Violation>,
}

/// A demand that a file does not meet.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Violation {
    /// Line in the policy, from 1.
    pub line: usize,
    /// Its key.
    pub key: &'static str,
    /// What the file has instead.
    pub what: String,
}

impl PolicyError {
    fn at(file: &str, line: usize, key: &str, what: String) -> Self {
        Self { place: Place { file: file.to_owned(), line, rule: String::new(), field: key.to_owned() }, what }
    }
}

impl Policy {
    /// Reads a policy.
    pub fn parse(source: &Source) -> Result<Self, PolicyError> {
        let error = |line, key, what| PolicyError::at(&source.name, line, key, what);
        let lines = Lines::new(&source.text);
        let text: PolicyText = yaml::from_str(&source.text).map_err(|serde_error| {
            let (line, what) = describe_error(&serde_error);
            error(line, "", what)
        })?;
        let mut demands = Vec::new();
        for (key, names, requirement) in [
            ("required_rules", text.required_rules, Requirement::Rule as fn(String) -> Requirement),
            ("required_functions", text.required_functions, Requirement::Function),
        ] {
            for (index, name) in names.map_or_else(Vec::new, OneOrMany::into_vec).into_iter().enumerate() {
                let line = lines.line_of_path(&[key, &index.to_string()]);
                demands.push(Demand { line, key, requirement: requirement(name) });
            }
        }
        let lists = [
            ("refused", text.refused, Requirement::Refused as fn(Vec<String>) -> Requirement),
            ("skipped", text.skipped, Requirement::Skipped),
            ("rules_sha256", text.rules_sha256, Requirement::Rules),
        ];
        for (key, names, requirement) in lists {
            let Some(names) = names.map(OneOrMany::into_vec) else { continue };
            let names = if names == [NONE] && key != "rules_sha256" { Vec::new() } else { names };
            let wrong = names.iter().position(|name| match key {
                "refused" => !codes().any(|code| code == name),
                "rules_sha256" => name.len() != 64 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()),
                _ => false,
            });
            if let Some(index) = wrong {
                let name = &names[index];
                let what = match key {
                    "refused" => {
                        format!("`{name}` is not a refusal code{}", did_you_mean(name, codes().chain([NONE])))
                    }
                    _ => format!("`{name}` is not a SHA-256 in hex; `gopatch inspect --format json` shows a file's"),
                };
                let line = lines.line_of_path(&[key, &index.to_string()]);
                return Err(error(line, key, what));
            }
            demands.push(Demand { line: lines.line_of_path(&[key]), key, requirement: requirement(names) });
        }
        for (key, range, requirement) in [
            ("gopatch", text.gopatch, Requirement::Gopatch as fn(Range) -> Requirement),
            ("go", text.go, Requirement::Go),
        ] {
            let Some(range) = range else { continue };
            let line = lines.line_of_path(&[key]);
            let range = Range::parse(&range).map_err(|wrong| error(line, key, wrong.to_string()))?;
            demands.push(Demand { line, key, requirement: requirement(range) });
        }
        if demands.is_empty() {
            return Err(error(1, "", "the policy demands nothing, so any file would pass".into()));
        }
        demands.sort_by_key(|demand| demand.line);
        Ok(Self { file: source.name.clone(), demands })
    }

    /// Judges a file by its manifest, which is `None` if the file is not patched.
    pub fn judge(&self, manifest: Option<&Manifest>) -> Result<Verdict, PolicyError> {
        let mut violations = Vec::new();
        for demand in &self.demands {
            let cannot = |what: &str| PolicyError::at(&self.file, demand.line, demand.key, what.to_owned());
            let found = match manifest {
                None => vec![format!("{}the file is not patched", demand.requirement.label())],
                Some(manifest) => demand.requirement.violations(manifest).map_err(cannot)?,
            };
            violations.extend(found.into_iter().map(|what| Violation { line: demand.line, key: demand.key, what }));
        }
        Ok(Verdict { policy: self.file.clone(), demands: self.demands.len(), met: violations.is_empty(), violations })
    }
}

impl Requirement {
    /// Which item of its key it is, as the beginning of a message.
    fn label(&self) -> String {
        match self {
            Self::Rule(name) | Self::Function(name) => format!("{name}: "),
            _ => String::new(),
        }
    }

    /// How a file violates it; an error if the manifest does not show.
    fn violations(&self, manifest: &Manifest) -> Result<Vec<String>, &'static str> {
        let functions = &manifest.functions;
        let one = |violation: Option<String>| Ok(violation.into_iter().collect());
        match self {
            Self::Rule(name) => {
                let is_hooked = functions.iter().any(|function| matches(name, &function.rule, Wildcards::Symbol));
                one((!is_hooked).then(|| {
                    let hint = did_you_mean(name, functions.iter().map(|function| function.rule.as_str()));
                    format!("{name}: no such rule hooks a function{hint}")
                }))
            }
            Self::Function(name) => {
                let is_hooked = functions.iter().any(|function| has_name(name, function));
                one((!is_hooked).then(|| {
                    let hint = did_you_mean(name, functions.iter().map(|function| function.name.as_str()));
                    format!("{name}: no such function is hooked{hint}")
                }))
            }
            Self::Refused(allowed) => {
                let refused = manifest.refused.as_ref().ok_or(
                    "an older gopatch patched the file and did not record refusals; patch it with this gopatch",
                )?;
                Ok(refusals(refused.iter().filter(|refused| !allowed.contains(&refused.code))))
            }
            Self::Skipped(allowed) => {
                let skipped = functions.iter().filter(|function| function.skip.is_some());
                let others = skipped.filter(|function| !allowed.iter().any(|name| has_name(name, function)));
                let what = |function: &Function| format!("{} is skipped by rule {}", function.name, function.rule);
                Ok(others.map(what).collect())
            }
            Self::Gopatch(range) => {
                let version = manifest.tool.strip_prefix("gopatch ").unwrap_or(&manifest.tool);
                one(outside(range, Version::parse(version), "gopatch", version))
            }
            Self::Go(range) => {
                let version = &manifest.input.go_version;
                one(outside(range, GoVersion::parse(version).map(Version::from), "built by", version))
            }
            Self::Rules(allowed) => {
                let is_one = allowed.iter().any(|digest| digest.eq_ignore_ascii_case(&manifest.rules_sha256));
                one((!is_one).then(|| format!("the file's rules have {}, which is not listed", manifest.rules_sha256)))
            }
        }
    }
}

/// The codes of all reasons to refuse.
fn codes() -> impl Iterator<Item = &'static str> {
    Refusal::ALL.into_iter().map(Refusal::code)
}

/// One message for all refusals of a rule with the same code, as a glob may have thousands.
fn refusals<'r>(refused: impl Iterator<Item = &'r Refused>) -> Vec<String> {
    let mut alike: BTreeMap<(&str, &str), Vec<&Refused>> = BTreeMap::new();
    for refused in refused {
        alike.entry((&refused.rule, &refused.code)).or_default().push(refused);
    }
    let describe = |((rule, code), places): ((&str, &str), Vec<&Refused>)| {
        let first = places[0];
        let end = match first.at {
            At::Enter => "entry",
            At::Exit => "exit",
        };
        let more = if places.len() > 1 { format!(" and {} more", places.len() - 1) } else { String::new() };
        format!("rule {rule}: {} {end} at {:#x}{more} refused [{code}]", first.function, first.va)
    };
    alike.into_iter().map(describe).collect()
}

fn outside(range: &Range, version: Option<Version>, what: &str, shown: &str) -> Option<String> {
    let is_inside = version.is_some_and(|version| range.contains(&version));
    (!is_inside).then(|| format!("{what} {shown}, but the policy demands {range}"))
}

fn has_name(pattern: &str, function: &Function) -> bool {
    let is_match = |name: &str| matches(pattern, name, Wildcards::Symbol);
    is_match(&function.name) || is_match(&without_type_arguments(&function.name))
}

impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.met {
            return writeln!(f, "{}: all {} demands are met", self.policy, self.demands);
        }
        for violation in &self.violations {
            writeln!(f, "{}:{}: {}: {}", self.policy, violation.line, violation.key, violation.what)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gopatch_protocol::manifest::{Code, FORMAT, Input, Kind};

    use super::*;

    fn source(text: &str) -> Source {
        Source { name: "p.yaml".to_owned(), text: text.to_owned() }
    }

    fn error_of(text: &str) -> String {
        Policy::parse(&source(text)).expect_err(text).to_string()
    }

    fn function(name: &str, rule: &str, skip: Option<&[&str]>) -> Function {
        Function {
            name: name.into(),
            rule: rule.into(),
            kind: Kind::Server,
            operation: String::new(),
            va: 0,
            when: None,
            sample: None,
            ends: Vec::new(),
            instead_of: Vec::new(),
            dimensions: Vec::new(),
            skip: skip.map(|constants| constants.iter().map(ToString::to_string).collect()),
        }
    }

    fn manifest() -> Manifest {
        let refused = |va, code: &str| Refused {
            rule: "wide".into(),
            function: "main.f".into(),
            at: At::Exit,
            va,
            code: code.into(),
        };
        Manifest {
            format: FORMAT,
            tool: "gopatch 0.1.0".into(),
            input: Input {
                sha256: String::new(),
                size: 0,
                go_version: "go1.27.4 X:nodwarf5".into(),
                main_package: None,
                main_version: None,
                vcs_revision: None,
                vcs_modified: false,
            },
            rules_sha256: "ab".repeat(32),
            recipe: None,
            code: Code { va: 0, offset: 0, size: 0, id_offset: 0, sha256: String::new(), stub: 0, sigpanic: None },
            functions: vec![
                function("net/http.serverHandler.ServeHTTP", "http.server", None),
                function("main.(*service).charge", "pay", None),
                function("main.Map[go.shape.int]", "wide", None),
                function("main.shut", "closed", Some(&["false"])),
            ],
            points: Vec::new(),
            sites: Vec::new(),
            refused: Some(vec![refused(0x10, "no-room"), refused(0x20, "no-room"), refused(0x30, "overlap")]),
            patches: Vec::new(),
            trailing: 0,
        }
    }

    fn violations_of(policy: &str) -> Vec<String> {
        let verdict = Policy::parse(&source(policy)).expect(policy).judge(Some(&manifest())).expect("it can be judged");
        assert_eq!(verdict.met, verdict.violations.is_empty());
        if verdict.met { Vec::new() } else { verdict.to_string().lines().map(str::to_owned).collect() }
    }

    #[test]
    fn a_demand_that_is_met_is_not_reported() {
        for policy in [
            "required_rules: http.server",
            "required_rules: [http.*, '*ay']",
            "required_functions: ['main.(*service).charge', 'main.(*serv*).*', main.Map, 'net/http.*.ServeHTTP']",
            "refused: [no-room, overlap, inlined]",
            "skipped: main.*",
            "gopatch: '>=0.1, <0.2'",
            "go: '>=1.27, <1.28'",
        ] {
            assert_eq!(violations_of(policy), Vec::<String>::new(), "{policy}");
        }
        assert_eq!(
            violations_of(&format!("rules_sha256: [{}, {}]", "0".repeat(64), "AB".repeat(32))),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_violated_line_is_named() {
        let policy = "\
            # a policy\n\
            skipped: none\n\
            required_rules:\n  - http.server\n  - http.servr\n  - grpc.*\n\
            required_functions: ['main.(*service).refund', 'main.(*).charge']\n\
            refused: overlap\n\
            gopatch: '>=0.2'\n\
            go: <1.27\n\
            rules_sha256: 0000000000000000000000000000000000000000000000000000000000000000\n";
        let digest = "ab".repeat(32);
        assert_eq!(
            violations_of(policy),
            [
                "p.yaml:2: skipped: main.shut is skipped by rule closed",
                "p.yaml:5: required_rules: http.servr: no such rule hooks a function (did you mean `http.server`?)",
                "p.yaml:6: required_rules: grpc.*: no such rule hooks a function",
                "p.yaml:7: required_functions: main.(*service).refund: no such function is hooked (did you mean `main.(*service).charge`?)",
                "p.yaml:7: required_functions: main.(*).charge: no such function is hooked (did you mean `main.(*service).charge`?)",
                "p.yaml:8: refused: rule wide: main.f exit at 0x10 and 1 more refused [no-room]",
                "p.yaml:9: gopatch: gopatch 0.1.0, but the policy demands >=0.2",
                "p.yaml:10: go: built by go1.27.4 X:nodwarf5, but the policy demands <1.27",
                &format!("p.yaml:11: rules_sha256: the file's rules have {digest}, which is not listed"),
            ]
        );
        assert_eq!(violations_of("refused: none").len(), 2, "a line for each reason");
    }

    #[test]
    fn a_file_that_is_not_patched_meets_no_demand() {
        let policy = Policy::parse(&source("refused: none\nrequired_rules: [a, b]")).expect("a policy");
        let verdict = policy.judge(None).expect("it can be judged");
        assert_eq!(verdict.violations.len(), 3, "{verdict}");
    }

    #[test]
    fn what_the_manifest_does_not_record_cannot_be_judged() {
        let without_refusals = Manifest { refused: None, ..manifest() };
        let policy = Policy::parse(&source("refused: none")).expect("a policy");
        let error = policy.judge(Some(&without_refusals)).expect_err("unknown").to_string();
        assert!(error.starts_with("p.yaml:1: refused: an older gopatch"), "{error}");
    }

    #[test]
    fn an_invalid_policy_is_an_error_with_its_line() {
        for (policy, message) in [
            ("go: '>=1.22'\nrequired_rule: a\n", "p.yaml:2: unknown field `required_rule`"),
            ("refused:\n  - no-room\n  - noroom\n", "p.yaml:3: refused: `noroom` is not a refusal code"),
            ("go: '>=1.22'\ngopatch: new\n", "p.yaml:2: gopatch: `new` is not a comparison"),
            ("rules_sha256: abc\n", "p.yaml:1: rules_sha256: `abc` is not a SHA-256"),
            ("rules_sha256: none\n", "p.yaml:1: rules_sha256: `none` is not a SHA-256"),
            ("required_rules: { a: b }\n", "p.yaml:1: required_rules: invalid type: map"),
            ("required_rules: []\n", "p.yaml:1: the policy demands nothing"),
            ("{}", "p.yaml:1: the policy demands nothing"),
            ("", "p.yaml:1: "),
        ] {
            let error = error_of(policy);
            assert!(error.starts_with(message), "{error}");
        }
        assert!(error_of("required_rule: a").ends_with("(did you mean `required_rules`?)"));
        assert!(error_of("refused: noroom").ends_with("(did you mean `no-room`?)"));
    }

    #[test]
    fn all_refusals_have_a_code_that_policies_know() {
        for (index, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, index, "{refusal:?}");
        }
    }
}
