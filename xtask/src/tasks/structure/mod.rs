//! `cargo xtask structure`: imports go one way, and no file or folder is too large.
//!
//! No files of a crate import each other, directly or by way of others (`circles`); a lower room
//! imports nothing of a higher one (`rooms`); files and folders stay readable (`sizes`). `modules`
//! and `imports` find out which file uses which. Exceptions are listed here, each with its reason;
//! one that is no longer needed is an error.

mod circles;
mod imports;
mod modules;
mod rooms;
mod sizes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use xtask::workspace;

use imports::Imports;
use modules::Modules;
use rooms::ORDERS;

/// Imports that may be a part of a circle or go against the order of rooms: the file, what it
/// imports, and why.
const ALLOWED_IMPORTS: &[(&str, &str, &str)] = &[];

/// Files and folders that may be larger than others, and why.
const ALLOWED_SIZES: &[(&str, &str)] = &[];

/// Checks this workspace, or another checkout.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let root = match arguments {
        [] => workspace::root(),
        [root] => Path::new(root),
        _ => bail!("usage: cargo xtask structure [FOLDER]"),
    };
    let mut violations = import_violations(root)?;
    violations.extend(size_violations(root)?);
    for violation in &violations {
        eprintln!("structure: {violation}");
    }
    ensure!(violations.is_empty(), "{} violations of the structure (see xtask/src/tasks/structure)", violations.len());
    eprintln!("structure: imports go one way, and every file and folder has a readable size");
    Ok(())
}

fn import_violations(root: &Path) -> Result<Vec<String>> {
    let read = |file: &Path| -> Result<Option<String>> {
        let path = root.join(file);
        path.is_file().then(|| fs::read_to_string(&path)).transpose().with_context(|| path.display().to_string())
    };
    let mut violations = Vec::new();
    let mut used = vec![false; ALLOWED_IMPORTS.len()];
    for crate_root in crate_roots(root)? {
        let mut imports = Modules::read(&crate_root, &read)?.imports();
        imports.retain(|(from, to), _| {
            let allowed = ALLOWED_IMPORTS.iter().position(|(a, b, _)| from == Path::new(a) && to == Path::new(b));
            allowed.map(|index| used[index] = true).is_none()
        });
        violations.extend(circles::circles(&imports).iter().map(|circle| describe_circle(circle, &imports)));
        for order in ORDERS.iter().filter(|order| crate_root == Path::new(order.root)) {
            violations.extend(order.violations(&imports));
        }
    }
    let unused = ALLOWED_IMPORTS.iter().zip(used).filter(|(_, used)| !used);
    violations.extend(unused.map(|((from, to, _), _)| format!("{from} no longer imports {to}: remove its exception")));
    Ok(violations)
}

/// `a.rs:3 uses b.rs; b.rs:7 uses a.rs`
fn describe_circle(circle: &[&Path], imports: &Imports) -> String {
    let next = circle.iter().cycle().skip(1);
    let steps = circle.iter().zip(next).map(|(from, to)| {
        let line = imports.get(&((*from).to_owned(), (*to).to_owned())).copied().unwrap_or_default();
        format!("{}:{line} imports {}", from.display(), to.display())
    });
    format!("a circle: {}", steps.collect::<Vec<_>>().join("; "))
}

fn size_violations(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"]).current_dir(root);
    let mut files = BTreeMap::new();
    for name in workspace::output(&mut git)?.lines() {
        // What was deleted and not committed yet is listed too.
        if let Ok(text) = fs::read_to_string(root.join(name)) {
            files.insert(PathBuf::from(name), text.lines().count());
        }
    }
    let found = sizes::violations(&files);
    let is_found = |allowed: &str| found.iter().any(|(path, _)| path == Path::new(allowed));
    let is_allowed = |path: &Path| ALLOWED_SIZES.iter().any(|(allowed, _)| path == Path::new(allowed));
    let violations = found.iter().filter(|(path, _)| !is_allowed(path));
    let unused = ALLOWED_SIZES.iter().filter(|(allowed, _)| !is_found(allowed));
    Ok(violations
        .map(|(path, what)| format!("{}: {what}", path.display()))
        .chain(unused.map(|(path, _)| format!("{path} is not too large: remove its exception")))
        .collect())
}

/// The root files of all crates of the workspace: libraries, programs and tests.
fn crate_roots(root: &Path) -> Result<Vec<PathBuf>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
        workspace_root: PathBuf,
    }
    #[derive(Deserialize)]
    struct Package {
        targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        src_path: PathBuf,
    }

    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
    let metadata: Metadata = serde_json::from_str(&workspace::output(&mut cargo)?)?;
    let targets = metadata.packages.iter().flat_map(|package| &package.targets);
    let roots = targets.map(|target| target.src_path.strip_prefix(&metadata.workspace_root).map(Path::to_owned));
    roots.collect::<Result<_, _>>().context("a crate outside of the workspace")
}
