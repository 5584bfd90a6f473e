//! `cargo xtask bpf`: the BPF object that is committed is what its source gives.
//!
//! Decides: whether the two are the same, byte for byte.
//! Trusts: `runtime-ebpf/bpf/build.sh`, which holds the compiler's options.
//! Never does: a write, unless `--write` asks for it.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use xtask::workspace;

/// Builds the object anew and compares it with the committed one, or replaces that.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let write = match arguments {
        [] => false,
        ["--write"] => true,
        _ => bail!("usage: cargo xtask bpf [--write]"),
    };
    workspace::require(&["clang-14", "llvm-strip-14", "/usr/include/bpf/bpf_helpers.h"])?;
    let folder = workspace::root().join("runtime-ebpf/bpf");
    let committed = folder.join("drain.bpf.o");
    let rebuilt = workspace::target().join("drain.bpf.o");
    fs::create_dir_all(workspace::target())?;
    workspace::run(Command::new(folder.join("build.sh")).arg(&rebuilt))?;

    let new = fs::read(&rebuilt).with_context(|| format!("cannot read {}", rebuilt.display()))?;
    if write {
        return fs::write(&committed, new).with_context(|| format!("cannot write {}", committed.display()));
    }
    let old = fs::read(&committed).with_context(|| format!("cannot read {}", committed.display()))?;
    ensure!(
        old == new,
        "{} is not what drain.bpf.c gives\nhint: cargo xtask bpf --write, then commit it",
        committed.display()
    );
    eprintln!("bpf: the committed object is what its source gives");
    Ok(())
}
