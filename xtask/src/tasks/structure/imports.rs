//! Which file of a crate uses which: paths are followed through `pub use` to the file that defines
//! the item.
//!
//! A `use` of a module counts for nothing by itself: what is named through it counts. Nor does a
//! module count as a user of its own parts: it shows them and calls them, and they may use what it
//! defines.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::modules::{Kind, Mention, Modules};

/// How long a chain of `pub use` may be. A longer one leads in a circle.
const LONGEST_CHAIN: usize = 32;

/// One file names items of another, first on this line.
pub(super) type Imports = BTreeMap<(PathBuf, PathBuf), usize>;

enum Found {
    Module(usize),
    /// An item that this module defines.
    Item(usize),
    /// Something of another crate, or a name that no `use` and no `mod` brings, such as a type
    /// parameter.
    Outside,
    /// A name that this module should have: what a macro or an enum gives it.
    Unknown(usize),
}

impl Modules {
    /// All pairs of a file and another that it uses.
    pub(super) fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (id, module) in self.0.iter().enumerate() {
            for mention in &module.mentions {
                let Some(target) = self.target(id, mention) else { continue };
                let file = &self.0[target].file;
                if *file != module.file {
                    let line = imports.entry((module.file.clone(), file.clone())).or_insert(mention.line);
                    *line = mention.line.min(*line);
                }
            }
        }
        imports
    }

    /// The module that has what is named, if it is not a part of the module that names it.
    fn target(&self, from: usize, mention: &Mention) -> Option<usize> {
        let target = match self.find(from, &mention.path, 0) {
            Found::Item(id) | Found::Unknown(id) => Some(id),
            // Code does not name modules: a function in the module is shown under the same name.
            Found::Module(id) => (mention.kind != Kind::Use).then_some(id),
            Found::Outside => None,
        };
        let is_part = |id: &usize| std::iter::successors(Some(*id), |id| self.0[*id].parent).any(|id| id == from);
        target.filter(|target| !is_part(target))
    }

    /// Follows a path as it is written in a module.
    fn find(&self, from: usize, path: &[String], depth: usize) -> Found {
        let Some((first, rest)) = path.split_first() else { return Found::Module(from) };
        let parent = || self.0[from].parent.map_or(Found::Outside, Found::Module);
        let start = match first.as_str() {
            "crate" => Found::Module(0),
            "self" => Found::Module(from),
            "super" => parent(),
            _ => return self.look_up(from, path, depth).unwrap_or(Found::Outside),
        };
        let Found::Module(start) = start else { return Found::Outside };
        match rest.first().map(String::as_str) {
            None => Found::Module(start),
            Some("super") => self.find(start, rest, depth),
            Some(_) => self.look_up(start, rest, depth).unwrap_or(Found::Unknown(start)),
        }
    }

    /// Follows names from a module on: into its children, and through its imports. `None` if it
    /// does not have the first.
    fn look_up(&self, id: usize, names: &[String], depth: usize) -> Option<Found> {
        let Some((first, rest)) = names.split_first() else { return Some(Found::Module(id)) };
        let module = &self.0[id];
        if let Some(child) = module.children.get(first) {
            return Some(self.look_up(*child, rest, depth).unwrap_or(Found::Unknown(*child)));
        }
        if module.items.contains(first) {
            return Some(Found::Item(id));
        }
        if depth > LONGEST_CHAIN {
            return None;
        }
        let follow = |path: &[String]| {
            // `use name::…` of another crate looks like a path to the import itself.
            let is_itself = path.first() == Some(first) && !module.children.contains_key(first);
            if is_itself { Found::Outside } else { self.find(id, path, depth + 1) }
        };
        if let Some(import) = module.imports.iter().find(|import| import.name.as_ref() == Some(first)) {
            return Some(follow(&[&import.path[..], rest].concat()));
        }
        module.imports.iter().filter(|import| import.name.is_none()).find_map(|glob| match follow(&glob.path) {
            Found::Module(target) if target != id => self.look_up(target, names, depth + 1),
            _ => None,
        })
    }
}
