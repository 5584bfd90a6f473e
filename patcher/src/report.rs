//! What was done to a binary: for the person who reads a build's log, and for the pipeline that checks it.
//!
//! Decides: what is reported, and the two forms of it. Never does: print.

use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Display, Formatter};

use gopatch_protocol::manifest::{self, At, Kind, Manifest, Ratio};
use serde::Serialize;

use crate::rules::Rule;
use crate::types::Origin;

/// Functions that hold inlined copies, of which the text names so many.
const SHOWN_CALLERS: usize = 3;

/// The report of one run. Its JSON form is stable.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The tool and its version.
    pub tool: String,
    /// The input.
    pub input: InputReport,
    /// The output.
    pub output: OutputReport,
    /// Rules, in the order of their files.
    pub rules: Vec<RuleReport>,
    /// Places that were asked for and are not hooked.
    pub refused: Vec<RefusedReport>,
    /// Wall time of each phase, in microseconds.
    pub phases_us: Vec<(&'static str, u64)>,
}

/// The input.
#[derive(Debug, Clone, Serialize)]
pub struct InputReport {
    /// Path, when the caller gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Bytes.
    pub size: u64,
    /// SHA-256, in hex.
    pub sha256: String,
    /// As `go1.27.4`.
    pub go_version: String,
    /// Path of the main package.
    pub main_package: Option<String>,
    /// What its types were read from.
    pub types: Origin,
}

/// The output.
#[derive(Debug, Clone, Serialize)]
pub struct OutputReport {
    /// Path, when the caller gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Bytes.
    pub size: u64,
    /// SHA-256, in hex, when the caller took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where the program will look for gopatchd.
    pub socket: String,
    /// Bytes of emitted code.
    pub code_bytes: u64,
    /// Bytes of zero-filled memory that the program gains.
    pub arena_bytes: u64,
}

/// A rule.
#[derive(Debug, Clone, Serialize)]
pub struct RuleReport {
    /// Name.
    pub rule: String,
    /// Whether its functions came by a glob.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub glob: bool,
    /// Why it, or some of its functions, was not looked for: a version out of its range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// What a call must meet to be recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Which part of these calls is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Ratio>,
    /// Its functions that this binary has.
    pub functions: Vec<FunctionReport>,
}

/// A function under a rule.
#[derive(Debug, Clone, Serialize)]
pub struct FunctionReport {
    /// Symbol name.
    pub name: String,
    /// Address.
    pub va: u64,
    /// Hooked entries: 0 or 1.
    pub entries: usize,
    /// Hooked ways out.
    pub exits: usize,
    /// The constants that it returns, if its body is not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<Vec<String>>,
    /// Attributes that are recorded.
    pub attributes: Vec<String>,
    /// Alternatives of captures that do not apply: no interface of this program holds such a type.
    pub left_out: Vec<String>,
    /// The functions that the compiler inlined it into, one for each copy, which no hook sees. Only DWARF tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inlined_into: Option<Vec<String>>,
}

/// A place that is not hooked.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedReport {
    /// Rule.
    pub rule: String,
    /// Symbol name.
    pub function: String,
    /// Which end of the call.
    pub at: At,
    /// Address: where a uprobe could go instead.
    pub va: u64,
    /// Stable code.
    pub code: &'static str,
    /// In words.
    pub reason: &'static str,
    /// Whether the rule is `partial`, so that this is no failure.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

impl RefusedReport {
    /// The same as the patched file keeps it, for policies.
    pub(crate) fn manifest(&self) -> manifest::Refused {
        manifest::Refused {
            rule: self.rule.clone(),
            function: self.function.clone(),
            at: self.at,
            va: self.va,
            code: self.code.to_owned(),
        }
    }
}

impl Report {
    /// Places that had to be hooked and are not.
    pub fn missing(&self) -> usize {
        self.refused.iter().filter(|refused| !refused.partial).count()
    }

    /// Hooked places.
    pub fn hooked(&self) -> usize {
        self.rules.iter().flat_map(|rule| &rule.functions).map(|function| function.entries + function.exits).sum()
    }

    /// The form for a person; with `verbose`, also what was not found and how long each phase took.
    pub fn text(&self, verbose: bool) -> impl Display + '_ {
        Text { report: self, verbose }
    }
}

/// A few of the functions that hold copies, in words.
pub(crate) fn format_callers<S: AsRef<str>>(into: &[S]) -> String {
    let names = distinct(into);
    let (named, others) = names.split_at(names.len().min(SHOWN_CALLERS));
    let others = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    format!("{}{others}", named.join(", "))
}

/// Each name once, in the order of the first of each.
fn distinct<S: AsRef<str>>(names: &[S]) -> Vec<&str> {
    let mut known = HashSet::new();
    names.iter().map(AsRef::as_ref).filter(|name| known.insert(*name)).collect()
}

struct Text<'a> {
    report: &'a Report,
    verbose: bool,
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Report { input, output, .. } = self.report;
        let package = input.main_package.as_deref().unwrap_or("unknown package");
        writeln!(f, "{package} ({}, {}, types from {})", input.go_version, size(input.size), input.types)?;
        for rule in &self.report.rules {
            if let Some(why) = &rule.left_out {
                writeln!(f, "  {:<24} left out: {why}", rule.rule)?;
            }
            if rule.functions.is_empty() {
                if self.verbose && rule.left_out.is_none() {
                    writeln!(f, "  {:<24} not in this program", rule.rule)?;
                }
                continue;
            }
            if rule.glob && !self.verbose {
                let of = |sites: fn(&FunctionReport) -> usize| rule.functions.iter().map(sites).sum();
                let functions = count(rule.functions.len(), "function", "functions");
                let (entries, exits) = (of(|function| function.entries), of(|function| function.exits));
                let (entries, exits) = (count(entries, "entry", "entries"), count(exits, "exit", "exits"));
                writeln!(f, "  {:<24} {functions}: {entries}, {exits}", rule.rule)?;
                rule_filter(f, rule)?;
                continue;
            }
            for function in &rule.functions {
                writeln!(
                    f,
                    "  {:<24} {}: {}, {}",
                    rule.rule,
                    function.name,
                    count(function.entries, "entry", "entries"),
                    count(function.exits, "exit", "exits"),
                )?;
                skips(f, function.skip.as_deref())?;
                if self.verbose && !function.attributes.is_empty() {
                    writeln!(f, "  {:<24}   records {}", "", function.attributes.join(", "))?;
                }
                if self.verbose && !function.left_out.is_empty() {
                    writeln!(f, "  {:<24}   not in this program: {}", "", function.left_out.join(", "))?;
                }
                if let Some(into) = function.inlined_into.as_deref().filter(|into| !into.is_empty()) {
                    let copies = count(into.len(), "place", "places");
                    let into = if self.verbose { distinct(into).join(", ") } else { format_callers(into) };
                    writeln!(f, "  {:<24}   inlined at {copies} that no hook sees, in {into}", "")?;
                }
            }
            rule_filter(f, rule)?;
        }
        let is_summed = |rule: &RuleReport| rule.glob && !self.verbose;
        for rule in self.report.rules.iter().filter(|rule| is_summed(rule)) {
            let mut codes = BTreeMap::<_, usize>::new();
            for refused in self.report.refused.iter().filter(|refused| refused.rule == rule.rule) {
                *codes.entry(refused.code).or_default() += 1;
            }
            if !codes.is_empty() {
                let sites = count(codes.values().sum(), "site", "sites");
                let codes: Vec<_> = codes.iter().map(|(code, number)| format!("{number} {code}")).collect();
                let where_each = "--verbose and --format json name each";
                writeln!(f, "  refused {sites} of rule {}: {} ({where_each})", rule.rule, codes.join(", "))?;
            }
        }
        for refused in &self.report.refused {
            if self.report.rules.iter().any(|rule| is_summed(rule) && rule.rule == refused.rule) {
                continue;
            }
            let end = match refused.at {
                At::Enter => "entry",
                At::Exit => "exit",
            };
            writeln!(
                f,
                "  refused [{}] {} {end} at {:#x} (rule {}): {}",
                refused.code, refused.function, refused.va, refused.rule, refused.reason
            )?;
        }
        if self.verbose {
            let phases: Vec<_> =
                self.report.phases_us.iter().map(|(name, us)| format!("{name} {:.1} ms", *us as f64 / 1e3)).collect();
            writeln!(f, "  phases: {}", phases.join(", "))?;
        }
        let growth = output.size as i64 - input.size as i64;
        writeln!(
            f,
            "{} hooked, {} refused; {} ({growth:+} bytes, {:+.2} %), looks for gopatchd at {}",
            count(self.report.hooked(), "site", "sites"),
            self.report.refused.len(),
            size(output.size),
            100.0 * growth as f64 / input.size as f64,
            output.socket,
        )
    }
}

/// A rule as it is written, without a program.
#[derive(Debug, Clone, Serialize)]
pub struct RuleListing {
    /// Name.
    pub rule: String,
    /// Its file.
    pub file: String,
    /// The line in it where the rule begins.
    pub line: usize,
    /// What a call is.
    pub kind: Kind,
    /// What it asks for, in words.
    pub asks_for: String,
    /// Place among the rules on one function.
    pub order: String,
    /// Versions of Go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub go: Option<String>,
    /// Versions of the module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What a call must meet to be recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Which part of these calls is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Ratio>,
    /// The constants that its functions return without running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<Vec<String>>,
    /// Attributes that are recorded.
    pub attributes: Vec<String>,
    /// Those by which metrics are told apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<String>,
}

impl From<&Rule> for RuleListing {
    fn from(rule: &Rule) -> Self {
        Self {
            rule: rule.name.clone(),
            file: rule.file.clone(),
            line: rule.place("").line,
            kind: rule.kind,
            asks_for: rule.asks_for(),
            order: rule.order.to_string(),
            go: rule.go.as_ref().map(ToString::to_string),
            version: rule.version.as_ref().map(ToString::to_string),
            when: rule.when.as_ref().map(|when| when.text.clone()),
            sample: rule.sample,
            skip: rule.skip.as_ref().map(|constants| constants.iter().map(ToString::to_string).collect()),
            attributes: rule.captures().map(|capture| capture.attribute.clone()).collect(),
            dimensions: rule.dimensions.clone(),
        }
    }
}

impl Display for RuleListing {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<28} {}", self.rule, self.asks_for)?;
        let ranges = [("Go", &self.go), ("version", &self.version)];
        for (of, range) in ranges.iter().filter_map(|(of, range)| Some((of, range.as_ref()?))) {
            writeln!(f, "{:<28}   for {of} {range}", "")?;
        }
        if let Some(filter) = filter(self.when.as_deref(), self.sample) {
            writeln!(f, "{:<28}   {filter}", "")?;
        }
        if let Some(constants) = &self.skip {
            writeln!(f, "{:<28}   returns {}", "", [constants.join(", ").as_str(), "at once"].join(" ").trim_start())?;
        }
        if !self.attributes.is_empty() {
            writeln!(f, "{:<28}   records {}", "", self.attributes.join(", "))?;
        }
        Ok(())
    }
}

/// What a patched file says of itself, for a person.
pub struct ManifestText<'a>(
    /// The manifest.
    pub &'a Manifest,
);

impl Display for ManifestText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Manifest { input, functions, points, sites, .. } = self.0;
        let package = input.main_package.as_deref().unwrap_or("unknown package");
        writeln!(f, "{package} ({}), patched by {}", input.go_version, self.0.tool)?;
        for (index, function) in functions.iter().enumerate() {
            let at = |end| {
                let is_mine = |point: &u32| {
                    let point = &points[*point as usize];
                    point.function as usize == index && point.at == end
                };
                let hooks = sites.iter().filter_map(|site| site.point).filter(is_mine).count();
                // What stands in for a body begins at its entry.
                if end == At::Enter { hooks.max(usize::from(function.skip.is_some())) } else { hooks }
            };
            let (entries, exits) = (count(at(At::Enter), "entry", "entries"), count(at(At::Exit), "exit", "exits"));
            writeln!(f, "  {:<24} {}: {entries}, {exits}", function.rule, function.name)?;
            if let Some(filter) = filter(function.when.as_deref(), function.sample) {
                writeln!(f, "  {:<24}   {filter}", "")?;
            }
            skips(f, function.skip.as_deref())?;
            let captures = points.iter().filter(|point| point.function as usize == index);
            let attributes: Vec<_> =
                captures.flat_map(|point| &point.captures).map(|capture| capture.attribute.as_str()).collect();
            if !attributes.is_empty() {
                writeln!(f, "  {:<24}   records {}", "", attributes.join(", "))?;
            }
        }
        writeln!(f, "made from a file of {}, sha256 {}", size(input.size), input.sha256)?;
        writeln!(f, "checked: every site leads to its thunk and back, all other bytes are that file's")
    }
}

/// Which calls are recorded, in words, unless all are.
fn filter(when: Option<&str>, sample: Option<Ratio>) -> Option<String> {
    match (when, sample) {
        (None, None) => None,
        (Some(when), None) => Some(format!("when {when}")),
        (None, Some(sample)) => Some(format!("sampled {sample}")),
        (Some(when), Some(sample)) => Some(format!("when {when}, sampled {sample}")),
    }
}

fn rule_filter(f: &mut Formatter<'_>, rule: &RuleReport) -> fmt::Result {
    filter(rule.when.as_deref(), rule.sample).map_or(Ok(()), |filter| writeln!(f, "  {:<24}   {filter}", ""))
}

/// Says of a function that it does not run.
fn skips(f: &mut Formatter<'_>, constants: Option<&[String]>) -> fmt::Result {
    match constants {
        None => Ok(()),
        Some([]) => writeln!(f, "  {:<24}   returns at once", ""),
        Some(constants) => writeln!(f, "  {:<24}   returns {} at once", "", constants.join(", ")),
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn size(bytes: u64) -> String {
    if bytes < 1 << 20 {
        format!("{:.1} KiB", bytes as f64 / f64::from(1 << 10))
    } else {
        format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
    }
}
