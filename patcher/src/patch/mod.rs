//! The driver: takes a Go executable's bytes and rules, gives the patched executable's bytes and a report.
//!
//! Decides: the order of the phases.
//! Trusts: the phases. Never does: I/O.

mod emission;
mod matching;
mod probes;
mod targets;

use std::collections::HashSet;
use std::thread;
use std::time::Instant;

use gopatch_protocol::manifest::{self, At, Manifest};
use gopatch_protocol::wire;
use gopatch_trampolines::EmitError;
use gopatch_trampolines::attach::MAX_SOCKET_PATH;
use gopatch_trampolines::plan::{RuntimeOffsets, SigPanic};
use sha2::{Digest, Sha256};

use crate::address::Va;
use crate::dwarf::{self, DwarfError};
use crate::elf::{Elf, ElfError};
use crate::golang::{Function, GoBinary, GoError};
use crate::layout::{Layout, LayoutError};
use crate::program::{ParameterError, ProgramTypes};
use crate::report::{FunctionReport, InputReport, OutputReport, RefusedReport, Report, RuleReport};
use crate::rtypes::RuntimeTypeError;
use crate::rules::condition::ComparisonError;
use crate::rules::resolve::ResolveError;
use crate::rules::skip::SkipError;
use crate::rules::{self, Place, Rule, RuleError};
use crate::sites::{Site, Text, Wanted};
use crate::symbols;
use crate::types::{Kind, Origin, TypeError, TypeId};
use crate::verify::VerifyError;
use crate::write::{self, Additions, NO_DIGEST, Output, Overwrite, Unsigned, WriteError};

use emission::{Emission, PointPlan};
use matching::{Hook, Match};
pub use probes::{Probe, Probes};
use targets::{Target, Targets};

/// This tool and its version, as reports and manifests name it.
pub const TOOL: &str = concat!("gopatch ", env!("CARGO_PKG_VERSION"));

/// The runtime's function that `sysmon` calls with the time in its first argument.
const TICK_FUNCTION: &str = "runtime.retake";
/// Where the signal handler sends a goroutine that has followed nil.
const SIGPANIC_FUNCTION: &str = "runtime.sigpanic0";
/// What a program has that makes panics of other faults: the runtime's part of `debug.SetPanicOnFault`.
const PANIC_ON_FAULT_FUNCTION: &str = "runtime/debug.setPanicOnFault";

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

/// Why nothing came out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is a phase's error, and says itself what it is")]
pub enum PatchError {
    #[error(transparent)]
    Elf(#[from] ElfError),
    #[error(transparent)]
    Go(#[from] GoError),
    #[error(transparent)]
    Dwarf(#[from] DwarfError),
    #[error(transparent)]
    RuntimeTypes(#[from] RuntimeTypeError),
    #[error(transparent)]
    Type(#[from] TypeError),
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Emit(#[from] EmitError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("the output does not stand up to checking, so it was not kept; this is a fault of gopatch")]
    Verify(#[from] VerifyError),
    #[error(transparent)]
    InRule(#[from] Box<InRule>),
    #[error("no rule matches a function of this program, so there is nothing to do; add rules with --rules")]
    NothingMatches,
    #[error("none of the matched functions can be hooked: {0}")]
    AllRefused(String),
    #[error("{name} of Go's runtime is not in this program's {origin}")]
    Runtime { name: String, origin: Origin },
    #[error("{TICK_FUNCTION} cannot be hooked, so the program could not find a gopatchd that starts later: {0}")]
    Tick(&'static str),
    #[error("the socket's path has {len} bytes, but a Unix socket's has at most {most}", most = MAX_SOCKET_PATH - 1)]
    Socket { len: usize },
    #[error("the socket's path has a zero byte in it")]
    SocketZero,
}

/// What is wrong with a rule for this very program.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct InRule {
    place: Place,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("the rules have this name twice")]
    SameName,
    #[error("this program has no {0}{1}")]
    NoMatch(String, String),
    #[error(
        "{function} is inlined at {count} place{} and has no body of its own, so it cannot be hooked; its copies are in {into}",
        if *count == 1 { "" } else { "s" }
    )]
    Inlined { function: String, count: usize, into: String },
    #[error("{function}: `{text}`: {source}")]
    Resolve { function: String, text: String, source: ResolveError },
    #[error("{function}: `{text}`: {source}")]
    Condition { function: String, text: String, source: ComparisonError },
    #[error(
        "{function}: with `exit` alone the call is decided on when it returns, but a capture there needs what the entry \
         keeps; give the rule `enter: {{}}`, so that it is decided there"
    )]
    DecidedTooLate { function: String },
    #[error("{function}: {source}")]
    Skip { function: String, source: SkipError },
    #[error("{function} has its results from rule {other} already")]
    SkippedTwice { function: String, other: String },
    #[error("{function}: {source}")]
    Parameters { function: String, source: ParameterError },
    #[error(
        "{function}: a record would have {captures} captures and up to {bytes} bytes; {most} captures and {room} bytes \
         are the most",
        most = wire::MAX_CAPTURES,
        room = wire::MAX_PAYLOAD
    )]
    RecordTooLarge { function: String, captures: usize, bytes: usize },
}

impl Rule {
    fn failure(&self, field: &str, problem: Problem) -> PatchError {
        PatchError::InRule(Box::new(InRule { place: self.place(field), problem }))
    }
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

/// The place where `sysmon` brings the time.
fn tick_site<'a>(function: &Function<'a>, text: &Text<'a>) -> Result<Site, PatchError> {
    let mut found = text.sites(function, Wanted { enter: true, exit: false });
    // The tick's code has room for what is displaced behind it, and for nothing else.
    let is_plain = |site: &Site| site.before.is_empty() && site.guards.is_empty() && site.island.is_none();
    match (found.sites.pop().filter(is_plain), found.refused.pop()) {
        (Some(site), _) => Ok(site),
        (None, refused) => Err(PatchError::Tick(refused.map_or("", |refused| refused.refusal.reason()))),
    }
}

fn runtime_offsets(types: &ProgramTypes<'_>) -> Result<RuntimeOffsets, PatchError> {
    let [g, m, p] = ["runtime.g", "runtime.m", "runtime.p"].map(|name| RuntimeStruct::named(name, types));
    let (g, m, p) = (g?, m?, p?);
    let (stack, stack_type) = g.field("stack")?;
    let stack_type = RuntimeStruct { types, type_id: stack_type };
    Ok(RuntimeOffsets {
        g_stack_lo: stack + stack_type.field("lo")?.0,
        g_stack_hi: stack + stack_type.field("hi")?.0,
        g_m: g.field("m")?.0,
        g_goid: g.field("goid")?.0,
        m_p: m.field("p")?.0,
        p_id: p.field("id")?.0,
    })
}

/// Where nil leads. A program that can ask for panics of other faults has to have all of them in place.
fn sigpanic(types: &ProgramTypes<'_>, go: &GoBinary<'_>) -> Result<Option<SigPanic>, PatchError> {
    let entry = go.functions.by_name(SIGPANIC_FUNCTION).next();
    let panics_on_fault = go.functions.by_name(PANIC_ON_FAULT_FUNCTION).next().is_some();
    let Some(entry) = entry.filter(|_| !panics_on_fault) else { return Ok(None) };
    let g = RuntimeStruct::named("runtime.g", types)?;
    Ok(Some(SigPanic {
        entry: entry.start.0,
        g_sig: g.field("sig")?.0,
        g_sigcode0: g.field("sigcode0")?.0,
        g_sigcode1: g.field("sigcode1")?.0,
        g_sigpc: g.field("sigpc")?.0,
    }))
}

/// A structure of the runtime, as this program has it.
struct RuntimeStruct<'t, 'a> {
    types: &'t ProgramTypes<'a>,
    type_id: TypeId,
}

impl<'t, 'a> RuntimeStruct<'t, 'a> {
    fn named(name: &str, types: &'t ProgramTypes<'a>) -> Result<Self, PatchError> {
        let missing = || PatchError::Runtime { name: name.to_owned(), origin: types.origin() };
        let type_id = types.get().type_by_name(name)?.ok_or_else(missing)?;
        Ok(Self { types, type_id })
    }

    /// A field's offset and type.
    fn field(&self, name: &str) -> Result<(i32, TypeId), PatchError> {
        let missing = || PatchError::Runtime { name: name.to_owned(), origin: self.types.origin() };
        let Kind::Struct(fields) = self.types.get().resolve(self.type_id)?.kind else { return Err(missing()) };
        let field = fields.iter().find(|field| field.name == name).ok_or_else(missing)?;
        Ok((i32::try_from(field.offset).map_err(|_| missing())?, field.type_id))
    }
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
