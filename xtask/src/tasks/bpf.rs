//! `cargo xtask bpf`: the committed BPF objects are what their sources compile to, byte for byte.
//!
//! The `build.sh` beside each source has the compiler's options. Only `--write` changes a file.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use xtask::workspace;

/// Folder and name of each object.
const OBJECTS: [(&str, &str); 3] =
    [("runtime-ebpf/bpf", "drain.bpf"), ("runtime-ebpf/bpf", "uprobe.bpf"), ("tests/bench", "uprobe.bpf")];

/// Rebuilds the objects and compares them with the committed ones, or replaces those.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let write = match arguments {
        [] => false,
        ["--write"] => true,
        _ => bail!("usage: cargo xtask bpf [--write]"),
    };
    workspace::require(&["clang-14", "llvm-strip-14", "/usr/include/bpf/bpf_helpers.h"])?;
    fs::create_dir_all(workspace::target())?;
    for (folder, name) in OBJECTS {
        let folder = workspace::root().join(folder);
        let committed = folder.join(format!("{name}.o"));
        let rebuilt = workspace::target().join(format!("{name}.o"));
        workspace::run(Command::new(folder.join("build.sh")).arg(&rebuilt))?;

        let new = fs::read(&rebuilt).with_context(|| format!("cannot read {}", rebuilt.display()))?;
        if write {
            fs::write(&committed, new).with_context(|| format!("cannot write {}", committed.display()))?;
            continue;
        }
        let old = fs::read(&committed).with_context(|| format!("cannot read {}", committed.display()))?;
        ensure!(
            old == new,
            "{} does not match {name}.c\nhint: cargo xtask bpf --write, then commit it",
            committed.display()
        );
        eprintln!("bpf: {name}.o matches its source");
    }
    Ok(())
}
