//! Circles of imports: files that use each other, directly or by way of others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use super::imports::Imports;

/// The shortest circles, such that each import that is a part of some circle is a part of one of
/// them or shares one's files.
pub(super) fn circles(imports: &Imports) -> Vec<Vec<&Path>> {
    let mut edges: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for (from, to) in imports.keys() {
        edges.entry(from).or_default().insert(to);
    }
    let mut circles: Vec<Vec<&Path>> = Vec::new();
    for (from, to) in imports.keys() {
        let is_known = circles.iter().any(|circle| circle.contains(&from.as_path()) && circle.contains(&to.as_path()));
        if !is_known && let Some(back) = shortest(&edges, to, from) {
            circles.push(std::iter::once(from.as_path()).chain(back).collect());
        }
    }
    circles
}

/// The files on the shortest way, without its end.
fn shortest<'f>(edges: &BTreeMap<&Path, BTreeSet<&'f Path>>, from: &'f Path, to: &Path) -> Option<Vec<&'f Path>> {
    let mut came_from: BTreeMap<&Path, Option<&'f Path>> = BTreeMap::from([(from, None)]);
    let mut ahead = VecDeque::from([from]);
    while let Some(file) = ahead.pop_front() {
        if file == to {
            let way = std::iter::successors(came_from[file], |file| came_from[file]);
            let mut way: Vec<_> = way.collect();
            way.reverse();
            return Some(way);
        }
        for next in edges.get(file).into_iter().flatten() {
            if !came_from.contains_key(next) {
                came_from.insert(next, Some(file));
                ahead.push_back(next);
            }
        }
    }
    None
}
