//! The driver: takes a Go executable's bytes and rules, gives the patched executable's bytes and a report.
//!
//! Decides: the order of the phases.
//! Trusts: the phases. Never does: I/O.

mod emission;
mod error;
mod matching;
mod probes;
mod runtime;
mod targets;

use std::collections::HashSet;
use std::thread;
use std::time::Instant;

use gopatch_protocol::manifest::{self, At, Manifest};
use gopatch_trampolines::attach::MAX_SOCKET_PATH;
use gopatch_trampolines::plan::RuntimeOffsets;
use sha2::{Digest, Sha256};

use crate::address::Va;
use crate::dwarf;
use crate::elf::Elf;
use crate::golang::GoBinary;
use crate::layout::Layout;
use crate::program::ProgramTypes;
use crate::report::{FunctionReport, InputReport, OutputReport, RefusedReport, Report, RuleReport};
use crate::rules::{self, Rule};
use crate::sites::Text;
use crate::symbols;
use crate::write::{self, Additions, NO_DIGEST, Output, Overwrite, Unsigned};

use emission::{Emission, PointPlan};
use error::Problem;
pub use error::{InRule, PatchError};
use matching::{Hook, Match};
pub use probes::{Probe, Probes};
use runtime::{TICK_FUNCTION, runtime_offsets, sigpanic, tick_site};
use targets::{Target, Targets};

/// This tool and its version, as reports and manifests name it.
pub const TOOL: &str = concat!("gopatch ", env!("CARGO_PKG_VERSION"));

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Rule files, in order.
    pub rules: Vec<rules::Source>,
    /// Where the patched program will look for gopatchd.
    pub socket: Vec<u8>,
    /// Whether the output gets symbols for what is added.
    pub symbols: bool,
}

/// What comes out. Whoever keeps the output verifies it first, as it was written ([`crate::verify`]).
#[derive(Debug)]
pub struct Patched<'a> {
    /// The output file.
    pub output: Output<'a>,
    /// What was done.
    pub report: Report,
}

/// Patches an executable.
pub fn patch<'a>(input: &'a [u8], options: &Options) -> Result<Patched<'a>, PatchError> {
    // A file's digest takes about as long as all that is read of it, so both are done at once.
    thread::scope(|scope| {
        let input_digest = scope.spawn(|| digest(input));
        let plan = plan(input, options)?;
        Ok(plan.finish(input_digest.join().expect("a digest does not panic")))
    })
}

/// All of an output but its input's digest, for which every byte of the input has to be read.
pub struct Plan<'a> {
    output: Unsigned<'a>,
    /// As in the output, but for the digest.
    manifest: Manifest,
    report: Report,
    points: Vec<PointPlan>,
    targets: Vec<Target>,
    offsets: RuntimeOffsets,
}

impl<'a> Plan<'a> {
    /// What overwrites the input's bytes. The digest adds nothing to it.
    pub fn overwrites(&self) -> &[Overwrite] {
        self.output.overwrites()
    }

    /// Gives the output; `input_sha256` is the input's digest, in hex.
    pub fn finish(self, input_sha256: String) -> Patched<'a> {
        let Self { output, mut report, .. } = self;
        let output = output.sign(&input_sha256);
        report.input.sha256 = input_sha256;
        Patched { output, report }
    }
}

/// Does all that needs no digest.
pub fn plan<'a>(input: &'a [u8], options: &Options) -> Result<Plan<'a>, PatchError> {
    let mut clock = Clock::start();
    check_socket(&options.socket)?;
    let elf = Elf::parse(input)?;
    let relocations = elf.relative_relocations()?;
    clock.lap("elf");
    let go = GoBinary::read(&elf, &relocations)?;
    clock.lap("go");
    let rules = read_rules(options)?;
    let matches = matching::match_rules(&rules, &go, &elf)?;

    let sections = dwarf::Sections::load(&elf)?;
    let names = matching::matched_names(&matches);
    let names = names.iter().map(String::as_str).collect();
    let types = ProgramTypes::load(sections.as_ref(), &rules, &names, &elf, &relocations, &go)?;
    let offsets = runtime_offsets(&types)?;
    clock.lap("types");

    let bytes = |start: Va, end: Va| elf.bytes_at(start, end.offset_from(start)?);
    let sigpanic = sigpanic(&types, &go)?;
    let text = Text { functions: &go.functions, bytes: &bytes, checked: &go.checked, sigpanic };
    let tick_function = go.functions.by_name(TICK_FUNCTION).next();
    let tick_function = tick_function.ok_or(PatchError::Tick("there is no such function"))?;
    let tick = tick_site(tick_function, &text)?;
    let functions = matches.iter().flat_map(|it| it.functions.iter().map(|function| (it.rule, *function)));
    let asked = functions.map(|(rule, function)| matching::hook(rule, function, &types));
    let mut asked = asked.collect::<Result<Vec<_>, _>>()?;
    matching::skipped_once(&asked)?;
    for hook in asked.iter_mut().filter(|hook| hook.skip.is_some()) {
        // What the program's own tracebacks tell, besides DWARF; where neither can be read, it is not known.
        let traced = go.inlined_into(&elf, &hook.function);
        if traced.as_ref().map(Vec::len) > hook.inlined_into.as_ref().map(Vec::len) {
            hook.inlined_into = traced;
        }
        // Copies of which no instruction is left are in no table.
        let vanished = types.was_inlined(&hook.function).unwrap_or_else(|| text.may_vanish(&hook.function));
        hook.runs_elsewhere = hook.inlined_into.as_ref().is_none_or(|into| !into.is_empty()) || vanished;
    }
    let Targets { hooks, functions: targets, refused } = targets::choose(asked, &text, tick_function.start);
    if hooks.is_empty() {
        let why = refused.first().map_or("", |refused| refused.reason);
        return Err(PatchError::AllRefused(why.to_owned()));
    }
    clock.lap("sites");

    let keeps = hooks.iter().any(Hook::uses_table);
    let layout = Layout::new(&elf, hooks.len(), keeps)?;
    let mut emission = Emission::new(&elf, &layout, options, tick);
    emission.attach()?;
    emission.hooks(&hooks, &targets, &offsets)?;
    clock.lap("emit");

    let functions: Vec<_> = hooks.iter().map(Hook::manifest).collect();
    let symbols = options.symbols.then(|| {
        let named = (&functions[..], &emission.points[..], &emission.sites[..]);
        let end = layout.code_va().0 + emission.code.len() as u64;
        symbols::of_code(named, emission.return_bodies(), emission.stub, end)
    });
    let overwrites = std::mem::take(&mut emission.overwrites);
    let additions = Additions { layout: &layout, overwrites, code: &emission.code, entry: emission.stub, symbols };
    let mut unfinished = write::write(&elf, additions)?;
    let manifest = Manifest {
        format: manifest::FORMAT,
        tool: TOOL.to_owned(),
        input: manifest::Input {
            sha256: NO_DIGEST.to_owned(),
            size: input.len() as u64,
            go_version: go.build_info.go_version.clone(),
            main_package: go.build_info.main_package.clone(),
            main_version: go.build_info.main_module.as_ref().map(|module| module.version.clone()),
            vcs_revision: go.build_info.setting("vcs.revision").map(str::to_owned),
            vcs_modified: go.build_info.setting("vcs.modified") == Some("true"),
        },
        rules_sha256: rules_digest(options),
        code: manifest::Code {
            va: layout.code_va().0,
            offset: unfinished.code_offset as u64,
            size: emission.code.len() as u64,
            id_offset: emission.id_offset as u64,
            sha256: digest(&emission.code),
            stub: emission.stub,
            sigpanic: sigpanic.filter(|_| emission.has_guards).map(|it| it.entry),
        },
        functions,
        points: emission.points.clone(),
        sites: emission.sites.clone(),
        refused: Some(refused.iter().map(RefusedReport::manifest).collect()),
        patches: std::mem::take(&mut unfinished.patches),
    };
    let output = unfinished.finish(&manifest)?;
    let report = Report {
        tool: TOOL.to_owned(),
        input: InputReport {
            path: None,
            size: input.len() as u64,
            sha256: String::new(),
            go_version: go.build_info.go_version.clone(),
            main_package: go.build_info.main_package.clone(),
            types: types.origin(),
        },
        output: OutputReport {
            path: None,
            size: output.size(),
            sha256: None,
            socket: String::from_utf8_lossy(&options.socket).into_owned(),
            code_bytes: emission.code.len() as u64,
            arena_bytes: layout.arena.bytes(),
        },
        rules: matches.iter().map(|it| rule_report(it, &hooks)).collect(),
        refused,
        phases_us: clock.laps,
    };
    Ok(Plan { output, manifest, report, points: emission.into_points(), targets, offsets })
}

fn check_socket(socket: &[u8]) -> Result<(), PatchError> {
    if socket.contains(&0) {
        return Err(PatchError::SocketZero);
    }
    if socket.len() >= MAX_SOCKET_PATH {
        return Err(PatchError::Socket { len: socket.len() });
    }
    Ok(())
}

/// Reads the rule files. No two rules may share a name.
pub fn read_rules(options: &Options) -> Result<Vec<Rule>, PatchError> {
    let mut rules = Vec::new();
    let mut names = HashSet::new();
    for source in &options.rules {
        for rule in rules::parse(source)? {
            if !names.insert(rule.name.clone()) {
                return Err(rule.failure("name", Problem::SameName));
            }
            rules.push(rule);
        }
    }
    Ok(rules)
}

fn rule_report(matched: &Match<'_>, hooks: &[Hook<'_>]) -> RuleReport {
    let functions = hooks.iter().filter(|hook| std::ptr::eq(hook.rule, matched.rule)).map(|hook| {
        let points = [&hook.enter, &hook.exit].into_iter().flatten();
        FunctionReport {
            name: hook.function.name.to_owned(),
            va: hook.function.start.0,
            entries: hook.sites[At::Enter as usize],
            exits: hook.sites[At::Exit as usize],
            attributes: points.clone().flat_map(|point| &point.captures).map(|c| c.attribute.clone()).collect(),
            left_out: points.flat_map(|point| point.left_out.iter().cloned()).collect(),
            inlined_into: hook.inlined_into.clone(),
            skip: hook.skip.as_ref().map(|skip| skip.shown.clone()),
        }
    });
    RuleReport {
        rule: matched.rule.name.clone(),
        glob: matched.rule.is_glob(),
        left_out: matched.left_out.clone(),
        when: matched.rule.when.as_ref().map(|when| when.text.clone()),
        sample: matched.rule.sample,
        functions: functions.collect(),
    }
}

fn digest(bytes: &[u8]) -> String {
    manifest::to_hex(&Sha256::digest(bytes))
}

/// SHA-256 of the rules' text, in hex.
pub fn rules_digest(options: &Options) -> String {
    let mut hash = Sha256::new();
    for source in &options.rules {
        hash.update((source.text.len() as u64).to_le_bytes());
        hash.update(&source.text);
    }
    manifest::to_hex(&hash.finalize())
}

/// Wall time of the phases.
struct Clock {
    last: Instant,
    laps: Vec<(&'static str, u64)>,
}

impl Clock {
    fn start() -> Self {
        Self { last: Instant::now(), laps: Vec::new() }
    }

    fn lap(&mut self, name: &'static str) {
        let now = Instant::now();
        self.laps.push((name, now.duration_since(self.last).as_micros() as u64));
        self.last = now;
    }
}
