//! What a patched file has to be to pass: the policy of a pipeline.
//!
//! Decides: what a policy file may say, and which of its lines a file does not meet.
//! Trusts: the manifest of a file that `verify` has checked. Of the policy nothing: a key it does not know is an error.
//! Never does: look at code, or at anything outside the file (whether its input is the right one is `verify --original`'s).
//!
//! What a policy does not mention it does not ask for. `docs/hardening.md` is the reference.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use gopatch_protocol::manifest::{At, Function, Manifest, Refused};
use serde::{Deserialize, Serialize};

use crate::golang::GoVersion;
use crate::golang::symbol::without_type_arguments;
use crate::rules::version::{Range, Version};
use crate::sites::Refusal;
use crate::yaml::lines::Lines;
use crate::yaml::nearest::did_you_mean;
use crate::yaml::{OneOrMany, Place, Source, said};

/// What stands for no refusal, and for no function that does not run.
const NONE: &str = "none";

/// The YAML, as serde sees it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping of the policy's keys")]
struct PolicyText {
    /// Names or globs of rules.
    required_rules: Option<OneOrMany>,
    /// Symbol names, or globs of them.
    required_functions: Option<OneOrMany>,
    /// `none`, or the codes of reasons that are good enough.
    refused: Option<OneOrMany>,
    /// `none`, or the functions, by name or glob, that may be kept from running.
    skipped: Option<OneOrMany>,
    /// Versions of gopatch.
    gopatch: Option<String>,
    /// Versions of Go.
    go: Option<String>,
    /// Digests of sets of rules.
    rules_sha256: Option<OneOrMany>,
}

/// A policy.
#[derive(Debug)]
pub struct Policy {
    file: String,
    demands: Vec<Demand>,
}

/// One thing that a policy asks for.
#[derive(Debug)]
struct Demand {
    line: usize,
    key: &'static str,
    asked: Asked,
}

#[derive(Debug)]
enum Asked {
    /// Some function is hooked by a rule of this name.
    Rule(String),
    /// Some function of this name is hooked.
    Function(String),
    /// Places are refused for these reasons only.
    Refused(Vec<String>),
    /// Only functions of these names are kept from running.
    Skipped(Vec<String>),
    Gopatch(Range),
    Go(Range),
    /// The rules are one of these sets.
    Rules(Vec<String>),
}

/// Why a policy cannot be used, or a file not be judged by it.
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
    /// How many things it asks for.
    pub demands: usize,
    /// Whether all of it is met.
    pub met: bool,
    /// What is not met, in the order of the file.
    pub violations: Vec<Violation>,
}

/// A line of a policy that a file does not meet.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Violation {
    /// Line in the policy, from 1.
    pub line: usize,
    /// Its key.
    pub key: &'static str,
    /// What is not as it should be.
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
        let lines = Lines::of(&source.text);
        let text: PolicyText = serde_yaml_ng::from_str(&source.text).map_err(|unreadable| {
            let (line, what) = said(&unreadable);
            error(line, "", what)
        })?;
        let mut demands = Vec::new();
        for (key, names, asked) in [
            ("required_rules", text.required_rules, Asked::Rule as fn(String) -> Asked),
            ("required_functions", text.required_functions, Asked::Function),
        ] {
            for (index, name) in names.map_or_else(Vec::new, OneOrMany::into_vec).into_iter().enumerate() {
                let line = lines.of_path(&[key, &index.to_string()]);
                demands.push(Demand { line, key, asked: asked(name) });
            }
        }
        let lists = [
            ("refused", text.refused, Asked::Refused as fn(Vec<String>) -> Asked),
            ("skipped", text.skipped, Asked::Skipped),
            ("rules_sha256", text.rules_sha256, Asked::Rules),
        ];
        for (key, names, asked) in lists {
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
                        format!("`{name}` is no code of a refusal{}", did_you_mean(name, codes().chain([NONE])))
                    }
                    _ => format!("`{name}` is not a SHA-256 in hex; `gopatch inspect --format json` shows a file's"),
                };
                let line = lines.of_path(&[key, &index.to_string()]);
                return Err(error(line, key, what));
            }
            demands.push(Demand { line: lines.of_path(&[key]), key, asked: asked(names) });
        }
        for (key, range, asked) in
            [("gopatch", text.gopatch, Asked::Gopatch as fn(Range) -> Asked), ("go", text.go, Asked::Go)]
        {
            let Some(range) = range else { continue };
            let line = lines.of_path(&[key]);
            let range = Range::parse(&range).map_err(|wrong| error(line, key, wrong.to_string()))?;
            demands.push(Demand { line, key, asked: asked(range) });
        }
        if demands.is_empty() {
            return Err(error(1, "", "it asks for nothing, so any file would pass".into()));
        }
        demands.sort_by_key(|demand| demand.line);
        Ok(Self { file: source.name.clone(), demands })
    }

    /// Judges a file by its manifest; none is that of a file which is not patched.
    pub fn judge(&self, manifest: Option<&Manifest>) -> Result<Verdict, PolicyError> {
        let mut violations = Vec::new();
        for demand in &self.demands {
            let cannot = |what: &str| PolicyError::at(&self.file, demand.line, demand.key, what.to_owned());
            let found = match manifest {
                None => vec![format!("{}the file is not patched", demand.asked.name())],
                Some(manifest) => demand.asked.violated_by(manifest).map_err(cannot)?,
            };
            violations.extend(found.into_iter().map(|what| Violation { line: demand.line, key: demand.key, what }));
        }
        Ok(Verdict { policy: self.file.clone(), demands: self.demands.len(), met: violations.is_empty(), violations })
    }
}

impl Asked {
    /// What of several things on its key this one is, to stand in front of a message.
    fn name(&self) -> String {
        match self {
            Self::Rule(name) | Self::Function(name) => format!("{name}: "),
            _ => String::new(),
        }
    }

    /// In which ways a file does not do what is asked; an error if the manifest does not say.
    fn violated_by(&self, manifest: &Manifest) -> Result<Vec<String>, &'static str> {
        let functions = &manifest.functions;
        let one = |violation: Option<String>| Ok(violation.into_iter().collect());
        match self {
            Self::Rule(name) => {
                let is_hooked = functions.iter().any(|function| matches(name, &function.rule));
                one((!is_hooked).then(|| {
                    let hint = did_you_mean(name, functions.iter().map(|function| function.rule.as_str()));
                    format!("{name}: no function is hooked by such a rule{hint}")
                }))
            }
            Self::Function(name) => {
                let is_hooked = functions.iter().any(|function| is_named(name, function));
                one((!is_hooked).then(|| {
                    let hint = did_you_mean(name, functions.iter().map(|function| function.name.as_str()));
                    format!("{name}: no such function is hooked{hint}")
                }))
            }
            Self::Refused(allowed) => {
                let refused = manifest.refused.as_ref().ok_or("the file does not tell; patch it with this gopatch")?;
                Ok(refusals(refused.iter().filter(|refused| !allowed.contains(&refused.code))))
            }
            Self::Skipped(allowed) => {
                let skipped = functions.iter().filter(|function| function.skip.is_some());
                let others = skipped.filter(|function| !allowed.iter().any(|name| is_named(name, function)));
                let what = |it: &Function| format!("{} does not run, by rule {}", it.name, it.rule);
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
                one((!is_one).then(|| format!("the rules are {}, which is not listed", manifest.rules_sha256)))
            }
        }
    }
}

/// The codes of all reasons to refuse.
fn codes() -> impl Iterator<Item = &'static str> {
    Refusal::ALL.into_iter().map(Refusal::code)
}

/// Refusals in words: one for all that a rule was refused for the same reason, as a glob may have thousands.
fn refusals<'r>(refused: impl Iterator<Item = &'r Refused>) -> Vec<String> {
    let mut alike: BTreeMap<(&str, &str), Vec<&Refused>> = BTreeMap::new();
    for refused in refused {
        alike.entry((&refused.rule, &refused.code)).or_default().push(refused);
    }
    let in_words = |((rule, code), places): ((&str, &str), Vec<&Refused>)| {
        let first = places[0];
        let end = match first.at {
            At::Enter => "entry",
            At::Exit => "exit",
        };
        let more = if places.len() > 1 { format!(" and {} more", places.len() - 1) } else { String::new() };
        format!("rule {rule}: {} {end} at {:#x}{more} refused [{code}]", first.function, first.va)
    };
    alike.into_iter().map(in_words).collect()
}

fn outside(range: &Range, version: Option<Version>, what: &str, shown: &str) -> Option<String> {
    let is_inside = version.is_some_and(|version| range.contains(&version));
    (!is_inside).then(|| format!("{what} {shown}, which is not {range}"))
}

fn is_named(pattern: &str, function: &Function) -> bool {
    matches(pattern, &function.name) || matches(pattern, &without_type_arguments(&function.name))
}

/// Whether `pattern` is `text` when each `*` stands for any characters. `(*` is Go's, of a pointer receiver.
fn matches(pattern: &str, text: &str) -> bool {
    let star = pattern.match_indices('*').map(|(at, _)| at).find(|&at| !pattern[..at].ends_with('('));
    let Some(at) = star else { return pattern == text };
    let (before, behind) = (&pattern[..at], &pattern[at + 1..]);
    let Some(text) = text.strip_prefix(before) else { return false };
    let mut ends = (0..=text.len()).filter(|&end| text.is_char_boundary(end));
    ends.any(|end| matches(behind, &text[end..]))
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

    fn wrong(text: &str) -> String {
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
        }
    }

    fn judged(policy: &str) -> Vec<String> {
        let verdict = Policy::parse(&source(policy)).expect(policy).judge(Some(&manifest())).expect("it can be judged");
        assert_eq!(verdict.met, verdict.violations.is_empty());
        if verdict.met { Vec::new() } else { verdict.to_string().lines().map(str::to_owned).collect() }
    }

    #[test]
    fn what_is_met_is_not_named() {
        for policy in [
            "required_rules: http.server",
            "required_rules: [http.*, '*ay']",
            "required_functions: ['main.(*service).charge', 'main.(*serv*).*', main.Map, 'net/http.*.ServeHTTP']",
            "refused: [no-room, overlap, inlined]",
            "skipped: main.*",
            "gopatch: '>=0.1, <0.2'",
            "go: '>=1.27, <1.28'",
        ] {
            assert_eq!(judged(policy), Vec::<String>::new(), "{policy}");
        }
        assert_eq!(judged(&format!("rules_sha256: [{}, {}]", "0".repeat(64), "AB".repeat(32))), Vec::<String>::new());
    }

    #[test]
    fn each_violated_line_is_named() {
        let policy = "\
            # what must be\n\
            skipped: none\n\
            required_rules:\n  - http.server\n  - http.servr\n  - grpc.*\n\
            required_functions: ['main.(*service).refund', 'main.(*).charge']\n\
            refused: overlap\n\
            gopatch: '>=0.2'\n\
            go: <1.27\n\
            rules_sha256: 0000000000000000000000000000000000000000000000000000000000000000\n";
        let digest = "ab".repeat(32);
        assert_eq!(
            judged(policy),
            [
                "p.yaml:2: skipped: main.shut does not run, by rule closed",
                "p.yaml:5: required_rules: http.servr: no function is hooked by such a rule (did you mean `http.server`?)",
                "p.yaml:6: required_rules: grpc.*: no function is hooked by such a rule",
                "p.yaml:7: required_functions: main.(*service).refund: no such function is hooked (did you mean `main.(*service).charge`?)",
                "p.yaml:7: required_functions: main.(*).charge: no such function is hooked (did you mean `main.(*service).charge`?)",
                "p.yaml:8: refused: rule wide: main.f exit at 0x10 and 1 more refused [no-room]",
                "p.yaml:9: gopatch: gopatch 0.1.0, which is not >=0.2",
                "p.yaml:10: go: built by go1.27.4 X:nodwarf5, which is not <1.27",
                &format!("p.yaml:11: rules_sha256: the rules are {digest}, which is not listed"),
            ]
        );
        assert_eq!(judged("refused: none").len(), 2, "a line for each reason");
    }

    #[test]
    fn a_file_that_is_not_patched_meets_nothing() {
        let policy = Policy::parse(&source("refused: none\nrequired_rules: [a, b]")).expect("a policy");
        let verdict = policy.judge(None).expect("it can be judged");
        assert_eq!(verdict.violations.len(), 3, "{verdict}");
    }

    #[test]
    fn what_the_file_does_not_tell_is_not_judged() {
        let silent = Manifest { refused: None, ..manifest() };
        let policy = Policy::parse(&source("refused: none")).expect("a policy");
        let error = policy.judge(Some(&silent)).expect_err("nobody knows").to_string();
        assert!(error.starts_with("p.yaml:1: refused: the file does not tell"), "{error}");
    }

    #[test]
    fn a_wrong_policy_is_an_error_with_its_line() {
        for (policy, message) in [
            ("go: '>=1.22'\nrequired_rule: a\n", "p.yaml:2: unknown field `required_rule`"),
            ("refused:\n  - no-room\n  - noroom\n", "p.yaml:3: refused: `noroom` is no code of a refusal"),
            ("go: '>=1.22'\ngopatch: new\n", "p.yaml:2: gopatch: `new` is not a comparison"),
            ("rules_sha256: abc\n", "p.yaml:1: rules_sha256: `abc` is not a SHA-256"),
            ("rules_sha256: none\n", "p.yaml:1: rules_sha256: `none` is not a SHA-256"),
            ("required_rules: { a: b }\n", "p.yaml:1: required_rules: invalid type: map"),
            ("required_rules: []\n", "p.yaml:1: it asks for nothing"),
            ("{}", "p.yaml:1: it asks for nothing"),
            ("", "p.yaml:1: "),
        ] {
            let said = wrong(policy);
            assert!(said.starts_with(message), "{said}");
        }
        assert!(wrong("required_rule: a").ends_with("(did you mean `required_rules`?)"));
        assert!(wrong("refused: noroom").ends_with("(did you mean `no-room`?)"));
    }

    #[test]
    fn refusals_are_all_listed() {
        for (index, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, index, "{refusal:?}");
        }
    }
}
