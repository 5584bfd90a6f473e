//! The driver: from a Go executable's bytes and rules to the patched executable's bytes and a
//! report.
//!
//! [`plan`] runs the phases: [`matching`] finds the functions of the rules, [`versions`] and
//! [`shapes`] leave out rules for other versions, [`hooks`] resolves what each hook records,
//! [`targets`] chooses sites, [`confinement`] decides when the program may attach, [`emission`]
//! emits code, [`describe`] fills in manifest and report, [`recipe`] notes how to make the file
//! again. [`runtime`] finds what the emitted code needs of Go's runtime, [`probes`] turns a plan into
//! uprobes, [`error`] has the messages.

mod confinement;
mod describe;
mod emission;
mod error;
mod hooks;
mod matching;
mod probes;
pub mod recipe;
mod runtime;
mod shapes;
mod targets;
mod versions;

use std::collections::HashSet;
use std::thread;
use std::time::Instant;

use gopatch_protocol::manifest::{self, Manifest};
use gopatch_protocol::recipe::TrailingData;
use gopatch_protocol::wire;
use gopatch_trampolines::attach::{AttachMode, MAX_SOCKET_PATH};
use gopatch_trampolines::plan::RuntimeOffsets;
use sha2::{Digest, Sha256};

use crate::address::Va;
use crate::dwarf;
use crate::elf::{Elf, Relative};
use crate::golang::{Function, GoBinary};
use crate::layout::{Layout, LayoutError};
use crate::program::{ProgramError, ProgramTypes};
use crate::reach::Hazards;
use crate::report::{RefusedReport, Report};
use crate::rules::{self, Rule};
use crate::sites::{Site, Text};
use crate::symbols::frames;
use crate::write::{self, Additions, Output, Overwrite, Unsigned};
use crate::yaml::nearest::did_you_mean;

use emission::{Emission, PointPlan};
use error::Problem;
pub use error::{InRule, PatchError};
use hooks::Hook;
use matching::Match;
pub use probes::{Probe, Probes};
use runtime::Runtime;
use targets::{Target, Targets};

/// This tool and its version, for reports and manifests.
pub const TOOL: &str = concat!("gopatch ", env!("CARGO_PKG_VERSION"));

/// How to patch.
#[derive(Debug, Clone)]
pub struct Options {
    /// Rule files, in order.
    pub rules: Vec<rules::Source>,
    /// Path of the socket where the patched program looks for gopatchd.
    pub socket: Vec<u8>,
    /// When the patched program may look for gopatchd; `None`: late, but only at its start if it can
    /// confine itself.
    pub attach: Option<AttachMode>,
    /// Whether to add symbols for the emitted code.
    pub symbols: bool,
    /// What becomes of data after the ELF file, which the program may look for at its end.
    pub trailing_data: TrailingData,
}

impl Options {
    /// These rules, and what the command `gopatch` does by default.
    pub fn new(rules: Vec<rules::Source>) -> Self {
        let socket = wire::DEFAULT_SOCKET.into();
        Self { rules, socket, attach: None, symbols: false, trailing_data: TrailingData::Refuse }
    }
}

/// A patched executable. Verify the written output before you keep it ([`crate::verify`]).
#[derive(Debug)]
pub struct Patched<'a> {
    /// The output file.
    pub output: Output<'a>,
    /// What was done.
    pub report: Report,
}

/// Patches an executable.
pub fn patch<'a>(input: &'a [u8], options: &Options) -> Result<Patched<'a>, PatchError> {
    // The digest takes about as long as everything else, so both run at once.
    thread::scope(|scope| {
        let input_digest = scope.spawn(|| digest(input));
        let plan = plan(input, options)?;
        Ok(plan.finish(input_digest.join().expect("the digest does not panic")))
    })
}

/// An output that is complete but for its input's digest, which takes long as it reads every byte
/// of the input.
pub struct Plan<'a> {
    output: Unsigned<'a>,
    /// As in the output, without the digest.
    manifest: Manifest,
    report: Report,
    points: Vec<PointPlan>,
    targets: Vec<Target>,
    offsets: RuntimeOffsets,
}

impl<'a> Plan<'a> {
    /// What overwrites the input's bytes. The digest does not change it.
    pub fn overwrites(&self) -> &[Overwrite] {
        self.output.overwrites()
    }

    /// Completes the output with its input's digest, in hex.
    pub fn finish(self, input_sha256: String) -> Patched<'a> {
        let Self { output, mut report, .. } = self;
        let output = output.sign(&input_sha256);
        report.input.sha256 = input_sha256;
        Patched { output, report }
    }
}

/// Does everything that needs no digest of the input.
pub fn plan<'a>(input: &'a [u8], options: &Options) -> Result<Plan<'a>, PatchError> {
    let mut clock = Clock::start();
    check_socket(&options.socket)?;
    let program = Executable::load(input, &mut clock)?;
    let trailing = program.elf.trailing_data().len();
    if trailing > 0 && options.trailing_data == TrailingData::Refuse {
        return Err(PatchError::TrailingData { bytes: trailing });
    }
    let rules = read_rules(options)?;
    let mut matches = matching::match_rules(&rules, &program.go, &program.elf)?;
    let dwarf = dwarf::Sections::load(&program.elf)?;
    let types = program.load_types(dwarf.as_ref(), &rules, &matches)?;
    shapes::settle(&mut matches, &types)?;
    matching::check_any(&matches)?;
    let runtime = Runtime::find(&types, &program.go)?;
    clock.lap("types");

    let chosen = choose_sites(&program, &types, &runtime, &matches)?;
    clock.lap("sites");

    let layout = lay_out(&program, &chosen)?;
    let (mode, attach) = confinement::decide(options.attach, &program);
    let mut emission = emit(&program, &layout, &runtime, &chosen, (options, mode))?;
    clock.lap("emit");

    let (output, manifest) = assemble(&program, &layout, &runtime, &chosen, &mut emission, options)?;
    let report = Report {
        tool: TOOL.to_owned(),
        input: describe::input_report(&program, types.origin(), options),
        output: describe::output_report(output.size(), options, &emission, &layout),
        attach,
        rules: matches.iter().map(|it| describe::rule_report(it, &chosen.targets.hooks)).collect(),
        refused: chosen.targets.refused,
        phases_us: clock.laps,
    };
    let (points, targets) = (emission.into_points(), chosen.targets.functions);
    Ok(Plan { output, manifest, report, points, targets, offsets: runtime.offsets })
}

/// The input, as far as it can be understood without rules.
struct Executable<'a> {
    elf: Elf<'a>,
    relocations: Vec<Relative>,
    go: GoBinary<'a>,
}

impl<'a> Executable<'a> {
    fn load(input: &'a [u8], clock: &mut Clock) -> Result<Self, PatchError> {
        let elf = Elf::parse(input)?;
        let relocations = elf.relative_relocations()?;
        clock.lap("elf");
        let go = GoBinary::read(&elf, &relocations)?;
        clock.lap("go");
        Ok(Self { elf, relocations, go })
    }

    /// The types that the rules and the runtime's offsets need.
    fn load_types<'t>(
        &'t self,
        dwarf: Option<&'t dwarf::Sections<'_>>,
        rules: &[Rule],
        matches: &[Match<'_>],
    ) -> Result<ProgramTypes<'t>, ProgramError> {
        let names = matching::matched_names(matches);
        let names = names.iter().map(String::as_str).collect();
        ProgramTypes::load(dwarf, rules, &names, &self.elf, &self.relocations, &self.go)
    }
}

/// The sites to overwrite.
struct Chosen<'a> {
    targets: Targets<'a>,
    /// The site through which emitted code learns the time.
    tick: Site,
}

/// Resolves what each hook captures, and finds places for the hooks.
fn choose_sites<'a>(
    program: &Executable<'a>,
    types: &ProgramTypes<'_>,
    runtime: &Runtime,
    matches: &[Match<'a>],
) -> Result<Chosen<'a>, PatchError> {
    let Executable { elf, go, .. } = program;
    let bytes = |start: Va, end: Va| elf.bytes_at(start, end.offset_from(start)?);
    let hazards = Hazards::new(elf, &program.relocations, go);
    let hazard = |function: &Function<'_>| hazards.find(function);
    let (functions, checked, sigpanic) = (&go.functions, &go.checked, runtime.sigpanic);
    let is_beside_a_system_call = |function: &Function<'_>| hazards.is_beside_a_system_call(function);
    let is_beside_a_system_call = &is_beside_a_system_call;
    let text = Text { functions, bytes: &bytes, checked, sigpanic, hazard: &hazard, is_beside_a_system_call };
    let (tick_function, tick) = runtime::tick_site(go, &text)?;
    let functions = matches.iter().flat_map(|it| it.functions.iter().map(|function| (it.rule, *function)));
    let hooks = functions.map(|(rule, function)| hooks::resolve(rule, function, types, Some(&text)));
    let mut hooks = hooks.collect::<Result<Vec<_>, _>>()?;
    hooks::check_skipped_once(&hooks)?;
    hooks::give_contexts(&mut hooks);
    for hook in hooks.iter_mut().filter(|hook| hook.skip.is_some()) {
        find_copies(hook, program, types, &text);
    }
    let targets = targets::choose(hooks, &text, tick_function);
    if targets.hooks.is_empty() {
        let why = targets.refused.first().map_or("", |refused| refused.reason);
        return Err(PatchError::AllRefused(why.to_owned()));
    }
    Ok(Chosen { targets, tick })
}

/// Finds out whether the body of a function that must not run may still run, in inlined copies.
fn find_copies(hook: &mut Hook<'_>, program: &Executable<'_>, types: &ProgramTypes<'_>, text: &Text<'_>) {
    // The program's own traceback tables show copies, besides DWARF. Without either the answer is
    // unknown.
    let traced = program.go.inlined_into(&program.elf, &hook.function);
    if traced.as_ref().map(Vec::len) > hook.inlined_into.as_ref().map(Vec::len) {
        hook.inlined_into = traced;
    }
    // A copy of which no instruction is left is in no table.
    let vanished = types.was_inlined(&hook.function).unwrap_or_else(|| text.may_vanish(&hook.function));
    hook.runs_elsewhere = hook.inlined_into.as_ref().is_none_or(|into| !into.is_empty()) || vanished;
}

fn lay_out(program: &Executable<'_>, chosen: &Chosen<'_>) -> Result<Layout, LayoutError> {
    let hooks = &chosen.targets.hooks;
    let has_contexts = hooks.iter().any(Hook::uses_contexts);
    Layout::new(&program.elf, hooks.len(), hooks.iter().any(Hook::uses_table), has_contexts)
}

/// Emits the attach code and every thunk.
fn emit<'p>(
    program: &'p Executable<'_>,
    layout: &'p Layout,
    runtime: &Runtime,
    chosen: &Chosen<'_>,
    (options, mode): (&'p Options, AttachMode),
) -> Result<Emission<'p>, PatchError> {
    let Targets { hooks, functions, .. } = &chosen.targets;
    let mut emission = Emission::new(&program.elf, layout, options, chosen.tick.clone());
    emission.attach(mode)?;
    emission.hooks(hooks, functions, &runtime.offsets)?;
    Ok(emission)
}

/// Puts the output together, whole but for the input's digest.
fn assemble<'a>(
    program: &Executable<'a>,
    layout: &Layout,
    runtime: &Runtime,
    chosen: &Chosen<'_>,
    emission: &mut Emission<'_>,
    options: &Options,
) -> Result<(Unsigned<'a>, Manifest), PatchError> {
    let functions: Vec<_> = chosen.targets.hooks.iter().map(Hook::manifest).collect();
    let symbols = options.symbols.then(|| emission.symbols(&functions));
    let overwrites = std::mem::take(&mut emission.overwrites);
    let trailing = match options.trailing_data {
        TrailingData::Keep => program.elf.trailing_data(),
        TrailingData::Refuse | TrailingData::Drop => &[],
    };
    let frames = frames::section(&program.elf, &emission.frames, (&emission.code, layout.code_va().0));
    let (code, entry) = (&emission.code[..], emission.stub);
    let additions = Additions { layout, overwrites, code, entry, symbols, trailing, frames };
    let mut unfinished = write::write(&program.elf, additions)?;
    let manifest = Manifest {
        format: manifest::FORMAT,
        tool: TOOL.to_owned(),
        input: describe::input(program),
        rules_sha256: rules_digest(options),
        recipe: Some(recipe::from_options(options)),
        code: describe::code(emission, layout, unfinished.code_offset, runtime.sigpanic),
        functions,
        points: emission.points.clone(),
        sites: emission.sites.clone(),
        refused: Some(chosen.targets.refused.iter().map(RefusedReport::manifest).collect()),
        patches: std::mem::take(&mut unfinished.patches),
        trailing: trailing.len() as u64,
    };
    Ok((unfinished.finish(&manifest)?, manifest))
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

/// Reads the rule files. No two rules may share a name, and those that a rule refers to must exist.
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
    for rule in &rules {
        for (field, others) in [("ends", &rule.ends), ("instead_of", &rule.instead_of)] {
            if let Some(unknown) = others.iter().find(|name| !names.contains(*name)) {
                let near = did_you_mean(unknown, names.iter().map(String::as_str));
                return Err(rule.failure(field, Problem::NoRule(unknown.clone(), near)));
            }
        }
    }
    Ok(rules)
}

pub(crate) fn digest(bytes: &[u8]) -> String {
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

/// Measures the wall time of each phase.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_refers_only_to_rules_that_exist() {
        let rule = "import: b, function: c";
        let read = |texts: &[String]| {
            let sources = texts.iter().enumerate();
            let sources =
                sources.map(|(index, text)| rules::Source { name: format!("{index}.yaml"), text: text.clone() });
            read_rules(&Options::new(sources.collect())).map(|rules| rules.len())
        };
        let order = format!("rules: [{{name: orders.place, {rule}}}]");
        for (field, keys) in [("ends", "kind: end, ends"), ("instead_of", "instead_of")] {
            let other = |name| format!("rules:\n- {{name: other, {rule}, {keys}: [{name}]}}");
            assert_eq!(read(&[other("orders.place"), order.clone()]).expect("they refer to a rule of a later file"), 2);
            let error = read(&[order.clone(), other("orders.plce")]).expect_err("no such rule").to_string();
            let expected =
                format!("1.yaml:2: rule other: {field}: there is no rule orders.plce (did you mean `orders.place`?)");
            assert_eq!(error, expected);
        }
    }
}
