//! The driver: takes a Go executable's bytes and rules, gives the patched executable's bytes and a report.
//!
//! Decides: the order of the phases, and what becomes of a function that can be hooked in part only.
//! Trusts: the phases. Never does: I/O.

use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};
use std::time::Instant;

use gopatch_trampolines::attach::{self, AttachPlan, MAX_SOCKET_PATH};
use gopatch_trampolines::manifest::{self, At, Manifest};
use gopatch_trampolines::plan::{CapturePlan, HookPlan, RuntimeOffsets, SitePlan, Source};
use gopatch_trampolines::{EmitError, relay, thunk, wire};
use sha2::{Digest, Sha256};

use crate::address::{NewVa, Va};
use crate::dwarf::{self, DwarfError};
use crate::elf::{Elf, ElfError};
use crate::golang::pclntab::Function;
use crate::golang::{GoBinary, GoError};
use crate::layout::{Layout, LayoutError};
use crate::program::{ParameterError, ProgramTypes};
use crate::report::{FunctionReport, InputReport, OutputReport, RefusedReport, Report, RuleReport};
use crate::rtypes::RuntimeTypeError;
use crate::rules::declared::DeclaredTypes;
use crate::rules::resolve::{End, ResolveError, Resolved};
use crate::rules::{self, Capture, Rule, RuleError};
use crate::sites::{Site, Text, Wanted};
use crate::types::{Kind, Origin, TypeError, TypeId};
use crate::verify::{self, VerifyError};
use crate::write::{self, Additions, WriteError};

/// This tool and its version, as reports and manifests name it.
pub const TOOL: &str = concat!("gopatch ", env!("CARGO_PKG_VERSION"));

/// The runtime's function that `sysmon` calls with the time in its first argument.
const TICK_FUNCTION: &str = "runtime.retake";

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Rule files, in order.
    pub rules: Vec<rules::Source>,
    /// Where the patched program will look for gopatchd.
    pub socket: Vec<u8>,
}

/// What comes out.
#[derive(Debug)]
pub struct Patched {
    /// The output file.
    pub bytes: Vec<u8>,
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
#[error("{file}: rule {rule}: {problem}")]
pub struct InRule {
    file: String,
    rule: String,
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("the rules have this name twice")]
    SameName,
    #[error("this program has no function {0}{1}")]
    NoMatch(String, Hint),
    #[error("{function}: {what}: {source}")]
    Resolve { function: String, what: String, source: ResolveError },
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

/// The function whose name is nearest to one that was not found.
#[derive(Debug)]
struct Hint(Option<String>);

impl Display for Hint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(nearest) => write!(f, " (did you mean {nearest}?)"),
            None => Ok(()),
        }
    }
}

impl Rule {
    fn failure(&self, problem: Problem) -> PatchError {
        PatchError::InRule(Box::new(InRule { file: self.file.clone(), rule: self.name.clone(), problem }))
    }
}

/// A function under a rule, as it will be hooked.
struct Hooked<'a> {
    rule: &'a Rule,
    function: Function<'a>,
    inlined_copies: Option<u32>,
    enter: Option<Resolved>,
    exit: Option<Resolved>,
    keep: Vec<Source>,
    sites: Vec<Site>,
    relays: Vec<Site>,
}

/// Patches an executable.
pub fn patch(input: &[u8], options: &Options) -> Result<Patched, PatchError> {
    let mut clock = Clock::start();
    check_socket(&options.socket)?;
    let elf = Elf::parse(input)?;
    let relocations = elf.relative_relocations()?;
    clock.lap("elf");
    let go = GoBinary::read(&elf, &relocations)?;
    clock.lap("go");
    let rules = read_rules(options)?;
    let matches = match_rules(&rules, &go)?;

    let sections = dwarf::Sections::load(&elf)?;
    let types = ProgramTypes::load(sections.as_ref(), &rules, &elf, &relocations, &go)?;
    let offsets = runtime_offsets(&types)?;
    clock.lap("types");

    let bytes = |start: Va, end: Va| elf.bytes_at(start, end.offset_from(start)?);
    let text = Text::new(&go.functions, &bytes, &go.checked);
    let tick = tick_site(&go, &text)?;
    let mut refused = Vec::new();
    let mut hooked = Vec::new();
    for (rule, function) in matches.iter().flat_map(|(rule, functions)| functions.iter().map(move |f| (*rule, *f))) {
        hooked.extend(hook(rule, function, &types, &text, &mut refused)?);
    }
    if hooked.is_empty() {
        let why = refused.first().map_or("", |refused: &RefusedReport| refused.reason);
        return Err(PatchError::AllRefused(why.to_owned()));
    }
    clock.lap("sites");

    let keeps = hooked.iter().any(|function| !function.keep.is_empty());
    let layout = Layout::new(&elf, hooked.len(), keeps)?;
    let input_digest = digest(input);
    let mut emission = Emission::new(&elf, &layout, options, tick);
    emission.attach()?;
    for (index, function) in hooked.iter().enumerate() {
        emission.function(index as u32, function, &offsets)?;
    }
    clock.lap("emit");

    let additions =
        Additions { layout: &layout, overwrites: &emission.overwrites, code: &emission.code, entry: emission.stub };
    let unfinished = write::write(&elf, &additions)?;
    let manifest = Manifest {
        format: manifest::FORMAT,
        tool: TOOL.to_owned(),
        input: manifest::Input {
            sha256: input_digest.clone(),
            size: input.len() as u64,
            go_version: go.build_info.go_version.clone(),
            main_package: go.build_info.main_package.clone(),
            main_version: go.build_info.main_module.as_ref().map(|module| module.version.clone()),
        },
        rules_sha256: rules_digest(options),
        code: manifest::Code {
            va: layout.code_va().0,
            offset: unfinished.code_offset as u64,
            size: emission.code.len() as u64,
            id_offset: emission.id_offset as u64,
            sha256: digest(&emission.code),
            stub: emission.stub,
        },
        functions: hooked.iter().map(Hooked::manifest).collect(),
        points: emission.points.clone(),
        sites: emission.sites.clone(),
        patches: unfinished.patches.clone(),
    };
    let manifest_json = serde_json::to_vec(&manifest).map_err(WriteError::from)?;
    let output = unfinished.finish(&manifest_json, emission.id_offset)?;
    clock.lap("write");
    verify::verify(&output, Some(input))?;
    clock.lap("verify");

    let report = Report {
        tool: TOOL.to_owned(),
        input: InputReport {
            path: None,
            size: input.len() as u64,
            sha256: input_digest,
            go_version: go.build_info.go_version.clone(),
            main_package: go.build_info.main_package.clone(),
            types: types.origin(),
        },
        output: OutputReport {
            path: None,
            size: output.len() as u64,
            sha256: digest(&output),
            socket: String::from_utf8_lossy(&options.socket).into_owned(),
            code_bytes: emission.code.len() as u64,
            arena_bytes: layout.arena.bytes(),
        },
        rules: rules.iter().map(|rule| rule_report(rule, &hooked)).collect(),
        refused,
        phases_us: clock.laps,
    };
    Ok(Patched { bytes: output, report })
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

fn read_rules(options: &Options) -> Result<Vec<Rule>, PatchError> {
    let mut rules = Vec::new();
    let mut names = HashSet::new();
    for source in &options.rules {
        for rule in rules::parse(source)? {
            if !names.insert(rule.name.clone()) {
                return Err(rule.failure(Problem::SameName));
            }
            rules.push(rule);
        }
    }
    Ok(rules)
}

/// The functions that each rule asks for, as far as this program has them.
fn match_rules<'r, 'a>(rules: &'r [Rule], go: &GoBinary<'a>) -> Result<Vec<(&'r Rule, Vec<Function<'a>>)>, PatchError> {
    let mut matches = Vec::new();
    for rule in rules {
        let symbols = rule.symbols();
        let functions: Vec<_> = symbols.iter().flat_map(|symbol| hookable_twins(symbol, go)).collect();
        if functions.is_empty() && !rule.optional {
            let hint = Hint(symbols.first().and_then(|symbol| nearest(symbol, go)));
            return Err(rule.failure(Problem::NoMatch(symbols.join(", "), hint)));
        }
        matches.push((rule, functions));
    }
    if matches.iter().all(|(_, functions)| functions.is_empty()) {
        return Err(PatchError::NothingMatches);
    }
    Ok(matches)
}

/// Resolves what a rule captures in a function, and finds the sites. `None` when there is no site.
fn hook<'a>(
    rule: &'a Rule,
    function: Function<'a>,
    types: &ProgramTypes<'_>,
    text: &Text<'a>,
    refused: &mut Vec<RefusedReport>,
) -> Result<Option<Hooked<'a>>, PatchError> {
    let name = || function.name.to_owned();
    let fail = |(what, source)| rule.failure(Problem::Resolve { function: name(), what, source });
    let inlined_copies = types.inlined_copies(function.name);
    let mut declared = DeclaredTypes::new(types.get(), rule);
    let places = types.places(rule, &function, &mut declared);
    let places = places.map_err(|source| rule.failure(Problem::Parameters { function: name(), source }))?;
    let resolve = |captures: &[Capture], end: &mut End<'_>| match &places {
        Some(places) => places.point(rule, captures, end).map_err(fail),
        None => Ok(Resolved::default()),
    };
    let mut keep = Vec::new();
    let exit = rule.exit.as_ref().map(|captures| resolve(captures, &mut End::Exit(&mut keep))).transpose()?;
    let mut enter = rule.enter.as_ref().map(|captures| resolve(captures, &mut End::Enter)).transpose()?;
    if !keep.is_empty() && enter.is_none() {
        enter = Some(Resolved::default());
    }
    for point in [&enter, &exit].into_iter().flatten() {
        let bytes = thunk::max_record(&point.plans) - wire::ring::HEADER;
        if point.plans.len() > wire::MAX_CAPTURES || bytes > wire::MAX_PAYLOAD {
            let captures = point.plans.len();
            return Err(rule.failure(Problem::RecordTooLarge { function: name(), captures, bytes }));
        }
    }

    let mut found = text.sites(&function, Wanted { enter: enter.is_some(), exit: exit.is_some() });
    if exit.as_ref().is_some_and(|exit| exit.plans.iter().any(CapturePlan::reads_registers)) {
        found.refuse_tail_jumps();
    }
    for place in &found.refused {
        refused.push(RefusedReport {
            rule: rule.name.clone(),
            function: function.name.to_owned(),
            at: place.at,
            va: place.va.0,
            code: place.refusal.code(),
            reason: place.refusal.reason(),
        });
    }
    // Exits without their entry would only be exits of nothing.
    let entry_refused = enter.is_some() && !found.sites.iter().any(|site| site.at == At::Enter);
    if found.sites.is_empty() || entry_refused {
        return Ok(None);
    }
    Ok(Some(Hooked { rule, function, inlined_copies, enter, exit, keep, sites: found.sites, relays: found.relays }))
}

/// The functions of that name whose registers are Go's.
///
/// A Go function that assembly calls has a wrapper of its name with the old ABI, and a function in assembly has one with
/// Go's; so the function itself comes before its wrapper, and a wrapper before assembly, which will be refused.
fn hookable_twins<'a>(symbol: &str, go: &GoBinary<'a>) -> Vec<Function<'a>> {
    let rank = |function: &Function<'_>| match (function.flags.is_assembly(), function.is_wrapper) {
        (false, false) => 0,
        (false, true) => 1,
        (true, _) => 2,
    };
    let mut twins: Vec<_> = go.functions.by_name(symbol).copied().collect();
    let best = twins.iter().map(rank).min();
    twins.retain(|twin| Some(rank(twin)) == best);
    twins
}

/// The function of the program whose name is most like `symbol`, if any is much like it.
fn nearest(symbol: &str, go: &GoBinary<'_>) -> Option<String> {
    let alike = |function: &Function<'_>| (strsim::jaro_winkler(symbol, function.name) * 1000.0) as u32;
    let best = go.functions.all().iter().max_by_key(|function| alike(function))?;
    (alike(best) > 850).then(|| best.name.to_owned())
}

/// The place where `sysmon` brings the time.
fn tick_site<'a>(go: &GoBinary<'a>, text: &Text<'a>) -> Result<Site, PatchError> {
    let function = *go.functions.by_name(TICK_FUNCTION).next().ok_or(PatchError::Tick("there is no such function"))?;
    let mut found = text.sites(&function, Wanted { enter: true, exit: false });
    match (found.sites.pop(), found.refused.pop()) {
        (Some(site), _) => Ok(site),
        (None, refused) => Err(PatchError::Tick(refused.map_or("", |refused| refused.refusal.reason()))),
    }
}

fn runtime_offsets(types: &ProgramTypes<'_>) -> Result<RuntimeOffsets, PatchError> {
    let missing = |name: &str| PatchError::Runtime { name: name.to_owned(), origin: types.origin() };
    let struct_of = |name: &str| types.get().type_by_name(name)?.ok_or_else(|| missing(name));
    let field = |type_id: TypeId, name: &str| {
        let Kind::Struct(fields) = types.get().resolve(type_id)?.kind else { return Err(missing(name)) };
        let field = fields.iter().find(|field| field.name == name).ok_or_else(|| missing(name))?;
        Ok::<_, PatchError>((i32::try_from(field.offset).map_err(|_| missing(name))?, field.type_id))
    };
    let (g, m, p) = (struct_of("runtime.g")?, struct_of("runtime.m")?, struct_of("runtime.p")?);
    let (stack, stack_type) = field(g, "stack")?;
    Ok(RuntimeOffsets {
        g_stack_lo: stack + field(stack_type, "lo")?.0,
        g_stack_hi: stack + field(stack_type, "hi")?.0,
        g_m: field(g, "m")?.0,
        g_goid: field(g, "goid")?.0,
        m_p: field(m, "p")?.0,
        p_id: field(p, "id")?.0,
    })
}

impl Hooked<'_> {
    fn manifest(&self) -> manifest::Function {
        manifest::Function {
            name: self.function.name.to_owned(),
            rule: self.rule.name.clone(),
            kind: self.rule.kind,
            operation: self.rule.operation.clone(),
            va: self.function.start.0,
        }
    }
}

/// Emits code, and notes where it went.
struct Emission<'a> {
    elf: &'a Elf<'a>,
    layout: &'a Layout,
    options: &'a Options,
    tick: Site,
    code: Vec<u8>,
    stub: u64,
    id_offset: usize,
    points: Vec<manifest::Point>,
    sites: Vec<manifest::Site>,
    overwrites: Vec<write::Overwrite>,
}

impl<'a> Emission<'a> {
    fn new(elf: &'a Elf<'a>, layout: &'a Layout, options: &'a Options, tick: Site) -> Self {
        let (code, stub, id_offset) = (Vec::new(), 0, 0);
        let (points, sites, overwrites) = (Vec::new(), Vec::new(), Vec::new());
        Self { elf, layout, options, tick, code, stub, id_offset, points, sites, overwrites }
    }

    fn next_va(&mut self) -> NewVa {
        self.code.resize(self.code.len().next_multiple_of(16), 0xCC);
        NewVa(self.layout.code_va().0 + self.code.len() as u64)
    }

    /// The attach code, which comes first.
    fn attach(&mut self) -> Result<(), PatchError> {
        let plan = AttachPlan {
            socket: &self.options.socket,
            entry: self.elf.entry().0,
            tick_after: &self.tick.after,
            tick_resume: self.tick.resume.ok_or(PatchError::Tick("it does not go on"))?.0,
        };
        let attach = attach::emit(&plan, &self.layout.arena, self.layout.code_va().0)?;
        self.stub = attach.stub;
        self.id_offset = attach.id_offset;
        self.code = attach.bytes;
        let tick = self.tick.clone();
        self.site(&tick, None, attach.tick)
    }

    fn function(&mut self, index: u32, function: &Hooked<'_>, offsets: &RuntimeOffsets) -> Result<(), PatchError> {
        // Whatever has room for islands comes before what has its jump there, since the islands' bytes are written last.
        for relay in &function.relays {
            self.relay(relay)?;
        }
        for (at, resolved) in [(At::Enter, &function.enter), (At::Exit, &function.exit)] {
            let Some(resolved) = resolved else { continue };
            let point = self.points.len() as u32;
            self.points.push(manifest::Point { function: index, at, captures: resolved.captures.clone() });
            let plan =
                HookPlan { function: index, point, at, captures: resolved.plans.clone(), keep: function.keep.clone() };
            // All returns of a function make the same record, so they share the code that makes it.
            let mut body = None;
            for site in function.sites.iter().filter(|site| site.at == at) {
                let displaced = SitePlan {
                    before: site.before.clone(),
                    after: site.after.clone(),
                    resume: site.resume.map(|va| va.0),
                };
                let arena = &self.layout.arena;
                if displaced.is_return() && body.is_none() {
                    let va = self.next_va().0;
                    self.code.extend(thunk::emit_return_body(&plan, offsets, arena, va)?);
                    body = Some(va);
                }
                let va = self.next_va().0;
                self.code.extend(match body.filter(|_| displaced.is_return()) {
                    Some(body) => thunk::emit_return_head(&plan, &displaced, offsets, arena, (va, body))?,
                    None => thunk::emit(&plan, &displaced, offsets, arena, va)?,
                });
                self.site(site, Some(point), va)?;
            }
        }
        Ok(())
    }

    /// Instructions that moved to make room for an island.
    fn relay(&mut self, relay: &Site) -> Result<(), PatchError> {
        let va = self.next_va().0;
        let resume = relay.resume.ok_or(WriteError::NotInFile(relay.va))?;
        self.code.extend(relay::emit(&relay.after, resume.0, va)?);
        self.site(relay, None, va)
    }

    fn site(&mut self, site: &Site, point: Option<u32>, thunk: u64) -> Result<(), PatchError> {
        let jumps = write::jumps(self.elf, site, thunk)?;
        let offset = self.elf.offset_of(site.va).ok_or(WriteError::NotInFile(site.va))?;
        let start = offset.0 as usize;
        self.sites.push(manifest::Site {
            point,
            va: site.va.0,
            offset: offset.0,
            thunk,
            island: site.island.map(|island| island.0),
            original: manifest::to_hex(&self.elf.data()[start..start + site.len]),
        });
        self.overwrites.extend(jumps);
        Ok(())
    }
}

fn rule_report(rule: &Rule, hooked: &[Hooked<'_>]) -> RuleReport {
    let functions = hooked.iter().filter(|function| std::ptr::eq(function.rule, rule)).map(|function| {
        let at = |end| function.sites.iter().filter(|site| site.at == end).count();
        let points = [&function.enter, &function.exit].into_iter().flatten();
        FunctionReport {
            name: function.function.name.to_owned(),
            va: function.function.start.0,
            entries: at(At::Enter),
            exits: at(At::Exit),
            attributes: points.clone().flat_map(|point| &point.captures).map(|c| c.attribute.clone()).collect(),
            left_out: points.flat_map(|point| point.left_out.iter().cloned()).collect(),
            inlined_copies: function.inlined_copies,
        }
    });
    RuleReport { rule: rule.name.clone(), functions: functions.collect() }
}

fn digest(bytes: &[u8]) -> String {
    manifest::to_hex(&Sha256::digest(bytes))
}

fn rules_digest(options: &Options) -> String {
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
