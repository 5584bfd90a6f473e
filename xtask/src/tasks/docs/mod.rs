//! `cargo xtask docs`: the parts of documents that are generated from the programs and from
//! figures.
//!
//! A document has such a part between the lines `<!-- generated: NAME -->` and `<!-- end -->`. A
//! NAME is one of [`generate`]. Without `--write` a part that differs is an error, which is how
//! `cargo xtask test` calls it.

mod figures;
mod synopsis;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use xtask::workspace;

/// Folders whose Markdown files may have generated parts.
const FOLDERS: [&str; 3] = ["", "docs", "deploy"];

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

/// Builds the programs, and compares or replaces the generated parts of all documents.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let write = match arguments {
        [] => false,
        ["--write"] => true,
        _ => bail!("usage: cargo xtask docs [--write]"),
    };
    workspace::build_release()?;
    for document in documents()? {
        let name = document.strip_prefix(workspace::root()).unwrap_or(&document).display();
        let old = fs::read_to_string(&document).with_context(|| format!("cannot read {name}"))?;
        let new = with_generated_parts(&old, generate).with_context(|| name.to_string())?;
        if old == new {
            continue;
        }
        ensure!(
            write,
            "{name}: {}\nhint: cargo xtask docs --write, then commit it",
            first_difference(&old, &new).context("two texts that differ have a first difference")?
        );
        fs::write(&document, new).with_context(|| format!("cannot write {name}"))?;
        eprintln!("docs: wrote {name}");
    }
    Ok(())
}

/// The text of a generated part.
fn generate(name: &str) -> Result<String> {
    match name {
        "hooks" => figures::whole_table(),
        "hooks summary" => figures::summary(),
        _ => match name.strip_prefix("synopsis ") {
            Some(command) => synopsis::of_program(&command.split(' ').collect::<Vec<_>>()),
            None => bail!("cannot generate {name:?}"),
        },
    }
}

fn documents() -> Result<Vec<PathBuf>> {
    let mut documents = Vec::new();
    for folder in FOLDERS {
        let folder = workspace::root().join(folder);
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                documents.push(path);
            }
        }
    }
    documents.sort();
    Ok(documents)
}

/// A document whose generated parts are replaced by what `generate` makes of their names.
fn with_generated_parts(document: &str, generate: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut new = String::with_capacity(document.len());
    let mut lines = document.split_inclusive('\n');
    while let Some(line) = lines.next() {
        new += line;
        let Some(name) = line.trim_end().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let end = lines.find(|line| line.trim_end() == END).with_context(|| format!("{name:?} has no {END}"))?;
        new += &generate(name).with_context(|| format!("generated part {name:?}"))?;
        new += end;
    }
    Ok(new)
}

/// The first line that is not the same, for a person.
fn first_difference(old: &str, new: &str) -> Option<String> {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let index = (0..old.len().max(new.len())).find(|index| old.get(*index) != new.get(*index))?;
    let [old, new] = [old, new].map(|lines| lines.get(index).copied().unwrap_or_default());
    Some(format!("line {} is\n  {old}\nand would be generated as\n  {new}", index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shout(name: &str) -> Result<String> {
        ensure!(name != "unknown", "cannot generate {name:?}");
        Ok(format!("{}\n", name.to_uppercase()))
    }

    #[test]
    fn generated_parts_are_replaced_and_the_rest_stays() -> Result<()> {
        let old = "a\n<!-- generated: one -->\nold\n<!-- end -->\nb\n<!-- generated: two -->\n<!-- end -->\n";
        let new = "a\n<!-- generated: one -->\nONE\n<!-- end -->\nb\n<!-- generated: two -->\nTWO\n<!-- end -->\n";
        assert_eq!(with_generated_parts(old, shout)?, new);
        assert_eq!(with_generated_parts(new, shout)?, new);
        Ok(())
    }

    #[test]
    fn a_part_without_an_end_or_of_an_unknown_name_is_an_error() {
        for bad in ["<!-- generated: one -->\nb\n", "<!-- generated: unknown -->\n<!-- end -->\n"] {
            assert!(with_generated_parts(bad, shout).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert!(first_difference("a\nb\n", "a\nc\n").is_some_and(|text| text.starts_with("line 2 ")));
        assert!(first_difference("a\n", "a\nb\n").is_some_and(|text| text.starts_with("line 2 ")));
    }
}
