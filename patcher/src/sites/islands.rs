//! Islands: jumps to thunks, for ways out that have room only for a `jmp rel8`.
//!
//! Decides: where an island goes.
//! Trusts: the sites found so far, and the runtime's own table of stack depths.
//! Never does: use padding.
//!
//! A `pop rbp; ret` after an instruction that must stay has 2 bytes. A short jump leads from there
//! to an island: a 5-byte jump in bytes that another site of the same function overwrites but does
//! not need. If no site has such bytes, they are after the jump of a *relay*, a run of instructions
//! that moves only for this, or after the entry's own jump, for which more of the entry moves. In a
//! function that does little but call another, moving that call makes the room.
//!
//! # Why an island's address matters
//!
//! A signal can stop a thread at the island's only instruction, and the runtime then unwinds from
//! there, for a profile or to preempt the goroutine (`sigprof` and `wantAsyncPreempt`, Go's
//! `src/runtime/signal_unix.go` and `preempt.go`). Two things follow:
//!
//! * The runtime must know how deep the stack is there. It looks the address up in the function's
//!   pcsp table (`funcspdelta`, `src/runtime/symtab.go`), so an island may only be where that table
//!   has the depth of the way out. In a function with such a short tail most places have it: the
//!   tail is short because `push rbp` and `pop rbp` are all that make and unmake the frame. The
//!   padding after a function has no entry in the table, and the runtime throws.
//! * A goroutine that is preempted there has its results in registers. The runtime scans the
//!   registers and frame of an asynchronously preempted goroutine conservatively, without the stack
//!   maps of its address (`scanframeworker`, `src/runtime/mgcmark.go`). It restarts no sequence
//!   from its beginning: on x86-64 the assembler marks none (`MarkUnsafePoints` in
//!   `src/cmd/internal/obj/x86/asm6.go`).

use std::ops::Range;

use gopatch_protocol::manifest::At;

use crate::address::Va;
use crate::golang::pclntab::FunctionTable;

use super::body::Body;
use super::stops::Stops;
use super::{FunctionSites, NEAR_JUMP, SHORT_JUMP, Site};

/// What is around a short site.
pub(super) struct Near<'n> {
    pub(super) body: &'n Body<'n>,
    pub(super) stops: &'n Stops,
    pub(super) functions: &'n FunctionTable<'n>,
    /// The stack check; `None` if the hook has another place, so that no instruction may move at
    /// which a debugger stops.
    pub(super) check: Option<&'n Range<usize>>,
}

/// Finds an island for the short `site`, and makes room for it if needed. `None` when none is in
/// reach.
pub(super) fn reach(mut site: Site, near: &Near<'_>, found: &mut FunctionSites) -> Option<Site> {
    let &Near { body, stops, functions, check } = near;
    let depth = functions.stack_depth(&body.function, site.va)?;
    let fits = |island: Va| {
        let distance = island.0 as i64 - (site.va.0 as i64 + SHORT_JUMP as i64);
        i8::try_from(distance).is_ok() && functions.stack_depth(&body.function, island) == Some(depth)
    };
    let short = site.range();
    let is_clean = |relay: &Site| !stops.are_within(&relay.range());
    let island = room_left(found, fits)
        .or_else(|| relay(body, &short, found, fits, is_clean))
        .or_else(|| check.and_then(|_| grow_entry(body, &short, found, fits)))
        .or_else(|| check.and_then(|_| relay(body, &short, found, fits, |_| true)))
        .or_else(|| take_call(body, &short, check?, functions, found, fits));
    site.island = Some(island?);
    Some(site)
}

/// An island in bytes that are already overwritten.
fn room_left(found: &FunctionSites, fits: impl Fn(Va) -> bool) -> Option<Va> {
    let hosts = found.sites.iter().chain(&found.relays).filter(|host| host.island.is_none());
    hosts.flat_map(|host| slots(host, host.len)).find(|&slot| is_unused(found, slot) && fits(slot))
}

/// An island after the entry's jump, for which more of the entry's instructions move.
fn grow_entry(body: &Body<'_>, short: &Range<Va>, found: &mut FunctionSites, fits: impl Fn(Va) -> bool) -> Option<Va> {
    let first = found.sites.iter().position(|site| site.resume.is_some() && site.before.is_empty())?;
    let entry = &found.sites[first];
    let island = slots(entry, entry.len + NEAR_JUMP).find(|&slot| is_unused(found, slot) && fits(slot))?;
    let index = body.indices(entry.range()).start;
    let grown = body.enter(index, (island.0 - entry.va.0) as usize + NEAR_JUMP).ok()?;
    let grown = Site { depth: entry.depth, ..grown };
    let entry = found.sites.remove(first);
    let grown = found.free_beside(short, grown);
    let island = grown.is_ok().then_some(island);
    found.sites.insert(first, grown.unwrap_or(entry));
    island
}

/// An island after the entry's jump, for which the stack check moves, and everything after it up to
/// the first call.
fn take_call(
    body: &Body<'_>,
    short: &Range<Va>,
    check: &Range<usize>,
    functions: &FunctionTable<'_>,
    found: &mut FunctionSites,
    fits: impl Fn(Va) -> bool,
) -> Option<Va> {
    let first = found.sites.iter().position(|site| site.at == At::Enter && site.resume.is_some())?;
    // Existing islands in its bytes fit only its present jump.
    let entry = found.sites[first].range();
    if found.sites.iter().filter_map(|site| site.island).any(|island| entry.contains(&island)) {
        return None;
    }
    let grown = body.up_to_call(check, functions)?;
    let island = slots(&grown, grown.len).find(|&slot| is_unused(found, slot) && fits(slot))?;
    let alone = found.sites.remove(first);
    let grown = found.free_beside(short, grown);
    let island = grown.is_ok().then_some(island);
    found.sites.insert(first, grown.unwrap_or(alone));
    island
}

/// An island after the jump of a new relay.
fn relay(
    body: &Body<'_>,
    short: &Range<Va>,
    found: &mut FunctionSites,
    fits: impl Fn(Va) -> bool,
    may_move: impl Fn(&Site) -> bool,
) -> Option<Va> {
    let all = body.indices(body.function.start..body.function.end);
    let (relay, island) = all.into_iter().find_map(|index| {
        let island = Va(body.va(index).0 + NEAR_JUMP as u64);
        let relay = body.relay(index, 2 * NEAR_JUMP).filter(|relay| fits(island) && may_move(relay))?;
        Some((found.free_beside(short, relay).ok()?, island))
    })?;
    found.relays.push(relay);
    Some(island)
}

/// Places for islands in the first `len` bytes of `host`, after its own jump.
fn slots(host: &Site, len: usize) -> impl Iterator<Item = Va> {
    let first = host.va.0;
    (1..len / NEAR_JUMP).map(move |slot| Va(first + (slot * NEAR_JUMP) as u64))
}

fn is_unused(found: &FunctionSites, slot: Va) -> bool {
    found.sites.iter().all(|site| site.island != Some(slot))
}
