//! The modules of a crate: where each is written, what it defines, and which paths it names.
//!
//! Modules and items for tests (`#[cfg(test)]`) are left out. Trusts: `syn` to read Rust, and macro
//! calls to mean by `a::b` the path `a::b`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, UseTree, Visibility};

/// Returns the text of a file, or `None` where there is no such file.
pub(super) type Read<'r> = &'r dyn Fn(&Path) -> Result<Option<String>>;

/// The modules of a crate. The first is its root.
pub(super) struct Modules(pub(super) Vec<Module>);

pub(super) struct Module {
    pub(super) file: PathBuf,
    pub(super) parent: Option<usize>,
    pub(super) children: BTreeMap<String, usize>,
    /// Names of its own types, functions, constants, traits and macros.
    pub(super) items: BTreeSet<String>,
    pub(super) imports: Vec<Import>,
    pub(super) mentions: Vec<Mention>,
}

/// A name that a `use` brings into a module.
pub(super) struct Import {
    /// `None` for all names of the path (`*`).
    pub(super) name: Option<String>,
    pub(super) path: Vec<String>,
}

/// A path that a module names.
pub(super) struct Mention {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

impl Modules {
    /// Reads a crate from its root file on.
    pub(super) fn read(root: &Path, read: Read<'_>) -> Result<Self> {
        let mut modules = Self(Vec::new());
        let text = read(root)?.with_context(|| format!("no file {}", root.display()))?;
        let folder = root.parent().unwrap_or(Path::new("")).to_owned();
        modules.add_file(root, &text, &folder, None, read)?;
        Ok(modules)
    }

    fn add_file(
        &mut self,
        file: &Path,
        text: &str,
        folder: &Path,
        parent: Option<usize>,
        read: Read<'_>,
    ) -> Result<usize> {
        let syntax = syn::parse_file(text).with_context(|| format!("cannot parse {}", file.display()))?;
        self.add(file, syntax.items, folder, parent, read)
    }

    /// Adds a module whose children's files lie in `folder`.
    fn add(
        &mut self,
        file: &Path,
        items: Vec<Item>,
        folder: &Path,
        parent: Option<usize>,
        read: Read<'_>,
    ) -> Result<usize> {
        let id = self.0.len();
        self.0.push(Module {
            file: file.to_owned(),
            parent,
            children: BTreeMap::new(),
            items: BTreeSet::new(),
            imports: Vec::new(),
            mentions: Vec::new(),
        });
        for item in items {
            match item {
                Item::Mod(module) if !is_for_tests(&module.attrs) => {
                    ensure!(!module.attrs.iter().any(|it| it.path().is_ident("path")), "{}: #[path]", file.display());
                    let name = module.ident.unraw().to_string();
                    let folder = folder.join(&name);
                    let child = match module.content {
                        Some((_, items)) => self.add(file, items, &folder, Some(id), read)?,
                        None => self.add_outside(&name, &folder, id, read)?,
                    };
                    self.0[id].children.insert(name, child);
                }
                item => Visitor { module: &mut self.0[id], is_top: true }.visit_item(&item),
            }
        }
        Ok(id)
    }

    /// Adds a module that has a file of its own: `name.rs` or `name/mod.rs`.
    fn add_outside(&mut self, name: &str, folder: &Path, parent: usize, read: Read<'_>) -> Result<usize> {
        for file in [folder.with_file_name(format!("{name}.rs")), folder.join("mod.rs")] {
            if let Some(text) = read(&file)? {
                return self.add_file(&file, &text, folder, Some(parent), read);
            }
        }
        anyhow::bail!("{}: no file of module {name}", self.0[parent].file.display());
    }
}

/// Whether `#[cfg(test)]`, or a combination with it, is among the attributes.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition.split(|c: char| !c.is_alphanumeric()).any(|word| word == "test") && !condition.contains("not")
        }
        _ => false,
    })
}

/// Collects what the items of one module define and name.
struct Visitor<'m> {
    module: &'m mut Module,
    /// Whether the next item belongs to the module itself, and not to a function in it.
    is_top: bool,
}

impl Visitor<'_> {
    fn mention(&mut self, path: Vec<String>, line: usize) {
        self.module.mentions.push(Mention { path, line });
    }

    fn import(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.unraw().to_string());
                self.import(&inner.tree, path);
                path.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, path)),
            UseTree::Glob(glob) => {
                let line = glob.star_token.spans[0].start().line;
                self.module.imports.push(Import { name: None, path: path.clone() });
                self.mention(path.clone(), line);
            }
            UseTree::Name(leaf) => self.import_name(path, &leaf.ident, &leaf.ident),
            UseTree::Rename(leaf) => self.import_name(path, &leaf.ident, &leaf.rename),
        }
    }

    fn import_name(&mut self, path: &[String], leaf: &syn::Ident, alias: &syn::Ident) {
        let line = leaf.span().start().line;
        let (leaf, alias) = (leaf.unraw().to_string(), alias.unraw().to_string());
        let mut whole = path.to_vec();
        // `use a::{self}` brings `a`.
        let name = if leaf == "self" && alias == "self" { path.last().cloned().unwrap_or(alias) } else { alias };
        if leaf != "self" {
            whole.push(leaf);
        }
        self.module.imports.push(Import { name: Some(name), path: whole.clone() });
        self.mention(whole, line);
    }

    /// The paths in a macro call or an attribute, which is not parsed.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(it)) if it.as_char() == ':');
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let mut path = vec![first.unraw().to_string()];
                    while let (true, true, Some(TokenTree::Ident(next))) =
                        (is_colon(at), is_colon(at + 1), tokens.get(at + 2))
                    {
                        path.push(next.unraw().to_string());
                        at += 3;
                    }
                    if path.len() > 1 {
                        self.mention(path, first.span().start().line);
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes_of(item)) {
            return;
        }
        if self.is_top {
            self.module.items.extend(name_of(item));
        }
        let is_top = std::mem::replace(&mut self.is_top, false);
        visit::visit_item(self, item);
        self.is_top = is_top;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &mut Vec::new());
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    /// `pub(in path)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let line = path.segments[0].ident.span().start().line;
            let segments = path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
            self.mention(segments, line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.tokens(list.tokens.clone());
    }
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Macro(it) => it.ident.as_ref()?,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::Type(it) => &it.ident,
        Item::Union(it) => &it.ident,
        _ => return None,
    };
    Some(name.unraw().to_string())
}
