//! Where a function can be hooked: one place at its entry, one at each way out.
//!
//! Decides: which bytes a jump may overwrite, and which instructions that displaces.
//! Trusts: the function's bounds (pclntab) and iced's decoding of it.
//! Never does: guess. A place that is not provably safe is a [`Refusal`].
//!
//! [`body`] has a function's instructions and finds runs of them that may move, [`instruction`]
//! classifies single instructions, [`guards`] handles those that may fault, [`islands`] handles
//! places too short for a jump, [`stops`] knows where debuggers stop.
//!
//! # What makes a site safe
//!
//! * The overwritten bytes are whole instructions of one basic block: no branch, jump table or
//!   return address leads into them except to the first. Calls stay, and so do return addresses and
//!   the places where the runtime resumes a function after a recovered panic (`deferreturn`). If
//!   there is no other room, the call at the very end of an entry's site moves, in a function that
//!   defers nothing: its return address, after the site, remains in the program.
//! * A function that neither calls nor loops may move as a whole, with its branches.
//! * The displaced instructions cannot fault, or have a guard ([`guards`]). Without one, the runtime
//!   would attribute a fault in a thunk to the caller, as it does not know the thunk's PC.
//! * An entry's hook runs after the stack check, which can send the function back to its first
//!   byte, and no branch leads to the hook: it runs exactly once for each call. The site is the
//!   check itself, which then runs in the thunk, or comes after it.
//! * A way out that is shorter than a jump uses a `jmp rel8` and an island ([`islands`]).
//! * Jump tables are not resolved. In a function with one, only the instructions that make and
//!   unmake the frame are displaced: the compiler emits each of these sequences as one unit and
//!   branches at most to its start.

mod arguments;
mod body;
mod guards;
mod instruction;
mod islands;
mod refusal;
mod stops;

use std::ops::Range;

use gopatch_protocol::manifest::At;
use gopatch_trampolines::plan::{Guard, SigPanic};
use iced_x86::{FlowControl, Instruction};

use crate::address::Va;
use crate::golang::pclntab::{Function, FunctionTable};
use crate::reach::Hazard;

use body::Body;
pub use refusal::Refusal;
use stops::Stops;

/// Size of `jmp rel32`.
pub const NEAR_JUMP: usize = 5;
/// Size of `jmp rel8`.
pub const SHORT_JUMP: usize = 2;

/// A place that can be hooked.
#[derive(Debug, Clone)]
pub struct Site {
    /// Which end of the call.
    pub at: At,
    /// First overwritten byte.
    pub va: Va,
    /// Number of overwritten bytes.
    pub len: usize,
    /// Where the jump to the thunk is, if these bytes have room only for a short jump.
    pub island: Option<Va>,
    /// Displaced instructions that run before the hook.
    pub before: Vec<Instruction>,
    /// Displaced instructions that run after the hook.
    pub after: Vec<Instruction>,
    /// The way out, if an entry's site reaches that far. Then it is the way out's site too, and the
    /// exit's hook runs after `after`. Returns within `after` are also ways out.
    pub leaves: Option<Instruction>,
    /// Where the function continues; `None` when these instructions leave it.
    pub resume: Option<Va>,
    /// Guards for the displaced instructions that may fault.
    pub guards: Vec<Guard>,
    /// Bytes between RSP and the return address at the hook.
    pub depth: i32,
}

impl Site {
    /// Whether the call passes this site at that end.
    pub fn is_at(&self, end: At) -> bool {
        self.at == end || (end == At::Exit && self.leaves.is_some())
    }

    /// The bytes that are overwritten.
    pub fn range(&self) -> Range<Va> {
        self.va..Va(self.va.0 + self.len as u64)
    }
}

/// A place that cannot be hooked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedSite {
    /// Which end of the call.
    pub at: At,
    /// Where: a uprobe may go there.
    pub va: Va,
    /// Why.
    pub refusal: Refusal,
}

/// All places of a function where a hook is wanted.
#[derive(Debug, Clone, Default)]
pub struct FunctionSites {
    /// Places that can be hooked.
    pub sites: Vec<Site>,
    /// Instructions that move only to make room for islands.
    pub relays: Vec<Site>,
    /// Places that cannot be hooked.
    pub refused: Vec<RefusedSite>,
}

/// A place without room for a near jump.
struct Short {
    at: At,
    /// Index of the first instruction after the stack check, or of the way out.
    index: usize,
    /// Why there is no room.
    refusal: Refusal,
    /// A site with room, but with a breakpoint within or an instruction that may fault.
    fallback: Option<Site>,
}

/// Which ends of a function to hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The entry.
    pub enter: bool,
    /// Every way out.
    pub exit: bool,
}

/// What sites need of the whole text.
pub struct Text<'a> {
    /// All functions.
    pub functions: &'a FunctionTable<'a>,
    /// Bytes from one address to another, exclusive.
    pub bytes: &'a dyn Fn(Va, Va) -> Option<&'a [u8]>,
    /// Bytes that must not change, as the program checks them against a digest.
    pub checked: &'a [Range<Va>],
    /// The runtime's handler of faults, for displaced instructions that meet nil.
    pub sigpanic: Option<SigPanic>,
    /// Where a function may run that a hook must not interrupt.
    pub hazard: &'a dyn Fn(&Function<'_>) -> Option<Hazard>,
    /// Whether a function without a stack check may run between the begin and the end of a system
    /// call.
    pub is_beside_a_system_call: &'a dyn Fn(&Function<'_>) -> bool,
}

impl Text<'_> {
    /// Finds the sites of `function`.
    pub fn sites(&self, function: &Function<'_>, wanted: Wanted) -> FunctionSites {
        let body = match self.decode(function) {
            Ok(body) => body,
            Err(refusal) => return FunctionSites::refused(function, refusal),
        };
        let hazard = (self.hazard)(function);
        match hazard {
            Some(Hazard::SignalHandler) => return FunctionSites::refused(function, Refusal::SignalHandler),
            Some(Hazard::SystemCall) => return FunctionSites::refused(function, Refusal::SystemCall),
            Some(Hazard::Runtime) | None => {}
        }
        let check = body.stack_check(self.functions);
        let may_lack_p = hazard.is_some() || may_run_without_p(function.name);
        if check.as_ref().is_ok_and(|check| check.end == 0) {
            if may_lack_p {
                return FunctionSites::refused(function, Refusal::RuntimeNosplit);
            }
            if (self.is_beside_a_system_call)(function) {
                return FunctionSites::refused(function, Refusal::SystemCall);
            }
        }
        let entry = check.as_ref().map_or(0, |check| check.end);
        let stops = Stops::find(function, &body.instructions, entry, self.functions);
        let mut found = FunctionSites::default();
        // Short sites come last: islands use the room that is left.
        let mut short = Vec::new();
        if wanted.enter {
            match &check {
                Ok(check) => short.extend(found.add_entry(check, &body, &stops)),
                Err(refusal) => found.add(At::Enter, function.start, Err(*refusal)),
            }
        }
        if wanted.exit {
            short.extend(found.add_exits(&body, &stops));
        }
        for place in short {
            found.add_short(place, check.as_ref().ok(), &body, (&stops, self.functions));
        }
        match check.ok().filter(|_| !found.refused.is_empty()).and_then(|check| body.whole(check.end)) {
            Some(whole) => FunctionSites { sites: vec![whole], ..FunctionSites::default() },
            None => found,
        }
    }

    /// The instructions of `function`, unless it is refused as a whole.
    fn decode<'f>(&self, function: &Function<'f>) -> Result<Body<'f>, Refusal> {
        if function.flags.is_assembly() {
            return Err(Refusal::Assembly);
        }
        if function.pcsp == 0 {
            return Err(Refusal::NotGo);
        }
        let bytes = (self.bytes)(function.start, function.end);
        let body = bytes.and_then(|bytes| Body::decode(bytes, *function, self.sigpanic)).ok_or(Refusal::Undecodable)?;
        if self.checked.iter().any(|range| function.start < range.end && range.start < function.end) {
            return Err(Refusal::Fips140);
        }
        Ok(body)
    }
}

impl Text<'_> {
    /// Whether an inlined copy of `function` may have left no instruction, because the function
    /// only computes.
    pub fn may_vanish(&self, function: &Function<'_>) -> bool {
        let body = (self.bytes)(function.start, function.end).and_then(|bytes| Body::decode(bytes, *function, None));
        body.is_some_and(|body| body.only_computes())
    }

    /// The site at the entry of `function` where its body is cut off, never to run. So the
    /// overwritten instructions need not move, and branches into them do not matter.
    pub fn cut(&self, function: &Function<'_>) -> Result<Site, RefusedSite> {
        let refuse = |refusal| RefusedSite { at: At::Enter, va: function.start, refusal };
        if function.is_wrapper {
            return Err(refuse(Refusal::Wrapper));
        }
        let refused = self.sites(function, Wanted { enter: true, exit: false }).refused.pop();
        let may_be_cut = refused.is_none_or(|refused| {
            matches!(
                refused.refusal,
                Refusal::BranchTarget | Refusal::FlowControl | Refusal::MayFault | Refusal::JumpTable | Refusal::NoRoom
            )
        });
        let body = (self.bytes)(function.start, function.end).and_then(|bytes| Body::decode(bytes, *function, None));
        let cut = body.filter(|_| may_be_cut).and_then(|body| body.cut(body.stack_check(self.functions).ok()?.start));
        cut.ok_or_else(|| refused.unwrap_or(refuse(Refusal::NoRoom)))
    }
}

impl FunctionSites {
    /// Refuses the ways out that are jumps to another function, which has yet to compute the
    /// results.
    pub fn refuse_tail_jumps(&mut self) {
        let is_jump = |last: &Instruction| last.flow_control() != FlowControl::Return;
        let is_tail_jump = |site: &mut Site| site.at == At::Exit && site.after.iter().all(is_jump);
        let tails = self.sites.extract_if(.., is_tail_jump);
        self.refused.extend(tails.map(|site| RefusedSite { at: site.at, va: site.va, refusal: Refusal::NoResults }));
        for entry in &mut self.sites {
            if let Some(last) = entry.leaves.take_if(|last| is_jump(last)) {
                self.refused.push(RefusedSite { at: At::Exit, va: Va(last.ip()), refusal: Refusal::NoResults });
                entry.after.push(last);
            }
        }
    }

    fn refused(function: &Function<'_>, refusal: Refusal) -> Self {
        let refused = vec![RefusedSite { at: At::Enter, va: function.start, refusal }];
        Self { refused, ..Self::default() }
    }

    /// Adds the entry, or returns it if it has no room for a near jump.
    fn add_entry(&mut self, check: &Range<usize>, body: &Body<'_>, stops: &Stops) -> Option<Short> {
        let index = check.end;
        let site = body.with_stack_check(check).or_else(|| body.in_prologue(index, stops));
        let site = site.map_or_else(|| body.enter(index, NEAR_JUMP), Ok);
        let site = site.or_else(|refusal| body.through(index).ok_or(refusal));
        let short = |refusal| Short { at: At::Enter, index, refusal, fallback: None };
        site.map(|site| self.sites.push(site)).err().map(short)
    }

    /// Adds the ways out, and returns those without room for a near jump, or where room may be had
    /// at a better place.
    fn add_exits(&mut self, body: &Body<'_>, stops: &Stops) -> Vec<Short> {
        for index in body.unknown_jumps() {
            self.add(At::Exit, body.va(index), Err(Refusal::IndirectJump));
        }
        let mut short = Vec::new();
        for index in body.exits() {
            if self.has_way_out(body.va(index)) {
                continue;
            }
            match body.exit(index, NEAR_JUMP).and_then(|site| self.free(site)) {
                Ok(site) if site.guards.is_empty() && !stops.are_within(&site.range()) => self.sites.push(site),
                Ok(site) => {
                    short.push(Short { at: At::Exit, index, refusal: Refusal::NoRoom, fallback: Some(site) });
                }
                Err(refusal) => short.push(Short { at: At::Exit, index, refusal, fallback: None }),
            }
        }
        short
    }

    /// Adds a place with a short jump and an island, or as one site with the entry.
    fn add_short(
        &mut self,
        Short { at, index, refusal, fallback }: Short,
        check: Option<&Range<usize>>,
        body: &Body<'_>,
        (stops, functions): (&Stops, &FunctionTable<'_>),
    ) {
        let is_last_resort = fallback.is_none();
        let site = match at {
            At::Enter => body.enter(index, SHORT_JUMP),
            At::Exit => body.exit(index, SHORT_JUMP),
        };
        let is_better = |site: &Site| is_last_resort || site.guards.is_empty() && !stops.are_within(&site.range());
        let site = site.and_then(|site| self.free(site)).ok().filter(is_better);
        let near = islands::Near { body, stops, functions, check: check.filter(|_| is_last_resort) };
        let site = site.and_then(|site| islands::reach(site, &near, self));
        let site = site.or_else(|| fallback.and_then(|site| self.free(site).ok()));
        let may_join = site.is_none() && at == At::Exit;
        if may_join && check.is_some_and(|check| self.join(check.end, index, body)) {
            return;
        }
        self.add(at, body.va(index), site.ok_or(refusal));
    }

    fn add(&mut self, at: At, va: Va, site: Result<Site, Refusal>) {
        match site {
            Ok(site) => self.sites.push(site),
            Err(refusal) => self.refused.push(RefusedSite { at, va, refusal }),
        }
    }

    /// Whether the entry's site includes the way out at `va`.
    fn has_way_out(&self, va: Va) -> bool {
        self.sites.iter().filter_map(|site| site.leaves).any(|last| last.ip() == va.0)
    }

    /// Makes one site of the entry and the way out at `index`, if the entry has a site and nothing
    /// else lies between.
    fn join(&mut self, entry: usize, index: usize, body: &Body<'_>) -> bool {
        let is_entry = |site: &Site| site.at == At::Enter && site.leaves.is_none();
        let Some(place) = self.sites.iter().position(is_entry) else { return false };
        let Some(joined) = body.between(entry, index) else { return false };
        let hosts =
            self.sites.iter().filter_map(|site| site.island).any(|island| self.sites[place].range().contains(&island));
        let alone = self.sites.remove(place);
        let joined = if hosts { Err(Refusal::Overlap) } else { self.free(joined) };
        let is_joined = joined.is_ok();
        self.sites.insert(place, joined.unwrap_or(alone));
        is_joined
    }

    /// `site`, if none of its bytes belongs to another site.
    fn free(&self, site: Site) -> Result<Site, Refusal> {
        let is_taken = self.sites.iter().chain(&self.relays).any(|other| overlap(&site.range(), &other.range()));
        if is_taken { Err(Refusal::Overlap) } else { Ok(site) }
    }

    /// Like [`Self::free`], but the bytes of `other`, a site to be added later, must be free too.
    fn free_beside(&self, other: &Range<Va>, site: Site) -> Result<Site, Refusal> {
        if overlap(&site.range(), other) { Err(Refusal::Overlap) } else { self.free(site) }
    }
}

fn overlap(one: &Range<Va>, other: &Range<Va>) -> bool {
    one.start < other.end && other.start < one.end
}

/// Whether a function without a stack check may be `//go:nosplit` because it runs without a P: on
/// the way into and out of a system call or a signal handler, or in the child of a fork.
fn may_run_without_p(name: &str) -> bool {
    // `RawSyscall6` runs between `entersyscall` and `exitsyscall`, the others around `fork` (Go's
    // `src/syscall/syscall_linux.go` and `exec_linux.go`). `Syscall` begins before the first and
    // ends after the second.
    let without_p = ["RawSyscall6", "RawSyscallNoError", "rawSyscall", "rawVfork", "forkAndExec", "runtime_"];
    match name.strip_prefix("syscall.") {
        Some(function) => without_p.iter().any(|prefix| function.starts_with(prefix)),
        None => ["runtime.", "runtime/internal/", "internal/runtime/"].iter().any(|package| name.starts_with(package)),
    }
}

#[cfg(test)]
mod tests;
