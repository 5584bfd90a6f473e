//! Limits on the length of a file and on the loose files in a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most lines of a file.
const LINES: usize = 500;

/// Most Rust files that lie loose in a folder.
const FILES: usize = 14;

/// Files of Rust and the number of their lines: gives those that are too long, and folders that are
/// too full.
pub(super) fn violations(files: &BTreeMap<PathBuf, usize>) -> Vec<(PathBuf, String)> {
    let mut violations = Vec::new();
    let mut folders: BTreeMap<&Path, usize> = BTreeMap::new();
    for (file, lines) in files {
        if *lines > LINES {
            violations.push((file.clone(), format!("{lines} lines, more than {LINES}: split it by subject")));
        }
        *folders.entry(file.parent().unwrap_or(Path::new(""))).or_default() += 1;
    }
    for (folder, count) in folders.into_iter().filter(|(_, count)| *count > FILES) {
        let what = format!("{count} loose files, more than {FILES}: give them rooms");
        violations.push((folder.to_owned(), what));
    }
    violations
}
