//! Patches the program as the command `gopatch` does, into the comparison's temporary folder. A
//! patch without hooks is an error: there would be nothing to measure.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use gopatch::{patch, patched_file, rules, verify};
use gopatch_protocol::recipe::TrailingData;

use crate::options::{Options, Rules};

/// The patched program.
#[derive(Debug)]
pub(crate) struct Patched {
    /// Its file.
    pub(crate) path: PathBuf,
    /// How many sites it has, in words.
    pub(crate) description: String,
}

/// Verifies the user's patched program, or patches the original.
pub(crate) fn prepare(options: &Options, folder: &Path) -> Result<Patched> {
    let original = read(&options.original)?;
    ensure!(
        !patched_file::is_patched(&original),
        "{} is already patched: pass the unpatched program, and this one as --patched",
        options.original.display()
    );
    if let Some(path) = &options.patched {
        let manifest = verify::verify(&read(path)?, Some(&original))
            .with_context(|| format!("{} is not a patched {}", path.display(), options.original.display()))?;
        let description = format!("{}: {} sites hooked", path.display(), manifest.sites.len());
        return Ok(Patched { path: path.clone(), description });
    }
    let name = || options.original.display().to_string();
    let rules = sources(&options.rules)?;
    let patch_options = patch::Options { trailing_data: TrailingData::Keep, ..patch::Options::new(rules) };
    let patched = patch::patch(&original, &patch_options).with_context(name)?;
    let output = patched.output.to_vec();
    verify::verify(&output, Some(&original)).with_context(name)?;
    let (hooked, refused) = (patched.report.hooked(), patched.report.missing());
    ensure!(hooked > 0, "{}: the rules hook nothing, so there is nothing to compare", name());
    let path = folder.join("patched");
    fs::write(&path, output).with_context(|| format!("cannot write {}", path.display()))?;
    fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    let go = &patched.report.input.go_version;
    Ok(Patched { path, description: format!("{} ({go}): {hooked} sites hooked, {refused} refused", name()) })
}

fn sources(rules: &Rules) -> Result<Vec<rules::Source>> {
    let default = rules.default.then(rules::Source::default_rules);
    let files = rules.files.iter().map(|path| {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read rules {}", path.display()))?;
        Ok(rules::Source { name: path.display().to_string(), text })
    });
    default.into_iter().map(Ok).chain(files).collect()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
