//! What gopatchd may still do once it has started.
//!
//! Decides: which capabilities each thread keeps. Capabilities belong to threads, and a new thread
//! has those of its creator. So threads that start before the main loop has given up its rights give
//! up theirs as their first step.
//! Never does: ask for a capability. What gopatchd was not given is only missing, as before.

use std::fmt;
use std::fs;

use anyhow::{Context, Result};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_no_new_privs};

/// For threads that only write, or use connections that are open.
pub(crate) const NONE: CapabilitySet = CapabilitySet::empty();

/// To reach a path in a folder of another user.
pub(crate) const REACH: CapabilitySet = CapabilitySet::DAC_READ_SEARCH;

/// To look into processes of other users.
pub(crate) const LOOK: CapabilitySet = REACH.union(CapabilitySet::SYS_PTRACE);

/// To open what they have mapped.
pub(crate) const FIND: CapabilitySet = LOOK.union(CapabilitySet::CHECKPOINT_RESTORE);

/// To make BPF maps, and change them.
pub(crate) const MAPS: CapabilitySet = CapabilitySet::BPF;

/// To open BPF maps by their ids. The kernel demands all of this for it.
pub(crate) const MAP_IDS: CapabilitySet = CapabilitySet::SYS_ADMIN;

/// Gives up all that no thread needs: from here on no program that gopatchd could execute has more
/// rights than gopatchd. Call before there are other threads.
pub fn renounce_new_privileges() -> Result<()> {
    set_no_new_privs(true).context("cannot set no_new_privs")
}

/// Gives up all capabilities of this thread but `needed`.
pub(crate) fn keep(needed: CapabilitySet) -> Result<()> {
    let permitted = capabilities(None)?.permitted & needed;
    let sets = CapabilitySets { effective: permitted, permitted, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).context("cannot give up capabilities")
}

/// The same for a thread that is starting. Giving up rights cannot fail on a kernel that is new
/// enough for gopatchd; a security module that forbids it is reported.
pub(crate) fn keep_in_thread(needed: CapabilitySet) {
    if let Err(error) = keep(needed) {
        tracing::warn!("a thread keeps its capabilities: {error:#}");
    }
}

/// The rights of this process, for the log: capabilities of any of its threads, and the rest.
pub(crate) fn describe() -> String {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map_or("?", str::trim);
    let held = u64::from_str_radix(field("CapPrm:"), 16).map(CapabilitySet::from_bits_retain);
    let held = held.map_or_else(|_| "unknown capabilities".to_owned(), |held| Names(held).to_string());
    let new = if field("NoNewPrivs:") == "1" { "no_new_privs" } else { "new privileges allowed" };
    let filter = if field("Seccomp:") == "2" { "system calls filtered" } else { "system calls not filtered" };
    format!("{held}; {new}; {filter}")
}

/// Capabilities as capabilities(7) names them.
struct Names(CapabilitySet);

impl fmt::Display for Names {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return out.write_str("no capabilities");
        }
        for (index, (name, _)) in self.0.iter_names().enumerate() {
            write!(out, "{}CAP_{name}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_have_the_names_of_the_manual() {
        assert_eq!(Names(NONE).to_string(), "no capabilities");
        assert_eq!(Names(FIND).to_string(), "CAP_DAC_READ_SEARCH CAP_SYS_PTRACE CAP_CHECKPOINT_RESTORE");
    }

    #[test]
    fn a_thread_that_gives_up_its_capabilities_has_only_those_it_needs() {
        let held = std::thread::spawn(|| {
            keep(LOOK).expect("a thread may always have less");
            capabilities(None).expect("a thread may look at itself")
        });
        let held = held.join().expect("it does not panic");
        assert!(LOOK.contains(held.permitted) && held.effective == held.permitted && held.inheritable.is_empty());
    }
}
