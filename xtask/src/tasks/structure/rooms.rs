//! The order of a crate's rooms: a lower one imports nothing of a higher one.
//!
//! A room is a folder or a loose file beside the crate's root, named as its module is.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::Path;

use super::imports::Imports;

/// The rooms of a crate, highest first. Rooms of one row do not import each other.
pub(super) struct Order {
    /// The crate's root file.
    pub(super) root: &'static str,
    pub(super) rows: &'static [&'static [&'static str]],
}

pub(super) const ORDERS: &[Order] = &[
    Order {
        root: "runtime-ebpf/src/lib.rs",
        rows: &[
            &["lib"],
            &["cli", "fuzzing"],
            &["daemon", "uprobes", "client"],
            &["session"],
            &["outlet", "attach"],
            &["export"],
            &["config", "execution"],
            &["telemetry", "console"],
            &["control"],
            &["calls"],
            &["rings", "summary", "socket"],
            &["host", "quota"],
        ],
    },
    Order {
        root: "patcher/src/lib.rs",
        rows: &[
            &["lib"],
            &["provenance", "prove"],
            &["patch"],
            &["report"],
            &["program", "policy"],
            &["verify"],
            &["restore"],
            &["patched_file"],
            &["write"],
            &["symbols"],
            &["layout"],
            &["sites"],
            &["rules"],
            &["yaml"],
            &["dwarf", "rtypes", "reach"],
            &["golang"],
            &["types"],
            &["elf"],
            &["address"],
        ],
    },
];

impl Order {
    /// Imports against the order, and rooms that it lacks.
    pub(super) fn violations(&self, imports: &Imports) -> Vec<String> {
        let folder = Path::new(self.root).parent().unwrap_or(Path::new(""));
        let mut violations = Vec::new();
        let mut unknown = BTreeSet::new();
        for ((from, to), line) in imports {
            let [Some(from_room), Some(to_room)] = [from, to].map(|file| room(folder, file)) else { continue };
            let [from_row, to_row] = [&from_room, &to_room].map(|room| self.row(room));
            let (Some(from_row), Some(to_row)) = (from_row, to_row) else {
                unknown.insert(if from_row.is_none() { from_room } else { to_room });
                continue;
            };
            let relation = match to_row.cmp(&from_row) {
                Ordering::Less => "above",
                Ordering::Equal if from_room != to_room => "beside",
                _ => continue,
            };
            let at = format!("{}:{line}", from.display());
            violations
                .push(format!("{at}: `{from_room}` imports `{to_room}`, which is {relation} it ({})", to.display()));
        }
        violations.extend(unknown.iter().map(|room| format!("{}: the order lacks room `{room}`", self.root)));
        violations
    }

    fn row(&self, room: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.contains(&room))
    }
}

/// `calls` of `src/calls/order.rs` and of `src/calls.rs`.
fn room(folder: &Path, file: &Path) -> Option<String> {
    let first = file.strip_prefix(folder).ok()?.components().next()?;
    Some(Path::new(first.as_os_str()).with_extension("").display().to_string())
}
