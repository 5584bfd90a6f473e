//! The text form of a report, and the phrases that it shares with [`super::listing`] and
//! [`super::patched`].

use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Display, Formatter};

use gopatch_protocol::manifest::{At, Ratio};
use gopatch_protocol::recipe::TrailingData;

use super::{FunctionReport, RefusedReport, Report, RuleReport, TrailingReport};

/// How many functions that hold inlined copies are named.
const SHOWN_CALLERS: usize = 3;

/// A report's text. With `verbose` each function of a glob has a line.
pub(super) struct ReportText<'a> {
    pub(super) report: &'a Report,
    pub(super) verbose: bool,
}

impl Display for ReportText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Report { input, rules, .. } = self.report;
        let package = input.main_package.as_deref().unwrap_or("unknown package");
        writeln!(f, "{package} ({}, {}, types from {})", input.go_version, format_size(input.size), input.types)?;
        rules.iter().try_for_each(|rule| self.write_rule(f, rule))?;
        rules.iter().filter(|rule| self.is_summed(rule)).try_for_each(|rule| self.write_refused_sum(f, rule))?;
        self.write_refused(f)?;
        self.write_attach(f)?;
        self.write_trailing_data(f)?;
        self.write_phases(f)?;
        self.write_total(f)
    }
}

impl ReportText<'_> {
    /// Whether a rule has one line for all its functions.
    fn is_summed(&self, rule: &RuleReport) -> bool {
        rule.glob && !self.verbose
    }

    fn write_rule(&self, f: &mut Formatter<'_>, rule: &RuleReport) -> fmt::Result {
        if let Some(why) = &rule.left_out {
            writeln!(f, "  {:<24} left out: {why}", rule.rule)?;
        }
        if rule.functions.is_empty() {
            if self.verbose && rule.left_out.is_none() {
                writeln!(f, "  {:<24} not in this program", rule.rule)?;
            }
            return Ok(());
        }
        if self.is_summed(rule) {
            let sum = |sites: fn(&FunctionReport) -> usize| rule.functions.iter().map(sites).sum();
            let functions = format_count(rule.functions.len(), "function", "functions");
            let entries = format_count(sum(|function| function.entries), "entry", "entries");
            let exits = format_count(sum(|function| function.exits), "exit", "exits");
            writeln!(f, "  {:<24} {functions}: {entries}, {exits}", rule.rule)?;
        } else {
            rule.functions.iter().try_for_each(|function| self.write_function(f, rule, function))?;
        }
        match format_filter(rule.when.as_deref(), rule.sample) {
            Some(filter) => writeln!(f, "  {:<24}   {filter}", ""),
            None => Ok(()),
        }
    }

    fn write_function(&self, f: &mut Formatter<'_>, rule: &RuleReport, function: &FunctionReport) -> fmt::Result {
        let entries = format_count(function.entries, "entry", "entries");
        let exits = format_count(function.exits, "exit", "exits");
        writeln!(f, "  {:<24} {}: {entries}, {exits}", rule.rule, function.name)?;
        if let Some(constants) = &function.skip {
            writeln!(f, "  {:<24}   {}", "", format_skip(constants))?;
        }
        if self.verbose && !function.attributes.is_empty() {
            writeln!(f, "  {:<24}   records {}", "", function.attributes.join(", "))?;
        }
        if self.verbose && !function.left_out.is_empty() {
            writeln!(f, "  {:<24}   not in this program: {}", "", function.left_out.join(", "))?;
        }
        if let Some(into) = function.inlined_into.as_deref().filter(|into| !into.is_empty()) {
            let copies = format_count(into.len(), "place", "places");
            let into = if self.verbose { distinct(into).join(", ") } else { format_callers(into) };
            writeln!(f, "  {:<24}   inlined at {copies} that no hook sees, in {into}", "")?;
        }
        Ok(())
    }

    /// The refusals of a rule that has one line, by their codes.
    fn write_refused_sum(&self, f: &mut Formatter<'_>, rule: &RuleReport) -> fmt::Result {
        let mut codes = BTreeMap::<_, usize>::new();
        for refused in self.report.refused.iter().filter(|refused| refused.rule == rule.rule) {
            *codes.entry(refused.code).or_default() += 1;
        }
        if codes.is_empty() {
            return Ok(());
        }
        let sites = format_count(codes.values().sum(), "site", "sites");
        let codes: Vec<_> = codes.iter().map(|(code, number)| format!("{number} {code}")).collect();
        let hint = "--verbose and --format json name each";
        writeln!(f, "  refused {sites} of rule {}: {} ({hint})", rule.rule, codes.join(", "))
    }

    /// The other refusals, one by one.
    fn write_refused(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let summed: HashSet<_> = self.report.rules.iter().filter(|it| self.is_summed(it)).map(|it| &it.rule).collect();
        for refused in self.report.refused.iter().filter(|refused| !summed.contains(&refused.rule)) {
            let RefusedReport { rule, function, at, va, code, reason, .. } = refused;
            let at = match at {
                At::Enter => "entry",
                At::Exit => "exit",
            };
            writeln!(f, "  refused [{code}] {function} {at} at {va:#x} (rule {rule}): {reason}")?;
        }
        Ok(())
    }

    fn write_attach(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let attach = &self.report.attach;
        match &attach.because {
            Some(function) => writeln!(
                f,
                "  attach {}: looks for gopatchd only when it starts, as it can confine itself by {function}",
                attach.mode
            ),
            None if attach.mode == "late" && !self.verbose => Ok(()),
            None => writeln!(f, "  attach {}", attach.mode),
        }
    }

    fn write_trailing_data(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(TrailingReport { bytes, done }) = &self.report.input.trailing_data else { return Ok(()) };
        let done = match done {
            TrailingData::Keep => "a copy of them ends the output",
            TrailingData::Refuse | TrailingData::Drop => "they no longer end the file",
        };
        writeln!(f, "  trailing data: {bytes} bytes follow the ELF file; {done}")
    }

    fn write_phases(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.verbose {
            return Ok(());
        }
        let phases = self.report.phases_us.iter().map(|(name, us)| format!("{name} {:.1} ms", *us as f64 / 1e3));
        writeln!(f, "  phases: {}", phases.collect::<Vec<_>>().join(", "))
    }

    fn write_total(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Report { input, output, refused, .. } = self.report;
        let growth = output.size as i64 - input.size as i64;
        writeln!(
            f,
            "{} hooked, {} refused; {} ({growth:+} bytes, {:+.2} %), looks for gopatchd at {}",
            format_count(self.report.hooked(), "site", "sites"),
            refused.len(),
            format_size(output.size),
            100.0 * growth as f64 / input.size as f64,
            output.socket,
        )
    }
}

/// The first functions that hold inlined copies, in words.
pub(crate) fn format_callers<S: AsRef<str>>(into: &[S]) -> String {
    let names = distinct(into);
    let (named, others) = names.split_at(names.len().min(SHOWN_CALLERS));
    let others = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    format!("{}{others}", named.join(", "))
}

/// Each name once, in the order of its first occurrence.
fn distinct<S: AsRef<str>>(names: &[S]) -> Vec<&str> {
    let mut known = HashSet::new();
    names.iter().map(AsRef::as_ref).filter(|name| known.insert(*name)).collect()
}

/// Which calls are recorded, in words; `None` when all are.
pub(super) fn format_filter(when: Option<&str>, sample: Option<Ratio>) -> Option<String> {
    match (when, sample) {
        (None, None) => None,
        (Some(when), None) => Some(format!("when {when}")),
        (None, Some(sample)) => Some(format!("sampled {sample}")),
        (Some(when), Some(sample)) => Some(format!("when {when}, sampled {sample}")),
    }
}

/// What a function that does not run returns, in words.
pub(super) fn format_skip(constants: &[String]) -> String {
    if constants.is_empty() {
        "returns at once".to_owned()
    } else {
        format!("returns {} at once", constants.join(", "))
    }
}

pub(super) fn format_count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

pub(super) fn format_size(bytes: u64) -> String {
    if bytes < 1 << 20 {
        format!("{:.1} KiB", bytes as f64 / f64::from(1 << 10))
    } else {
        format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
    }
}
