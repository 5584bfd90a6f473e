//! Which backend makes and drains the rings.

use anyhow::{Context, Result};
use clap::ValueEnum;

use super::backend::Backend;
use super::bpf::BpfBackend;
use super::memfd::MemfdBackend;

/// The backend that is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendChoice {
    /// bpf where the kernel allows it, otherwise memfd
    Auto,
    /// Rings are BPF maps, drained by a BPF program; needs CAP_BPF and CAP_PERFMON (or root) and
    /// Linux 6.1
    Bpf,
    /// Rings are memory files, drained by gopatchd itself; needs no privilege
    Memfd,
}

/// Opens the requested backend. Returns it with the reason for the choice.
pub(crate) fn open(choice: BackendChoice, pin_folder: &std::path::Path) -> Result<(Box<dyn Backend>, String)> {
    let memfd = || Box::new(MemfdBackend) as Box<dyn Backend>;
    match choice {
        BackendChoice::Memfd => Ok((memfd(), "as requested".into())),
        BackendChoice::Bpf => {
            let backend = BpfBackend::load(pin_folder).context(
                "the bpf backend cannot start\nhint: --backend memfd needs neither privileges nor a new kernel",
            )?;
            Ok((Box::new(backend), "as requested".into()))
        }
        BackendChoice::Auto => match BpfBackend::load(pin_folder) {
            Ok(backend) => Ok((Box::new(backend), "supported by the kernel".into())),
            Err(error) => Ok((memfd(), format!("bpf is not available: {error:#}"))),
        },
    }
}
