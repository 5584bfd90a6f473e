//! Go's runtime in this program: offsets in its structures, and two of its functions.
//!
//! Trusts: the types. Never does: guess an offset that they lack.

use gopatch_trampolines::plan::{RuntimeOffsets, SigPanic};

use crate::address::Va;
use crate::golang::GoBinary;
use crate::program::ProgramTypes;
use crate::sites::{Site, Text, Wanted};
use crate::types::{Kind, TypeId};

use super::error::PatchError;

/// `sysmon` calls this function with the time in its first argument.
const TICK_FUNCTION: &str = "runtime.retake";
/// The signal handler sends a goroutine here that has followed nil.
const SIGPANIC_FUNCTION: &str = "runtime.sigpanic0";

/// The runtime of this program.
pub(super) struct Runtime {
    /// Offsets in its structures.
    pub(super) offsets: RuntimeOffsets,
    /// Where a nil dereference leads.
    pub(super) sigpanic: Option<SigPanic>,
}

impl Runtime {
    pub(super) fn find(types: &ProgramTypes<'_>, go: &GoBinary<'_>) -> Result<Self, PatchError> {
        Ok(Self { offsets: offsets(types)?, sigpanic: sigpanic(types, go)? })
    }
}

fn offsets(types: &ProgramTypes<'_>) -> Result<RuntimeOffsets, PatchError> {
    let [g, m, p] = ["runtime.g", "runtime.m", "runtime.p"].map(|name| RuntimeStruct::find(name, types));
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

/// The runtime's handler of nil dereferences.
fn sigpanic(types: &ProgramTypes<'_>, go: &GoBinary<'_>) -> Result<Option<SigPanic>, PatchError> {
    let Some(entry) = go.functions.by_name(SIGPANIC_FUNCTION).next() else { return Ok(None) };
    let g = RuntimeStruct::find("runtime.g", types)?;
    Ok(Some(SigPanic {
        entry: entry.start.0,
        g_sig: g.field("sig")?.0,
        g_sigcode0: g.field("sigcode0")?.0,
        g_sigcode1: g.field("sigcode1")?.0,
        g_sigpc: g.field("sigpc")?.0,
    }))
}

/// The function that `sysmon` calls with the time, and the site in it.
///
/// It belongs to the runtime, and is safe: only `sysmon` calls it, whose thread has no P, and the
/// tick uses no P's slot. No signal handler reaches it (a test of [`crate::reach`] follows their
/// calls), so none is in the tick when another begins.
pub(super) fn tick_site(go: &GoBinary<'_>, text: &Text<'_>) -> Result<(Va, Site), PatchError> {
    let function = go.functions.by_name(TICK_FUNCTION).next();
    let function = function.ok_or(PatchError::Tick("no such function"))?;
    let mut found = Text { hazard: &|_| None, ..*text }.sites(function, Wanted { enter: true, exit: false });
    // The tick's code counts on RSP at the return address, and on nothing that may fault.
    let is_plain = |site: &Site| site.guards.is_empty() && site.island.is_none() && site.depth == 0;
    match (found.sites.pop().filter(is_plain), found.refused.pop()) {
        (Some(site), _) => Ok((function.start, site)),
        (None, refused) => {
            Err(PatchError::Tick(refused.map_or("its entry has an unknown form", |refused| refused.refusal.reason())))
        }
    }
}

/// A structure of the runtime, as this program has it.
struct RuntimeStruct<'t, 'a> {
    types: &'t ProgramTypes<'a>,
    type_id: TypeId,
}

impl<'t, 'a> RuntimeStruct<'t, 'a> {
    fn find(name: &str, types: &'t ProgramTypes<'a>) -> Result<Self, PatchError> {
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
