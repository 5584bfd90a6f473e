//! Which backend makes and drains the rings.

use anyhow::{Context, Result};
use clap::ValueEnum;

use super::backend::Backend;
use super::bpf::BpfBackend;
use super::memfd::MemfdBackend;

/// Which backend is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// bpf where the kernel lets us, else memfd.
    Auto,
    /// Rings are BPF maps, drained by a BPF program. Needs CAP_BPF and CAP_PERFMON (or root) and Linux 6.1.
    Bpf,
    /// Rings are memory files, drained by gopatchd itself. Needs nothing.
    Memfd,
}

/// Opens the backend that is asked for. Gives it with the reason why it is this one.
pub(crate) fn open(choice: Choice, pin_folder: &std::path::Path) -> Result<(Box<dyn Backend>, String)> {
    let memfd = || Box::new(MemfdBackend) as Box<dyn Backend>;
    match choice {
        Choice::Memfd => Ok((memfd(), "as asked".into())),
        Choice::Bpf => {
            let backend = BpfBackend::load(pin_folder).context(
                "the bpf backend cannot start\nhint: --backend memfd needs neither privileges nor a new kernel",
            )?;
            Ok((Box::new(backend), "as asked".into()))
        }
        Choice::Auto => match BpfBackend::load(pin_folder) {
            Ok(backend) => Ok((Box::new(backend), "the kernel offers it".into())),
            Err(error) => Ok((memfd(), format!("no bpf: {error:#}"))),
        },
    }
}
