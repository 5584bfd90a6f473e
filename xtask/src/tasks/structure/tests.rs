//! Small crates, given as texts.

use super::*;

fn imports_of(files: &[(&str, &str)]) -> Imports {
    let read = |path: &Path| {
        let file = files.iter().find(|(name, _)| path == Path::new(name));
        Ok(file.map(|(_, text)| (*text).to_owned()))
    };
    Modules::read(Path::new("lib.rs"), &read).expect("it is Rust").imports()
}

fn described(files: &[(&str, &str)]) -> Vec<String> {
    let imports = imports_of(files);
    circles::circles(&imports).iter().map(|circle| describe_circle(circle, &imports)).collect()
}

#[test]
fn two_files_that_import_each_other_are_named_with_their_lines() {
    let files = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "use std::fmt;\nuse crate::b::B;\npub struct A(B);"),
        ("b.rs", "pub struct B;\n\nfn f(_: super::a::A) {}"),
    ];
    assert_eq!(described(&files), ["a circle: a.rs:2 imports b.rs; b.rs:3 imports a.rs"]);
}

#[test]
fn a_circle_by_way_of_others_is_found() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::f; pub fn g() { f() }"),
        ("b.rs", "pub fn f() { crate::c::h() }"),
        ("c/mod.rs", "mod d; pub use d::h;"),
        ("c/d.rs", "pub fn h() { vec![crate::a::g()]; }"),
    ];
    let expected = "a circle: a.rs:1 imports b.rs; b.rs:1 imports c/d.rs; c/d.rs:1 imports a.rs";
    assert_eq!(described(&files), [expected]);
}

#[test]
fn imports_one_way_are_no_circle() {
    let files = [
        ("lib.rs", "pub mod a; mod b; pub use a::A;"),
        ("a.rs", "pub struct A; use crate::b::{self, f as g}; fn h() { g(); b::f() }"),
        ("b.rs", "pub fn f() {} #[cfg(test)] mod tests { use super::*; use crate::a::A; }"),
    ];
    let imports = imports_of(&files);
    assert_eq!(imports.keys().collect::<Vec<_>>(), [&(PathBuf::from("a.rs"), PathBuf::from("b.rs"))]);
}

#[test]
fn a_path_is_followed_to_the_file_that_defines_the_item() {
    let files = [
        ("lib.rs", "mod room; mod user;"),
        ("room/mod.rs", "mod error; mod read; pub use error::Error; pub use read::*;"),
        ("room/error.rs", "pub enum Error { Short }"),
        ("room/read.rs", "use super::Error; pub fn read() -> Error { Error::Short }"),
        ("user.rs", "use crate::room; fn f() { room::read(); } fn g() -> room::Error { crate::room::Error::Short }"),
    ];
    let imports: Vec<_> =
        imports_of(&files).into_keys().map(|(from, to)| format!("{} {}", from.display(), to.display())).collect();
    // The `use` of the module counts, and what is named through it.
    assert_eq!(
        imports,
        ["room/read.rs room/error.rs", "user.rs room/error.rs", "user.rs room/mod.rs", "user.rs room/read.rs"]
    );
}

#[test]
fn a_module_may_use_its_parts_and_they_what_it_defines() {
    let files = [
        ("lib.rs", "mod room; mod user;"),
        ("room/mod.rs", "mod part; pub struct Whole; fn f() { part::g() }"),
        ("room/part.rs", "use super::Whole; pub fn g() { let _: Whole; }"),
        ("user.rs", "fn f(_: crate::room::Whole) {}"),
    ];
    assert_eq!(described(&files), [""; 0]);
    assert_eq!(imports_of(&files).len(), 2);
}

#[test]
fn a_room_imports_what_is_below_it() {
    let order = rooms::Order { root: "src/lib.rs", rows: &[&["high"], &["left", "right"], &["low"]] };
    let violations = |from: &str, to: &str| {
        order.violations(&Imports::from([((PathBuf::from(from), PathBuf::from(to)), 7)])).pop().unwrap_or_default()
    };
    assert_eq!(violations("src/high/a.rs", "src/low.rs"), "");
    assert_eq!(violations("src/left/a.rs", "src/left/b.rs"), "");
    assert_eq!(
        violations("src/low.rs", "src/high/a.rs"),
        "src/low.rs:7: `low` imports `high`, which is above it (src/high/a.rs)"
    );
    assert!(violations("src/left.rs", "src/right/a.rs").contains("beside it"));
    assert!(violations("src/new.rs", "src/low.rs").contains("lacks room `new`"));
}

#[test]
fn long_files_and_full_folders_are_named() {
    let mut files = BTreeMap::from([(PathBuf::from("a/long.rs"), 501), (PathBuf::from("a/b/short.rs"), 500)]);
    files.extend((0..14).map(|index| (PathBuf::from(format!("a/{index}.rs")), 1)));
    let violations = sizes::violations(&files);
    let paths: Vec<_> = violations.iter().map(|(path, _)| path.as_path()).collect();
    assert_eq!(paths, [Path::new("a/long.rs"), Path::new("a")]);
}
